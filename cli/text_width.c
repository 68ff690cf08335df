/* SPDX-License-Identifier: MIT */
#include "text_width.h"

#include "base/utf8.h"

#include <stdbool.h>
#include <stdint.h>

struct code_range {
    uint32_t first;
    uint32_t last;
};

static const struct code_range no_width[] = {
    {0x0300, 0x036F}, {0x0483, 0x0489}, {0x0591, 0x05BD}, {0x064B, 0x065F},
    {0x1AB0, 0x1AFF}, {0x1DC0, 0x1DFF}, {0x200B, 0x200D}, {0x20D0, 0x20FF},
    {0xFE00, 0xFE0F}, {0xFE20, 0xFE2F}, {0xFEFF, 0xFEFF}, {0xE0100, 0xE01EF},
};

static const struct code_range two_wide[] = {
    {0x1100, 0x115F},   {0x2E80, 0x303E},   {0x3041, 0xA4CF},   {0xA960, 0xA97F},
    {0xAC00, 0xD7A3},   {0xF900, 0xFAFF},   {0xFE30, 0xFE6F},   {0xFF00, 0xFF60},
    {0xFFE0, 0xFFE6},   {0x1F300, 0x1F64F}, {0x1F680, 0x1F6FF}, {0x1F900, 0x1FAFF},
    {0x20000, 0x3FFFD},
};

/* Controls, marks that turn the direction of writing, line and paragraph separators. */
static const struct code_range not_shown[] = {
    {0x0000, 0x001F}, {0x007F, 0x009F}, {0x061C, 0x061C},
    {0x200E, 0x200F}, {0x2028, 0x202E}, {0x2066, 0x2069},
};

static bool is_in(const struct code_range *ranges, size_t count, uint32_t code)
{
    for (size_t i = 0; i < count; i++) {
        if (code >= ranges[i].first && code <= ranges[i].last) {
            return true;
        }
    }
    return false;
}

/* Gives the code point of a sequence whose length berth_utf8_sequence() gave. */
static uint32_t code_point(const char *text, size_t length)
{
    const unsigned char *bytes = (const unsigned char *)text;
    static const unsigned char first_bits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    uint32_t code = (uint32_t)(bytes[0] & first_bits[length]);

    for (size_t i = 1; i < length; i++) {
        code = code << 6 | (bytes[i] & 0x3Fu);
    }
    return code;
}

static unsigned code_width(uint32_t code)
{
    if (code < 0x0300) {
        return 1;
    }
    if (is_in(no_width, BERTH_COUNT(no_width), code)) {
        return 0;
    }
    return is_in(two_wide, BERTH_COUNT(two_wide), code) ? 2 : 1;
}

size_t berth_text_fit(const char *text, unsigned columns, unsigned *used)
{
    size_t at = 0;

    *used = 0;
    while (text[at] != '\0') {
        size_t length = berth_utf8_sequence(text + at);
        unsigned width = length != 0 ? code_width(code_point(text + at, length)) : 1;
        if (width > columns - *used) {
            break;
        }
        *used += width;
        at += length != 0 ? length : 1;
    }
    return at;
}

unsigned berth_text_width(const char *text)
{
    unsigned used;

    (void)berth_text_fit(text, (unsigned)-1, &used);
    return used;
}

void berth_text_add_shown(struct berth_text *out, const char *text)
{
    while (*text != '\0') {
        size_t length = berth_utf8_sequence(text);
        if (length == 0 || is_in(not_shown, BERTH_COUNT(not_shown), code_point(text, length))) {
            berth_text_putc(out, '?');
        } else {
            berth_text_add(out, text, length);
        }
        text += length != 0 ? length : 1;
    }
}
