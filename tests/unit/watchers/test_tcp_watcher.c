/* SPDX-License-Identifier: MIT */
/* The TCP watcher on a real loop, over the fake table. */
#include "tests/support/cmocka_all.h"
#include "watchers/fake/tcp_table_script.h"
#include "watchers/tcp_watcher.h"

#define DEADLINE_MS 10000
#define HOUR_MS 3600000u

/* What the watcher reported, and the loop it runs on. */
struct seen {
    uv_loop_t loop;
    uv_timer_t deadline;
    bool late;
    struct berth_watcher *watcher;
    unsigned snapshots[BERTH_TCP_FEED_COUNT];
    unsigned order[8]; /* feeds of the last snapshots */
    unsigned order_count;
    uint32_t ports[BERTH_TCP_FEED_COUNT]; /* a port of each feed's last snapshot; 0: none */
    unsigned states;
    enum berth_source_state state;
    char reason[200];
    unsigned stops;
    bool look_on_snapshot;
};

static void take_snapshot(struct berth_watcher *from, unsigned feed,
                          const struct berth_snapshot *snapshot)
{
    struct seen *seen = from->owner;

    assert_true(feed < BERTH_TCP_FEED_COUNT);
    assert_int_equal(seen->stops, 0);
    seen->snapshots[feed]++;
    seen->ports[feed] = snapshot->claim_count != 0 ? snapshot->claims[0].port : 0;
    if (seen->order_count < BERTH_COUNT(seen->order)) {
        seen->order[seen->order_count++] = feed;
    }
    if (seen->look_on_snapshot) {
        seen->look_on_snapshot = false;
        from->ops->look(from);
    }
}

static void take_state(struct berth_watcher *from, enum berth_source_state state,
                       const char *reason)
{
    struct seen *seen = from->owner;

    assert_true((reason == NULL) == (state == BERTH_STATE_READY));
    seen->states++;
    seen->state = state;
    (void)snprintf(seen->reason, sizeof seen->reason, "%s", reason != NULL ? reason : "");
}

static const struct berth_watcher_sink sink = {take_snapshot, take_state};

static void take_stopped(struct berth_watcher *watcher)
{
    struct seen *seen = watcher->owner;

    seen->stops++;
}

static void deadline_cb(uv_timer_t *timer)
{
    struct seen *seen = timer->data;

    seen->late = true;
}

static void begin_watching(struct seen *seen, uint64_t poll_ms, uint64_t full_ms, bool events)
{
    const struct berth_tcp_watcher_options options = {poll_ms, full_ms, events};
    struct berth_error err = {0};

    *seen = (struct seen){.states = 0};
    assert_int_equal(uv_loop_init(&seen->loop), 0);
    assert_int_equal(uv_timer_init(&seen->loop, &seen->deadline), 0);
    seen->deadline.data = seen;
    assert_int_equal(uv_timer_start(&seen->deadline, deadline_cb, DEADLINE_MS, 0), 0);
    assert_ok(berth_tcp_watcher_create(&seen->watcher, &seen->loop, &options, &err), &err);
    seen->watcher->sink = &sink;
    seen->watcher->owner = seen;
    assert_ok(seen->watcher->ops->start(seen->watcher, &err), &err);
}

static void turn(struct seen *seen)
{
    (void)uv_run(&seen->loop, UV_RUN_ONCE);
    assert_false(seen->late);
}

static void await_states(struct seen *seen, unsigned states)
{
    while (seen->states < states) {
        turn(seen);
    }
}

static void end_watching(struct seen *seen)
{
    seen->watcher->ops->stop(seen->watcher, take_stopped);
    while (seen->stops == 0) {
        turn(seen);
    }
    seen->watcher->ops->destroy(seen->watcher);
    uv_close((uv_handle_t *)&seen->deadline, NULL);
    (void)uv_run(&seen->loop, UV_RUN_DEFAULT);
    assert_int_equal(seen->stops, 1);
    assert_int_equal(uv_loop_close(&seen->loop), 0);
    assert_int_equal(berth_fake_tcp_open_tables(), 0);
}

