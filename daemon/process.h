/* SPDX-License-Identifier: MIT */
/* What the process asks of the operating system for itself: the contract. */
#ifndef BERTH_DAEMON_PROCESS_H
#define BERTH_DAEMON_PROCESS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As many looks of watchers may hang before others have to wait for them. */
#define BERTH_PROCESS_POOL_THREADS "16"

/** Lets a write to a closed connection, or beyond the largest size of a file, fail instead of
 * ending the process, lets the process have as many descriptors as it may, and gives libuv's thread
 * pool BERTH_PROCESS_POOL_THREADS threads unless $UV_THREADPOOL_SIZE says otherwise.
 *  @thread main, before others run, and before the pool's first use  @source getrlimit(2) */
void berth_process_prepare(void);

/** Fills `out` with random bytes.  @return BERTH_OK; BERTH_IO  @blocks until the system has random
 *  numbers to give, early in its boot only  @source getrandom(2) */
enum berth_code berth_process_random(void *out, unsigned size, struct berth_error *err);

/** What a signal asks of the daemon. */
enum berth_signal_wish { BERTH_SIGNAL_STOP, BERTH_SIGNAL_RELOAD };

struct berth_process_signal {
    int number; /* for uv_signal_start() */
    enum berth_signal_wish wish;
};

#define BERTH_PROCESS_SIGNALS_MAX 4

/** Gives the signals that this platform sends a daemon: SIGTERM, SIGINT, SIGHUP to reload on
 *  Linux; Ctrl-C, Ctrl-Break and the closing of the console on Windows.
 *  @param[out] count  at most BERTH_PROCESS_SIGNALS_MAX  @return constants  @thread any
 *  @source signal(7); uv_signal_t */
const struct berth_process_signal *berth_process_signals(size_t *count);

/** Tells whether standard error goes to journald.  @source systemd.exec(5), $JOURNAL_STREAM */
bool berth_process_logs_to_journal(void);

#endif
