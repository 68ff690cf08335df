/* SPDX-License-Identifier: MIT */
#include "own_security.h"

#include <sddl.h>
#include <stdio.h>

PSECURITY_DESCRIPTOR own_security(void)
{
    union {
        TOKEN_USER user;
        BYTE room[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
    } own;
    PSECURITY_DESCRIPTOR security = NULL;
    DWORD size = sizeof own;
    HANDLE token;
    char sddl[512];
    char *sid = NULL;

    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) {
        return NULL;
    }
    if (GetTokenInformation(token, TokenUser, &own, size, &size) &&
        ConvertSidToStringSidA(own.user.User.Sid, &sid)) {
        (void)snprintf(sddl, sizeof sddl, "O:%sD:P(A;;GA;;;%s)", sid, sid);
        (void)ConvertStringSecurityDescriptorToSecurityDescriptorA(sddl, SDDL_REVISION_1, &security,
                                                                   NULL);
        (void)LocalFree(sid);
    }
    (void)CloseHandle(token);
    return security;
}
