/* SPDX-License-Identifier: MIT */
#include "lease_state.h"

#include "base/compiler.h"

#include <stddef.h>

static const char *const state_names[BERTH_LEASE_STATE_COUNT] = {
    [BERTH_LEASE_PENDING] = "pending",     [BERTH_LEASE_ACTIVE] = "active",
    [BERTH_LEASE_LINGERING] = "lingering", [BERTH_LEASE_EXPIRED] = "expired",
    [BERTH_LEASE_RELEASED] = "released",
};

struct transition {
    enum berth_lease_state from;
    enum berth_lease_happening happening;
    enum berth_lease_state to;
};

/* Everything that can become of a lease. What is not here does not happen. */
static const struct transition transitions[] = {
    {BERTH_LEASE_PENDING, BERTH_LEASE_HOLDER_SEEN, BERTH_LEASE_ACTIVE},
    {BERTH_LEASE_PENDING, BERTH_LEASE_TIME_UP, BERTH_LEASE_EXPIRED},
    {BERTH_LEASE_PENDING, BERTH_LEASE_GIVEN_BACK, BERTH_LEASE_RELEASED},
    {BERTH_LEASE_ACTIVE, BERTH_LEASE_HOLDER_GONE, BERTH_LEASE_LINGERING},
    {BERTH_LEASE_ACTIVE, BERTH_LEASE_GIVEN_BACK, BERTH_LEASE_RELEASED},
    {BERTH_LEASE_LINGERING, BERTH_LEASE_HOLDER_SEEN, BERTH_LEASE_ACTIVE},
    {BERTH_LEASE_LINGERING, BERTH_LEASE_TIME_UP, BERTH_LEASE_EXPIRED},
    {BERTH_LEASE_LINGERING, BERTH_LEASE_GIVEN_BACK, BERTH_LEASE_RELEASED},
    {BERTH_LEASE_EXPIRED, BERTH_LEASE_HOLDER_SEEN, BERTH_LEASE_ACTIVE},
};

const char *berth_lease_state_name(enum berth_lease_state state)
{
    return state_names[state];
}

bool berth_lease_state_is_live(enum berth_lease_state state)
{
    return state <= BERTH_LEASE_LINGERING;
}

bool berth_lease_state_after(enum berth_lease_state state, enum berth_lease_happening happening,
                             enum berth_lease_state *next)
{
    for (size_t i = 0; i < BERTH_COUNT(transitions); i++) {
        if (transitions[i].from == state && transitions[i].happening == happening) {
            *next = transitions[i].to;
            return true;
        }
    }
    return false;
}
