/* SPDX-License-Identifier: MIT */
#include "daemon/latency.h"

#include "cmocka_all.h"

static void bounds__are_ascending(void **state)
{
    (void)state;
    for (unsigned i = 1; i < BERTH_LATENCY_BOUND_COUNT; i++) {
        assert_true(berth_latency_bound_us(i) > berth_latency_bound_us(i - 1));
    }
}

static void note__a_bound_itself__belongs_below_it(void **state)
{
    struct berth_latency latency = {.sum_ns = 0};
    uint64_t sum = 0;

    (void)state;
    for (unsigned i = 0; i < BERTH_LATENCY_BOUND_COUNT; i++) {
        uint64_t bound_ns = (uint64_t)berth_latency_bound_us(i) * 1000;
        berth_latency_note(&latency, bound_ns);
        assert_int_equal(latency.buckets[i], i == 0 ? 1 : 2);
        berth_latency_note(&latency, bound_ns + 1);
        assert_int_equal(latency.buckets[i + 1], 1);
        sum += 2 * bound_ns + 1;
    }
    assert_int_equal(latency.sum_ns, sum);
}

static void note__beyond_all__is_in_the_last(void **state)
{
    struct berth_latency latency = {.sum_ns = 0};

    (void)state;
    berth_latency_note(&latency, UINT64_MAX);
    assert_int_equal(latency.buckets[BERTH_LATENCY_BOUND_COUNT], 1);
    berth_latency_note(&latency, 0);
    assert_int_equal(latency.buckets[0], 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bounds__are_ascending),
        cmocka_unit_test(note__a_bound_itself__belongs_below_it),
        cmocka_unit_test(note__beyond_all__is_in_the_last),
    };
    return cmocka_run_group_tests_name("daemon.latency", tests, NULL, NULL);
}
