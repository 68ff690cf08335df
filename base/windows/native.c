/* SPDX-License-Identifier: MIT */
#include "base/native.h"

#include "base/memory.h"
#include "base/windows/wide.h"

#include <errno.h>
#include <windows.h>

#define MODE_UNITS 8

FILE *berth_open_file(const char *path, const char *mode)
{
    wchar_t wide_mode[MODE_UNITS];
    wchar_t *wide_path = berth_wide(path);
    FILE *file = NULL;

    if (wide_path == NULL) {
        errno = GetLastError() == ERROR_NO_UNICODE_TRANSLATION ? EINVAL : ENOMEM;
    } else if (MultiByteToWideChar(CP_UTF8, 0, mode, -1, wide_mode, MODE_UNITS) == 0) {
        errno = EINVAL;
    } else {
        file = _wfopen(wide_path, wide_mode);
    }
    int number = errno;
    berth_free(wide_path);
    errno = number;
    return file;
}

/* Gives the value as UTF-16.  @return for berth_free(); NULL: no memory, or with *set false, it is
 * not set */
static wchar_t *read_wide(const wchar_t *name, bool *set)
{
    DWORD size = GetEnvironmentVariableW(name, NULL, 0);
    wchar_t *value = NULL;

    *set = size != 0;
    if (size != 0) {
        value = berth_alloc(size, sizeof *value);
    }
    if (value != NULL) {
        (void)GetEnvironmentVariableW(name, value, size);
    }
    return value;
}

bool berth_environment(char **out, const char *name)
{
    wchar_t *wide_name = berth_wide(name);
    wchar_t *value = NULL;
    bool set = true;

    *out = NULL;
    if (wide_name != NULL) {
        value = read_wide(wide_name, &set);
    }
    if (value != NULL) {
        *out = berth_narrow(value);
    }
    berth_free(value);
    berth_free(wide_name);
    return *out != NULL || !set;
}
