/* SPDX-License-Identifier: MIT */
#include "address_overlap.h"

#include <stdlib.h>
#include <string.h>

enum half { HALF_IPV4, HALF_IPV6, HALVES };

/* What a reach takes of one half of the address space. */
enum take { TAKES_NOTHING, TAKES_ONE, TAKES_ALL };

static enum take take_of(const struct berth_reach *reach, enum half half)
{
    const struct berth_address *address = &reach->address;

    if (address->family == BERTH_FAMILY_ALL) {
        return TAKES_ALL;
    }
    if (address->family == BERTH_FAMILY_IPV4) {
        if (half == HALF_IPV6) {
            return TAKES_NOTHING;
        }
        return berth_address_is_wildcard(address) ? TAKES_ALL : TAKES_ONE;
    }
    if (!berth_address_is_wildcard(address)) {
        return half == HALF_IPV6 ? TAKES_ONE : TAKES_NOTHING;
    }
    return half == HALF_IPV6 || !reach->v6_only ? TAKES_ALL : TAKES_NOTHING;
}

static int compare_bytes(const struct berth_address *a, const struct berth_address *b)
{
    int order = (int)a->family - (int)b->family;

    return order != 0 ? order : memcmp(a->bytes, b->bytes, sizeof a->bytes);
}

static bool same_address(const struct berth_address *a, const struct berth_address *b)
{
    return compare_bytes(a, b) == 0 && (a->scope == b->scope || a->scope == 0 || b->scope == 0);
}

bool berth_reach_overlaps(const struct berth_reach *a, const struct berth_reach *b)
{
    for (enum half half = HALF_IPV4; half < HALVES; half++) {
        enum take of_a = take_of(a, half);
        enum take of_b = take_of(b, half);
        if (of_a == TAKES_NOTHING || of_b == TAKES_NOTHING) {
            continue;
        }
        if (of_a == TAKES_ALL || of_b == TAKES_ALL || same_address(&a->address, &b->address)) {
            return true;
        }
    }
    return false;
}

/* ---- the index ---- */

static const struct berth_first nobody = {BERTH_RANK_NONE, 0, BERTH_RANK_NONE};

static void note(struct berth_first *first, uint32_t rank, uint32_t owner)
{
    if (first->rank == BERTH_RANK_NONE) {
        first->rank = rank;
        first->owner = owner;
    } else if (rank < first->rank) {
        /* the old lowest is the lowest of the others, unless it is the same owner's */
        if (owner != first->owner) {
            first->other_rank = first->rank;
        }
        first->rank = rank;
        first->owner = owner;
    } else if (owner != first->owner && rank < first->other_rank) {
        first->other_rank = rank;
    }
}

static uint32_t other_than(const struct berth_first *first, uint32_t owner)
{
    return first->owner != owner ? first->rank : first->other_rank;
}

static int compare_entries(const void *a, const void *b)
{
    const struct berth_overlap_entry *x = a;
    const struct berth_overlap_entry *y = b;
    int order = compare_bytes(&x->reach.address, &y->reach.address);

    if (order != 0) {
        return order;
    }
    if (x->reach.address.scope != y->reach.address.scope) {
        return x->reach.address.scope < y->reach.address.scope ? -1 : 1;
    }
    return x->rank < y->rank ? -1 : x->rank > y->rank;
}

static void note_halves(struct berth_overlap_index *index, const struct berth_overlap_entry *entry)
{
    for (enum half half = HALF_IPV4; half < HALVES; half++) {
        enum take take = take_of(&entry->reach, half);
        if (take != TAKES_NOTHING) {
            note(&index->touching[half], entry->rank, entry->owner);
        }
        if (take == TAKES_ALL) {
            note(&index->whole[half], entry->rank, entry->owner);
        }
    }
}

void berth_overlap_index_make(struct berth_overlap_index *out, struct berth_overlap_entry *entries,
                              size_t count)
{
    struct berth_overlap_entry *bytes_start = NULL;
    struct berth_overlap_entry *zone_start = NULL;

    *out = (struct berth_overlap_index){
        .entries = entries,
        .count = count,
        .touching = {nobody, nobody},
        .whole = {nobody, nobody},
    };
    if (count != 0) {
        qsort(entries, count, sizeof *entries, compare_entries);
    }
    for (size_t i = 0; i < count; i++) {
        struct berth_overlap_entry *entry = &entries[i];
        const struct berth_address *address = &entry->reach.address;
        if (bytes_start == NULL || compare_bytes(&bytes_start->reach.address, address) != 0) {
            bytes_start = entry;
            bytes_start->of_bytes = nobody;
            zone_start = NULL;
        }
        if (zone_start == NULL || zone_start->reach.address.scope != address->scope) {
            zone_start = entry;
            zone_start->of_bytes_in = nobody;
        }
        note(&bytes_start->of_bytes, entry->rank, entry->owner);
        note(&zone_start->of_bytes_in, entry->rank, entry->owner);
        note_halves(out, entry);
    }
}

static int compare_address_at(const struct berth_overlap_entry *entry,
                              const struct berth_address *address, uint32_t scope)
{
    int order = compare_bytes(&entry->reach.address, address);

    if (order != 0) {
        return order;
    }
    return entry->reach.address.scope < scope ? -1 : entry->reach.address.scope > scope;
}

/* Finds the first entry at or after an address in a zone; `count`: there is none. */
static size_t lower_bound(const struct berth_overlap_index *index,
                          const struct berth_address *address, uint32_t scope)
{
    size_t low = 0;
    size_t high = index->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (compare_address_at(&index->entries[middle], address, scope) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static uint32_t lower_of(uint32_t a, uint32_t b)
{
    return a < b ? a : b;
}

/* Finds the lowest rank at exactly one address: its bytes in its zone and in the unknown zone. */
static uint32_t find_same(const struct berth_overlap_index *index,
                          const struct berth_address *address, uint32_t owner)
{
    uint32_t found = BERTH_RANK_NONE;
    size_t at = lower_bound(index, address, 0);

    if (at == index->count || compare_bytes(&index->entries[at].reach.address, address) != 0) {
        return BERTH_RANK_NONE;
    }
    if (address->scope == 0) {
        return other_than(&index->entries[at].of_bytes, owner);
    }
    if (index->entries[at].reach.address.scope == 0) {
        found = other_than(&index->entries[at].of_bytes_in, owner);
    }
    at = lower_bound(index, address, address->scope);
    if (at < index->count &&
        compare_address_at(&index->entries[at], address, address->scope) == 0) {
        found = lower_of(found, other_than(&index->entries[at].of_bytes_in, owner));
    }
    return found;
}

uint32_t berth_overlap_index_find(const struct berth_overlap_index *index,
                                  const struct berth_reach *reach, uint32_t owner)
{
    uint32_t found = BERTH_RANK_NONE;

    for (enum half half = HALF_IPV4; half < HALVES; half++) {
        enum take take = take_of(reach, half);
        if (take == TAKES_ALL) {
            found = lower_of(found, other_than(&index->touching[half], owner));
        } else if (take == TAKES_ONE) {
            found = lower_of(found, other_than(&index->whole[half], owner));
            found = lower_of(found, find_same(index, &reach->address, owner));
        }
    }
    return found;
}
