/* SPDX-License-Identifier: MIT */
#include "iis_strings.h"

#include "base/memory.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define FIRST_BLOCK_BYTES 2048
#define BLOCK_BYTES 65536

struct berth_iis_string_block {
    struct berth_iis_string_block *next;
};

char *berth_iis_strings_reserve(struct berth_iis_strings *strings, size_t length)
{
    if (length >= strings->room) {
        size_t usual = strings->first == NULL ? FIRST_BLOCK_BYTES : BLOCK_BYTES;
        if (length > SIZE_MAX - sizeof(struct berth_iis_string_block) - 1) {
            return NULL;
        }
        size_t room = length + 1 > usual ? length + 1 : usual;
        struct berth_iis_string_block *block =
            berth_resize(NULL, sizeof(struct berth_iis_string_block) + room, 1);
        if (block == NULL) {
            return NULL;
        }
        block->next = strings->first;
        strings->first = block;
        strings->next = (char *)(block + 1);
        strings->room = room;
    }
    char *place = strings->next;
    strings->next += length + 1;
    strings->room -= length + 1;
    return place;
}

const char *berth_iis_strings_copy(struct berth_iis_strings *strings, const char *text,
                                   size_t length)
{
    char *place = berth_iis_strings_reserve(strings, length);

    if (place != NULL) {
        memcpy(place, text, length);
        place[length] = '\0';
    }
    return place;
}

const char *berth_iis_strings_format(struct berth_iis_strings *strings, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    int length = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (length < 0) {
        length = 0;
    }
    size_t kept = (size_t)length < sizeof text ? (size_t)length : sizeof text - 1;
    return berth_iis_strings_copy(strings, text, kept);
}

void berth_iis_strings_fini(struct berth_iis_strings *strings)
{
    struct berth_iis_string_block *block = strings->first;

    while (block != NULL) {
        struct berth_iis_string_block *next = block->next;
        berth_free(block);
        block = next;
    }
    *strings = (struct berth_iis_strings){0};
}
