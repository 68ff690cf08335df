/* SPDX-License-Identifier: MIT */
#include "fake_manager.h"

#include "cmocka_all.h"

#include <sddl.h>
#include <stdio.h>

#define MANAGER ((SC_HANDLE)1)
#define SERVICE ((SC_HANDLE)2)
#define KEY ((HKEY)3)

struct fake_manager fake;

void fake_begin(void)
{
    memset(&fake, 0, sizeof fake);
    fake.state = SERVICE_STOPPED;
    fake.owner = L"S-1-5-32-544";
    fake.attributes = FILE_ATTRIBUTE_DIRECTORY;
}

void fake_refuse(const char *call, unsigned at, DWORD number)
{
    fake.refused = call;
    fake.refuse_at = at;
    fake.refusal = number;
}

unsigned fake_count(const char *call)
{
    char line[64];
    unsigned count = 0;

    (void)snprintf(line, sizeof line, "%s ", call);
    for (const char *at = fake.calls; *at != '\0'; at = strchr(at, '\n') + 1) {
        count += strncmp(at, line, strlen(line)) == 0;
    }
    return count;
}

bool fake_saw(const char *text)
{
    return strstr(fake.calls, text) != NULL;
}

/* Notes a call.  @return true: it is to be refused; the number is in GetLastError() and fake */
static bool note(const char *call, const char *format, ...) BERTH_PRINTF(2, 3);

static bool note(const char *call, const char *format, ...)
{
    size_t length = strlen(fake.calls);
    va_list args;

    length += (size_t)snprintf(fake.calls + length, sizeof fake.calls - length, "%s ", call);
    va_start(args, format);
    length += (size_t)vsnprintf(fake.calls + length, sizeof fake.calls - length, format, args);
    va_end(args);
    assert_true(length + 2 < sizeof fake.calls);
    (void)snprintf(fake.calls + length, 2, "\n");
    if (fake.refused != NULL && strcmp(fake.refused, call) == 0 &&
        fake_count(call) == fake.refuse_at) {
        SetLastError(fake.refusal);
        return true;
    }
    return false;
}

static void become(DWORD state, DWORD next)
{
    fake.state = state;
    fake.next_state = next;
    fake.looks = 0;
}

/* ---- the service manager ---- */

static SC_HANDLE WINAPI open_manager(LPCWSTR machine, LPCWSTR database, DWORD access)
{
    assert_null(machine);
    assert_null(database);
    return note("OpenSCManagerW", "%lx", access) ? NULL : MANAGER;
}

static SC_HANDLE WINAPI open_service(SC_HANDLE manager, LPCWSTR name, DWORD access)
{
    assert_ptr_equal(manager, MANAGER);
    if (note("OpenServiceW", "%ls %lx", name, access)) {
        return NULL;
    }
    SetLastError(ERROR_SERVICE_DOES_NOT_EXIST);
    return fake.installed ? SERVICE : NULL;
}

static SC_HANDLE WINAPI create_service(SC_HANDLE manager, LPCWSTR name, LPCWSTR display_name,
                                       DWORD access, DWORD type, DWORD start, DWORD error_control,
                                       LPCWSTR path, LPCWSTR group, LPDWORD tag,
                                       LPCWSTR dependencies, LPCWSTR account, LPCWSTR password)
{
    assert_ptr_equal(manager, MANAGER);
    assert_false(fake.installed);
    assert_true(group == NULL && tag == NULL && dependencies == NULL && password == NULL);
    (void)access;
    if (note("CreateServiceW", "%ls|%ls|%lu|%lu|%lu|%ls|%ls", name, display_name, type, start,
             error_control, path, account)) {
        return NULL;
    }
    fake.installed = true;
    return SERVICE;
}

static BOOL WINAPI change_config(SC_HANDLE service, DWORD type, DWORD start, DWORD error_control,
                                 LPCWSTR path, LPCWSTR group, LPDWORD tag, LPCWSTR dependencies,
                                 LPCWSTR account, LPCWSTR password, LPCWSTR display_name)
{
    assert_ptr_equal(service, SERVICE);
    assert_true(group == NULL && tag == NULL && password == NULL);
    assert_int_equal(fake.state, SERVICE_STOPPED);
    return !note("ChangeServiceConfigW", "%ls|%lu|%lu|%lu|%ls|%ls|dependencies=\"%ls\"",
                 display_name, type, start, error_control, path, account, dependencies);
}

static BOOL WINAPI query_config(SC_HANDLE service, LPQUERY_SERVICE_CONFIGW config, DWORD size,
                                LPDWORD needed)
{
    (void)needed;
    assert_ptr_equal(service, SERVICE);
    assert_true(size >= sizeof *config);
    memset(config, 0, sizeof *config);
    config->lpBinaryPathName = fake.command_line;
    return !note("QueryServiceConfigW", "-");
}

