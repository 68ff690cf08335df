/* SPDX-License-Identifier: MIT */
/* When the lease store is tidied up: not while somebody waits. */
#include "lease_keeper_case.h"

static void upkeep__after_many_changes__sorts_history_and_empties_the_log(void **state)
{
    uint64_t end_ms = uv_hrtime() / 1000000 + DEADLINE_MS;

    (void)state;
    world_open(BERTH_DURABILITY_COMMIT);
    struct berth_store *store = berth_lease_keeper_store(keeper);
    for (int i = 0; i < 150; i++) {
        assert_int_equal(allocate("shop"), 49000);
        assert_ok(try_release("shop"), &fixture.err);
    }
    int64_t first = store->recent_first;
    store->pages_soon = 1;
    while (store->recent_last - store->recent_first > 128 || store->recent_first == first ||
           store->log_pages > 2) {
        assert_true(uv_hrtime() / 1000000 < end_ms);
        (void)uv_run(&loop, UV_RUN_ONCE);
    }
    world_reopen();
    assert_int_equal(ended_count(), 1);
    world_close();
}

/* Makes a change in each turn of the loop, until upkeep does something or the time is over.
 * @return whether upkeep did something */
static bool tended_while_changes_come(uint64_t time_ms)
{
    const uint64_t end_ms = uv_hrtime() / 1000000 + time_ms;
    const struct berth_store *store = berth_lease_keeper_store(keeper);
    const int64_t first = store->recent_first;

    while (uv_hrtime() / 1000000 < end_ms && store->recent_first == first) {
        assert_int_equal(allocate("shop"), 49000);
        (void)uv_run(&loop, UV_RUN_NOWAIT);
        assert_ok(try_release("shop"), &fixture.err);
    }
    return store->recent_first != first;
}

static void upkeep__while_changes_come__waits_for_a_pause(void **state)
{
    const uint64_t end_ms = uv_hrtime() / 1000000 + DEADLINE_MS;

    (void)state;
    world_open(BERTH_DURABILITY_COMMIT);
    const struct berth_store *store = berth_lease_keeper_store(keeper);
    const int64_t first = store->recent_first;
    assert_false(tended_while_changes_come(1500)); /* longer than between two looks */
    assert_true(store->recent_last - first > 256);
    while (store->recent_first == first) {
        assert_true(uv_hrtime() / 1000000 < end_ms);
        (void)uv_run(&loop, UV_RUN_ONCE);
    }
    world_close();
}

static void upkeep__far_behind__does_not_wait(void **state)
{
    (void)state;
    world_open(BERTH_DURABILITY_COMMIT);
    struct berth_store *store = berth_lease_keeper_store(keeper);
    assert_int_equal(allocate("shop"), 49000);
    store->recent_first -= BERTH_STORE_UNSORTED_MAX; /* as if so many waited */
    assert_true(berth_store_is_behind(store));
    assert_true(tended_while_changes_come(DEADLINE_MS));
    world_close();
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up_folder, tear_down_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(upkeep__after_many_changes__sorts_history_and_empties_the_log),
        CASE(upkeep__while_changes_come__waits_for_a_pause),
        CASE(upkeep__far_behind__does_not_wait),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
