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

static bool counts(DWORD attributes, DWORD wanted)
{
    return (attributes & SE_GROUP_ENABLED) != 0 && (attributes & SE_GROUP_USE_FOR_DENY_ONLY) == 0 &&
           (attributes & wanted) == wanted;
}

bool berth_token_groups(HANDLE token, DWORD wanted, struct berth_account_id *out, size_t max,
                        uint32_t *count)
{
    TOKEN_GROUPS *groups = NULL;
    DWORD size = 0;

    *count = 0;
    (void)GetTokenInformation(token, TokenGroups, NULL, 0, &size);
    if (size > 0) {
        groups = berth_alloc(size, 1);
        SetLastError(ERROR_NOT_ENOUGH_MEMORY); /* says nothing once the next call is done */
    }
    if (groups == NULL || !GetTokenInformation(token, TokenGroups, groups, size, &size)) {
        berth_free(groups);
        return false;
    }
    for (DWORD i = 0; i < groups->GroupCount && *count < max; i++) {
        if (counts(groups->Groups[i].Attributes, wanted) &&
            take_sid(groups->Groups[i].Sid, &out[*count])) {
            (*count)++;
        }
    }
    berth_free(groups);
    return true;
}

static bool is_administrators(const struct berth_account_id *group)
{
    return berth_account_same(group, &berth_sid_administrators);
}

/* Gives the first group that is such a one, and has the attributes; length 0: there is none.
 * Returns false where the groups are not known: that is no answer. */
static bool find_own_group(HANDLE token, DWORD wanted,
                           bool (*is_such)(const struct berth_account_id *group),
                           struct berth_account_id *out)
{
    struct berth_account_id groups[OWN_GROUPS_MAX];
    uint32_t count;

    out->length = 0;
    if (!berth_token_groups(token, wanted, groups, BERTH_COUNT(groups), &count)) {
        return false;
    }
    for (uint32_t i = 0; i < count; i++) {
        if (is_such(&groups[i])) {
            *out = groups[i];
            break;
        }
    }
    return true;
}

struct berth_account_id berth_token_own_account(void)
{
    struct berth_account_id own = {0};
    HANDLE token;

    if (OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) {
        if (find_own_group(token, 0, berth_sid_is_service, &own) && own.length == 0) {
            (void)berth_token_user(token, &own);
        }
        (void)CloseHandle(token);
    }
    return own;
}

struct berth_account_id berth_token_own_owner(void)
{
    struct berth_account_id owner = {0};
    HANDLE token;

    if (OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token)) {
        bool known = find_own_group(token, SE_GROUP_OWNER, berth_sid_is_service, &owner);
        if (known && owner.length == 0) {
            known = find_own_group(token, SE_GROUP_OWNER, is_administrators, &owner);
        }
        if (known && owner.length == 0) {
            (void)berth_token_user(token, &owner);
        }
        (void)CloseHandle(token);
    }
    return owner;
}
