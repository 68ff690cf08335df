/* SPDX-License-Identifier: MIT */
/* A lease as the allocator has it, and as the store keeps it: one from the other. Pure. */
#ifndef BERTH_DAEMON_LEASE_RECORD_H
#define BERTH_DAEMON_LEASE_RECORD_H

#include "allocator/allocator.h"
#include "store.h"

/** Gives the record of a lease after a change. Its strings are the lease's.
 *  @param[in] expires_unix_ms  when it ends, for people; -1: not by itself; of an ended one it is
 *                              when it ended that is kept
 *  @thread any  @blocks no */
struct berth_lease_record berth_lease_record_of(const struct berth_lease_change *change,
                                                int64_t expires_unix_ms);

/** Reads a record. The strings of what it gives are the record's.
 *  @return BERTH_OK; BERTH_STORE_FAILED: the record says what no lease can be, `err` names it;
 *          *out is unchanged  @thread any  @blocks no */
enum berth_code berth_lease_record_read(const struct berth_lease_record *record,
                                        struct berth_lease_kept *out, struct berth_error *err);

/** Makes the history entries of a change: one for each port, those of a replaced lease that still
 *  held its ports before them.
 *  @param[out] out  room for BERTH_LEASE_HISTORY_MAX; strings are the leases'
 *  @return how many */
size_t berth_lease_history_of(const struct berth_lease_change *change,
                              struct berth_history_entry *out);

#define BERTH_LEASE_HISTORY_MAX ((size_t)2 * BERTH_STORE_PORTS_MAX)

#endif
