/* SPDX-License-Identifier: MIT */
/* Tests of allocator/conflict_book: debounce, openings and ends told once, what is kept of a
 * conflict, the ceiling, walks, and memory that runs out at each step. */
#include "cmocka_all.h"

#include "allocator/conflict_book.h"
#include "allocator/ledger.h"
#include "base/memory.h"
#include "memory_faults.h"

#include <stdarg.h>
#include <stdio.h>

#define DEBOUNCE_MS 2000

static struct berth_conflict_book book;
static struct berth_error err;
static char told[4096];

/* ---- conflicts ---- */

static struct berth_claim sites[2];

/* Makes a conflict of two sites' bindings with an id of its own. */
static struct berth_conflict conflict(uint16_t port, berth_conflict_id id)
{
    for (unsigned i = 0; i < 2; i++) {
        sites[i] = berth_claim_make(port, BERTH_CLAIM_BINDING);
        sites[i].protocol = BERTH_PROTOCOL_HTTP;
        sites[i].holder = i == 0 ? "Shop" : "Blog";
        sites[i].detail = "http *:80:";
    }
    return (struct berth_conflict){.id = id,
                                   .kind = BERTH_CONFLICT_DUPLICATE_BINDING,
                                   .severity = BERTH_CONFLICT_ERROR,
                                   .port = port,
                                   .claim_count = 2,
                                   .claims = {&sites[0], &sites[1]}};
}

/* ---- what is told ---- */

BERTH_PRINTF(1, 2)
static void tell(const char *format, ...)
{
    size_t used = strlen(told);
    va_list args;

    va_start(args, format);
    (void)vsnprintf(told + used, sizeof told - used, format, args);
    va_end(args);
}

static void on_opened(void *ctx, const struct berth_conflict_entry *entry)
{
    assert_ptr_equal(ctx, &book);
    assert_true(entry->open);
    tell("+%u/%llu@%lld ", entry->conflict.port, (unsigned long long)entry->conflict.id,
         (long long)entry->opened_unix_ms);
    /* it is in the book when it is told */
    assert_ptr_equal(berth_conflict_book_find(&book, entry->conflict.port, entry->conflict.id),
                     entry);
}

static void on_closed(void *ctx, const struct berth_conflict_entry *entry, int64_t unix_ms)
{
    assert_ptr_equal(ctx, &book);
    tell("-%u/%llu@%lld ", entry->conflict.port, (unsigned long long)entry->conflict.id,
         (long long)unix_ms);
    /* it is out of the book, and can be read */
    assert_null(berth_conflict_book_find(&book, entry->conflict.port, entry->conflict.id));
    assert_true(strlen(entry->text) > 0);
}

static void assert_told(const char *expected)
{
    assert_string_equal(told, expected);
    told[0] = '\0';
}

static void make_book(uint64_t debounce_ms)
{
    const struct berth_conflict_observer observer = {on_opened, on_closed, &book};

    told[0] = '\0';
    berth_conflict_book_init(&book, debounce_ms, &observer);
}

static int set_up(void **state)
{
    (void)state;
    make_book(DEBOUNCE_MS);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    berth_conflict_book_fini(&book);
    return 0;
}

/* Updates a port with conflicts of some ids, up to the first 0. The clocks agree. */
static void update(uint16_t port, uint64_t now_ms, berth_conflict_id a, berth_conflict_id b,
                   berth_conflict_id c)
{
    const berth_conflict_id ids[] = {a, b, c};
    struct berth_conflict found[3];
    size_t count = 0;

    for (size_t i = 0; i < 3 && ids[i] != 0; i++) {
        found[count++] = conflict(port, ids[i]);
    }
    assert_ok(berth_conflict_book_update(&book, port, found, count, now_ms, (int64_t)now_ms, &err),
              &err);
}

static uint64_t tick(uint64_t now_ms)
{
    return berth_conflict_book_tick(&book, now_ms, (int64_t)now_ms);
}

