/* SPDX-License-Identifier: MIT */
/* Tests of base/text: growth, the ceiling, failures that stick. */
#include "cmocka_all.h"

#include "base/text.h"
#include "memory_faults.h"

#include <limits.h>
#include <stdio.h>

static void init__new_text__is_empty_without_memory(void **state)
{
    struct berth_text text;

    (void)state;
    berth_text_init(&text, 10);
    assert_string_equal(berth_text_string(&text), "");
    assert_int_equal(text.length, 0);
    assert_null(text.data);
    assert_code(text.failed, BERTH_OK);
    berth_text_fini(&text);
}

static void add__pieces__stand_one_after_another(void **state)
{
    struct berth_text text;

    (void)state;
    berth_text_init(&text, 1000);
    berth_text_puts(&text, "one");
    berth_text_putc(&text, ' ');
    berth_text_add(&text, "two three", 3);
    berth_text_add(&text, NULL, 0);
    berth_text_printf(&text, " %s %d", "three", 3);
    assert_string_equal(berth_text_string(&text), "one two three 3");
    assert_int_equal(text.length, 15);
    berth_text_fini(&text);
}

static void add__bytes_with_nul__are_kept(void **state)
{
    struct berth_text text;

    (void)state;
    berth_text_init(&text, 10);
    berth_text_add(&text, "a\0b", 3);
    assert_int_equal(text.length, 3);
    assert_memory_equal(text.data, "a\0b", 4);
    berth_text_fini(&text);
}

static void number__extremes__are_written_in_decimal(void **state)
{
    static const long long numbers[] = {0, 7, -7, 10, 65535, LLONG_MAX, LLONG_MIN, -1};
    struct berth_text text;
    char expected[32];

    (void)state;
    berth_text_init(&text, 100);
    for (size_t i = 0; i < BERTH_COUNT(numbers); i++) {
        berth_text_clear(&text);
        berth_text_number(&text, numbers[i]);
        (void)snprintf(expected, sizeof expected, "%lld", numbers[i]);
        assert_string_equal(berth_text_string(&text), expected);
    }
    berth_text_fini(&text);
}

/* Each way to add, with a limit that is reached exactly and one that is one byte short. */
static void limit__reached_exactly__fits_and_one_less_does_not(void **state)
{
    (void)state;
    for (size_t limit = 0; limit <= 400; limit++) {
        struct berth_text text;
        berth_text_init(&text, limit);
        for (size_t i = 0; i < limit; i++) {
            berth_text_putc(&text, 'x');
        }
        assert_code(text.failed, BERTH_OK);
        assert_int_equal(text.length, limit);
        berth_text_putc(&text, 'y');
        assert_code(text.failed, BERTH_TOO_LARGE);
        assert_int_equal(text.length, limit);
        assert_int_equal(strlen(berth_text_string(&text)), limit);
        berth_text_fini(&text);
    }
}

static void limit__printf_one_byte_over__adds_nothing(void **state)
{
    struct berth_text text;

    (void)state;
    berth_text_init(&text, 4);
    berth_text_printf(&text, "%d", 12345);
    assert_code(text.failed, BERTH_TOO_LARGE);
    assert_string_equal(berth_text_string(&text), "");
    berth_text_clear(&text);
    berth_text_printf(&text, "%d", 1234);
    assert_code(text.failed, BERTH_OK);
    assert_string_equal(berth_text_string(&text), "1234");
    berth_text_fini(&text);
}

static void failure__once__sticks_until_cleared(void **state)
{
    struct berth_text text;

    (void)state;
    berth_text_init(&text, 5);
    berth_text_puts(&text, "abc");
    berth_text_puts(&text, "def");
    berth_text_putc(&text, 'x'); /* would fit */
    berth_text_number(&text, 1);
    berth_text_printf(&text, "%s", "y");
    assert_false(berth_text_reserve(&text, 0));
    assert_string_equal(berth_text_string(&text), "abc");
    assert_code(text.failed, BERTH_TOO_LARGE);
    berth_text_clear(&text);
    assert_string_equal(berth_text_string(&text), "");
    berth_text_puts(&text, "again");
    assert_code(text.failed, BERTH_OK);
    assert_string_equal(berth_text_string(&text), "again");
    berth_text_fini(&text);
}

