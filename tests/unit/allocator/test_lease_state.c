/* SPDX-License-Identifier: MIT */
/* Tests of allocator/lease_state: every state with every happening, and the names. */
#include "cmocka_all.h"

#include "allocator/lease_state.h"

#define NOTHING BERTH_LEASE_STATE_COUNT

/* What becomes of each state (rows) by each happening: seen, gone, time up, given back. */
static const enum berth_lease_state expected[BERTH_LEASE_STATE_COUNT][BERTH_LEASE_HAPPENING_COUNT] =
    {
        [BERTH_LEASE_PENDING] = {BERTH_LEASE_ACTIVE, NOTHING, BERTH_LEASE_EXPIRED,
                                 BERTH_LEASE_RELEASED},
        [BERTH_LEASE_ACTIVE] = {NOTHING, BERTH_LEASE_LINGERING, NOTHING, BERTH_LEASE_RELEASED},
        [BERTH_LEASE_LINGERING] = {BERTH_LEASE_ACTIVE, NOTHING, BERTH_LEASE_EXPIRED,
                                   BERTH_LEASE_RELEASED},
        [BERTH_LEASE_EXPIRED] = {BERTH_LEASE_ACTIVE, NOTHING, NOTHING, NOTHING},
        [BERTH_LEASE_RELEASED] = {NOTHING, NOTHING, NOTHING, NOTHING},
};

static void after__each_state_and_happening__is_as_in_the_table(void **state)
{
    (void)state;
    for (int s = 0; s < BERTH_LEASE_STATE_COUNT; s++) {
        for (int h = 0; h < BERTH_LEASE_HAPPENING_COUNT; h++) {
            enum berth_lease_state next = NOTHING;
            bool happens = berth_lease_state_after((enum berth_lease_state)s,
                                                   (enum berth_lease_happening)h, &next);
            if (next != expected[s][h] || happens != (expected[s][h] != NOTHING)) {
                fail_msg("%s with happening %d: %d becomes %d",
                         berth_lease_state_name((enum berth_lease_state)s), h, happens, (int)next);
            }
        }
    }
}

static void is_live__each_state__is_up_to_lingering(void **state)
{
    (void)state;
    assert_true(berth_lease_state_is_live(BERTH_LEASE_PENDING));
    assert_true(berth_lease_state_is_live(BERTH_LEASE_ACTIVE));
    assert_true(berth_lease_state_is_live(BERTH_LEASE_LINGERING));
    assert_false(berth_lease_state_is_live(BERTH_LEASE_EXPIRED));
    assert_false(berth_lease_state_is_live(BERTH_LEASE_RELEASED));
}

static void name__each_state__is_that_of_the_protocol(void **state)
{
    static const char *const names[BERTH_LEASE_STATE_COUNT] = {"pending", "active", "lingering",
                                                               "expired", "released"};

    (void)state;
    for (int s = 0; s < BERTH_LEASE_STATE_COUNT; s++) {
        assert_string_equal(berth_lease_state_name((enum berth_lease_state)s), names[s]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(after__each_state_and_happening__is_as_in_the_table),
        cmocka_unit_test(is_live__each_state__is_up_to_lingering),
        cmocka_unit_test(name__each_state__is_that_of_the_protocol),
    };
    return cmocka_run_group_tests_name("allocator.lease_state", tests, NULL, NULL);
}
