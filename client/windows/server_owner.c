/* SPDX-License-Identifier: MIT */
#include "client/windows/server_owner.h"

#include "base/compiler.h"
#include "base/windows/os_text.h"
#include "base/windows/wide.h"

#include <aclapi.h>
#include <sddl.h>
#include <stdio.h>

#define NAME_UNITS 256
#define SID_AUTHORITIES 8

/* A SID with room for the parts that are used here. */
struct small_sid {
    BYTE revision;
    BYTE count;
    SID_IDENTIFIER_AUTHORITY authority;
    DWORD parts[SID_AUTHORITIES];
};

/* The last one is NT SERVICE\Berth: 80, and SHA-1 of "BERTH" in UTF-16. */
static const struct small_sid trusted[] = {
    {SID_REVISION, 1, {SECURITY_NT_AUTHORITY}, {SECURITY_LOCAL_SYSTEM_RID}},
    {SID_REVISION,
     2,
     {SECURITY_NT_AUTHORITY},
     {SECURITY_BUILTIN_DOMAIN_RID, DOMAIN_ALIAS_RID_ADMINS}},
    {SID_REVISION,
     6,
     {SECURITY_NT_AUTHORITY},
     {SECURITY_SERVICE_ID_BASE_RID, 3406181939u, 265939743u, 1672729043u, 1222117948u,
      3286459357u}},
};

bool berth_server_owner_is_trusted(PSID owner, PSID own)
{
    for (size_t i = 0; i < BERTH_COUNT(trusted); i++) {
        struct small_sid known = trusted[i];
        if (EqualSid(owner, &known)) {
            return true;
        }
    }
    return own != NULL && EqualSid(owner, own);
}

/* The user that this program runs as. */
union own_user {
    TOKEN_USER user;
    BYTE room[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
};

/* Gives that user's SID, which lies in `own`; NULL: the system does not tell. */
static PSID own_sid(union own_user *own)
{
    DWORD size = sizeof *own;
    HANDLE token;

    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) {
        return NULL;
    }
    BOOL told = GetTokenInformation(token, TokenUser, own, size, &size);
    (void)CloseHandle(token);
    return told ? own->user.User.Sid : NULL;
}

/* "WORK\alice (S-1-5-21-…)" */
static enum berth_code fail_stranger(PSID owner, struct berth_error *err)
{
    wchar_t name[NAME_UNITS] = L"";
    wchar_t domain[NAME_UNITS] = L"";
    char shown_name[128] = "";
    char shown_domain[128] = "";
    DWORD name_units = NAME_UNITS;
    DWORD domain_units = NAME_UNITS;
    SID_NAME_USE use;
    char *sid = NULL;

    if (LookupAccountSidW(NULL, owner, name, &name_units, domain, &domain_units, &use)) {
        (void)berth_narrow_into(shown_name, sizeof shown_name, name);
        (void)berth_narrow_into(shown_domain, sizeof shown_domain, domain);
    }
    (void)ConvertSidToStringSidA(owner, &sid);
    enum berth_code code = berth_fail(
        err, BERTH_IO, ERROR_INVALID_OWNER,
        "who serves there is not Berth: the pipe belongs to %s%s%s%s%s%s, and not to the service "
        "Berth, the system, an administrator or yourself; nothing was sent",
        shown_domain, shown_domain[0] != '\0' ? "\\" : "", shown_name,
        shown_name[0] != '\0' ? " (" : "", sid != NULL ? sid : "an unknown account",
        shown_name[0] != '\0' ? ")" : "");
    (void)LocalFree(sid);
    return code;
}

enum berth_code berth_server_owner_check(HANDLE pipe, struct berth_error *err)
{
    PSECURITY_DESCRIPTOR security = NULL;
    PSID owner = NULL;
    union own_user own;
    char words[200];
    enum berth_code code = BERTH_OK;
    DWORD number = GetSecurityInfo(pipe, SE_KERNEL_OBJECT, OWNER_SECURITY_INFORMATION, &owner, NULL,
                                   NULL, NULL, &security);

    if (number != ERROR_SUCCESS || owner == NULL) {
        return berth_fail(err, BERTH_IO, (int)number,
                          "the system does not tell whose pipe it is: %s; nothing was sent",
                          berth_os_text(words, sizeof words, number));
    }
    if (!berth_server_owner_is_trusted(owner, own_sid(&own))) {
        code = fail_stranger(owner, err);
    }
    (void)LocalFree(security);
    return code;
}
