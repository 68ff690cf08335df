/* SPDX-License-Identifier: MIT */
/* The operating system's hints (watchers/source_hints.h) in the daemon: opened once, as the
 * settings say, carried to whoever makes watchers look, their troubles told in the log. */
#ifndef BERTH_DAEMON_WATCH_HINTS_H
#define BERTH_DAEMON_WATCH_HINTS_H

#include "watchers/source_hints.h"

struct berth_watch_hints;

/** Makes one that listens to nothing yet.
 *  @param[in] look  is called on the loop for each source that is to be looked at; never after
 *                   berth_watch_hints_close()
 *  @return BERTH_OK; BERTH_NO_MEMORY  @thread loop, as all here */
enum berth_code berth_watch_hints_create(struct berth_watch_hints **out, uv_loop_t *loop,
                                         void (*look)(void *ctx, enum berth_source source),
                                         void *ctx, struct berth_error *err);

/** Listens from now on to these groups and to no others. On a system without hints nothing happens.
 *  What cannot be opened now is told in the log, once, and tried again at the next call and by
 *  berth_watch_hints_retry().
 *  @param[in] groups  a sum of enum berth_hint_groups  @blocks some 100 µs */
void berth_watch_hints_apply(struct berth_watch_hints *hints, unsigned groups);

/** Tries again to open what could not be, for lack of memory or of a thread. To be called now and
 *  then.  @blocks as berth_watch_hints_apply() */
void berth_watch_hints_retry(struct berth_watch_hints *hints);

/** Tells how a facility does.  @return false: it is not listened to; `out` is unchanged */
bool berth_watch_hints_status(const struct berth_watch_hints *hints,
                              enum berth_hint_facility facility, struct berth_hint_status *out);

/** Ends it. The memory is given back when the loop has closed what is open. NULL is accepted. */
void berth_watch_hints_close(struct berth_watch_hints *hints);

#endif
