/* SPDX-License-Identifier: MIT */
#include "name_table.h"

#include "base/compiler.h"
#include "base/memory.h"

#include <string.h>

struct name_entry {
    struct berth_hash_node node;
    uint32_t uses;
    char text[];
};

static struct name_entry *entry_of(struct berth_hash_node *node)
{
    return BERTH_CONTAINER_OF(node, struct name_entry, node);
}

void berth_name_table_init(struct berth_name_table *table, uint64_t seed)
{
    berth_hash_index_init(&table->index, seed);
}

void berth_name_table_fini(struct berth_name_table *table)
{
    for (size_t i = 0; i < table->index.bucket_count; i++) {
        struct berth_hash_node *node = table->index.buckets[i];
        while (node != NULL) {
            struct berth_hash_node *next = node->next;
            berth_free(entry_of(node));
            node = next;
        }
    }
    berth_hash_index_fini(&table->index);
}

static struct name_entry *find(const struct berth_name_table *table, uint64_t hash,
                               const char *text)
{
    struct berth_hash_node *node = berth_hash_index_find(&table->index, hash, NULL);

    while (node != NULL && strcmp(entry_of(node)->text, text) != 0) {
        node = berth_hash_index_find(&table->index, hash, node);
    }
    return node != NULL ? entry_of(node) : NULL;
}

bool berth_name_take(struct berth_name_table *table, const char *text, const char **out)
{
    if (text == NULL) {
        *out = NULL;
        return true;
    }
    uint64_t hash = berth_hash_string(table->index.seed, text);
    struct name_entry *entry = find(table, hash, text);
    if (entry == NULL) {
        size_t size = strlen(text) + 1;
        entry = berth_resize(NULL, sizeof *entry + size, 1);
        if (entry == NULL) {
            return false;
        }
        entry->uses = 0;
        memcpy(entry->text, text, size);
        if (!berth_hash_index_add(&table->index, &entry->node, hash)) {
            berth_free(entry);
            return false;
        }
    }
    entry->uses++;
    *out = entry->text;
    return true;
}

void berth_name_drop(struct berth_name_table *table, const char *name)
{
    if (name == NULL) {
        return;
    }
    /* the table gave this pointer, so the text lies inside an entry */
    char *text = (char *)(uintptr_t)name;
    struct name_entry *entry = BERTH_CONTAINER_OF(text, struct name_entry, text);
    if (--entry->uses == 0) {
        berth_hash_index_remove(&table->index, &entry->node);
        berth_free(entry);
    }
}
