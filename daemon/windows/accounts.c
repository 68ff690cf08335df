/* SPDX-License-Identifier: MIT */
#include "daemon/accounts.h"

#include "base/compiler.h"
#include "base/memory.h"
#include "base/windows/fail_system.h"
#include "base/windows/wide.h"
#include "daemon/windows/sid.h"
#include "daemon/windows/token.h"

#include <stdio.h>
#include <string.h>
#include <windows.h>

#define NAME_UNITS 257 /* UNLEN and a NUL; a domain's name is no longer */

bool berth_account_same(const struct berth_account_id *a, const struct berth_account_id *b)
{
    return a->length != 0 && a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

/* ---- names to accounts ---- */

static bool is_group(SID_NAME_USE use)
{
    return use == SidTypeGroup || use == SidTypeAlias || use == SidTypeWellKnownGroup;
}

/* SYSTEM and the service accounts are "well-known groups" that a token has as its user. */
static bool is_user(SID_NAME_USE use)
{
    return use == SidTypeUser || use == SidTypeComputer || use == SidTypeWellKnownGroup;
}

/* Gives 0, or the error; ERROR_NONE_MAPPED is what Windows says where there is none. */
static DWORD look_up(const wchar_t *name, bool (*fits)(SID_NAME_USE use),
                     struct berth_account_id *out)
{
    unsigned char sid[SECURITY_MAX_SID_SIZE];
    wchar_t domain[NAME_UNITS];
    DWORD sid_size = sizeof sid;
    DWORD domain_units = NAME_UNITS;
    SID_NAME_USE use;

    if (!LookupAccountNameW(NULL, name, sid, &sid_size, domain, &domain_units, &use)) {
        return GetLastError();
    }
    return fits(use) && berth_sid_take(sid, GetLengthSid(sid), out) ? 0 : ERROR_NONE_MAPPED;
}

/* A computer or domain may be called as the group is, and is found first then. */
static DWORD look_up_here(const wchar_t *name, bool (*fits)(SID_NAME_USE use),
                          struct berth_account_id *out)
{
    wchar_t whole[MAX_COMPUTERNAME_LENGTH + 1 + NAME_UNITS];
    DWORD units = MAX_COMPUTERNAME_LENGTH + 1;

    if (wcschr(name, L'\\') != NULL || wcschr(name, L'@') != NULL || wcslen(name) >= NAME_UNITS ||
        !GetComputerNameW(whole, &units)) {
        return ERROR_NONE_MAPPED;
    }
    (void)swprintf(whole + units, BERTH_COUNT(whole) - units, L"\\%ls", name);
    return look_up(whole, fits, out);
}

/* What is not found here may yet be in the domain that could not be asked. */
static DWORD look_up_both(const wchar_t *name, bool (*fits)(SID_NAME_USE use),
                          struct berth_account_id *out)
{
    DWORD anywhere = look_up(name, fits, out);
    DWORD here = anywhere != 0 ? look_up_here(name, fits, out) : 0;

    return here == 0 || anywhere == ERROR_NONE_MAPPED ? here : anywhere;
}

static enum berth_code find(const char *name, bool (*fits)(SID_NAME_USE use), const char *what,
                            struct berth_account_id *out, struct berth_error *err)
{
    if (berth_sid_read(name, out)) {
        return BERTH_OK;
    }
    wchar_t *wide = berth_wide(name);
    if (wide == NULL && GetLastError() != ERROR_NO_UNICODE_TRANSLATION) {
        return berth_fail_memory(err, "the name of an account");
    }
    DWORD number = wide != NULL ? look_up_both(wide, fits, out) : ERROR_NONE_MAPPED;
    berth_free(wide);
    if (number == ERROR_NONE_MAPPED) {
        return berth_fail(err, BERTH_NOT_FOUND, (int)number, "there is no %s %s on this machine",
                          what, name);
    }
    return number == 0
               ? BERTH_OK
               : berth_fail_system(err, number, "the %s %s cannot be looked up", what, name);
}

enum berth_code berth_account_find_group(const char *name, struct berth_account_id *out,
                                         struct berth_error *err)
{
    return find(name, is_group, "group", out, err);
}

enum berth_code berth_account_find_user(const char *name, struct berth_account_id *out,
                                        struct berth_error *err)
{
    return find(name, is_user, "user", out, err);
}

/* ---- who is who ---- */

/* Other services run as the same account, which makes none of them the daemon. */
static bool is_shared(const struct berth_account_id *user)
{
    return berth_account_same(user, &berth_sid_local_service) ||
           berth_account_same(user, &berth_sid_network_service);
}

struct berth_account_id berth_account_own_user(void)
{
    struct berth_account_id own = berth_token_own_account();

    return is_shared(&own) ? (struct berth_account_id){0} : own;
}

bool berth_account_is_administrator(const struct berth_account_id *account)
{
    return berth_account_same(account, &berth_sid_system) ||
           berth_account_same(account, &berth_sid_administrators);
}

char *berth_account_text(const struct berth_account_id *account, char *out)
{
    return berth_sid_write(account, out);
}

bool berth_account_read(const char *text, struct berth_account_id *out)
{
    return berth_sid_read(text, out);
}

/* ---- accounts to names ---- */

char *berth_account_nameless(const struct berth_account_id *user, char *out, size_t size)
{
    char text[BERTH_ACCOUNT_TEXT_SIZE];

    (void)snprintf(out, size, "%s", berth_sid_write(user, text));
    return out;
}

bool berth_account_look_up_user_name(const struct berth_account_id *user, char *out, size_t size)
{
    struct berth_account_id sid = *user;
    wchar_t name[NAME_UNITS];
    wchar_t domain[NAME_UNITS];
    wchar_t whole[2 * NAME_UNITS + 1];
    DWORD name_units = NAME_UNITS;
    DWORD domain_units = NAME_UNITS;
    SID_NAME_USE use;

    if (!LookupAccountSidW(NULL, sid.bytes, name, &name_units, domain, &domain_units, &use)) {
        (void)berth_account_nameless(user, out, size);
        return false;
    }
    (void)swprintf(whole, BERTH_COUNT(whole), L"%ls%ls%ls", domain,
                   domain[0] != L'\0' ? L"\\" : L"", name);
    (void)berth_narrow_into(out, size, whole);
    return true;
}
