/* SPDX-License-Identifier: MIT */
#include "base/windows/fail_system.h"

#include "base/windows/os_text.h"

#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <windows.h>

enum berth_code berth_fail_system(struct berth_error *err, unsigned long number, const char *format,
                                  ...)
{
    char what[sizeof err->detail];
    char why[256];
    va_list args;

    va_start(args, format);
    if (vsnprintf(what, sizeof what, format, args) < 0) {
        what[0] = '\0';
    }
    va_end(args);
    bool memory = number == ERROR_NOT_ENOUGH_MEMORY || number == ERROR_OUTOFMEMORY;
    return berth_fail(err,
                      number == ERROR_ACCESS_DENIED ? BERTH_DENIED
                      : memory                      ? BERTH_NO_MEMORY
                                                    : BERTH_IO,
                      (int)number, "%s: %s", what, berth_os_text(why, sizeof why, number));
}
