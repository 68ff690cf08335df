/* SPDX-License-Identifier: MIT */
/* The endpoint that clients connect to: the contract; posix/ has a Unix socket, windows/ a pipe. */
#ifndef BERTH_DAEMON_LISTENER_H
#define BERTH_DAEMON_LISTENER_H

#include "access.h"
#include "base/error.h"

#include <uv.h>

struct berth_listener;

/** A client waits to be accepted: call berth_listener_accept() once, now or later. Until then no
 * other client is told. The listener may be closed in here. */
typedef void (*berth_listener_cb)(struct berth_listener *listener, void *ctx);

/** Starts to listen at an endpoint. What a client may do is decided by its identity at each
 * request. A Unix socket is open to every local user besides; a pipe has only those in who have an
 * access rule, and no client of another machine.
 *  @param[in] endpoint  a socket's path, where a dead daemon's socket is replaced; a pipe's name
 *  @param[in] access    the rules; read before it returns
 *  @return BERTH_OK; BERTH_BUSY: another process serves there, which the text names;
 *          BERTH_TOO_LARGE: the endpoint is too long; BERTH_INVALID_PARAMS: there can be none of
 *          that name; BERTH_IO; BERTH_NO_MEMORY. On error nothing runs
 *  @thread loop, as all here  @blocks for system calls  @source unix(7); CreateNamedPipeW */
enum berth_code berth_listener_open(struct berth_listener **out, uv_loop_t *loop,
                                    const char *endpoint, const struct berth_access *access,
                                    berth_listener_cb connected, void *ctx,
                                    struct berth_error *err);

/** Lets the endpoint's own permissions follow changed rules, for clients that connect from now on.
 *  @return BERTH_OK, also where the endpoint has none; BERTH_IO; BERTH_NO_MEMORY. On error the
 *          former ones stay */
enum berth_code berth_listener_set_access(struct berth_listener *listener,
                                          const struct berth_access *access,
                                          struct berth_error *err);

/** Accepts the waiting client into an initialised pipe.
 *  @return BERTH_OK; BERTH_IO: the client is gone, or there are no descriptors left. Either way it
 *          waits no more */
enum berth_code berth_listener_accept(struct berth_listener *listener, uv_pipe_t *pipe,
                                      struct berth_error *err);

/** Gives how many clients can be connected at a time whatever is configured: SIZE_MAX where that is
 *  the process's own limit of descriptors.  @thread any */
size_t berth_listener_most_clients(void);

/** Tells now of the clients that have connected already and were not told of: those of whom an
 *  event is still under way. For a server that is about to stop. NULL is accepted. */
void berth_listener_drain(struct berth_listener *listener);

/** Stops listening and removes the endpoint; clients that wait are turned away. The memory is given
 *  back when the loop has closed the handles. NULL is accepted. */
void berth_listener_close(struct berth_listener *listener);

#endif
