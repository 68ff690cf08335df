/* SPDX-License-Identifier: MIT */
#include "pool_watch.h"

const char *berth_pool_level_name(enum berth_pool_level level)
{
    static const char *const names[] = {"ok", "low", "exhausted"};

    return names[level];
}

static enum berth_pool_level level_of(uint32_t free, uint32_t low)
{
    return free == 0 ? BERTH_LEVEL_EXHAUSTED : free < low ? BERTH_LEVEL_LOW : BERTH_LEVEL_OK;
}

/* A quarter of the threshold, as far as the pool has so many ports at all. */
static uint32_t with_margin(uint32_t low, uint32_t total)
{
    uint32_t margin = low / 4 + (low % 4 != 0);

    return low + margin < total ? low + margin : total;
}

bool berth_pool_watch_note(struct berth_pool_watch *watch, uint32_t free, uint32_t total,
                           uint32_t low, uint64_t now_ms)
{
    enum berth_pool_level level = level_of(free, low);

    if (level == BERTH_LEVEL_OK && watch->level != BERTH_LEVEL_OK &&
        free < with_margin(low, total)) {
        level = BERTH_LEVEL_LOW;
    }
    if (level >= watch->level) {
        bool worse = level > watch->level;
        watch->level = level;
        watch->better_since_ms = 0;
        return worse;
    }
    if (watch->better_since_ms == 0) {
        watch->better_since_ms = now_ms;
    }
    if (now_ms - watch->better_since_ms < BERTH_POOL_BETTER_MS) {
        return false;
    }
    watch->level = level;
    watch->better_since_ms = 0;
    return true;
}
