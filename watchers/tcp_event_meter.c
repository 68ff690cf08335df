/* SPDX-License-Identifier: MIT */
#include "tcp_event_meter.h"

#define NS_PER_S 1000000000u

static void turn(struct berth_event_meter *meter, uint64_t now_ns)
{
    uint64_t age_ns = now_ns - meter->begun_ns;

    if (age_ns < BERTH_EVENT_METER_SPAN_NS) {
        return;
    }
    meter->last = age_ns < (uint64_t)2 * BERTH_EVENT_METER_SPAN_NS ? meter->now
                                                                   : (struct berth_event_span){0};
    meter->now = (struct berth_event_span){0};
    meter->begun_ns = now_ns - age_ns % BERTH_EVENT_METER_SPAN_NS;
}

void berth_event_meter_note(struct berth_event_meter *meter, uint64_t happened_ns, uint64_t now_ns)
{
    turn(meter, now_ns);
    meter->total++;
    meter->now.count++;
    if (happened_ns != 0 && happened_ns < now_ns && now_ns - happened_ns > meter->now.lag_ns) {
        meter->now.lag_ns = now_ns - happened_ns;
    }
}

uint64_t berth_event_meter_rate(struct berth_event_meter *meter, uint64_t now_ns, uint64_t *lag_ns)
{
    turn(meter, now_ns);
    *lag_ns = meter->last.lag_ns > meter->now.lag_ns ? meter->last.lag_ns : meter->now.lag_ns;
    return meter->last.count / (BERTH_EVENT_METER_SPAN_NS / NS_PER_S);
}
