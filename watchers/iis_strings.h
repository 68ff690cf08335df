/* SPDX-License-Identifier: MIT */
/* Strings that live and die together: those of one configuration. Blocks of many strings instead of
 * one allocation a string; nothing is given back before all is. */
#ifndef BERTH_WATCHERS_IIS_STRINGS_H
#define BERTH_WATCHERS_IIS_STRINGS_H

#include "base/compiler.h"

#include <stddef.h>

struct berth_iis_string_block;

/** All zero: none yet, no memory taken. */
struct berth_iis_strings {
    struct berth_iis_string_block *first;
    char *next; /* where the next string goes */
    size_t room;
};

/** Makes room for a string of `length` bytes and its NUL, which the caller writes.
 *  @return valid until berth_iis_strings_fini(); NULL: no memory  @thread the owner's */
BERTH_MUST_USE
char *berth_iis_strings_reserve(struct berth_iis_strings *strings, size_t length);

/** Keeps a copy of `length` bytes with a NUL behind.  @return as above */
BERTH_MUST_USE
const char *berth_iis_strings_copy(struct berth_iis_strings *strings, const char *text,
                                   size_t length);

/** Keeps what printf would write.  @return as above */
BERTH_MUST_USE
const char *berth_iis_strings_format(struct berth_iis_strings *strings, const char *format, ...)
    BERTH_PRINTF(2, 3);

/** Gives all strings back and leaves an empty set. */
void berth_iis_strings_fini(struct berth_iis_strings *strings);

#endif
