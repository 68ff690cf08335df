/* SPDX-License-Identifier: MIT */
#include "base/windows/os_text.h"

#include "base/windows/wide.h"

#include <stdio.h>
#include <string.h>
#include <windows.h>

#define WORDS_UNITS 256
#define NUMBER_BYTES 24 /* " (error 4294967295)" */

/* Ends a text before its line end, final stop and spaces. */
static DWORD trim(const wchar_t *words, DWORD length)
{
    while (length > 0 && wcschr(L".\r\n ", words[length - 1]) != NULL) {
        length--;
    }
    return length;
}

char *berth_os_text(char *out, size_t size, unsigned long number)
{
    DWORD last = GetLastError();
    wchar_t words[WORDS_UNITS];
    DWORD length = FormatMessageW(FORMAT_MESSAGE_FROM_SYSTEM | FORMAT_MESSAGE_IGNORE_INSERTS |
                                      FORMAT_MESSAGE_MAX_WIDTH_MASK,
                                  NULL, number, 0, words, WORDS_UNITS, NULL);

    length = trim(words, length);
    if (length == 0 || size <= NUMBER_BYTES) {
        (void)snprintf(out, size, "error %lu", number);
    } else {
        words[length] = L'\0';
        (void)berth_narrow_into(out, size - NUMBER_BYTES, words);
        size_t used = strlen(out);
        (void)snprintf(out + used, size - used, " (error %lu)", number);
    }
    SetLastError(last);
    return out;
}
