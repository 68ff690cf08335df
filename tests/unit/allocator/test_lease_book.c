/* SPDX-License-Identifier: MIT */
/* Tests of allocator/lease_book: finding, owners, expiry, allocations that fail. */
#include "cmocka_all.h"

#include "allocator/lease_book.h"
#include "memory_faults.h"

#include <stdio.h>

static struct berth_lease_book book;
static struct berth_error err;
static const uint16_t two_ports[] = {5000, 5001};

static int set_up(void **state)
{
    (void)state;
    berth_lease_book_init(&book, 77);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    berth_lease_book_fini(&book);
    return 0;
}

static struct berth_lease_terms terms_of(const char *key, const char *generation)
{
    return (struct berth_lease_terms){.key = key,
                                      .generation = generation,
                                      .protocol = BERTH_PROTOCOL_HTTPS,
                                      .owner = {.id = "uid:1000", .name = "deploy"},
                                      .ports = two_ports,
                                      .port_count = 2,
                                      .ttl_ms = 1000};
}

static struct berth_lease *add(const char *key, const char *generation, uint64_t id,
                               uint64_t now_ms)
{
    struct berth_lease_terms terms = terms_of(key, generation);
    struct berth_lease *lease = NULL;

    assert_ok(berth_lease_book_add(&book, &terms, id, now_ms, 1795398035000, &lease, &err), &err);
    return lease;
}

static void add__terms__are_copied(void **state)
{
    char key[] = "shop";
    char generation[] = "12";
    char holder[] = "site:Shop";
    char meta[] = "{\"a\":1}";
    struct berth_lease_terms terms = terms_of(key, generation);
    struct berth_lease *lease;

    (void)state;
    terms.holder = holder;
    terms.meta = meta;
    assert_ok(berth_lease_book_add(&book, &terms, 0xAB, 50, 9, &lease, &err), &err);
    key[0] = generation[0] = holder[0] = meta[0] = 'x';
    assert_string_equal(lease->id, "00000000000000ab");
    assert_string_equal(lease->key, "shop");
    assert_string_equal(lease->generation, "12");
    assert_string_equal(lease->holder, "site:Shop");
    assert_string_equal(lease->meta, "{\"a\":1}");
    assert_string_equal(lease->owner->id, "uid:1000");
    assert_string_equal(lease->owner->name, "deploy");
    assert_int_equal(lease->protocol, BERTH_PROTOCOL_HTTPS);
    assert_int_equal(lease->state, BERTH_LEASE_PENDING);
    assert_int_equal(lease->granted_unix_ms, 9);
    assert_int_equal(lease->ttl_ms, 1000);
    assert_int_equal(lease->ends_ms, 1050);
    assert_int_equal(lease->port_count, 2);
    assert_memory_equal(lease->ports, two_ports, sizeof two_ports);
}

static void add__no_holder_no_meta__are_null(void **state)
{
    (void)state;
    struct berth_lease *lease = add("shop", "", UINT64_MAX, 0);
    assert_null(lease->holder);
    assert_null(lease->meta);
    assert_string_equal(lease->generation, "");
    assert_string_equal(lease->id, "ffffffffffffffff");
}

static void add__id_taken__is_busy_and_changes_nothing(void **state)
{
    struct berth_lease_terms terms = terms_of("other", "");
    struct berth_lease *out = NULL;

    (void)state;
    (void)add("shop", "", 5, 0);
    assert_code(berth_lease_book_add(&book, &terms, 5, 0, 0, &out, &err), BERTH_BUSY);
    assert_null(out);
    assert_int_equal(book.live.count, 1);
    assert_int_equal(berth_lease_book_count_of(&book, "uid:1000"), 1);
    assert_null(berth_lease_book_find(&book, "other", ""));
}

static void add__too_many__is_refused(void **state)
{
    struct berth_lease_terms terms = terms_of("last", "");
    struct berth_lease *lease = NULL;
    char key[16];

    (void)state;
    for (unsigned i = 0; i < BERTH_LEASES_MAX; i++) {
        (void)snprintf(key, sizeof key, "k%u", i);
        (void)add(key, "", i, 0);
    }
    assert_int_equal(book.live.count, BERTH_LEASES_MAX);
    assert_code(berth_lease_book_add(&book, &terms, 1ULL << 40, 0, 0, &lease, &err),
                BERTH_LIMIT_REACHED);
    assert_null(lease);
    assert_ptr_equal(berth_lease_book_find(&book, "k65534", ""),
                     berth_lease_book_find_id(&book, "000000000000fffe"));
    assert_non_null(berth_lease_book_find(&book, "k65534", ""));
    berth_lease_book_remove(&book, book.live.first);
    assert_ok(berth_lease_book_add(&book, &terms, 1ULL << 40, 0, 0, &lease, &err), &err);
}

