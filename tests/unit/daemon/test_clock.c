/* SPDX-License-Identifier: MIT */
#include "daemon/clock.h"

#include "cmocka_all.h"

#define CALENDAR INT64_C(1780000000000)

static int64_t told_at(uint64_t ms, int64_t unix_ms)
{
    struct berth_now now = berth_clock_at(ms, unix_ms);

    assert_int_equal(now.ms, ms);
    return now.unix_ms;
}

static void clocks__that_tick_at_different_moments__stay_as_far_apart(void **state)
{
    (void)state;
    assert_int_equal(told_at(1000, CALENDAR), CALENDAR);
    assert_int_equal(told_at(1000, CALENDAR + 1), CALENDAR);
    assert_int_equal(told_at(1001, CALENDAR), CALENDAR + 1);
    /* Windows' calendar, which goes in steps */
    assert_int_equal(told_at(1016, CALENDAR), CALENDAR + 16);
    assert_int_equal(told_at(1017, CALENDAR + 16), CALENDAR + 17);
}

static void calendar__set_anew__is_followed_at_once(void **state)
{
    (void)state;
    assert_int_equal(told_at(1000, CALENDAR), CALENDAR);
    assert_int_equal(told_at(2000, CALENDAR + 3600000), CALENDAR + 3600000);
    assert_int_equal(told_at(2500, CALENDAR - 21000), CALENDAR - 21000);
    assert_int_equal(told_at(2501, CALENDAR - 21000), CALENDAR - 20999);
}

static void calendar__moved_bit_by_bit__is_followed_before_it_is_far_off(void **state)
{
    (void)state;
    (void)told_at(1000, CALENDAR);
    for (int i = 1; i <= 200; i++) {
        int64_t unix_ms = CALENDAR + 11L * i;
        int64_t told = told_at(1000 + 10 * (uint64_t)i, unix_ms);
        assert_in_range(told - unix_ms + 20, 0, 40);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clocks__that_tick_at_different_moments__stay_as_far_apart),
        cmocka_unit_test(calendar__set_anew__is_followed_at_once),
        cmocka_unit_test(calendar__moved_bit_by_bit__is_followed_before_it_is_far_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
