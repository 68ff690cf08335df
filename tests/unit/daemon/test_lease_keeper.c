/* SPDX-License-Identifier: MIT */
/* Tests of daemon/lease_keeper with a real loop, a real store and a real allocator: what was
 * acknowledged is there after a start, whatever fails on the way. */
#include "lease_keeper_case.h"

#define STEPS_MAX 5000

/* ---- keeping and loading ---- */

static void keep__a_grant__is_the_same_lease_after_a_start(void **state)
{
    struct berth_allocate_request request = {.wish = {.count = 2, .contiguous = true},
                                             .key = "shop",
                                             .generation = "7",
                                             .holder = "process:java",
                                             .meta = "{\"a\":[1]}",
                                             .protocol = BERTH_PROTOCOL_HTTPS,
                                             .ttl_ms = 123000,
                                             .hold = true};
    const struct berth_caller caller = {.identity = {"uid:1000", "deploy", "gid:77"}};
    struct berth_lease *lease;
    char id[BERTH_LEASE_ID_LENGTH + 1];

    (void)state;
    world_open(BERTH_DURABILITY_COMMIT);
    assert_ok(ask(&request, &caller), &fixture.err);
    int64_t granted = grant.lease->granted_unix_ms;
    memcpy(id, grant.lease->id, sizeof id);
    world_reopen();
    assert_ok(berth_allocator_find(fixture.allocator, id, NULL, NULL, 0, &lease, &fixture.err),
              &fixture.err);
    assert_string_equal(lease->key, "shop");
    assert_string_equal(lease->generation, "7");
    assert_string_equal(lease->holder, "process:java");
    assert_string_equal(lease->meta, "{\"a\":[1]}");
    assert_string_equal(lease->owner->id, "uid:1000");
    assert_string_equal(lease->owner->name, "deploy");
    assert_string_equal(lease->owner->group, "gid:77");
    assert_int_equal(lease->protocol, BERTH_PROTOCOL_HTTPS);
    assert_int_equal(lease->state, BERTH_LEASE_PENDING);
    assert_true(lease->hold);
    assert_true(lease->ttl_ms == 123000);
    assert_true(lease->granted_unix_ms == granted);
    assert_int_equal(lease->port_count, 2);
    assert_int_equal(lease->ports[0], 49000);
    assert_int_equal(lease->ports[1], 49001);
    assert_state(49000, "leased");
    assert_state(49001, "leased");
    world_close();
}

static void keep__release_and_renewal__outlast_a_start(void **state)
{
    (void)state;
    world_open(BERTH_DURABILITY_COMMIT);
    assert_int_equal(allocate("shop"), 49000);
    assert_int_equal(allocate("blog"), 49001);
    assert_ok(try_release("shop"), &fixture.err);
    assert_ok(try_renew("blog", 5000), &fixture.err);
    world_reopen();
    assert_int_equal(live_count(), 1);
    assert_int_equal(ended_count(), 1);
    assert_true(lease_of("blog")->ttl_ms == 5000);
    assert_state(49000, "cooling");
    /* others get another port, its key the one that it had */
    assert_int_equal(allocate("wiki"), 49002);
    assert_int_equal(allocate("shop"), 49000);
    world_close();
}

static void keep__in_the_place_of_an_ended_one__leaves_one_record(void **state)
{
    (void)state;
    world_open(BERTH_DURABILITY_COMMIT);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(allocate("shop"), 49000);
        assert_ok(try_release("shop"), &fixture.err);
    }
    world_reopen();
    assert_int_equal(live_count(), 0);
    assert_int_equal(ended_count(), 1);
    world_close();
}

static void keep__anonymous__goes_with_its_end(void **state)
{
    struct berth_lease *lease;

    (void)state;
    world_open(BERTH_DURABILITY_COMMIT);
    assert_ok(try_allocate(NULL), &fixture.err);
    uint16_t port = grant.lease->ports[0];
    world_reopen();
    assert_ok(berth_allocator_find(fixture.allocator, NULL, NULL, NULL, port, &lease, &fixture.err),
              &fixture.err);
    assert_true(lease->anonymous);
    assert_ok(berth_allocator_release(fixture.allocator, lease, &root, fixture.now, &refusal,
                                      &fixture.err),
              &fixture.err);
    world_reopen();
    assert_int_equal(live_count() + ended_count(), 0);
    world_close();
}

