/* SPDX-License-Identifier: MIT */
/* A watcher whose world is set by calls: for tests of those who own watchers, and for trying things
 * out on machines that lack the real ones. */
#ifndef BERTH_WATCHERS_FAKE_WATCHER_H
#define BERTH_WATCHERS_FAKE_WATCHER_H

#include "watchers/watcher.h"

#include <uv.h>

#define BERTH_FAKE_FEEDS_MAX 4

/** Gives a watcher that is not started. Its state is WAITING with the reason "nothing set yet".
 *
 *  A look reports the world as it is then: the state alone while that is WAITING, STALE or ABSENT;
 *  else each feed's snapshot, then the state. Where a snapshot is not taken, the state is WAITING
 * or STALE, and the next look is made soon.
 *
 *  @param[out] out         for ops->destroy()
 *  @param[in]  feeds       names, which must outlive the watcher
 *  @param[in]  feed_count  1 to BERTH_FAKE_FEEDS_MAX
 *  @return BERTH_OK; NO_MEMORY; INVALID_PARAMS: feed_count. On error `out` is unchanged
 *  @thread the loop's  @blocks no */
enum berth_code berth_fake_watcher_create(struct berth_watcher **out, uv_loop_t *loop,
                                          enum berth_source source, const char *const *feeds,
                                          unsigned feed_count, struct berth_error *err);

/** Sets what a feed sees; the next look reports it.
 *  @param[in] snapshot  copied, strings and all
 *  @return BERTH_OK; NO_MEMORY: the feed is as it was */
enum berth_code berth_fake_watcher_set_snapshot(struct berth_watcher *watcher, unsigned feed,
                                                const struct berth_snapshot *snapshot,
                                                struct berth_error *err);

/** Sets the state that the next look reports.
 *  @param[in] reason  copied, up to 200 bytes; ignored for READY */
void berth_fake_watcher_set_state(struct berth_watcher *watcher, enum berth_source_state state,
                                  const char *reason);

/** Makes the next `start` fail with this code. BERTH_OK: none. */
void berth_fake_watcher_fail_start(struct berth_watcher *watcher, enum berth_code code);

/** Gives how many looks were made so far. */
unsigned berth_fake_watcher_looks(struct berth_watcher *watcher);

#endif
