/* SPDX-License-Identifier: MIT */
/* The system's own log: the Event Log on Windows, syslog (which journald takes up) on Linux. Beside
 * the daemon's log (log.h), which says all, this one has the few events that an operator is to be
 * told of, each with a number that never changes: docs/windows.md lists them, and
 * daemon/windows/messages.mc holds the same table for Windows; a test holds the two together. */
#ifndef BERTH_DAEMON_SYSTEM_LOG_H
#define BERTH_DAEMON_SYSTEM_LOG_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/* symbol, id (stable: monitoring filters by it), severity, number of strings, text with %1, %2 …
 * for the strings. A number is never used for something else. */
#define BERTH_NOTICE_MAP(X)                                                                        \
    X(STARTED, 100, INFO, 2, "Berth %1 has started and answers at %2.")                            \
    X(STOPPED, 101, INFO, 1, "Berth %1 has stopped.")                                              \
    X(START_FAILED, 102, ERROR, 1, "Berth does not start: %1.")                                    \
    X(RELOADED, 110, INFO, 1, "The configuration was read again: %1.")                             \
    X(RELOAD_FAILED, 111, WARNING, 1,                                                              \
      "The configuration was not accepted, the old one stays in force: %1.")                       \
    X(LOG_LOST, 120, WARNING, 1, "Lines of the log file are being lost: %1.")                      \
    X(CONFLICT_ERROR, 200, ERROR, 3, "Conflict %1 on port %2: %3")                                 \
    X(CONFLICT_WARNING, 201, WARNING, 3, "Conflict %1 on port %2: %3")                             \
    X(CONFLICT_CLOSED, 202, INFO, 3, "Conflict %1 on port %2 has ended: %3")                       \
    X(POOL_LOW, 210, WARNING, 3, "Pool %1 is running low: %2 of %3 ports are free.")               \
    X(POOL_EXHAUSTED, 211, ERROR, 2, "Pool %1 is exhausted: none of its %2 ports is free.")        \
    X(POOL_RECOVERED, 212, INFO, 3, "Pool %1 has room again: %2 of %3 ports are free.")            \
    X(POOL_OVERLAP, 213, WARNING, 2, "Pool %1 overlaps the ephemeral range: %2.")                  \
    X(SOURCE_READY, 220, INFO, 1, "Source %1 is ready.")                                           \
    X(SOURCE_STALE, 221, WARNING, 2, "Source %1 is stale, what it said last stays in force: %2.")  \
    X(SOURCE_DEGRADED, 222, WARNING, 2, "Source %1 works, but slower than it should: %2.")         \
    X(STORE_FAILED, 300, ERROR, 1, "The lease store failed: %1.")                                  \
    X(STORE_WORKS, 301, INFO, 1, "The lease store works again, after: %1.")                        \
    X(ENDPOINT_TAKEN, 310, ERROR, 2, "The endpoint %1 belongs to somebody else: %2.")

enum berth_notice {
#define BERTH_NOTICE_SYMBOL(symbol, id, severity, strings, text) BERTH_NOTICE_##symbol,
    BERTH_NOTICE_MAP(BERTH_NOTICE_SYMBOL)
#undef BERTH_NOTICE_SYMBOL
        BERTH_NOTICE_COUNT
};

enum berth_notice_severity {
    BERTH_NOTICE_SEVERITY_INFO,
    BERTH_NOTICE_SEVERITY_WARNING,
    BERTH_NOTICE_SEVERITY_ERROR
};

struct berth_notice_info {
    const char *name; /* the symbol */
    unsigned id;
    enum berth_notice_severity severity;
    unsigned strings;
    const char *text;
};

#define BERTH_NOTICE_STRINGS_MAX 3
#define BERTH_NOTICE_STRING_SIZE 2048 /* bytes with the NUL; a longer string is cut off */
#define BERTH_NOTICE_TEXT_SIZE (BERTH_NOTICE_STRINGS_MAX * BERTH_NOTICE_STRING_SIZE + 256)

/** Gives an event's row of the table.  @thread any */
const struct berth_notice_info *berth_notice_info(enum berth_notice event);

/** Copies one string of an event as a log may have it: control characters become '?', and what is
 *  too long is cut off, never inside a UTF-8 sequence.  @return `out` */
char *berth_notice_string(char out[BERTH_NOTICE_STRING_SIZE], const char *string);

/** Writes an event as one line of text.  @param[in] strings  as many as the event has; each through
 *  berth_notice_string()  @return `out`  @thread any */
char *berth_notice_text(char out[BERTH_NOTICE_TEXT_SIZE], enum berth_notice event,
                        const char *const *strings);

/** Makes berth_system_log_report() work. Does not wait for one that hangs.
 *  May be opened several times, and is closed when each has closed it.
 *  @return BERTH_OK; BERTH_IO, BERTH_DENIED, BERTH_NO_MEMORY: the Event Log refused, it is not open
 *  @thread main, before others report  @source openlog(3), RegisterEventSourceW */
enum berth_code berth_system_log_open(struct berth_error *err);

/** Reports an event.
 *  @param[in] strings  UTF-8, as many as the event's row says
 *  @return BERTH_OK: the log's service took it; BERTH_IO, BERTH_DENIED, BERTH_NO_MEMORY: it did
 *          not, or the log is not open, and the event is lost
 *  @thread any  @blocks for the local log service  @source syslog(3), ReportEventW */
enum berth_code berth_system_log_report(enum berth_notice event, const char *const *strings,
                                        struct berth_error *err);

/** Ends reporting.  @thread main, when others have ended */
void berth_system_log_close(void);

/** Ends reporting for all while a report hangs on another thread: touches nothing that it may hold.
 *  What is reported from now on is lost, until it is opened again. On Linux reports wait for the
 * one that hangs then, as syslog(3) lets one at a time in; on Windows they do not.  @thread main */
void berth_system_log_abandon(void);

#endif