static void assert_open(const char *expected)
{
    struct berth_conflict_walk walk = berth_conflict_book_all(&book);
    const struct berth_conflict_entry *entry;
    char text[256] = "";
    size_t used = 0;
    size_t count = 0;

    while ((entry = berth_conflict_next(&walk)) != NULL) {
        used += (size_t)snprintf(text + used, sizeof text - used, "%u/%llu ", entry->conflict.port,
                                 (unsigned long long)entry->conflict.id);
        count++;
    }
    assert_string_equal(text, expected);
    assert_int_equal(book.open_count, count);
}

/* ---- opening ---- */

static void tick__before_the_debounce__tells_nothing(void **state)
{
    (void)state;
    update(80, 1000, 7, 0, 0);
    assert_told("");
    assert_int_equal(tick(1000), 3000);
    assert_int_equal(tick(2999), 3000);
    assert_told("");
    assert_open("");
    assert_int_equal(book.count, 1);
}

static void tick__after_the_debounce__tells_once(void **state)
{
    (void)state;
    update(80, 1000, 7, 0, 0);
    assert_true(tick(3000) == BERTH_NEVER);
    assert_told("+80/7@3000 ");
    assert_true(tick(9000) == BERTH_NEVER);
    update(80, 9000, 7, 0, 0);
    assert_told("");
    assert_open("80/7 ");
}

static void update__found_again_after_the_debounce__tells_without_a_tick(void **state)
{
    (void)state;
    update(80, 1000, 7, 0, 0);
    update(80, 3500, 7, 0, 0);
    assert_told("+80/7@3500 ");
}

static void update__gone_before_the_debounce__is_never_told(void **state)
{
    (void)state;
    update(80, 1000, 7, 0, 0);
    update(80, 2999, 0, 0, 0);
    assert_true(tick(5000) == BERTH_NEVER);
    assert_told("");
    assert_int_equal(book.count, 0);
}

static void update__gone_and_back__waits_the_whole_time_again(void **state)
{
    (void)state;
    update(80, 1000, 7, 0, 0);
    update(80, 2500, 0, 0, 0);
    update(80, 2600, 7, 0, 0);
    assert_int_equal(tick(4000), 4600);
    assert_told("");
    (void)tick(4600);
    assert_told("+80/7@4600 ");
}

static void update__no_debounce__tells_at_once(void **state)
{
    (void)state;
    berth_conflict_book_set_debounce(&book, 0);
    update(80, 1000, 7, 0, 0);
    assert_told("+80/7@1000 ");
}

static void set_debounce__shorter__opens_what_is_pending(void **state)
{
    (void)state;
    update(80, 1000, 7, 0, 0);
    assert_int_equal(tick(1500), 3000);
    berth_conflict_book_set_debounce(&book, 600);
    assert_int_equal(tick(1500), 1600);
    (void)tick(1600);
    assert_told("+80/7@1600 ");
    berth_conflict_book_set_debounce(&book, 5000);
    assert_true(tick(1700) == BERTH_NEVER);
    assert_open("80/7 ");
}

static void set_debounce__longest_there_is__never_opens(void **state)
{
    (void)state;
    berth_conflict_book_set_debounce(&book, BERTH_NEVER);
    update(80, 1000, 7, 0, 0);
    assert_true(tick(UINT64_MAX - 1) == BERTH_NEVER);
    assert_told("");
}

/* ---- closing ---- */

static void update__gone__tells_the_end_at_once_and_once(void **state)
{
    (void)state;
    update(80, 1000, 7, 8, 0);
    (void)tick(3000);
    assert_told("+80/7@3000 +80/8@3000 ");
    update(80, 4000, 8, 0, 0);
    assert_told("-80/7@4000 ");
    update(80, 5000, 8, 0, 0);
    assert_told("");
    update(80, 6000, 0, 0, 0);
    update(80, 7000, 0, 0, 0);
    assert_told("-80/8@6000 ");
    assert_open("");
    assert_int_equal(book.count, 0);
    assert_int_equal(book.shelf_count, 0);
}

static void update__one_ends_and_one_opens__tells_the_end_first(void **state)
{
    (void)state;
    berth_conflict_book_set_debounce(&book, 0);
    update(80, 1000, 8, 0, 0);
    update(80, 2000, 7, 9, 0);
    assert_told("+80/8@1000 -80/8@2000 +80/7@2000 +80/9@2000 ");
}

