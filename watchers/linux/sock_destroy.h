/* SPDX-License-Identifier: MIT */
/* The kernel's notices of TCP sockets that were destroyed (SKNLGRP_INET_TCP_DESTROY and its IPv6
 * sibling): of our own network namespace, for every user. The only word there is of the end of a
 * socket that was bound and never listened, and all that there is where tracing is not permitted.
 *
 * The kernel makes and copies one notice for each socket that ends anywhere in the namespace, which
 * is too much work for a machine that opens thousands a second: berth_destroy_pace says when to go.
 * Source: net/core/sock_diag.c, sock_diag_broadcast_destroy(); Linux 4.3 and later. */
#ifndef BERTH_WATCHERS_LINUX_SOCK_DESTROY_H
#define BERTH_WATCHERS_LINUX_SOCK_DESTROY_H

#include "watchers/tcp_events.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The kernel packs one notice, of about 400 bytes, into a datagram. */
#define BERTH_DESTROY_DATAGRAM_MAX 4096u

/** Decodes one datagram: at most `room` events, DISCONNECT for a socket that had a peer, GONE
 *  for one that had none; one without a port is passed over, as is what makes no sense.
 *  @return how many events  @thread any  @blocks no */
size_t berth_sock_destroy_decode(const void *bytes, size_t size, struct berth_tcp_event *out,
                                 size_t room);

/** Opens the notices.  @param[out] out  a descriptor that does not block, for close()
 *  @return BERTH_OK; BERTH_IO: the kernel refuses  @thread any */
enum berth_code berth_sock_destroy_open(int *out, struct berth_error *err);

/** Takes one notice off.
 *  @param[out] size  its length
 *  @return BERTH_OK; BERTH_BUSY: none waits; BERTH_UNSTABLE: some were lost, go on; BERTH_IO */
enum berth_code berth_sock_destroy_receive(int fd, void *buffer, size_t capacity, size_t *size,
                                           struct berth_error *err);

/** More notices than this in a second are too many; so many seconds later they are asked for again.
 */
#define BERTH_DESTROY_PER_SECOND_MAX 500u
#define BERTH_DESTROY_REST_NS 5000000000u

/** Counts notices. Zeroed: none yet. */
struct berth_destroy_pace {
    uint64_t second_ns; /* when the second that is counted began */
    uint32_t count;
    uint64_t rest_until_ns; /* 0: no rest */
};

/** Notes a notice.  @return false: that was one too many; a rest begins */
bool berth_destroy_pace_note(struct berth_destroy_pace *pace, uint64_t now_ns);

/** Tells whether there is a rest; once it is over, there is none any more. */
bool berth_destroy_pace_rests(struct berth_destroy_pace *pace, uint64_t now_ns);

#endif
