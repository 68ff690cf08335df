/* SPDX-License-Identifier: MIT */
/* What Windows says about its error codes. */
#ifndef BERTH_BASE_WINDOWS_OS_TEXT_H
#define BERTH_BASE_WINDOWS_OS_TEXT_H

#include <stddef.h>

/** Writes "access is denied (error 5)": the system's own words for a code of GetLastError(), cut
 *  off where the room ends, without the final stop; only "error 5" where it has none.
 *  @param[in] size  at least 32  @return `out`; GetLastError() is as before  @thread any
 *  @source FormatMessageW */
char *berth_os_text(char *out, size_t size, unsigned long number);

#endif
