/* SPDX-License-Identifier: MIT */
/* Pools that overlap the operating system's ephemeral range. That works, but any outgoing
 * connection may take their ports. */
#ifndef BERTH_DAEMON_POOL_OVERLAP_H
#define BERTH_DAEMON_POOL_OVERLAP_H

#include "allocator/host_facts.h"
#include "allocator/policy.h"

#define BERTH_POOL_OVERLAP_SIZE 320

/** Says that a pool overlaps the ephemeral range, and what helps: a sentence without the final
 * stop.
 *  @return false: it does not, or keeps out of it  @thread any */
bool berth_pool_overlap(char out[BERTH_POOL_OVERLAP_SIZE], const struct berth_pool *pool,
                        const struct berth_host_facts *facts);

#endif
