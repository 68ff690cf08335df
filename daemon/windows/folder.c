/* SPDX-License-Identifier: MIT */
#include "daemon/windows/folder.h"

#include "base/memory.h"
#include "base/windows/wide.h"
#include "daemon/windows/sid.h"
#include "daemon/windows/token.h"

#include <sddl.h>
#include <stdio.h>
#include <windows.h>

#define FULL_FOR "(A;OICI;FA;;;%s)"
#define READ_FOR "(A;OICI;FRFX;;;%s)"

char *berth_folder_sddl(char *out, const struct berth_account_id *own,
                        const struct berth_account_id *owner, bool readable)
{
    char own_text[BERTH_ACCOUNT_TEXT_SIZE] = "SY";
    char owner_text[BERTH_ACCOUNT_TEXT_SIZE];
    int used = 0;

    if (own->length != 0) {
        (void)berth_sid_write(own, own_text);
    }
    if (owner->length != 0) {
        used = snprintf(out, BERTH_FOLDER_SDDL_SIZE, "O:%s", berth_sid_write(owner, owner_text));
    }
    used += snprintf(out + used, BERTH_FOLDER_SDDL_SIZE - (size_t)used,
                     "D:P" FULL_FOR FULL_FOR FULL_FOR, "SY", "BA", own_text);
    if (readable) {
        (void)snprintf(out + used, BERTH_FOLDER_SDDL_SIZE - (size_t)used, READ_FOR, "BU");
    }
    return out;
}

/* NULL: there is none, by GetLastError(). */
static PSECURITY_DESCRIPTOR make_security(bool readable)
{
    const struct berth_account_id own = berth_token_own_account();
    const struct berth_account_id owner =
        own.length != 0 ? berth_token_own_owner() : (struct berth_account_id){0};
    PSECURITY_DESCRIPTOR security = NULL;
    char sddl[BERTH_FOLDER_SDDL_SIZE];

    if (owner.length == 0) {
        return NULL;
    }
    (void)ConvertStringSecurityDescriptorToSecurityDescriptorA(
        berth_folder_sddl(sddl, &own, &owner, readable), SDDL_REVISION_1, &security, NULL);
    return security;
}

static bool make_folder(const wchar_t *path, PSECURITY_DESCRIPTOR security)
{
    SECURITY_ATTRIBUTES attributes = {sizeof attributes, security, FALSE};

    return CreateDirectoryW(path, &attributes) != 0;
}

static bool is_folder(const wchar_t *path)
{
    DWORD attributes = GetFileAttributesW(path);

    return attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0;
}

/* Makes the folders above `path`, outermost first; what fails shows when `path` is made. */
static void make_above(wchar_t *path, PSECURITY_DESCRIPTOR security)
{
    for (wchar_t *at = path + 1; *path != L'\0' && *at != L'\0'; at++) {
        if (*at == L'\\' || *at == L'/') {
            wchar_t separator = *at;
            *at = L'\0';
            (void)make_folder(path, security);
            *at = separator;
        }
    }
}

static enum berth_code make_all(wchar_t *wide, const char *path, struct berth_error *err)
{
    PSECURITY_DESCRIPTOR readable = make_security(true);
    PSECURITY_DESCRIPTOR closed = readable != NULL ? make_security(false) : NULL;
    DWORD number = GetLastError();

    /* without a descriptor a folder would be made with what it inherits */
    if (readable != NULL && closed != NULL) {
        make_above(wide, readable);
        number = make_folder(wide, closed) ? ERROR_SUCCESS : GetLastError();
    }
    (void)LocalFree(readable);
    (void)LocalFree(closed);
    if (number == ERROR_SUCCESS || (number == ERROR_ALREADY_EXISTS && is_folder(wide))) {
        return BERTH_OK;
    }
    return number == ERROR_NOT_ENOUGH_MEMORY
               ? berth_fail_memory(err, "a folder's permissions")
               : berth_fail(err, BERTH_IO, (int)number, "cannot make the folder %s: error %lu",
                            path, number);
}

enum berth_code berth_folder_make_private(const char *path, struct berth_error *err)
{
    wchar_t *wide = berth_wide(path);

    if (wide == NULL) {
        return berth_fail_memory(err, "a path");
    }
    enum berth_code code = make_all(wide, path, err);
    berth_free(wide);
    return code;
}
