/* SPDX-License-Identifier: MIT */
/* Tests of allocator/name_table and the hash index under it. */
#include "cmocka_all.h"

#include "allocator/name_table.h"
#include "memory_faults.h"

#include <stdio.h>

static void take__equal_names__are_one_pointer(void **state)
{
    struct berth_name_table table;
    char one[] = "Shop";
    char two[] = "Shop";
    const char *a;
    const char *b;
    const char *c;

    (void)state;
    berth_name_table_init(&table, 42);
    assert_true(berth_name_take(&table, one, &a));
    assert_true(berth_name_take(&table, two, &b));
    assert_true(berth_name_take(&table, "shop", &c));
    assert_ptr_equal(a, b);
    assert_ptr_not_equal(a, one);
    assert_ptr_not_equal(a, c);
    assert_string_equal(a, "Shop");
    berth_name_drop(&table, a);
    assert_string_equal(b, "Shop"); /* still in use once */
    berth_name_drop(&table, b);
    berth_name_drop(&table, c);
    assert_int_equal(table.index.count, 0);
    berth_name_table_fini(&table);
}

static void take__null__gives_null(void **state)
{
    struct berth_name_table table;
    const char *name = "before";

    (void)state;
    berth_name_table_init(&table, 1);
    assert_true(berth_name_take(&table, NULL, &name));
    assert_null(name);
    berth_name_drop(&table, NULL);
    berth_name_table_fini(&table);
}

static void take__empty_name__is_a_name(void **state)
{
    struct berth_name_table table;
    const char *name = NULL;

    (void)state;
    berth_name_table_init(&table, 1);
    assert_true(berth_name_take(&table, "", &name));
    assert_string_equal(name, "");
    berth_name_drop(&table, name);
    assert_int_equal(table.index.count, 0);
    berth_name_table_fini(&table);
}

static void take__many_names__are_all_found_again(void **state)
{
    enum { NAMES = 5000 };
    static const char *names[NAMES];
    struct berth_name_table table;
    const char *again;
    char text[32];

    (void)state;
    berth_name_table_init(&table, 0xFEED);
    for (int i = 0; i < NAMES; i++) {
        (void)snprintf(text, sizeof text, "site-%d", i);
        assert_true(berth_name_take(&table, text, &names[i]));
    }
    assert_int_equal(table.index.count, NAMES);
    for (int i = NAMES - 1; i >= 0; i--) {
        (void)snprintf(text, sizeof text, "site-%d", i);
        assert_true(berth_name_take(&table, text, &again));
        assert_ptr_equal(again, names[i]);
        berth_name_drop(&table, again);
    }
    for (int i = 0; i < NAMES; i += 2) {
        berth_name_drop(&table, names[i]);
    }
    assert_int_equal(table.index.count, NAMES / 2);
    berth_name_table_fini(&table); /* with the other half in use */
}

/* Everything that fails leaves `out` alone; a table that cannot grow goes on working. */
static void take__each_allocation_fails__changes_nothing(void **state)
{
    (void)state;
    for (int for_ever = 0; for_ever < 2; for_ever++) {
        bool failed = true;
        for (size_t fail_at = 1; failed; fail_at++) {
            struct berth_name_table table;
            size_t taken = 0;
            size_t live;
            memory_faults_begin(fail_at, for_ever != 0);
            berth_name_table_init(&table, 7);
            for (int i = 0; i < 40; i++) {
                char text[32];
                const char *name = "untouched";
                (void)snprintf(text, sizeof text, "n%d", i);
                if (berth_name_take(&table, text, &name)) {
                    assert_string_equal(name, text);
                    taken++;
                } else {
                    assert_string_equal(name, "untouched");
                }
            }
            assert_int_equal(table.index.count, taken);
            berth_name_table_fini(&table);
            failed = memory_faults_end(&live);
            assert_int_equal(live, 0);
            assert_true(failed || taken == 40);
        }
    }
}

static void hash__seed_and_text__both_matter(void **state)
{
    (void)state;
    assert_true(berth_hash_string(1, "a") == berth_hash_string(1, "a"));
    assert_true(berth_hash_string(1, "a") != berth_hash_string(2, "a"));
    assert_true(berth_hash_string(1, "a") != berth_hash_string(1, "b"));
    assert_true(berth_hash_string(berth_hash_string(1, "ab"), "c") !=
                berth_hash_string(berth_hash_string(1, "a"), "bc"));
}

/* Nodes of one hash, as colliding keys have them. */
static void index__equal_hashes__are_all_found_and_removed_one_by_one(void **state)
{
    struct berth_hash_index index;
    struct berth_hash_node nodes[5];
    unsigned seen = 0;

    (void)state;
    berth_hash_index_init(&index, 0);
    assert_null(berth_hash_index_find(&index, 9, NULL));
    for (unsigned i = 0; i < 5; i++) {
        assert_true(berth_hash_index_add(&index, &nodes[i], i < 4 ? 9 : 9 + 16));
    }
    struct berth_hash_node *node = NULL;
    while ((node = berth_hash_index_find(&index, 9, node)) != NULL) {
        seen |= 1U << (node - nodes);
    }
    assert_int_equal(seen, 15);
    berth_hash_index_remove(&index, &nodes[1]);
    berth_hash_index_remove(&index, &nodes[4]);
    seen = 0;
    while ((node = berth_hash_index_find(&index, 9, node)) != NULL) {
        seen |= 1U << (node - nodes);
    }
    assert_int_equal(seen, 13);
    assert_null(berth_hash_index_find(&index, 9 + 16, NULL));
    berth_hash_index_fini(&index);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(take__equal_names__are_one_pointer),
        cmocka_unit_test(take__null__gives_null),
        cmocka_unit_test(take__empty_name__is_a_name),
        cmocka_unit_test(take__many_names__are_all_found_again),
        cmocka_unit_test(take__each_allocation_fails__changes_nothing),
        cmocka_unit_test(hash__seed_and_text__both_matter),
        cmocka_unit_test(index__equal_hashes__are_all_found_and_removed_one_by_one),
    };
    return cmocka_run_group_tests_name("allocator.name_table", tests, NULL, NULL);
}
