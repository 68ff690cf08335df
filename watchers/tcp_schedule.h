/* SPDX-License-Identifier: MIT */
/* When the TCP table is read, and which parts of it: plain arithmetic over a clock that the caller
 * reads. All times are nanoseconds of one monotonic clock.
 *
 * - Listeners and bound sockets are read every `poll`. Connections are read every `full` while the
 *   system tells of changes (`events`), else every `poll`.
 * - A part's next reading begins no sooner than 100 times its last duration after its end: polling
 *   costs at most 1 % of a core for each part, however large the table is.
 * - A look reads listeners and bound sockets as soon as 4 times their last duration has passed
 * since their last reading (at most 20 % of a core under a storm of looks), and connections as soon
 * as their 100 times allow.
 * - After a failure everything is read again after 250 ms (`poll`, if that is less), then after 2,
 *   4, 8 … times as much, 30 s at the most; a look shortens that to the first pause. */
#ifndef BERTH_WATCHERS_TCP_SCHEDULE_H
#define BERTH_WATCHERS_TCP_SCHEDULE_H

#include "tcp_table.h"

#define BERTH_TCP_SPACING_POLL 100u
#define BERTH_TCP_SPACING_LOOK 4u
#define BERTH_TCP_BACK_OFF_MIN_NS 250000000u
#define BERTH_TCP_BACK_OFF_MAX_NS 30000000000u

struct berth_tcp_part_times {
    uint64_t begun_ns; /* its last reading, successful or not */
    uint64_t ended_ns;
    uint64_t duration_ns; /* of the last successful one */
};

struct berth_tcp_schedule {
    uint64_t poll_ns;
    uint64_t full_ns;
    bool events;
    struct berth_tcp_part_times parts[BERTH_TCP_PART_COUNT];
    unsigned never;    /* scopes that were never read well */
    unsigned looks;    /* scopes that a look waits for */
    unsigned failures; /* in a row */
    uint64_t failed_ns;
};

/** Starts a schedule: everything is due at once.
 *  @param[in] poll_ms, full_ms  at least 1  @thread any  @blocks no (as all functions here) */
void berth_tcp_schedule_init(struct berth_tcp_schedule *schedule, uint64_t poll_ms,
                             uint64_t full_ms, bool events);

/** Notes that somebody wants to see the truth soon. */
void berth_tcp_schedule_look(struct berth_tcp_schedule *schedule);

/** Gives the scopes to read now; 0: none. */
unsigned berth_tcp_schedule_due(const struct berth_tcp_schedule *schedule, uint64_t now_ns);

/** Gives the moment at which something will be due, in the past if it is already. */
uint64_t berth_tcp_schedule_next(const struct berth_tcp_schedule *schedule);

/** Notes that a reading of `scopes` begins: looks that come from now on want another one. */
void berth_tcp_schedule_begin(struct berth_tcp_schedule *schedule, unsigned scopes,
                              uint64_t now_ns);

/** Notes that a reading succeeded, of the scopes that it was begun with or of more. */
void berth_tcp_schedule_done(struct berth_tcp_schedule *schedule, unsigned scopes,
                             const struct berth_tcp_claims *claims, uint64_t now_ns);

/** Notes that a reading failed. */
void berth_tcp_schedule_failed(struct berth_tcp_schedule *schedule, uint64_t now_ns);

#endif
