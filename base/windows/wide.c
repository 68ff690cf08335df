/* SPDX-License-Identifier: MIT */
#include "base/windows/wide.h"

#include "base/memory.h"

#include <string.h>
#include <windows.h>

wchar_t *berth_wide(const char *text)
{
    int count = MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, NULL, 0);

    if (count <= 0) {
        return NULL;
    }
    wchar_t *wide = berth_alloc((size_t)count, sizeof *wide);
    if (wide != NULL) {
        (void)MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, wide, count);
    }
    return wide;
}

char *berth_narrow(const wchar_t *text)
{
    int count = WideCharToMultiByte(CP_UTF8, 0, text, -1, NULL, 0, NULL, NULL);

    if (count <= 0) {
        return NULL;
    }
    char *narrow = berth_alloc((size_t)count, 1);
    if (narrow != NULL) {
        (void)WideCharToMultiByte(CP_UTF8, 0, text, -1, narrow, count, NULL, NULL);
    }
    return narrow;
}

/* How many units the character at the start of a text has. */
static int units_of(const wchar_t *text)
{
    return IS_HIGH_SURROGATE(text[0]) && IS_LOW_SURROGATE(text[1]) ? 2 : 1;
}

char *berth_narrow_into(char *out, size_t size, const wchar_t *text)
{
    size_t used = 0;

    while (*text != L'\0') {
        char bytes[8];
        int units = units_of(text);
        int count = WideCharToMultiByte(CP_UTF8, 0, text, units, bytes, sizeof bytes, NULL, NULL);
        if (count <= 0 || used + (size_t)count >= size) {
            break;
        }
        memcpy(out + used, bytes, (size_t)count);
        used += (size_t)count;
        text += units;
    }
    out[used] = '\0';
    return out;
}
