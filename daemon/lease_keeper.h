/* SPDX-License-Identifier: MIT */
/* Keeps the allocator's leases in the store: hands changes over before they are acknowledged, loads
 * them at start, syncs them where that is asked for, and does the store's upkeep on the loop. */
#ifndef BERTH_DAEMON_LEASE_KEEPER_H
#define BERTH_DAEMON_LEASE_KEEPER_H

#include "allocator/allocator.h"
#include "store.h"

#include <uv.h>

struct berth_lease_keeper;

struct berth_lease_keeper_options {
    struct berth_store_options store;
    /** Says that all changes up to number `upto` survive a power failure, or that it is not known
     *  whether they would (`failure`; NULL: they do). On the loop's thread. */
    void (*flushed)(void *ctx, uint64_t upto, const struct berth_error *failure);
    void *ctx;
    uint64_t retry_ms; /* so long after it failed the store is tried again; 0: 30 s */
};

/** Opens the store.
 *  @return as berth_store_open(); on error nothing runs
 *  @thread loop, as all here  @blocks for the disk */
enum berth_code berth_lease_keeper_open(struct berth_lease_keeper **out, uv_loop_t *loop,
                                        const struct berth_lease_keeper_options *options,
                                        struct berth_error *err);

/** Puts all kept leases into an allocator that has just been made, and keeps its changes from then
 *  on. What the log should know of them goes there.
 *  @return BERTH_OK; as berth_store_load() and berth_allocator_restore(): do not start with what is
 *          in the allocator now  @blocks for the disk */
enum berth_code berth_lease_keeper_load(struct berth_lease_keeper *keeper,
                                        struct berth_allocator *allocator, struct berth_error *err);

/** Makes a change durable: berth_allocator_options.keep with the keeper as its `ctx` does.
 *  @return as berth_store_apply() */
enum berth_code berth_lease_keeper_keep(struct berth_lease_keeper *keeper,
                                        const struct berth_lease_change *change,
                                        struct berth_error *err);

/** Forgets an ended lease: berth_allocator_options.forget. */
void berth_lease_keeper_forget(struct berth_lease_keeper *keeper, const struct berth_lease *lease);

/** Asks that all changes so far survive a power failure; `flushed` tells. To be asked before a
 *  change is acknowledged, also one of before: that was perhaps not flushed yet, or in vain.
 *  @return the number of the latest change: `flushed` will tell it, or a later one; 0: there is
 *          nothing to wait for, all is safe or the durability is `commit` */
uint64_t berth_lease_keeper_flush(struct berth_lease_keeper *keeper);

/** Gives the store, for history. */
struct berth_store *berth_lease_keeper_store(struct berth_lease_keeper *keeper);

/** Gives how the store does; valid as long as the keeper. One that failed works again with a change
 *  that it takes, of somebody's or of upkeep's own, which makes one now and then; under durability
 *  `sync` with a flush. */
const struct berth_store_health *berth_lease_keeper_health(const struct berth_lease_keeper *keeper);

/** Makes all durable, tells `flushed` no more, and lets go of the store. The memory is given back
 *  when the loop has closed its handles. NULL is accepted.  @blocks for the disk */
void berth_lease_keeper_close(struct berth_lease_keeper *keeper);

#endif
