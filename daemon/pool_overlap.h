/* SPDX-License-Identifier: MIT */
/* Pools that overlap the operating system's ephemeral range. That works, but any outgoing
 * connection may take their ports. */
#ifndef BERTH_DAEMON_POOL_OVERLAP_H
#define BERTH_DAEMON_POOL_OVERLAP_H

#include "allocator/host_facts.h"
#include "allocator/policy.h"

#define BERTH_POOL_OVERLAP_SIZE 400

/** Says that a pool overlaps the ephemeral range, by how much, and what helps: a sentence without
 * the final stop.
 *  @param[out] how  its part behind "pool NAME overlaps the ephemeral range: "; NULL: not wanted
 *  @return false: it does not, or keeps out of it; nothing is set then  @thread any */
bool berth_pool_overlap(char out[BERTH_POOL_OVERLAP_SIZE], const struct berth_pool *pool,
                        const struct berth_host_facts *facts, const char **how);

#endif