static void fini__used_text__is_empty_and_usable(void **state)
{
    struct berth_text text;

    (void)state;
    berth_text_init(&text, 5);
    berth_text_puts(&text, "abcdef");
    berth_text_fini(&text);
    berth_text_fini(&text);
    berth_text_puts(&text, "12345");
    assert_string_equal(berth_text_string(&text), "12345");
    assert_int_equal(text.limit, 5);
    berth_text_fini(&text);
}

static void reserve__own_bytes_written__count_after_length_is_set(void **state)
{
    struct berth_text text;

    (void)state;
    berth_text_init(&text, 300);
    berth_text_puts(&text, "ab");
    assert_true(berth_text_reserve(&text, 298));
    assert_true(text.capacity >= 301);
    memset(text.data + text.length, 'z', 298);
    assert_false(berth_text_reserve(&text, 299));
    assert_code(text.failed, BERTH_TOO_LARGE);
    berth_text_fini(&text);
}

static void reserve__largest_size__fails_without_overflow(void **state)
{
    struct berth_text text;

    (void)state;
    berth_text_init(&text, 100);
    berth_text_puts(&text, "ab");
    assert_false(berth_text_reserve(&text, SIZE_MAX));
    assert_code(text.failed, BERTH_TOO_LARGE);
    berth_text_fini(&text);
}

/* The largest limit that can be given is one, too: there must be room behind what is added. */
static void limit__largest__text_grows(void **state)
{
    struct berth_text text;

    (void)state;
    berth_text_init(&text, SIZE_MAX);
    berth_text_puts(&text, "abc");
    assert_code(text.failed, BERTH_OK);
    assert_true(text.capacity > 3);
    assert_string_equal(berth_text_string(&text), "abc");
    berth_text_fini(&text);
}

static void add__each_allocation_fails__sticks_and_leaks_nothing(void **state)
{
    (void)state;
    for (int for_ever = 0; for_ever < 2; for_ever++) {
        bool failed = true;
        for (size_t fail_at = 1; failed; fail_at++) {
            struct berth_text text;
            size_t live;
            berth_text_init(&text, 4096);
            memory_faults_begin(fail_at, for_ever != 0);
            for (int i = 0; i < 1000; i++) {
                berth_text_puts(&text, "abc");
            }
            enum berth_code code = text.failed;
            size_t length = text.length;
            berth_text_fini(&text);
            failed = memory_faults_end(&live);
            assert_int_equal(live, 0);
            assert_code(code, failed ? BERTH_NO_MEMORY : BERTH_OK);
            assert_true(failed ? length < 3000 && length % 3 == 0 : length == 3000);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(init__new_text__is_empty_without_memory),
        cmocka_unit_test(add__pieces__stand_one_after_another),
        cmocka_unit_test(add__bytes_with_nul__are_kept),
        cmocka_unit_test(number__extremes__are_written_in_decimal),
        cmocka_unit_test(limit__reached_exactly__fits_and_one_less_does_not),
        cmocka_unit_test(limit__printf_one_byte_over__adds_nothing),
        cmocka_unit_test(failure__once__sticks_until_cleared),
        cmocka_unit_test(fini__used_text__is_empty_and_usable),
        cmocka_unit_test(reserve__own_bytes_written__count_after_length_is_set),
        cmocka_unit_test(reserve__largest_size__fails_without_overflow),
        cmocka_unit_test(limit__largest__text_grows),
        cmocka_unit_test(add__each_allocation_fails__sticks_and_leaks_nothing),
    };
    return cmocka_run_group_tests_name("base.text", tests, NULL, NULL);
}
