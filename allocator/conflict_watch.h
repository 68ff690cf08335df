/* SPDX-License-Identifier: MIT */
/* Keeps a book of conflicts in step with a ledger: notes which ports changed, and works their
 * conflicts out again a bounded number at a time, so that neither a change of a claim nor a
 * snapshot of thousands holds anybody up. It also remembers for 5 minutes where something listened,
 * which decides whether a connection's socket takes a lease.
 *
 * Pure: no I/O, no clock. One thread at a time; nothing blocks. About 300 KiB, of which only what
 * is used is touched. */
#ifndef BERTH_ALLOCATOR_CONFLICT_WATCH_H
#define BERTH_ALLOCATOR_CONFLICT_WATCH_H

#include "conflict_book.h"
#include "ledger.h"

/** How long a listener that is gone still explains connections on its port. */
#define BERTH_LISTENED_LATELY_MS (5ULL * 60 * 1000)

/** The most claims that one call of berth_conflict_watch_work() looks at, the last port's apart. */
#define BERTH_CONFLICT_WORK_CLAIMS 20000

struct berth_conflict_watch_options {
    const struct berth_ledger *ledger;
    struct berth_conflict_book *book; /* the caller's, as long as the watch */
    /** Gives the lease of a port while it is pending, active or lingering; its strings need live
     *  until the next call only.  @return false: there is none. NULL: there are no leases */
    bool (*lease)(void *ctx, uint16_t port, struct berth_conflict_lease *out);
    void *ctx;
};

struct berth_conflict_watch;

/** Makes a watch, with every port to be looked at and http.sys absent.
 *  @param[in] now_ms  monotonic. As nobody knows what listened before, for the first 5 minutes
 *                     something is taken to have listened lately everywhere
 *  @return BERTH_OK; BERTH_NO_MEMORY: *out is unchanged */
enum berth_code berth_conflict_watch_create(struct berth_conflict_watch **out,
                                            const struct berth_conflict_watch_options *options,
                                            uint64_t now_ms, struct berth_error *err);

/** Gives the memory back; the book stays as it is. NULL is accepted. */
void berth_conflict_watch_destroy(struct berth_conflict_watch *watch);

/** Notes a change of the ledger, from its observer. Does nothing else, and cannot fail. */
void berth_conflict_watch_note(struct berth_conflict_watch *watch,
                               const struct berth_change *change, uint64_t now_ms);

/** Notes that a port's lease became another, or changed its holder. */
void berth_conflict_watch_mark(struct berth_conflict_watch *watch, uint16_t port);

/** Sets what holds for the whole machine, and has every port looked at again if it is new.
 *  @param[in] facts  copied
 *  @return BERTH_OK; BERTH_NO_MEMORY: the old facts stay */
enum berth_code berth_conflict_watch_set_facts(struct berth_conflict_watch *watch,
                                               const struct berth_conflict_facts *facts,
                                               struct berth_error *err);

/** Looks at up to `ports` of the ports that changed, lowest first after those of the last call,
 *  and opens what is due in the book.
 *  @return BERTH_OK; BERTH_NO_MEMORY: the port at which it happened stays as it was in the book
 *          and will be looked at again; what came before it is done */
enum berth_code berth_conflict_watch_work(struct berth_conflict_watch *watch, unsigned ports,
                                          uint64_t now_ms, int64_t unix_ms,
                                          struct berth_error *err);

/** Gives when berth_conflict_watch_work() is due: `now_ms` while ports wait to be looked at, else
 *  a later time or BERTH_NEVER. */
uint64_t berth_conflict_watch_due_ms(const struct berth_conflict_watch *watch, uint64_t now_ms);

/** Tells whether a port waits to be looked at: what the book says of it may be out of date. */
bool berth_conflict_watch_is_waiting(const struct berth_conflict_watch *watch, uint16_t port);

#endif
