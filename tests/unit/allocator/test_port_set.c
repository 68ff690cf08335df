/* SPDX-License-Identifier: MIT */
/* Tests of allocator/port_set: borders of words and blocks, ranges, and a comparison with a plain
 * model. */
#include "cmocka_all.h"

#include "allocator/bits.h"
#include "allocator/port_set.h"
#include "models/plain_ports.h"
#include "models/test_random.h"

/* the first and last ports of words, blocks and the whole */
static const uint16_t borders[] = {0,     1,     62,    63,    64,    65,    127,  128,  4031,
                                   4032,  4094,  4095,  4096,  4097,  8191,  8192, 9000, 32767,
                                   32768, 61439, 61440, 65471, 65472, 65534, 65535};

static struct berth_port_set set;
static struct plain_ports model;

static int set_up(void **state)
{
    (void)state;
    berth_port_set_init(&set);
    memset(&model, 0, sizeof model);
    return 0;
}

static struct berth_port_range range_of(uint16_t first, uint16_t last)
{
    return (struct berth_port_range){first, last};
}

/* Compares all that can be asked about a range. */
static void assert_range_as_model(struct berth_port_range range)
{
    struct berth_port_range expected = {7, 7};
    struct berth_port_range run = {7, 7};
    uint16_t port = 7;
    int32_t next = plain_ports_next(&model, range);

    assert_int_equal(berth_port_set_next(&set, range, &port), next >= 0);
    assert_int_equal(port, next >= 0 ? next : 7);
    assert_int_equal(berth_port_set_next_run(&set, range, &run),
                     plain_ports_run(&model, range, &expected));
    assert_int_equal(run.first, expected.first);
    assert_int_equal(run.last, expected.last);
    if (range.first <= range.last) {
        assert_int_equal(berth_port_set_count(&set, range), plain_ports_count(&model, range));
    }
}

static void assert_borders_as_model(void)
{
    for (size_t i = 0; i < BERTH_COUNT(borders); i++) {
        assert_int_equal(berth_port_set_has(&set, borders[i]), model.in[borders[i]]);
        for (size_t j = 0; j < BERTH_COUNT(borders); j++) {
            assert_range_as_model(range_of(borders[i], borders[j]));
        }
    }
}

static void bits__counting_and_lowest__as_one_by_one(void **state)
{
    struct test_random random = {1};

    (void)state;
    assert_int_equal(berth_lowest_bit(0), 64);
    assert_int_equal(berth_count_bits(0), 0);
    assert_int_equal(berth_count_bits(UINT64_MAX), 64);
    for (int i = 0; i < 10000; i++) {
        uint64_t bits = test_random_next(&random) & test_random_next(&random);
        unsigned count = 0;
        unsigned lowest = 64;
        for (unsigned bit = 64; bit-- > 0;) {
            if ((bits >> bit & 1) != 0) {
                count++;
                lowest = bit;
            }
        }
        assert_int_equal(berth_count_bits(bits), count);
        assert_int_equal(berth_lowest_bit(bits), lowest);
    }
}

static void empty__asked_anything__has_nothing(void **state)
{
    (void)state;
    assert_borders_as_model();
    assert_int_equal(berth_port_set_count(&set, range_of(1, 65535)), 0);
    assert_false(berth_port_set_remove(&set, 80));
}

static void add_and_remove__each_border_alone__is_found_and_gone(void **state)
{
    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(borders); i++) {
        assert_true(berth_port_set_add(&set, borders[i]));
        assert_false(berth_port_set_add(&set, borders[i]));
        model.in[borders[i]] = true;
        assert_borders_as_model();
        assert_true(berth_port_set_remove(&set, borders[i]));
        assert_false(berth_port_set_remove(&set, borders[i]));
        model.in[borders[i]] = false;
        assert_borders_as_model();
    }
}

static void add_and_remove__all_borders_one_by_one__as_model(void **state)
{
    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(borders); i++) {
        (void)berth_port_set_add(&set, borders[i]);
        model.in[borders[i]] = true;
        assert_borders_as_model();
    }
    for (size_t i = 0; i < BERTH_COUNT(borders); i++) {
        (void)berth_port_set_remove(&set, borders[i]);
        model.in[borders[i]] = false;
        assert_borders_as_model();
    }
    struct berth_port_set zeroed;
    memset(&zeroed, 0, sizeof zeroed);
    assert_memory_equal(&set, &zeroed, sizeof set);
}

