/* SPDX-License-Identifier: MIT */
#include "peer.h"

size_t berth_peer_size(const struct berth_peer *peer)
{
    return offsetof(struct berth_peer, groups) + peer->group_count * sizeof *peer->groups;
}

bool berth_peer_in_group(const struct berth_peer *peer, const char *group)
{
    struct berth_account_id account;

    if (!berth_account_read(group, &account)) {
        return false;
    }
    for (uint32_t i = 0; i < peer->group_count; i++) {
        if (berth_account_same(&peer->groups[i], &account)) {
            return true;
        }
    }
    return false;
}
