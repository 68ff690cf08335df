/* SPDX-License-Identifier: MIT */
#include "free_set.h"

#include <string.h>

static const char *const state_names[BERTH_PORT_STATE_COUNT] = {
    [BERTH_PORT_LEASED] = "leased",     [BERTH_PORT_IIS] = "iis",
    [BERTH_PORT_TCP] = "tcp",           [BERTH_PORT_HTTPSYS] = "httpsys",
    [BERTH_PORT_EXCLUDED] = "excluded", [BERTH_PORT_RESERVED] = "reserved",
    [BERTH_PORT_COOLING] = "cooling",   [BERTH_PORT_FREE] = "free",
};

const char *berth_port_state_name(enum berth_port_state state)
{
    return state_names[state];
}

void berth_free_set_init(struct berth_free_set *set)
{
    const struct berth_port_range all = {1, 65535};

    memset(set, 0, sizeof *set);
    memset(set->state, BERTH_PORT_FREE, sizeof set->state);
    berth_port_set_add_range(&set->ports[BERTH_PORT_FREE], all);
    set->plain = set->ports[BERTH_PORT_FREE];
}

static enum berth_port_state state_by_claim(const struct berth_claim *claim)
{
    static const uint8_t by_source[BERTH_SOURCE_COUNT] = {
        [BERTH_SOURCE_LEASE] = BERTH_PORT_LEASED,
        [BERTH_SOURCE_IIS] = BERTH_PORT_IIS,
        [BERTH_SOURCE_TCP] = BERTH_PORT_TCP,
        [BERTH_SOURCE_HTTPSYS] = BERTH_PORT_HTTPSYS,
        [BERTH_SOURCE_EXCLUDED] = BERTH_PORT_EXCLUDED,
        [BERTH_SOURCE_RESERVED] = BERTH_PORT_RESERVED,
    };

    if (claim->kind == BERTH_CLAIM_COOLING) {
        return BERTH_PORT_COOLING;
    }
    return (enum berth_port_state)by_source[berth_claim_source((enum berth_claim_kind)claim->kind)];
}

enum berth_port_state berth_port_state_of(const struct berth_ledger *ledger, uint16_t port)
{
    enum berth_port_state state = BERTH_PORT_FREE;
    struct berth_claims_at walk = berth_ledger_at(ledger, port);
    const struct berth_claim *claim;

    /* a feed's claims are sorted by kind, so its first one on the port decides for the feed */
    while ((claim = berth_claims_next_feed(&walk)) != NULL) {
        enum berth_port_state by_claim = state_by_claim(claim);
        state = by_claim < state ? by_claim : state;
    }
    return state;
}

static void set_plain(struct berth_free_set *set, uint16_t port)
{
    if (set->state[port] == BERTH_PORT_FREE && !berth_port_set_has(&set->ephemeral, port)) {
        (void)berth_port_set_add(&set->plain, port);
    } else {
        (void)berth_port_set_remove(&set->plain, port);
    }
}

static void set_state(struct berth_free_set *set, uint16_t port, enum berth_port_state state)
{
    if (set->state[port] != state) {
        (void)berth_port_set_remove(&set->ports[set->state[port]], port);
        (void)berth_port_set_add(&set->ports[state], port);
        set->state[port] = (uint8_t)state;
        set_plain(set, port);
    }
}

void berth_free_set_add(struct berth_free_set *set, const struct berth_claim *claim)
{
    enum berth_port_state state = state_by_claim(claim);

    if (state < set->state[claim->port]) {
        set_state(set, claim->port, state);
    }
}

void berth_free_set_update(struct berth_free_set *set, const struct berth_ledger *ledger,
                           uint16_t port)
{
    set_state(set, port, berth_port_state_of(ledger, port));
}

void berth_free_set_set_ephemeral(struct berth_free_set *set,
                                  const struct berth_port_set *ephemeral)
{
    set->ephemeral = *ephemeral;
    for (uint32_t port = 1; port <= 65535; port++) {
        set_plain(set, (uint16_t)port);
    }
}

enum berth_port_state berth_free_set_state(const struct berth_free_set *set, uint16_t port)
{
    return (enum berth_port_state)set->state[port];
}
