/* SPDX-License-Identifier: MIT */
/* The watcher of the operating system's TCP table: source `tcp`, feeds "listeners", "bound" and
 * "connections".
 *
 * It reads the table (tcp_table.h) on libuv's thread pool, one read at a time, when
 * tcp_schedule.h says so, and reports on the loop. A port that has gone from the listeners and
 * bound sockets may still be in use by connections: before that is reported, everything is read
 * once more, so that a port never looks free between two feeds. */
#ifndef BERTH_WATCHERS_TCP_WATCHER_H
#define BERTH_WATCHERS_TCP_WATCHER_H

#include "watcher.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

/** The feeds, as the watcher numbers them. */
enum berth_tcp_feed {
    BERTH_TCP_FEED_LISTENERS,
    BERTH_TCP_FEED_BOUND,
    BERTH_TCP_FEED_CONNECTIONS,
    BERTH_TCP_FEED_COUNT
};

struct berth_tcp_watcher_options {
    uint64_t poll_ms; /* at least 1 */
    uint64_t full_ms; /* at least 1 */
    bool events_on;   /* the system tells of changes: connections only every full_ms */
};

/** Makes a watcher of the TCP table that this program is linked with.
 *
 *  Its states: `waiting` until the first read succeeded, with the reason once one has failed;
 *  `stale` with the reason while reads fail; `degraded` while they succeed on a system that does
 * not list bound sockets (their feed is empty then); else `ready`.
 *  @param[out] out  set only on BERTH_OK; its `destroy` gives it back
 *  @return BERTH_OK, BERTH_NO_MEMORY, BERTH_INVALID_PARAMS (a time of 0)
 *  @thread the loop's  @blocks no */
enum berth_code berth_tcp_watcher_create(struct berth_watcher **out, uv_loop_t *loop,
                                         const struct berth_tcp_watcher_options *options,
                                         struct berth_error *err);

/** Changes how often the table is read, from the next reading on; what is known stays.
 *  @param[in] poll_ms, full_ms  at least 1  @thread the loop's  @blocks no */
void berth_tcp_watcher_set_times(struct berth_watcher *base, uint64_t poll_ms, uint64_t full_ms);

/** Says whether the system tells of changes from now on.  @thread the loop's  @blocks no */
void berth_tcp_watcher_set_events(struct berth_watcher *base, bool events_on);

#endif
