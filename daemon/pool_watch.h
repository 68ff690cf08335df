/* SPDX-License-Identifier: MIT */
/* Which pools run out of ports. A pool that gets worse is told at once; that it is better is told
 * when it has been so for BERTH_POOL_BETTER_MS without a break, and with a margin above its
 * threshold, so that one that comes and goes around it does not flood anybody. Pure. */
#ifndef BERTH_DAEMON_POOL_WATCH_H
#define BERTH_DAEMON_POOL_WATCH_H

#include "settings.h"

#include <stdint.h>

#define BERTH_POOL_BETTER_MS 30000

enum berth_pool_level {
    BERTH_LEVEL_OK,
    BERTH_LEVEL_LOW,      /* fewer free ports than the pool's `low` */
    BERTH_LEVEL_EXHAUSTED /* none */
};

/** Gives "ok", "low", "exhausted".  @return a string constant  @thread any */
const char *berth_pool_level_name(enum berth_pool_level level);

/** One pool as it was told last. All zero: is well. */
struct berth_pool_watch {
    enum berth_pool_level level;
    uint64_t better_since_ms; /* 0: it is not better than told */
};

/** Takes how many ports of a pool are free.
 *  @param[in] total  ports of the pool  @param[in] low  its threshold; 0: it is never low
 *  @param[in] now_ms  monotonic, above 0
 *  @return true: `watch->level` is another than before, and to be told */
bool berth_pool_watch_note(struct berth_pool_watch *watch, uint32_t free, uint32_t total,
                           uint32_t low, uint64_t now_ms);

#endif
