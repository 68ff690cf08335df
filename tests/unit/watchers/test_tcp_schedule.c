/* SPDX-License-Identifier: MIT */
#include "tests/support/cmocka_all.h"
#include "watchers/tcp_schedule.h"

#define MS 1000000u
#define S 1000000000u
#define START (5u * (uint64_t)S)

static struct berth_tcp_schedule schedule;

static void begin_with(uint64_t poll_ms, uint64_t full_ms, bool events)
{
    berth_tcp_schedule_init(&schedule, poll_ms, full_ms, events);
}

/* A successful reading that takes no time on the clock but says that it took these. */
static void read_well(unsigned scopes, uint64_t now, uint64_t listeners_ns, uint64_t bound_ns,
                      uint64_t connections_ns)
{
    const struct berth_tcp_claims claims = {.parts = {
                                                {.duration_ns = listeners_ns},
                                                {.duration_ns = bound_ns},
                                                {.duration_ns = connections_ns},
                                            }};

    berth_tcp_schedule_begin(&schedule, scopes, now);
    berth_tcp_schedule_done(&schedule, scopes, &claims, now);
}

static void due__at_the_start__is_everything(void **state)
{
    (void)state;
    begin_with(1000, 30000, true);
    assert_int_equal(berth_tcp_schedule_due(&schedule, 0), BERTH_TCP_EVERYTHING);
    assert_int_equal(berth_tcp_schedule_next(&schedule), 0);
}

static void due__with_events__is_connections_only_every_full(void **state)
{
    (void)state;
    begin_with(1000, 30000, true);
    read_well(BERTH_TCP_EVERYTHING, START, 1, 1, 1);
    assert_int_equal(berth_tcp_schedule_due(&schedule, START + S - 1), 0);
    assert_int_equal(berth_tcp_schedule_next(&schedule), START + S);
    assert_int_equal(berth_tcp_schedule_due(&schedule, START + S),
                     BERTH_TCP_LISTENERS | BERTH_TCP_BOUND);
    assert_int_equal(berth_tcp_schedule_due(&schedule, START + 30 * (uint64_t)S),
                     BERTH_TCP_EVERYTHING);
}

static void due__without_events__is_everything_every_poll(void **state)
{
    (void)state;
    begin_with(1000, 30000, false);
    read_well(BERTH_TCP_EVERYTHING, START, 1, 1, 1);
    assert_int_equal(berth_tcp_schedule_due(&schedule, START + S), BERTH_TCP_EVERYTHING);
}

static void due__bound_sockets_take_long_with_events__waits_2000_times_as_long(void **state)
{
    (void)state;
    begin_with(1000, 30000, true);
    read_well(BERTH_TCP_EVERYTHING, START, 25000, 5 * MS, 5 * MS);
    assert_int_equal(berth_tcp_schedule_due(&schedule, START + 10 * (uint64_t)S - 1),
                     BERTH_TCP_LISTENERS);
    assert_int_equal(berth_tcp_schedule_due(&schedule, START + 10 * (uint64_t)S),
                     BERTH_TCP_LISTENERS | BERTH_TCP_BOUND);
    schedule.events = false;
    assert_int_equal(berth_tcp_schedule_due(&schedule, START + S), BERTH_TCP_EVERYTHING);
}

static void due__connections_take_long_with_events__regular_reading_waits_3000_times(void **state)
{
    (void)state;
    begin_with(1000, 30000, true);
    read_well(BERTH_TCP_EVERYTHING, START, 25000, 25000, 15 * MS);
    assert_int_equal(berth_tcp_schedule_due(&schedule, START + 45 * (uint64_t)S - 1),
                     BERTH_TCP_LISTENERS | BERTH_TCP_BOUND);
    assert_int_equal(berth_tcp_schedule_due(&schedule, START + 45 * (uint64_t)S),
                     BERTH_TCP_EVERYTHING);
    /* what an event asks for does not wait as long */
    berth_tcp_schedule_look(&schedule, BERTH_TCP_CONNECTIONS);
    assert_int_equal(berth_tcp_schedule_due(&schedule, START + 1500 * (uint64_t)MS),
                     BERTH_TCP_EVERYTHING);
}

static void due__in_a_hurry__is_listeners_every_250_ms(void **state)
{
    (void)state;
    begin_with(1000, 30000, false);
    schedule.hurry = true;
    read_well(BERTH_TCP_EVERYTHING, START, 1, 1, 1);
    assert_int_equal(berth_tcp_schedule_due(&schedule, START + 250 * MS - 1), 0);
    assert_int_equal(berth_tcp_schedule_due(&schedule, START + 250 * MS), BERTH_TCP_LISTENERS);
    assert_int_equal(berth_tcp_schedule_next(&schedule), START + 250 * MS);
    assert_int_equal(berth_tcp_schedule_due(&schedule, START + S), BERTH_TCP_EVERYTHING);
    begin_with(100, 30000, false);
    schedule.hurry = true;
    read_well(BERTH_TCP_EVERYTHING, START, 1, 1, 1);
    assert_int_equal(berth_tcp_schedule_next(&schedule), START + 100 * MS);
}

