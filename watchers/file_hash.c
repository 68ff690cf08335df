/* SPDX-License-Identifier: MIT */
/* The portable part of file_read.h. */
#include "file_read.h"

#include "base/memory.h"

#include <string.h>

#define LANES 4

void berth_file_fini(struct berth_file *file)
{
    berth_free(file->bytes);
    *file = (struct berth_file){0};
}

static uint64_t mixed(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9E3779B97F4A7C15u;
    return hash ^ (hash >> 29);
}

/* FNV's step over words instead of bytes, in four lanes that the processor works on side by side:
 * the hash of a large file must cost little beside its parsing. */
uint64_t berth_file_hash(const void *bytes, size_t size)
{
    const unsigned char *at = bytes;
    uint64_t words[LANES] = {0};
    uint64_t a = 1;
    uint64_t b = 2;
    uint64_t c = 3;
    uint64_t d = 4;
    uint64_t hash = size;

    for (; size >= sizeof words; at += sizeof words, size -= sizeof words) {
        memcpy(words, at, sizeof words);
        a = mixed(a, words[0]);
        b = mixed(b, words[1]);
        c = mixed(c, words[2]);
        d = mixed(d, words[3]);
    }
    memset(words, 0, sizeof words);
    if (size != 0) {
        memcpy(words, at, size);
    }
    hash = mixed(hash, mixed(a, words[0]));
    hash = mixed(hash, mixed(b, words[1]));
    hash = mixed(hash, mixed(c, words[2]));
    return mixed(hash, mixed(d, words[3]));
}
