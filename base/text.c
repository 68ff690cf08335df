/* SPDX-License-Identifier: MIT */
#include "text.h"

#include "memory.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void berth_text_init(struct berth_text *text, size_t limit)
{
    *text = (struct berth_text){.limit = limit};
}

void berth_text_fini(struct berth_text *text)
{
    berth_free(text->data);
    berth_text_init(text, text->limit);
}

void berth_text_clear(struct berth_text *text)
{
    text->length = 0;
    text->failed = BERTH_OK;
    if (text->data != NULL) {
        text->data[0] = '\0';
    }
}

bool berth_text_reserve(struct berth_text *text, size_t more)
{
    if (text->failed != BERTH_OK) {
        return false;
    }
    if (more > text->limit - text->length) {
        text->failed = BERTH_TOO_LARGE;
        return false;
    }
    size_t needed = text->length + more + 1;
    if (needed <= text->capacity) {
        return true;
    }
    size_t capacity = text->capacity != 0 ? text->capacity : 128;
    while (capacity < needed) {
        capacity *= 2;
    }
    if (capacity - 1 > text->limit) {
        capacity = text->limit + 1;
    }
    char *data = berth_resize(text->data, capacity, 1);
    if (data == NULL) {
        text->failed = BERTH_NO_MEMORY;
        return false;
    }
    text->data = data;
    text->capacity = capacity;
    return true;
}

void berth_text_add(struct berth_text *text, const char *bytes, size_t length)
{
    /* first what nearly always is so: there is room */
    if ((text->failed != BERTH_OK || length >= text->capacity - text->length) &&
        !berth_text_reserve(text, length)) {
        return;
    }
    if (length != 0) {
        memcpy(text->data + text->length, bytes, length);
    }
    text->length += length;
    text->data[text->length] = '\0';
}

void berth_text_puts(struct berth_text *text, const char *string)
{
    berth_text_add(text, string, strlen(string));
}

void berth_text_putc(struct berth_text *text, char c)
{
    if (text->failed == BERTH_OK && text->capacity - text->length > 1) {
        text->data[text->length++] = c;
        text->data[text->length] = '\0';
        return;
    }
    berth_text_add(text, &c, 1);
}

void berth_text_number(struct berth_text *text, long long number)
{
    char digits[24];
    size_t at = sizeof digits;
    /* negated as unsigned, so that the smallest number works too */
    unsigned long long rest =
        number < 0 ? 0ULL - (unsigned long long)number : (unsigned long long)number;

    do {
        digits[--at] = (char)('0' + (char)(rest % 10));
        rest /= 10;
    } while (rest != 0);
    if (number < 0) {
        digits[--at] = '-';
    }
    berth_text_add(text, digits + at, sizeof digits - at);
}

void berth_text_printf(struct berth_text *text, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0) {
        text->failed = text->failed != BERTH_OK ? text->failed : BERTH_INTERNAL;
        return;
    }
    if (!berth_text_reserve(text, (size_t)length)) {
        return;
    }
    va_start(args, format);
    (void)vsnprintf(text->data + text->length, (size_t)length + 1, format, args);
    va_end(args);
    text->length += (size_t)length;
}

const char *berth_text_string(const struct berth_text *text)
{
    return text->data != NULL ? text->data : "";
}
