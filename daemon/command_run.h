/* SPDX-License-Identifier: MIT */
/* One run of a program: with bytes on its standard input, what it prints taken line by line up to a
 * ceiling, and an end that comes in any case. No shell is involved. */
#ifndef BERTH_DAEMON_COMMAND_RUN_H
#define BERTH_DAEMON_COMMAND_RUN_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define BERTH_COMMAND_ARGUMENTS_MAX 16
#define BERTH_COMMAND_LINES_MAX 50 /* that one run prints; further ones are counted only */
#define BERTH_COMMAND_LINE_MAX 400 /* bytes of a line; the rest of it is left out */

struct berth_command_run;

/** How a run ended. */
struct berth_command_outcome {
    int64_t status;      /* its exit status */
    int signal;          /* that ended it; 0: none */
    bool timed_out;      /* it was ended, as its time was over */
    uint64_t timeout_ms; /* the time that it had */
    size_t lines_left_out;
};

struct berth_command_options {
    char *path;             /* the program; not changed, as the arguments */
    char *const *arguments; /* behind its own name; at most BERTH_COMMAND_ARGUMENTS_MAX */
    size_t argument_count;
    char *environment; /* NAME=VALUE with a NUL each, one more NUL at the end; all it has */
    char *input;       /* for its standard input */
    uint64_t timeout_ms;
    /** Takes a line of its standard output or standard error, without the line's end. */
    void (*line)(void *ctx, const char *line);
    /** Is told that it ended, and nothing runs any more. Called once, unless starting failed. */
    void (*ended)(void *ctx, const struct berth_command_outcome *outcome);
    void *ctx;
};

/** Starts the program. `environment` and `input` are taken over on BERTH_OK.
 *  @return BERTH_OK; BERTH_NO_MEMORY; BERTH_IO: it could not be started, `err` says why
 *  @thread the loop's, as all here  @blocks for the start of a process: it copies page tables, and
 *  waits until the program is loaded */
enum berth_code berth_command_start(struct berth_command_run **out, uv_loop_t *loop,
                                    const struct berth_command_options *options,
                                    struct berth_error *err);

/** Ends the program now; `ended` is called later, from the loop. */
void berth_command_end(struct berth_command_run *run);

#endif
