/* SPDX-License-Identifier: MIT */
/* Texts between Berth, where they are UTF-8, and Windows, where they are UTF-16. */
#ifndef BERTH_BASE_WINDOWS_WIDE_H
#define BERTH_BASE_WINDOWS_WIDE_H

#include "base/compiler.h"

#include <stddef.h>
#include <wchar.h>

/** Gives a text as UTF-16.
 *  @return for berth_free(); NULL: no memory, or `text` is not UTF-8 (then GetLastError() is
 *          ERROR_NO_UNICODE_TRANSLATION)  @thread any  @source MultiByteToWideChar */
BERTH_MUST_USE
wchar_t *berth_wide(const char *text);

/** Gives a text as UTF-8; what is not UTF-16 in it becomes U+FFFD.
 *  @return for berth_free(); NULL: no memory  @thread any  @source WideCharToMultiByte */
BERTH_MUST_USE
char *berth_narrow(const wchar_t *text);

/** Writes a text as UTF-8 into a buffer, cut off between two characters where it is longer.
 *  @param[in] size  at least 1  @return `out`  @thread any */
char *berth_narrow_into(char *out, size_t size, const wchar_t *text);

#endif
