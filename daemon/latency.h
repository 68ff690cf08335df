/* SPDX-License-Identifier: MIT */
/* How long requests took, as a histogram. Pure. */
#ifndef BERTH_DAEMON_LATENCY_H
#define BERTH_DAEMON_LATENCY_H

#include <stdint.h>

/* Upper bounds in microseconds; what takes longer is in the last bucket, which has none. */
#define BERTH_LATENCY_BOUNDS(X)                                                                    \
    X(5) X(10) X(25) X(50) X(100) X(250) X(500) X(1000) X(2500) X(10000) X(100000) X(1000000)

enum {
#define BERTH_LATENCY_ONE(us) +1
    BERTH_LATENCY_BOUND_COUNT = BERTH_LATENCY_BOUNDS(BERTH_LATENCY_ONE)
#undef BERTH_LATENCY_ONE
};

struct berth_latency {
    uint64_t buckets[BERTH_LATENCY_BOUND_COUNT + 1]; /* each by itself, not summed up */
    uint64_t sum_ns;
};

/** Gives a bound in microseconds.  @param[in] number  below BERTH_LATENCY_BOUND_COUNT */
uint32_t berth_latency_bound_us(unsigned number);

/** Counts a request that took `ns`. */
void berth_latency_note(struct berth_latency *latency, uint64_t ns);

#endif
