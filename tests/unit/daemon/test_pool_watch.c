/* SPDX-License-Identifier: MIT */
#include "daemon/pool_watch.h"

#include "cmocka_all.h"

#define TOTAL 1000
#define LOW 50 /* with its margin 63 */

static struct berth_pool_watch watch;
static uint64_t now_ms;

static int set_up(void **state)
{
    (void)state;
    watch = (struct berth_pool_watch){.level = BERTH_LEVEL_OK};
    now_ms = 1000;
    return 0;
}

/* Notes a number of free ports; gives the level that is told, or NULL. */
static const char *note(uint32_t free, uint32_t low)
{
    now_ms += 500;
    return berth_pool_watch_note(&watch, free, TOTAL, low, now_ms)
               ? berth_pool_level_name(watch.level)
               : NULL;
}

static void falling__each_level__is_told_once_and_at_once(void **state)
{
    (void)state;
    assert_null(note(TOTAL, LOW));
    assert_null(note(LOW, LOW));
    assert_string_equal(note(LOW - 1, LOW), "low");
    assert_null(note(1, LOW));
    assert_string_equal(note(0, LOW), "exhausted");
    assert_null(note(0, LOW));
}

static void falling__over_both_at_once__is_told_as_exhausted(void **state)
{
    (void)state;
    assert_string_equal(note(0, LOW), "exhausted");
}

static void rising__is_told_when_it_has_lasted(void **state)
{
    (void)state;
    assert_string_equal(note(0, LOW), "exhausted");
    assert_null(note(TOTAL, LOW));
    now_ms += BERTH_POOL_BETTER_MS - 501;
    assert_null(note(TOTAL, LOW));
    assert_string_equal(note(TOTAL, LOW), "ok");
    assert_null(note(TOTAL, LOW));
}

static void rising__with_a_relapse__begins_anew(void **state)
{
    (void)state;
    assert_string_equal(note(0, LOW), "exhausted");
    assert_null(note(TOTAL, LOW));
    now_ms += BERTH_POOL_BETTER_MS - 1000;
    assert_null(note(0, LOW));
    assert_null(note(TOTAL, LOW));
    now_ms += BERTH_POOL_BETTER_MS - 501;
    assert_null(note(TOTAL, LOW));
    assert_string_equal(note(TOTAL, LOW), "ok");
}

static void rising__from_exhausted_to_low__is_told_as_low(void **state)
{
    (void)state;
    assert_string_equal(note(0, LOW), "exhausted");
    assert_null(note(3, LOW));
    now_ms += BERTH_POOL_BETTER_MS;
    assert_string_equal(note(3, LOW), "low");
}

static void rising__within_the_margin__stays_low(void **state)
{
    (void)state;
    assert_string_equal(note(LOW - 1, LOW), "low");
    for (int i = 0; i < 200; i++) {
        assert_null(note(LOW + 12, LOW));
        assert_null(note(LOW - 1, LOW));
    }
    assert_null(note(LOW + 13, LOW));
    now_ms += BERTH_POOL_BETTER_MS;
    assert_string_equal(note(LOW + 13, LOW), "ok");
}

static void threshold__none__only_exhaustion_is_told(void **state)
{
    (void)state;
    assert_null(note(1, 0));
    assert_string_equal(note(0, 0), "exhausted");
    assert_null(note(1, 0));
    now_ms += BERTH_POOL_BETTER_MS;
    assert_string_equal(note(1, 0), "ok");
}

static void threshold__all_ports__is_well_when_all_are_free(void **state)
{
    (void)state;
    assert_string_equal(note(TOTAL - 1, TOTAL), "low");
    assert_null(note(TOTAL, TOTAL));
    now_ms += BERTH_POOL_BETTER_MS;
    assert_string_equal(note(TOTAL, TOTAL), "ok");
}

static void threshold__is_raised__tells_low(void **state)
{
    (void)state;
    assert_null(note(100, LOW));
    assert_string_equal(note(100, 200), "low");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(falling__each_level__is_told_once_and_at_once, set_up),
        cmocka_unit_test_setup(falling__over_both_at_once__is_told_as_exhausted, set_up),
        cmocka_unit_test_setup(rising__is_told_when_it_has_lasted, set_up),
        cmocka_unit_test_setup(rising__with_a_relapse__begins_anew, set_up),
        cmocka_unit_test_setup(rising__from_exhausted_to_low__is_told_as_low, set_up),
        cmocka_unit_test_setup(rising__within_the_margin__stays_low, set_up),
        cmocka_unit_test_setup(threshold__none__only_exhaustion_is_told, set_up),
        cmocka_unit_test_setup(threshold__all_ports__is_well_when_all_are_free, set_up),
        cmocka_unit_test_setup(threshold__is_raised__tells_low, set_up),
    };
    return cmocka_run_group_tests_name("daemon.pool_watch", tests, NULL, NULL);
}