static void forget__an_ended_lease__is_not_loaded_again(void **state)
{
    (void)state;
    world_open(BERTH_DURABILITY_COMMIT);
    (void)allocate("shop");
    (void)allocate("blog");
    assert_ok(try_release("shop"), &fixture.err);
    berth_lease_keeper_forget(keeper, fixture.allocator->book.ended.first);
    world_reopen();
    assert_int_equal(live_count(), 1);
    assert_int_equal(ended_count(), 0);
    world_close();
}

struct history {
    unsigned count;
    char events[8][24];
};

static bool note_entry(void *ctx, const struct berth_history_entry *entry)
{
    struct history *history = ctx;

    assert_true(history->count < BERTH_COUNT(history->events));
    (void)snprintf(history->events[history->count++], sizeof history->events[0], "%s",
                   entry->event);
    return true;
}

static void keep__each_change__stands_in_the_history(void **state)
{
    struct history history = {0};

    (void)state;
    world_open(BERTH_DURABILITY_COMMIT);
    (void)allocate("shop");
    assert_ok(try_renew("shop", 5000), &fixture.err);
    assert_ok(try_release("shop"), &fixture.err);
    world_reopen();
    assert_ok(berth_store_history(berth_lease_keeper_store(keeper), 49000, NULL, 100, note_entry,
                                  &history, &fixture.err),
              &fixture.err);
    assert_int_equal(history.count, 3); /* newest first */
    assert_string_equal(history.events[0], "lease.released");
    assert_string_equal(history.events[1], "lease.renewed");
    assert_string_equal(history.events[2], "lease.granted");
    world_close();
}

static void load__a_record_that_is_not_understood__refuses_to_start(void **state)
{
    struct berth_store *store = NULL;
    const struct berth_store_options options = {.folder = folder};
    struct berth_lease_record record = {.id = "00000000000000ab",
                                        .key = "shop",
                                        .generation = "",
                                        .holder = "",
                                        .meta = "",
                                        .protocol = "",
                                        .owner_id = "uid:1",
                                        .owner_name = "",
                                        .owner_group = "",
                                        .state = "dormant",
                                        .ports = {49000},
                                        .port_count = 1};

    (void)state;
    assert_ok(berth_store_open(&store, &options, &fixture.err), &fixture.err);
    assert_ok(berth_store_put(store, &record, NULL, &fixture.err), &fixture.err);
    berth_store_close(store);
    assert_code(world_try_open(BERTH_DURABILITY_COMMIT), BERTH_STORE_FAILED);
    assert_non_null(strstr(fixture.err.detail, "00000000000000ab"));
    assert_non_null(strstr(fixture.err.detail, "dormant"));
}

static void open__folder_that_cannot_be__leaves_nothing_open(void **state)
{
    char *good = folder;

    (void)state;
    folder = (char *)(uintptr_t) "/dev/null/none";
    assert_code(world_try_open(BERTH_DURABILITY_COMMIT), BERTH_STORE_FAILED);
    folder = good;
    world_open(BERTH_DURABILITY_COMMIT);
    world_close();
}

/* ---- a store that refuses ---- */

static void keep__disk_is_full__refuses_grants_and_releases_until_there_is_room(void **state)
{
    const struct berth_store_health *health;

    (void)state;
    world_open(BERTH_DURABILITY_COMMIT);
    health = berth_lease_keeper_health(keeper);
    (void)allocate("shop");
    assert_false(health->failing);
    store_disk_fail(1, STORE_DISK_WRITES, SQLITE_FULL, STORE_DISK_REFUSES, true);
    assert_code(try_allocate("blog"), BERTH_STORE_FAILED);
    assert_code(try_release("shop"), BERTH_STORE_FAILED);
    assert_code(try_renew("shop", 7000), BERTH_STORE_FAILED);
    assert_non_null(strstr(fixture.err.detail, "full"));
    /* nothing that needs no change is refused */
    assert_ok(try_allocate("shop"), &fixture.err);
    assert_true(grant.reused);
    assert_true(health->failing);
    assert_int_equal(health->refused, 3);
    assert_non_null(strstr(health->error.detail, "full"));
    assert_true(health->since_unix_ms >= fixture.now.unix_ms);
    assert_int_equal(live_count(), 1);
    assert_state(49001, "free");
    assert_true(store_disk_end());
    assert_int_equal(allocate("blog"), 49001);
    assert_false(health->failing);
    assert_ok(try_release("shop"), &fixture.err);
    world_reopen();
    assert_int_equal(live_count(), 1);
    assert_int_equal(lease_of("blog")->ports[0], 49001);
    world_close();
}

