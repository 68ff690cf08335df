/* SPDX-License-Identifier: MIT */
#include "pool_overlap.h"

#include <stdio.h>

bool berth_pool_overlap(char out[BERTH_POOL_OVERLAP_SIZE], const struct berth_pool *pool,
                        const struct berth_host_facts *facts)
{
    uint32_t inside = berth_port_set_count(&facts->ephemeral, pool->range);

    if (inside == 0 || pool->ephemeral_never) {
        return false;
    }
    (void)snprintf(out, BERTH_POOL_OVERLAP_SIZE,
                   "%u of the %d ports of pool %.80s (%u-%u) lie in the ephemeral range %u-%u: "
                   "outgoing connections may take them; move the pool, set "
                   "ephemeral=\"never\", or reserve its ports in the operating system",
                   inside, pool->range.last - pool->range.first + 1, pool->name, pool->range.first,
                   pool->range.last, facts->ephemeral_range.first, facts->ephemeral_range.last);
    return true;
}
