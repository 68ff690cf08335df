/* SPDX-License-Identifier: MIT */
#include "daemon/windows/service_rights.h"

#include "base/memory.h"
#include "base/windows/fail_system.h"
#include "base/windows/wide.h"
#include "daemon/system_log.h"
#include "daemon/windows/service_names.h"
#include "daemon/windows/system_log.h"

#include <sddl.h>
#include <stdbool.h>
#include <string.h>

#define SOURCE_KEY L"SYSTEM\\CurrentControlSet\\Services\\EventLog\\Application\\" BERTH_LOG_SOURCE
#define NAME_SIZE 256
#define READ_ACCESS 0x1200a9 /* FILE_GENERIC_READ and FILE_GENERIC_EXECUTE */

static enum berth_code fail_on(struct berth_error *err, DWORD number, const char *step,
                               const wchar_t *path)
{
    char *name = berth_narrow(path);
    enum berth_code code =
        berth_fail_system(err, number, "cannot %s %s", step, name != NULL ? name : "a path");

    berth_free(name);
    return code;
}

static bool is_there(const struct berth_service_calls *calls, const wchar_t *path)
{
    return calls->GetFileAttributesW(path) != INVALID_FILE_ATTRIBUTES;
}

/* ---- our own folders ---- */

/* Those who may have made a folder that the service's account shall trust. */
static bool owner_is_trusted(PSID owner)
{
    static const wchar_t *const trusted[] = {
        L"S-1-5-18",                                                       /* SYSTEM */
        L"S-1-5-32-544",                                                   /* Administrators */
        L"" BERTH_SERVICE_SID,                                             /* the service */
        L"S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464", /* TrustedInstaller */
    };
    wchar_t *text = NULL;
    bool found = false;

    if (owner == NULL || !ConvertSidToStringSidW(owner, &text)) {
        return false;
    }
    for (size_t i = 0; i < BERTH_COUNT(trusted) && !found; i++) {
        found = wcscmp(text, trusted[i]) == 0;
    }
    (void)LocalFree(text);
    return found;
}