/* ---- flushing ---- */

static void flush__commit__nothing_to_wait_for(void **state)
{
    (void)state;
    world_open(BERTH_DURABILITY_COMMIT);
    (void)allocate("shop");
    assert_int_equal(berth_lease_keeper_flush(keeper), 0);
    world_close();
}

static void flush__sync__tells_in_order_and_all_that_was_asked_for(void **state)
{
    char key[16];
    uint64_t number = 0;

    (void)state;
    world_open(BERTH_DURABILITY_SYNC);
    assert_int_equal(berth_lease_keeper_flush(keeper), 0); /* nothing changed yet */
    for (int i = 0; i < 5; i++) {
        (void)snprintf(key, sizeof key, "key-%d", i);
        assert_ok(try_allocate(key), &fixture.err);
        uint64_t later = berth_lease_keeper_flush(keeper);
        assert_true(later > number);
        number = later;
    }
    assert_int_equal(told.count, 0); /* never from within */
    while (told.count == 0 || told.upto[told.count - 1] < number) {
        await_told(told.count + 1);
    }
    /* those that were asked for during the first one shared the second */
    assert_int_equal(told.count, 2);
    assert_int_equal(told.upto[0], 1);
    assert_int_equal(told.upto[1], 5);
    assert_false(told.failed[0] || told.failed[1]);
    assert_int_equal(berth_lease_keeper_flush(keeper), 0);
    world_close();
}

/* Who asks for what was granted a moment ago is not told before it is safe either. */
static void flush__again_without_a_change__waits_for_the_one_under_way(void **state)
{
    (void)state;
    world_open(BERTH_DURABILITY_SYNC);
    (void)allocate("shop");
    assert_int_equal(berth_lease_keeper_flush(keeper), 1);
    (void)allocate("shop");
    assert_true(grant.reused);
    assert_int_equal(berth_lease_keeper_flush(keeper), 1);
    await_told(1);
    assert_int_equal(told.upto[0], 1);
    assert_int_equal(berth_lease_keeper_flush(keeper), 0);
    world_close();
}

static void flush__disk_does_not_confirm__is_told_and_asking_again_puts_it_right(void **state)
{
    const struct berth_store_health *health;

    (void)state;
    world_open(BERTH_DURABILITY_SYNC);
    health = berth_lease_keeper_health(keeper);
    (void)allocate("shop");
    store_disk_fail(1, STORE_DISK_SYNCS, SQLITE_IOERR_FSYNC, STORE_DISK_REFUSES, true);
    assert_int_equal(berth_lease_keeper_flush(keeper), 1);
    await_told(1);
    assert_true(told.failed[0]);
    assert_non_null(strstr(told.detail, "did not confirm"));
    assert_true(health->failing);
    /* the change stands, so the key has its port; but nobody may be told that it is safe */
    assert_int_equal(allocate("shop"), 49000);
    assert_int_equal(berth_lease_keeper_flush(keeper), 1);
    await_told(2);
    assert_true(told.failed[1]);
    assert_code(try_allocate("blog"), BERTH_STORE_FAILED);
    assert_true(store_disk_end());

    assert_int_equal(allocate("shop"), 49000);
    assert_int_equal(berth_lease_keeper_flush(keeper), 1);
    await_told(3);
    assert_false(told.failed[2]);
    assert_false(health->failing);
    assert_int_equal(berth_lease_keeper_flush(keeper), 0);
    assert_int_equal(allocate("blog"), 49001);
    world_reopen();
    assert_int_equal(live_count(), 2);
    world_close();
}

static void flush__failed_while_more_was_asked_for__all_are_told(void **state)
{
    (void)state;
    world_open(BERTH_DURABILITY_SYNC);
    (void)allocate("shop");
    store_disk_fail(1, STORE_DISK_SYNCS, SQLITE_IOERR_FSYNC, STORE_DISK_REFUSES, false);
    assert_int_equal(berth_lease_keeper_flush(keeper), 1);
    /* refused where the disk's failure is known by then, and not yet put right */
    if (try_allocate("blog") == BERTH_OK) {
        assert_int_equal(berth_lease_keeper_flush(keeper), 2);
        while (told.upto[told.count == 0 ? 0 : told.count - 1] < 2) {
            await_told(told.count + 1);
        }
    }
    await_told(1);
    assert_int_equal(told.upto[0], 1);
    (void)store_disk_end();
    world_reopen();
    assert_int_equal(lease_of("shop")->ports[0], 49000);
    world_close();
}

