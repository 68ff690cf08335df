/* SPDX-License-Identifier: MIT */
/* The running watchers: started and stopped as the settings say, their reports carried into the
 * allocator, their troubles into the log. */
#ifndef BERTH_DAEMON_WATCH_H
#define BERTH_DAEMON_WATCH_H

#include "allocator/allocator.h"
#include "settings.h"
#include "watchers/source_hints.h"
#include "watchers/tcp_watcher.h"
#include "watchers/watcher.h"

#include <uv.h>

struct berth_watch;

/** Copied. */
struct berth_watch_observer {
    /** Is told when a source's state is another than before. */
    void (*source)(void *ctx, const struct berth_source_entry *source);
    /** Is told when the settings no longer name a source, just before it goes: another one may get
     *  its place then. */
    void (*removed)(void *ctx, const struct berth_source_entry *source);
    void *ctx;
};

/** Makes a set without watchers.
 *  @param[in] allocator  takes the reports; must outlive the set
 *  @return BERTH_OK; BERTH_NO_MEMORY  @thread loop, as all here */
enum berth_code berth_watch_create(struct berth_watch **out, uv_loop_t *loop,
                                   struct berth_allocator *allocator,
                                   const struct berth_watch_observer *observer,
                                   struct berth_error *err);

/** Makes the running watchers those that the settings name: what is new is started, what is gone is
 *  stopped and its claims vanish, what is the same goes on undisturbed.
 *  @return BERTH_OK; BERTH_NO_MEMORY, BERTH_LIMIT_REACHED, or why a watcher did not start: the
 *          others run all the same  @blocks no */
enum berth_code berth_watch_apply(struct berth_watch *set, const struct berth_settings *settings,
                                  struct berth_error *err);

/** Tries again to listen to the operating system's hints, where that failed. To be called now and
 * then. */
void berth_watch_retry(struct berth_watch *set);

/** Makes every watcher of a source look at the truth soon. Where none is watched nothing happens.
 */
void berth_watch_look(struct berth_watch *set, enum berth_source source);

/** Tells how the events of the TCP table do.  @return false: it is not watched; `out` is unchanged
 */
bool berth_watch_events(struct berth_watch *set, struct berth_tcp_events_status *out);

/** Tells how the operating system's hints by a facility do.
 *  @return false: it is not listened to; `out` is unchanged */
bool berth_watch_hint(const struct berth_watch *set, enum berth_hint_facility facility,
                      struct berth_hint_status *out);

/** Stops all watchers. No report comes after it returns. The set's memory is given back when the
 *  loop has closed their handles and looks that are under way have come back, which one that hangs
 *  does not.
 *  @param[in] closed  is called when the memory is gone, possibly before this returns */
void berth_watch_close(struct berth_watch *set, void (*closed)(void *ctx), void *ctx);

/** Logs a warning for each source whose watcher was stopped and still has a look under way.
 *  @return how many there are */
size_t berth_watch_log_unfinished(const struct berth_watch *set);

#endif
