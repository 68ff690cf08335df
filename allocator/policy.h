/* SPDX-License-Identifier: MIT */
/* Which ports may be given, and in which order: pools, lowest first, the ephemeral range last. */
#ifndef BERTH_ALLOCATOR_POLICY_H
#define BERTH_ALLOCATOR_POLICY_H

#include "base/error.h"
#include "free_set.h"

#define BERTH_POOLS_MAX 64
#define BERTH_PORTS_PER_LEASE_MAX 64
#define BERTH_AVOIDED_PORTS_MAX 48

/** A range of ports that Berth gives from. Pools do not overlap. */
struct berth_pool {
    const char *name;
    struct berth_port_range range;
    bool ephemeral_never; /* true: none inside the OS's ephemeral range; false: those last */
};

/** The pools, copied by berth_policy_set_pools(). */
struct berth_policy {
    struct berth_pool pools[BERTH_POOLS_MAX];
    size_t pool_count;
};

/** Where to look and for what. A zeroed struct with count 1 asks for one port of the default pool.
 */
struct berth_wish {
    const char *pool; /* NULL: any pool that `range` or `port` touches, else "default" */
    struct berth_port_range range; /* {0, 0}: the whole pool */
    uint16_t port;                 /* exactly this one; 0: any. Then count must be 1 */
    uint16_t prefer;               /* tried first; 0: none. Looked at with count 1 only */
    unsigned count;                /* 1 to BERTH_PORTS_PER_LEASE_MAX */
    bool contiguous;               /* neighbours only */
    const uint16_t *avoid;         /* ports not to be given, free or not */
    unsigned avoid_count;          /* 0 to BERTH_AVOIDED_PORTS_MAX */
};

/** A part of a pool in which to look. */
struct berth_window {
    struct berth_port_range range;
    bool ephemeral_never;
};

struct berth_windows {
    struct berth_window at[BERTH_POOLS_MAX + BERTH_AVOIDED_PORTS_MAX];
    size_t count;
};

/** Empties a policy that has pools; a zeroed one is empty. */
void berth_policy_fini(struct berth_policy *policy);

/** Replaces the pools; names are copied.
 *  @param[in] pools  1 to BERTH_POOLS_MAX, checked by the caller not to overlap
 *  @return BERTH_OK; BERTH_NO_MEMORY, BERTH_LIMIT_REACHED: the old pools stay */
enum berth_code berth_policy_set_pools(struct berth_policy *policy, const struct berth_pool *pools,
                                       size_t count, struct berth_error *err);

/** Finds a pool by name; NULL name: the default one ("default", or the first).  @return NULL: none
 */
const struct berth_pool *berth_policy_pool(const struct berth_policy *policy, const char *name);

/** Finds the pool in which a port lies.  @return NULL: in none */
const struct berth_pool *berth_policy_pool_of(const struct berth_policy *policy, uint16_t port);

/** Finds the pool in which all windows lie.  @return NULL: there are several */
const struct berth_pool *berth_policy_pool_of_all(const struct berth_policy *policy,
                                                  const struct berth_windows *windows);

/** Works out where a wish may look: its pool, cut to its range, or all that its range touches; in
 *  each case around the ports to avoid.
 *  @return BERTH_OK: at least one window; BERTH_NOT_FOUND: no such pool; BERTH_OUT_OF_RANGE: range
 * or port lies in no pool; BERTH_INVALID_PARAMS: parts of the wish contradict each other */
enum berth_code berth_policy_windows(const struct berth_policy *policy,
                                     const struct berth_wish *wish, struct berth_windows *out,
                                     struct berth_error *err);

/** Chooses free ports: outside the ephemeral range first, lowest first; takes nothing.
 *  `wish->port` and `wish->prefer` are the caller's to look at (they may be free for one key only).
 *  @param[out] ports  ascending; set only on success; room for wish->count
 *  @return false: there are not as many free ones in the windows */
bool berth_policy_choose(const struct berth_free_set *set, const struct berth_windows *windows,
                         unsigned count, bool contiguous, uint16_t *ports);

/** Counts the ports of a pool that can be given: free, and outside what it keeps out of. */
uint32_t berth_policy_pool_free(const struct berth_free_set *set, const struct berth_pool *pool);

/** Tells whether a window allows a port. */
bool berth_policy_allows(const struct berth_free_set *set, const struct berth_windows *windows,
                         uint16_t port);

#endif
