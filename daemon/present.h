/* SPDX-License-Identifier: MIT */
/* How claims, leases and ranges look in answers (docs/protocol.md, "Objects"). */
#ifndef BERTH_DAEMON_PRESENT_H
#define BERTH_DAEMON_PRESENT_H

#include "allocator/allocator.h"
#include "base/json_writer.h"

/** Writes [first, last]. */
void berth_present_range(struct berth_json *json, struct berth_port_range range);

/** Writes a member whose value is a time, RFC 3339. */
void berth_present_time(struct berth_json *json, const char *name, int64_t unix_ms);

/** Writes one claim as an object. */
void berth_present_claim(struct berth_json *json, const struct berth_allocator *allocator,
                         const struct berth_claim *claim, struct berth_now now);

/** Writes the member "claims": all claims on a port. */
void berth_present_claims(struct berth_json *json, const struct berth_allocator *allocator,
                          uint16_t port, struct berth_now now);

/** Writes what tells a conflict, without its claims, which may be gone when it ends: members. */
void berth_present_conflict_members(struct berth_json *json,
                                    const struct berth_conflict_entry *entry);

/** Writes a conflict as an object. */
void berth_present_conflict(struct berth_json *json, const struct berth_allocator *allocator,
                            const struct berth_conflict_entry *entry, struct berth_now now);

/** Writes a lease as an object. */
void berth_present_lease(struct berth_json *json, const struct berth_allocator *allocator,
                         const struct berth_lease *lease, struct berth_now now);

/** Writes the members that answers about a lease share: port, ports, lease, key, generation, state,
 *  expires_at, hold. */
void berth_present_lease_members(struct berth_json *json, const struct berth_allocator *allocator,
                                 const struct berth_lease *lease, struct berth_now now);

/** Writes a pool as an object: name, range, total, free, next and, if wanted, its free ranges. */
void berth_present_pool(struct berth_json *json, const struct berth_allocator *allocator,
                        const struct berth_pool *pool, bool with_ranges);

/** Writes the member "counts" or the like: how many ports of the windows are in each state but
 * free.
 */
void berth_present_counts(struct berth_json *json, const char *name,
                          const struct berth_allocator *allocator,
                          const struct berth_windows *windows);

#endif
