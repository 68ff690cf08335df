/* SPDX-License-Identifier: MIT */
/* Which listening addresses of one port overlap, and an index that finds for an address the first
 * one of another owner that overlaps it, without comparing each with each.
 *
 * What an address takes (docs/conflicts.md, "Which addresses overlap"): "*" everything, 0.0.0.0
 * every IPv4 address, [::] every IPv6 address and, unless it is V6-only, every IPv4 address too,
 * any other one itself. */
#ifndef BERTH_ALLOCATOR_ADDRESS_OVERLAP_H
#define BERTH_ALLOCATOR_ADDRESS_OVERLAP_H

#include "address.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BERTH_RANK_NONE UINT32_MAX

/** An address as something to listen on. */
struct berth_reach {
    struct berth_address address;
    bool v6_only; /* looked at for [::] only: it takes no IPv4 */
};

/** Tells whether there is an address that both take. The zones of an IPv6 address are different
 *  addresses, but zone 0 (not known) is every zone.  @thread any  @blocks no */
bool berth_reach_overlaps(const struct berth_reach *a, const struct berth_reach *b);

/** The lowest rank of a set, and the lowest one of another owner than that. */
struct berth_first {
    uint32_t rank; /* BERTH_RANK_NONE: the set is empty */
    uint32_t owner;
    uint32_t other_rank; /* BERTH_RANK_NONE: the set has one owner only */
};

/** One address in the index. The caller fills the first three. */
struct berth_overlap_entry {
    struct berth_reach reach;
    uint32_t owner;
    uint32_t rank;                  /* lower ones are found first; below BERTH_RANK_NONE */
    struct berth_first of_bytes;    /* of all with these bytes; set in the first of them */
    struct berth_first of_bytes_in; /* of those in this zone; set in the first of them */
};

/** An index over entries that belong to the caller and stay where they are. */
struct berth_overlap_index {
    const struct berth_overlap_entry *entries;
    size_t count;
    struct berth_first touching[2]; /* what takes something of IPv4, of IPv6 */
    struct berth_first whole[2];    /* what takes all of IPv4, of IPv6 */
};

/** Makes an index of `count` entries, which it puts into another order: O(n log n).  @thread any */
void berth_overlap_index_make(struct berth_overlap_index *out, struct berth_overlap_entry *entries,
                              size_t count);

/** Finds the lowest rank among the entries of other owners than `owner` that overlap `reach`:
 *  O(log n).  @return BERTH_RANK_NONE: there is none */
uint32_t berth_overlap_index_find(const struct berth_overlap_index *index,
                                  const struct berth_reach *reach, uint32_t owner);

#endif