static void add_range__from_border_to_border__as_model(void **state)
{
    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(borders); i++) {
        for (size_t j = i; j < BERTH_COUNT(borders); j += 3) {
            (void)set_up(NULL);
            berth_port_set_add_range(&set, range_of(borders[i], borders[j]));
            for (uint32_t p = borders[i]; borders[j] != 0 && p <= borders[j]; p++) {
                model.in[p] = true;
            }
            assert_int_equal(berth_port_set_count(&set, range_of(0, 65535)),
                             plain_ports_count(&model, range_of(0, 65535)));
            assert_range_as_model(range_of(1, 65535));
            assert_range_as_model(range_of(borders[i], borders[j]));
            assert_range_as_model(range_of(borders[j], 65535));
        }
    }
}

static void add_range__empty_or_reversed__adds_nothing(void **state)
{
    (void)state;
    berth_port_set_add_range(&set, range_of(0, 0));
    berth_port_set_add_range(&set, range_of(10, 5));
    berth_port_set_add_range(&set, range_of(5, 0));
    assert_int_equal(berth_port_set_count(&set, range_of(0, 65535)), 0);
}

static void full__taken_out_lowest_first__counts_down(void **state)
{
    struct berth_port_range all = {1, 65535};
    uint32_t left = 65535;
    uint16_t port;

    (void)state;
    berth_port_set_add_range(&set, all);
    while (berth_port_set_next(&set, all, &port)) {
        assert_int_equal(port, 65536 - left);
        assert_true(berth_port_set_remove(&set, port));
        left--;
        if (left % 997 == 0) {
            assert_int_equal(berth_port_set_count(&set, all), left);
        }
    }
    assert_int_equal(left, 0);
}

static void next_run__walked_as_its_contract_says__gives_all_runs(void **state)
{
    static const struct berth_port_range runs[] = {{1, 1},       {63, 64},       {100, 100},
                                                   {4000, 8200}, {61439, 61440}, {65535, 65535}};
    struct berth_port_range range = {1, 65535};
    struct berth_port_range run;
    size_t found = 0;

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(runs); i++) {
        berth_port_set_add_range(&set, runs[i]);
    }
    while (berth_port_set_next_run(&set, range, &run)) {
        assert_true(found < BERTH_COUNT(runs));
        assert_int_equal(run.first, runs[found].first);
        assert_int_equal(run.last, runs[found].last);
        found++;
        if (run.last == range.last) {
            break;
        }
        range.first = (uint16_t)(run.last + 1);
    }
    assert_int_equal(found, BERTH_COUNT(runs));
}

static void random__changes__as_model(void **state)
{
    struct test_random random = test_random_start("port_set");

    (void)state;
    for (int i = 0; i < 20000; i++) {
        uint16_t port = test_random_chance(&random, 50)
                            ? borders[test_random_in(&random, 0, BERTH_COUNT(borders) - 1)]
                            : (uint16_t)test_random_in(&random, 0, 65535);
        if (test_random_chance(&random, 55)) {
            assert_int_equal(berth_port_set_add(&set, port), !model.in[port]);
            model.in[port] = true;
        } else {
            assert_int_equal(berth_port_set_remove(&set, port), model.in[port]);
            model.in[port] = false;
        }
        uint16_t first = (uint16_t)test_random_in(&random, 0, 65535);
        uint32_t last = first + test_random_in(&random, 0, 3000);
        assert_range_as_model(range_of(first, (uint16_t)(last > 65535 ? 65535 : last)));
    }
    for (uint32_t port = 0; port <= 65535; port++) {
        assert_int_equal(berth_port_set_has(&set, (uint16_t)port), model.in[port]);
    }
    assert_borders_as_model();
}

#define TEST(function) cmocka_unit_test_setup(function, set_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(bits__counting_and_lowest__as_one_by_one),
        TEST(empty__asked_anything__has_nothing),
        TEST(add_and_remove__each_border_alone__is_found_and_gone),
        TEST(add_and_remove__all_borders_one_by_one__as_model),
        TEST(add_range__from_border_to_border__as_model),
        TEST(add_range__empty_or_reversed__adds_nothing),
        TEST(full__taken_out_lowest_first__counts_down),
        TEST(next_run__walked_as_its_contract_says__gives_all_runs),
        TEST(random__changes__as_model),
    };
    return cmocka_run_group_tests_name("allocator.port_set", tests, NULL, NULL);
}