static bool note_level(DWORD level, const void *info)
{
    const SERVICE_FAILURE_ACTIONSW *recovery = info;
    const wchar_t *privilege;

    switch (level) {
    case SERVICE_CONFIG_DESCRIPTION:
        return note("ChangeServiceConfig2W", "description %ls",
                    ((const SERVICE_DESCRIPTIONW *)info)->lpDescription);
    case SERVICE_CONFIG_FAILURE_ACTIONS:
        assert_int_equal(recovery->cActions, 3);
        assert_true(recovery->lpCommand == NULL && recovery->lpRebootMsg == NULL);
        return note("ChangeServiceConfig2W", "recovery reset %lu: %d in %lu, %d in %lu, %d in %lu",
                    recovery->dwResetPeriod, recovery->lpsaActions[0].Type,
                    recovery->lpsaActions[0].Delay, recovery->lpsaActions[1].Type,
                    recovery->lpsaActions[1].Delay, recovery->lpsaActions[2].Type,
                    recovery->lpsaActions[2].Delay);
    case SERVICE_CONFIG_FAILURE_ACTIONS_FLAG:
        return note(
            "ChangeServiceConfig2W", "recovery without a crash %d",
            ((const SERVICE_FAILURE_ACTIONS_FLAG *)info)->fFailureActionsOnNonCrashFailures);
    case SERVICE_CONFIG_DELAYED_AUTO_START_INFO:
        return note("ChangeServiceConfig2W", "delayed %d",
                    ((const SERVICE_DELAYED_AUTO_START_INFO *)info)->fDelayedAutostart);
    case SERVICE_CONFIG_SERVICE_SID_INFO:
        return note("ChangeServiceConfig2W", "sid type %lu",
                    ((const SERVICE_SID_INFO *)info)->dwServiceSidType);
    case SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO:
        privilege = ((const SERVICE_REQUIRED_PRIVILEGES_INFOW *)info)->pmszRequiredPrivileges;
        assert_int_equal(
            privilege[wcslen(privilege) + 1 + wcslen(privilege + wcslen(privilege) + 1) + 1], 0);
        return note("ChangeServiceConfig2W", "privileges %ls %ls", privilege,
                    privilege + wcslen(privilege) + 1);
    case SERVICE_CONFIG_PRESHUTDOWN_INFO:
        return note("ChangeServiceConfig2W", "preshutdown %lu",
                    ((const SERVICE_PRESHUTDOWN_INFO *)info)->dwPreshutdownTimeout);
    default:
        fail_msg("level %lu", level);
        return true;
    }
}

static BOOL WINAPI change_config2(SC_HANDLE service, DWORD level, LPVOID info)
{
    assert_ptr_equal(service, SERVICE);
    if (note_level(level, info)) {
        return FALSE;
    }
    SetLastError(ERROR_INVALID_LEVEL);
    return !fake.forgets_levels || level <= 2;
}

static BOOL WINAPI delete_service(SC_HANDLE service)
{
    assert_ptr_equal(service, SERVICE);
    if (note("DeleteService", "-")) {
        return FALSE;
    }
    fake.installed = false;
    return TRUE;
}

static BOOL WINAPI start_service(SC_HANDLE service, DWORD argc, LPCWSTR *argv)
{
    assert_ptr_equal(service, SERVICE);
    assert_true(argc == 0 && argv == NULL);
    if (note("StartServiceW", "-")) {
        return FALSE;
    }
    if (fake.state != SERVICE_STOPPED) {
        SetLastError(ERROR_SERVICE_ALREADY_RUNNING);
        return FALSE;
    }
    become(SERVICE_START_PENDING, fake.exit_code != 0 ? SERVICE_STOPPED : SERVICE_RUNNING);
    return TRUE;
}

static BOOL WINAPI control_service(SC_HANDLE service, DWORD control, LPSERVICE_STATUS status)
{
    (void)status;
    assert_ptr_equal(service, SERVICE);
    if (note("ControlService", "%lu", control)) {
        return FALSE;
    }
    assert_int_equal(control, SERVICE_CONTROL_STOP);
    if (fake.state == SERVICE_STOPPED) {
        SetLastError(ERROR_SERVICE_NOT_ACTIVE);
        return FALSE;
    }
    become(SERVICE_STOP_PENDING, SERVICE_STOPPED);
    return TRUE;
}

