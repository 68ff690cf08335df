/* SPDX-License-Identifier: MIT */
#include "watchers/windows/netsh.h"

#include "base/windows/os_text.h"
#include "base/windows/wide.h"
#include "watchers/run_command.h"

#include <windows.h>

#include <string.h>

#define TIMEOUT_MS 20000u
#define WORDS_MAX 10
#define PROGRAM "\\netsh.exe"

enum berth_code berth_netsh(struct berth_text *out, const char *const *words,
                            struct berth_error *err)
{
    wchar_t folder[MAX_PATH];
    char path[3 * MAX_PATH + sizeof PROGRAM];
    const char *arguments[WORDS_MAX + 2] = {path};
    UINT length = GetSystemDirectoryW(folder, MAX_PATH);

    if (length == 0 || length >= MAX_PATH) {
        char why[256];
        return berth_fail(err, BERTH_IO, (int)GetLastError(), "the system folder is not known: %s",
                          berth_os_text(why, sizeof why, GetLastError()));
    }
    (void)berth_narrow_into(path, 3 * MAX_PATH, folder);
    memcpy(path + strlen(path), PROGRAM, sizeof PROGRAM);
    for (size_t i = 0; i < WORDS_MAX && words[i] != NULL; i++) {
        arguments[i + 1] = words[i];
    }
    return berth_run_command(out, arguments, TIMEOUT_MS, err);
}
