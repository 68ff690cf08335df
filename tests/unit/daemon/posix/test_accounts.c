/* SPDX-License-Identifier: MIT */
/* The look-up of accounts in a database of the test's: the functions of the C library are its own
 * here. */
#include "cmocka_all.h"
#include "daemon/access.h"
#include "memory_faults.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>

#define KIB ((size_t)1024)

/* What the database has and says. */
static struct {
    size_t entry_bytes; /* of the group or user "known" */
    int failure;        /* the errno of every answer; 0: none */
    unsigned asked;
    size_t most; /* the largest buffer that it was given */
} database;

static int answer(const char *name, size_t size, bool *has)
{
    database.asked++;
    database.most = size > database.most ? size : database.most;
    *has = database.failure == 0 && strcmp(name, "known") == 0 && size >= database.entry_bytes;
    if (database.failure != 0) {
        return database.failure;
    }
    return strcmp(name, "known") == 0 && !*has ? ERANGE : 0;
}

int getgrnam_r(const char *name, struct group *entry, char *buffer, size_t size,
               struct group **result)
{
    bool has;
    int number = answer(name, size, &has);

    memset(buffer, 'x', size); /* it may be written to as a whole */
    entry->gr_gid = 4242;
    *result = has ? entry : NULL;
    return number;
}

int getpwnam_r(const char *name, struct passwd *entry, char *buffer, size_t size,
               struct passwd **result)
{
    bool has;
    int number = answer(name, size, &has);

    memset(buffer, 'x', size);
    entry->pw_uid = 2424;
    *result = has ? entry : NULL;
    return number;
}

int getpwuid_r(uid_t user, struct passwd *entry, char *buffer, size_t size, struct passwd **result)
{
    bool has;
    static char name[] = "a-name-that-is-longer-than-there-is-room-for";
    int number = answer(user == 1000 ? "known" : "other", size, &has);

    memset(buffer, 'x', size);
    entry->pw_name = name;
    *result = has ? entry : NULL;
    return number;
}

static int setup(void **state)
{
    (void)state;
    memset(&database, 0, sizeof database);
    return 0;
}

static void assert_group(const char *name, const char *text)
{
    char own[BERTH_ACCOUNT_TEXT_SIZE];
    struct berth_account_id found = {0};
    struct berth_error err;

    assert_ok(berth_account_find_group(name, &found, &err), &err);
    assert_string_equal(berth_account_text(&found, own), text);
}

static void find__entry_of_any_size__is_found(void **state)
{
    static const size_t sizes[] = {100, 4 * KIB, 17 * KIB, 100 * KIB, 1000 * KIB, 4096 * KIB};
    struct berth_account_id found = {0};
    char text[BERTH_ACCOUNT_TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(sizes); i++) {
        database.entry_bytes = sizes[i];
        assert_group("known", "gid:4242");
        assert_code(berth_account_find_user("known", &found, NULL), BERTH_OK);
        assert_string_equal(berth_account_text(&found, text), "uid:2424");
    }
    database.asked = 0;
    assert_group("17", "gid:17");
    assert_int_equal(database.asked, 0); /* a number needs nobody to ask */
}

static void find__entry_beyond_4_mib__is_said_to_be_too_large(void **state)
{
    struct berth_account_id found = {0};
    struct berth_error err;

    (void)state;
    database.entry_bytes = 4096 * KIB + 1;
    assert_code(berth_account_find_group("known", &found, &err), BERTH_IO);
    assert_string_equal(err.detail,
                        "the group known cannot be looked up: its entry is larger than 4 MiB");
    assert_int_equal(database.most, 4096 * KIB);
    assert_int_equal(found.length, 0);
}

/* getpwnam(3) knows several ways to say that there is none. */
static void find__no_such_account__is_told_from_one_that_could_not_be_looked_up(void **state)
{
    static const int none[] = {0, ENOENT, ESRCH, EBADF, EPERM};
    static const int failed[] = {EIO, ECONNREFUSED, EMFILE, ETIMEDOUT};
    struct berth_account_id found = {0};
    struct berth_error err;

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(none); i++) {
        database.failure = none[i];
        assert_code(berth_account_find_group("other", &found, &err), BERTH_NOT_FOUND);
        assert_string_equal(err.detail, "there is no group other on this machine");
        assert_code(berth_account_find_user("other", &found, &err), BERTH_NOT_FOUND);
    }
    for (size_t i = 0; i < BERTH_COUNT(failed); i++) {
        database.failure = failed[i];
        assert_code(berth_account_find_group("known", &found, &err), BERTH_IO);
        assert_int_equal(err.os_code, failed[i]);
        assert_non_null(strstr(err.detail, strerror(failed[i])));
        assert_code(berth_account_find_user("known", &found, &err), BERTH_IO);
        assert_non_null(strstr(err.detail, "the user known cannot be looked up: "));
    }
    assert_int_equal(found.length, 0);
}

