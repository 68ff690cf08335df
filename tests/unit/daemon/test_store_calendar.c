/* SPDX-License-Identifier: MIT */
/* By which time the history is pruned, where the calendar jumps. 90 days are kept. */
#include "store_case.h"

#include "daemon/store_internal.h"
#include "temp_dir.h"

#define DAY_MS ((int64_t)24 * 3600 * 1000)
#define START_MS (100 * DAY_MS)
#define WRONG_MS (5000 * DAY_MS)

static char *folder;
static struct berth_store *store;
static struct berth_error err;
static uint64_t clock_now_ms;

static uint64_t clock_of_test(void)
{
    return clock_now_ms;
}

static void open_store(void)
{
    assert_ok(case_open(&store, folder, BERTH_DURABILITY_COMMIT, &err), &err);
    store->clock_ms = clock_of_test;
}

static int set_up(void **state)
{
    (void)state;
    folder = temp_dir_make();
    clock_now_ms = 1000;
    open_store();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    berth_store_close(store);
    temp_dir_remove(folder);
    return 0;
}

/* Adds an entry of port 80, and of others as many as have it sorted in. */
static void add_entry(int64_t unix_ms)
{
    for (int i = 0; i < 300; i++) {
        const struct berth_history_entry entry = {unix_ms, "e", (uint16_t)(i == 0 ? 80 : 81),
                                                  "k",     "",  ""};
        const struct berth_store_change change = {.history = &entry, .history_count = 1};
        assert_ok(berth_store_apply(store, &change, 1, &err), &err);
    }
}

static bool count_entry(void *ctx, const struct berth_history_entry *entry)
{
    (void)entry;
    ++*(int *)ctx;
    return true;
}

static int entries_left(void)
{
    int count = 0;

    assert_ok(berth_store_history(store, 80, NULL, 10, count_entry, &count, &err), &err);
    return count;
}

static void tend_after(int64_t passed_ms, int64_t now_unix_ms)
{
    bool more = true;

    clock_now_ms += (uint64_t)passed_ms;
    while (more) {
        assert_ok(berth_store_tend(store, now_unix_ms, &more, &err), &err);
    }
}

static void prune__calendar_ahead__waits_until_it_has_been_so_for_a_day(void **state)
{
    (void)state;
    tend_after(0, START_MS); /* of an empty history nothing is learnt */
    add_entry(START_MS);
    tend_after(1000, WRONG_MS); /* the first look is warned by the entries */
    tend_after(DAY_MS / 2, WRONG_MS);
    tend_after(1000, START_MS + DAY_MS / 2); /* put right, and wrong again */
    tend_after(DAY_MS - 1000, WRONG_MS);
    tend_after(DAY_MS - 1000, WRONG_MS);
    assert_int_equal(entries_left(), 1);
    tend_after(1000, WRONG_MS); /* a day long: it must be right */
    assert_int_equal(entries_left(), 0);
}

static void prune__entry_made_while_ahead__does_not_vouch_for_the_calendar(void **state)
{
    (void)state;
    add_entry(START_MS);
    tend_after(1000, START_MS);
    add_entry(WRONG_MS);
    tend_after(1000, WRONG_MS);
    assert_int_equal(entries_left(), 2);
}

static void prune__calendar_steps_back__goes_on_from_there(void **state)
{
    (void)state;
    add_entry(START_MS);
    tend_after(0, START_MS);
    tend_after(1000, 10 * DAY_MS);
    tend_after(1000, START_MS + 91 * DAY_MS); /* what was believed before is believed no more */
    assert_int_equal(entries_left(), 1);
}

static void prune__nothing_happens_for_long__forgets_in_time(void **state)
{
    (void)state;
    add_entry(START_MS);
    tend_after(0, START_MS);
    for (int day = 1; day <= 90; day++) {
        tend_after(DAY_MS, START_MS + day * DAY_MS);
    }
    assert_int_equal(entries_left(), 1);
    tend_after(DAY_MS, START_MS + 91 * DAY_MS);
    assert_int_equal(entries_left(), 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(prune__calendar_ahead__waits_until_it_has_been_so_for_a_day),
        CASE(prune__entry_made_while_ahead__does_not_vouch_for_the_calendar),
        CASE(prune__calendar_steps_back__goes_on_from_there),
        CASE(prune__nothing_happens_for_long__forgets_in_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