static void update__another_port__is_another_matter(void **state)
{
    (void)state;
    berth_conflict_book_set_debounce(&book, 0);
    update(443, 1000, 7, 0, 0);
    update(80, 1000, 7, 0, 0);
    update(8080, 1000, 7, 0, 0);
    assert_open("80/7 443/7 8080/7 ");
    update(443, 2000, 0, 0, 0);
    assert_open("80/7 8080/7 ");
    assert_told("+443/7@1000 +80/7@1000 +8080/7@1000 -443/7@2000 ");
}

static void fini__open_ones__are_not_told(void **state)
{
    (void)state;
    berth_conflict_book_set_debounce(&book, 0);
    update(80, 1000, 7, 0, 0);
    assert_told("+80/7@1000 ");
    berth_conflict_book_fini(&book);
    assert_told("");
    assert_int_equal(book.count, 0);
    assert_open("");
}

/* ---- what is kept ---- */

static const struct berth_conflict_entry *only_entry(void)
{
    struct berth_conflict_walk walk = berth_conflict_book_all(&book);
    const struct berth_conflict_entry *entry = berth_conflict_next(&walk);

    assert_non_null(entry);
    assert_null(berth_conflict_next(&walk));
    return entry;
}

static void update__claims_go_away__keeps_copies(void **state)
{
    struct berth_conflict found = conflict(80, 7);
    char name[] = "Shop";

    (void)state;
    sites[0].holder = name;
    sites[0].host = NULL;
    berth_conflict_book_set_debounce(&book, 0);
    assert_ok(berth_conflict_book_update(&book, 80, &found, 1, 1, 1, &err), &err);
    name[0] = 'X';
    memset(sites, 0xAA, sizeof sites);
    const struct berth_conflict_entry *entry = only_entry();
    assert_ptr_equal(entry->conflict.claims[0], &entry->claims[0]);
    assert_string_equal(entry->conflict.claims[0]->holder, "Shop");
    assert_string_equal(entry->conflict.claims[1]->holder, "Blog");
    assert_null(entry->conflict.claims[0]->host);
    assert_string_equal(entry->conflict.claims[1]->detail, "http *:80:");
    assert_string_equal(entry->text,
                        "Sites Shop and Blog both bind http *:80: (IIS starts only one of them).");
}

static void update__other_severity_and_text__is_the_same_conflict(void **state)
{
    struct berth_conflict found = conflict(80, 7);

    (void)state;
    update(80, 1000, 7, 0, 0);
    (void)tick(3000);
    found.severity = BERTH_CONFLICT_WARNING;
    sites[1].flags |= BERTH_CLAIM_STOPPED;
    assert_ok(berth_conflict_book_update(&book, 80, &found, 1, 4000, 4000, &err), &err);
    assert_told("+80/7@3000 ");
    const struct berth_conflict_entry *entry = only_entry();
    assert_int_equal(entry->conflict.severity, BERTH_CONFLICT_WARNING);
    assert_int_equal(entry->opened_unix_ms, 3000);
    assert_int_equal(entry->since_ms, 1000);
    assert_non_null(strstr(entry->text, "Blog does not start by itself"));
}

static void update__changes_while_pending__does_not_start_the_debounce_again(void **state)
{
    struct berth_conflict found = conflict(80, 7);

    (void)state;
    update(80, 1000, 7, 0, 0);
    found.severity = BERTH_CONFLICT_WARNING;
    assert_ok(berth_conflict_book_update(&book, 80, &found, 1, 2000, 2000, &err), &err);
    assert_int_equal(tick(2500), 3000);
    (void)tick(3000);
    assert_told("+80/7@3000 ");
}

static void update__unchanged__keeps_the_entry(void **state)
{
    (void)state;
    berth_conflict_book_set_debounce(&book, 0);
    update(80, 1000, 7, 0, 0);
    const struct berth_conflict_entry *before = only_entry();
    update(80, 2000, 7, 0, 0);
    assert_ptr_equal(only_entry(), before);
}

