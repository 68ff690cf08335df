/* SPDX-License-Identifier: MIT */
/* Reads the kernel's TCP sockets over netlink sock_diag.
 *
 * The decoder is a pure function over the bytes of one datagram; the dialogue (request, retries,
 * both families) stands apart from it and reaches the kernel through a channel that tests replace.
 * Source: sock_diag(7), netlink(7), linux/inet_diag.h, net/ipv4/inet_diag.c. */
#ifndef BERTH_WATCHERS_LINUX_SOCK_DIAG_H
#define BERTH_WATCHERS_LINUX_SOCK_DIAG_H

#include "allocator/address.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The states of the kernel (net/tcp_states.h), of which libc's header has only the first 11. */
enum berth_sock_diag_state {
    BERTH_SOCK_ESTABLISHED = 1,
    BERTH_SOCK_SYN_SENT,
    BERTH_SOCK_SYN_RECV,
    BERTH_SOCK_FIN_WAIT1,
    BERTH_SOCK_FIN_WAIT2,
    BERTH_SOCK_TIME_WAIT,
    BERTH_SOCK_CLOSE, /* what the kernel writes for a bound socket */
    BERTH_SOCK_CLOSE_WAIT,
    BERTH_SOCK_LAST_ACK,
    BERTH_SOCK_LISTEN,
    BERTH_SOCK_CLOSING,
    BERTH_SOCK_NEW_SYN_RECV,  /* what a half-open connection is asked for by */
    BERTH_SOCK_BOUND_INACTIVE /* what a bound socket is asked for by: since Linux 6.8 */
};

/* Sets of states to ask for. */
#define BERTH_SOCK_DIAG_LISTENERS (1u << BERTH_SOCK_LISTEN)
#define BERTH_SOCK_DIAG_BOUND (1u << BERTH_SOCK_BOUND_INACTIVE)
#define BERTH_SOCK_DIAG_CONNECTIONS                                                                \
    (((1u << BERTH_SOCK_BOUND_INACTIVE) - 2u) & ~(1u << BERTH_SOCK_LISTEN | 1u << BERTH_SOCK_CLOSE))

/** One socket, as the kernel describes it. */
struct berth_sock_diag_socket {
    uint8_t state; /* enum berth_sock_diag_state */
    bool v6_only;
    uint16_t port;  /* local; host order; never 0 */
    uint32_t inode; /* 0: no process has it any more */
    uint32_t user_id;
    struct berth_address address; /* local; ::ffff:a.b.c.d is given as the IPv4 address */
};

/** Takes one socket. An error ends the read at once and is passed on. */
typedef enum berth_code (*berth_sock_diag_row)(void *context,
                                               const struct berth_sock_diag_socket *socket,
                                               struct berth_error *err);

/** Which dialogue a datagram must belong to: messages of another one are passed over. */
struct berth_sock_diag_dialogue {
    uint32_t sequence;
    uint32_t port_id; /* our own netlink address */
};

/** Decodes one datagram of a dump and gives each socket with a port in it to `row`.
 *  @param[out] done  whether the dump's end was in it; set only on BERTH_OK
 *  @return BERTH_OK; BERTH_UNSTABLE: the kernel says that the dump was disturbed; BERTH_IO: it
 *          refused (os_code: errno); BERTH_MALFORMED: not such a message; what `row` returned.
 *          After an error `row` may have been called already.
 *  @thread any  @blocks no */
enum berth_code berth_sock_diag_decode(const struct berth_sock_diag_dialogue *dialogue,
                                       const void *bytes, size_t size, berth_sock_diag_row row,
                                       void *context, bool *done, struct berth_error *err);

/** How datagrams travel. After an error of send or receive, close is called, and open again. */
struct berth_sock_diag_channel {
    enum berth_code (*open)(void *context, uint32_t *port_id, struct berth_error *err);
    enum berth_code (*send)(void *context, const void *bytes, size_t size, struct berth_error *err);
    /** Waits for one datagram, a bounded time. One that does not fit is BERTH_UNSTABLE. */
    enum berth_code (*receive)(void *context, void *buffer, size_t capacity, size_t *size,
                               struct berth_error *err);
    void (*close)(void *context);
    void *context;
};

/** The kernel writes datagrams of up to 32 KiB (netlink_dump() in net/netlink/af_netlink.c). */
#define BERTH_SOCK_DIAG_BUFFER_BYTES 65536u

/** How often a dump is tried in all. */
#define BERTH_SOCK_DIAG_ATTEMPTS 4u

/** The most datagrams of one dump: more is BERTH_TOO_LARGE. */
#define BERTH_SOCK_DIAG_DATAGRAMS_MAX (1u << 18)

/** One user's side of the dialogue. Not to be moved once it is set up. */
struct berth_sock_diag {
    struct berth_sock_diag_channel channel;
    uint8_t *buffer;
    int fd; /* of the kernel's channel; -1: none */
    uint32_t sequence;
    uint32_t port_id;
    bool is_open;
};

/** Sets a dialogue up; the channel is opened by the first read.
 *  @param[in] channel  NULL: the kernel's
 *  @return BERTH_OK or BERTH_NO_MEMORY: then there is nothing to give back  @thread any */
enum berth_code berth_sock_diag_init(struct berth_sock_diag *diag,
                                     const struct berth_sock_diag_channel *channel,
                                     struct berth_error *err);

/** Closes and gives back. A zeroed struct is accepted.  @thread any */
void berth_sock_diag_fini(struct berth_sock_diag *diag);

/** Where the sockets of a read go. */
struct berth_sock_diag_sink {
    void (*restart)(void *context); /* before each attempt: forget what came before */
    berth_sock_diag_row row;
    void *context;
};

/** Reads all sockets of both families that are in one of `states`.
 *
 *  An attempt that fails is repeated from the start, over a new channel, up to
 *  BERTH_SOCK_DIAG_ATTEMPTS in all; lack of memory and reaching a limit are not.
 *  @return BERTH_OK: every socket was given to the sink after the last `restart`; else the last
 *          attempt's error
 *  @thread one at a time  @blocks as long as the kernel needs, at most 1 s for a datagram */
enum berth_code berth_sock_diag_read(struct berth_sock_diag *diag, uint32_t states,
                                     const struct berth_sock_diag_sink *sink,
                                     struct berth_error *err);

#endif
