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

static void await_works(const struct berth_store_health *health)
{
    const uint64_t end_ms = uv_hrtime() / 1000000 + DEADLINE_MS;

    while (health->failing) {
        assert_true(uv_hrtime() / 1000000 < end_ms);
        (void)uv_run(&loop, UV_RUN_ONCE);
    }
}

static void upkeep__store_that_refused__is_tried_again_and_nothing_stays_of_it(void **state)
{
    (void)state;
    world_open(BERTH_DURABILITY_COMMIT);
    const struct berth_store_health *health = berth_lease_keeper_health(keeper);
    assert_int_equal(allocate("shop"), 49000);
    store_disk_fail(1, STORE_DISK_WRITES, SQLITE_FULL, STORE_DISK_REFUSES, true);
    assert_code(try_allocate("blog"), BERTH_STORE_FAILED);
    for (int turns = 0; turns < 2; turns++) { /* in each of which it is tried, in vain */
        (void)uv_run(&loop, UV_RUN_ONCE);
        assert_true(health->failing);
        assert_int_equal(health->refused, 1);
    }
    assert_true(store_disk_end());
    await_works(health);
    assert_int_equal(health->refused, 1);
    world_reopen();
    assert_int_equal(live_count(), 1);
    assert_int_equal(ended_count(), 0);
    world_close();
}

static void upkeep__sync__only_a_flush_shows_that_the_store_works(void **state)
{
    (void)state;
    world_open(BERTH_DURABILITY_SYNC);
    const struct berth_store_health *health = berth_lease_keeper_health(keeper);
    assert_int_equal(allocate("shop"), 49000);
    store_disk_fail(1, STORE_DISK_SYNCS, SQLITE_IOERR_FSYNC, STORE_DISK_REFUSES, false);
    assert_int_equal(berth_lease_keeper_flush(keeper), 1);
    await_told(1);
    assert_true(told.failed[0] && health->failing);
    assert_true(store_disk_end());
    assert_int_equal(allocate("blog"), 49001); /* which nobody waits for to be safe */
    assert_true(health->failing);
    await_works(health);
    assert_int_equal(told.count, 2);
    assert_false(told.failed[1]);
    assert_int_equal(health->refused, 1);
    world_close();
}

static void upkeep__sync_and_the_disk_still_fails__goes_on_failing(void **state)
{
    const uint64_t end_ms = uv_hrtime() / 1000000 + DEADLINE_MS;

    (void)state;
    world_open(BERTH_DURABILITY_SYNC);
    const struct berth_store_health *health = berth_lease_keeper_health(keeper);
    assert_int_equal(allocate("shop"), 49000);
    store_disk_fail(1, STORE_DISK_WRITES, SQLITE_FULL, STORE_DISK_REFUSES, true);
    assert_code(try_allocate("blog"), BERTH_STORE_FAILED);
    assert_true(store_disk_end());
    store_disk_fail(1, STORE_DISK_SYNCS, SQLITE_IOERR_FSYNC, STORE_DISK_REFUSES, true);
    while (told.count == 0) { /* the trial can be written, and is not confirmed */
        assert_true(uv_hrtime() / 1000000 < end_ms);
        (void)uv_run(&loop, UV_RUN_ONCE);
    }
    assert_true(told.failed[0] && health->failing);
    assert_int_equal(health->refused, 1);
    assert_true(store_disk_end());
    await_works(health);
    world_close();
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up_folder, tear_down_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(upkeep__after_many_changes__sorts_history_and_empties_the_log),
        CASE(upkeep__while_changes_come__waits_for_a_pause),
        CASE(upkeep__far_behind__does_not_wait),
        CASE(upkeep__store_that_refused__is_tried_again_and_nothing_stays_of_it),
        CASE(upkeep__sync__only_a_flush_shows_that_the_store_works),
        CASE(upkeep__sync_and_the_disk_still_fails__goes_on_failing),
    };
    store_disk_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
