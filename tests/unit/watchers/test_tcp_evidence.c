/* SPDX-License-Identifier: MIT */
#include "tests/support/cmocka_all.h"
#include "watchers/tcp_evidence.h"

#define MS 1000000u
#define S 1000000000u
#define ALL (BERTH_TCP_TOLD_CONNECTIONS | BERTH_TCP_TOLD_ENDS)

static struct berth_tcp_evidence evidence;
static struct berth_port_set known[BERTH_TCP_PART_COUNT];

static void happen(enum berth_tcp_event_what what, uint16_t port, uint64_t now_ns)
{
    const struct berth_tcp_event event = {.port = port, .what = (uint8_t)what};

    berth_tcp_evidence_event(&evidence, &event, now_ns);
}

static void read_connections(void)
{
    berth_tcp_evidence_begin(&evidence);
    berth_tcp_evidence_end(&evidence, true, ALL);
}

static bool is_provable(uint16_t port)
{
    uint64_t words[BERTH_PORT_SET_WORDS];

    berth_tcp_evidence_provable(&evidence, known, words);
    return (words[port / 64] >> port % 64 & 1) != 0;
}

static int begin(void **state)
{
    (void)state;
    memset(&evidence, 0, sizeof evidence);
    for (size_t i = 0; i < BERTH_COUNT(known); i++) {
        berth_port_set_init(&known[i]);
    }
    return 0;
}

static void provable__connections_never_read__is_nothing(void **state)
{
    (void)state;
    assert_false(is_provable(80));
    berth_tcp_evidence_begin(&evidence);
    berth_tcp_evidence_end(&evidence, false, ALL);
    assert_false(is_provable(80));
    read_connections();
    assert_true(is_provable(80));
}

static void provable__known_elsewhere__is_not(void **state)
{
    (void)state;
    (void)berth_port_set_add(&known[BERTH_TCP_PART_LISTENERS], 80);
    (void)berth_port_set_add(&known[BERTH_TCP_PART_BOUND], 81);
    (void)berth_port_set_add(&known[BERTH_TCP_PART_CONNECTIONS], 82);
    read_connections();
    assert_true(is_provable(80));
    assert_false(is_provable(81));
    assert_false(is_provable(82));
}

static void provable__any_word_of_a_connection__is_not_until_they_are_read(void **state)
{
    static const enum berth_tcp_event_what words[] = {
        BERTH_TCP_EVENT_CONNECT, BERTH_TCP_EVENT_ACCEPT, BERTH_TCP_EVENT_DISCONNECT,
        BERTH_TCP_EVENT_OTHER};

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(words); i++) {
        read_connections();
        happen(words[i], 80, S);
        assert_false(is_provable(80));
        assert_true(is_provable(81));
        read_connections();
        assert_true(is_provable(80));
    }
}

static void provable__word_came_during_the_reading__is_not_after_it(void **state)
{
    (void)state;
    berth_tcp_evidence_begin(&evidence);
    happen(BERTH_TCP_EVENT_ACCEPT, 80, S); /* the reading may have passed that place already */
    berth_tcp_evidence_end(&evidence, true, ALL);
    assert_false(is_provable(80));
    assert_true(is_provable(81));
}

static void provable__lost_or_not_told__is_nothing_until_a_reading_without(void **state)
{
    (void)state;
    read_connections();
    berth_tcp_evidence_lost(&evidence);
    assert_false(is_provable(80));
    read_connections();
    assert_true(is_provable(80));
    berth_tcp_evidence_begin(&evidence);
    berth_tcp_evidence_lost(&evidence);
    berth_tcp_evidence_end(&evidence, true, ALL);
    assert_false(is_provable(80));
    read_connections();
    berth_tcp_evidence_begin(&evidence);
    berth_tcp_evidence_end(&evidence, false, BERTH_TCP_TOLD_ENDS);
    assert_false(is_provable(80));
}

static void of__listener_ended_and_gone__is_unused(void **state)
{
    (void)state;
    read_connections();
    assert_int_equal(berth_tcp_evidence_of(&evidence, 80, S), BERTH_TCP_UNPROVEN);
    happen(BERTH_TCP_EVENT_RELEASE, 80, S);
    assert_int_equal(berth_tcp_evidence_of(&evidence, 80, S), BERTH_TCP_PENDING);
    happen(BERTH_TCP_EVENT_GONE, 80, S);
    assert_int_equal(berth_tcp_evidence_of(&evidence, 80, S), BERTH_TCP_UNUSED);
    assert_int_equal(berth_tcp_evidence_of(&evidence, 81, S), BERTH_TCP_UNPROVEN);
}

