/* SPDX-License-Identifier: MIT */
/* The daemon's log: one line an event on standard error, where a terminal or journald takes it up,
 * or into a sink, such as a log file. */
#ifndef BERTH_DAEMON_LOG_H
#define BERTH_DAEMON_LOG_H

#include "base/error.h"

#include <stdbool.h>
#include <stdio.h>

enum berth_log_level {
    BERTH_LOG_ERROR,   /* something failed; a person must act */
    BERTH_LOG_WARNING, /* works, but not as it should */
    BERTH_LOG_INFO,    /* what an operator wants to find later */
    BERTH_LOG_DEBUG    /* what a developer wants to find */
};

/** Makes later lines of `level` and above go to `out`; the start is info to stderr.
 *  @param[in] journal  true: each line begins with "<n>", journald's priority, and has no time
 *  @thread loop  @source sd-daemon(3) for the prefixes */
void berth_log_use(FILE *out, enum berth_log_level level, bool journal);

/** Takes one line, which ends with its line feed. Called on any thread, one at a time; must not
 *  log. */
typedef void berth_log_sink(void *ctx, const char *line, size_t length);

/** Makes later lines go to `sink`, with their times, instead of berth_log_use()'s place; NULL: back
 *  there. When it returns, the sink that was there before is not called any more.  @thread any */
void berth_log_use_sink(berth_log_sink *sink, void *ctx);

/** Finds a level by name: error, warning, info, debug.  @return false: no such level */
bool berth_log_level_find(const char *name, enum berth_log_level *out);

/** Writes a line. Control characters of the text become '?', so that nobody who names a site or a
 *  key can forge a line. errno stays.  @thread any  @blocks as long as a write to `out` does */
void berth_log(enum berth_log_level level, const char *format, ...) BERTH_PRINTF(2, 3);

#endif
