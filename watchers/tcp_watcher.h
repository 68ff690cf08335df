/* SPDX-License-Identifier: MIT */
/* The watcher of the operating system's TCP table: source `tcp`, feeds "listeners", "bound" and
 * "connections".
 *
 * It reads the table (tcp_table.h) one read at a time, when tcp_schedule.h says so, and reports on
 * the loop. It reads on libuv's thread pool, but on the loop's thread what may let a port go and is
 * over within 0.1 ms. A port that has gone from the listeners and bound sockets may still be in
 * use by connections: before that is reported, everything is read once more, so that a port never
 * looks free between two feeds.
 *
 * Where the system tells of changes (tcp_events.h), a port that is said to be taken is reported at
 * once, by the sink's `busy`, and stays so until a reading has decided (tcp_marks.h); and every
 * event makes the watcher look: at listeners at once, and again when all that the system had under
 * way is surely done; at connections as often as their size allows. */
#ifndef BERTH_WATCHERS_TCP_WATCHER_H
#define BERTH_WATCHERS_TCP_WATCHER_H

#include "tcp_events.h"
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

/** Whether the system's events are used. */
enum berth_tcp_watch_events {
    BERTH_TCP_WATCH_EVENTS_OFF,
    BERTH_TCP_WATCH_EVENTS_AUTO, /* where this system has any */
    BERTH_TCP_WATCH_EVENTS_ON    /* and it is degraded where it has none */
};

struct berth_tcp_watcher_options {
    uint64_t poll_ms; /* at least 1 */
    uint64_t full_ms; /* at least 1; connections are read so often while the events are whole */
    enum berth_tcp_watch_events events;
};

/** How the events do. */
struct berth_tcp_events_status {
    bool used; /* false: switched off, and the rest says nothing */
    enum berth_tcp_events_mode mode;
    const char *reason; /* why it is not full; NULL: it is. Valid until the loop goes on */
    uint64_t total;
    uint64_t lost;
    uint64_t per_second; /* lately: over some seconds */
    uint64_t lag_ns;     /* from happening to here, the longest lately */
};

/** After a loss, for so long everything is read at every poll. */
#define BERTH_TCP_LOSS_REST_MS 10000u

/** Makes a watcher of the TCP table that this program is linked with.
 *
 *  Its states: `waiting` until the first read succeeded, with the reason once one has failed;
 *  `stale` with the reason while reads fail; `degraded` while they succeed on a system that does
 *  not list bound sockets (their feed is empty then), and while events are to be had and do not
 *  come, or have been lost lately; else `ready`.
 *  @param[out] out  set only on BERTH_OK; its `destroy` gives it back
 *  @return BERTH_OK, BERTH_NO_MEMORY, BERTH_INVALID_PARAMS (a time of 0)
 *  @thread the loop's  @blocks no */
enum berth_code berth_tcp_watcher_create(struct berth_watcher **out, uv_loop_t *loop,
                                         const struct berth_tcp_watcher_options *options,
                                         struct berth_error *err);

/** Changes how often the table is read, from the next reading on; what is known stays.
 *  @param[in] poll_ms, full_ms  at least 1  @thread the loop's  @blocks no */
void berth_tcp_watcher_set_times(struct berth_watcher *base, uint64_t poll_ms, uint64_t full_ms);

/** Says whether events are used from now on.  @thread the loop's  @blocks no */
void berth_tcp_watcher_set_events(struct berth_watcher *base, enum berth_tcp_watch_events events);

/** Tells how the events do.  @thread the loop's  @blocks no */
void berth_tcp_watcher_events(struct berth_watcher *base, struct berth_tcp_events_status *out);

#endif
