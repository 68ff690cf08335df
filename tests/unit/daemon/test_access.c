/* SPDX-License-Identifier: MIT */
#include "daemon/access.h"

#include "account_names.h"
#include "cmocka_all.h"
#include "memory_faults.h"

static char everyone[] = "*";
static char nobody_at_all[] = "no such name on any machine";

static struct berth_access_rule rule(enum berth_role role, enum berth_subject subject, char *name)
{
    return (struct berth_access_rule){(uint8_t)role, (uint8_t)subject, name, 7};
}

static struct berth_account_id user(unsigned number)
{
    struct berth_account_id id = {0};

    assert_int_equal(berth_account_find_user(account_user(number), &id, NULL), BERTH_OK);
    return id;
}

static struct berth_account_id group(unsigned number)
{
    struct berth_account_id id = {0};

    assert_int_equal(berth_account_find_group(account_group(number), &id, NULL), BERTH_OK);
    return id;
}

/* In a static buffer, of which two are used in turn. */
static const char *text_of(struct berth_account_id account)
{
    static char texts[2][BERTH_ACCOUNT_TEXT_SIZE];
    static unsigned next;

    return berth_account_text(&account, texts[next++ % 2]);
}

static struct berth_peer peer(unsigned number, unsigned first_group, unsigned other_group)
{
    return (struct berth_peer){
        .user = user(number), .group_count = 2, .groups = {group(first_group), group(other_group)}};
}

/* of the last role_of(): the group that gave the role */
static char through_text[BERTH_ACCOUNT_TEXT_SIZE];

static enum berth_role role_of(struct berth_access_rule *rules, size_t count,
                               const struct berth_peer *of)
{
    const struct berth_settings settings = {
        .rules = rules, .rule_count = count, .access_given = true};
    struct berth_access access;
    struct berth_account_id through;
    struct berth_error err;

    assert_ok(berth_access_resolve(&access, &settings, "berthd.config", &err), &err);
    access.own_user = user(500);
    enum berth_role role = berth_access_role(&access, of, &through);
    berth_access_fini(&access);
    (void)berth_account_text(&through, through_text);
    return role;
}

static void role__each_rule__applies_to_whom_it_names(void **state)
{
    struct berth_access_rule rules[] = {
        rule(BERTH_ROLE_READER, BERTH_SUBJECT_EVERYONE, everyone),
        rule(BERTH_ROLE_ALLOCATOR, BERTH_SUBJECT_GROUP, account_group(5)),
        rule(BERTH_ROLE_ADMIN, BERTH_SUBJECT_USER, account_user(1000)),
    };
    const struct berth_peer stranger = peer(1, 2, 3);
    const struct berth_peer first_group = peer(1, 5, 3);
    const struct berth_peer other_group = peer(1, 2, 5);
    const struct berth_peer named = peer(1000, 2, 3);

    (void)state;
    assert_int_equal(role_of(rules, 3, &stranger), BERTH_ROLE_READER);
    assert_int_equal(role_of(rules, 3, &first_group), BERTH_ROLE_ALLOCATOR);
    assert_int_equal(role_of(rules, 3, &other_group), BERTH_ROLE_ALLOCATOR);
    assert_int_equal(role_of(rules, 3, &named), BERTH_ROLE_ADMIN);
    assert_int_equal(role_of(rules + 1, 2, &stranger), BERTH_ROLE_NONE);
}

static void role__several_rules__the_highest_counts_in_any_order(void **state)
{
    struct berth_access_rule rules[] = {
        rule(BERTH_ROLE_ADMIN, BERTH_SUBJECT_GROUP, account_group(9)),
        rule(BERTH_ROLE_READER, BERTH_SUBJECT_GROUP, account_group(5)),
        rule(BERTH_ROLE_ALLOCATOR, BERTH_SUBJECT_GROUP, account_group(5)),
        rule(BERTH_ROLE_READER, BERTH_SUBJECT_EVERYONE, everyone),
    };
    const struct berth_peer both = peer(1, 5, 9);
    const struct berth_peer one = peer(1, 5, 6);

    (void)state;
    assert_int_equal(role_of(rules, 4, &both), BERTH_ROLE_ADMIN);
    assert_int_equal(role_of(rules, 4, &one), BERTH_ROLE_ALLOCATOR);
}

