/* SPDX-License-Identifier: MIT */
#include "latency.h"

static const uint32_t bounds_us[] = {
#define BERTH_LATENCY_ROW(us) us,
    BERTH_LATENCY_BOUNDS(BERTH_LATENCY_ROW)
#undef BERTH_LATENCY_ROW
};

uint32_t berth_latency_bound_us(unsigned number)
{
    return bounds_us[number];
}

void berth_latency_note(struct berth_latency *latency, uint64_t ns)
{
    unsigned bucket = 0;

    while (bucket < BERTH_LATENCY_BOUND_COUNT && ns > (uint64_t)bounds_us[bucket] * 1000) {
        bucket++;
    }
    latency->buckets[bucket]++;
    latency->sum_ns += ns;
}
