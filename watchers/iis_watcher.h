/* SPDX-License-Identifier: MIT */
/* Watches one installation of IIS: reports the claims of its configuration whenever it changes.
 *
 * libuv watches the *folders* of the files concerned, since editors and IIS replace files, and a
 * file or folder may appear later. Events are hints only: a look compares the files with what was
 * read (size and time, or the content while the file is young), loads them on the thread pool when
 * they differ, and is made at every poll too. A load that fails reports `stale` (`waiting` while
 * nothing good was read yet) and is tried again, at first soon, but for a tenth of the time at
 * most. So does one that is overdue (overdue.h), until it comes back. One feed: "sites". */
#ifndef BERTH_WATCHERS_IIS_WATCHER_H
#define BERTH_WATCHERS_IIS_WATCHER_H

#include "watcher.h"

#include <uv.h>

/** Zero in a number means its default. */
struct berth_iis_watcher_options {
    const char *path;   /* applicationHost.config, UTF-8; copied */
    bool optional;      /* say `absent` while neither the file nor its folder exists and
                           nothing was ever read */
    uint32_t poll_ms;   /* 2,000: the safety net; 30,000 while it goes on failing; 1,000 at most
                           while a folder cannot be watched, which is said as `degraded` */
    uint32_t settle_ms; /* 20: events within this time of the first one make one look */
    uint32_t retry_first_ms; /* 50 */
    uint32_t retry_max_ms;   /* 5,000 */
    size_t file_limit_bytes; /* 64 MiB */
};

/** Gives a watcher that is not started. It keeps to watchers/watcher.h.
 *  @param[out] out   for ops->destroy()
 *  @param[in]  loop  must outlive the watcher
 *  @return BERTH_OK; NO_MEMORY; INVALID_PARAMS: no path. On error `out` is unchanged
 *  @thread the loop's  @blocks no  @source libuv, uv_fs_event_t, uv_queue_work */
enum berth_code berth_iis_watcher_create(struct berth_watcher **out, uv_loop_t *loop,
                                         const struct berth_iis_watcher_options *options,
                                         struct berth_error *err);

#endif
