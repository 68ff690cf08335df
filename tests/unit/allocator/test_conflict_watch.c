/* SPDX-License-Identifier: MIT */
/* Tests of allocator/conflict_watch: a ledger's changes reach the book, a bounded number at a time;
 * what listened lately; facts and leases that change; memory that runs out. */
#include "cmocka_all.h"

#include "allocator/conflict_watch.h"
#include "base/memory.h"
#include "memory_faults.h"

#include <stdio.h>

#define DEBOUNCE_MS 2000
#define START_MS 1000
#define SETTLED_MS (START_MS + BERTH_LISTENED_LATELY_MS)
#define ALL_PORTS 65535

static struct fixture {
    struct berth_ledger *ledger;
    struct berth_conflict_book book;
    struct berth_conflict_watch *watch;
    unsigned feed; /* takes claims of any kind; nothing lingers */
    uint64_t now_ms;
    const char *holder; /* of the leases */
    bool has_leases;
    unsigned openings;
    unsigned ends;
} fixture;

static struct berth_error err;

/* ---- the fixture ---- */

static void on_change(void *ctx, const struct berth_change *change)
{
    (void)ctx;
    if (fixture.watch != NULL) {
        berth_conflict_watch_note(fixture.watch, change, fixture.now_ms);
    }
}

static void on_opened(void *ctx, const struct berth_conflict_entry *entry)
{
    (void)ctx;
    (void)entry;
    fixture.openings++;
}

static void on_closed(void *ctx, const struct berth_conflict_entry *entry, int64_t unix_ms)
{
    (void)ctx;
    (void)entry;
    (void)unix_ms;
    fixture.ends++;
}

static bool give_lease(void *ctx, uint16_t port, struct berth_conflict_lease *out)
{
    (void)ctx;
    (void)port;
    *out = (struct berth_conflict_lease){"0123456789abcdef", fixture.holder, BERTH_PROTOCOL_NONE};
    return fixture.has_leases;
}

static enum berth_code make_watch(void)
{
    const struct berth_conflict_watch_options options = {fixture.ledger, &fixture.book, give_lease,
                                                         NULL};

    return berth_conflict_watch_create(&fixture.watch, &options, fixture.now_ms, &err);
}

static int set_up(void **state)
{
    const struct berth_ledger_observer observer = {on_change, NULL};
    const struct berth_conflict_observer told = {on_opened, on_closed, NULL};
    const struct berth_feed_options feed = {BERTH_SOURCE_TCP, "all", 0};

    (void)state;
    memset(&fixture, 0, sizeof fixture);
    fixture.now_ms = START_MS;
    berth_conflict_book_init(&fixture.book, DEBOUNCE_MS, &told);
    if (berth_ledger_create(&fixture.ledger, &observer, 1, &err) != BERTH_OK ||
        berth_ledger_add_feed(fixture.ledger, &feed, &fixture.feed, &err) != BERTH_OK ||
        make_watch() != BERTH_OK) {
        return -1;
    }
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    berth_conflict_watch_destroy(fixture.watch);
    berth_conflict_book_fini(&fixture.book);
    berth_ledger_destroy(fixture.ledger);
    return 0;
}

static enum berth_code work(unsigned ports)
{
    return berth_conflict_watch_work(fixture.watch, ports, fixture.now_ms, (int64_t)fixture.now_ms,
                                     &err);
}

static uint64_t due_ms(void)
{
    return berth_conflict_watch_due_ms(fixture.watch, fixture.now_ms);
}

/* Lets time pass and does all that is due. */
static void pass(uint64_t ms)
{
    fixture.now_ms += ms;
    while (due_ms() <= fixture.now_ms) {
        assert_ok(work(ALL_PORTS), &err);
    }
}

/* Waits until it is known where nothing listens. */
static void settle(void)
{
    pass(SETTLED_MS - fixture.now_ms);
}

static void put(const struct berth_claim *claim)
{
    assert_ok(berth_ledger_put(fixture.ledger, fixture.feed, claim, &err), &err);
}

static void take(const struct berth_claim *claim)
{
    assert_true(berth_ledger_take(fixture.ledger, fixture.feed, claim));
}

static struct berth_claim binding(uint16_t port, const char *site)
{
    struct berth_claim claim = berth_claim_make(port, BERTH_CLAIM_BINDING);

    claim.protocol = BERTH_PROTOCOL_HTTP;
    claim.holder = site;
    return claim;
}

static struct berth_claim listener(uint16_t port, const char *image, uint32_t pid)
{
    struct berth_claim claim = berth_claim_make(port, BERTH_CLAIM_LISTENER);

