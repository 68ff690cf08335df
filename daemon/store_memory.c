/* SPDX-License-Identifier: MIT */
/* SQLite's memory comes from Berth's allocator, so that tests can let SQLite run out of it too.
 * SQLite asks for a block's size; it stands in front of the block. */
#include "store_internal.h"

#include "base/memory.h"

#include <limits.h>

union head {
    size_t size;
    max_align_t aligned;
};

static void *get(int size)
{
    union head *head = size > 0 ? berth_resize(NULL, sizeof *head + (size_t)size, 1) : NULL;

    if (head == NULL) {
        return NULL;
    }
    head->size = (size_t)size;
    return head + 1;
}

static void give_back(void *block)
{
    if (block != NULL) {
        berth_free((union head *)block - 1);
    }
}

static void *change(void *block, int size)
{
    union head *head = block != NULL ? (union head *)block - 1 : NULL;

    head = berth_resize(head, sizeof *head + (size_t)size, 1);
    if (head == NULL) {
        return NULL;
    }
    head->size = (size_t)size;
    return head + 1;
}

static int size_of(void *block)
{
    return block != NULL ? (int)((union head *)block - 1)->size : 0;
}

static int round_up(int size)
{
    return size < INT_MAX - 7 ? (size + 7) & ~7 : size;
}

static int nothing_to_start(void *ctx)
{
    (void)ctx;
    return SQLITE_OK;
}

static void nothing_to_end(void *ctx)
{
    (void)ctx;
}

void berth_store_memory_init(void)
{
    static const struct sqlite3_mem_methods methods = {
        get, give_back, change, size_of, round_up, nothing_to_start, nothing_to_end, NULL};

    /* Refused once SQLite is at work, which is as well: it was told before, or somebody else in the
     * process made it start with the C library's memory. */
    (void)sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
    (void)sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}
