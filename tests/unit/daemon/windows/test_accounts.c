/* SPDX-License-Identifier: MIT */
#include "daemon/accounts.h"

#include "cmocka_all.h"
#include "daemon/default_access.h"
#include "daemon/windows/sid.h"
#include "daemon/windows/token.h"

#include <stdio.h>
#include <windows.h>

static const char *text_of(const struct berth_account_id *account)
{
    static char text[BERTH_ACCOUNT_TEXT_SIZE];

    return berth_account_text(account, text);
}

static void find__by_sid__needs_nobody_to_ask(void **state)
{
    struct berth_account_id found = {0};

    (void)state;
    assert_int_equal(berth_account_find_group("S-1-5-32-545", &found, NULL), BERTH_OK);
    assert_string_equal(text_of(&found), "S-1-5-32-545");
    assert_int_equal(berth_account_find_user("S-1-5-21-1-2-3-1001", &found, NULL), BERTH_OK);
    assert_string_equal(text_of(&found), "S-1-5-21-1-2-3-1001");
}

static void find__well_known_names__have_their_sids(void **state)
{
    static const struct {
        const char *name;
        const char *sid;
    } groups[] = {
        {"Administrators", "S-1-5-32-544"},
        {"BUILTIN\\Users", "S-1-5-32-545"},
        {"Authenticated Users", "S-1-5-11"},
        {"Everyone", "S-1-1-0"},
    };
    struct berth_account_id found;

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(groups); i++) {
        assert_int_equal(berth_account_find_group(groups[i].name, &found, NULL), BERTH_OK);
        assert_string_equal(text_of(&found), groups[i].sid);
    }
    assert_int_equal(berth_account_find_user("SYSTEM", &found, NULL), BERTH_OK);
    assert_string_equal(text_of(&found), "S-1-5-18");
}

static void find__nobody_of_that_name__is_false_and_changes_nothing(void **state)
{
    static const char *const names[] = {"no such name on any machine", "no\\such", "", "\xFF",
                                        "S-1-5"};
    struct berth_account_id found = berth_sid_system;

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(names); i++) {
        assert_int_equal(berth_account_find_group(names[i], &found, NULL), BERTH_NOT_FOUND);
        assert_int_equal(berth_account_find_user(names[i], &found, NULL), BERTH_NOT_FOUND);
        assert_true(berth_account_same(&found, &berth_sid_system));
    }
}

/* A name of the other kind is no account of this one: "allocator for the user Users" is a mistake.
 */
static void find__group_as_user__is_false(void **state)
{
    struct berth_account_id found;
    char user[256];
    DWORD size = sizeof user;

    (void)state;
    assert_int_equal(berth_account_find_user("BUILTIN\\Users", &found, NULL), BERTH_NOT_FOUND);
    assert_true(GetUserNameA(user, &size));
    assert_int_equal(berth_account_find_user(user, &found, NULL), BERTH_OK);
    assert_int_equal(berth_account_find_group(user, &found, NULL), BERTH_NOT_FOUND);
}

static void own_user__in_a_console__is_the_token_s_user(void **state)
{
    struct berth_account_id user;
    struct berth_account_id own = berth_account_own_user();
    HANDLE token;

    (void)state;
    assert_true(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY, &token));
    assert_true(berth_token_user(token, &user));
    (void)CloseHandle(token);
    assert_true(berth_account_same(&own, &user));
}

/* What counts is what is enabled, by the system's own word on each group. */
static void groups__of_the_token__are_those_that_are_enabled(void **state)
{
    struct berth_account_id groups[256];
    uint32_t count;
    HANDLE token;
    HANDLE impersonation;

    (void)state;
    assert_true(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY | TOKEN_DUPLICATE, &token));
    assert_true(DuplicateToken(token, SecurityIdentification, &impersonation));
    assert_true(berth_token_groups(token, 0, groups, BERTH_COUNT(groups), &count));
    assert_true(count > 0);
    for (uint32_t i = 0; i < count; i++) {
        BOOL member = FALSE;
        assert_true(CheckTokenMembership(impersonation, groups[i].bytes, &member));
        if (!member) {
            fail_msg("%s is no enabled group", text_of(&groups[i]));
        }
    }
    assert_true(berth_token_groups(token, 0, groups, 1, &count));
    assert_int_equal(count, 1);
    assert_true(
        berth_token_groups(token, SE_GROUP_LOGON_ID | SE_GROUP_RESOURCE, groups, 1, &count));
    assert_int_equal(count, 0); /* none is both */
    (void)CloseHandle(impersonation);
    (void)CloseHandle(token);
}