static BOOL WINAPI query_status(SC_HANDLE service, SC_STATUS_TYPE level, LPBYTE buffer, DWORD size,
                                LPDWORD needed)
{
    SERVICE_STATUS_PROCESS status = {.dwCurrentState = fake.state};

    (void)needed;
    assert_ptr_equal(service, SERVICE);
    assert_int_equal(level, SC_STATUS_PROCESS_INFO);
    assert_int_equal(size, sizeof status);
    if (note("QueryServiceStatusEx", "-")) {
        return FALSE;
    }
    if (fake.next_state != 0 && fake.looks++ == 1) {
        become(fake.next_state, 0);
        status.dwCurrentState = fake.state;
    }
    status.dwProcessId = fake.state == SERVICE_STOPPED ? 0 : 4711;
    if (fake.state == SERVICE_STOPPED && fake.exit_code != 0) {
        status.dwWin32ExitCode = ERROR_SERVICE_SPECIFIC_ERROR;
        status.dwServiceSpecificExitCode = fake.exit_code;
    }
    memcpy(buffer, &status, sizeof status);
    return TRUE;
}

static BOOL WINAPI close_handle(SC_HANDLE handle)
{
    return !note("CloseServiceHandle", "%p", (void *)handle);
}

static ULONGLONG WINAPI tick_count(void)
{
    return fake.now_ms;
}

static VOID WINAPI sleep_ms(DWORD ms)
{
    fake.now_ms += ms;
}

/* ---- folders ---- */

/* The whole security descriptor as text. */
static void describe(PSECURITY_DESCRIPTOR descriptor, SECURITY_INFORMATION parts, char out[1000])
{
    char *text = NULL;

    assert_true(ConvertSecurityDescriptorToStringSecurityDescriptorA(descriptor, SDDL_REVISION_1,
                                                                     parts, &text, NULL));
    (void)snprintf(out, 1000, "%s", text);
    (void)LocalFree(text);
}

static BOOL WINAPI create_directory(LPCWSTR path, LPSECURITY_ATTRIBUTES attributes)
{
    char text[1000];

    describe(attributes->lpSecurityDescriptor,
             OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION, text);
    if (note("CreateDirectoryW", "%ls %s", path, text)) {
        return FALSE;
    }
    SetLastError(ERROR_ALREADY_EXISTS);
    return !fake.folders_exist;
}

static DWORD WINAPI file_attributes(LPCWSTR path)
{
    bool iis = wcsstr(path, L"inetsrv") != NULL;

    if (note("GetFileAttributesW", "%ls", path) || (iis && !fake.iis_exists)) {
        SetLastError(ERROR_FILE_NOT_FOUND);
        return INVALID_FILE_ATTRIBUTES;
    }
    return fake.attributes;
}

static DWORD WINAPI get_security(LPCWSTR name, SE_OBJECT_TYPE type, SECURITY_INFORMATION parts,
                                 PSID *owner, PSID *group, PACL *dacl, PACL *sacl,
                                 PSECURITY_DESCRIPTOR *descriptor)
{
    wchar_t sddl[300];
    BOOL present;
    BOOL defaulted;

    assert_int_equal(type, SE_FILE_OBJECT);
    assert_true(group == NULL && sacl == NULL);
    if (note("GetNamedSecurityInfoW", "%ls %lx", name, parts)) {
        return fake.refusal;
    }
    (void)swprintf(sddl, BERTH_COUNT(sddl), L"O:%lsD:AI(A;OICI;FA;;;SY)(A;OICI;0x1200a9;;;BU)",
                   fake.owner);
    assert_true(ConvertStringSecurityDescriptorToSecurityDescriptorW(sddl, SDDL_REVISION_1,
                                                                     descriptor, NULL));
    if (owner != NULL) {
        (void)GetSecurityDescriptorOwner(*descriptor, owner, &defaulted);
    }
    if (dacl != NULL) {
        (void)GetSecurityDescriptorDacl(*descriptor, &present, dacl, &defaulted);
    }
    return ERROR_SUCCESS;
}

static DWORD WINAPI set_security(LPWSTR name, SE_OBJECT_TYPE type, SECURITY_INFORMATION parts,
                                 PSID owner, PSID group, PACL dacl, PACL sacl)
{
    SECURITY_DESCRIPTOR descriptor;
    char text[1000];

    assert_int_equal(type, SE_FILE_OBJECT);
    assert_true(group == NULL && sacl == NULL);
    (void)InitializeSecurityDescriptor(&descriptor, SECURITY_DESCRIPTOR_REVISION);
    (void)SetSecurityDescriptorOwner(&descriptor, owner, FALSE);
    (void)SetSecurityDescriptorDacl(&descriptor, TRUE, dacl, FALSE);
    describe(&descriptor, parts & (OWNER_SECURITY_INFORMATION | DACL_SECURITY_INFORMATION), text);
    return note("SetNamedSecurityInfoW", "%ls %lx %s", name, parts, text) ? fake.refusal
                                                                          : ERROR_SUCCESS;
}

/* ---- the group ---- */