static void find__key_and_generation__both_count(void **state)
{
    (void)state;
    struct berth_lease *plain = add("ab", "c", 1, 0);
    struct berth_lease *shifted = add("a", "bc", 2, 0);
    struct berth_lease *none = add("abc", "", 3, 0);
    assert_ptr_equal(berth_lease_book_find(&book, "ab", "c"), plain);
    assert_ptr_equal(berth_lease_book_find(&book, "a", "bc"), shifted);
    assert_ptr_equal(berth_lease_book_find(&book, "abc", ""), none);
    assert_null(berth_lease_book_find(&book, "abc", "c"));
    assert_null(berth_lease_book_find(&book, "", "abc"));
    assert_null(berth_lease_book_find(&book, "AB", "c"));
    assert_ptr_equal(berth_lease_book_find_id(&book, "0000000000000002"), shifted);
    assert_null(berth_lease_book_find_id(&book, "2"));
    assert_null(berth_lease_book_find_id(&book, ""));
}

static void remove__any_of_three__keeps_the_others_in_order(void **state)
{
    (void)state;
    for (unsigned gone = 0; gone < 3; gone++) {
        struct berth_lease *leases[3] = {add("a", "", 1, 0), add("b", "", 2, 0),
                                         add("c", "", 3, 0)};
        struct berth_lease *first = leases[gone == 0 ? 1 : 0];
        struct berth_lease *last = leases[gone == 2 ? 1 : 2];
        berth_lease_book_remove(&book, leases[gone]);
        assert_int_equal(book.live.count, 2);
        assert_ptr_equal(book.live.first, first);
        assert_ptr_equal(book.live.last, last);
        assert_ptr_equal(first->next, last);
        assert_ptr_equal(last->previous, first);
        assert_null(first->previous);
        assert_null(last->next);
        berth_lease_book_remove(&book, first);
        berth_lease_book_remove(&book, last);
        assert_null(book.live.first);
        assert_null(book.live.last);
        assert_int_equal(book.owners.count, 0);
    }
}

static void owner__of_several_leases__is_one_and_goes_with_the_last(void **state)
{
    struct berth_lease_terms terms = terms_of("other", "");
    struct berth_lease *other;

    (void)state;
    terms.owner = (struct berth_owner){.id = "uid:2", .name = "two"};
    struct berth_lease *a = add("a", "", 1, 0);
    struct berth_lease *b = add("b", "", 2, 0);
    assert_ok(berth_lease_book_add(&book, &terms, 3, 0, 0, &other, &err), &err);
    assert_ptr_equal(a->owner, b->owner);
    assert_ptr_not_equal(a->owner, other->owner);
    assert_int_equal(berth_lease_book_count_of(&book, "uid:1000"), 2);
    assert_int_equal(berth_lease_book_count_of(&book, "uid:2"), 1);
    assert_int_equal(berth_lease_book_count_of(&book, "uid:3"), 0);
    berth_lease_book_remove(&book, a);
    assert_int_equal(berth_lease_book_count_of(&book, "uid:1000"), 1);
    berth_lease_book_remove(&book, b);
    assert_int_equal(berth_lease_book_count_of(&book, "uid:1000"), 0);
    assert_int_equal(book.owners.count, 1);
}

static void count_and_remove(void *ctx, struct berth_lease *lease)
{
    unsigned *ended = ctx;

    berth_lease_book_remove(&book, lease);
    (*ended)++;
}

/* Ends what is due and gives how many that were. */
static unsigned end_due(uint64_t now_ms)
{
    unsigned ended = 0;

    berth_lease_book_end_due(&book, now_ms, count_and_remove, &ended);
    return ended;
}

