/* SPDX-License-Identifier: MIT */
#include "watchers/windows/etw_volume.h"

#define NS_PER_S UINT64_C(1000000000)
#define BUSY_SPANS 2u

void berth_etw_volume_note(struct berth_etw_volume *volume, uint64_t count)
{
    volume->count += count;
}

static void begin_span(struct berth_etw_volume *volume, uint64_t now_ns)
{
    volume->begun_ns = now_ns;
    volume->count = 0;
}

static void change(struct berth_etw_volume *volume, bool low, uint64_t now_ns)
{
    volume->low = low;
    volume->since_ns = now_ns;
    volume->busy_spans = 0;
    begin_span(volume, now_ns);
}

static void go_low(struct berth_etw_volume *volume, uint64_t now_ns)
{
    bool anew =
        volume->rest_ns == 0 || (!volume->trying && now_ns - volume->since_ns >= volume->rest_ns);

    volume->rest_ns = anew ? BERTH_ETW_REST_MIN_NS : 2 * volume->rest_ns;
    if (volume->rest_ns > BERTH_ETW_REST_MAX_NS) {
        volume->rest_ns = BERTH_ETW_REST_MAX_NS;
    }
    change(volume, true, now_ns);
}

/* Weighs a span that is over.  @return true: it was too much */
static bool weigh_span(struct berth_etw_volume *volume, uint64_t now_ns)
{
    uint64_t seconds = (now_ns - volume->begun_ns) / NS_PER_S;
    uint64_t rate = volume->count / (seconds != 0 ? seconds : 1);

    begin_span(volume, now_ns);
    if (volume->trying) {
        volume->trying = false;
        return rate > BERTH_ETW_CALM_PER_S;
    }
    volume->busy_spans = rate > BERTH_ETW_BUSY_PER_S ? volume->busy_spans + 1 : 0;
    return volume->busy_spans >= BUSY_SPANS;
}

bool berth_etw_volume_decide(struct berth_etw_volume *volume, uint64_t now_ns)
{
    if (volume->begun_ns == 0) {
        volume->since_ns = now_ns;
        begin_span(volume, now_ns);
        return false;
    }
    if (volume->low) {
        if (now_ns - volume->since_ns < volume->rest_ns) {
            return false;
        }
        change(volume, false, now_ns);
        volume->trying = true;
        return true;
    }
    if (now_ns - volume->begun_ns < BERTH_ETW_VOLUME_SPAN_NS) {
        return false;
    }
    if (!weigh_span(volume, now_ns)) {
        return false;
    }
    go_low(volume, now_ns);
    return true;
}
