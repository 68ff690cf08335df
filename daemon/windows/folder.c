/* SPDX-License-Identifier: MIT */
#include "daemon/windows/folder.h"

#include "base/memory.h"
#include "base/windows/wide.h"
#include "daemon/windows/sid.h"
#include "daemon/windows/token.h"

#include <sddl.h>
#include <stdbool.h>
#include <stdio.h>
#include <windows.h>

#define FULL_FOR "(A;OICI;FA;;;%s)"

char *berth_folder_sddl(char *out, const struct berth_account_id *own)
{
    char sid[BERTH_ACCOUNT_TEXT_SIZE];

    (void)snprintf(out, BERTH_FOLDER_SDDL_SIZE, "D:P" FULL_FOR FULL_FOR FULL_FOR, "SY", "BA",
                   own->length != 0 ? berth_sid_write(own, sid) : "SY");
    return out;
}

static PSECURITY_DESCRIPTOR private_security(void)
{
    const struct berth_account_id own = berth_token_own_account();
    PSECURITY_DESCRIPTOR security = NULL;
    char sddl[BERTH_FOLDER_SDDL_SIZE];

    (void)ConvertStringSecurityDescriptorToSecurityDescriptorA(berth_folder_sddl(sddl, &own),
                                                               SDDL_REVISION_1, &security, NULL);
    return security;
}

static bool is_folder(const wchar_t *path)
{
    DWORD attributes = GetFileAttributesW(path);

    return attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
}

/* Makes the folders above `path`, outermost first; what fails shows when `path` is made. */
static void make_above(wchar_t *path)
{
    for (wchar_t *at = path + 1; *path != L'\0' && *at != L'\0'; at++) {
        if (*at == L'\\' || *at == L'/') {
            wchar_t separator = *at;
            *at = L'\0';
            (void)CreateDirectoryW(path, NULL);
            *at = separator;
        }
    }
}

enum berth_code berth_folder_make_private(const char *path, struct berth_error *err)
{
    wchar_t *wide = berth_wide(path);
    enum berth_code code = BERTH_OK;

    if (wide == NULL) {
        return berth_fail_memory(err, "a path");
    }
    SECURITY_ATTRIBUTES attributes = {sizeof attributes, private_security(), FALSE};
    make_above(wide);
    if (attributes.lpSecurityDescriptor == NULL) {
        code = berth_fail(err, BERTH_IO, 0, "the permissions of %s cannot be made", path);
    } else if (!CreateDirectoryW(wide, &attributes)) {
        DWORD number = GetLastError();
        if (number != ERROR_ALREADY_EXISTS || !is_folder(wide)) {
            code = berth_fail(err, BERTH_IO, (int)number, "cannot make the folder %s: error %lu",
                              path, number);
        }
    }
    (void)LocalFree(attributes.lpSecurityDescriptor);
    berth_free(wide);
    return code;
}
