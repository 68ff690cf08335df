/* SPDX-License-Identifier: MIT */
#include "tests/support/cmocka_all.h"
#include "tests/support/memory_faults.h"
#include "watchers/tcp_event_meter.h"
#include "watchers/tcp_marks.h"

#define S 1000000000u
#define GRACE BERTH_TCP_MARK_GRACE_NS

static const struct berth_port_set none;

static struct berth_tcp_mark mark_of(uint16_t port, enum berth_tcp_part part, uint64_t time_ns)
{
    const struct berth_tcp_mark mark = {
        .port = port,
        .part = (uint8_t)part,
        .process_id = 7,
        .address = {.family = BERTH_FAMILY_IPV4, .bytes = {127, 0, 0, 1}},
        .time_ns = time_ns};

    return mark;
}

static void add(struct berth_tcp_marks *marks, uint16_t port, enum berth_tcp_part part,
                uint64_t time_ns)
{
    const struct berth_tcp_mark mark = mark_of(port, part, time_ns);

    assert_code(berth_tcp_marks_add(marks, &mark), BERTH_OK);
}

static bool has(const struct berth_tcp_marks *marks, uint16_t port)
{
    return berth_tcp_marks_has(marks, BERTH_TCP_PART_LISTENERS, port);
}

static void settle__reading_that_began_before__decides_nothing(void **state)
{
    struct berth_tcp_marks marks = {0};
    struct berth_port_set seen = {.words = {0}};

    (void)state;
    (void)berth_port_set_add(&seen, 80);
    add(&marks, 80, BERTH_TCP_PART_LISTENERS, S);
    add(&marks, 81, BERTH_TCP_PART_LISTENERS, S);
    berth_tcp_marks_settle(&marks, BERTH_TCP_PART_LISTENERS, &seen, S - 1);
    assert_true(has(&marks, 80));
    assert_true(has(&marks, 81));
    berth_tcp_marks_fini(&marks);
}

static void settle__reading_that_began_after__confirms_what_it_saw(void **state)
{
    struct berth_tcp_marks marks = {0};
    struct berth_port_set seen = {.words = {0}};

    (void)state;
    (void)berth_port_set_add(&seen, 80);
    add(&marks, 80, BERTH_TCP_PART_LISTENERS, S);
    add(&marks, 81, BERTH_TCP_PART_LISTENERS, S);
    berth_tcp_marks_settle(&marks, BERTH_TCP_PART_LISTENERS, &seen, S);
    assert_false(has(&marks, 80));
    assert_true(has(&marks, 81)); /* the table may not have it yet */
    assert_int_equal(berth_tcp_marks_decided_ns(&marks, BERTH_TCP_PART_LISTENERS), S + GRACE);
    berth_tcp_marks_settle(&marks, BERTH_TCP_PART_LISTENERS, &none, S + GRACE - 1);
    assert_true(has(&marks, 81));
    berth_tcp_marks_settle(&marks, BERTH_TCP_PART_LISTENERS, &none, S + GRACE);
    assert_false(has(&marks, 81));
    assert_int_equal(berth_tcp_marks_decided_ns(&marks, BERTH_TCP_PART_LISTENERS), 0);
    berth_tcp_marks_fini(&marks);
}

static void settle__other_part__is_left_alone(void **state)
{
    struct berth_tcp_marks marks = {0};

    (void)state;
    add(&marks, 80, BERTH_TCP_PART_LISTENERS, S);
    add(&marks, 80, BERTH_TCP_PART_CONNECTIONS, S);
    berth_tcp_marks_settle(&marks, BERTH_TCP_PART_CONNECTIONS, &none, 2 * (uint64_t)S);
    assert_true(has(&marks, 80));
    assert_false(berth_tcp_marks_has(&marks, BERTH_TCP_PART_CONNECTIONS, 80));
    berth_tcp_marks_fini(&marks);
}

static void add__again__counts_from_the_latest_time(void **state)
{
    struct berth_tcp_marks marks = {0};

    (void)state;
    add(&marks, 80, BERTH_TCP_PART_LISTENERS, S);
    add(&marks, 80, BERTH_TCP_PART_LISTENERS, 2 * (uint64_t)S);
    assert_int_equal(marks.count, 1);
    berth_tcp_marks_settle(&marks, BERTH_TCP_PART_LISTENERS, &none, 2 * (uint64_t)S - 1);
    assert_true(has(&marks, 80));
    berth_tcp_marks_fini(&marks);
}