static void update__sentence_too_long__is_cut(void **state)
{
    static char name[BERTH_CONFLICT_TEXT_MAX * 2];
    struct berth_conflict found = conflict(80, 7);

    (void)state;
    memset(name, 'x', sizeof name - 1);
    sites[1].detail = NULL;
    sites[0].detail = name;
    berth_conflict_book_set_debounce(&book, 0);
    assert_ok(berth_conflict_book_update(&book, 80, &found, 1, 1, 1, &err), &err);
    assert_true(strlen(only_entry()->text) <= BERTH_CONFLICT_TEXT_MAX);
}

/* ---- walks ---- */

static void walk__some_pending__gives_the_open_ones(void **state)
{
    (void)state;
    update(80, 1000, 7, 0, 0);
    update(443, 1000, 3, 4, 0);
    (void)tick(3000);
    update(80, 3500, 6, 7, 8);
    update(90, 3500, 1, 0, 0);
    assert_open("80/7 443/3 443/4 ");
    struct berth_conflict_walk walk = berth_conflict_book_at(&book, 443);
    assert_int_equal(berth_conflict_next(&walk)->conflict.id, 3);
    assert_int_equal(berth_conflict_next(&walk)->conflict.id, 4);
    assert_null(berth_conflict_next(&walk));
    walk = berth_conflict_book_at(&book, 90);
    assert_null(berth_conflict_next(&walk));
    walk = berth_conflict_book_at(&book, 100);
    assert_null(berth_conflict_next(&walk));
}

static void find__pending_or_unknown__finds_none(void **state)
{
    (void)state;
    update(80, 1000, 7, 0, 0);
    assert_null(berth_conflict_book_find(&book, 80, 7));
    (void)tick(3000);
    assert_non_null(berth_conflict_book_find(&book, 80, 7));
    assert_null(berth_conflict_book_find(&book, 80, 8));
    assert_null(berth_conflict_book_find(&book, 81, 7));
}

/* ---- the ceiling ---- */

#define MORE 10

static struct berth_conflict many[BERTH_CONFLICTS_MAX + MORE];

/* Updates a port with `count` conflicts, every fourth one an error. */
static void update_many(uint16_t port, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        many[i] = conflict(port, i + 1);
        many[i].severity = i % 4 == 3 ? BERTH_CONFLICT_ERROR : BERTH_CONFLICT_WARNING;
    }
    assert_ok(berth_conflict_book_update(&book, port, many, count, 1000, 1000, &err), &err);
}

static size_t count_at(uint16_t port, enum berth_conflict_severity severity)
{
    struct berth_conflict_walk walk = berth_conflict_book_at(&book, port);
    const struct berth_conflict_entry *entry;
    size_t count = 0;

    while ((entry = berth_conflict_next(&walk)) != NULL) {
        count += entry->conflict.severity == severity ? 1 : 0;
    }
    return count;
}

static void update__more_than_fit__keeps_errors_and_marks_the_port(void **state)
{
    (void)state;
    book.observer.opened = NULL;
    book.observer.closed = NULL;
    berth_conflict_book_set_debounce(&book, 0);
    update_many(80, BERTH_CONFLICTS_MAX - 4);
    assert_false(berth_port_set_has(&book.crowded, 80));
    update_many(90, 12);
    assert_int_equal(book.count, BERTH_CONFLICTS_MAX);
    assert_true(berth_port_set_has(&book.crowded, 90));
    assert_int_equal(count_at(90, BERTH_CONFLICT_ERROR), 3);
    assert_int_equal(count_at(90, BERTH_CONFLICT_WARNING), 1);
    update_many(91, 4);
    assert_int_equal(book.count, BERTH_CONFLICTS_MAX);
    assert_true(berth_port_set_has(&book.crowded, 91));
    assert_int_equal(count_at(91, BERTH_CONFLICT_ERROR), 0);
    /* what is in stays in */
    update_many(90, 12);
    assert_int_equal(count_at(90, BERTH_CONFLICT_ERROR), 3);
    /* and there is room again when some went */
    update_many(80, 4);
    update_many(90, 12);
    update_many(91, 4);
    assert_int_equal(book.count, 20);
    assert_false(berth_port_set_has(&book.crowded, 90));
    assert_false(berth_port_set_has(&book.crowded, 91));
}