static void close__while_a_flush_is_under_way__all_is_kept_and_nothing_told(void **state)
{
    char key[16];

    (void)state;
    for (int i = 0; i < 20; i++) {
        world_open(BERTH_DURABILITY_SYNC);
        (void)snprintf(key, sizeof key, "key-%d", i % 10);
        assert_ok(try_allocate(key), &fixture.err);
        if (i < 10) {
            assert_true(berth_lease_keeper_flush(keeper) != 0);
        } else {
            (void)berth_lease_keeper_flush(keeper);
        }
        world_close();
        assert_int_equal(told.count, 0);
    }
    world_open(BERTH_DURABILITY_COMMIT);
    assert_int_equal(live_count(), 10);
    world_close();
}

/* ---- everything failing in turn ---- */

static enum berth_code act_allocate(void)
{
    return try_allocate("new");
}

static enum berth_code act_allocate_anonymous(void)
{
    return try_allocate(NULL);
}

static enum berth_code act_allocate_again(void)
{
    return try_allocate("ended");
}

static enum berth_code act_release(void)
{
    return try_release("old");
}

static enum berth_code act_renew(void)
{
    return try_renew("old", 9000);
}

static enum berth_code act_expire(void)
{
    fixture.now.ms += 2 * FIXTURE_TTL_MS;
    fixture.now.unix_ms += (int64_t)(2 * FIXTURE_TTL_MS);
    (void)berth_allocator_tick(fixture.allocator, fixture.now);
    assert_int_equal(live_count(), 0);
    return BERTH_OK;
}

static enum berth_code act_forget(void)
{
    berth_lease_keeper_forget(keeper, fixture.allocator->book.ended.first);
    return BERTH_OK;
}

static enum berth_code act_flush(void)
{
    if (berth_lease_keeper_flush(keeper) != 0) {
        await_told(1);
    }
    return BERTH_OK;
}

static const struct act {
    const char *name;
    enum berth_code (*run)(void);
} acts[] = {
    {"allocate", act_allocate},
    {"allocate without a key", act_allocate_anonymous},
    {"allocate an ended one again", act_allocate_again},
    {"release", act_release},
    {"renew", act_renew},
    {"expire", act_expire},
    {"forget", act_forget},
    {"flush", act_flush},
};

/* A live lease that is no longer kept would be lost with the next start. */
static void assert_all_kept(void)
{
    struct {
        char key[64];
        uint16_t port;
    } live[16];
    size_t count = 0;

    for (const struct berth_lease *lease = fixture.allocator->book.live.first; lease != NULL;
         lease = lease->next) {
        assert_true(count < BERTH_COUNT(live));
        (void)snprintf(live[count].key, sizeof live[0].key, "%s", lease->key);
        live[count++].port = lease->ports[0];
    }
    world_reopen();
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(lease_of(live[i].key)->ports[0], live[i].port);
    }
}

/* @return false: there was no such step */
static bool act_with_fault(const struct act *act, void (*begin)(size_t nth, bool for_ever),
                           bool (*end)(void), size_t nth, bool for_ever,
                           enum berth_durability durability)
{
    world_open(durability);
    assert_ok(try_allocate("old"), &fixture.err);
    assert_ok(try_allocate("ended"), &fixture.err);
    assert_ok(try_release("ended"), &fixture.err);
    size_t live = live_count();
    begin(nth, for_ever);
    enum berth_code code = act->run();
    bool failed = end();
    if (code != BERTH_OK) {
        assert_true(failed);
        assert_true(code == BERTH_NO_MEMORY || code == BERTH_STORE_FAILED);
        assert_true(strlen(fixture.err.detail) > 0);
        assert_int_equal(live_count(), live);
        assert_ok(act->run(), &fixture.err);
    }
    assert_ok(try_allocate("next"), &fixture.err);
    assert_all_kept();
    (void)try_release("next");
    world_close();
    return failed;
}

