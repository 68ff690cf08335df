/* SPDX-License-Identifier: MIT */
#include "probe_verdict.h"

#include <stddef.h>

static const enum berth_probe_verdict verdicts[BERTH_PROBE_ANSWER_COUNT] = {
    [BERTH_PROBE_FREE] = BERTH_PROBE_GIVE,      [BERTH_PROBE_NOT_TOLD] = BERTH_PROBE_GIVE,
    [BERTH_PROBE_IN_USE] = BERTH_PROBE_FILE,    [BERTH_PROBE_SHARED] = BERTH_PROBE_PASS_OVER,
    [BERTH_PROBE_FORBIDDEN] = BERTH_PROBE_FILE, [BERTH_PROBE_FAILED] = BERTH_PROBE_PASS_OVER,
};

enum berth_probe_verdict berth_probe_judge(enum berth_probe_answer answer)
{
    return verdicts[answer];
}

struct berth_claim berth_probe_claim(uint16_t port, enum berth_probe_answer answer, uint64_t now_ms)
{
    bool forbidden = answer == BERTH_PROBE_FORBIDDEN;
    struct berth_claim claim =
        berth_claim_make(port, forbidden ? BERTH_CLAIM_EXCLUSION : BERTH_CLAIM_BOUND);

    claim.protocol = forbidden ? BERTH_PROTOCOL_NONE : BERTH_PROTOCOL_TCP;
    claim.until_ms = now_ms + (forbidden ? BERTH_PROBE_FORBIDDEN_MS : BERTH_PROBE_IN_USE_MS);
    claim.holder = forbidden ? "bind probe" : NULL;
    claim.detail = forbidden ? "a bind was forbidden: reserved, or held by another account"
                             : "a bind was refused: in use";
    return claim;
}

static enum berth_code fail_busy(const struct berth_probe_counts *counts, struct berth_error *err)
{
    return berth_fail(err, BERTH_BUSY, counts->last_os_code,
                      "%u ports that look free could not be bound: %u in use, %u shared, %u "
                      "forbidden, %u not tried as the system refused (last: port %u, system code "
                      "%d); try again",
                      BERTH_PROBE_FAILURES_MAX, counts->of[BERTH_PROBE_IN_USE],
                      counts->of[BERTH_PROBE_SHARED], counts->of[BERTH_PROBE_FORBIDDEN],
                      counts->of[BERTH_PROBE_FAILED], counts->last_port, counts->last_os_code);
}

/* Tries the ports of one candidate. `*given` tells whether all can be had. */
static enum berth_code try_candidate(const struct berth_probe_hooks *hooks, void *context,
                                     uint64_t now_ms, const uint16_t *ports, unsigned count,
                                     struct berth_probe_counts *counts, bool *given,
                                     struct berth_error *err)
{
    *given = false;
    for (unsigned i = 0; i < count; i++) {
        int os_code = 0;
        enum berth_probe_answer answer = hooks->probe(context, ports[i], &os_code);
        counts->of[answer]++;
        if (berth_probe_judge(answer) == BERTH_PROBE_GIVE) {
            continue;
        }
        counts->last_port = ports[i];
        counts->last_os_code = os_code;
        if (berth_probe_judge(answer) == BERTH_PROBE_PASS_OVER) {
            hooks->pass_over(context, ports[i]);
            return BERTH_OK;
        }
        struct berth_claim claim = berth_probe_claim(ports[i], answer, now_ms);
        return hooks->file(context, &claim, err);
    }
    *given = true;
    return BERTH_OK;
}

enum berth_code berth_probe_choose(const struct berth_probe_hooks *hooks, void *context,
                                   uint64_t now_ms, uint16_t *ports, unsigned count,
                                   struct berth_probe_counts *counts, struct berth_error *err)
{
    enum berth_code code = BERTH_OK;
    bool given = false;

    *counts = (struct berth_probe_counts){.last_port = 0};
    for (unsigned failures = 0; failures < BERTH_PROBE_FAILURES_MAX; failures++) {
        code = hooks->candidate(context, ports, count, err);
        if (code == BERTH_OK) {
            code = try_candidate(hooks, context, now_ms, ports, count, counts, &given, err);
        }
        if (code != BERTH_OK || given) {
            return code;
        }
    }
    return fail_busy(counts, err);
}
