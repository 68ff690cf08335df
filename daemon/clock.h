/* SPDX-License-Identifier: MIT */
/* The present, by the monotonic clock and by the calendar. */
#ifndef BERTH_DAEMON_CLOCK_H
#define BERTH_DAEMON_CLOCK_H

#include "allocator/allocator.h"

/** Gives the present. The monotonic one starts above 0 and does not count the time in which the
 *  machine sleeps where the system's clock does not; what it is behind the calendar stays the same
 *  until the calendar was set, or has moved by over 20 ms, so that what ends then ends at the same
 *  time whenever it is told.  @thread any  @blocks no  @source uv_hrtime, uv_gettimeofday */
struct berth_now berth_clock_now(void);

/** Gives the present of a process whose clocks read so.
 *  @param[in] ms       the monotonic one, in ms, above 0
 *  @param[in] unix_ms  the calendar, in ms since 1970, UTC  @thread any  @blocks no */
struct berth_now berth_clock_at(uint64_t ms, int64_t unix_ms);

#endif
