/* SPDX-License-Identifier: MIT */
/* The watchers that a system has besides those of the TCP table and of IIS's files: the contract of
 * each platform's list, which may be empty. */
#ifndef BERTH_WATCHERS_DEFAULT_WATCHERS_H
#define BERTH_WATCHERS_DEFAULT_WATCHERS_H

#include "watcher.h"

#include <stddef.h>
#include <uv.h>

struct berth_default_watcher {
    enum berth_source source;
    const char *name; /* of the source, for people */

    /** Gives a watcher that is not started.
     *  @param[out] out   for ops->destroy(); set only on BERTH_OK
     *  @param[in]  loop  must outlive it
     *  @return BERTH_OK; BERTH_NO_MEMORY  @thread the loop's  @blocks no */
    enum berth_code (*create)(struct berth_watcher **out, uv_loop_t *loop, struct berth_error *err);
};

/** Gives this platform's list.  @param[out] count  its rows  @return static  @thread any */
const struct berth_default_watcher *berth_default_watchers(size_t *count);

#endif
