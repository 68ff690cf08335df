/* SPDX-License-Identifier: MIT */
/* Finds things by hash: a chained table whose nodes lie inside the things themselves. */
#ifndef BERTH_ALLOCATOR_HASH_INDEX_H
#define BERTH_ALLOCATOR_HASH_INDEX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** To be embedded in what is to be found. */
struct berth_hash_node {
    struct berth_hash_node *next;
    uint64_t hash;
};

struct berth_hash_index {
    struct berth_hash_node **buckets; /* NULL as long as nothing was added */
    size_t bucket_count;              /* a power of two */
    size_t count;
    uint64_t seed; /* makes collisions unpredictable to those who choose the keys */
};

/** Makes an empty index; takes no memory yet. */
void berth_hash_index_init(struct berth_hash_index *index, uint64_t seed);

/** Gives the table's memory back; the nodes are their owners'. */
void berth_hash_index_fini(struct berth_hash_index *index);

/** Hashes a string. Two strings in a row: pass the first one's hash as `seed` of the second.
 *  The value differs between machines of different byte order: it is never stored.
 *  @source multiply and fold by words, with the final mix of SplitMix64 */
uint64_t berth_hash_string(uint64_t seed, const char *text);

/** Adds a node under a hash. The node may be there only once.
 *  @return false: no memory for the first table, nothing changed. (A table that cannot grow later
 *          only gets slower.) */
bool berth_hash_index_add(struct berth_hash_index *index, struct berth_hash_node *node,
                          uint64_t hash);

/** Takes out a node that is in. */
void berth_hash_index_remove(struct berth_hash_index *index, struct berth_hash_node *node);

/** Gives the first node of a hash, or the next one after `after`; NULL: none. The caller compares
 *  the rest itself, as hashes may collide. */
struct berth_hash_node *berth_hash_index_find(const struct berth_hash_index *index, uint64_t hash,
                                              const struct berth_hash_node *after);

#endif
