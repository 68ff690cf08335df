/* SPDX-License-Identifier: MIT */
#include "tests/support/cmocka_all.h"
#include "watchers/hint_pace.h"
#include "watchers/source_hints.h"

#define HTTP BERTH_HINT_BIT(BERTH_SOURCE_HTTPSYS)
#define IIS BERTH_HINT_BIT(BERTH_SOURCE_IIS)
#define TCP BERTH_HINT_BIT(BERTH_SOURCE_TCP)

static void pace__no_hint__nothing_is_due(void **state)
{
    struct berth_hint_pace pace = {0};

    (void)state;
    assert_int_equal(berth_hint_pace_take(&pace, 1000), 0);
    assert_true(berth_hint_pace_next_ms(&pace) == BERTH_HINT_NEVER);
}

static void pace__first_hint__is_due_at_once(void **state)
{
    struct berth_hint_pace pace = {0};

    (void)state;
    berth_hint_pace_note(&pace, IIS);
    assert_int_equal(berth_hint_pace_next_ms(&pace), 0);
    assert_int_equal(berth_hint_pace_take(&pace, 0), IIS);
    assert_int_equal(berth_hint_pace_take(&pace, 0), 0);
    assert_true(berth_hint_pace_next_ms(&pace) == BERTH_HINT_NEVER);
}

static void pace__hints_of_two_sources__are_due_together(void **state)
{
    struct berth_hint_pace pace = {0};

    (void)state;
    berth_hint_pace_note(&pace, IIS | TCP);
    berth_hint_pace_note(&pace, IIS);
    assert_int_equal(berth_hint_pace_take(&pace, 7), IIS | TCP);
}

static void pace__hint_soon_after_a_look__keeps_the_distance(void **state)
{
    struct berth_hint_pace pace = {0};
    uint64_t distance = berth_hint_pace_distance_ms(BERTH_SOURCE_IIS);

    (void)state;
    berth_hint_pace_note(&pace, IIS);
    (void)berth_hint_pace_take(&pace, 1000);
    berth_hint_pace_note(&pace, IIS);
    assert_int_equal(berth_hint_pace_take(&pace, 1000 + distance - 1), 0);
    assert_int_equal(berth_hint_pace_next_ms(&pace), 1000 + distance);
    assert_int_equal(berth_hint_pace_take(&pace, 1000 + distance), IIS);
}

static void pace__hint_long_after_a_look__is_due_at_once(void **state)
{
    struct berth_hint_pace pace = {0};

    (void)state;
    berth_hint_pace_note(&pace, IIS);
    (void)berth_hint_pace_take(&pace, 1000);
    berth_hint_pace_note(&pace, IIS);
    assert_int_equal(berth_hint_pace_take(&pace, 100000), IIS);
}

/* What netsh is asked is asked a second time: the event may come before netsh shows it. */
static void pace__source_that_shows_late__is_looked_at_twice(void **state)
{
    struct berth_hint_pace pace = {0};
    uint64_t distance = berth_hint_pace_distance_ms(BERTH_SOURCE_HTTPSYS);

    (void)state;
    berth_hint_pace_note(&pace, HTTP);
    assert_int_equal(berth_hint_pace_take(&pace, 1000), HTTP);
    assert_int_equal(berth_hint_pace_next_ms(&pace), 1000 + distance);
    assert_int_equal(berth_hint_pace_take(&pace, 1000 + distance), HTTP);
    assert_true(berth_hint_pace_next_ms(&pace) == BERTH_HINT_NEVER);
}

/* A storm costs one look for each distance, whatever its length. */
static void pace__storm__is_a_look_a_distance(void **state)
{
    struct berth_hint_pace pace = {0};
    uint64_t distance = berth_hint_pace_distance_ms(BERTH_SOURCE_HTTPSYS);
    unsigned looks = 0;

    (void)state;
    for (uint64_t now = 0; now < 10 * distance; now++) {
        berth_hint_pace_note(&pace, HTTP);
        looks += berth_hint_pace_take(&pace, now) != 0;
    }
    assert_int_equal(looks, 10);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pace__no_hint__nothing_is_due),
        cmocka_unit_test(pace__first_hint__is_due_at_once),
        cmocka_unit_test(pace__hints_of_two_sources__are_due_together),
        cmocka_unit_test(pace__hint_soon_after_a_look__keeps_the_distance),
        cmocka_unit_test(pace__hint_long_after_a_look__is_due_at_once),
        cmocka_unit_test(pace__source_that_shows_late__is_looked_at_twice),
        cmocka_unit_test(pace__storm__is_a_look_a_distance),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