static void update__one_port_with_more_than_fit__keeps_as_many_as_fit(void **state)
{
    (void)state;
    update_many(80, BERTH_CONFLICTS_MAX + MORE);
    assert_int_equal(book.count, BERTH_CONFLICTS_MAX);
    assert_true(berth_port_set_has(&book.crowded, 80));
    update_many(80, 0);
    assert_int_equal(book.count, 0);
    assert_false(berth_port_set_has(&book.crowded, 80));
    update_many(80, 3);
    assert_false(berth_port_set_has(&book.crowded, 80));
}

static void update__crowded_port_without_conflicts__is_crowded_no_more(void **state)
{
    (void)state;
    update_many(80, BERTH_CONFLICTS_MAX);
    update(90, 1000, 1, 0, 0);
    assert_true(berth_port_set_has(&book.crowded, 90));
    update(90, 1000, 0, 0, 0);
    assert_false(berth_port_set_has(&book.crowded, 90));
}

/* ---- memory ---- */

/* Ends two conflicts, changes one, adds two, on a port that has three; and one on a new port. */
static enum berth_code change_much(void)
{
    struct berth_conflict found[3];
    enum berth_code code;

    found[0] = conflict(80, 2);
    found[0].severity = BERTH_CONFLICT_WARNING;
    found[1] = conflict(80, 4);
    found[2] = conflict(80, 5);
    code = berth_conflict_book_update(&book, 80, found, 3, 5000, 5000, &err);
    if (code == BERTH_OK) {
        found[0].port = 90;
        code = berth_conflict_book_update(&book, 90, found, 1, 5000, 5000, &err);
    }
    return code;
}

static void update__no_memory__changes_nothing_and_tells_nothing(void **state)
{
    bool failed = true;
    size_t live;
    size_t failures = 0;

    (void)state;
    for (; failed; failures++) {
        make_book(0);
        memory_faults_begin(0, false);
        update(80, 1000, 1, 2, 3);
        told[0] = '\0';
        (void)memory_faults_end(&live);
        memory_faults_begin(failures + 1, failures % 2 == 1);
        enum berth_code code = change_much();
        failed = memory_faults_end(&live);
        assert_code(code, failed ? BERTH_NO_MEMORY : BERTH_OK);
        if (failed && told[0] == '\0') {
            assert_open("80/1 80/2 80/3 ");
            assert_int_equal(berth_conflict_book_find(&book, 80, 2)->conflict.severity,
                             BERTH_CONFLICT_ERROR);
        } else {
            assert_true(strncmp(told, "-80/1@5000 -80/3@5000 +80/4@5000 +80/5@5000 ", 44) == 0);
        }
        /* the rest of it can be done later */
        assert_code(change_much(), BERTH_OK);
        assert_open("80/2 80/4 80/5 90/2 ");
        berth_conflict_book_fini(&book);
    }
    assert_true(failures > 6);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(tick__before_the_debounce__tells_nothing),
        TEST(tick__after_the_debounce__tells_once),
        TEST(update__found_again_after_the_debounce__tells_without_a_tick),
        TEST(update__gone_before_the_debounce__is_never_told),
        TEST(update__gone_and_back__waits_the_whole_time_again),
        TEST(update__no_debounce__tells_at_once),
        TEST(set_debounce__shorter__opens_what_is_pending),
        TEST(set_debounce__longest_there_is__never_opens),
        TEST(update__gone__tells_the_end_at_once_and_once),
        TEST(update__one_ends_and_one_opens__tells_the_end_first),
        TEST(update__another_port__is_another_matter),
        TEST(fini__open_ones__are_not_told),
        TEST(update__claims_go_away__keeps_copies),
        TEST(update__other_severity_and_text__is_the_same_conflict),
        TEST(update__changes_while_pending__does_not_start_the_debounce_again),
        TEST(update__unchanged__keeps_the_entry),
        TEST(update__sentence_too_long__is_cut),
        TEST(walk__some_pending__gives_the_open_ones),
        TEST(find__pending_or_unknown__finds_none),
        TEST(update__more_than_fit__keeps_errors_and_marks_the_port),
        TEST(update__one_port_with_more_than_fit__keeps_as_many_as_fit),
        TEST(update__crowded_port_without_conflicts__is_crowded_no_more),
        TEST(update__no_memory__changes_nothing_and_tells_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
