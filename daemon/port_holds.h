/* SPDX-License-Identifier: MIT */
/* The ports that the daemon holds for leases (`hold` of allocate): which ones they are follows from
 * the leases. A lease with `hold` has its ports held while it is pending or lingering: until its
 * holder is there, it ends, or the hold is handed over.
 *
 * All on the loop's thread; nothing blocks. */
#ifndef BERTH_DAEMON_PORT_HOLDS_H
#define BERTH_DAEMON_PORT_HOLDS_H

#include "allocator/allocator.h"
#include "port_hold.h"

#define BERTH_HELD_PORTS_MAX 512 /* two descriptors each */

struct berth_port_holds;

/** Makes a set that holds nothing yet.
 *  @param[in]  system  how ports are held; stays the caller's
 *  @param[out] out     set only on success; NULL where `system` is: then nothing can be held
 *  @return BERTH_OK, BERTH_NO_MEMORY */
enum berth_code berth_port_holds_create(struct berth_port_holds **out,
                                        const struct berth_port_hold_system *system,
                                        struct berth_error *err);

/** Lets all ports go and gives the memory back. NULL is accepted. */
void berth_port_holds_destroy(struct berth_port_holds *holds);

/** Counts the ports that are held. NULL is accepted. */
size_t berth_port_holds_count(const struct berth_port_holds *holds);

/** Says whether a lease that is granted from now on must have its ports held, or is refused. */
void berth_port_holds_demand(struct berth_port_holds *holds, bool demanded);

/** Holds the ports of a lease that is about to be granted with `hold`, if that is demanded; to be
 *  called before the change is made durable. Any other change is none of its business. NULL is
 *  accepted.
 *  @return BERTH_OK; BERTH_PORT_IN_USE, BERTH_LIMIT_REACHED, BERTH_NOT_SUPPORTED, BERTH_IO: none of
 *          them is held; berth_port_holds_explain() says more */
enum berth_code berth_port_holds_prepare(struct berth_port_holds *holds,
                                         const struct berth_lease_change *change,
                                         struct berth_error *err);

/** Undoes berth_port_holds_prepare(): the change was not made. */
void berth_port_holds_undo(struct berth_port_holds *holds, const struct berth_lease_change *change);

/** Adds to a refusal what a failure of berth_port_holds_prepare() knows, and forgets it.
 *  @return false: there was none since the last call */
bool berth_port_holds_explain(struct berth_port_holds *holds, struct berth_refusal *refusal);

/** Makes what is held follow what happened to a lease. A port that cannot be held now is logged,
 *  and tried again by berth_port_holds_retry(). NULL is accepted. */
void berth_port_holds_follow(struct berth_port_holds *holds, const struct berth_lease *lease,
                             enum berth_lease_event event);

/** Holds what is to be held and is not: after a start, for all leases that were kept; later for
 *  those that could not be held. Costs nothing where there is nothing to do. NULL is accepted.
 *  @param[in] started  the daemon has just started */
void berth_port_holds_retry(struct berth_port_holds *holds, const struct berth_allocator *allocator,
                            bool started);

#endif
