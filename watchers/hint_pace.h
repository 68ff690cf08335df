/* SPDX-License-Identifier: MIT */
/* When a hinted source is to be looked at: pure, with the time as a parameter.
 *
 * The first hint is followed at once. Later ones keep a distance that is chosen by what a look
 * costs, so that a program that registers URLs in a loop, or a build that starts a thousand
 * processes, costs a bounded share of a core. Where the system may tell before its lists show it, a
 * second look follows the last one. */
#ifndef BERTH_WATCHERS_HINT_PACE_H
#define BERTH_WATCHERS_HINT_PACE_H

#include "allocator/claim.h"

#include <stdbool.h>
#include <stdint.h>

/** Nothing is due. */
#define BERTH_HINT_NEVER UINT64_MAX

/** What is kept of one source. Zeroed: no hint came yet. */
struct berth_hint_turn {
    bool looked;      /* last_ms says something */
    bool hinted;      /* a look is owed */
    bool again;       /* and one after it, or this is the second */
    uint64_t last_ms; /* the latest look */
};

/** Of all sources. Zeroed: no hint came yet. */
struct berth_hint_pace {
    struct berth_hint_turn turns[BERTH_SOURCE_COUNT];
};

/** Gives the least time between two looks at a source that hints make: 100 ms for IIS's files,
 *  500 ms for the TCP table, 5 s for what netsh is asked.  @thread any */
uint64_t berth_hint_pace_distance_ms(enum berth_source source);

/** Notes hints.  @param[in] sources  a sum of BERTH_HINT_BIT() */
void berth_hint_pace_note(struct berth_hint_pace *pace, unsigned sources);

/** Takes out what is to be looked at now.  @return a sum of BERTH_HINT_BIT() */
unsigned berth_hint_pace_take(struct berth_hint_pace *pace, uint64_t now_ms);

/** Gives when to ask again.  @return a time as of `now_ms` of _take; BERTH_HINT_NEVER: nothing is
 *  owed */
uint64_t berth_hint_pace_next_ms(const struct berth_hint_pace *pace);

#endif
