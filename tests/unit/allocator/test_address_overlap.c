/* SPDX-License-Identifier: MIT */
/* Tests of allocator/address_overlap: which addresses overlap, tried address by address, and the
 * index against a search through all entries. BERTH_TEST_CASES sets how many (20,000),
 * BERTH_TEST_SEED repeats a run. */
#include "cmocka_all.h"

#include "allocator/address_overlap.h"
#include "conflict_claims.h"
#include "conflict_model.h"

#define ENTRIES_MAX 12
#define OWNERS 3

static struct test_random dice;

static struct berth_reach random_reach(void)
{
    return (struct berth_reach){RANDOM_OF(&dice, random_addresses), test_random_chance(&dice, 50)};
}

static void overlaps__every_pair__is_as_by_trying_addresses(void **state)
{
    unsigned overlaps = 0;

    (void)state;
    for (size_t i = 0; i < 4 * BERTH_COUNT(random_addresses) * BERTH_COUNT(random_addresses); i++) {
        const struct berth_reach a = {random_addresses[i / 4 / BERTH_COUNT(random_addresses)],
                                      i % 2 != 0};
        const struct berth_reach b = {random_addresses[i / 4 % BERTH_COUNT(random_addresses)],
                                      i / 2 % 2 != 0};
        bool expected = model_overlap(&a.address, a.v6_only, &b.address, b.v6_only);
        assert_int_equal(berth_reach_overlaps(&a, &b), expected);
        assert_int_equal(berth_reach_overlaps(&b, &a), expected);
        overlaps += expected ? 1 : 0;
    }
    assert_in_range(overlaps, 50, 300);
}

/* Makes entries of random ranks, no two alike. Gives how many. */
static size_t make_entries(struct berth_overlap_entry *entries)
{
    size_t count = test_random_in(&dice, 0, ENTRIES_MAX);
    uint32_t offset = test_random_in(&dice, 0, 12);

    memset(entries, 0, ENTRIES_MAX * sizeof *entries);
    for (size_t i = 0; i < count; i++) {
        entries[i].reach = random_reach();
        entries[i].owner = test_random_in(&dice, 0, OWNERS - 1);
        entries[i].rank = (uint32_t)((i * 5 + offset) % 13);
    }
    return count;
}

static uint32_t search(const struct berth_overlap_entry *entries, size_t count,
                       const struct berth_reach *reach, uint32_t owner)
{
    uint32_t lowest = BERTH_RANK_NONE;

    for (size_t i = 0; i < count; i++) {
        if (entries[i].owner != owner && entries[i].rank < lowest &&
            berth_reach_overlaps(&entries[i].reach, reach)) {
            lowest = entries[i].rank;
        }
    }
    return lowest;
}

static void find__random_entries__finds_what_a_search_finds(void **state)
{
    uint64_t cases = test_count_from("BERTH_TEST_CASES", 20000);
    struct berth_overlap_entry entries[ENTRIES_MAX];
    struct berth_overlap_index index;
    uint64_t found = 0;

    (void)state;
    dice = test_random_start("address_overlap");
    for (uint64_t i = 0; i < cases; i++) {
        size_t count = make_entries(entries);
        berth_overlap_index_make(&index, entries, count);
        for (uint32_t owner = 0; owner <= OWNERS; owner++) {
            const struct berth_reach reach = random_reach();
            uint32_t expected = search(entries, count, &reach, owner);
            assert_int_equal(berth_overlap_index_find(&index, &reach, owner), expected);
            found += expected != BERTH_RANK_NONE ? 1 : 0;
        }
    }
    assert_true(found > cases);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(overlaps__every_pair__is_as_by_trying_addresses),
        cmocka_unit_test(find__random_entries__finds_what_a_search_finds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