static int set_up(void **state)
{
    static struct seen seen;

    berth_fake_tcp_reset();
    *state = &seen;
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    berth_fake_tcp_free();
    return 0;
}

static void add(uint16_t port, enum berth_claim_kind kind)
{
    struct berth_claim claim = berth_claim_make(port, kind);

    berth_fake_tcp_add(&claim);
}

static void start__good_table__reports_each_feed_then_ready(void **state)
{
    struct seen *seen = *state;

    add(80, BERTH_CLAIM_LISTENER);
    add(81, BERTH_CLAIM_BOUND);
    add(82, BERTH_CLAIM_CONNECTION);
    begin_watching(seen, HOUR_MS, HOUR_MS, true);
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

    begin_watching(seen, HOUR_MS, HOUR_MS, true);
    await_states(seen, 1);
    assert_int_equal(seen->order[0], BERTH_TCP_FEED_CONNECTIONS);
    assert_int_equal(seen->order[1], BERTH_TCP_FEED_LISTENERS);
    assert_int_equal(seen->order[2], BERTH_TCP_FEED_BOUND);
    end_watching(seen);
}

static void poll__with_events__reads_no_connections_before_full(void **state)
{
    struct seen *seen = *state;

    begin_watching(seen, 1, HOUR_MS, true);
    await_states(seen, 5);
    assert_true(seen->snapshots[BERTH_TCP_FEED_LISTENERS] >= 5);
    assert_true(seen->snapshots[BERTH_TCP_FEED_BOUND] >= 5);
    assert_int_equal(seen->snapshots[BERTH_TCP_FEED_CONNECTIONS], 1);
    end_watching(seen);
}

static void poll__without_events__reads_everything(void **state)
{
    struct seen *seen = *state;

    begin_watching(seen, 1, HOUR_MS, false);
    await_states(seen, 5);
    assert_true(seen->snapshots[BERTH_TCP_FEED_CONNECTIONS] >= 5);
    end_watching(seen);
}

static void set_events__off__reads_connections_every_poll(void **state)
{
    struct seen *seen = *state;

    begin_watching(seen, 1, HOUR_MS, true);
    await_states(seen, 1);
    berth_tcp_watcher_set_events(seen->watcher, false);
    while (seen->snapshots[BERTH_TCP_FEED_CONNECTIONS] < 3) {
        turn(seen);
    }
    end_watching(seen);
}

static void poll__slow_part__is_read_more_rarely(void **state)
{
    struct seen *seen = *state;

    berth_fake_tcp_duration(BERTH_TCP_PART_BOUND, 1000000000u); /* next in 100 s */
    begin_watching(seen, 1, 1, true);
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
    begin_watching(seen, 1, HOUR_MS, true);
    await_states(seen, 5);
    assert_int_equal(berth_fake_tcp_reads(BERTH_TCP_BOUND), 1);
    assert_int_equal(berth_fake_tcp_reads(BERTH_TCP_CONNECTIONS), 1);
    /* a port that does vanish is worth the whole, slow part or not */
    (void)berth_fake_tcp_remove(80);
    while (seen->ports[BERTH_TCP_FEED_LISTENERS] == 80) {
        turn(seen);
    }
    assert_int_equal(seen->snapshots[BERTH_TCP_FEED_BOUND], 2);
    assert_int_equal(seen->snapshots[BERTH_TCP_FEED_CONNECTIONS], 2);
    end_watching(seen);
}

static void look__between_polls__sees_what_changed(void **state)
{
    struct seen *seen = *state;

    begin_watching(seen, HOUR_MS, HOUR_MS, true);
    await_states(seen, 1);
    add(80, BERTH_CLAIM_LISTENER);
    seen->watcher->ops->look(seen->watcher);
    await_states(seen, 2);
    assert_int_equal(seen->ports[BERTH_TCP_FEED_LISTENERS], 80);
    end_watching(seen);
}