static void renew__longer_or_shorter__never_shortens(void **state)
{
    (void)state;
    struct berth_lease *lease = add("a", "", 1, 0);
    berth_lease_book_renew(&book, lease, 10, 500);
    assert_int_equal(lease->ends_ms, 1000);
    berth_lease_book_renew(&book, lease, 2000, 500);
    assert_int_equal(lease->ends_ms, 2500);
    assert_int_equal(end_due(2499), 0);
    assert_int_equal(end_due(2500), 1);
}

static void end_due__several__ends_those_alone(void **state)
{
    (void)state;
    assert_int_equal(end_due(UINT64_MAX - 1), 0);
    (void)add("a", "", 1, 0);   /* 1000 */
    (void)add("b", "", 2, 500); /* 1500 */
    (void)add("c", "", 3, 0);   /* 1000 */
    assert_int_equal(end_due(999), 0);
    assert_int_equal(end_due(1200), 2);
    assert_int_equal(book.earliest_ms, 1500);
    assert_non_null(berth_lease_book_find(&book, "b", ""));
    assert_int_equal(end_due(1500), 1);
    assert_true(book.earliest_ms == UINT64_MAX);
}

static void end_due__renewed_in_time__is_passed_over(void **state)
{
    (void)state;
    struct berth_lease *a = add("a", "", 1, 0);
    (void)add("b", "", 2, 100);
    berth_lease_book_renew(&book, a, 5000, 0);
    assert_int_equal(end_due(1050), 0);
    assert_int_equal(book.earliest_ms, 1100);
}

static void state_name__each__is_that_of_the_protocol(void **state)
{
    (void)state;
    assert_string_equal(berth_lease_state_name(BERTH_LEASE_PENDING), "pending");
    assert_string_equal(berth_lease_state_name(BERTH_LEASE_EXPIRED), "expired");
    assert_string_equal(berth_lease_state_name(BERTH_LEASE_RELEASED), "released");
}

static void memory__each_allocation_fails__book_is_as_it_was(void **state)
{
    (void)state;
    for (int for_ever = 0; for_ever < 2; for_ever++) {
        bool failed = true;
        size_t fail_at = 1;
        for (; failed; fail_at++) {
            size_t live;
            size_t added = 0;
            memory_faults_begin(fail_at, for_ever != 0);
            berth_lease_book_init(&book, 3);
            for (uint64_t i = 0; i < 20; i++) {
                char key[8];
                struct berth_lease *lease = NULL;
                (void)snprintf(key, sizeof key, "k%u", (unsigned)i);
                struct berth_lease_terms terms = terms_of(key, "g");
                terms.owner.id = i % 2 == 0 ? "uid:1" : "uid:2";
                terms.holder = "any";
                terms.meta = "{}";
                if (berth_lease_book_add(&book, &terms, i, 0, 0, &lease, &err) == BERTH_OK) {
                    assert_non_null(lease);
                    added++;
                } else {
                    assert_code(err.code, BERTH_NO_MEMORY);
                    assert_null(lease);
                    assert_null(berth_lease_book_find(&book, key, "g"));
                }
                assert_int_equal(book.live.count, added);
                assert_int_equal(book.by_key.count, added);
                assert_int_equal(book.by_id.count, added);
                assert_int_equal(berth_lease_book_count_of(&book, "uid:1") +
                                     berth_lease_book_count_of(&book, "uid:2"),
                                 added);
            }
            berth_lease_book_fini(&book);
            failed = memory_faults_end(&live);
            assert_int_equal(live, 0);
        }
        assert_true(fail_at > 20);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(add__terms__are_copied),
        TEST(add__no_holder_no_meta__are_null),
        TEST(add__id_taken__is_busy_and_changes_nothing),
        TEST(add__too_many__is_refused),
        TEST(find__key_and_generation__both_count),
        TEST(remove__any_of_three__keeps_the_others_in_order),
        TEST(owner__of_several_leases__is_one_and_goes_with_the_last),
        TEST(renew__longer_or_shorter__never_shortens),
        TEST(end_due__several__ends_those_alone),
        TEST(end_due__renewed_in_time__is_passed_over),
        TEST(state_name__each__is_that_of_the_protocol),
        cmocka_unit_test(memory__each_allocation_fails__book_is_as_it_was),
    };
    return cmocka_run_group_tests_name("allocator.lease_book", tests, NULL, NULL);
}
