/* SPDX-License-Identifier: MIT */
/* The watchers' contract: what each one offers to the daemon, and what it is given to report to.
 *
 * A watcher looks at one part of the world and reports *complete snapshots* of the claims that it
 * sees there, one stream of snapshots a feed. It never reports a snapshot that it is not sure of:
 * when a look fails, it says `stale` with the reason, and what it reported last stays. A snapshot
 * that is not taken is a look that failed, and one that is long under way counts as failing until
 * it comes back (overdue.h). Events of the operating system only make it look sooner.
 *
 * All functions are called on the loop's thread and do not block. A watcher may work elsewhere (the
 * thread pool), but it reports on the loop's thread. */
#ifndef BERTH_WATCHERS_WATCHER_H
#define BERTH_WATCHERS_WATCHER_H

#include "allocator/claim.h"
#include "allocator/sources.h"
#include "base/error.h"

#include <stddef.h>

struct berth_watcher;

/** Everything that a feed sees at one moment. */
struct berth_snapshot {
    const struct berth_claim *claims; /* any order; duplicates add up to one; `feed` is ignored */
    size_t claim_count;
    const char *const *warnings; /* sentences for people: what was passed over, and where */
    size_t warning_count;
};

/** Where a watcher reports to. The reported data belongs to the watcher and is valid only during
 * the call. A report may not call the watcher back, except with `look`. */
struct berth_watcher_sink {
    /** Takes everything that feed number `feed` (index into ops->feeds) sees now.
     *  @return BERTH_OK; NO_MEMORY, TOO_LARGE: nothing was taken, and what the feed reported before
     *          stays in force. The watcher then treats the look as one that failed, for the reason
     *          in `err`: it goes by what was taken last, and tries again with its back-off */
    enum berth_code (*snapshot)(struct berth_watcher *from, unsigned feed,
                                const struct berth_snapshot *snapshot, struct berth_error *err);
    /** Takes the watcher's state. `reason` is a sentence, NULL with `ready` only. Repeating a state
     *  is harmless. A watcher starts as `waiting`, which it stays when looks fail, and says
     * `ready`, `degraded` or `stale` after a first snapshot of each feed was taken only. */
    void (*state)(struct berth_watcher *from, enum berth_source_state state, const char *reason);
    /** Takes word that a port of feed number `feed` has just become busy: `claim` counts as if it
     *  were in the feed's last snapshot, and the next one confirms it or leaves it out. NULL for
     *  watchers that have no such news. */
    void (*busy)(struct berth_watcher *from, unsigned feed, const struct berth_claim *claim);
};

struct berth_watcher_ops {
    enum berth_source source;
    const char *const *feeds; /* names of its feeds, for logs: "listeners", "connections" … */
    unsigned feed_count;      /* 1 to 4 */

    /** Starts watching; the first look is under way when it returns.
     *  @return BERTH_OK, or an error: then nothing runs, no report will come, and only `destroy`
     * may be called. What can mend itself later (a missing file) is no error but a state. */
    enum berth_code (*start)(struct berth_watcher *watcher, struct berth_error *err);

    /** Looks at the truth soon. Many calls before the look make one look. */
    void (*look)(struct berth_watcher *watcher);

    /** Stops: no report comes after it returns; `stopped` is called on the loop once all handles
     * are closed, possibly before `stop` returns where nothing was started. */
    void (*stop)(struct berth_watcher *watcher, void (*stopped)(struct berth_watcher *watcher));

    /** Gives the watcher's memory back: never started, or after `stopped` was called. */
    void (*destroy)(struct berth_watcher *watcher);
};

/** What each watcher's own struct begins with. */
struct berth_watcher {
    const struct berth_watcher_ops *ops;
    const struct berth_watcher_sink *sink; /* set by the owner before `start` */
    void *owner;                           /* the owner's own mark; a watcher never looks at it */
};

#endif
