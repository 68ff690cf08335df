/* SPDX-License-Identifier: MIT */
/* The TCP watcher: when it reads, and what it reports. */
#include "tcp_watcher_case.h"

static void start__good_table__reports_each_feed_then_ready(void **state)
{
    struct seen *seen = *state;

    add(80, BERTH_CLAIM_LISTENER);
    add(81, BERTH_CLAIM_BOUND);
    add(82, BERTH_CLAIM_CONNECTION);
    begin_watching(seen, HOUR_MS, HOUR_MS, BERTH_TCP_WATCH_EVENTS_AUTO);
    assert_int_equal(seen->states, 0);
    await_states(seen, 1);
    assert_int_equal(seen->state, BERTH_STATE_READY);
    assert_int_equal(seen->ports[BERTH_TCP_FEED_LISTENERS], 80);
    assert_int_equal(seen->ports[BERTH_TCP_FEED_BOUND], 81);
    assert_int_equal(seen->ports[BERTH_TCP_FEED_CONNECTIONS], 82);
    assert_int_equal(seen->watcher->ops->source, BERTH_SOURCE_TCP);
    assert_int_equal(seen->watcher->ops->feed_count, BERTH_TCP_FEED_COUNT);
    end_watching(seen);
}

static void snapshots__come_so_that_no_port_falls_between_two_feeds(void **state)
{
    struct seen *seen = *state;

    begin_watching(seen, HOUR_MS, HOUR_MS, BERTH_TCP_WATCH_EVENTS_AUTO);
    await_states(seen, 1);
    assert_int_equal(seen->order[0], BERTH_TCP_FEED_CONNECTIONS);
    assert_int_equal(seen->order[1], BERTH_TCP_FEED_LISTENERS);
    assert_int_equal(seen->order[2], BERTH_TCP_FEED_BOUND);
    end_watching(seen);
}

static void poll__with_events__reads_no_connections_before_full(void **state)
{
    struct seen *seen = *state;

    begin_watching(seen, 1, HOUR_MS, BERTH_TCP_WATCH_EVENTS_AUTO);
    await_calm(seen);
    await_states(seen, seen->states + 3); /* polls before the events were told may have counted */
    unsigned connections = seen->snapshots[BERTH_TCP_FEED_CONNECTIONS];
    unsigned listeners = seen->snapshots[BERTH_TCP_FEED_LISTENERS];
    unsigned bound = seen->snapshots[BERTH_TCP_FEED_BOUND];
    await_states(seen, seen->states + 5);
    assert_true(seen->snapshots[BERTH_TCP_FEED_LISTENERS] >= listeners + 5);
    assert_true(seen->snapshots[BERTH_TCP_FEED_BOUND] >= bound + 5);
    assert_int_equal(seen->snapshots[BERTH_TCP_FEED_CONNECTIONS], connections);
    end_watching(seen);
}

static void poll__without_events__reads_everything(void **state)
{
    struct seen *seen = *state;

    begin_watching(seen, 1, HOUR_MS, BERTH_TCP_WATCH_EVENTS_OFF);
    await_states(seen, 5);
    assert_true(seen->snapshots[BERTH_TCP_FEED_CONNECTIONS] >= 5);
    end_watching(seen);
}

static void set_events__off__reads_connections_every_poll(void **state)
{
    struct seen *seen = *state;

    begin_watching(seen, 1, HOUR_MS, BERTH_TCP_WATCH_EVENTS_AUTO);
    await_states(seen, 1);
    berth_tcp_watcher_set_events(seen->watcher, BERTH_TCP_WATCH_EVENTS_OFF);
    while (seen->snapshots[BERTH_TCP_FEED_CONNECTIONS] < 3) {
        turn(seen);
    }
    end_watching(seen);
}

static void poll__slow_part__is_read_more_rarely(void **state)
{
    struct seen *seen = *state;

    berth_fake_tcp_duration(BERTH_TCP_PART_BOUND, 1000000000u); /* next in 100 s */
    begin_watching(seen, 1, 1, BERTH_TCP_WATCH_EVENTS_OFF);
    await_states(seen, 5);
    assert_true(seen->snapshots[BERTH_TCP_FEED_LISTENERS] >= 5);
    assert_int_equal(seen->snapshots[BERTH_TCP_FEED_BOUND], 1);
    end_watching(seen);
}

