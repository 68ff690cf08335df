/* SPDX-License-Identifier: MIT */
/* Errors of Windows, with its own words for them. */
#ifndef BERTH_BASE_WINDOWS_FAIL_SYSTEM_H
#define BERTH_BASE_WINDOWS_FAIL_SYSTEM_H

#include "base/error.h"

/** Fills an error as berth_fail() does and adds Windows's text and number: "cannot open the service
 *  manager: Access is denied (error 5)". ERROR_ACCESS_DENIED becomes BERTH_DENIED, memory
 *  that Windows had none of BERTH_NO_MEMORY, everything else BERTH_IO.
 *  @param[in] number  what GetLastError() or the function gave
 *  @return the code  @thread any  @source FormatMessageW */
enum berth_code berth_fail_system(struct berth_error *err, unsigned long number, const char *format,
                                  ...) BERTH_PRINTF(3, 4);

#endif
