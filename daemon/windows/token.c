/* SPDX-License-Identifier: MIT */
#include "daemon/windows/token.h"

#include "base/memory.h"
#include "daemon/windows/sid.h"

#define OWN_GROUPS_MAX 128

static bool take_sid(PSID sid, struct berth_account_id *out)
{
    return IsValidSid(sid) && berth_sid_take(sid, GetLengthSid(sid), out);
}

bool berth_token_user(HANDLE token, struct berth_account_id *out)
{
    union {
        TOKEN_USER user;
        unsigned char bytes[sizeof(TOKEN_USER) + SECURITY_MAX_SID_SIZE];
    } info;
    DWORD size;

    return GetTokenInformation(token, TokenUser, &info, sizeof info, &size) &&
           take_sid(info.user.User.Sid, out);
}

static bool counts(DWORD attributes)
{
    return (attributes & SE_GROUP_ENABLED) != 0 && (attributes & SE_GROUP_USE_FOR_DENY_ONLY) == 0;
}

bool berth_token_groups(HANDLE token, struct berth_account_id *out, size_t max, uint32_t *count)
{
    TOKEN_GROUPS *groups = NULL;
    DWORD size = 0;

    *count = 0;
    (void)GetTokenInformation(token, TokenGroups, NULL, 0, &size);
    if (size > 0) {
        groups = berth_alloc(size, 1);
    }
    if (groups == NULL || !GetTokenInformation(token, TokenGroups, groups, size, &size)) {
        berth_free(groups);
        return false;
    }
    for (DWORD i = 0; i < groups->GroupCount && *count < max; i++) {
        if (counts(groups->Groups[i].Attributes) && take_sid(groups->Groups[i].Sid, &out[*count])) {
            (*count)++;
        }
    }
    berth_free(groups);
    return true;
}

struct berth_account_id berth_token_own_account(void)
{
    struct berth_account_id own = {0};
    struct berth_account_id groups[OWN_GROUPS_MAX];
    uint32_t count;
    HANDLE token;

    if (!OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) {
        return own;
    }
    (void)berth_token_user(token, &own);
    if (berth_token_groups(token, groups, BERTH_COUNT(groups), &count)) {
        for (uint32_t i = 0; i < count; i++) {
            if (berth_sid_is_service(&groups[i])) {
                own = groups[i];
                break;
            }
        }
    }
    (void)CloseHandle(token);
    return own;
}
