/* SPDX-License-Identifier: MIT */
#include "clock.h"

#include <uv.h>

struct berth_now berth_clock_now(void)
{
    uv_timeval64_t wall;

    (void)uv_gettimeofday(&wall);
    return (struct berth_now){uv_hrtime() / 1000000 + 1, wall.tv_sec * 1000 + wall.tv_usec / 1000};
}
