/* SPDX-License-Identifier: MIT */
/* What the allocator's own files share. */
#ifndef BERTH_ALLOCATOR_ALLOCATOR_PRIVATE_H
#define BERTH_ALLOCATOR_ALLOCATOR_PRIVATE_H

#include "allocator.h"

/** Begins a call: notes the present, and who asks (NULL: nobody does). */
void berth__allocator_enter(struct berth_allocator *allocator, struct berth_now now,
                            const char *asked_by);

/** Gives the time on the leases' clock, which stands still while a source is not current. */
uint64_t berth__allocator_lease_clock(const struct berth_allocator *allocator,
                                      struct berth_now now);

/** Checks texts, times and numbers of a request.  @return BERTH_OK; BERTH_INVALID_PARAMS,
 *  BERTH_TOO_LARGE */
enum berth_code berth__allocator_check_request(const struct berth_allocate_request *request,
                                               struct berth_error *err);

/** Gives a lease id that no lease has. */
uint64_t berth__allocator_fresh_id(const struct berth_allocator *allocator);

/** Tells whether every source has been heard; else names those that have not. */
enum berth_code berth__allocator_check_ready(const struct berth_allocator *allocator,
                                             struct berth_refusal *refusal,
                                             struct berth_error *err);

/** Chooses the ports of a wish, without taking them: the one asked for, those that the key had
 *  (`before`, an ended lease of it; NULL: none), the preferred one, or the lowest free ones. */
enum berth_code berth__allocator_choose(const struct berth_allocator *allocator,
                                        const struct berth_wish *wish, const char *key,
                                        const char *holder, const struct berth_lease *before,
                                        uint16_t *ports, struct berth_refusal *refusal,
                                        struct berth_error *err);

/* ---- allocate.c ---- */

/** Takes ports, which are known to be the key's to have, as a new lease, in the place of another.
 *  @param[in] before  gone afterwards; if it lives it is released, without a cool-down. NULL: none
 *  @return BERTH_OK; what the book, the ledger or the keeper says: nothing changed */
enum berth_code berth__allocator_take(struct berth_allocator *allocator,
                                      const struct berth_allocate_request *request,
                                      const struct berth_caller *caller, const uint16_t *ports,
                                      struct berth_lease *before, enum berth_lease_event event,
                                      struct berth_now now, struct berth_lease **out,
                                      struct berth_error *err);

/** Chooses likewise, and tries whether the ports can be bound where that is wanted; what is found
 * to be in use or forbidden is claimed for a while.
 *  @return as berth__allocator_choose(), and BERTH_BUSY: too many could not be bound */
enum berth_code berth__allocator_choose_tried(struct berth_allocator *allocator,
                                              const struct berth_allocate_request *request,
                                              const struct berth_lease *before,
                                              struct berth_now now, uint16_t *ports,
                                              struct berth_refusal *refusal,
                                              struct berth_error *err);

/* ---- lease_life.c ---- */

/** Tells what happened to a lease. */
void berth__allocator_tell(struct berth_allocator *allocator, const struct berth_lease *lease,
                           enum berth_lease_event event);

/** Has a change made durable.  @return what the keeper says */
enum berth_code berth__allocator_keep(struct berth_allocator *allocator,
                                      const struct berth_lease_change *change,
                                      struct berth_error *err);

/** Forgets an ended lease for good. It is gone afterwards. */
void berth__allocator_forget(struct berth_allocator *allocator, struct berth_lease *lease);

/** Claims all ports of a lease.  @return BERTH_OK; BERTH_NO_MEMORY: none is claimed */
enum berth_code berth__allocator_claim_ports(struct berth_allocator *allocator,
                                             const struct berth_lease *lease,
                                             struct berth_error *err);

/** Takes the lease's claims on its first `count` ports away. */
void berth__allocator_unclaim(struct berth_allocator *allocator, const struct berth_lease *lease,
                              unsigned count);

/** Tells whether somebody other than the holder uses a port of the lease, and the holder none.
 *  @param[out] port  which one; 0: none */
bool berth__allocator_is_lost(const struct berth_allocator *allocator,
                              const struct berth_lease *lease, uint16_t *port);

/** Tells whether a port is a binding of the holder's site, of a protocol (NONE: any), unleased or
 *  leased under an adopted key of that site. */
bool berth__allocator_is_site_of(const struct berth_allocator *allocator, uint16_t port,
                                 const char *holder, enum berth_protocol protocol);

/** Lets a lease's ports cool down. A cool-down that there is no memory for is left out. */
void berth__allocator_cool_down(struct berth_allocator *allocator, const struct berth_lease *lease,
                                struct berth_now now);

/** Looks whether a lease's holder is on its port, and moves it accordingly. */
void berth__allocator_look_at(struct berth_allocator *allocator, struct berth_lease *lease,
                              struct berth_now now);

/** Notes that a lease's port has to be looked at when the snapshot is in. */
void berth__allocator_note_change(struct berth_allocator *allocator,
                                  const struct berth_change *change);

/** Looks at the leases of all noted ports. */
void berth__allocator_settle(struct berth_allocator *allocator, struct berth_now now);

/** Looks at all live leases: when every source is heard again. */
void berth__allocator_settle_all(struct berth_allocator *allocator, struct berth_now now);

/** Ends a lease. An anonymous one is gone afterwards, others are remembered.
 *  @param[in] happening  GIVEN_BACK or TIME_UP  @param[in] cools  its ports cool down
 *  @return BERTH_OK; what the keeper says: nothing changed (GIVEN_BACK only) */
enum berth_code berth__allocator_end(struct berth_allocator *allocator, struct berth_lease *lease,
                                     enum berth_lease_happening happening, bool cools,
                                     struct berth_now now, struct berth_error *err);

#endif
