/* SPDX-License-Identifier: MIT */
#include "watchers/windows/process.h"

#include "base/windows/wide.h"

#include <windows.h>

#include <wchar.h>

#define PATH_UNITS_USUAL 1024u

void *berth_process_open(uint32_t process_id, uint64_t *created_ticks)
{
    FILETIME created;
    FILETIME unused[3];
    HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, process_id);

    if (process == NULL) {
        return NULL;
    }
    if (!GetProcessTimes(process, &created, &unused[0], &unused[1], &unused[2])) {
        (void)CloseHandle(process);
        return NULL;
    }
    *created_ticks = (uint64_t)created.dwHighDateTime << 32 | created.dwLowDateTime;
    return process;
}

bool berth_process_image(void *process, char *out, size_t size)
{
    wchar_t path[PATH_UNITS_USUAL];
    DWORD units = PATH_UNITS_USUAL;

    out[0] = '\0';
    if (!QueryFullProcessImageNameW(process, 0, path, &units)) {
        return false; /* also of a path that is longer: such a name is not worth the memory */
    }
    const wchar_t *name = wcsrchr(path, L'\\');
    return berth_narrow_into(out, size, name != NULL ? name + 1 : path)[0] != '\0';
}

void berth_process_close(void *process)
{
    (void)CloseHandle(process);
}
