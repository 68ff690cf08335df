/* SPDX-License-Identifier: MIT */
/* Tests of allocator/policy: pools, windows, and the order in which ports are chosen. */
#include "cmocka_all.h"

#include "allocator/policy.h"
#include "memory_faults.h"

#include <stdio.h>

static struct berth_policy policy;
static struct berth_free_set set;
static struct berth_ledger *ledger;
static unsigned feed;
static struct berth_error err;

/* neither sorted nor adjacent, except the first and the third */
static const struct berth_pool pools[] = {
    {"default", {4090, 4200}, false}, {"high", {65500, 65535}, false}, {"qa", {4201, 4300}, true}};

static int set_up(void **state)
{
    const struct berth_ledger_observer nobody = {NULL, NULL};
    const struct berth_feed_options options = {BERTH_SOURCE_TCP, "busy", 0};

    (void)state;
    memset(&policy, 0, sizeof policy);
    berth_free_set_init(&set);
    if (berth_ledger_create(&ledger, &nobody, 1, &err) != BERTH_OK ||
        berth_ledger_add_feed(ledger, &options, &feed, &err) != BERTH_OK) {
        return -1;
    }
    return berth_policy_set_pools(&policy, pools, BERTH_COUNT(pools), &err) == BERTH_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    berth_policy_fini(&policy);
    berth_ledger_destroy(ledger);
    return 0;
}

static void busy(uint16_t first, uint16_t last)
{
    for (uint32_t port = first; port <= last; port++) {
        struct berth_claim claim = berth_claim_make((uint16_t)port, BERTH_CLAIM_LISTENER);
        assert_ok(berth_ledger_put(ledger, feed, &claim, &err), &err);
        berth_free_set_update(&set, ledger, (uint16_t)port);
    }
}

static void ephemeral(uint16_t first, uint16_t last)
{
    static struct berth_port_set ports;

    berth_port_set_init(&ports);
    berth_port_set_add_range(&ports, (struct berth_port_range){first, last});
    berth_free_set_set_ephemeral(&set, &ports);
}

static struct berth_windows windows_of(struct berth_wish wish)
{
    struct berth_windows windows;

    wish.count = wish.count != 0 ? wish.count : 1;
    assert_ok(berth_policy_windows(&policy, &wish, &windows, &err), &err);
    return windows;
}

static enum berth_code windows_code(struct berth_wish wish)
{
    struct berth_windows windows;

    return berth_policy_windows(&policy, &wish, &windows, &err);
}

static void assert_window(const struct berth_windows *windows, size_t number, uint16_t first,
                          uint16_t last)
{
    assert_true(number < windows->count);
    assert_int_equal(windows->at[number].range.first, first);
    assert_int_equal(windows->at[number].range.last, last);
}

/* ---- pools ---- */

static void set_pools__names__are_copied_and_the_old_ones_replaced(void **state)
{
    char name[] = "other";
    const struct berth_pool other = {name, {100, 200}, true};

    (void)state;
    assert_ok(berth_policy_set_pools(&policy, &other, 1, &err), &err);
    name[0] = 'x';
    assert_non_null(berth_policy_pool(&policy, "other"));
    assert_null(berth_policy_pool(&policy, "qa"));
    assert_int_equal(policy.pool_count, 1);
}

static void set_pools__none_or_too_many__old_ones_stay(void **state)
{
    static struct berth_pool many[BERTH_POOLS_MAX + 1];

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(many); i++) {
        many[i] = (struct berth_pool){"p", {(uint16_t)(i + 1), (uint16_t)(i + 1)}, false};
    }
    assert_code(berth_policy_set_pools(&policy, many, 0, &err), BERTH_LIMIT_REACHED);
    assert_code(berth_policy_set_pools(&policy, many, BERTH_COUNT(many), &err),
                BERTH_LIMIT_REACHED);
    assert_int_equal(policy.pool_count, BERTH_COUNT(pools));
    assert_non_null(berth_policy_pool(&policy, "qa"));
    assert_ok(berth_policy_set_pools(&policy, many, BERTH_POOLS_MAX, &err), &err);
    assert_int_equal(policy.pool_count, BERTH_POOLS_MAX);
}

static void set_pools__each_allocation_fails__old_ones_stay(void **state)
{
    const struct berth_pool fresh[] = {{"a", {1, 2}, false}, {"b", {3, 4}, false}};
    bool failed = true;

    (void)state;
    for (size_t fail_at = 1; failed; fail_at++) {
        struct berth_policy own = {.pool_count = 0};
        size_t live;
        memory_faults_begin(fail_at, false);
        enum berth_code first = berth_policy_set_pools(&own, pools, 3, &err);
        enum berth_code second = berth_policy_set_pools(&own, fresh, 2, &err);
        size_t count = own.pool_count;
        bool has_qa = berth_policy_pool(&own, "qa") != NULL;
        berth_policy_fini(&own);
        failed = memory_faults_end(&live);
        assert_int_equal(live, 0);
        assert_true(second == BERTH_OK ? count == 2 && !has_qa
                                       : first == BERTH_OK && count == 3 && has_qa);
        assert_true(second == BERTH_OK || second == BERTH_NO_MEMORY);
    }
}

