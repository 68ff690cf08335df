/* SPDX-License-Identifier: MIT */
#include "daemon/windows/pipe_guard.h"

#include "base/memory.h"
#include "base/windows/fail_system.h"
#include "base/windows/pipe_name.h"
#include "base/windows/wide.h"
#include "daemon/windows/sid.h"
#include "daemon/windows/token.h"

#include <sddl.h>
#include <stdio.h>
#include <string.h>

#define GUARD_PREFIX L"Global\\Berth endpoint "
#define IMAGE_UNITS 1024

/* ---- who has a pipe ---- */

/* A handle that says who serves; the right to read attributes is the least that does. */
static HANDLE connect_anonymously(const wchar_t *pipe)
{
    return CreateFileW(pipe, FILE_READ_ATTRIBUTES, 0, NULL, OPEN_EXISTING,
                       SECURITY_SQOS_PRESENT | SECURITY_ANONYMOUS, NULL);
}

static ULONG find_server(const wchar_t *pipe)
{
    ULONG process_id = 0;
    HANDLE client = connect_anonymously(pipe);

    if (client == INVALID_HANDLE_VALUE) {
        return 0;
    }
    if (!GetNamedPipeServerProcessId(client, &process_id)) {
        process_id = 0;
    }
    (void)CloseHandle(client);
    return process_id;
}

/* Who runs a process, in words; "" where the system does not tell. */
static void describe_user(HANDLE process, char *out, size_t size)
{
    struct berth_account_id user;
    char name[256];
    HANDLE token;

    out[0] = '\0';
    if (!OpenProcessToken(process, TOKEN_QUERY, &token)) {
        return;
    }
    if (berth_token_user(token, &user)) {
        (void)berth_account_look_up_user_name(&user, name, sizeof name);
        (void)snprintf(out, size, ", run by %s", name);
    }
    (void)CloseHandle(token);
}

/* "process 1234 (C:\…\x.exe, run by WORK\alice)" */
static void describe_process(ULONG process_id, char *out, size_t size)
{
    HANDLE process = OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, FALSE, process_id);
    wchar_t image[IMAGE_UNITS];
    char narrow[200] = "an unknown program";
    char user[300];
    DWORD units = IMAGE_UNITS;

    if (process == NULL) {
        (void)snprintf(out, size, "process %lu", process_id);
        return;
    }
    if (QueryFullProcessImageNameW(process, 0, image, &units)) {
        (void)berth_narrow_into(narrow, sizeof narrow, image);
    }
    describe_user(process, user, sizeof user);
    (void)snprintf(out, size, "process %lu (%s%s)", process_id, narrow, user);
    (void)CloseHandle(process);
}

enum berth_code berth_pipe_fail_taken(const wchar_t *pipe, const char *shown,
                                      struct berth_error *err)
{
    char owner[480] = "another process that cannot be found out";
    ULONG process_id = find_server(pipe);

    if (process_id != 0) {
        describe_process(process_id, owner, sizeof owner);
    }
    return berth_fail(err, BERTH_BUSY, ERROR_PIPE_BUSY, "%s is served already, by %s", shown,
                      owner);
}

/* ---- the mutex ---- */

/* The name below which a pipe is guarded: in lower case, as pipes' names are of no case. */
static wchar_t *guard_name(const wchar_t *pipe)
{
    const wchar_t *name = pipe + strlen(BERTH_PIPE_PREFIX);
    size_t prefix = wcslen(GUARD_PREFIX);
    size_t length = wcslen(name);
    wchar_t *out = berth_alloc(prefix + length + 1, sizeof *out);

    if (out != NULL) {
        wmemcpy(out, GUARD_PREFIX, prefix);
        (void)LCMapStringEx(LOCALE_NAME_INVARIANT, LCMAP_LOWERCASE, name, (int)length, out + prefix,
                            (int)length, NULL, NULL, 0);
    }
    return out;
}

/* For administrators and for who serves; others shall not be able to hold it open. NULL: there is
 * none, by GetLastError(). */
static PSECURITY_DESCRIPTOR guard_security(void)
{
    const struct berth_account_id own = berth_token_own_account();
    PSECURITY_DESCRIPTOR security = NULL;
    char sid[BERTH_ACCOUNT_TEXT_SIZE];
    char sddl[BERTH_ACCOUNT_TEXT_SIZE + 64];

    if (own.length == 0) {
        return NULL;
    }
    (void)snprintf(sddl, sizeof sddl, "D:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;GA;;;%s)",
                   berth_sid_write(&own, sid));
    (void)ConvertStringSecurityDescriptorToSecurityDescriptorA(sddl, SDDL_REVISION_1, &security,
                                                               NULL);
    return security;
}

static HANDLE create_guard(const wchar_t *name)
{
    SECURITY_ATTRIBUTES attributes = {sizeof attributes, guard_security(), FALSE};
    HANDLE guard = NULL;

    /* without a descriptor anybody could hold it */
    if (attributes.lpSecurityDescriptor != NULL) {
        guard = CreateMutexW(&attributes, FALSE, name);
    }
    DWORD number = GetLastError();
    (void)LocalFree(attributes.lpSecurityDescriptor);
    SetLastError(number);
    return guard;
}

enum berth_code berth_pipe_guard(const wchar_t *pipe, const char *shown, HANDLE *out,
                                 struct berth_error *err)
{
    wchar_t *name = guard_name(pipe);

    if (name == NULL) {
        return berth_fail_memory(err, "the endpoint's guard");
    }
    HANDLE guard = create_guard(name);
    DWORD number = GetLastError();
    berth_free(name);
    if (guard == NULL && number != ERROR_ACCESS_DENIED) {
        return berth_fail_system(err, number, "cannot guard %s", shown);
    }
    if (guard == NULL || number == ERROR_ALREADY_EXISTS) {
        if (guard != NULL) {
            (void)CloseHandle(guard);
        }
        return berth_pipe_fail_taken(pipe, shown, err);
    }
    *out = guard;
    return BERTH_OK;
}