static void due__slow_part__waits_100_times_as_long_as_it_took(void **state)
{
    (void)state;
    begin_with(1000, 30000, false);
    read_well(BERTH_TCP_EVERYTHING, START, 25000, 15 * MS, 40 * MS);
    assert_int_equal(berth_tcp_schedule_due(&schedule, START + S), BERTH_TCP_LISTENERS);
    assert_int_equal(berth_tcp_schedule_due(&schedule, START + 1500 * (uint64_t)MS - 1),
                     BERTH_TCP_LISTENERS);
    assert_int_equal(berth_tcp_schedule_due(&schedule, START + 1500 * (uint64_t)MS),
                     BERTH_TCP_LISTENERS | BERTH_TCP_BOUND);
    assert_int_equal(berth_tcp_schedule_due(&schedule, START + 4 * (uint64_t)S),
                     BERTH_TCP_EVERYTHING);
}

static void look__single__reads_at_once(void **state)
{
    const unsigned holders = BERTH_TCP_LISTENERS | BERTH_TCP_BOUND;

    (void)state;
    begin_with(1000, 30000, true);
    read_well(BERTH_TCP_EVERYTHING, START, 1 * MS, 2 * MS, 3 * MS);
    berth_tcp_schedule_look(&schedule, BERTH_TCP_EVERYTHING);
    assert_int_equal(berth_tcp_schedule_due(&schedule, START), holders);
    assert_int_equal(berth_tcp_schedule_due(&schedule, START + 300 * MS), BERTH_TCP_EVERYTHING);
}

static void look__storm_of_them__takes_a_fifth_of_the_time(void **state)
{
    uint64_t now = START;
    uint64_t read_ns = 0;

    (void)state;
    begin_with(100000, 100000, true);
    read_well(BERTH_TCP_EVERYTHING, now, 1, 1, 1);
    while (now < START + 10 * (uint64_t)S) {
        berth_tcp_schedule_look(&schedule, BERTH_TCP_LISTENERS);
        uint64_t next = berth_tcp_schedule_next(&schedule);
        now = (next > now ? next : now) + 3 * MS;
        read_well(BERTH_TCP_LISTENERS, now, 3 * MS, 0, 0);
        read_ns += 3 * MS;
    }
    assert_in_range(read_ns, 2 * (uint64_t)S, 2 * (uint64_t)S + 20 * MS);
}

static void look__answered__is_over(void **state)
{
    (void)state;
    begin_with(1000, 30000, true);
    read_well(BERTH_TCP_EVERYTHING, START, 1, 1, 1);
    berth_tcp_schedule_look(&schedule, BERTH_TCP_EVERYTHING);
    read_well(BERTH_TCP_EVERYTHING, START + MS, 1, 1, 1);
    assert_int_equal(berth_tcp_schedule_due(&schedule, START + 900 * (uint64_t)MS), 0);
}

static void look__at_some_scopes__reads_no_others(void **state)
{
    (void)state;
    begin_with(1000, 30000, true);
    read_well(BERTH_TCP_EVERYTHING, START, 1, 1, 1);
    berth_tcp_schedule_look(&schedule, BERTH_TCP_BOUND);
    assert_int_equal(berth_tcp_schedule_due(&schedule, START + MS), BERTH_TCP_BOUND);
}

static void look__after_finding_owners_took_long__waits_for_that_too(void **state)
{
    const struct berth_tcp_claims claims = {.owners_ns = 50 * MS};

    (void)state;
    begin_with(1000, 30000, true);
    read_well(BERTH_TCP_EVERYTHING, START, 1, 1, 1);
    berth_tcp_schedule_begin(&schedule, BERTH_TCP_LISTENERS, START);
    berth_tcp_schedule_done(&schedule, BERTH_TCP_LISTENERS, &claims, START);
    berth_tcp_schedule_look(&schedule, BERTH_TCP_LISTENERS);
    assert_in_range(berth_tcp_schedule_next(&schedule), START + 200 * MS, START + 200 * MS + 100);
}

static void look_at__later__does_not_come_before_its_time(void **state)
{
    (void)state;
    begin_with(1000, 30000, true);
    read_well(BERTH_TCP_EVERYTHING, START, 1, 1, 1);
    berth_tcp_schedule_look_at(&schedule, BERTH_TCP_LISTENERS, START + 10 * MS);
    berth_tcp_schedule_look_at(&schedule, BERTH_TCP_LISTENERS, START + 12 * MS); /* is one */
    assert_int_equal(berth_tcp_schedule_next(&schedule), START + 10 * MS);
    assert_int_equal(berth_tcp_schedule_due(&schedule, START + 10 * MS - 1), 0);
    assert_int_equal(berth_tcp_schedule_due(&schedule, START + 10 * MS), BERTH_TCP_LISTENERS);
}

