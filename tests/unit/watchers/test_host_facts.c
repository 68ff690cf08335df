/* SPDX-License-Identifier: MIT */
#include "tests/support/cmocka_all.h"
#include "tests/support/memory_faults.h"
#include "watchers/host_facts.h"
#include "watchers/linux/proc_ports.h"

static const struct berth_port_range all_ports = {1, 65535};

static void parse_range__as_the_kernel_writes_it__is_read(void **state)
{
    struct berth_port_range range = {0, 0};

    (void)state;
    assert_true(berth_proc_ports_parse_range(&range, "32768\t60999\n"));
    assert_int_equal(range.first, 32768);
    assert_int_equal(range.last, 60999);
    assert_true(berth_proc_ports_parse_range(&range, "1 65535"));
    assert_true(berth_proc_ports_parse_range(&range, "5\t5\n"));
}

static void parse_range__anything_else__is_refused(void **state)
{
    static const char *const texts[] = {"",     "\n",      "1",     "1\t",
                                        "a\tb", "2\t1",    "0\t10", "1\t65536",
                                        "1,2",  "1\t2\t3", "-1\t5", "99999999999999999999\t5",
                                        "1\t2x"};

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(texts); i++) {
        struct berth_port_range range = {7, 8};
        assert_false(berth_proc_ports_parse_range(&range, texts[i]));
        assert_int_equal(range.first, 7);
        assert_int_equal(range.last, 8);
    }
}

static void parse_list__ports_and_ranges__are_read(void **state)
{
    struct berth_port_set set;

    (void)state;
    assert_true(berth_proc_ports_parse_list(&set, "8080,9000-9002,65535\n"));
    assert_int_equal(berth_port_set_count(&set, all_ports), 5);
    assert_true(berth_port_set_has(&set, 8080));
    assert_true(berth_port_set_has(&set, 9001));
    assert_false(berth_port_set_has(&set, 9003));
    assert_true(berth_port_set_has(&set, 65535));
}

static void parse_list__empty__is_an_empty_set(void **state)
{
    static const char *const texts[] = {"", "\n", " \n", "0\n"};
    struct berth_port_set set;

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(texts); i++) {
        assert_true(berth_proc_ports_parse_list(&set, texts[i]));
        assert_int_equal(berth_port_set_count(&set, all_ports), 0);
    }
}

static void parse_list__anything_else__is_refused(void **state)
{
    static const char *const texts[] = {",",   "1,",  ",1",    "1,,2", "1-",    "-1",
                                        "2-1", "1 2", "65536", "a",    "1-2-3", "1;2"};
    struct berth_port_set set;

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(texts); i++) {
        assert_false(berth_proc_ports_parse_list(&set, texts[i]));
    }
}

static void make__reserved_ports__are_not_ephemeral(void **state)
{
    static struct berth_host_facts facts;
    static struct berth_port_set reserved;

    (void)state;
    assert_true(berth_proc_ports_parse_list(&reserved, "80,100-102,110"));
    berth_host_facts_make(&facts, (struct berth_port_range){100, 110}, &reserved);
    assert_int_equal(berth_port_set_count(&facts.ephemeral, all_ports), 7);
    assert_false(berth_port_set_has(&facts.ephemeral, 100));
    assert_true(berth_port_set_has(&facts.ephemeral, 103));
    assert_false(berth_port_set_has(&facts.ephemeral, 110));
    assert_true(berth_port_set_has(&facts.reserved, 80));
    assert_int_equal(facts.ephemeral_range.first, 100);
}

static void make__no_range__has_no_ephemeral_ports(void **state)
{
    static struct berth_host_facts facts;
    static struct berth_port_set reserved;

    (void)state;
    (void)berth_port_set_add(&reserved, 65535);
    berth_host_facts_make(&facts, (struct berth_port_range){0, 0}, &reserved);
    assert_int_equal(berth_port_set_count(&facts.ephemeral, all_ports), 0);
    berth_host_facts_make(&facts, (struct berth_port_range){65535, 65535}, &reserved);
    assert_int_equal(berth_port_set_count(&facts.ephemeral, all_ports), 0);
}

static void default__is_the_range_of_rfc_6335(void **state)
{
    static struct berth_host_facts facts;

    (void)state;
    berth_host_facts_default(&facts);
    assert_int_equal(berth_port_set_count(&facts.ephemeral, all_ports), 16384);
    assert_true(berth_port_set_has(&facts.ephemeral, 49152));
    assert_int_equal(berth_port_set_count(&facts.reserved, all_ports), 0);
}

static void read__on_this_machine__has_a_range_without_the_reserved_ports(void **state)
{
    static struct berth_host_facts facts;
    struct berth_error err = {0};

    (void)state;
    assert_ok(berth_host_facts_read(&facts, &err), &err);
    assert_true(facts.ephemeral_range.first != 0);
    uint32_t reserved = berth_port_set_count(&facts.reserved, facts.ephemeral_range);
    uint32_t width = (uint32_t)facts.ephemeral_range.last - facts.ephemeral_range.first + 1;
    assert_int_equal(berth_port_set_count(&facts.ephemeral, all_ports), width - reserved);
}

static void read__out_of_memory_at_any_point__is_an_error_and_no_leak(void **state)
{
    static struct berth_host_facts facts;
    bool failed = true;

    (void)state;
    for (size_t at = 1; failed; at++) {
        struct berth_error err = {0};
        size_t live = 0;
        memory_faults_begin(at, false);
        enum berth_code code = berth_host_facts_read(&facts, &err);
        failed = memory_faults_end(&live);
        assert_int_equal(live, 0);
        assert_code(code, failed ? BERTH_NO_MEMORY : BERTH_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_range__as_the_kernel_writes_it__is_read),
        cmocka_unit_test(parse_range__anything_else__is_refused),
        cmocka_unit_test(parse_list__ports_and_ranges__are_read),
        cmocka_unit_test(parse_list__empty__is_an_empty_set),
        cmocka_unit_test(parse_list__anything_else__is_refused),
        cmocka_unit_test(make__reserved_ports__are_not_ephemeral),
        cmocka_unit_test(make__no_range__has_no_ephemeral_ports),
        cmocka_unit_test(default__is_the_range_of_rfc_6335),
        cmocka_unit_test(read__on_this_machine__has_a_range_without_the_reserved_ports),
        cmocka_unit_test(read__out_of_memory_at_any_point__is_an_error_and_no_leak),
    };
    return cmocka_run_group_tests_name("host_facts", tests, NULL, NULL);
}