static void pool__by_name_and_by_port(void **state)
{
    const struct berth_pool nameless[] = {{"first", {1, 1}, false}, {"second", {2, 2}, false}};

    (void)state;
    assert_string_equal(berth_policy_pool(&policy, NULL)->name, "default");
    assert_string_equal(berth_policy_pool(&policy, "qa")->name, "qa");
    assert_null(berth_policy_pool(&policy, "QA"));
    assert_null(berth_policy_pool(&policy, ""));
    assert_string_equal(berth_policy_pool_of(&policy, 4200)->name, "default");
    assert_string_equal(berth_policy_pool_of(&policy, 4201)->name, "qa");
    assert_string_equal(berth_policy_pool_of(&policy, 65535)->name, "high");
    assert_null(berth_policy_pool_of(&policy, 0));
    assert_null(berth_policy_pool_of(&policy, 4089));
    assert_null(berth_policy_pool_of(&policy, 4301));
    /* without one of the name "default", the first is it */
    assert_ok(berth_policy_set_pools(&policy, nameless, 2, &err), &err);
    assert_string_equal(berth_policy_pool(&policy, NULL)->name, "first");
    berth_policy_fini(&policy);
    assert_null(berth_policy_pool(&policy, NULL));
}

/* ---- windows ---- */

static void windows__nothing_said__is_the_default_pool(void **state)
{
    struct berth_windows windows = windows_of((struct berth_wish){.count = 1});

    (void)state;
    assert_int_equal(windows.count, 1);
    assert_window(&windows, 0, 4090, 4200);
    assert_string_equal(berth_policy_pool_of_all(&policy, &windows)->name, "default");
}

static void windows__range__is_all_that_it_touches_in_order_of_ports(void **state)
{
    struct berth_windows windows = windows_of((struct berth_wish){.range = {1, 65535}});

    (void)state;
    assert_int_equal(windows.count, 3);
    assert_window(&windows, 0, 4090, 4200);
    assert_window(&windows, 1, 4201, 4300);
    assert_window(&windows, 2, 65500, 65535);
    assert_false(windows.at[0].ephemeral_never);
    assert_true(windows.at[1].ephemeral_never);
    assert_null(berth_policy_pool_of_all(&policy, &windows));
    windows = windows_of((struct berth_wish){.range = {4200, 4201}});
    assert_int_equal(windows.count, 2);
    assert_window(&windows, 0, 4200, 4200);
    assert_window(&windows, 1, 4201, 4201);
    windows = windows_of((struct berth_wish){.range = {65535, 65535}});
    assert_window(&windows, 0, 65535, 65535);
}

static void windows__pool_and_range__are_what_they_share(void **state)
{
    struct berth_windows windows =
        windows_of((struct berth_wish){.pool = "qa", .range = {4000, 4250}});

    (void)state;
    assert_int_equal(windows.count, 1);
    assert_window(&windows, 0, 4201, 4250);
    assert_code(windows_code((struct berth_wish){.pool = "qa", .range = {1, 4200}, .count = 1}),
                BERTH_OUT_OF_RANGE);
    assert_code(windows_code((struct berth_wish){.pool = "no", .count = 1}), BERTH_NOT_FOUND);
}

static void windows__port__is_looked_for_in_every_pool_or_the_named_one(void **state)
{
    struct berth_windows windows = windows_of((struct berth_wish){.port = 4250});

    (void)state;
    assert_int_equal(windows.count, 1);
    assert_window(&windows, 0, 4250, 4250);
    assert_code(windows_code((struct berth_wish){.port = 80, .count = 1}), BERTH_OUT_OF_RANGE);
    assert_code(windows_code((struct berth_wish){.port = 4250, .pool = "default", .count = 1}),
                BERTH_OUT_OF_RANGE);
    assert_code(windows_code((struct berth_wish){.port = 4100, .range = {4101, 4110}, .count = 1}),
                BERTH_OUT_OF_RANGE);
    windows = windows_of((struct berth_wish){.port = 4100, .range = {4090, 4110}});
    assert_window(&windows, 0, 4100, 4100);
}

static void windows__contradicting_wish__is_invalid(void **state)
{
    (void)state;
    assert_code(windows_code((struct berth_wish){.count = 0}), BERTH_INVALID_PARAMS);
    assert_code(windows_code((struct berth_wish){.count = BERTH_PORTS_PER_LEASE_MAX + 1}),
                BERTH_INVALID_PARAMS);
    assert_code(windows_code((struct berth_wish){.port = 4100, .count = 2}), BERTH_INVALID_PARAMS);
    assert_code(windows_code((struct berth_wish){.count = BERTH_PORTS_PER_LEASE_MAX}), BERTH_OK);
}

