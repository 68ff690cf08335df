/* SPDX-License-Identifier: MIT */
/* Who is at the other end of a connection, as the operating system vouches for it. */
#ifndef BERTH_DAEMON_PEER_H
#define BERTH_DAEMON_PEER_H

#include "base/error.h"

#include <stdint.h>
#include <uv.h>

#define BERTH_PEER_GROUPS_MAX 256

/** A peer. Its groups stand last, so that a holder may cut the struct off behind them. On Windows
 * `user` and `groups` are empty and SIDs take their place (windows/peer.c). */
struct berth_peer {
    char id[80];         /* "uid:1000", a SID: compared, never shown to strangers */
    char name[64];       /* "alice", cut off if longer, or the id where there is no name */
    uint32_t process_id; /* of who opened the connection; for logs only, as ids are used again */
    uint32_t user;
    uint32_t group_count;
    uint32_t groups[BERTH_PEER_GROUPS_MAX]; /* the primary one and the others; more are cut off */
};

/** Finds out who is connected.
 *  @param[out] out  set only on BERTH_OK
 *  @return BERTH_OK; BERTH_IO: the system does not say  @thread loop  @blocks no, but for the first
 *          look-up of a user's name
 *  @source unix(7), SO_PEERCRED and SO_PEERGROUPS */
enum berth_code berth_peer_of(const uv_pipe_t *pipe, struct berth_peer *out,
                              struct berth_error *err);

#endif