static void look_at__besides_a_look__comes_all_the_same(void **state)
{
    (void)state;
    begin_with(1000, 30000, true);
    read_well(BERTH_TCP_EVERYTHING, START, 1, 1, 1);
    berth_tcp_schedule_look_at(&schedule, BERTH_TCP_LISTENERS, START + 10 * MS);
    berth_tcp_schedule_look(&schedule, BERTH_TCP_LISTENERS);
    assert_int_equal(berth_tcp_schedule_due(&schedule, START + MS), BERTH_TCP_LISTENERS);
    read_well(BERTH_TCP_LISTENERS, START + MS, 1, 1, 1);
    assert_int_equal(berth_tcp_schedule_next(&schedule), START + 10 * MS);
    read_well(BERTH_TCP_LISTENERS, START + 10 * MS, 1, 1, 1);
    assert_int_equal(berth_tcp_schedule_due(&schedule, START + 900 * (uint64_t)MS), 0);
}

static void look__during_a_reading__wants_another(void **state)
{
    const struct berth_tcp_claims claims = {.owners_ns = 0};

    (void)state;
    begin_with(1000, 30000, true);
    berth_tcp_schedule_begin(&schedule, BERTH_TCP_EVERYTHING, START);
    berth_tcp_schedule_look(&schedule, BERTH_TCP_EVERYTHING);
    berth_tcp_schedule_done(&schedule, BERTH_TCP_EVERYTHING, &claims, START);
    assert_int_equal(berth_tcp_schedule_due(&schedule, START), BERTH_TCP_EVERYTHING);
}

static void failures__in_a_row__double_the_pause_up_to_30_s(void **state)
{
    static const uint64_t pauses_ms[] = {250, 500, 1000, 2000, 4000, 8000, 16000, 30000, 30000};

    (void)state;
    begin_with(1000, 30000, true);
    read_well(BERTH_TCP_EVERYTHING, START, 1, 1, 1);
    for (size_t i = 0; i < BERTH_COUNT(pauses_ms); i++) {
        berth_tcp_schedule_failed(&schedule, START);
        assert_int_equal(berth_tcp_schedule_next(&schedule), START + pauses_ms[i] * MS);
        assert_int_equal(berth_tcp_schedule_due(&schedule, START + pauses_ms[i] * MS - 1), 0);
        assert_int_equal(berth_tcp_schedule_due(&schedule, START + pauses_ms[i] * MS),
                         BERTH_TCP_EVERYTHING);
    }
    read_well(BERTH_TCP_EVERYTHING, START, 1, 1, 1);
    berth_tcp_schedule_failed(&schedule, START);
    assert_int_equal(berth_tcp_schedule_next(&schedule), START + 250 * MS);
}

static void failures__with_a_short_poll__begin_with_its_pause(void **state)
{
    (void)state;
    begin_with(10, 60000, true);
    berth_tcp_schedule_failed(&schedule, START);
    assert_int_equal(berth_tcp_schedule_next(&schedule), START + 10 * MS);
}

static void failures__and_a_look__pause_as_after_the_first(void **state)
{
    (void)state;
    begin_with(1000, 30000, true);
    for (unsigned i = 0; i < 10; i++) {
        berth_tcp_schedule_failed(&schedule, START);
    }
    berth_tcp_schedule_look(&schedule, BERTH_TCP_EVERYTHING);
    assert_int_equal(berth_tcp_schedule_next(&schedule), START + 250 * MS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(due__at_the_start__is_everything),
        cmocka_unit_test(due__with_events__is_connections_only_every_full),
        cmocka_unit_test(due__without_events__is_everything_every_poll),
        cmocka_unit_test(due__bound_sockets_take_long_with_events__waits_2000_times_as_long),
        cmocka_unit_test(due__connections_take_long_with_events__regular_reading_waits_3000_times),
        cmocka_unit_test(due__in_a_hurry__is_listeners_every_250_ms),
        cmocka_unit_test(due__slow_part__waits_100_times_as_long_as_it_took),
        cmocka_unit_test(look__single__reads_at_once),
        cmocka_unit_test(look__storm_of_them__takes_a_fifth_of_the_time),
        cmocka_unit_test(look__answered__is_over),
        cmocka_unit_test(look__at_some_scopes__reads_no_others),
        cmocka_unit_test(look__after_finding_owners_took_long__waits_for_that_too),
        cmocka_unit_test(look_at__later__does_not_come_before_its_time),
        cmocka_unit_test(look_at__besides_a_look__comes_all_the_same),
        cmocka_unit_test(look__during_a_reading__wants_another),
        cmocka_unit_test(failures__in_a_row__double_the_pause_up_to_30_s),
        cmocka_unit_test(failures__with_a_short_poll__begin_with_its_pause),
        cmocka_unit_test(failures__and_a_look__pause_as_after_the_first),
    };
    return cmocka_run_group_tests_name("tcp_schedule", tests, NULL, NULL);
}
