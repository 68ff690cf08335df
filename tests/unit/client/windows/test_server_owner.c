/* SPDX-License-Identifier: MIT */
#include "client/windows/server_owner.h"
#include "cmocka_all.h"
#include "windows/own_security.h"

#include <aclapi.h>
#include <sddl.h>
#include <stdio.h>
#include <wincrypt.h>

static PSID sid_of(const char *text)
{
    PSID sid = NULL;

    assert_true(ConvertStringSidToSidA(text, &sid));
    return sid;
}

static bool trusts(const char *owner, const char *own)
{
    PSID first = sid_of(owner);
    PSID second = own != NULL ? sid_of(own) : NULL;
    bool trusted = berth_server_owner_is_trusted(first, second);

    (void)LocalFree(first);
    (void)LocalFree(second);
    return trusted;
}

static void owner__system_administrators_or_oneself__is_trusted(void **state)
{
    (void)state;
    assert_true(trusts("S-1-5-18", "S-1-5-21-1-2-3-1001"));
    assert_true(trusts("S-1-5-32-544", "S-1-5-21-1-2-3-1001"));
    assert_true(trusts("S-1-5-21-1-2-3-1001", "S-1-5-21-1-2-3-1001"));
    assert_true(trusts("S-1-5-18", NULL));
}

static void owner__anybody_else__is_a_stranger(void **state)
{
    static const char *const strangers[] = {
        "S-1-5-21-1-2-3-1002", /* another user */
        "S-1-5-32-545",        /* all users */
        "S-1-1-0",             /* everyone */
        "S-1-5-19",            /* local service, network service: many services are they */
        "S-1-5-20",
        "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464", /* another service */
        "S-1-5-80-0",
    };

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(strangers); i++) {
        assert_false(trusts(strangers[i], "S-1-5-21-1-2-3-1001"));
        assert_false(trusts(strangers[i], NULL));
    }
}

/* A service's SID is 80 and SHA-1 of its name, in capitals, in UTF-16. */
static void service_sid(const wchar_t *name, char *out, size_t size)
{
    DWORD parts[5];
    DWORD length = sizeof parts;
    HCRYPTPROV provider;
    HCRYPTHASH hash;

    assert_true(CryptAcquireContextW(&provider, NULL, NULL, PROV_RSA_FULL, CRYPT_VERIFYCONTEXT));
    assert_true(CryptCreateHash(provider, CALG_SHA1, 0, 0, &hash));
    assert_true(CryptHashData(hash, (const BYTE *)name, (DWORD)(wcslen(name) * 2), 0));
    assert_true(CryptGetHashParam(hash, HP_HASHVAL, (BYTE *)parts, &length, 0));
    (void)CryptDestroyHash(hash);
    (void)CryptReleaseContext(provider, 0);
    (void)snprintf(out, size, "S-1-5-80-%lu-%lu-%lu-%lu-%lu", parts[0], parts[1], parts[2],
                   parts[3], parts[4]);
}

static void owner__service_berth__is_trusted(void **state)
{
    char sid[100];

    (void)state;
    service_sid(L"TRUSTEDINSTALLER", sid, sizeof sid);
    assert_string_equal(sid, "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464");
    service_sid(L"BERTH", sid, sizeof sid);
    assert_true(trusts(sid, NULL));
}

/* Makes a pipe with an owner and connects to it. */
static enum berth_code check_pipe(const char *sddl, struct berth_error *err)
{
    static unsigned count;
    SECURITY_ATTRIBUTES attributes = {sizeof attributes, NULL, FALSE};
    wchar_t name[100];

    (void)_snwprintf(name, BERTH_COUNT(name), L"\\\\.\\pipe\\berth-owner-%lu-%u",
                     GetCurrentProcessId(), ++count);
    if (sddl == NULL) {
        attributes.lpSecurityDescriptor = own_security();
    } else {
        assert_true(ConvertStringSecurityDescriptorToSecurityDescriptorA(
            sddl, SDDL_REVISION_1, &attributes.lpSecurityDescriptor, NULL));
    }
    HANDLE server =
        CreateNamedPipeW(name, PIPE_ACCESS_DUPLEX, PIPE_TYPE_BYTE, 1, 4096, 4096, 0, &attributes);
    (void)LocalFree(attributes.lpSecurityDescriptor);
    if (server == INVALID_HANDLE_VALUE && GetLastError() == ERROR_INVALID_OWNER) {
        skip(); /* Windows lets only those who may restore files name a stranger */
    }
    assert_true(server != INVALID_HANDLE_VALUE);
    HANDLE client =
        CreateFileW(name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);
    assert_true(client != INVALID_HANDLE_VALUE);
    enum berth_code code = berth_server_owner_check(client, err);
    (void)CloseHandle(client);
    (void)CloseHandle(server);
    return code;
}

static void check__own_pipe__is_accepted(void **state)
{
    struct berth_error err;

    (void)state;
    assert_ok(check_pipe(NULL, &err), &err);
}

static void check__pipe_of_a_stranger__is_refused_by_name(void **state)
{
    struct berth_error err;

    (void)state;
    assert_code(check_pipe("O:S-1-5-21-1-2-3-1002D:(A;;GA;;;WD)", &err), BERTH_IO);
    assert_non_null(strstr(err.detail, "who serves there is not Berth: the pipe belongs to "));
    assert_non_null(strstr(err.detail, "S-1-5-21-1-2-3-1002"));
    assert_non_null(strstr(err.detail, "nothing was sent"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(owner__system_administrators_or_oneself__is_trusted),
        cmocka_unit_test(owner__anybody_else__is_a_stranger),
        cmocka_unit_test(owner__service_berth__is_trusted),
        cmocka_unit_test(check__own_pipe__is_accepted),
        cmocka_unit_test(check__pipe_of_a_stranger__is_refused_by_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
