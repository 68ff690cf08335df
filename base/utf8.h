/* SPDX-License-Identifier: MIT */
/* Which bytes are UTF-8 (RFC 3629: no overlong forms, no surrogates, nothing above U+10FFFF). */
#ifndef BERTH_BASE_UTF8_H
#define BERTH_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/** Gives the length of the UTF-8 sequence that a NUL-terminated string starts with.
 *  @return 1 to 4; 0: the first byte starts no sequence, or the end of the string  @thread any */
size_t berth_utf8_sequence(const char *text);

/** Tells whether a NUL-terminated string is UTF-8 throughout and has no control characters
 *  (U+0000 to U+001F, U+007F): what Berth takes as a name.  @thread any */
bool berth_utf8_is_name(const char *text);

#endif
