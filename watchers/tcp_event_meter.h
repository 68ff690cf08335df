/* SPDX-License-Identifier: MIT */
/* Counts events: how many there are, how many in a second, how late they come. Pure; times are
 * nanoseconds of one monotonic clock. */
#ifndef BERTH_WATCHERS_TCP_EVENT_METER_H
#define BERTH_WATCHERS_TCP_EVENT_METER_H

#include <stdint.h>

/** Rate and lag are those of the last complete span of this length. */
#define BERTH_EVENT_METER_SPAN_NS 5000000000u

struct berth_event_span {
    uint64_t count;
    uint64_t lag_ns; /* the longest */
};

/** Zeroed: nothing counted. */
struct berth_event_meter {
    uint64_t total;
    uint64_t lost;
    uint64_t begun_ns; /* when the present span began */
    struct berth_event_span now;
    struct berth_event_span last;
};

/** Counts an event.  @param[in] happened_ns  0: not known */
void berth_event_meter_note(struct berth_event_meter *meter, uint64_t happened_ns, uint64_t now_ns);

/** Gives how many events there are in a second.  @param[out] lag_ns  how late the latest came */
uint64_t berth_event_meter_rate(struct berth_event_meter *meter, uint64_t now_ns, uint64_t *lag_ns);

#endif
