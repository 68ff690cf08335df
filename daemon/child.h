/* SPDX-License-Identifier: MIT */
/* A program that the daemon runs, as one that can be ended with all that it started: the contract.
 * posix/ puts it into a group of processes of its own, windows/ into a job. What leaves them by
 * itself (setsid(), a service that does the work) is not ended. */
#ifndef BERTH_DAEMON_CHILD_H
#define BERTH_DAEMON_CHILD_H

#include <uv.h>

/** What keeps together a program and what it starts. All zero: nothing. */
struct berth_child {
    void *job; /* Windows's; NULL: none could be had, the program alone is ended */
};

/** Gives the flags of uv_process_options_t with which it is to be started.  @thread any */
unsigned berth_child_flags(void);

/** Keeps together what the program starts from now on; to be called right after uv_spawn(). On
 *  Windows what it started in the microseconds before is not among that, and all of it ends with
 *  the daemon.  @param[out] child  for berth_child_release()  @thread loop
 *  @source CreateJobObjectW, AssignProcessToJobObject, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE */
void berth_child_keep(struct berth_child *child, const uv_process_t *process);

/** Ends it at once. Its exit callback is called as always.
 *  @param[in] process  not reaped yet: its exit callback has not been called  @thread loop
 *  @source kill(2), TerminateProcess, TerminateJobObject */
void berth_child_end(const struct berth_child *child, uv_process_t *process);

/** Lets go of it. What it started and left running goes on.  @thread loop */
void berth_child_release(struct berth_child *child);

#endif
