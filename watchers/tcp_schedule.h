/* SPDX-License-Identifier: MIT */
/* When the TCP table is read, and which parts of it: plain arithmetic over a clock that the caller
 * reads. All times are nanoseconds of one monotonic clock.
 *
 * - Listeners and bound sockets are read every `poll`. Connections are read every `full` while the
 *   system tells of changes (`events`), else every `poll`. Where it should tell and does not
 *   (`hurry`), listeners are read every 250 ms, if that is less.
 * - A part's next reading begins no sooner than 100 times its last duration after its end: polling
 *   costs at most 1 % of a core for each part, however large the table is. While the system tells
 * of changes that is 2000 times for bound sockets, which the kernel finds by walking past all
 *   connections, and 3000 times for the regular reading of connections, which finds only what
 *   nobody tells of: 0.05 and 0.03 %.
 * - A look reads listeners and bound sockets at once, as long as the visits of late, with all that
 *   they made necessary, have not taken more than 20 % of a core: single looks never wait, and a
 *   storm of them is spread. It reads connections as soon as their 100 times allow.
 * - After a failure everything is read again after 250 ms (`poll`, if that is less), then after 2,
 *   4, 8 … times as much, 30 s at the most; a look shortens that to the first pause. */
#ifndef BERTH_WATCHERS_TCP_SCHEDULE_H
#define BERTH_WATCHERS_TCP_SCHEDULE_H

#include "tcp_table.h"

#define BERTH_TCP_SPACING_POLL 100u
#define BERTH_TCP_SPACING_BOUND 2000u
#define BERTH_TCP_SPACING_FULL 3000u
#define BERTH_TCP_VISIT_SHARE 5u            /* a visit is paid for by 5 times its length */
#define BERTH_TCP_VISIT_CREDIT_NS 50000000u /* so much may be owed: visits of 10 ms at once */
#define BERTH_TCP_BACK_OFF_MIN_NS 250000000u
#define BERTH_TCP_BACK_OFF_MAX_NS 30000000000u

#define BERTH_TCP_HURRY_NS 250000000u

#define BERTH_TCP_NOT_WANTED UINT64_MAX

struct berth_tcp_part_times {
    uint64_t begun_ns; /* its last reading, successful or not */
    uint64_t ended_ns;
    uint64_t duration_ns; /* of the last successful one */
    uint64_t wanted_ns;   /* when a look wants it; BERTH_TCP_NOT_WANTED: none does */
    uint64_t again_ns;    /* the same, for one that is to come later */
};

struct berth_tcp_schedule {
    uint64_t poll_ns;
    uint64_t full_ns;
    bool events;
    bool hurry;
    struct berth_tcp_part_times parts[BERTH_TCP_PART_COUNT];
    unsigned never;    /* scopes that were never read well */
    uint64_t paid_ns;  /* when the visits so far are paid for */
    unsigned failures; /* in a row */
    uint64_t failed_ns;
};

/** Starts a schedule: everything is due at once.
 *  @param[in] poll_ms, full_ms  at least 1  @thread any  @blocks no (as all functions here) */
void berth_tcp_schedule_init(struct berth_tcp_schedule *schedule, uint64_t poll_ms,
                             uint64_t full_ms, bool events);

/** Notes that somebody wants to see the truth of these scopes soon. */
void berth_tcp_schedule_look(struct berth_tcp_schedule *schedule, unsigned scopes);

/** Notes that somebody wants to see it at `when_ns`, besides any look that is to come before. Of
 *  several such moments the first one counts. */
void berth_tcp_schedule_look_at(struct berth_tcp_schedule *schedule, unsigned scopes,
                                uint64_t when_ns);

/** Gives the scopes to read now; 0: none. */
unsigned berth_tcp_schedule_due(const struct berth_tcp_schedule *schedule, uint64_t now_ns);

/** Gives the moment at which something will be due, in the past if it is already. */
uint64_t berth_tcp_schedule_next(const struct berth_tcp_schedule *schedule);

/** Notes that a reading of `scopes` begins: it is the look that was wanted until now; looks that
 *  come from now on want another one. */
void berth_tcp_schedule_begin(struct berth_tcp_schedule *schedule, unsigned scopes,
                              uint64_t now_ns);

/** Notes that a reading succeeded, of the scopes that it was begun with or of more. */
void berth_tcp_schedule_done(struct berth_tcp_schedule *schedule, unsigned scopes,
                             const struct berth_tcp_claims *claims, uint64_t now_ns);

/** Notes that a reading failed. */
void berth_tcp_schedule_failed(struct berth_tcp_schedule *schedule, uint64_t now_ns);

#endif
