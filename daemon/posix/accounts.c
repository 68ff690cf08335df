/* SPDX-License-Identifier: MIT */
#include "accounts_posix.h"

#include "base/compiler.h"
#include "base/units.h"

#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define REMEMBERED 64 /* users whose names are kept */

enum account_kind { USER = 'u', GROUP = 'g' };

/* An account is a letter, for its kind, and a number. */
static struct berth_account_id make_id(char kind, uint32_t number)
{
    struct berth_account_id id = {.length = 1 + sizeof number, .bytes = {(uint8_t)kind}};

    memcpy(id.bytes + 1, &number, sizeof number);
    return id;
}

static uint32_t number_of(const struct berth_account_id *account)
{
    uint32_t number;

    memcpy(&number, account->bytes + 1, sizeof number);
    return number;
}

struct berth_account_id berth_posix_user(uid_t user)
{
    return make_id(USER, (uint32_t)user);
}

struct berth_account_id berth_posix_group(gid_t group)
{
    return make_id(GROUP, (uint32_t)group);
}

bool berth_account_same(const struct berth_account_id *a, const struct berth_account_id *b)
{
    return a->length != 0 && a->length == b->length && memcmp(a->bytes, b->bytes, a->length) == 0;
}

static bool by_number(const char *name, char kind, struct berth_account_id *out)
{
    uint64_t number;

    if (!berth_parse_number(&number, name, 0, UINT32_MAX - 1)) {
        return false;
    }
    *out = make_id(kind, (uint32_t)number);
    return true;
}

bool berth_account_find_group(const char *name, struct berth_account_id *out)
{
    char buffer[16384]; /* a group's members count too */
    struct group entry;
    struct group *found = NULL;

    if (by_number(name, GROUP, out)) {
        return true;
    }
    if (getgrnam_r(name, &entry, buffer, sizeof buffer, &found) != 0 || found == NULL) {
        return false;
    }
    *out = berth_posix_group(entry.gr_gid);
    return true;
}

bool berth_account_find_user(const char *name, struct berth_account_id *out)
{
    char buffer[4096];
    struct passwd entry;
    struct passwd *found = NULL;

    if (by_number(name, USER, out)) {
        return true;
    }
    if (getpwnam_r(name, &entry, buffer, sizeof buffer, &found) != 0 || found == NULL) {
        return false;
    }
    *out = berth_posix_user(entry.pw_uid);
    return true;
}

struct berth_account_id berth_account_own_user(void)
{
    return berth_posix_user(geteuid());
}

bool berth_account_is_administrator(const struct berth_account_id *account)
{
    return account->length != 0 && account->bytes[0] == USER && number_of(account) == 0;
}

char *berth_account_text(const struct berth_account_id *account, char *out)
{
    out[0] = '\0';
    if (account->length != 0) {
        (void)snprintf(out, BERTH_ACCOUNT_TEXT_SIZE, "%s:%" PRIu32,
                       account->bytes[0] == USER ? "uid" : "gid", number_of(account));
    }
    return out;
}

bool berth_account_read(const char *text, struct berth_account_id *out)
{
    if (strncmp(text, "uid:", 4) == 0) {
        return by_number(text + 4, USER, out);
    }
    return strncmp(text, "gid:", 4) == 0 && by_number(text + 4, GROUP, out);
}

static void look_up_name(uint32_t user, char *out, size_t size)
{
    char buffer[4096];
    struct passwd entry;
    struct passwd *found = NULL;

    if (getpwuid_r((uid_t)user, &entry, buffer, sizeof buffer, &found) == 0 && found != NULL) {
        (void)snprintf(out, size, "%s", entry.pw_name);
    } else {
        (void)snprintf(out, size, "uid %" PRIu32, user);
    }
}

char *berth_account_user_name(const struct berth_account_id *user, char *out, size_t size)
{
    uint32_t number = number_of(user);
    static struct {
        uint32_t number;
        char name[256]; /* empty: the place is free */
    } remembered[REMEMBERED];
    unsigned place = number % REMEMBERED;

    if (remembered[place].name[0] == '\0' || remembered[place].number != number) {
        remembered[place].number = number;
        look_up_name(number, remembered[place].name, sizeof remembered[place].name);
    }
    (void)snprintf(out, size, "%s", remembered[place].name);
    return out;
}
