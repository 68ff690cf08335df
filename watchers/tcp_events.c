/* SPDX-License-Identifier: MIT */
#include "tcp_events.h"

const char *berth_tcp_events_mode_name(enum berth_tcp_events_mode mode)
{
    static const char *const names[BERTH_TCP_EVENTS_MODE_COUNT] = {
        [BERTH_TCP_EVENTS_NONE] = "none",
        [BERTH_TCP_EVENTS_PARTIAL] = "partial",
        [BERTH_TCP_EVENTS_LOW_VOLUME] = "low-volume",
        [BERTH_TCP_EVENTS_FULL] = "full",
    };

    return names[mode];
}