static void of__listener_ended_and_bound_still__is_unproven_after_a_while(void **state)
{
    (void)state;
    read_connections();
    happen(BERTH_TCP_EVENT_RELEASE, 80, S);
    assert_int_equal(berth_tcp_evidence_of(&evidence, 80, S + BERTH_TCP_END_PATIENCE_NS - 1),
                     BERTH_TCP_PENDING);
    assert_int_equal(berth_tcp_evidence_of(&evidence, 80, S + BERTH_TCP_END_PATIENCE_NS),
                     BERTH_TCP_UNPROVEN);
}

static void of__two_listeners_ended__needs_both_gone(void **state)
{
    (void)state;
    read_connections();
    happen(BERTH_TCP_EVENT_RELEASE, 80, S);
    happen(BERTH_TCP_EVENT_RELEASE, 80, S + MS);
    happen(BERTH_TCP_EVENT_GONE, 80, S + MS);
    assert_int_equal(berth_tcp_evidence_of(&evidence, 80, S + MS), BERTH_TCP_PENDING);
    happen(BERTH_TCP_EVENT_GONE, 80, S + MS);
    assert_int_equal(berth_tcp_evidence_of(&evidence, 80, S + MS), BERTH_TCP_UNUSED);
}

static void of__socket_gone_that_never_listened__proves_nothing(void **state)
{
    (void)state;
    read_connections();
    happen(BERTH_TCP_EVENT_GONE, 80, S);
    happen(BERTH_TCP_EVENT_RELEASE, 80, S);
    assert_int_equal(berth_tcp_evidence_of(&evidence, 80, S), BERTH_TCP_PENDING);
}

static void of__ends_not_told__is_unproven(void **state)
{
    (void)state;
    read_connections();
    berth_tcp_evidence_begin(&evidence);
    berth_tcp_evidence_end(&evidence, false, BERTH_TCP_TOLD_CONNECTIONS);
    happen(BERTH_TCP_EVENT_RELEASE, 80, S);
    assert_int_equal(berth_tcp_evidence_of(&evidence, 80, S), BERTH_TCP_UNPROVEN);
}

static void of__foreign_end_long_ago__does_not_count(void **state)
{
    (void)state;
    read_connections();
    happen(BERTH_TCP_EVENT_RELEASE, 80, S); /* of another namespace: never told to be gone */
    happen(BERTH_TCP_EVENT_RELEASE, 80, S + BERTH_TCP_END_MEMORY_NS);
    happen(BERTH_TCP_EVENT_GONE, 80, S + BERTH_TCP_END_MEMORY_NS);
    assert_int_equal(berth_tcp_evidence_of(&evidence, 80, S + BERTH_TCP_END_MEMORY_NS),
                     BERTH_TCP_UNUSED);
}

static void of__more_ends_than_remembered__are_unproven(void **state)
{
    (void)state;
    read_connections();
    for (uint16_t i = 0; i <= BERTH_TCP_ENDS_MAX; i++) {
        happen(BERTH_TCP_EVENT_RELEASE, (uint16_t)(1000 + i), S);
    }
    happen(BERTH_TCP_EVENT_GONE, 1000, S);
    assert_int_equal(berth_tcp_evidence_of(&evidence, 1000, S), BERTH_TCP_UNPROVEN);
    assert_int_equal(berth_tcp_evidence_of(&evidence, 1001, S), BERTH_TCP_PENDING);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(provable__connections_never_read__is_nothing, begin),
        cmocka_unit_test_setup(provable__known_elsewhere__is_not, begin),
        cmocka_unit_test_setup(provable__any_word_of_a_connection__is_not_until_they_are_read,
                               begin),
        cmocka_unit_test_setup(provable__word_came_during_the_reading__is_not_after_it, begin),
        cmocka_unit_test_setup(provable__lost_or_not_told__is_nothing_until_a_reading_without,
                               begin),
        cmocka_unit_test_setup(of__listener_ended_and_gone__is_unused, begin),
        cmocka_unit_test_setup(of__listener_ended_and_bound_still__is_unproven_after_a_while,
                               begin),
        cmocka_unit_test_setup(of__two_listeners_ended__needs_both_gone, begin),
        cmocka_unit_test_setup(of__socket_gone_that_never_listened__proves_nothing, begin),
        cmocka_unit_test_setup(of__ends_not_told__is_unproven, begin),
        cmocka_unit_test_setup(of__foreign_end_long_ago__does_not_count, begin),
        cmocka_unit_test_setup(of__more_ends_than_remembered__are_unproven, begin),
    };
    return cmocka_run_group_tests_name("tcp_evidence", tests, NULL, NULL);
}
