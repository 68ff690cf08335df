/* SPDX-License-Identifier: MIT */
#include "daemon/accounts.h"

#include "base/compiler.h"
#include "base/units.h"

#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define REMEMBERED 64 /* users whose names are kept */

static bool by_number(const char *name, uint32_t *out)
{
    uint64_t number;

    if (!berth_parse_number(&number, name, 0, UINT32_MAX - 1)) {
        return false;
    }
    *out = (uint32_t)number;
    return true;
}

bool berth_account_group(const char *name, uint32_t *out)
{
    char buffer[16384]; /* a group's members count too */
    struct group entry;
    struct group *found = NULL;

    if (by_number(name, out)) {
        return true;
    }
    if (getgrnam_r(name, &entry, buffer, sizeof buffer, &found) != 0 || found == NULL) {
        return false;
    }
    *out = (uint32_t)entry.gr_gid;
    return true;
}

bool berth_account_user(const char *name, uint32_t *out)
{
    char buffer[4096];
    struct passwd entry;
    struct passwd *found = NULL;

    if (by_number(name, out)) {
        return true;
    }
    if (getpwnam_r(name, &entry, buffer, sizeof buffer, &found) != 0 || found == NULL) {
        return false;
    }
    *out = (uint32_t)entry.pw_uid;
    return true;
}

uint32_t berth_account_own_user(void)
{
    return (uint32_t)geteuid();
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

char *berth_account_user_name(uint32_t user, char *out, size_t size)
{
    static struct {
        uint32_t user;
        char name[256]; /* empty: the place is free */
    } remembered[REMEMBERED];
    unsigned place = user % REMEMBERED;

    if (remembered[place].name[0] == '\0' || remembered[place].user != user) {
        remembered[place].user = user;
        look_up_name(user, remembered[place].name, sizeof remembered[place].name);
    }
    (void)snprintf(out, size, "%s", remembered[place].name);
    return out;
}
