/* SPDX-License-Identifier: MIT */
/* The hints of Linux: none. Its files are watched and its sockets tell by tcp_events.h. */
#include "watchers/source_hints.h"

enum berth_code berth_source_hints_open(struct berth_source_hints **out, uv_loop_t *loop,
                                        unsigned groups, const struct berth_source_hints_sink *sink,
                                        struct berth_error *err)
{
    (void)out;
    (void)loop;
    (void)groups;
    (void)sink;
    return berth_fail(err, BERTH_NOT_SUPPORTED, 0, "Linux has no hints of other sources");
}

void berth_source_hints_status(const struct berth_source_hints *hints,
                               enum berth_hint_facility facility, struct berth_hint_status *out)
{
    (void)hints;
    (void)facility;
    *out = (struct berth_hint_status){.told = false};
}

void berth_source_hints_close(struct berth_source_hints *hints, void (*closed)(void *ctx),
                              void *ctx)
{
    (void)hints;
    (void)closed;
    (void)ctx;
}