static void fail_each(void (*begin)(size_t nth, bool for_ever), bool (*end)(void))
{
    for (size_t i = 0; i < 4 * BERTH_COUNT(acts); i++) {
        const struct act *act = &acts[i / 4];
        enum berth_durability durability =
            i % 2 == 0 ? BERTH_DURABILITY_COMMIT : BERTH_DURABILITY_SYNC;
        size_t nth = 0;
        bool failed;
        do {
            char *old = folder;
            folder = temp_dir_make();
            assert_true(++nth < STEPS_MAX);
            failed = act_with_fault(act, begin, end, nth, i % 4 >= 2, durability);
            temp_dir_remove(folder);
            folder = old;
        } while (failed);
        print_message("%s: %zu steps\n", act->name, nth - 1);
    }
}

static void begin_memory(size_t nth, bool for_ever)
{
    memory_faults_begin(nth, for_ever);
}

static bool end_memory(void)
{
    size_t live;

    return memory_faults_end(&live);
}

static void begin_disk(size_t nth, bool for_ever)
{
    store_disk_fail((unsigned)nth, STORE_DISK_ALL, SQLITE_IOERR_WRITE, STORE_DISK_REFUSES,
                    for_ever);
}

static void change__an_allocation_fails__is_refused_and_nothing_lost(void **state)
{
    (void)state;
    fail_each(begin_memory, end_memory);
}

static void change__a_disk_call_fails__is_refused_and_nothing_lost(void **state)
{
    (void)state;
    fail_each(begin_disk, store_disk_end);
}

/* A start with each allocation failing: it goes well or not at all, and leaves no memory. */
static void start_to_close__an_allocation_fails__no_leak_and_starts_afterwards(void **state)
{
    size_t live;

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        enum berth_durability durability =
            i % 2 == 0 ? BERTH_DURABILITY_COMMIT : BERTH_DURABILITY_SYNC;
        size_t nth = 0;
        bool failed;
        world_open(durability);
        assert_ok(try_allocate("shop"), &fixture.err);
        assert_ok(try_allocate("blog"), &fixture.err);
        world_close();
        do {
            (void)sqlite3_shutdown(); /* so that its memory for all connections is counted, too */
            store_disk_install();
            (void)sqlite3_shutdown();
            assert_true(++nth < STEPS_MAX);
            memory_faults_begin(nth, i >= 2);
            enum berth_code code = world_try_open(durability);
            if (code == BERTH_OK) {
                world_close();
            }
            (void)sqlite3_shutdown();
            failed = memory_faults_end(&live);
            assert_int_equal(live, 0);
            assert_true(code == BERTH_OK || code == BERTH_NO_MEMORY || code == BERTH_STORE_FAILED);
            store_disk_install();
            if (nth % 32 == 0 || !failed) {
                world_open(durability);
                assert_int_equal(live_count(), 2);
                world_close();
            }
        } while (failed);
        print_message("start: %zu steps\n", nth - 1);
    }
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up_folder, tear_down_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(keep__a_grant__is_the_same_lease_after_a_start),
        CASE(keep__release_and_renewal__outlast_a_start),
        CASE(keep__in_the_place_of_an_ended_one__leaves_one_record),
        CASE(keep__anonymous__goes_with_its_end),
        CASE(keep__each_change__stands_in_the_history),
        CASE(forget__an_ended_lease__is_not_loaded_again),
        CASE(load__a_record_that_is_not_understood__refuses_to_start),
        CASE(open__folder_that_cannot_be__leaves_nothing_open),
        CASE(keep__disk_is_full__refuses_grants_and_releases_until_there_is_room),
        CASE(flush__commit__nothing_to_wait_for),
        CASE(flush__sync__tells_in_order_and_all_that_was_asked_for),
        CASE(flush__again_without_a_change__waits_for_the_one_under_way),
        CASE(flush__disk_does_not_confirm__is_told_and_asking_again_puts_it_right),
        CASE(flush__failed_while_more_was_asked_for__all_are_told),
        CASE(close__while_a_flush_is_under_way__all_is_kept_and_nothing_told),
        CASE(change__an_allocation_fails__is_refused_and_nothing_lost),
        CASE(change__a_disk_call_fails__is_refused_and_nothing_lost),
        CASE(start_to_close__an_allocation_fails__no_leak_and_starts_afterwards),
    };

    FILE *quiet = fopen("/dev/null", "w");
    if (quiet == NULL) {
        return 1;
    }
    berth_log_use(quiet, BERTH_LOG_ERROR, false); /* thousands of failures are asked for */
    store_disk_install();
    int failures = cmocka_run_group_tests(tests, NULL, NULL);
    berth_log_use(NULL, BERTH_LOG_INFO, false);
    (void)fclose(quiet);
    return failures;
}