static void poll__slow_part_that_holds_ports__is_not_read_for_their_absence_elsewhere(void **state)
{
    struct seen *seen = *state;

    add(80, BERTH_CLAIM_LISTENER);
    add(81, BERTH_CLAIM_BOUND);
    berth_fake_tcp_duration(BERTH_TCP_PART_BOUND, 1000000000u); /* next in 100 s */
    begin_watching(seen, 1, HOUR_MS, BERTH_TCP_WATCH_EVENTS_AUTO);
    await_calm(seen);
    await_states(seen, seen->states + 3); /* what the events' start wanted is over, too */
    unsigned connections = berth_fake_tcp_reads(BERTH_TCP_CONNECTIONS);
    unsigned bound = berth_fake_tcp_reads(BERTH_TCP_BOUND);
    await_states(seen, seen->states + 5);
    assert_int_equal(berth_fake_tcp_reads(BERTH_TCP_BOUND), bound);
    assert_int_equal(berth_fake_tcp_reads(BERTH_TCP_CONNECTIONS), connections);
    /* a port that does vanish is worth the whole, slow part or not */
    (void)berth_fake_tcp_remove(80);
    while (seen->ports[BERTH_TCP_FEED_LISTENERS] == 80) {
        turn(seen);
    }
    assert_int_equal(seen->snapshots[BERTH_TCP_FEED_BOUND], bound + 1);
    assert_int_equal(seen->snapshots[BERTH_TCP_FEED_CONNECTIONS], connections + 1);
    end_watching(seen);
}

static void look__between_polls__sees_what_changed(void **state)
{
    struct seen *seen = *state;

    begin_watching(seen, HOUR_MS, HOUR_MS, BERTH_TCP_WATCH_EVENTS_AUTO);
    await_calm(seen);
    add(80, BERTH_CLAIM_LISTENER);
    seen->watcher->ops->look(seen->watcher);
    await_states(seen, seen->states + 1);
    assert_int_equal(seen->ports[BERTH_TCP_FEED_LISTENERS], 80);
    end_watching(seen);
}

static void look__many_times__makes_one_read(void **state)
{
    struct seen *seen = *state;

    begin_watching(seen, HOUR_MS, HOUR_MS, BERTH_TCP_WATCH_EVENTS_AUTO);
    await_calm(seen);
    unsigned before = berth_fake_tcp_reads(BERTH_TCP_EVERYTHING);
    for (unsigned i = 0; i < 1000; i++) {
        seen->watcher->ops->look(seen->watcher);
    }
    await_states(seen, seen->states + 1);
    assert_int_equal(berth_fake_tcp_reads(BERTH_TCP_EVERYTHING), before + 1);
    end_watching(seen);
}

static void look__while_a_read_is_on__makes_another(void **state)
{
    struct seen *seen = *state;

    berth_fake_tcp_hold();
    begin_watching(seen, HOUR_MS, HOUR_MS, BERTH_TCP_WATCH_EVENTS_OFF);
    while (berth_fake_tcp_reads(BERTH_TCP_EVERYTHING) == 0) {
        (void)uv_run(&seen->loop, UV_RUN_NOWAIT);
        assert_false(seen->late);
    }
    seen->watcher->ops->look(seen->watcher);
    berth_fake_tcp_let_go();
    await_states(seen, 2);
    assert_int_equal(seen->snapshots[BERTH_TCP_FEED_LISTENERS], 2);
    end_watching(seen);
}

static void look__from_within_a_report__is_allowed(void **state)
{
    struct seen *seen = *state;

    begin_watching(seen, HOUR_MS, HOUR_MS, BERTH_TCP_WATCH_EVENTS_OFF);
    seen->look_on_snapshot = true;
    await_states(seen, 2);
    end_watching(seen);
}