static NET_API_STATUS change_members(const char *call, LPCWSTR server, LPCWSTR group, DWORD level,
                                     LPBYTE members, DWORD count)
{
    wchar_t *sid = NULL;

    assert_null(server);
    assert_int_equal(level, 0);
    assert_int_equal(count, 1);
    assert_true(
        ConvertSidToStringSidW(((LOCALGROUP_MEMBERS_INFO_0 *)(void *)members)->lgrmi0_sid, &sid));
    bool refused = note(call, "%ls %ls", group, sid);
    (void)LocalFree(sid);
    return refused ? fake.refusal : 0;
}

static NET_API_STATUS WINAPI add_members(LPCWSTR server, LPCWSTR group, DWORD level, LPBYTE members,
                                         DWORD count)
{
    return change_members("NetLocalGroupAddMembers", server, group, level, members, count);
}

static NET_API_STATUS WINAPI del_members(LPCWSTR server, LPCWSTR group, DWORD level, LPBYTE members,
                                         DWORD count)
{
    return change_members("NetLocalGroupDelMembers", server, group, level, members, count);
}

/* The group as a German system calls it. */
static BOOL WINAPI lookup_sid(LPCWSTR system, PSID sid, LPWSTR name, LPDWORD name_size,
                              LPWSTR domain, LPDWORD domain_size, PSID_NAME_USE use)
{
    wchar_t *text = NULL;

    assert_null(system);
    assert_true(ConvertSidToStringSidW(sid, &text));
    bool refused = note("LookupAccountSidW", "%ls", text);
    (void)LocalFree(text);
    (void)swprintf(name, *name_size, L"Leistungsprotokollbenutzer");
    (void)swprintf(domain, *domain_size, L"VORDEFINIERT");
    *use = SidTypeAlias;
    return !refused;
}

/* ---- the registry ---- */

static LSTATUS WINAPI create_key(HKEY key, LPCWSTR name, DWORD reserved, LPWSTR class_name,
                                 DWORD options, REGSAM access,
                                 const LPSECURITY_ATTRIBUTES attributes, PHKEY out,
                                 LPDWORD disposition)
{
    assert_ptr_equal(key, HKEY_LOCAL_MACHINE);
    assert_true(reserved == 0 && class_name == NULL && options == 0 && attributes == NULL &&
                disposition == NULL && access == KEY_SET_VALUE);
    *out = KEY;
    return note("RegCreateKeyExW", "%ls", name) ? (LSTATUS)fake.refusal : ERROR_SUCCESS;
}

static LSTATUS WINAPI set_value(HKEY key, LPCWSTR name, DWORD reserved, DWORD type,
                                const BYTE *data, DWORD size)
{
    bool refused;

    assert_ptr_equal(key, KEY);
    assert_int_equal(reserved, 0);
    if (type == REG_DWORD) {
        DWORD number;
        assert_int_equal(size, sizeof number);
        memcpy(&number, data, sizeof number);
        refused = note("RegSetValueExW", "%ls=%lu", name, number);
    } else {
        assert_int_equal(type, REG_EXPAND_SZ);
        assert_int_equal(size, 2 * (wcslen((const wchar_t *)(const void *)data) + 1));
        refused = note("RegSetValueExW", "%ls=%ls", name, (const wchar_t *)(const void *)data);
    }
    return refused ? (LSTATUS)fake.refusal : ERROR_SUCCESS;
}

static LSTATUS WINAPI close_key(HKEY key)
{
    assert_ptr_equal(key, KEY);
    return note("RegCloseKey", "-") ? 1 : ERROR_SUCCESS;
}

static LSTATUS WINAPI delete_tree(HKEY key, LPCWSTR name)
{
    assert_ptr_equal(key, HKEY_LOCAL_MACHINE);
    return note("RegDeleteTreeW", "%ls", name) ? (LSTATUS)fake.refusal : ERROR_SUCCESS;
}

const struct berth_service_calls fake_calls = {
    .OpenSCManagerW = open_manager,
    .OpenServiceW = open_service,
    .CreateServiceW = create_service,
    .ChangeServiceConfigW = change_config,
    .ChangeServiceConfig2W = change_config2,
    .QueryServiceConfigW = query_config,
    .DeleteService = delete_service,
    .StartServiceW = start_service,
    .ControlService = control_service,
    .QueryServiceStatusEx = query_status,
    .CloseServiceHandle = close_handle,
    .GetTickCount64 = tick_count,
    .Sleep = sleep_ms,
    .CreateDirectoryW = create_directory,
    .GetFileAttributesW = file_attributes,
    .GetNamedSecurityInfoW = get_security,
    .SetNamedSecurityInfoW = set_security,
    .NetLocalGroupAddMembers = add_members,
    .NetLocalGroupDelMembers = del_members,
    .LookupAccountSidW = lookup_sid,
    .RegCreateKeyExW = create_key,
    .RegSetValueExW = set_value,
    .RegCloseKey = close_key,
    .RegDeleteTreeW = delete_tree,
};