/* A user's number is no group's number, and the other way round. */
static void role__same_number_of_other_kind__does_not_count(void **state)
{
    struct berth_access_rule rules[] = {
        rule(BERTH_ROLE_ADMIN, BERTH_SUBJECT_GROUP, account_group(5)),
        rule(BERTH_ROLE_ADMIN, BERTH_SUBJECT_USER, account_user(1000))};
    const struct berth_peer user_5 = peer(5, 1, 1);
    const struct berth_peer group_1000 = peer(1, 1000, 1000);

    (void)state;
    assert_int_equal(role_of(rules, 2, &user_5), BERTH_ROLE_NONE);
    assert_int_equal(role_of(rules, 2, &group_1000), BERTH_ROLE_NONE);
}

static void role__root_and_own_user__administer_without_any_rule(void **state)
{
    const struct berth_peer root = peer(0, 7, 7);
    const struct berth_peer own = peer(500, 7, 7);
    const struct berth_peer root_group_only = peer(1, 0, 0);
    struct berth_peer own_service = peer(1, 7, 7); /* whose user it shares with other services */

    (void)state;
    assert_int_equal(role_of(NULL, 0, &root), BERTH_ROLE_ADMIN);
    assert_int_equal(role_of(NULL, 0, &own), BERTH_ROLE_ADMIN);
    assert_int_equal(role_of(NULL, 0, &root_group_only), BERTH_ROLE_NONE);
    own_service.groups[1] = user(500);
    assert_int_equal(role_of(NULL, 0, &own_service), BERTH_ROLE_ADMIN);
}

static void through__names_the_group_that_gave_the_role(void **state)
{
    struct berth_access_rule rules[] = {
        rule(BERTH_ROLE_READER, BERTH_SUBJECT_GROUP, account_group(9)),
        rule(BERTH_ROLE_ALLOCATOR, BERTH_SUBJECT_GROUP, account_group(5)),
        rule(BERTH_ROLE_ALLOCATOR, BERTH_SUBJECT_GROUP, account_group(9)),
        rule(BERTH_ROLE_ALLOCATOR, BERTH_SUBJECT_USER, account_user(1000)),
    };
    const struct berth_peer both = peer(1, 9, 5);
    const struct berth_peer one = peer(1, 9, 2);
    const struct berth_peer named = peer(1000, 2, 3);
    const struct berth_peer root = peer(0, 5, 9);

    (void)state;
    assert_int_equal(role_of(rules, 4, &both), BERTH_ROLE_ALLOCATOR);
    assert_string_equal(through_text, text_of(group(5)));
    assert_int_equal(role_of(rules, 4, &one), BERTH_ROLE_ALLOCATOR);
    assert_string_equal(through_text, text_of(group(9)));
    assert_int_equal(role_of(rules, 4, &named), BERTH_ROLE_ALLOCATOR);
    assert_string_equal(through_text, "");
    assert_int_equal(role_of(rules, 4, &root), BERTH_ROLE_ADMIN);
    assert_string_equal(through_text, "");
}

static void in_group__by_its_text__finds_those_of_the_peer_only(void **state)
{
    const struct berth_peer member = peer(7, 5, 9);

    (void)state;
    assert_true(berth_peer_in_group(&member, text_of(group(5))));
    assert_true(berth_peer_in_group(&member, text_of(group(9))));
    assert_false(berth_peer_in_group(&member, text_of(group(7))));
    assert_false(berth_peer_in_group(&member, text_of(user(7))));
    assert_false(berth_peer_in_group(&member, ""));
    assert_false(berth_peer_in_group(&member, "wheel"));
}

static void account__text__is_read_back_as_the_same(void **state)
{
    const struct berth_account_id accounts[] = {user(0), user(4294967294U), group(100)};
    char text[BERTH_ACCOUNT_TEXT_SIZE];
    struct berth_account_id back;

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(accounts); i++) {
        assert_true(berth_account_read(berth_account_text(&accounts[i], text), &back));
        assert_true(berth_account_same(&back, &accounts[i]));
    }
    const struct berth_account_id none = {0};
    assert_string_equal(berth_account_text(&none, text), "");
    assert_false(berth_account_same(&none, &none));
    assert_false(berth_account_read("uid:", &back));
    assert_false(berth_account_read("uid:-1", &back));
    assert_false(berth_account_read("gid:4294967295", &back)); /* -1: no group */
    assert_false(berth_account_read("S-1-5", &back));
}

