/* SPDX-License-Identifier: MIT */
/* None: tests bring their own. */
#include "default_watchers_script.h"

static const struct berth_default_watcher *set_rows;
static size_t set_count;

void berth_fake_default_watchers_set(const struct berth_default_watcher *rows, size_t count)
{
    set_rows = rows;
    set_count = count;
}

const struct berth_default_watcher *berth_default_watchers(size_t *count)
{
    *count = set_count;
    return set_rows;
}
