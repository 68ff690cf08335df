/* SPDX-License-Identifier: MIT */
/* A growing text with a ceiling. A failure sticks, so that a writer checks once, at the end. */
#ifndef BERTH_BASE_TEXT_H
#define BERTH_BASE_TEXT_H

#include "error.h"

#include <stdbool.h>
#include <stddef.h>

struct berth_text {
    char *data; /* `length` bytes and a NUL; NULL as long as nothing was added */
    size_t length;
    size_t capacity;
    size_t limit;           /* the most bytes it may hold, the NUL not counted */
    enum berth_code failed; /* BERTH_OK, or the first failure: NO_MEMORY, TOO_LARGE */
};

/** Makes an empty text that may grow to `limit` bytes; takes no memory yet.  @thread any */
void berth_text_init(struct berth_text *text, size_t limit);

/** Gives the memory back and leaves an empty text of the same limit. */
void berth_text_fini(struct berth_text *text);

/** Empties the text, keeps its memory, forgets a failure. */
void berth_text_clear(struct berth_text *text);

/** Adds `length` bytes. After a failure of this or an earlier call nothing is added. */
void berth_text_add(struct berth_text *text, const char *bytes, size_t length);

/** Adds a NUL-terminated string. */
void berth_text_puts(struct berth_text *text, const char *string);

/** Adds one byte. */
void berth_text_putc(struct berth_text *text, char c);

/** Adds a number in decimal. */
void berth_text_number(struct berth_text *text, long long number);

/** Adds what printf would write. */
void berth_text_printf(struct berth_text *text, const char *format, ...) BERTH_PRINTF(2, 3);

/** Makes room for `more` bytes at `data + length`, which the caller may write itself.
 *  @return false: the failure is noted, nothing changed */
bool berth_text_reserve(struct berth_text *text, size_t more);

/** Gives the text as a string: "" when nothing was added. Valid until the next change. */
const char *berth_text_string(const struct berth_text *text);

#endif