static void windows__out_of_range__names_the_pools(void **state)
{
    (void)state;
    (void)windows_code((struct berth_wish){.port = 80, .count = 1});
    assert_non_null(strstr(err.detail, "80"));
    assert_non_null(strstr(err.detail, "qa 4201-4300"));
}

/* ---- choosing ---- */

static void assert_chosen(const struct berth_windows *windows, unsigned count, bool contiguous,
                          const uint16_t *expected)
{
    uint16_t ports[BERTH_PORTS_PER_LEASE_MAX];

    assert_true(berth_policy_choose(&set, windows, count, contiguous, ports));
    for (unsigned i = 0; i < count; i++) {
        assert_int_equal(ports[i], expected[i]);
    }
}

static void assert_none_chosen(const struct berth_windows *windows, unsigned count, bool contiguous)
{
    uint16_t ports[BERTH_PORTS_PER_LEASE_MAX] = {7};

    assert_false(berth_policy_choose(&set, windows, count, contiguous, ports));
    assert_int_equal(ports[0], 7);
}

static void choose__one__is_the_lowest_free(void **state)
{
    struct berth_windows windows = windows_of((struct berth_wish){.count = 1});

    (void)state;
    assert_chosen(&windows, 1, false, (uint16_t[]){4090});
    busy(4090, 4096);
    assert_chosen(&windows, 1, false, (uint16_t[]){4097});
    busy(4097, 4199);
    assert_chosen(&windows, 1, false, (uint16_t[]){4200});
    busy(4200, 4200);
    assert_none_chosen(&windows, 1, false);
    assert_none_chosen(&windows, 1, true);
}

static void choose__ephemeral_last__comes_after_all_others(void **state)
{
    struct berth_windows windows = windows_of((struct berth_wish){.range = {4198, 65535}});

    (void)state;
    ephemeral(4000, 4200);
    busy(4204, 4300);
    busy(65500, 65533);
    assert_chosen(&windows, 1, false, (uint16_t[]){4201});
    assert_chosen(&windows, 5, false, (uint16_t[]){4201, 4202, 4203, 65534, 65535});
    /* not enough outside: the lowest inside are added, the answer ascends */
    assert_chosen(&windows, 7, false, (uint16_t[]){4198, 4199, 4201, 4202, 4203, 65534, 65535});
    assert_chosen(&windows, 8, false,
                  (uint16_t[]){4198, 4199, 4200, 4201, 4202, 4203, 65534, 65535});
    assert_none_chosen(&windows, 9, false);
}

static void choose__ephemeral_never__gives_none_inside(void **state)
{
    struct berth_windows windows = windows_of((struct berth_wish){.pool = "qa"});

    (void)state;
    ephemeral(4205, 65535);
    assert_chosen(&windows, 4, false, (uint16_t[]){4201, 4202, 4203, 4204});
    assert_none_chosen(&windows, 5, false);
    assert_none_chosen(&windows, 5, true);
    ephemeral(4000, 65535);
    assert_none_chosen(&windows, 1, false);
    assert_none_chosen(&windows, 1, true);
}

static void choose__contiguous__crosses_words_and_blocks(void **state)
{
    struct berth_windows windows = windows_of((struct berth_wish){.count = 1});

    (void)state;
    busy(4090, 4092); /* free from 4093: over the block's border at 4096 */
    busy(4100, 4100);
    assert_chosen(&windows, 7, true, (uint16_t[]){4093, 4094, 4095, 4096, 4097, 4098, 4099});
    busy(4096, 4096);
    assert_chosen(&windows, 3, true, (uint16_t[]){4093, 4094, 4095});
    assert_chosen(&windows, 4, true, (uint16_t[]){4101, 4102, 4103, 4104});
    assert_chosen(&windows, 4, false, (uint16_t[]){4093, 4094, 4095, 4097});
    busy(4101, 4130); /* from 4131 there are 70 left, over the word's border at 4160 */
    uint16_t expected[64];
    for (unsigned i = 0; i < 64; i++) {
        expected[i] = (uint16_t)(4131 + i);
    }
    assert_chosen(&windows, 64, true, expected);
    busy(4180, 4180);
    assert_none_chosen(&windows, 64, true);
    assert_chosen(&windows, 49, true, expected);
}

static void choose__contiguous_to_the_last_port__is_found(void **state)
{
    struct berth_windows windows = windows_of((struct berth_wish){.pool = "high"});

    (void)state;
    busy(65500, 65530);
    assert_chosen(&windows, 5, true, (uint16_t[]){65531, 65532, 65533, 65534, 65535});
    assert_none_chosen(&windows, 6, true);
    busy(65535, 65535);
    assert_chosen(&windows, 4, true, (uint16_t[]){65531, 65532, 65533, 65534});
    assert_none_chosen(&windows, 5, true);
}

