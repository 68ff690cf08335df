/* SPDX-License-Identifier: MIT */
#include "cmocka_all.h"
#include "memory_faults.h"
#include "watchers/iis_strings.h"

#include <stdio.h>

static void copy__many_of_all_lengths__all_stay(void **unused)
{
    struct berth_iis_strings strings = {0};
    const char *kept[3000];
    char text[3001];

    (void)unused;
    for (size_t i = 0; i < BERTH_COUNT(kept); i++) {
        memset(text, 'a' + (int)(i % 26), i);
        kept[i] = berth_iis_strings_copy(&strings, text, i);
        assert_non_null(kept[i]);
    }
    for (size_t i = 0; i < BERTH_COUNT(kept); i++) {
        assert_int_equal(strlen(kept[i]), i);
        assert_true(i == 0 || (kept[i][0] == 'a' + (int)(i % 26) && kept[i][i - 1] == kept[i][0]));
    }
    berth_iis_strings_fini(&strings);
    berth_iis_strings_fini(&strings);
}

static void reserve__larger_than_a_block__gets_one_of_its_own(void **unused)
{
    struct berth_iis_strings strings = {0};
    char *place = berth_iis_strings_reserve(&strings, 1000000);

    (void)unused;
    assert_non_null(place);
    memset(place, 'x', 1000001);
    assert_null(berth_iis_strings_reserve(&strings, SIZE_MAX));
    assert_null(berth_iis_strings_reserve(&strings, SIZE_MAX - 4));
    berth_iis_strings_fini(&strings);
}

static void format__long_text__is_cut_off(void **unused)
{
    struct berth_iis_strings strings = {0};

    (void)unused;
    assert_string_equal(berth_iis_strings_format(&strings, "%d-%s", 7, "x"), "7-x");
    assert_int_equal(strlen(berth_iis_strings_format(&strings, "%5000d", 7)), 1023);
    berth_iis_strings_fini(&strings);
}

static void copy__no_memory__gives_null(void **unused)
{
    struct berth_iis_strings strings = {0};
    size_t live;

    (void)unused;
    memory_faults_begin(1, true);
    assert_null(berth_iis_strings_copy(&strings, "x", 1));
    assert_true(memory_faults_end(&live));
    assert_int_equal(live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(copy__many_of_all_lengths__all_stay),
        cmocka_unit_test(reserve__larger_than_a_block__gets_one_of_its_own),
        cmocka_unit_test(format__long_text__is_cut_off),
        cmocka_unit_test(copy__no_memory__gives_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