/* An administrator who is not elevated has the group for denying only: he is none. */
static void groups__for_denying_only__do_not_count(void **state)
{
    struct berth_account_id groups[256];
    struct berth_account_id administrators = berth_sid_administrators;
    SID_AND_ATTRIBUTES disable = {administrators.bytes, 0};
    uint32_t count;
    HANDLE token;
    HANDLE filtered;

    (void)state;
    assert_true(OpenProcessToken(GetCurrentProcess(), TOKEN_QUERY | TOKEN_DUPLICATE, &token));
    assert_true(CreateRestrictedToken(token, 0, 1, &disable, 0, NULL, 0, NULL, &filtered));
    assert_true(berth_token_groups(filtered, 0, groups, BERTH_COUNT(groups), &count));
    for (uint32_t i = 0; i < count; i++) {
        assert_false(berth_account_is_administrator(&groups[i]));
    }
    (void)CloseHandle(filtered);
    (void)CloseHandle(token);
}

/* Whoever runs this is an administrator or not: what it makes belongs to the group or to it. */
static void own_owner__in_a_console__is_the_user_or_the_administrators(void **state)
{
    struct berth_account_id owner = berth_token_own_owner();
    struct berth_account_id own = berth_token_own_account();

    (void)state;
    assert_true(berth_account_same(&owner, &own) ||
                berth_account_same(&owner, &berth_sid_administrators));
}

static void default_access__without_rules__users_read_and_berth_allocates(void **state)
{
    size_t count;
    const struct berth_default_rule *rules = berth_default_access(&count);

    (void)state;
    assert_int_equal(count, 2);
    assert_int_equal(rules[0].role, BERTH_ROLE_READER);
    assert_int_equal(rules[0].subject, BERTH_SUBJECT_GROUP);
    assert_string_equal(rules[0].name, "S-1-5-32-545");
    assert_int_equal(rules[1].role, BERTH_ROLE_ALLOCATOR);
    assert_int_equal(rules[1].subject, BERTH_SUBJECT_GROUP);
    assert_string_equal(rules[1].name, "berth");
}

static void administrator__system_and_the_group__nobody_else(void **state)
{
    static const char *const others[] = {"S-1-5-19", "S-1-5-20",           "S-1-5-32-545",
                                         "S-1-5-11", "S-1-5-21-1-2-3-500", "S-1-5-21-1-2-3-512"};
    struct berth_account_id account;

    (void)state;
    assert_true(berth_account_is_administrator(&berth_sid_system));
    assert_true(berth_account_is_administrator(&berth_sid_administrators));
    for (size_t i = 0; i < BERTH_COUNT(others); i++) {
        assert_true(berth_account_read(others[i], &account));
        assert_false(berth_account_is_administrator(&account));
    }
    account.length = 0;
    assert_false(berth_account_is_administrator(&account));
}

static void user_name__known_and_unknown__is_a_name_or_the_sid(void **state)
{
    struct berth_account_id account;
    char name[256];
    char user[256];
    char small[6];
    DWORD size = sizeof user;

    (void)state;
    assert_true(berth_account_read("S-1-5-18", &account));
    assert_true(berth_account_look_up_user_name(&account, name, sizeof name));
    assert_string_equal(name, "NT AUTHORITY\\SYSTEM");
    assert_string_equal(berth_account_nameless(&account, name, sizeof name), "S-1-5-18");
    assert_true(berth_account_read("S-1-5-21-9-8-7-4242", &account));
    assert_false(berth_account_look_up_user_name(&account, name, sizeof name));
    assert_string_equal(name, "S-1-5-21-9-8-7-4242");
    account = berth_account_own_user();
    assert_true(berth_account_look_up_user_name(&account, name, sizeof name));
    assert_true(GetUserNameA(user, &size));
    assert_non_null(strstr(name, user));
    assert_true(berth_account_look_up_user_name(&berth_sid_system, small, sizeof small));
    assert_string_equal(small, "NT AU");
}

static void text__there_and_back__is_the_same(void **state)
{
    struct berth_account_id own = berth_account_own_user();
    struct berth_account_id read = {0};

    (void)state;
    assert_true(berth_account_read(text_of(&own), &read));
    assert_true(berth_account_same(&own, &read));
    assert_false(berth_account_read("uid:1000", &read));
    read.length = 0;
    assert_false(berth_account_same(&read, &read));
    assert_string_equal(text_of(&read), "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(find__by_sid__needs_nobody_to_ask),
        cmocka_unit_test(find__well_known_names__have_their_sids),
        cmocka_unit_test(find__nobody_of_that_name__is_false_and_changes_nothing),
        cmocka_unit_test(find__group_as_user__is_false),
        cmocka_unit_test(own_user__in_a_console__is_the_token_s_user),
        cmocka_unit_test(groups__of_the_token__are_those_that_are_enabled),
        cmocka_unit_test(groups__for_denying_only__do_not_count),
        cmocka_unit_test(own_owner__in_a_console__is_the_user_or_the_administrators),
        cmocka_unit_test(default_access__without_rules__users_read_and_berth_allocates),
        cmocka_unit_test(administrator__system_and_the_group__nobody_else),
        cmocka_unit_test(user_name__known_and_unknown__is_a_name_or_the_sid),
        cmocka_unit_test(text__there_and_back__is_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