static void look__many_times__makes_one_read(void **state)
{
    struct seen *seen = *state;

    begin_watching(seen, HOUR_MS, HOUR_MS, true);
    await_states(seen, 1);
    unsigned before = berth_fake_tcp_reads(BERTH_TCP_EVERYTHING);
    for (unsigned i = 0; i < 1000; i++) {
        seen->watcher->ops->look(seen->watcher);
    }
    await_states(seen, 2);
    assert_int_equal(berth_fake_tcp_reads(BERTH_TCP_EVERYTHING), before + 1);
    end_watching(seen);
}

static void look__while_a_read_is_on__makes_another(void **state)
{
    struct seen *seen = *state;

    berth_fake_tcp_hold();
    begin_watching(seen, HOUR_MS, HOUR_MS, true);
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

    begin_watching(seen, HOUR_MS, HOUR_MS, true);
    seen->look_on_snapshot = true;
    await_states(seen, 2);
    end_watching(seen);
}

static void vanished_port__held_by_connections__is_told_with_them(void **state)
{
    struct seen *seen = *state;

    add(80, BERTH_CLAIM_LISTENER);
    begin_watching(seen, 1, HOUR_MS, true);
    await_states(seen, 1);
    berth_fake_tcp_hold();
    (void)berth_fake_tcp_remove(80);
    add(80, BERTH_CLAIM_CONNECTION);
    berth_fake_tcp_let_go();
    while (seen->ports[BERTH_TCP_FEED_LISTENERS] == 80) {
        turn(seen);
    }
    /* never gone from the one without being in the other */
    assert_int_equal(seen->ports[BERTH_TCP_FEED_CONNECTIONS], 80);
    assert_int_equal(seen->snapshots[BERTH_TCP_FEED_CONNECTIONS], 2);
    end_watching(seen);
}

static void failure__before_the_first_success__is_waiting_with_the_reason(void **state)
{
    struct seen *seen = *state;

    berth_fake_tcp_fail_opens(1, BERTH_IO, "no netlink");
    berth_fake_tcp_fail_reads(1, BERTH_UNSTABLE, "disturbed");
    begin_watching(seen, 1, HOUR_MS, true);
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
    begin_watching(seen, 1, HOUR_MS, true);
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
    assert_int_equal(seen->snapshots[BERTH_TCP_FEED_CONNECTIONS], 2);
    end_watching(seen);
}

static void bound_not_listed__is_degraded_with_an_empty_feed(void **state)
{
    struct seen *seen = *state;

    berth_fake_tcp_lists_bound(false, "this kernel does not list them");
    add(81, BERTH_CLAIM_BOUND);
    begin_watching(seen, HOUR_MS, HOUR_MS, true);
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
    begin_watching(seen, HOUR_MS, HOUR_MS, true);
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
}

static void stop__right_after_start__ends_cleanly(void **state)
{
    struct seen *seen = *state;

    begin_watching(seen, 1, 1, false);
    end_watching(seen);
    assert_int_equal(seen->states, 0);
}

static void create__time_of_zero__is_refused(void **state)
{
    const struct berth_tcp_watcher_options options = {0, 1, false};
    struct berth_watcher *watcher = NULL;
    struct berth_error err = {0};
    uv_loop_t loop;

    (void)state;
    assert_code(berth_tcp_watcher_create(&watcher, &loop, &options, &err), BERTH_INVALID_PARAMS);
    assert_null(watcher);
}

int main(void)
{
#define SCRIPTED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
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
        SCRIPTED(bound_not_listed__is_degraded_with_an_empty_feed),
        SCRIPTED(stop__while_a_read_is_on_the_pool__waits_for_it_and_reports_nothing),
        SCRIPTED(stop__right_after_start__ends_cleanly),
        SCRIPTED(create__time_of_zero__is_refused),
    };
#undef SCRIPTED
    return cmocka_run_group_tests_name("tcp_watcher", tests, NULL, NULL);
}
