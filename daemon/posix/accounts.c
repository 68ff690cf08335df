/* SPDX-License-Identifier: MIT */
#include "accounts_posix.h"

#include "base/compiler.h"
#include "base/memory.h"
#include "base/units.h"

#include <errno.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define ENTRY_MAX ((size_t)4 * 1024 * 1024)

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

/* ---- the account database ---- */

/* getpwnam(3): "0 or ENOENT or ESRCH or EBADF or EPERM or …  The given name or uid was not found."
 */
static bool says_none(int number)
{
    return number == 0 || number == ENOENT || number == ESRCH || number == EBADF || number == EPERM;
}

static enum berth_code fail_ask(int number, const char *what, const char *who,
                                struct berth_error *err)
{
    if (says_none(number)) {
        return berth_fail(err, BERTH_NOT_FOUND, number, "there is no %s %s on this machine", what,
                          who);
    }
    if (err == NULL) {
        return BERTH_IO; /* strerror() is not for all threads */
    }
    return berth_fail(err, BERTH_IO, number, "the %s %s cannot be looked up: %s", what, who,
                      number == ERANGE ? "its entry is larger than 4 MiB" : strerror(number));
}

/* Asks with a buffer that grows as long as the answer does not fit: a group's members all stand in
 * it. `ask` is as getgrnam_r(): gives 0 or an errno, and takes what is wanted of the entry into
 * `ctx`. Without `err` on any thread. */
static enum berth_code ask_accounts(int (*ask)(void *ctx, char *buffer, size_t size, bool *found),
                                    void *ctx, const char *what, const char *who,
                                    struct berth_error *err)
{
    char few[4096];
    char *many = NULL;
    bool found = false;
    int number = ask(ctx, few, sizeof few, &found);

    for (size_t size = 4 * sizeof few; number == ERANGE && size <= ENTRY_MAX; size *= 4) {
        berth_free(many);
        many = berth_resize(NULL, size, 1);
        if (many == NULL) {
            return berth_fail_memory(err, "an entry of the account database");
        }
        number = ask(ctx, many, size, &found);
    }
    berth_free(many);
    return number == 0 && found ? BERTH_OK : fail_ask(number, what, who, err);
}

/* What is asked for, and what came of it. */
struct named {
    const char *name;
    struct berth_account_id id;
};

static int ask_group(void *ctx, char *buffer, size_t size, bool *found)
{
    struct named *asked = ctx;
    struct group entry;
    struct group *result = NULL;
    int number = getgrnam_r(asked->name, &entry, buffer, size, &result);

    *found = number == 0 && result != NULL;
    if (*found) {
        asked->id = berth_posix_group(entry.gr_gid);
    }
    return number;
}

static int ask_user(void *ctx, char *buffer, size_t size, bool *found)
{
    struct named *asked = ctx;
    struct passwd entry;
    struct passwd *result = NULL;
    int number = getpwnam_r(asked->name, &entry, buffer, size, &result);

    *found = number == 0 && result != NULL;
    if (*found) {
        asked->id = berth_posix_user(entry.pw_uid);
    }
    return number;
}

enum berth_code berth_account_find_group(const char *name, struct berth_account_id *out,
                                         struct berth_error *err)
{
    struct named asked = {.name = name};

    if (by_number(name, GROUP, out)) {
        return BERTH_OK;
    }
    enum berth_code code = ask_accounts(ask_group, &asked, "group", name, err);
    if (code == BERTH_OK) {
        *out = asked.id;
    }
    return code;
}

enum berth_code berth_account_find_user(const char *name, struct berth_account_id *out,
                                        struct berth_error *err)
{
    struct named asked = {.name = name};

    if (by_number(name, USER, out)) {
        return BERTH_OK;
    }
    enum berth_code code = ask_accounts(ask_user, &asked, "user", name, err);
    if (code == BERTH_OK) {
        *out = asked.id;
    }
    return code;
}

/* ---- who is who ---- */

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

/* ---- names ---- */

char *berth_account_nameless(const struct berth_account_id *user, char *out, size_t size)
{
    (void)snprintf(out, size, "uid %" PRIu32, number_of(user));
    return out;
}

/* Whose name is asked for, and where it goes. */
struct numbered {
    uid_t number;
    char *out;
    size_t size;
};

static int ask_name(void *ctx, char *buffer, size_t size, bool *found)
{
    const struct numbered *asked = ctx;
    struct passwd entry;
    struct passwd *result = NULL;
    int number = getpwuid_r(asked->number, &entry, buffer, size, &result);

    *found = number == 0 && result != NULL;
    if (*found) {
        (void)snprintf(asked->out, asked->size, "%s", entry.pw_name);
    }
    return number;
}

bool berth_account_look_up_user_name(const struct berth_account_id *user, char *out, size_t size)
{
    struct numbered asked = {.number = (uid_t)number_of(user), .out = out, .size = size};

    (void)berth_account_nameless(user, out, size);
    return ask_accounts(ask_name, &asked, "user", out, NULL) == BERTH_OK;
}
