/* SPDX-License-Identifier: MIT */
/* The daemon under a service manager that has to be answered from inside the process: Windows's.
 * systemd is told by service_notify.h and speaks by signals, so that on Linux running as a service
 * in this sense is not supported, and attaching does nothing. */
#ifndef BERTH_DAEMON_SERVICE_CONTROL_H
#define BERTH_DAEMON_SERVICE_CONTROL_H

#include "base/error.h"

#include <uv.h>

/** What the service manager may ask for. Called on the loop's thread. */
struct berth_service_controls {
    void (*stop)(void *ctx);
    void (*reload)(void *ctx);
    void *ctx;
};

/** Runs `body` as the service of this process, on a thread of the service manager's, and tells the
 *  manager how it goes: starting until berth_service_notify_ready(), running until
 *  berth_service_notify_stopping(), stopped when `body` has returned, failed if with another status
 *  than 0. Returns when the manager has been told.
 *  @param[out] status  what `body` returned, on BERTH_OK
 *  @return BERTH_OK; BERTH_NOT_SUPPORTED: there is no such manager here, or it did not start this
 *          process; `body` was not called then
 *  @thread main  @blocks until the service has stopped  @source StartServiceCtrlDispatcherW */
enum berth_code berth_service_control_run(int (*body)(void *ctx), void *ctx, int *status,
                                          struct berth_error *err);

/** Lets the manager's requests reach the loop: those that came before are delivered too. Does not
 *  keep the loop alive. Does nothing unless berth_service_control_run() is running.
 *  @param[in] controls  copied
 *  @return BERTH_OK; BERTH_IO: libuv refused  @thread the loop's */
enum berth_code berth_service_control_attach(uv_loop_t *loop,
                                             const struct berth_service_controls *controls,
                                             struct berth_error *err);

/** Ends that: no control is called any more. The loop has to run once more, to its end.
 *  @thread the loop's */
void berth_service_control_detach(void);

#endif
