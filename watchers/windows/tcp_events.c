/* SPDX-License-Identifier: MIT */
/* The event source of Windows: none yet; the TCP table is polled. */
#include "watchers/tcp_events.h"

enum berth_code berth_tcp_events_open(struct berth_tcp_events **out, uv_loop_t *loop,
                                      const struct berth_tcp_events_sink *sink,
                                      struct berth_error *err)
{
    (void)out;
    (void)loop;
    (void)sink;
    return berth_fail(err, BERTH_NOT_SUPPORTED, 0,
                      "events of the TCP table are not supported on Windows yet");
}

unsigned berth_tcp_events_drain(struct berth_tcp_events *events)
{
    (void)events;
    return 0;
}

void berth_tcp_events_close(struct berth_tcp_events *events, void (*closed)(void *ctx), void *ctx)
{
    (void)events;
    (void)closed;
    (void)ctx;
}
