/* SPDX-License-Identifier: MIT */
/* A program that the daemon runs, as one that can be ended with all that it started: the contract.
 * posix/ puts it into a group of processes of its own; on Windows only the program itself is ended.
 */
#ifndef BERTH_DAEMON_CHILD_H
#define BERTH_DAEMON_CHILD_H

#include <uv.h>

/** Gives the flags of uv_process_options_t with which it is to be started.  @thread any */
unsigned berth_child_flags(void);

/** Ends it at once. Its exit callback is called as always.
 *  @param[in] process  not reaped yet: its exit callback has not been called  @thread loop
 *  @source kill(2), TerminateProcess */
void berth_child_end(uv_process_t *process);

#endif
