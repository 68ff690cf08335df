/* SPDX-License-Identifier: MIT */
#include "memory.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static const struct berth_memory_hooks c_library = {realloc, free};
static const struct berth_memory_hooks *hooks_in_use = &c_library;

void berth_memory_use(const struct berth_memory_hooks *hooks)
{
    hooks_in_use = hooks != NULL ? hooks : &c_library;
}

void *berth_resize(void *block, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) {
        return NULL;
    }
    size_t bytes = count * size;
    return hooks_in_use->resize(block, bytes != 0 ? bytes : 1);
}

void *berth_alloc(size_t count, size_t size)
{
    void *block = berth_resize(NULL, count, size);

    if (block != NULL) {
        memset(block, 0, count * size);
    }
    return block;
}

void berth_free(void *block)
{
    int saved = errno;

    hooks_in_use->release(block);
    errno = saved;
}

char *berth_copy_n(const char *text, size_t length)
{
    char *copy = length < SIZE_MAX ? berth_resize(NULL, length + 1, 1) : NULL;

    if (copy != NULL) {
        memcpy(copy, text, length);
        copy[length] = '\0';
    }
    return copy;
}

char *berth_copy(const char *text)
{
    return text != NULL ? berth_copy_n(text, strlen(text)) : NULL;
}