static void find__no_memory_for_a_large_entry__says_so(void **state)
{
    struct berth_account_id found = {0};
    struct berth_error err;
    size_t live;

    (void)state;
    database.entry_bytes = 100 * KIB;
    for (size_t n = 1; n <= 2; n++) {
        memory_faults_begin(n, false);
        enum berth_code code = berth_account_find_group("known", &found, &err);
        assert_true(memory_faults_end(&live));
        assert_int_equal(live, 0);
        assert_code(code, BERTH_NO_MEMORY);
    }
}

/* ---- names ---- */

static void look_up__user_with_and_without_a_name__is_that_or_the_number(void **state)
{
    static const struct {
        const char *user;
        int failure;
        const char *name; /* NULL: none */
    } rows[] = {
        {"uid:1000", 0, "a-name-that-is-longer"},
        {"uid:1000", EIO, NULL},
        {"uid:1001", 0, NULL},
    };
    struct berth_account_id user;
    char name[22];

    (void)state;
    database.entry_bytes = 100 * KIB;
    for (size_t i = 0; i < BERTH_COUNT(rows); i++) {
        database.failure = rows[i].failure;
        assert_true(berth_account_read(rows[i].user, &user));
        bool found = berth_account_look_up_user_name(&user, name, sizeof name);
        assert_int_equal(found, rows[i].name != NULL);
        if (found) {
            assert_string_equal(name, rows[i].name);
        } else {
            char own[22];
            assert_string_equal(name, berth_account_nameless(&user, own, sizeof own));
            assert_memory_equal(name, "uid 100", 7);
        }
    }
}

/* ---- access rules ---- */

static char known[] = "known";
static struct berth_access_rule rules[] = {
    {.line = 7, .role = BERTH_ROLE_ADMIN, .subject = BERTH_SUBJECT_GROUP, .name = known},
};

/* Gives the warnings; a static buffer. */
static const char *warnings_of(bool access_given, size_t entries)
{
    static char warnings[1000];
    const struct berth_settings settings = {
        .rules = rules, .rule_count = 1, .access_given = access_given};
    struct berth_access access;
    struct berth_error err;

    assert_ok(berth_access_resolve(&access, &settings, "berthd.config", &err), &err);
    assert_int_equal(access.count, entries);
    (void)snprintf(warnings, sizeof warnings, "%s", berth_text_string(&access.warnings));
    berth_access_fini(&access);
    return warnings;
}

static void resolve__group_with_many_members__grants(void **state)
{
    (void)state;
    database.entry_bytes = 300 * KIB;
    assert_string_equal(warnings_of(true, 1), "");
}

static void resolve__look_up_fails__the_warning_says_so_and_why(void **state)
{
    (void)state;
    database.failure = ECONNREFUSED;
    assert_string_equal(warnings_of(true, 0),
                        "berthd.config:7: the group known cannot be looked up: "
                        "Connection refused: the rule grants nothing\n");
    /* of a default rule too, as its group may be there */
    assert_string_equal(warnings_of(false, 0), "the group known cannot be looked up: Connection "
                                               "refused: its default rule grants nothing\n");
    database.failure = ENOENT;
    assert_string_equal(warnings_of(false, 0), "");
}

static void resolve__no_memory_for_the_look_up__is_an_error(void **state)
{
    const struct berth_settings settings = {.rules = rules, .rule_count = 1};
    struct berth_access access = {.entries = NULL};
    struct berth_error err;
    size_t live;

    (void)state;
    database.entry_bytes = 100 * KIB;
    memory_faults_begin(2, false); /* the first is for the rules */
    enum berth_code code = berth_access_resolve(&access, &settings, "berthd.config", &err);
    assert_true(memory_faults_end(&live));
    assert_int_equal(live, 0);
    assert_code(code, BERTH_NO_MEMORY);
    assert_null(access.entries);
}

#define CASE(test) cmocka_unit_test_setup(test, setup)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(find__entry_of_any_size__is_found),
        CASE(find__entry_beyond_4_mib__is_said_to_be_too_large),
        CASE(find__no_such_account__is_told_from_one_that_could_not_be_looked_up),
        CASE(find__no_memory_for_a_large_entry__says_so),
        CASE(look_up__user_with_and_without_a_name__is_that_or_the_number),
        CASE(resolve__group_with_many_members__grants),
        CASE(resolve__look_up_fails__the_warning_says_so_and_why),
        CASE(resolve__no_memory_for_the_look_up__is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