    claim.protocol = BERTH_PROTOCOL_TCP;
    claim.holder = image;
    claim.process_id = pid;
    return claim;
}

static void put_duplicates(uint16_t port)
{
    const struct berth_claim first = binding(port, "Shop");
    const struct berth_claim second = binding(port, "Blog");

    put(&first);
    put(&second);
}

/* ---- changes ---- */

static void work__change__reaches_the_book(void **state)
{
    const struct berth_claim second = binding(80, "Blog");

    (void)state;
    pass(0);
    put_duplicates(80);
    assert_true(berth_conflict_watch_is_waiting(fixture.watch, 80));
    assert_int_equal(due_ms(), fixture.now_ms);
    pass(0);
    assert_false(berth_conflict_watch_is_waiting(fixture.watch, 80));
    assert_int_equal(fixture.book.count, 1);
    assert_int_equal(due_ms(), fixture.now_ms + DEBOUNCE_MS);
    pass(DEBOUNCE_MS);
    assert_int_equal(fixture.openings, 1);
    take(&second);
    pass(0);
    assert_int_equal(fixture.ends, 1);
    assert_int_equal(fixture.book.count, 0);
}

static void work__bounded__goes_on_where_it_was(void **state)
{
    (void)state;
    pass(0);
    for (uint16_t port = 65530; port >= 65500; port = (uint16_t)(port - 10)) {
        put_duplicates(port);
    }
    assert_ok(work(2), &err);
    assert_int_equal(fixture.book.count, 2);
    assert_true(berth_conflict_watch_is_waiting(fixture.watch, 65520));
    /* a change below does not keep those above waiting */
    put_duplicates(10);
    assert_ok(work(2), &err);
    assert_int_equal(fixture.book.count, 4);
    assert_true(berth_conflict_watch_is_waiting(fixture.watch, 10));
    assert_ok(work(2), &err);
    assert_int_equal(fixture.book.count, 5);
}

static void work__nothing_allowed__does_nothing(void **state)
{
    (void)state;
    assert_ok(work(0), &err);
    assert_true(berth_conflict_watch_is_waiting(fixture.watch, 1));
}

static void work__lowest_and_highest_port__are_looked_at(void **state)
{
    (void)state;
    put_duplicates(1);
    put_duplicates(65535);
    pass(0);
    assert_int_equal(fixture.book.count, 2);
}

static void work__ports_with_very_many_claims__takes_several_calls(void **state)
{
    static struct berth_claim claims[BERTH_CONFLICT_WORK_CLAIMS + 2];
    static char hosts[BERTH_CONFLICT_WORK_CLAIMS + 2][8];

    (void)state;
    pass(0);
    for (size_t i = 0; i < BERTH_COUNT(claims); i++) {
        (void)snprintf(hosts[i], sizeof hosts[i], "%zu", i);
        claims[i] = binding(i < BERTH_CONFLICT_WORK_CLAIMS ? 80 : 81, "Shop");
        claims[i].host = hosts[i];
    }
    assert_ok(berth_ledger_apply(fixture.ledger, fixture.feed, claims, BERTH_COUNT(claims),
                                 fixture.now_ms, &err),
              &err);
    assert_ok(work(ALL_PORTS), &err);
    assert_false(berth_conflict_watch_is_waiting(fixture.watch, 80));
    assert_true(berth_conflict_watch_is_waiting(fixture.watch, 81));
    assert_ok(work(ALL_PORTS), &err);
    assert_false(berth_conflict_watch_is_waiting(fixture.watch, 81));
}

static void work__more_conflicts_than_fit__come_in_when_there_is_room(void **state)
{
    static struct berth_claim claims[2 * (BERTH_CONFLICTS_MAX + 1)];

    (void)state;
    berth_conflict_book_set_debounce(&fixture.book, 0);
    for (size_t i = 0; i < BERTH_COUNT(claims); i++) {
        claims[i] = binding((uint16_t)(1000 + i / 2), i % 2 != 0 ? "Shop" : "Blog");
    }
    assert_ok(berth_ledger_apply(fixture.ledger, fixture.feed, claims, BERTH_COUNT(claims),
                                 fixture.now_ms, &err),
              &err);
    pass(0);
    assert_int_equal(fixture.book.count, BERTH_CONFLICTS_MAX);
    assert_true(berth_port_set_has(&fixture.book.crowded, 1000 + BERTH_CONFLICTS_MAX));
    take(&claims[0]);
    pass(0);
    assert_int_equal(fixture.book.count, BERTH_CONFLICTS_MAX);
    assert_int_equal(fixture.openings, BERTH_CONFLICTS_MAX + 1);
    assert_false(berth_port_set_has(&fixture.book.crowded, 1000 + BERTH_CONFLICTS_MAX));
}

