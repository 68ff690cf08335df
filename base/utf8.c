/* SPDX-License-Identifier: MIT */
#include "utf8.h"

/* The bounds of the second byte, by the first (RFC 3629, section 4). */
static bool second_byte_fits(unsigned char first, unsigned char second)
{
    unsigned char low = first == 0xE0 ? 0xA0 : first == 0xF0 ? 0x90 : 0x80;
    unsigned char high = first == 0xED ? 0x9F : first == 0xF4 ? 0x8F : 0xBF;

    return second >= low && second <= high;
}

size_t berth_utf8_sequence(const char *text)
{
    const unsigned char *bytes = (const unsigned char *)text;
    unsigned char first = bytes[0];

    if (first < 0x80) {
        return first != 0 ? 1 : 0;
    }
    if (first < 0xC2 || first > 0xF4) {
        return 0;
    }
    size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    if (!second_byte_fits(first, bytes[1])) {
        return 0;
    }
    for (size_t i = 2; i < length; i++) {
        if ((bytes[i] & 0xC0) != 0x80) {
            return 0;
        }
    }
    return length;
}

bool berth_utf8_is_name(const char *text)
{
    while (*text != '\0') {
        size_t length = berth_utf8_sequence(text);
        if (length == 0 || (unsigned char)*text < 0x20 || *text == 0x7F) {
            return false;
        }
        text += length;
    }
    return true;
}
