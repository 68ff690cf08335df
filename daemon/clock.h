/* SPDX-License-Identifier: MIT */
/* The present, by the monotonic clock and by the calendar. */
#ifndef BERTH_DAEMON_CLOCK_H
#define BERTH_DAEMON_CLOCK_H

#include "allocator/allocator.h"

/** Gives the present. The monotonic one starts above 0 and does not count the time in which the
 *  machine sleeps where the system's clock does not.  @thread any  @blocks no
 *  @source uv_hrtime, uv_gettimeofday */
struct berth_now berth_clock_now(void);

#endif
