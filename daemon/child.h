/* SPDX-License-Identifier: MIT */
/* A program that the daemon runs, as one that can be ended with all that it started: the contract.
 * posix/ puts it into a group of processes of its own, windows/ into a job. What leaves them by
 * itself (setsid(), a service that does the work) is not ended. Decision 0057 says why posix/ does
 * not use uv_spawn(). */
#ifndef BERTH_DAEMON_CHILD_H
#define BERTH_DAEMON_CHILD_H

#include <stdint.h>
#include <uv.h>

struct berth_child;

typedef void berth_child_exited(struct berth_child *child, int64_t status, int signal);

/** Belongs to who starts it; is in no motion until berth_child_start(). */
struct berth_child {
    union {
        uv_handle_t handle;
        uv_process_t process; /* windows */
        uv_signal_t signal;   /* posix: that a child ended */
    } uv; /* to be closed by who started it, also where starting failed; `data` is theirs */
    berth_child_exited *exited;
    int pid;   /* posix; 0: it does not run, or was reaped */
    void *job; /* windows; NULL: none could be had, the program alone is ended */
};

struct berth_child_options {
    char *path;          /* no PATH is searched, and no shell involved */
    char **arguments;    /* its own name first; NULL ends them */
    char **environment;  /* the same */
    uv_pipe_t *pipes[3]; /* initialised ones of the loop: its standard input, output and error */
};

/** Starts the program. `exited` is called once, from the loop, when it has ended.
 *  On Windows what it started in the microseconds before it is in the job is not ended with it, and
 *  all of it ends with the daemon.
 *  @return 0; libuv's status: it does not run, and the pipes may or may not be open
 *  @thread of the loop  @blocks until the program is loaded
 *  @source posix_spawn(3) with POSIX_SPAWN_SETSID; uv_spawn(), CreateJobObjectW,
 *          AssignProcessToJobObject, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE */
int berth_child_start(struct berth_child *child, uv_loop_t *loop,
                      const struct berth_child_options *options, berth_child_exited *exited);

/** Ends it at once; `exited` is called as always.
 *  @param[in] child  runs, or has not been told as ended yet  @thread of the loop
 *  @source kill(2), TerminateProcess, TerminateJobObject */
void berth_child_end(struct berth_child *child);

/** Lets go of it. What it started and left running goes on.  @thread of the loop */
void berth_child_release(struct berth_child *child);

#endif
