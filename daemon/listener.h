/* SPDX-License-Identifier: MIT */
/* The endpoint that clients connect to: the contract; posix/ has a Unix socket, windows/ a pipe. */
#ifndef BERTH_DAEMON_LISTENER_H
#define BERTH_DAEMON_LISTENER_H

#include "base/error.h"

#include <uv.h>

struct berth_listener;

/** A client waits to be accepted: call berth_listener_accept() once. */
typedef void (*berth_listener_cb)(struct berth_listener *listener, void *ctx);

/** Starts to listen at an endpoint, which any local user may connect to: what each may do is
 * decided by identity, not by the endpoint's permissions.
 *  @param[in] endpoint  a path. What a dead daemon left there is replaced
 *  @return BERTH_OK; BERTH_BUSY: another daemon serves there (its process id is in the text);
 *          BERTH_TOO_LARGE: the path is too long for a socket; BERTH_IO. On error nothing runs
 *  @thread loop  @blocks for system calls  @source unix(7) */
enum berth_code berth_listener_open(struct berth_listener **out, uv_loop_t *loop,
                                    const char *endpoint, berth_listener_cb connected, void *ctx,
                                    struct berth_error *err);

/** Accepts the waiting client into an initialised pipe.
 *  @return BERTH_OK; BERTH_IO: the client is gone, or there are no descriptors left */
enum berth_code berth_listener_accept(struct berth_listener *listener, uv_pipe_t *pipe,
                                      struct berth_error *err);

/** Stops listening and removes the endpoint. The memory is given back when the loop has closed the
 *  handle. NULL is accepted. */
void berth_listener_close(struct berth_listener *listener);

#endif
