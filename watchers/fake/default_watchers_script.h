/* SPDX-License-Identifier: MIT */
/* What the fake platform's list of watchers holds: nothing, unless a test says so. */
#ifndef BERTH_WATCHERS_FAKE_DEFAULT_WATCHERS_SCRIPT_H
#define BERTH_WATCHERS_FAKE_DEFAULT_WATCHERS_SCRIPT_H

#include "watchers/default_watchers.h"

/** Sets the list.  @param[in] rows  must stay where they are  @thread the loop's */
void berth_fake_default_watchers_set(const struct berth_default_watcher *rows, size_t count);

#endif
