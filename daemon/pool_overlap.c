/* SPDX-License-Identifier: MIT */
#include "pool_overlap.h"

#include <stdio.h>

bool berth_pool_overlap(char out[BERTH_POOL_OVERLAP_SIZE], const struct berth_pool *pool,
                        const struct berth_host_facts *facts, const char **how)
{
    uint32_t inside = berth_port_set_count(&facts->ephemeral, pool->range);

    if (inside == 0 || pool->ephemeral_never) {
        return false;
    }
    int length = snprintf(out, BERTH_POOL_OVERLAP_SIZE,
                          "pool %.80s overlaps the ephemeral range: ", pool->name);
    (void)snprintf(out + length, BERTH_POOL_OVERLAP_SIZE - (size_t)length,
                   "%u of its %d ports (%u-%u) lie in %u-%u, and outgoing connections may take "
                   "them: move the pool, set ephemeral=\"never\", or have the operating system "
                   "reserve its ports",
                   inside, pool->range.last - pool->range.first + 1, pool->range.first,
                   pool->range.last, facts->ephemeral_range.first, facts->ephemeral_range.last);
    if (how != NULL) {
        *how = out + length;
    }
    return true;
}
