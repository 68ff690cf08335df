/* SPDX-License-Identifier: MIT */
/* A watcher of what no event tells of: it asks a reader every now and then, on libuv's thread pool,
 * and reports what that finds. One feed.
 *
 * After a failure it asks again after 1 s, then after 2, 4, 8 … s, at most at the usual pace. While
 * a look is overdue (overdue.h) no other one begins. */
#ifndef BERTH_WATCHERS_POLL_WATCHER_H
#define BERTH_WATCHERS_POLL_WATCHER_H

#include "claim_list.h"
#include "watcher.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

/** What one look found. */
struct berth_poll_answer {
    struct berth_claim_list list;  /* everything there is; empty and without a limit at first */
    enum berth_source_state state; /* READY (at first), DEGRADED or ABSENT */
    char reason[480];              /* a sentence unless READY */
};

/** Looks at one part of the world. */
struct berth_poll_reader {
    enum berth_source source;
    const char *feed; /* its name */
    const char *what; /* for people, of one that takes long: "the excluded port ranges" */

    /** Looks once.  @param[in] demanded  somebody asked for it: nothing may come from memory
     *  @return BERTH_OK, or why there is no answer, which then is not looked at
     *  @thread the pool's, one look at a time  @blocks as long as it takes */
    enum berth_code (*read)(void *context, bool demanded, struct berth_poll_answer *out,
                            struct berth_error *err);

    /** Gives the context back.  @thread the loop's, when no look runs */
    void (*close)(void *context);
};

#define BERTH_POLL_RETRY_MS 1000u

/** Gives a watcher that is not started. It keeps to watchers/watcher.h. States: `waiting` with a
 *  reason until a look succeeds, `stale` while looks fail after that, else what the reader says.
 *  @param[out] out      for ops->destroy()
 *  @param[in]  reader   must outlive the watcher
 *  @param[in]  context  the reader's; `destroy` closes it. On error it is still the caller's
 *  @param[in]  poll_ms  at least 1
 *  @return BERTH_OK; NO_MEMORY; INVALID_PARAMS: a time of 0. On error `out` is unchanged
 *  @thread the loop's  @blocks no  @source libuv, uv_queue_work */
enum berth_code berth_poll_watcher_create(struct berth_watcher **out, uv_loop_t *loop,
                                          const struct berth_poll_reader *reader, void *context,
                                          uint64_t poll_ms, struct berth_error *err);

#endif