static void vanished_port__held_by_connections__is_told_with_them(void **state)
{
    struct seen *seen = *state;

    add(80, BERTH_CLAIM_LISTENER);
    begin_watching(seen, 1, HOUR_MS, BERTH_TCP_WATCH_EVENTS_AUTO);
    await_calm(seen);
    await_states(seen, seen->states + 3); /* what the events' start wanted is over, too */
    unsigned before = seen->snapshots[BERTH_TCP_FEED_CONNECTIONS];
    berth_fake_tcp_hold();
    (void)berth_fake_tcp_remove(80);
    add(80, BERTH_CLAIM_CONNECTION);
    berth_fake_tcp_let_go();
    while (seen->ports[BERTH_TCP_FEED_LISTENERS] == 80) {
        turn(seen);
    }
    /* never gone from the one without being in the other */
    assert_int_equal(seen->ports[BERTH_TCP_FEED_CONNECTIONS], 80);
    assert_int_equal(seen->snapshots[BERTH_TCP_FEED_CONNECTIONS], before + 1);
    end_watching(seen);
}

static void failure__before_the_first_success__is_waiting_with_the_reason(void **state)
{
    struct seen *seen = *state;

    berth_fake_tcp_fail_opens(1, BERTH_IO, "no netlink");
    berth_fake_tcp_fail_reads(1, BERTH_UNSTABLE, "disturbed");
    begin_watching(seen, 1, HOUR_MS, BERTH_TCP_WATCH_EVENTS_OFF);
    await_states(seen, 1);
    assert_int_equal(seen->state, BERTH_STATE_WAITING);
    assert_string_equal(seen->reason, "no netlink");
    await_states(seen, 2);
    assert_int_equal(seen->state, BERTH_STATE_WAITING);
    assert_string_equal(seen->reason, "disturbed");
    assert_int_equal(seen->snapshots[BERTH_TCP_FEED_LISTENERS], 0);
    await_states(seen, 3);
    assert_int_equal(seen->state, BERTH_STATE_READY);
    end_watching(seen);
}

static void failure__later__is_stale_and_frees_nothing_until_all_is_read(void **state)
{
    struct seen *seen = *state;

    add(80, BERTH_CLAIM_LISTENER);
    begin_watching(seen, 1, HOUR_MS, BERTH_TCP_WATCH_EVENTS_OFF);
    await_states(seen, 1);
    berth_fake_tcp_fail_reads(3, BERTH_IO, "refused");
    while (seen->state != BERTH_STATE_STALE) {
        turn(seen);
    }
    assert_string_equal(seen->reason, "refused");
    assert_int_equal(seen->ports[BERTH_TCP_FEED_LISTENERS], 80);
    while (seen->state == BERTH_STATE_STALE) {
        turn(seen);
    }
    assert_int_equal(seen->state, BERTH_STATE_READY);
    assert_true(seen->snapshots[BERTH_TCP_FEED_CONNECTIONS] >= 2);
    end_watching(seen);
}

/* A bound socket that begins to listen must not be let go by one feed while the other one's news of
 * it is not taken. */
static void snapshot__of_listeners_not_taken__bound_lets_nothing_go(void **state)
{
    struct seen *seen = *state;

    add(80, BERTH_CLAIM_BOUND);
    begin_watching(seen, HOUR_MS, HOUR_MS, BERTH_TCP_WATCH_EVENTS_OFF);
    await_states(seen, 1);
    assert_int_equal(seen->ports[BERTH_TCP_FEED_BOUND], 80);
    (void)berth_fake_tcp_remove(80);
    add(80, BERTH_CLAIM_LISTENER);
    seen->refused = 1u << BERTH_TCP_FEED_LISTENERS;
    seen->watcher->ops->look(seen->watcher);
    await_states(seen, 3);
    assert_int_equal(seen->state, BERTH_STATE_STALE);
    assert_string_equal(seen->reason, "feed 0 is not taken");
    assert_int_equal(seen->ports[BERTH_TCP_FEED_BOUND], 80);
    seen->refused = 0;
    await_states(seen, seen->states + 1);
    assert_int_equal(seen->state, BERTH_STATE_READY);
    assert_int_equal(seen->ports[BERTH_TCP_FEED_LISTENERS], 80);
    assert_int_equal(seen->ports[BERTH_TCP_FEED_BOUND], 0);
    end_watching(seen);
}

