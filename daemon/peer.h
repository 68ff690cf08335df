/* SPDX-License-Identifier: MIT */
/* Who is at the other end of a connection, as the operating system vouches for it. */
#ifndef BERTH_DAEMON_PEER_H
#define BERTH_DAEMON_PEER_H

#include "accounts.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define BERTH_PEER_GROUPS_MAX 256

/** A peer. Its groups stand last, so that a holder may cut the struct off behind them. */
struct berth_peer {
    char id[BERTH_ACCOUNT_TEXT_SIZE];      /* the user's text: compared, never shown to strangers */
    char name[BERTH_ACCOUNT_NAME_SIZE];    /* "alice", or what berth_account_nameless() says. Set by
                                              who admits */
    char through[BERTH_ACCOUNT_TEXT_SIZE]; /* text of the group whose access rule admitted it;
                                              "": none did. Set by who admits */
    uint32_t process_id; /* of who opened the connection; for logs only, as ids are used again */
    struct berth_account_id user;
    uint32_t group_count;
    struct berth_account_id
        groups[BERTH_PEER_GROUPS_MAX]; /* the primary one and the others; more are cut off */
};

/** Gives how many bytes of a peer are in use: up to its last group. */
size_t berth_peer_size(const struct berth_peer *peer);

/** Tells whether a peer is in a group, which is given by its text (berth_account_text()).
 *  @thread any  @blocks no */
bool berth_peer_in_group(const struct berth_peer *peer, const char *group);

/** Finds out who is connected.
 *  @param[out] out  set only on BERTH_OK; its `name` and `through` are empty
 *  @return BERTH_OK; BERTH_NOT_READY: it shows with the first bytes that the client sends, ask
 *          again when some were read (Windows; after that it is no answer any more);
 *          BERTH_DENIED: the client does not let itself be identified; BERTH_IO: the system does
 *          not say; BERTH_NO_MEMORY
 *  @thread loop  @blocks no
 *  @source unix(7), SO_PEERCRED and SO_PEERGROUPS; ImpersonateNamedPipeClient: the context is that
 *          of the last message read */
enum berth_code berth_peer_of(const uv_pipe_t *pipe, struct berth_peer *out,
                              struct berth_error *err);

#endif
