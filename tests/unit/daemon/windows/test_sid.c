/* SPDX-License-Identifier: MIT */
#include "daemon/windows/sid.h"

#include "cmocka_all.h"

struct row {
    const char *text;
    uint8_t length;
    uint8_t bytes[BERTH_ACCOUNT_BYTES_MAX];
};

static const struct row rows[] = {
    {"S-1-0-0", 12, {1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}},
    {"S-1-5-18", 12, {1, 1, 0, 0, 0, 0, 0, 5, 18, 0, 0, 0}},
    {"S-1-5-32-544", 16, {1, 2, 0, 0, 0, 0, 0, 5, 32, 0, 0, 0, 0x20, 2, 0, 0}},
    {"S-1-16-12288", 12, {1, 1, 0, 0, 0, 0, 0, 16, 0, 0x30, 0, 0}},
    {"S-1-5-21-4294967295-305419896-1-500",
     28,
     {1,    5,    0,    0,    0,    0,    0, 5, 21, 0, 0,    0, 0xFF, 0xFF,
      0xFF, 0xFF, 0x78, 0x56, 0x34, 0x12, 1, 0, 0,  0, 0xF4, 1, 0,    0}},
    {"S-1-4294967295-1", 12, {1, 1, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 1, 0, 0, 0}},
    {"S-1-0x123456789ABC-7", 12, {1, 1, 0x12, 0x34, 0x56, 0x78, 0x9A, 0xBC, 7, 0, 0, 0}},
    {"S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15",
     68,
     {1, 15, 0,  0, 0, 0, 0,  5, 1, 0, 0,  0, 2, 0, 0,  0, 3, 0, 0,  0, 4, 0,  0,
      0, 5,  0,  0, 0, 6, 0,  0, 0, 7, 0,  0, 0, 8, 0,  0, 0, 9, 0,  0, 0, 10, 0,
      0, 0,  11, 0, 0, 0, 12, 0, 0, 0, 13, 0, 0, 0, 14, 0, 0, 0, 15, 0, 0, 0}},
};

static void read_and_write__each_row__are_inverse(void **state)
{
    char text[BERTH_ACCOUNT_TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(rows); i++) {
        struct berth_account_id sid = {0};
        struct berth_account_id taken = {0};
        assert_true(berth_sid_read(rows[i].text, &sid));
        assert_int_equal(sid.length, rows[i].length);
        assert_memory_equal(sid.bytes, rows[i].bytes, sizeof sid.bytes);
        assert_string_equal(berth_sid_write(&sid, text), rows[i].text);
        assert_true(berth_sid_take(rows[i].bytes, rows[i].length, &taken));
        assert_memory_equal(&taken, &sid, sizeof sid);
    }
}

static void read__other_spellings__are_the_same_sid(void **state)
{
    struct berth_account_id sid;
    char text[BERTH_ACCOUNT_TEXT_SIZE];

    (void)state;
    assert_true(berth_sid_read("s-1-5-0018", &sid));
    assert_string_equal(berth_sid_write(&sid, text), "S-1-5-18");
    assert_true(berth_sid_read("S-1-0x5-18", &sid));
    assert_string_equal(berth_sid_write(&sid, text), "S-1-5-18");
}

static void read__what_is_no_sid__is_refused_and_changes_nothing(void **state)
{
    static const char *const wrong[] = {
        "",
        "S",
        "S-1",
        "S-1-",
        "S-1-5",
        "S-1-5-",
        "S-2-5-18",
        "S-1-5-18-",
        "S-1-5--18",
        "S-1-5-18 ",
        " S-1-5-18",
        "S-1-5-0x12",
        "S-1-5-4294967296",
        "S-1-5-99999999999999999999999",
        "S-1-0x1000000000000-1",
        "S-1-281474976710656-1",
        "S-1-0x-1",
        "S-1--5-18",
        "S-1-5-1-2-3-4-5-6-7-8-9-10-11-12-13-14-15-16",
        "Administrators",
    };
    struct berth_account_id sid = {.length = 1, .bytes = {42}};

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(wrong); i++) {
        if (berth_sid_read(wrong[i], &sid)) {
            fail_msg("\"%s\" was accepted", wrong[i]);
        }
        assert_int_equal(sid.length, 1);
        assert_int_equal(sid.bytes[0], 42);
    }
}

static void take__what_is_no_whole_sid__is_refused(void **state)
{
    struct berth_account_id sid = {.length = 1};
    uint8_t bytes[80] = {1, 2};

    (void)state;
    assert_false(berth_sid_take(bytes, 0, &sid));
    assert_false(berth_sid_take(bytes, 7, &sid));
    assert_false(berth_sid_take(bytes, 15, &sid)); /* two words are 16 bytes */
    bytes[1] = 16;
    assert_false(berth_sid_take(bytes, sizeof bytes, &sid));
    bytes[0] = 2;
    bytes[1] = 1;
    assert_false(berth_sid_take(bytes, sizeof bytes, &sid));
    assert_int_equal(sid.length, 1);
    bytes[0] = 1;
    assert_true(berth_sid_take(bytes, sizeof bytes, &sid)); /* what is behind it is not its */
    assert_int_equal(sid.length, 12);
}

static void write__none_or_damaged__is_empty(void **state)
{
    struct berth_account_id sid = {0};
    char text[BERTH_ACCOUNT_TEXT_SIZE] = "x";

    (void)state;
    assert_string_equal(berth_sid_write(&sid, text), "");
    sid = berth_sid_system;
    sid.length--;
    assert_string_equal(berth_sid_write(&sid, text), "");
    sid.length += 2;
    assert_string_equal(berth_sid_write(&sid, text), "");
}

static void constants__each__has_its_text(void **state)
{
    static const struct {
        const struct berth_account_id *sid;
        const char *text;
    } known[] = {
        {&berth_sid_owner_rights, "S-1-3-4"},         {&berth_sid_anonymous, "S-1-5-7"},
        {&berth_sid_authenticated_users, "S-1-5-11"}, {&berth_sid_system, "S-1-5-18"},
        {&berth_sid_local_service, "S-1-5-19"},       {&berth_sid_network_service, "S-1-5-20"},
        {&berth_sid_administrators, "S-1-5-32-544"},
    };
    char text[BERTH_ACCOUNT_TEXT_SIZE];

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(known); i++) {
        assert_string_equal(berth_sid_write(known[i].sid, text), known[i].text);
    }
}

static void is_service__one_service__not_all_and_nobody_else(void **state)
{
    static const struct {
        const char *text;
        bool service;
    } cases[] = {
        {"S-1-5-80-1-2-3-4-5", true},    {"S-1-5-80-0", false}, {"S-1-5-80-1-2-3-4", false},
        {"S-1-5-80-1-2-3-4-5-6", false}, {"S-1-5-18", false},   {"S-1-5-21-1-2-3-4-5", false},
        {"S-1-6-80-1-2-3-4-5", false},
    };
    struct berth_account_id sid;

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(cases); i++) {
        assert_true(berth_sid_read(cases[i].text, &sid));
        assert_int_equal(berth_sid_is_service(&sid), cases[i].service);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read_and_write__each_row__are_inverse),
        cmocka_unit_test(read__other_spellings__are_the_same_sid),
        cmocka_unit_test(read__what_is_no_sid__is_refused_and_changes_nothing),
        cmocka_unit_test(take__what_is_no_whole_sid__is_refused),
        cmocka_unit_test(write__none_or_damaged__is_empty),
        cmocka_unit_test(constants__each__has_its_text),
        cmocka_unit_test(is_service__one_service__not_all_and_nobody_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
