/* SPDX-License-Identifier: MIT */
#include "clock.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <uv.h>

/* Both clocks tell whole milliseconds and do not change at the same moment, and Windows' calendar
 * goes in steps of 16 ms: without this, a lease would end at another millisecond in each answer. */
#define APART_MS 20

static _Atomic int64_t calendar_ms; /* what the calendar is ahead of the monotonic clock */

struct berth_now berth_clock_at(uint64_t ms, int64_t unix_ms)
{
    int64_t kept_ms = atomic_load(&calendar_ms);
    int64_t ahead_ms = unix_ms - (int64_t)ms;

    if (llabs(ahead_ms - kept_ms) > APART_MS) {
        kept_ms = ahead_ms;
        atomic_store(&calendar_ms, kept_ms);
    }
    return (struct berth_now){ms, (int64_t)ms + kept_ms};
}

struct berth_now berth_clock_now(void)
{
    uv_timeval64_t wall;

    (void)uv_gettimeofday(&wall);
    return berth_clock_at(uv_hrtime() / 1000000 + 1, wall.tv_sec * 1000 + wall.tv_usec / 1000);
}
