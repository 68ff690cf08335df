/* SPDX-License-Identifier: MIT */
/* What the process asks of the operating system for itself: the contract. */
#ifndef BERTH_DAEMON_PROCESS_H
#define BERTH_DAEMON_PROCESS_H

#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>

/** Lets a write to a closed connection fail instead of ending the process, and lets the process
 * have as many descriptors as it may.  @thread main, before others run  @source getrlimit(2) */
void berth_process_prepare(void);

/** Fills `out` with random bytes.  @return BERTH_OK; BERTH_IO  @blocks until the system has random
 *  numbers to give, early in its boot only  @source getrandom(2) */
enum berth_code berth_process_random(void *out, unsigned size, struct berth_error *err);

/** Tells whether standard error goes to journald.  @source systemd.exec(5), $JOURNAL_STREAM */
bool berth_process_logs_to_journal(void);

#endif
