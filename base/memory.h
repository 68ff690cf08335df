/* SPDX-License-Identifier: MIT */
/* The one allocator of the program. Tests replace it to make each allocation fail in turn. */
#ifndef BERTH_BASE_MEMORY_H
#define BERTH_BASE_MEMORY_H

#include "compiler.h"

#include <stddef.h>

struct berth_memory_hooks {
    void *(*resize)(void *block, size_t size); /* as realloc; block may be NULL; size > 0 */
    void (*release)(void *block);              /* as free; NULL is accepted */
};

/** Makes all later calls use `hooks`; NULL: the C library again.
 *  Blocks must be released by the hooks that gave them.  @thread before any other thread runs */
void berth_memory_use(const struct berth_memory_hooks *hooks);

/** Gives an array of `count` zeroed elements of `size` bytes.
 *  @return a block for berth_free(); NULL when there is no memory or count × size overflows;
 *          a count or size of 0 gives a block that may not be read  @thread any  @blocks no */
BERTH_MUST_USE
void *berth_alloc(size_t count, size_t size);

/** Makes `block` an array of `count` elements; what it held stays, what is new is not zeroed.
 *  @param[in] block  from this allocator, or NULL
 *  @return the new place; NULL: no memory or overflow, and `block` is as it was  @thread any */
BERTH_MUST_USE
void *berth_resize(void *block, size_t count, size_t size);

/** Gives a block back. NULL is accepted; errno and the last error stay.  @thread any */
void berth_free(void *block);

/** Copies a NUL-terminated string.
 *  @param[in] text  NULL gives NULL, which then is no error
 *  @return for berth_free(); NULL: no memory  @thread any */
BERTH_MUST_USE
char *berth_copy(const char *text);

/** Copies `length` bytes and adds a NUL.  @return for berth_free(); NULL: no memory  @thread any */
BERTH_MUST_USE
char *berth_copy_n(const char *text, size_t length);

#endif