/* Tells whether the caller owns it: an administrator who ran berthd in a console before. */
static bool owner_is_caller(PSID owner)
{
    HANDLE token;
    BYTE buffer[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
    DWORD length;
    bool same = false;

    if (owner != NULL && OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) {
        same = GetTokenInformation(token, TokenUser, buffer, sizeof buffer, &length) &&
               EqualSid(owner, ((const TOKEN_USER *)(void *)buffer)->User.Sid);
        (void)CloseHandle(token);
    }
    return same;
}

/* Every user may make folders in %ProgramData%: one who was there first owns ours, and could change
 * its permissions at any time, or have made it a link to elsewhere. */
static enum berth_code check_folder(const struct berth_service_calls *calls, const wchar_t *path,
                                    struct berth_error *err)
{
    PSECURITY_DESCRIPTOR descriptor = NULL;
    PSID owner = NULL;
    DWORD attributes = calls->GetFileAttributesW(path);
    char name[NAME_SIZE];

    (void)berth_narrow_into(name, sizeof name, path);
    if (attributes == INVALID_FILE_ATTRIBUTES) {
        return fail_on(err, GetLastError(), "look at", path);
    }
    if ((attributes & FILE_ATTRIBUTE_DIRECTORY) == 0 ||
        (attributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0) {
        return berth_fail(
            err, BERTH_DENIED, 0,
            "%s is a link or no folder, which somebody may have prepared: look at it, "
            "remove it, and install again",
            name);
    }
    DWORD number = calls->GetNamedSecurityInfoW(path, SE_FILE_OBJECT, OWNER_SECURITY_INFORMATION,
                                                &owner, NULL, NULL, NULL, &descriptor);
    if (number != ERROR_SUCCESS) {
        return fail_on(err, number, "find the owner of", path);
    }
    bool trusted = owner_is_trusted(owner) || owner_is_caller(owner);
    (void)LocalFree(descriptor);
    return trusted ? BERTH_OK
                   : berth_fail(err, BERTH_DENIED, 0,
                                "%s belongs to somebody who is no administrator and may have "
                                "prepared it: look at it, remove it, and install again",
                                name);
}

static enum berth_code set_security(const struct berth_service_calls *calls, const wchar_t *path,
                                    PSECURITY_DESCRIPTOR security, struct berth_error *err)
{
    PSID owner;
    PACL dacl;
    BOOL present;
    BOOL defaulted;
    wchar_t *name = (wchar_t *)(uintptr_t)path; /* the function does not write to it */

    (void)GetSecurityDescriptorOwner(security, &owner, &defaulted);
    (void)GetSecurityDescriptorDacl(security, &present, &dacl, &defaulted);
    DWORD number =
        calls->SetNamedSecurityInfoW(name, SE_FILE_OBJECT,
                                     OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION |
                                         PROTECTED_DACL_SECURITY_INFORMATION,
                                     owner, NULL, dacl, NULL);
    return number == ERROR_SUCCESS ? BERTH_OK
                                   : fail_on(err, number, "set the permissions of", path);
}

/* Has the folder with these permissions afterwards, on what lies in it as well. */
static enum berth_code give_folder(const struct berth_service_calls *calls, const wchar_t *path,
                                   const char *sddl, struct berth_error *err)
{
    SECURITY_ATTRIBUTES attributes = {sizeof attributes, NULL, FALSE};
    enum berth_code code = BERTH_OK;

    if (!ConvertStringSecurityDescriptorToSecurityDescriptorA(
            sddl, SDDL_REVISION_1, &attributes.lpSecurityDescriptor, NULL)) {
        return fail_on(err, GetLastError(), "make the permissions of", path);
    }
    if (!calls->CreateDirectoryW(path, &attributes)) {
        DWORD number = GetLastError();
        code = number == ERROR_ALREADY_EXISTS ? check_folder(calls, path, err)
                                              : fail_on(err, number, "make the folder", path);
        if (code == BERTH_OK) {
            code = set_security(calls, path, attributes.lpSecurityDescriptor, err);
        }
    }
    (void)LocalFree(attributes.lpSecurityDescriptor);
    return code;
}

/* ---- others' folders ---- */

/* Adds the service's right to read to a folder's permissions, or takes all of its entries out. */
static enum berth_code change_entry(const struct berth_service_calls *calls, const wchar_t *path,
                                    PSID sid, bool give, struct berth_error *err)
{
    EXPLICIT_ACCESSW entry = {
        .grfAccessPermissions = READ_ACCESS,
        .grfAccessMode = give ? GRANT_ACCESS : REVOKE_ACCESS,
        .grfInheritance = SUB_CONTAINERS_AND_OBJECTS_INHERIT,
        .Trustee = {.TrusteeForm = TRUSTEE_IS_SID,
                    .TrusteeType = TRUSTEE_IS_WELL_KNOWN_GROUP,
                    .ptstrName = sid},
    };
    PSECURITY_DESCRIPTOR descriptor = NULL;
    PACL dacl = NULL;
    PACL changed = NULL;
    DWORD number = calls->GetNamedSecurityInfoW(path, SE_FILE_OBJECT, DACL_SECURITY_INFORMATION,
                                                NULL, NULL, &dacl, NULL, &descriptor);

    if (number != ERROR_SUCCESS) {
        return fail_on(err, number, "read the permissions of", path);
    }
    number = SetEntriesInAclW(1, &entry, dacl, &changed);
    if (number == ERROR_SUCCESS) {
        number = calls->SetNamedSecurityInfoW((wchar_t *)(uintptr_t)path, SE_FILE_OBJECT,
                                              DACL_SECURITY_INFORMATION, NULL, NULL, changed, NULL);
    }
    (void)LocalFree(changed);
    (void)LocalFree(descriptor);
    return number == ERROR_SUCCESS ? BERTH_OK
                                   : fail_on(err, number, "change the permissions of", path);
}

/* ---- the group for event tracing ---- */

/* Adds the service to Performance Log Users, whatever they are called in the system's language.
 * @return 0, also if it was a member, or what the system says */
static DWORD change_member(const struct berth_service_calls *calls, PSID sid, bool give)
{
    LOCALGROUP_MEMBERS_INFO_0 member = {.lgrmi0_sid = sid};
    wchar_t name[NAME_SIZE];
    wchar_t domain[NAME_SIZE];
    DWORD name_size = NAME_SIZE;
    DWORD domain_size = NAME_SIZE;
    BYTE group[SECURITY_MAX_SID_SIZE];
    DWORD group_size = sizeof group;
    SID_NAME_USE use;

    if (!CreateWellKnownSid(WinBuiltinPerfLoggingUsersSid, NULL, group, &group_size) ||
        !calls->LookupAccountSidW(NULL, group, name, &name_size, domain, &domain_size, &use)) {
        return GetLastError();
    }
    if (give) {
        DWORD number = calls->NetLocalGroupAddMembers(NULL, name, 0, (LPBYTE)&member, 1);
        return number == ERROR_MEMBER_IN_ALIAS ? 0 : number;
    }
    DWORD number = calls->NetLocalGroupDelMembers(NULL, name, 0, (LPBYTE)&member, 1);
    return number == ERROR_MEMBER_NOT_IN_ALIAS || number == ERROR_NO_SUCH_MEMBER ? 0 : number;
}

/* ---- the event source ---- */

static enum berth_code give_source(const struct berth_service_calls *calls, const wchar_t *program,
                                   struct berth_error *err)
{
    const DWORD types = EVENTLOG_ERROR_TYPE | EVENTLOG_WARNING_TYPE | EVENTLOG_INFORMATION_TYPE;
    HKEY key;
    DWORD size = (DWORD)((wcslen(program) + 1) * sizeof *program);
    LSTATUS number = calls->RegCreateKeyExW(HKEY_LOCAL_MACHINE, SOURCE_KEY, 0, NULL, 0,
                                            KEY_SET_VALUE, NULL, &key, NULL);

    if (number == ERROR_SUCCESS) {
        number = calls->RegSetValueExW(key, L"EventMessageFile", 0, REG_EXPAND_SZ,
                                       (const BYTE *)program, size);
        if (number == ERROR_SUCCESS) {
            number = calls->RegSetValueExW(key, L"TypesSupported", 0, REG_DWORD,
                                           (const BYTE *)&types, sizeof types);
        }
        (void)calls->RegCloseKey(key);
    }
    return number == ERROR_SUCCESS
               ? BERTH_OK
               : berth_fail_system(err, (DWORD)number, "cannot register the event source Berth");
}

static enum berth_code take_source(const struct berth_service_calls *calls, struct berth_error *err)
{
    LSTATUS number = calls->RegDeleteTreeW(HKEY_LOCAL_MACHINE, SOURCE_KEY);

    return number == ERROR_SUCCESS || number == ERROR_FILE_NOT_FOUND
               ? BERTH_OK
               : berth_fail_system(err, (DWORD)number, "cannot remove the event source Berth");
}

/* ---- all of it ---- */

static enum berth_code make_sid(PSID *out, struct berth_error *err)
{
    return ConvertStringSidToSidW(L"" BERTH_SERVICE_SID, out)
               ? BERTH_OK
               : berth_fail_system(err, GetLastError(), "cannot make the service's SID");
}

static void note_number(struct berth_text *notes, DWORD number, const char *what)
{
    struct berth_error err;

    (void)berth_fail_system(&err, number, "%s", what);
    berth_text_printf(notes, "%s\n", err.detail);
}

enum berth_code berth_service_rights_give(const struct berth_service_calls *calls,
                                          const struct berth_service_places *places,
                                          struct berth_text *notes, struct berth_error *err)
{
    PSID sid = NULL;
    enum berth_code code = make_sid(&sid, err);

    if (code == BERTH_OK) {
        code = give_folder(calls, places->root, BERTH_RIGHTS_READ_BY_USERS, err);
    }
    if (code == BERTH_OK) {
        code = give_folder(calls, places->state, BERTH_RIGHTS_OF_SERVICE, err);
    }
    if (code == BERTH_OK) {
        code = give_folder(calls, places->logs, BERTH_RIGHTS_OF_SERVICE, err);
    }
    if (code == BERTH_OK) {
        code = give_source(calls, places->program, err);
    }
    if (code == BERTH_OK && !is_there(calls, places->iis)) {
        berth_text_puts(notes,
                        "IIS is not on this machine; should it come, install the service once "
                        "more, so that it may read IIS's configuration\n");
    } else if (code == BERTH_OK) {
        code = change_entry(calls, places->iis, sid, true, err);
    }
    if (code == BERTH_OK) {
        DWORD number = change_member(calls, sid, true);
        if (number != 0) {
            note_number(notes, number,
                        "the service is no member of Performance Log Users, so that it polls "
                        "instead of being told of sockets");
        }
    }
    (void)LocalFree(sid);
    return code;
}

enum berth_code berth_service_rights_take(const struct berth_service_calls *calls,
                                          const struct berth_service_places *places,
                                          struct berth_error *err)
{
    PSID sid = NULL;
    enum berth_code code = make_sid(&sid, err);

    if (code != BERTH_OK) {
        return code;
    }
    if (is_there(calls, places->iis)) {
        code = change_entry(calls, places->iis, sid, false, err);
    }
    DWORD number = change_member(calls, sid, false);
    if (code == BERTH_OK && number != 0) {
        code =
            berth_fail_system(err, number, "cannot take the service out of Performance Log Users");
    }
    enum berth_code source = take_source(calls, code == BERTH_OK ? err : NULL);
    (void)LocalFree(sid);
    return code == BERTH_OK ? source : code;
}
