/* SPDX-License-Identifier: MIT */
/* A log file with a bound on its size and on how many old ones are kept: "x.log", and behind it
 * "x.log.1" (the newest) to "x.log.N". Whatever the disk does, the writer goes on: lines that
 * cannot be written are counted, and the count is the first thing written when the file works
 * again. */
#ifndef BERTH_DAEMON_LOG_FILE_H
#define BERTH_DAEMON_LOG_FILE_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BERTH_LOG_FILE_SIZE_MIN ((uint64_t)64 * 1024)
#define BERTH_LOG_FILE_SIZE_MAX ((uint64_t)1024 * 1024 * 1024)
#define BERTH_LOG_FILE_SIZE ((uint64_t)10 * 1024 * 1024)
#define BERTH_LOG_FILE_KEEP 5
#define BERTH_LOG_FILE_KEEP_MAX 100
#define BERTH_LOG_FILE_RETRY_MS 5000 /* a file that failed is left alone for that long */

struct berth_log_file;

struct berth_log_file_options {
    const char *path; /* UTF-8; copied */
    uint64_t size_bytes;
    unsigned keep; /* old files; 0: the file is emptied when it is full */

    /** Gives a time in milliseconds that never goes back. NULL: the monotonic clock. */
    uint64_t (*now_ms)(void *ctx);
    /** Told once when lines begin to be lost, with the reason; called on the writer's thread, with
     *  the file locked. May be NULL. */
    void (*on_trouble)(void *ctx, const char *reason);
    void *ctx;
};

/** Opens the file to append to it, making it and its folder (the last part of the path) as needed.
 *  @param[out] out  set only on BERTH_OK; for berth_log_file_close()
 *  @return BERTH_OK; BERTH_IO: names the path and the reason; BERTH_NO_MEMORY
 *  @thread any  @blocks for the disk */
enum berth_code berth_log_file_open(struct berth_log_file **out,
                                    const struct berth_log_file_options *options,
                                    struct berth_error *err);

/** Adds one line, which ends with its line feed, whole or not at all. Before it would pass the
 *  bound, the file is moved behind; where that fails it grows to twice the bound, then lines are
 *  lost until it succeeds. Never fails: what is lost is counted.
 *  @thread any  @blocks for the disk */
void berth_log_file_write(struct berth_log_file *file, const char *line, size_t length);

/** Gives how many lines were lost since it was opened.  @thread any */
uint64_t berth_log_file_lost(struct berth_log_file *file);

/** Closes the file and frees everything. NULL is accepted. No other thread may use it any more. */
void berth_log_file_close(struct berth_log_file *file);

#endif