static void role__groups_beyond_the_count__do_not_count(void **state)
{
    struct berth_access_rule rules[] = {
        rule(BERTH_ROLE_ADMIN, BERTH_SUBJECT_GROUP, account_group(5))};
    struct berth_peer of = peer(1, 2, 5);

    (void)state;
    of.group_count = 1;
    assert_int_equal(role_of(rules, 1, &of), BERTH_ROLE_NONE);
}

static void resolve__unknown_name__warns_and_grants_nothing(void **state)
{
    struct berth_access_rule rules[] = {
        rule(BERTH_ROLE_ADMIN, BERTH_SUBJECT_GROUP, nobody_at_all),
        rule(BERTH_ROLE_ADMIN, BERTH_SUBJECT_USER, nobody_at_all),
        rule(BERTH_ROLE_READER, BERTH_SUBJECT_EVERYONE, everyone),
    };
    struct berth_settings settings = {.rules = rules, .rule_count = 3, .access_given = true};
    const struct berth_peer stranger = peer(1, 2, 3);
    struct berth_access access;
    struct berth_account_id through;
    struct berth_error err;

    (void)state;
    assert_ok(berth_access_resolve(&access, &settings, "berthd.config", &err), &err);
    const char *warnings = berth_text_string(&access.warnings);
    assert_non_null(strstr(warnings, "berthd.config:7: there is no group no such name"));
    assert_non_null(strstr(warnings, "there is no user no such name"));
    assert_int_equal(access.count, 1);
    assert_int_equal(berth_access_role(&access, &stranger, &through), BERTH_ROLE_READER);
    berth_access_fini(&access);
    berth_access_fini(&access); /* twice is harmless */
    /* a default that does not apply to this machine is nothing to warn of */
    settings.access_given = false;
    assert_ok(berth_access_resolve(&access, &settings, "berthd.config", &err), &err);
    assert_string_equal(berth_text_string(&access.warnings), "");
    berth_access_fini(&access);
}

static void resolve__each_allocation_fails__is_an_error_or_a_lost_warning(void **state)
{
    struct berth_access_rule rules[] = {
        rule(BERTH_ROLE_ADMIN, BERTH_SUBJECT_GROUP, nobody_at_all),
        rule(BERTH_ROLE_READER, BERTH_SUBJECT_EVERYONE, everyone),
    };
    const struct berth_settings settings = {.rules = rules, .rule_count = 2, .access_given = true};
    bool failed = true;

    (void)state;
    for (size_t n = 1; failed; n++) {
        struct berth_access access = {.entries = NULL};
        struct berth_error err;
        size_t live;
        memory_faults_begin(n, false);
        enum berth_code code = berth_access_resolve(&access, &settings, "berthd.config", &err);
        size_t count = access.count;
        berth_access_fini(&access);
        failed = memory_faults_end(&live);
        assert_int_equal(live, 0);
        assert_true(code == BERTH_OK || (failed && code == BERTH_NO_MEMORY));
        assert_int_equal(count, code == BERTH_OK ? 1 : 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(role__each_rule__applies_to_whom_it_names),
        cmocka_unit_test(role__several_rules__the_highest_counts_in_any_order),
        cmocka_unit_test(role__same_number_of_other_kind__does_not_count),
        cmocka_unit_test(role__root_and_own_user__administer_without_any_rule),
        cmocka_unit_test(role__groups_beyond_the_count__do_not_count),
        cmocka_unit_test(through__names_the_group_that_gave_the_role),
        cmocka_unit_test(in_group__by_its_text__finds_those_of_the_peer_only),
        cmocka_unit_test(account__text__is_read_back_as_the_same),
        cmocka_unit_test(resolve__unknown_name__warns_and_grants_nothing),
        cmocka_unit_test(resolve__each_allocation_fails__is_an_error_or_a_lost_warning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