static void claims__marks_on_ports_that_were_not_seen__are_given(void **state)
{
    struct berth_tcp_marks marks = {0};
    struct berth_port_set seen = {.words = {0}};
    struct berth_claim claims[4];

    (void)state;
    (void)berth_port_set_add(&seen, 80);
    add(&marks, 80, BERTH_TCP_PART_LISTENERS, S);
    add(&marks, 81, BERTH_TCP_PART_LISTENERS, S);
    add(&marks, 82, BERTH_TCP_PART_CONNECTIONS, S);
    assert_int_equal(berth_tcp_marks_claims(&marks, BERTH_TCP_PART_LISTENERS, &seen, NULL), 1);
    assert_int_equal(berth_tcp_marks_claims(&marks, BERTH_TCP_PART_LISTENERS, &seen, claims), 1);
    assert_int_equal(claims[0].port, 81);
    assert_int_equal(claims[0].kind, BERTH_CLAIM_LISTENER);
    assert_int_equal(claims[0].process_id, 7);
    assert_int_equal(claims[0].address.bytes[0], 127);
    assert_int_equal(berth_tcp_marks_claims(&marks, BERTH_TCP_PART_CONNECTIONS, &seen, claims), 1);
    assert_int_equal(claims[0].kind, BERTH_CLAIM_CONNECTION);
    assert_int_equal(claims[0].process_id, BERTH_ID_NONE);
    assert_int_equal(claims[0].address.family, BERTH_FAMILY_ALL);
    berth_tcp_marks_fini(&marks);
}

static void add__up_to_the_limit__then_is_refused(void **state)
{
    struct berth_tcp_marks marks = {0};
    const struct berth_tcp_mark more = mark_of(60000, BERTH_TCP_PART_LISTENERS, S);
    struct berth_port_set odd = {.words = {0}};

    (void)state;
    for (unsigned i = 1; i <= BERTH_TCP_MARKS_MAX; i++) {
        add(&marks, (uint16_t)i, BERTH_TCP_PART_LISTENERS, S);
        if (i % 2 != 0) {
            (void)berth_port_set_add(&odd, (uint16_t)i);
        }
    }
    assert_code(berth_tcp_marks_add(&marks, &more), BERTH_LIMIT_REACHED);
    berth_tcp_marks_settle(&marks, BERTH_TCP_PART_LISTENERS, &odd, S);
    assert_int_equal(marks.count, BERTH_TCP_MARKS_MAX / 2);
    for (unsigned i = 1; i <= BERTH_TCP_MARKS_MAX; i++) {
        assert_int_equal(has(&marks, (uint16_t)i), i % 2 == 0);
    }
    assert_code(berth_tcp_marks_add(&marks, &more), BERTH_OK);
    berth_tcp_marks_fini(&marks);
}

static void add__no_memory__is_said_and_leaves_all_as_it_was(void **state)
{
    (void)state;
    for (size_t fail_at = 1; fail_at <= 2; fail_at++) {
        struct berth_tcp_marks marks = {0};
        const struct berth_tcp_mark mark = mark_of(80, BERTH_TCP_PART_LISTENERS, S);
        size_t live;
        memory_faults_begin(fail_at, false);
        assert_code(berth_tcp_marks_add(&marks, &mark), BERTH_NO_MEMORY);
        assert_false(has(&marks, 80));
        assert_code(berth_tcp_marks_add(&marks, &mark), BERTH_OK);
        berth_tcp_marks_fini(&marks);
        assert_true(memory_faults_end(&live));
        assert_int_equal(live, 0);
    }
}

/* --- the meter ------------------------------------------------------------------------------ */

static void meter__events__are_counted_by_the_second(void **state)
{
    struct berth_event_meter meter = {0};
    uint64_t start = 100 * (uint64_t)S;
    uint64_t lag_ns;

    (void)state;
    for (unsigned i = 0; i < 500; i++) { /* 100 a second */
        berth_event_meter_note(&meter, start + i * (S / 100) - 7, start + i * (S / 100));
    }
    uint64_t now = start + 5 * (uint64_t)S;
    assert_in_range(berth_event_meter_rate(&meter, now, &lag_ns), 80, 100);
    assert_int_equal(lag_ns, 7);
    assert_int_equal(meter.total, 500);
    /* long after, it is over */
    assert_int_equal(berth_event_meter_rate(&meter, now + 60 * (uint64_t)S, &lag_ns), 0);
    assert_int_equal(lag_ns, 0);
    assert_int_equal(meter.total, 500);
}

static void meter__time_unknown_or_ahead__has_no_lag(void **state)
{
    struct berth_event_meter meter = {0};
    uint64_t lag_ns;

    (void)state;
    berth_event_meter_note(&meter, 0, S);
    berth_event_meter_note(&meter, 2 * (uint64_t)S, S);
    (void)berth_event_meter_rate(&meter, S, &lag_ns);
    assert_int_equal(lag_ns, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settle__reading_that_began_before__decides_nothing),
        cmocka_unit_test(settle__reading_that_began_after__confirms_what_it_saw),
        cmocka_unit_test(settle__other_part__is_left_alone),
        cmocka_unit_test(add__again__counts_from_the_latest_time),
        cmocka_unit_test(claims__marks_on_ports_that_were_not_seen__are_given),
        cmocka_unit_test(add__up_to_the_limit__then_is_refused),
        cmocka_unit_test(add__no_memory__is_said_and_leaves_all_as_it_was),
        cmocka_unit_test(meter__events__are_counted_by_the_second),
        cmocka_unit_test(meter__time_unknown_or_ahead__has_no_lag),
    };
    return cmocka_run_group_tests_name("tcp_marks", tests, NULL, NULL);
}
