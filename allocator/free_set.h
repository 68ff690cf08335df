/* SPDX-License-Identifier: MIT */
/* Every port's state as the ledger's claims make it, kept so that "the next free one" and "how many
 * of each kind" are answered without looking at claims. Derived: it decides nothing. */
#ifndef BERTH_ALLOCATOR_FREE_SET_H
#define BERTH_ALLOCATOR_FREE_SET_H

#include "ledger.h"
#include "port_set.h"

/** A port's state: the first of these that applies. */
enum berth_port_state {
    BERTH_PORT_LEASED,
    BERTH_PORT_IIS,
    BERTH_PORT_TCP,
    BERTH_PORT_HTTPSYS,
    BERTH_PORT_EXCLUDED,
    BERTH_PORT_RESERVED,
    BERTH_PORT_COOLING,
    BERTH_PORT_FREE, /* no claim */
    BERTH_PORT_STATE_COUNT
};

/** Gives the name that counts carry: "leased", "iis", "tcp" … "free".  @return a string constant */
const char *berth_port_state_name(enum berth_port_state state);

/** About 140 KiB. */
struct berth_free_set {
    uint8_t state[65536]; /* enum berth_port_state */
    struct berth_port_set ports[BERTH_PORT_STATE_COUNT];
    struct berth_port_set ephemeral; /* what the OS may give to outgoing connections */
    struct berth_port_set plain;     /* free and not ephemeral: given first */
};

/** Makes a set in which every port from 1 is free and none ephemeral. */
void berth_free_set_init(struct berth_free_set *set);

/** Takes account of a claim that appeared: less work than looking at all that the port has. */
void berth_free_set_add(struct berth_free_set *set, const struct berth_claim *claim);

/** Looks at a port's claims again. To be called after a claim on it vanished. */
void berth_free_set_update(struct berth_free_set *set, const struct berth_ledger *ledger,
                           uint16_t port);

/** Says anew which ports are ephemeral. */
void berth_free_set_set_ephemeral(struct berth_free_set *set,
                                  const struct berth_port_set *ephemeral);

/** Gives a port's state. */
enum berth_port_state berth_free_set_state(const struct berth_free_set *set, uint16_t port);

/** Works out a port's state from its claims. */
enum berth_port_state berth_port_state_of(const struct berth_ledger *ledger, uint16_t port);

#endif