static void due__nothing_to_do__is_never(void **state)
{
    (void)state;
    pass(0);
    assert_int_equal(due_ms(), SETTLED_MS);
    settle();
    assert_true(due_ms() == BERTH_NEVER);
}

static void due__long_past__is_now(void **state)
{
    (void)state;
    pass(0);
    fixture.now_ms = SETTLED_MS + 12345;
    assert_int_equal(due_ms(), SETTLED_MS + 12345);
}

/* ---- facts and leases ---- */

static void set_facts__http_sys_appears__judges_listeners_by_it(void **state)
{
    const struct berth_claim site = binding(80, "Shop");
    const struct berth_claim server = listener(80, "System", 4);
    struct berth_conflict_facts facts = {.http_sys = true};

    (void)state;
    put(&site);
    put(&server);
    pass(0);
    assert_int_equal(fixture.book.count, 1);
    assert_ok(berth_conflict_watch_set_facts(fixture.watch, &facts, &err), &err);
    pass(0);
    assert_int_equal(fixture.book.count, 0);
    /* the same again is no news */
    assert_ok(berth_conflict_watch_set_facts(fixture.watch, &facts, &err), &err);
    assert_false(berth_conflict_watch_is_waiting(fixture.watch, 80));
}

static void set_facts__listen_list__is_copied(void **state)
{
    const struct berth_claim site = binding(80, "Shop");
    struct berth_claim intruder = listener(80, "java", 12);
    struct berth_address list[2] = {{.family = BERTH_FAMILY_IPV4}, {.family = BERTH_FAMILY_IPV4}};
    struct berth_conflict_facts facts = {true, list, 2};

    (void)state;
    list[0].bytes[0] = 10;
    list[1].bytes[0] = 11;
    intruder.address.family = BERTH_FAMILY_IPV4;
    intruder.address.bytes[0] = 11;
    put(&site);
    put(&intruder);
    assert_ok(berth_conflict_watch_set_facts(fixture.watch, &facts, &err), &err);
    list[1].bytes[0] = 12;
    pass(0);
    assert_int_equal(fixture.book.count, 1);
    assert_ok(berth_conflict_watch_set_facts(fixture.watch, &facts, &err), &err);
    pass(0);
    assert_int_equal(fixture.book.count, 0);
}

static void mark__lease_gets_another_holder__is_looked_at_again(void **state)
{
    const struct berth_claim site = binding(80, "Shop");
    struct berth_claim lease = berth_claim_make(80, BERTH_CLAIM_LEASE);

    (void)state;
    fixture.has_leases = true;
    fixture.holder = "site:shop";
    lease.holder = "key";
    put(&site);
    put(&lease);
    pass(0);
    assert_int_equal(fixture.book.count, 0);
    fixture.holder = "site:Blog";
    berth_conflict_watch_mark(fixture.watch, 80);
    pass(0);
    assert_int_equal(fixture.book.count, 1);
    fixture.has_leases = false;
    berth_conflict_watch_mark(fixture.watch, 80);
    pass(0);
    assert_int_equal(fixture.book.count, 0);
}

/* ---- what listened lately ---- */

/* Puts a leased port with a connection on it. */
static void put_connection(uint16_t port)
{
    struct berth_claim lease = berth_claim_make(port, BERTH_CLAIM_LEASE);
    const struct berth_claim connection = berth_claim_make(port, BERTH_CLAIM_CONNECTION);

    fixture.has_leases = true;
    lease.holder = "key";
    put(&lease);
    put(&connection);
}

static void work__connection_in_the_first_minutes__is_no_conflict_before_they_are_over(void **state)
{
    (void)state;
    put_connection(80);
    pass(BERTH_LISTENED_LATELY_MS - 1);
    assert_int_equal(fixture.book.count, 0);
    assert_int_equal(due_ms(), SETTLED_MS);
    pass(1);
    assert_int_equal(fixture.book.count, 1);
    pass(DEBOUNCE_MS);
    assert_int_equal(fixture.openings, 1);
}

static void work__connection_after_a_listener__is_none_for_five_minutes(void **state)
{
    const struct berth_claim server = listener(80, "System", 4);
    const struct berth_conflict_facts facts = {.http_sys = true};

    (void)state;
    assert_ok(berth_conflict_watch_set_facts(fixture.watch, &facts, &err), &err);
    settle();
    put_connection(80);
    put(&server);
    pass(0);
    assert_int_equal(fixture.book.count, 0);
    pass(3600000);
    take(&server);
    pass(0);
    assert_int_equal(fixture.book.count, 0);
    pass(BERTH_LISTENED_LATELY_MS - 1);
    assert_int_equal(fixture.book.count, 0);
    assert_true(due_ms() <= fixture.now_ms + 1001);
    pass(1001);
    assert_int_equal(fixture.book.count, 1);
}

