/* SPDX-License-Identifier: MIT */
/* Wine is no Windows. A test of what it does not do says so and is skipped there; docs/windows.md
 * has the list. */
#ifndef BERTH_TESTS_UNDER_WINE_H
#define BERTH_TESTS_UNDER_WINE_H

#include "cmocka_all.h"

#include <stdbool.h>
#include <windows.h>

static inline bool under_wine(void)
{
    return GetProcAddress(GetModuleHandleW(L"ntdll.dll"), "wine_get_version") != NULL;
}

/** Skips the test under Wine, and says why. */
#define skip_under_wine(reason)                                                                    \
    do {                                                                                           \
        if (under_wine()) {                                                                        \
            print_message("skipped under Wine: %s\n", reason);                                     \
            skip();                                                                                \
        }                                                                                          \
    } while (0)

#endif
