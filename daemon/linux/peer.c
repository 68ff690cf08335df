/* SPDX-License-Identifier: MIT */
#include "daemon/peer.h"

#include "daemon/posix/accounts_posix.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#ifndef SO_PEERGROUPS
#define SO_PEERGROUPS 59 /* Linux 4.13; asm-generic/socket.h */
#endif

/* The primary group stands first; a kernel that does not tell the others leaves it at that. */
static void read_groups(int socket, gid_t primary, struct berth_peer *out)
{
    gid_t groups[BERTH_PEER_GROUPS_MAX];
    socklen_t size = sizeof groups;

    out->groups[0] = berth_posix_group(primary);
    out->group_count = 1;
    if (getsockopt(socket, SOL_SOCKET, SO_PEERGROUPS, groups, &size) != 0) {
        return;
    }
    for (size_t i = 0; i < size / sizeof *groups; i++) {
        if (out->group_count < BERTH_PEER_GROUPS_MAX) {
            out->groups[out->group_count++] = berth_posix_group(groups[i]);
        }
    }
}

enum berth_code berth_peer_of(const uv_pipe_t *pipe, struct berth_peer *out,
                              struct berth_error *err)
{
    struct ucred credentials;
    socklen_t size = sizeof credentials;
    uv_os_fd_t socket;
    int status = uv_fileno((const uv_handle_t *)pipe, &socket);

    if (status != 0) {
        return berth_fail(err, BERTH_IO, status, "no socket: %s", uv_strerror(status));
    }
    if (getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &credentials, &size) != 0) {
        return berth_fail(err, BERTH_IO, errno, "the peer's credentials: %s", strerror(errno));
    }
    out->process_id = (uint32_t)credentials.pid;
    out->user = berth_posix_user(credentials.uid);
    out->through[0] = '\0';
    out->name[0] = '\0';
    (void)berth_account_text(&out->user, out->id);
    read_groups(socket, credentials.gid, out);
    return BERTH_OK;
}