static void bound_not_listed__is_degraded_with_an_empty_feed(void **state)
{
    struct seen *seen = *state;

    berth_fake_tcp_lists_bound(false, "this kernel does not list them");
    add(81, BERTH_CLAIM_BOUND);
    begin_watching(seen, HOUR_MS, HOUR_MS, BERTH_TCP_WATCH_EVENTS_AUTO);
    await_states(seen, 1);
    assert_int_equal(seen->state, BERTH_STATE_DEGRADED);
    assert_string_equal(seen->reason, "this kernel does not list them");
    assert_int_equal(seen->snapshots[BERTH_TCP_FEED_BOUND], 1);
    assert_int_equal(seen->ports[BERTH_TCP_FEED_BOUND], 0);
    end_watching(seen);
}

static void stop__while_a_read_is_on_the_pool__waits_for_it_and_reports_nothing(void **state)
{
    struct seen *seen = *state;

    berth_fake_tcp_hold();
    begin_watching(seen, HOUR_MS, HOUR_MS, BERTH_TCP_WATCH_EVENTS_OFF);
    while (berth_fake_tcp_reads(BERTH_TCP_EVERYTHING) == 0) {
        (void)uv_run(&seen->loop, UV_RUN_NOWAIT);
        assert_false(seen->late);
    }
    seen->watcher->ops->stop(seen->watcher, take_stopped);
    for (unsigned i = 0; i < 10; i++) {
        (void)uv_run(&seen->loop, UV_RUN_NOWAIT);
    }
    assert_int_equal(seen->stops, 0);
    berth_fake_tcp_let_go();
    while (seen->stops == 0) {
        turn(seen);
    }
    assert_int_equal(seen->states, 0);
    seen->watcher->ops->destroy(seen->watcher);
    uv_close((uv_handle_t *)&seen->deadline, NULL);
    (void)uv_run(&seen->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&seen->loop), 0);
    assert_int_equal(berth_fake_tcp_open_tables(), 0);
    assert_false(berth_fake_events_is_open());
}

static void stop__right_after_start__ends_cleanly(void **state)
{
    struct seen *seen = *state;

    begin_watching(seen, 1, 1, BERTH_TCP_WATCH_EVENTS_OFF);
    end_watching(seen);
    assert_int_equal(seen->states, 0);
}

static void create__time_of_zero__is_refused(void **state)
{
    const struct berth_tcp_watcher_options options = {0, 1, BERTH_TCP_WATCH_EVENTS_OFF};
    struct berth_watcher *watcher = NULL;
    struct berth_error err = {0};
    uv_loop_t loop;

    (void)state;
    assert_code(berth_tcp_watcher_create(&watcher, &loop, &options, &err), BERTH_INVALID_PARAMS);
    assert_null(watcher);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SCRIPTED(start__good_table__reports_each_feed_then_ready),
        SCRIPTED(snapshots__come_so_that_no_port_falls_between_two_feeds),
        SCRIPTED(poll__with_events__reads_no_connections_before_full),
        SCRIPTED(poll__without_events__reads_everything),
        SCRIPTED(set_events__off__reads_connections_every_poll),
        SCRIPTED(poll__slow_part__is_read_more_rarely),
        SCRIPTED(poll__slow_part_that_holds_ports__is_not_read_for_their_absence_elsewhere),
        SCRIPTED(look__between_polls__sees_what_changed),
        SCRIPTED(look__many_times__makes_one_read),
        SCRIPTED(look__while_a_read_is_on__makes_another),
        SCRIPTED(look__from_within_a_report__is_allowed),
        SCRIPTED(vanished_port__held_by_connections__is_told_with_them),
        SCRIPTED(failure__before_the_first_success__is_waiting_with_the_reason),
        SCRIPTED(failure__later__is_stale_and_frees_nothing_until_all_is_read),
        SCRIPTED(snapshot__of_listeners_not_taken__bound_lets_nothing_go),
        SCRIPTED(bound_not_listed__is_degraded_with_an_empty_feed),
        SCRIPTED(stop__while_a_read_is_on_the_pool__waits_for_it_and_reports_nothing),
        SCRIPTED(stop__right_after_start__ends_cleanly),
        SCRIPTED(create__time_of_zero__is_refused),
    };
    return cmocka_run_group_tests_name("tcp_watcher", tests, NULL, NULL);
}
