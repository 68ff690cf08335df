/* SPDX-License-Identifier: MIT */
#include "daemon/windows/pipe_sddl.h"

#include "cmocka_all.h"
#include "daemon/windows/sid.h"

#include <stdio.h>
#include <stdlib.h>

#define FIXED "D:P(A;;FA;;;S-1-5-18)(A;;FA;;;S-1-5-32-544)"
#define OWN "S-1-5-80-1-2-3-4-5"
#define START FIXED "(A;;FA;;;" OWN ")(A;;RC;;;S-1-3-4)"

static const struct berth_account_id no_owner;

static struct berth_access_entry entry(enum berth_role role, enum berth_subject subject,
                                       const char *sid)
{
    struct berth_access_entry made = {.role = role, .subject = subject};

    if (sid != NULL) {
        assert_true(berth_sid_read(sid, &made.account));
    }
    return made;
}

static void assert_sddl(struct berth_access_entry *entries, size_t count, const char *own,
                        const char *expected)
{
    const struct berth_access access = {.entries = entries, .count = count};
    struct berth_account_id own_sid = {0};
    struct berth_text out;

    if (own != NULL) {
        assert_true(berth_sid_read(own, &own_sid));
    }
    berth_text_init(&out, BERTH_PIPE_SDDL_MAX);
    berth_pipe_sddl(&out, &access, &own_sid, &no_owner);
    assert_code(out.failed, BERTH_OK);
    assert_string_equal(berth_text_string(&out), expected);
    berth_text_fini(&out);
}

static void sddl__no_rules__administrators_and_the_daemon_only(void **state)
{
    (void)state;
    assert_sddl(NULL, 0, OWN, START);
    assert_sddl(NULL, 0, "S-1-5-18", FIXED "(A;;RC;;;S-1-3-4)"); /* itself SYSTEM: named once */
    assert_sddl(NULL, 0, NULL, FIXED "(A;;RC;;;S-1-3-4)");       /* the system did not say who */
}

/* Nobody but those three gets more than reading and writing, whatever the role. */
static void sddl__each_role__may_connect_and_no_more(void **state)
{
    struct berth_access_entry entries[] = {
        entry(BERTH_ROLE_READER, BERTH_SUBJECT_GROUP, "S-1-5-32-545"),
        entry(BERTH_ROLE_ALLOCATOR, BERTH_SUBJECT_GROUP, "S-1-5-21-1-2-3-1001"),
        entry(BERTH_ROLE_ADMIN, BERTH_SUBJECT_USER, "S-1-5-21-1-2-3-1002"),
    };

    (void)state;
    assert_sddl(entries, 3, OWN,
                START "(A;;0x12019b;;;S-1-5-32-545)(A;;0x12019b;;;S-1-5-21-1-2-3-1001)"
                      "(A;;0x12019b;;;S-1-5-21-1-2-3-1002)");
    assert_int_equal(BERTH_PIPE_CLIENT_ACCESS & 0x4, 0); /* FILE_CREATE_PIPE_INSTANCE */
}

static void sddl__everyone__is_who_authenticated(void **state)
{
    struct berth_access_entry entries[] = {
        entry(BERTH_ROLE_READER, BERTH_SUBJECT_EVERYONE, NULL),
        entry(BERTH_ROLE_ALLOCATOR, BERTH_SUBJECT_GROUP, "S-1-5-11"),
    };

    (void)state;
    assert_sddl(entries, 2, OWN, START "(A;;0x12019b;;;S-1-5-11)");
}

static void sddl__named_twice_or_in_full_already__once(void **state)
{
    struct berth_access_entry entries[] = {
        entry(BERTH_ROLE_ADMIN, BERTH_SUBJECT_GROUP, "S-1-5-32-544"),
        entry(BERTH_ROLE_READER, BERTH_SUBJECT_USER, "S-1-5-18"),
        entry(BERTH_ROLE_READER, BERTH_SUBJECT_GROUP, OWN),
        entry(BERTH_ROLE_READER, BERTH_SUBJECT_GROUP, "S-1-5-32-545"),
        entry(BERTH_ROLE_ALLOCATOR, BERTH_SUBJECT_GROUP, "S-1-5-32-545"),
    };

    (void)state;
    assert_sddl(entries, 5, OWN, START "(A;;0x12019b;;;S-1-5-32-545)");
}

static void sddl__owner__stands_first(void **state)
{
    const struct berth_access access = {.entries = NULL};
    struct berth_text out;

    (void)state;
    berth_text_init(&out, BERTH_PIPE_SDDL_MAX);
    berth_pipe_sddl(&out, &access, &berth_sid_system, &berth_sid_administrators);
    assert_string_equal(berth_text_string(&out), "O:S-1-5-32-544" FIXED "(A;;RC;;;S-1-3-4)");
    berth_text_fini(&out);
}

static void sddl__nobody_is_denied__sessions_over_the_network_included(void **state)
{
    struct berth_access_entry entries[] = {entry(BERTH_ROLE_READER, BERTH_SUBJECT_EVERYONE, NULL)};
    const struct berth_access access = {.entries = entries, .count = 1};
    struct berth_account_id own = berth_sid_local_service;
    struct berth_text out;

    (void)state;
    berth_text_init(&out, BERTH_PIPE_SDDL_MAX);
    berth_pipe_sddl(&out, &access, &own, &own);
    assert_null(strstr(berth_text_string(&out), "(D;"));
    assert_null(strstr(berth_text_string(&out), "S-1-5-2)"));
    assert_null(strstr(berth_text_string(&out), "NU"));
    berth_text_fini(&out);
}

/* As many rules as a configuration may have, each of the longest SID. */
static void sddl__as_many_rules_as_there_may_be__has_room(void **state)
{
    struct berth_access_entry *entries = calloc(BERTH_SETTINGS_RULES_MAX, sizeof *entries);
    const struct berth_access access = {.entries = entries, .count = BERTH_SETTINGS_RULES_MAX};
    struct berth_text out;
    size_t aces = 0;

    (void)state;
    assert_non_null(entries);
    for (unsigned i = 0; i < BERTH_SETTINGS_RULES_MAX; i++) {
        char sid[BERTH_ACCOUNT_TEXT_SIZE];
        (void)snprintf(sid, sizeof sid,
                       "S-1-0xFFFFFFFFFFFF-%u-4294967295-4294967295-4294967295-4294967295-"
                       "4294967295-4294967295-4294967295-4294967295-4294967295-4294967295-"
                       "4294967295-4294967295-4294967295-4294967295",
                       i);
        entries[i] = entry(BERTH_ROLE_READER, BERTH_SUBJECT_GROUP, sid);
    }
    berth_text_init(&out, BERTH_PIPE_SDDL_MAX);
    berth_pipe_sddl(&out, &access, &berth_sid_system, &no_owner);
    assert_code(out.failed, BERTH_OK);
    for (const char *at = berth_text_string(&out); (at = strstr(at, "(A;;")) != NULL; at++) {
        aces++;
    }
    assert_int_equal(aces, BERTH_SETTINGS_RULES_MAX + 3);
    berth_text_fini(&out);
    free(entries);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sddl__no_rules__administrators_and_the_daemon_only),
        cmocka_unit_test(sddl__each_role__may_connect_and_no_more),
        cmocka_unit_test(sddl__everyone__is_who_authenticated),
        cmocka_unit_test(sddl__named_twice_or_in_full_already__once),
        cmocka_unit_test(sddl__owner__stands_first),
        cmocka_unit_test(sddl__nobody_is_denied__sessions_over_the_network_included),
        cmocka_unit_test(sddl__as_many_rules_as_there_may_be__has_room),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
