/* SPDX-License-Identifier: MIT */
/* Which process has a socket: from inode to process id and image, by way of /proc/PID/fd.
 *
 * Looking through /proc costs milliseconds, so what was found is kept until the socket is gone, and
 * only inodes that are not known yet make it look. One that cannot be found (another user's
 * process, another PID namespace) is looked for again after 1, 2, 4 … 60 updates. One update looks
 * at a bounded number of descriptors and the next goes on from there.
 *
 * Where several processes have a socket (a server that forked its workers, systemd that passed it
 * on), it is given to the lowest process id. A process of which the caller may not see the
 * descriptors does not count. What was found is checked again, a few sockets in each update: a
 * parent may have left a socket to its child, and a process may have become another program.
 * Source: proc(5). */
#ifndef BERTH_WATCHERS_LINUX_SOCKET_OWNER_H
#define BERTH_WATCHERS_LINUX_SOCKET_OWNER_H

#include "allocator/claim.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Who has a socket. */
struct berth_socket_holder {
    uint32_t process_id; /* BERTH_ID_NONE: not known */
    const char *image;   /* the file name of /proc/PID/exe, or else of /proc/PID/comm; or NULL */
    bool own;            /* the calling process has it; then the rest is not looked for */
};

struct berth_socket_owner_options {
    const char *proc;       /* the folder; NULL: "/proc" */
    size_t links_per_scan;  /* descriptors to look at in one update; 0: 16,384 */
    unsigned rest;          /* a pass that took t is followed by a pause of rest × t */
    size_t checks_per_scan; /* known sockets to check again in one update */
};

struct berth_socket_owners;

/** Makes an empty cache.
 *  @param[in] options  NULL: /proc, 16,384 links, a pause of 20 times the pass, 8 checks
 *  @return BERTH_OK, BERTH_NO_MEMORY  @thread any  @blocks no */
enum berth_code berth_socket_owners_open(struct berth_socket_owners **out,
                                         const struct berth_socket_owner_options *options,
                                         struct berth_error *err);

/** Gives the cache back. NULL is accepted. */
void berth_socket_owners_close(struct berth_socket_owners *owners);

/** Makes the cache hold these sockets and no others, and looks for the unknown ones.
 *  @param[in,out] inodes  n of them in any order, repeated or 0 as may be; left sorted
 *  @param[in]     quick   to look into suggested processes only
 *  @return BERTH_OK, whether or not each could be found; BERTH_NO_MEMORY: the cache is good still,
 *          and may lack some
 *  @thread one at a time  @blocks some ms when there are unknown ones */
enum berth_code berth_socket_owners_update(struct berth_socket_owners *owners, uint32_t *inodes,
                                           size_t n, bool quick, struct berth_error *err);

/** Suggests a process that has probably just made a socket: the next update looks there first, at
 *  its first BERTH_SOCKET_OWNER_SUGGESTED_LINKS descriptors. A suggestion that finds no room is
 *  forgotten, and the usual pass finds the socket. */
void berth_socket_owners_suggest(struct berth_socket_owners *owners, uint32_t process_id);

#define BERTH_SOCKET_OWNER_SUGGESTIONS_MAX 16u
#define BERTH_SOCKET_OWNER_SUGGESTED_LINKS 512u

/** Gives what is known of a socket.
 *  @return valid until the next update or close; NULL: not among those of the last update */
const struct berth_socket_holder *berth_socket_owners_find(const struct berth_socket_owners *owners,
                                                           uint32_t inode);

/** Lists the inodes of the calling process's own sockets, sorted.
 *  @param[out] out  valid until the next call of this or of update, or close; set on BERTH_OK
 *  @return BERTH_OK; BERTH_NO_MEMORY; BERTH_IO: its own descriptors cannot be listed  @blocks
 *          about 1 µs a descriptor */
enum berth_code berth_socket_owners_list_own(struct berth_socket_owners *owners,
                                             const uint32_t **out, size_t *n,
                                             struct berth_error *err);

/** Tells whether a sorted array has a number. */
bool berth_inodes_have(const uint32_t *sorted, size_t n, uint32_t inode);

#endif