static void choose__contiguous__prefers_runs_outside_the_ephemeral_range(void **state)
{
    struct berth_windows windows = windows_of((struct berth_wish){.count = 1});

    (void)state;
    ephemeral(4090, 4150);
    assert_chosen(&windows, 3, true, (uint16_t[]){4151, 4152, 4153});
    busy(4153, 4200);
    assert_chosen(&windows, 2, true, (uint16_t[]){4151, 4152});
    assert_chosen(&windows, 3, true, (uint16_t[]){4090, 4091, 4092}); /* none outside is long */
}

static void choose__contiguous__stays_within_the_range(void **state)
{
    struct berth_windows windows = windows_of((struct berth_wish){.range = {4100, 4103}});

    (void)state;
    assert_chosen(&windows, 4, true, (uint16_t[]){4100, 4101, 4102, 4103});
    assert_none_chosen(&windows, 5, true);
    assert_none_chosen(&windows, 5, false);
}

static void allows__port__by_window_and_ephemeral_rule(void **state)
{
    struct berth_windows windows = windows_of((struct berth_wish){.range = {4200, 4210}});

    (void)state;
    ephemeral(4200, 4205);
    assert_true(berth_policy_allows(&set, &windows, 4200));  /* default: last, but given */
    assert_false(berth_policy_allows(&set, &windows, 4201)); /* qa: never */
    assert_false(berth_policy_allows(&set, &windows, 4205));
    assert_true(berth_policy_allows(&set, &windows, 4206));
    assert_true(berth_policy_allows(&set, &windows, 4210));
    assert_false(berth_policy_allows(&set, &windows, 4211));
    assert_false(berth_policy_allows(&set, &windows, 4199));
}

static void windows__ports_to_avoid__lie_between_them(void **state)
{
    const uint16_t avoid[] = {4090, 4095, 4200, 4095, 60000};
    struct berth_wish wish = {.count = 1, .avoid = avoid, .avoid_count = BERTH_COUNT(avoid)};
    struct berth_windows windows = windows_of(wish);

    (void)state;
    assert_int_equal(windows.count, 2);
    assert_int_equal(windows.at[0].range.first, 4091);
    assert_int_equal(windows.at[0].range.last, 4094);
    assert_int_equal(windows.at[1].range.first, 4096);
    assert_int_equal(windows.at[1].range.last, 4199);
    assert_string_equal(berth_policy_pool_of_all(&policy, &windows)->name, "default");
    assert_chosen(&windows, 5, true, (uint16_t[]){4096, 4097, 4098, 4099, 4100});
    assert_false(berth_policy_allows(&set, &windows, 4095));
    wish.range = (struct berth_port_range){4095, 4095};
    assert_code(berth_policy_windows(&policy, &wish, &windows, &err), BERTH_OUT_OF_RANGE);
    wish.range = (struct berth_port_range){4150, 65535}; /* three windows, of which one is cut */
    windows = windows_of(wish);
    assert_int_equal(windows.count, 3);
    assert_int_equal(windows.at[0].range.last, 4199);
    assert_int_equal(windows.at[1].range.first, 4201);
    assert_true(windows.at[1].ephemeral_never);
    assert_int_equal(windows.at[2].range.last, 65535);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(set_pools__names__are_copied_and_the_old_ones_replaced),
        TEST(set_pools__none_or_too_many__old_ones_stay),
        TEST(set_pools__each_allocation_fails__old_ones_stay),
        TEST(pool__by_name_and_by_port),
        TEST(windows__nothing_said__is_the_default_pool),
        TEST(windows__range__is_all_that_it_touches_in_order_of_ports),
        TEST(windows__pool_and_range__are_what_they_share),
        TEST(windows__port__is_looked_for_in_every_pool_or_the_named_one),
        TEST(windows__contradicting_wish__is_invalid),
        TEST(windows__out_of_range__names_the_pools),
        TEST(windows__ports_to_avoid__lie_between_them),
        TEST(choose__one__is_the_lowest_free),
        TEST(choose__ephemeral_last__comes_after_all_others),
        TEST(choose__ephemeral_never__gives_none_inside),
        TEST(choose__contiguous__crosses_words_and_blocks),
        TEST(choose__contiguous_to_the_last_port__is_found),
        TEST(choose__contiguous__prefers_runs_outside_the_ephemeral_range),
        TEST(choose__contiguous__stays_within_the_range),
        TEST(allows__port__by_window_and_ephemeral_rule),
    };
    return cmocka_run_group_tests_name("allocator.policy", tests, NULL, NULL);
}