static void work__listener_comes_back_and_goes__counts_from_the_last_time(void **state)
{
    const struct berth_claim server = listener(65535, "System", 4);
    const struct berth_conflict_facts facts = {.http_sys = true};

    (void)state;
    assert_ok(berth_conflict_watch_set_facts(fixture.watch, &facts, &err), &err);
    settle();
    put_connection(65535);
    put(&server);
    take(&server);
    pass(200000);
    put(&server);
    pass(10);
    take(&server);
    pass(200000);
    assert_int_equal(fixture.book.count, 0);
    pass(BERTH_LISTENED_LATELY_MS);
    assert_int_equal(fixture.book.count, 1);
}

/* ---- memory ---- */

static void create__no_memory__is_an_error(void **state)
{
    struct berth_conflict_watch *watch = NULL;
    const struct berth_conflict_watch_options options = {fixture.ledger, &fixture.book, NULL, NULL};
    size_t live;

    (void)state;
    memory_faults_begin(1, false);
    assert_code(berth_conflict_watch_create(&watch, &options, 1, &err), BERTH_NO_MEMORY);
    assert_true(memory_faults_end(&live));
    assert_null(watch);
    assert_int_equal(live, 0);
    berth_conflict_watch_destroy(NULL);
}

static void set_facts__no_memory__keeps_the_old_ones(void **state)
{
    const struct berth_conflict_facts facts = {.http_sys = true};
    size_t live;

    (void)state;
    pass(0);
    memory_faults_begin(1, false);
    assert_code(berth_conflict_watch_set_facts(fixture.watch, &facts, &err), BERTH_NO_MEMORY);
    assert_true(memory_faults_end(&live));
    assert_false(berth_conflict_watch_is_waiting(fixture.watch, 80));
    assert_ok(berth_conflict_watch_set_facts(fixture.watch, &facts, &err), &err);
    assert_true(berth_conflict_watch_is_waiting(fixture.watch, 80));
}

/* Three ports with conflicts; each allocation of the work on them fails in turn. */
static bool work_with_failure(size_t fail_at, bool for_ever)
{
    size_t live;
    enum berth_code code;

    put_duplicates(80);
    put_duplicates(81);
    put_duplicates(82);
    memory_faults_begin(fail_at, for_ever);
    code = work(ALL_PORTS);
    bool failed = memory_faults_end(&live);
    assert_code(code, failed ? BERTH_NO_MEMORY : BERTH_OK);
    if (failed) {
        assert_int_equal(due_ms(), fixture.now_ms);
        assert_true(fixture.book.count < 3);
    }
    pass(0);
    assert_int_equal(fixture.book.count, 3);
    return failed;
}

static void work__no_memory__leaves_the_port_waiting(void **state)
{
    size_t failures = 0;
    bool failed = true;

    for (; failed; failures++) {
        failed = work_with_failure(failures + 1, false);
        (void)tear_down(state);
        assert_int_equal(set_up(state), 0);
        failed = work_with_failure(failures + 1, true) || failed;
        (void)tear_down(state);
        assert_int_equal(set_up(state), 0);
    }
    assert_true(failures > 15);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(work__change__reaches_the_book),
        TEST(work__bounded__goes_on_where_it_was),
        TEST(work__nothing_allowed__does_nothing),
        TEST(work__lowest_and_highest_port__are_looked_at),
        TEST(work__ports_with_very_many_claims__takes_several_calls),
        TEST(work__more_conflicts_than_fit__come_in_when_there_is_room),
        TEST(due__nothing_to_do__is_never),
        TEST(due__long_past__is_now),
        TEST(set_facts__http_sys_appears__judges_listeners_by_it),
        TEST(set_facts__listen_list__is_copied),
        TEST(mark__lease_gets_another_holder__is_looked_at_again),
        TEST(work__connection_in_the_first_minutes__is_no_conflict_before_they_are_over),
        TEST(work__connection_after_a_listener__is_none_for_five_minutes),
        TEST(work__listener_comes_back_and_goes__counts_from_the_last_time),
        TEST(create__no_memory__is_an_error),
        TEST(set_facts__no_memory__keeps_the_old_ones),
        TEST(work__no_memory__leaves_the_port_waiting),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
