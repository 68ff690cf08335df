/* SPDX-License-Identifier: MIT */
/* A lease's life as a table: which state follows which, and what that is called. */
#ifndef BERTH_ALLOCATOR_LEASE_STATE_H
#define BERTH_ALLOCATOR_LEASE_STATE_H

#include <stdbool.h>

/** Ordered: up to LINGERING a lease is live and its ports are claimed for it. */
enum berth_lease_state {
    BERTH_LEASE_PENDING,   /* promised, its holder not seen yet; ends when its ttl has passed */
    BERTH_LEASE_ACTIVE,    /* its holder is on the port; does not end by itself */
    BERTH_LEASE_LINGERING, /* its holder vanished; ends when linger and ttl have passed */
    BERTH_LEASE_EXPIRED,   /* its time passed; remembered, so that its key gets the port again */
    BERTH_LEASE_RELEASED,  /* given back; remembered likewise */
    BERTH_LEASE_STATE_COUNT
};

/** What can happen to a lease. */
enum berth_lease_happening {
    BERTH_LEASE_HOLDER_SEEN,
    BERTH_LEASE_HOLDER_GONE,
    BERTH_LEASE_TIME_UP,
    BERTH_LEASE_GIVEN_BACK,
    BERTH_LEASE_HAPPENING_COUNT
};

/** Gives "pending", "active" …  @return a string constant  @thread any */
const char *berth_lease_state_name(enum berth_lease_state state);

/** Tells whether a lease in this state holds its ports. */
bool berth_lease_state_is_live(enum berth_lease_state state);

/** Finds what a happening makes of a state.
 *  @param[out] next  the state that follows; set only on true
 *  @return false: nothing, the happening means nothing to this state */
bool berth_lease_state_after(enum berth_lease_state state, enum berth_lease_happening happening,
                             enum berth_lease_state *next);

#endif
