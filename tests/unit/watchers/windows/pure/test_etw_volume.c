/* SPDX-License-Identifier: MIT */
/* When a busy machine's events are asked for in low volume. */
#include "watchers/windows/etw_volume.h"

#include "tests/support/cmocka_all.h"

#define SECOND UINT64_C(1000000000)
#define MINUTE (60 * SECOND)

struct world {
    struct berth_etw_volume volume;
    uint64_t now_ns;
    unsigned changes;
};

static struct world begun(void)
{
    struct world world = {.now_ns = SECOND};

    assert_false(berth_etw_volume_decide(&world.volume, world.now_ns));
    return world;
}

/* Lets seconds pass, with so many events in each. */
static void pass(struct world *world, uint64_t seconds, uint64_t events)
{
    for (uint64_t i = 0; i < seconds; i++) {
        berth_etw_volume_note(&world->volume, events);
        world->now_ns += SECOND;
        world->changes += berth_etw_volume_decide(&world->volume, world->now_ns);
    }
}

static void decide__a_burst__changes_nothing(void **state)
{
    struct world world = begun();

    (void)state;
    for (unsigned i = 0; i < 10; i++) {
        pass(&world, 5, 100 * BERTH_ETW_BUSY_PER_S);
        pass(&world, 5, BERTH_ETW_BUSY_PER_S);
    }
    assert_int_equal(world.changes, 0);
    assert_false(world.volume.low);
}

static void decide__busy_for_two_spans__goes_low_and_rests(void **state)
{
    struct world world = begun();

    (void)state;
    pass(&world, 9, BERTH_ETW_BUSY_PER_S + 1);
    assert_false(world.volume.low);
    pass(&world, 1, BERTH_ETW_BUSY_PER_S + 1);
    assert_true(world.volume.low);
    assert_int_equal(world.changes, 1);
    pass(&world, 59, 0);
    assert_true(world.volume.low);
    pass(&world, 1, 0);
    assert_false(world.volume.low);
    assert_int_equal(world.changes, 2);
}

static void decide__calm_when_tried_again__stays_full(void **state)
{
    struct world world = begun();

    (void)state;
    pass(&world, 10, 10000);
    pass(&world, 60, 0);
    pass(&world, 3600, BERTH_ETW_CALM_PER_S);
    assert_false(world.volume.low);
    assert_int_equal(world.changes, 2);
}

static void decide__neither_calm_nor_busy_when_tried_again__rests_twice_as_long(void **state)
{
    struct world world = begun();
    uint64_t rest = 60;

    (void)state;
    pass(&world, 10, 10000);
    for (unsigned i = 0; i < 8; i++) {
        assert_true(world.volume.low);
        pass(&world, rest - 1, 0);
        assert_true(world.volume.low);
        pass(&world, 1, 0);
        assert_false(world.volume.low);
        pass(&world, 5, BERTH_ETW_CALM_PER_S + 1);
        rest = rest < 1800 ? 2 * rest : 3600;
    }
    assert_int_equal(world.volume.rest_ns, 3600 * SECOND);
}

static void decide__busy_soon_after_a_trial__rests_longer_else_anew(void **state)
{
    struct world world = begun();

    (void)state;
    pass(&world, 10, 10000);
    pass(&world, 60, 0);
    pass(&world, 5, 0); /* kept */
    pass(&world, 10, 10000);
    assert_true(world.volume.low);
    assert_int_equal(world.volume.rest_ns, 2 * MINUTE);
    pass(&world, 120, 0);
    pass(&world, 200, 0);
    pass(&world, 10, 10000);
    assert_true(world.volume.low);
    assert_int_equal(world.volume.rest_ns, MINUTE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decide__a_burst__changes_nothing),
        cmocka_unit_test(decide__busy_for_two_spans__goes_low_and_rests),
        cmocka_unit_test(decide__calm_when_tried_again__stays_full),
        cmocka_unit_test(decide__neither_calm_nor_busy_when_tried_again__rests_twice_as_long),
        cmocka_unit_test(decide__busy_soon_after_a_trial__rests_longer_else_anew),
    };
    return cmocka_run_group_tests_name("etw_volume", tests, NULL, NULL);
}
