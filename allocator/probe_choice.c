/* SPDX-License-Identifier: MIT */
/* Ports chosen and tried: what no table shows is met here, filed, and passed by. */
#include "allocator_private.h"

#include <string.h>

#define OWN_AVOIDED_MAX (BERTH_AVOIDED_PORTS_MAX - BERTH_PROBE_FAILURES_MAX)

struct search {
    struct berth_allocator *allocator;
    const struct berth_allocate_request *request;
    const struct berth_lease *before;
    struct berth_refusal *refusal;
    struct berth_wish wish; /* the request's, with what was passed over */
    uint16_t avoid[BERTH_AVOIDED_PORTS_MAX];
    uint64_t now_ms;
    bool passed_any;
};

static enum berth_code candidate(void *context, uint16_t *ports, unsigned count,
                                 struct berth_error *err)
{
    struct search *search = context;
    enum berth_code code = berth__allocator_choose(search->allocator, &search->wish,
                                                   search->request->key, search->request->holder,
                                                   search->before, ports, search->refusal, err);

    (void)count;
    /* a pool of which nothing is left to look at */
    if (code == BERTH_OUT_OF_RANGE && search->passed_any) {
        return berth_fail(err, BERTH_BUSY, 0,
                          "the ports that look free could not be bound just now; try again");
    }
    return code;
}

/* A port that its holder, or the holder's past, is on is not tried: it would be refused. */
static bool is_to_be_tried(const struct berth_allocator *allocator, uint16_t port)
{
    enum berth_port_state state = berth_free_set_state(&allocator->free_set, port);

    return state == BERTH_PORT_FREE || state == BERTH_PORT_COOLING;
}

static enum berth_probe_answer probe(void *context, uint16_t port, int *os_code)
{
    const struct search *search = context;
    const struct berth_allocator_options *options = &search->allocator->options;

    *os_code = 0;
    if (!is_to_be_tried(search->allocator, port)) {
        return BERTH_PROBE_FREE;
    }
    enum berth_probe_answer answer = options->probe(options->ctx, port, os_code);
    /* the one that was asked for cannot be exchanged for another: only a clear no is one */
    if (search->wish.port != 0 && berth_probe_judge(answer) == BERTH_PROBE_PASS_OVER) {
        return BERTH_PROBE_FREE;
    }
    return answer;
}

/* Puts the claim into a feed that shows it no more at once: so it stays for as long as the feed's
 * claims linger, takes part in no conflict, and ends by itself. */
static enum berth_code file(void *context, const struct berth_claim *claim, struct berth_error *err)
{
    struct search *search = context;
    struct berth_allocator *allocator = search->allocator;
    struct berth_claim filed = *claim;
    unsigned feed = claim->kind == BERTH_CLAIM_EXCLUSION ? allocator->probe_excluded_feed
                                                         : allocator->probe_tcp_feed;

    filed.until_ms = 0;
    enum berth_code code = berth_ledger_put(allocator->ledger, feed, &filed, err);
    if (code == BERTH_OK) {
        code = berth_ledger_apply(allocator->ledger, feed, NULL, 0, search->now_ms, err);
    }
    return code;
}

static void pass_over(void *context, uint16_t port)
{
    struct search *search = context;

    search->avoid[search->wish.avoid_count++] = port;
    search->passed_any = true;
}

enum berth_code berth__allocator_choose_tried(struct berth_allocator *allocator,
                                              const struct berth_allocate_request *request,
                                              const struct berth_lease *before,
                                              struct berth_now now, uint16_t *ports,
                                              struct berth_refusal *refusal,
                                              struct berth_error *err)
{
    static const struct berth_probe_hooks hooks = {candidate, probe, file, pass_over};
    struct search search = {.allocator = allocator,
                            .request = request,
                            .before = before,
                            .refusal = refusal,
                            .wish = request->wish,
                            .now_ms = now.ms};
    struct berth_probe_counts counts;

    if (allocator->options.probe == NULL) {
        return berth__allocator_choose(allocator, &request->wish, request->key, request->holder,
                                       before, ports, refusal, err);
    }
    if (search.wish.avoid_count > OWN_AVOIDED_MAX) {
        search.wish.avoid_count = OWN_AVOIDED_MAX;
    }
    if (search.wish.avoid_count > 0) {
        memcpy(search.avoid, search.wish.avoid, search.wish.avoid_count * sizeof *search.avoid);
    }
    search.wish.avoid = search.avoid;
    return berth_probe_choose(&hooks, &search, now.ms, ports, request->wish.count, &counts, err);
}
