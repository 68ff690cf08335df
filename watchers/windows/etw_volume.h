/* SPDX-License-Identifier: MIT */
/* Whether a busy machine's events are worth what they cost: full, or without those that come with
 * each connection. Pure; times are nanoseconds of one monotonic clock.
 *
 * Full becomes low when two spans in a row had more than BUSY events a second. What is not asked
 * for cannot be counted, so full is tried again after a rest: a span of CALM or less keeps it, any
 * other goes back to low and doubles the rest, up to an hour. A full that lasted as long as its
 * rest begins anew with the shortest. */
#ifndef BERTH_WATCHERS_WINDOWS_ETW_VOLUME_H
#define BERTH_WATCHERS_WINDOWS_ETW_VOLUME_H

#include <stdbool.h>
#include <stdint.h>

/** 2,000 a second are some 1,000 connections, and 1 to 2 % of a core in the daemon. */
#define BERTH_ETW_BUSY_PER_S 2000u
#define BERTH_ETW_CALM_PER_S 1000u
#define BERTH_ETW_VOLUME_SPAN_NS UINT64_C(5000000000)
#define BERTH_ETW_REST_MIN_NS UINT64_C(60000000000)
#define BERTH_ETW_REST_MAX_NS UINT64_C(3600000000000)

/** Zeroed: full, nothing counted. */
struct berth_etw_volume {
    bool low;
    bool trying;         /* full after a rest, not kept yet */
    uint64_t count;      /* in this span */
    uint64_t begun_ns;   /* this span; 0: none yet */
    unsigned busy_spans; /* in a row */
    uint64_t since_ns;   /* of being full or low */
    uint64_t rest_ns;    /* of the last rest; 0: none yet */
};

/** Counts events. */
void berth_etw_volume_note(struct berth_etw_volume *volume, uint64_t count);

/** Decides; to be called every second or so.  @return true: `low` is another one now */
bool berth_etw_volume_decide(struct berth_etw_volume *volume, uint64_t now_ns);

#endif
