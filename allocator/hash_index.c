/* SPDX-License-Identifier: MIT */
#include "hash_index.h"

#include "base/memory.h"

#include <string.h>

void berth_hash_index_init(struct berth_hash_index *index, uint64_t seed)
{
    *index = (struct berth_hash_index){.seed = seed};
}

void berth_hash_index_fini(struct berth_hash_index *index)
{
    berth_free(index->buckets);
    berth_hash_index_init(index, index->seed);
}

static uint64_t mix(uint64_t hash)
{
    hash = (hash ^ hash >> 30) * 0xBF58476D1CE4E5B9U;
    hash = (hash ^ hash >> 27) * 0x94D049BB133111EBU;
    return hash ^ hash >> 31;
}

uint64_t berth_hash_string(uint64_t seed, const char *text)
{
    size_t length = strlen(text);
    uint64_t hash = seed ^ length;
    uint64_t word;

    for (; length >= sizeof word; length -= sizeof word, text += sizeof word) {
        memcpy(&word, text, sizeof word);
        hash = (hash ^ word) * 0x9E3779B97F4A7C15U;
        hash ^= hash >> 32;
    }
    word = 0;
    memcpy(&word, text, length);
    return mix(hash ^ word);
}

static struct berth_hash_node **bucket_of(const struct berth_hash_index *index, uint64_t hash)
{
    return &index->buckets[hash & (index->bucket_count - 1)];
}

static void grow(struct berth_hash_index *index)
{
    struct berth_hash_index larger = *index;

    larger.bucket_count = index->bucket_count != 0 ? index->bucket_count * 2 : 16;
    larger.buckets = berth_alloc(larger.bucket_count, sizeof(struct berth_hash_node *));
    if (larger.buckets == NULL) {
        return;
    }
    for (size_t i = 0; i < index->bucket_count; i++) {
        struct berth_hash_node *node = index->buckets[i];
        while (node != NULL) {
            struct berth_hash_node *next = node->next;
            struct berth_hash_node **bucket = bucket_of(&larger, node->hash);
            node->next = *bucket;
            *bucket = node;
            node = next;
        }
    }
    berth_free(index->buckets);
    *index = larger;
}

bool berth_hash_index_add(struct berth_hash_index *index, struct berth_hash_node *node,
                          uint64_t hash)
{
    /* at most half full: a node that is not the one looked for is a cache miss for nothing */
    if (index->count >= index->bucket_count / 2) {
        grow(index);
    }
    if (index->buckets == NULL) {
        return false;
    }
    struct berth_hash_node **bucket = bucket_of(index, hash);
    node->hash = hash;
    node->next = *bucket;
    *bucket = node;
    index->count++;
    return true;
}

void berth_hash_index_remove(struct berth_hash_index *index, struct berth_hash_node *node)
{
    struct berth_hash_node **at = bucket_of(index, node->hash);

    while (*at != node) {
        at = &(*at)->next;
    }
    *at = node->next;
    index->count--;
}

struct berth_hash_node *berth_hash_index_find(const struct berth_hash_index *index, uint64_t hash,
                                              const struct berth_hash_node *after)
{
    struct berth_hash_node *node = NULL;

    if (after != NULL) {
        node = after->next;
    } else if (index->buckets != NULL) {
        node = *bucket_of(index, hash);
    }
    while (node != NULL && node->hash != hash) {
        node = node->next;
    }
    return node;
}
