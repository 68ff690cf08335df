/* SPDX-License-Identifier: MIT */
/* The daemon: settings, allocator, watchers and server on one loop, from start to stop. */
#ifndef BERTH_DAEMON_DAEMON_H
#define BERTH_DAEMON_DAEMON_H

#include "base/error.h"
#include "options.h"

#include <stdbool.h>
#include <uv.h>

struct berth_daemon;

/** Starts the daemon on a loop: when it returns, requests are answered as soon as the loop runs.
 *  SIGTERM and SIGINT stop it, SIGHUP reloads.
 *  @param[in] options  strings must outlive the daemon
 *  @return BERTH_OK; what kept it from starting: run the loop to its end and close it then
 *  @thread the loop's  @blocks for reading the configuration */
enum berth_code berth_daemon_start(struct berth_daemon **out, uv_loop_t *loop,
                                   const struct berth_options *options, struct berth_error *err);

/** Makes the daemon end: what has arrived is answered, then its loop has nothing left to do, or, as
 *  a read that hangs cannot be ended, is stopped three seconds later. May be called again.
 *  @thread the loop's */
void berth_daemon_stop(struct berth_daemon *daemon);

/** To be called when the loop has returned after that; closes the daemon's last handle. NULL is
 *  accepted.
 *  @return true: the loop has to run once more, to its end; false: it was stopped, and the log says
 *          what of the daemon still runs. Its thread may use loop and daemon at any moment, so that
 *          neither may be given back, and waits at exit(): the process is to end by _Exit() */
bool berth_daemon_end(struct berth_daemon *daemon);

/** Reads the configuration again, as the method `reload` does; the log says what came of it.
 *  @thread the loop's  @blocks for reading the configuration */
void berth_daemon_reload(struct berth_daemon *daemon);

/** Gives the daemon's memory back, after the loop has ended. NULL is accepted. */
void berth_daemon_destroy(struct berth_daemon *daemon);

#endif
