/* SPDX-License-Identifier: MIT */
/* Strings kept once, however many claims mention them: equal names are equal pointers. */
#ifndef BERTH_ALLOCATOR_NAME_TABLE_H
#define BERTH_ALLOCATOR_NAME_TABLE_H

#include "hash_index.h"

struct berth_name_table {
    struct berth_hash_index index;
};

/** Makes an empty table.  @param[in] seed  random, see struct berth_hash_index */
void berth_name_table_init(struct berth_name_table *table, uint64_t seed);

/** Gives all memory back, with names that are still in use. */
void berth_name_table_fini(struct berth_name_table *table);

/** Gives the table's own copy of a name, in use once more.
 *  @param[out] out   set only on success; valid until dropped as often as it was taken
 *  @param[in]  text  NULL gives NULL
 *  @return false: no memory */
bool berth_name_take(struct berth_name_table *table, const char *text, const char **out);

/** Ends one use of a name that the table gave; after the last one it is freed. NULL is accepted. */
void berth_name_drop(struct berth_name_table *table, const char *name);

#endif
