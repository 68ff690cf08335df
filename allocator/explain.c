/* SPDX-License-Identifier: MIT */
#include "explain.h"

#include <inttypes.h>

#define CLAIMS_NAMED 5

static void add_process(struct berth_text *out, const struct berth_claim *claim)
{
    if (claim->holder != NULL) {
        berth_text_printf(out, "%s", claim->holder);
    } else if (claim->process_id != BERTH_ID_NONE) {
        berth_text_puts(out, "process");
    } else if (claim->user_id != BERTH_ID_NONE) {
        berth_text_printf(out, "a process of uid %" PRIu32, claim->user_id);
    } else {
        berth_text_puts(out, "an unknown process");
    }
    if (claim->process_id != BERTH_ID_NONE) {
        berth_text_printf(out, " (pid %" PRIu32 ")", claim->process_id);
    }
}

static void explain_binding(struct berth_text *out, const struct berth_claim *claim)
{
    berth_text_printf(out, "site %s %s it as %s", claim->holder != NULL ? claim->holder : "?",
                      (claim->flags & BERTH_CLAIM_LINGERING) != 0 ? "until lately bound" : "binds",
                      claim->detail != NULL ? claim->detail : "?");
    if ((claim->flags & BERTH_CLAIM_STOPPED) != 0) {
        berth_text_puts(out, " (the site does not start by itself)");
    }
}

/* `before` and `after` stand around the address. */
static void explain_socket(struct berth_text *out, const struct berth_claim *claim,
                           const char *before, const char *after)
{
    char address[BERTH_ADDRESS_TEXT_MAX];

    add_process(out, claim);
    berth_text_printf(out, " %s %s%s", before,
                      berth_address_format(address, sizeof address, &claim->address), after);
}

static void explain_connections(struct berth_text *out, const struct berth_claim *claim,
                                const char *state)
{
    berth_text_printf(out, "it is the local port of %" PRIu32 " %s connection%s", claim->count,
                      state, claim->count == 1 ? "" : "s");
}

static void explain_reason(struct berth_text *out, const struct berth_claim *claim,
                           const char *what)
{
    berth_text_puts(out, what);
    if (claim->holder != NULL) {
        berth_text_printf(out, " (%s)", claim->holder);
    }
}

void berth_explain_claim(struct berth_text *out, const struct berth_claim *claim)
{
    switch ((enum berth_claim_kind)claim->kind) {
    case BERTH_CLAIM_LEASE:
        berth_text_printf(out, "it is leased to the key %s (lease %s)", claim->holder,
                          claim->detail);
        break;
    case BERTH_CLAIM_COOLING:
        berth_text_printf(out, "the lease of the key %s has ended lately, and the port cools down",
                          claim->holder);
        break;
    case BERTH_CLAIM_BINDING:
        explain_binding(out, claim);
        break;
    case BERTH_CLAIM_FTP_DATA:
        berth_text_puts(out, "it lies in the FTP data channel's port range");
        break;
    case BERTH_CLAIM_LISTENER:
        explain_socket(out, claim, "listens on", "");
        break;
    case BERTH_CLAIM_BOUND:
        explain_socket(out, claim, "has it bound at", " and does not listen");
        break;
    case BERTH_CLAIM_CONNECTION:
        explain_connections(out, claim, "open");
        break;
    case BERTH_CLAIM_TIME_WAIT:
        explain_connections(out, claim, "just closed");
        break;
    case BERTH_CLAIM_URL:
        explain_reason(out, claim, "it is reserved in http.sys");
        break;
    case BERTH_CLAIM_EXCLUSION:
        explain_reason(out, claim, "it lies in an excluded port range of Windows");
        break;
    case BERTH_CLAIM_RESERVATION:
        explain_reason(out, claim, "it is reserved in Berth's configuration");
        break;
    case BERTH_CLAIM_KIND_COUNT:
        break;
    }
}

static void explain_unclaimed(struct berth_text *out, const struct berth_allocator *allocator,
                              uint16_t port)
{
    const struct berth_pool *pool = berth_policy_pool_of(&allocator->policy, port);

    if (pool == NULL) {
        berth_text_printf(out, "Nothing claims port %u, but it lies in no pool.", port);
        return;
    }
    berth_text_printf(out, "Port %u is free, in pool %s", port, pool->name);
    if (berth_port_set_has(&allocator->free_set.ephemeral, port)) {
        berth_text_puts(out, pool->ephemeral_never
                                 ? "; not given, as it lies in the ephemeral range"
                                 : "; given last, as it lies in the ephemeral range");
    }
    berth_text_putc(out, '.');
}

void berth_explain_port(struct berth_text *out, const struct berth_allocator *allocator,
                        uint16_t port)
{
    struct berth_claims_at walk = berth_ledger_at(allocator->ledger, port);
    const struct berth_claim *claim = berth_claims_next(&walk);
    unsigned claims = 0;

    if (claim == NULL) {
        explain_unclaimed(out, allocator, port);
        return;
    }
    berth_text_printf(out, "Port %u is not free: ", port);
    for (; claim != NULL; claim = berth_claims_next(&walk)) {
        if (claims < CLAIMS_NAMED) {
            berth_text_puts(out, claims > 0 ? "; " : "");
            berth_explain_claim(out, claim);
        }
        claims++;
    }
    if (claims > CLAIMS_NAMED) {
        berth_text_printf(out, "; and %u more", claims - CLAIMS_NAMED);
    }
    berth_text_putc(out, '.');
}

const char *berth_explain_state(const struct berth_allocator *allocator, uint16_t port)
{
    switch (berth_free_set_state(&allocator->free_set, port)) {
    case BERTH_PORT_LEASED:
        return "leased";
    case BERTH_PORT_IIS:
    case BERTH_PORT_TCP:
    case BERTH_PORT_HTTPSYS:
        return "used";
    case BERTH_PORT_EXCLUDED:
        return "excluded";
    case BERTH_PORT_RESERVED:
        return "reserved";
    case BERTH_PORT_COOLING:
        return "cooling";
    case BERTH_PORT_FREE:
    case BERTH_PORT_STATE_COUNT:
        break;
    }
    return berth_policy_pool_of(&allocator->policy, port) != NULL ? "free" : "outside";
}
