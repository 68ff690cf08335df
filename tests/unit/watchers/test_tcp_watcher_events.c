/* SPDX-License-Identifier: MIT */
/* The TCP watcher and the system's events. */
#include "tcp_watcher_case.h"

#include "watchers/tcp_watcher_private.h"

static void happen(enum berth_tcp_event_what what, uint16_t port)
{
    const struct berth_tcp_event event = {.port = port,
                                          .what = (uint8_t)what,
                                          .address = {.family = BERTH_FAMILY_IPV4},
                                          .process_id = 4711};

    berth_fake_events_tell(&event, 1);
}

/* Readings of listeners take so long that they are left to another thread, which a test can hold
 * up.
 */
static int set_up_slow(void **state)
{
    int status = set_up(state);

    berth_fake_tcp_duration(BERTH_TCP_PART_LISTENERS, BERTH_TCP_WATCH_BRIEF_NS + 1);
    return status;
}

static void begin_calm(struct seen *seen, uint64_t poll_ms)
{
    begin_watching(seen, poll_ms, HOUR_MS, BERTH_TCP_WATCH_EVENTS_AUTO);
    await_calm(seen);
}

static void listen_event__port_is_busy_before_any_reading_ends(void **state)
{
    struct seen *seen = *state;

    begin_calm(seen, HOUR_MS);
    add(80, BERTH_CLAIM_LISTENER);
    berth_fake_tcp_hold(); /* no reading ends from here on */
    unsigned snapshots = seen->snapshots[BERTH_TCP_FEED_LISTENERS];
    happen(BERTH_TCP_EVENT_LISTEN, 80);
    while (seen->busy_count == 0) {
        turn(seen);
    }
    assert_int_equal(seen->snapshots[BERTH_TCP_FEED_LISTENERS], snapshots);
    assert_int_equal(seen->busy_ports[BERTH_TCP_FEED_LISTENERS], 80);
    assert_int_equal(seen->busy.kind, BERTH_CLAIM_LISTENER);
    assert_int_equal(seen->busy.process_id, 4711);
    berth_fake_tcp_let_go();
    while (seen->ports[BERTH_TCP_FEED_LISTENERS] != 80) {
        turn(seen);
    }
    assert_int_equal(berth_fake_tcp_suggested(), 4711);
    end_watching(seen);
}

static void listen_event__nothing_listens__port_is_free_again_after_a_second_look(void **state)
{
    struct seen *seen = *state;

    begin_calm(seen, HOUR_MS);
    unsigned snapshots = seen->snapshots[BERTH_TCP_FEED_LISTENERS];
    happen(BERTH_TCP_EVENT_LISTEN, 80);
    while (seen->snapshots[BERTH_TCP_FEED_LISTENERS] == snapshots) {
        turn(seen);
    }
    /* the first look comes too early to decide, unless the machine was very slow to take it */
    bool held = seen->ports[BERTH_TCP_FEED_LISTENERS] == 80;
    (void)printf("the first look %s\n", held ? "left it open" : "came late");
    while (seen->ports[BERTH_TCP_FEED_LISTENERS] == 80) {
        turn(seen);
    }
    end_watching(seen);
}

/* A listener that was gone before any reading saw it may have accepted a connection. */
static void listen_event__of_a_listener_that_is_gone__reads_connections_before_it_ends(void **state)
{
    struct seen *seen = *state;

    begin_calm(seen, HOUR_MS);
    unsigned connections = seen->snapshots[BERTH_TCP_FEED_CONNECTIONS];
    add(80, BERTH_CLAIM_CONNECTION);
    happen(BERTH_TCP_EVENT_LISTEN, 80);
    while (seen->busy_count == 0) {
        turn(seen);
    }
    while (seen->ports[BERTH_TCP_FEED_CONNECTIONS] != 80) {
        /* known only as a listener yet */
        assert_true(seen->snapshots[BERTH_TCP_FEED_CONNECTIONS] == connections);
        turn(seen);
    }
    end_watching(seen);
}

static void listen_event__during_a_reading_that_cannot_have_seen_it__is_kept(void **state)
{
    struct seen *seen = *state;

    begin_calm(seen, HOUR_MS);
    unsigned reads = berth_fake_tcp_reads(BERTH_TCP_EVERYTHING);
    berth_fake_tcp_hold();
    seen->watcher->ops->look(seen->watcher);
    while (berth_fake_tcp_reads(BERTH_TCP_EVERYTHING) == reads) {
        (void)uv_run(&seen->loop, UV_RUN_NOWAIT);
        assert_false(seen->late);
    }
    happen(BERTH_TCP_EVENT_LISTEN, 80);
    while (seen->busy_count == 0) {
        turn(seen);
    }
    unsigned snapshots = seen->snapshots[BERTH_TCP_FEED_LISTENERS];
    berth_fake_tcp_let_go();
    while (seen->snapshots[BERTH_TCP_FEED_LISTENERS] == snapshots) {
        turn(seen);
    }
    assert_int_equal(seen->ports[BERTH_TCP_FEED_LISTENERS], 80);
    end_watching(seen);
}

static void connect_event__local_port_is_busy_and_no_table_is_read(void **state)
{
    struct seen *seen = *state;

    begin_calm(seen, HOUR_MS);
    unsigned reads = berth_fake_tcp_reads(BERTH_TCP_EVERYTHING);
    happen(BERTH_TCP_EVENT_CONNECT, 50000);
    while (seen->busy_count == 0) {
        turn(seen);
    }
    assert_int_equal(seen->busy_ports[BERTH_TCP_FEED_CONNECTIONS], 50000);
    assert_int_equal(seen->busy.kind, BERTH_CLAIM_CONNECTION);
    happen(BERTH_TCP_EVENT_CONNECT, 50000); /* is known */
    happen(BERTH_TCP_EVENT_CONNECT, 50001);
    while (seen->busy_count == 1) {
        turn(seen);
    }
    assert_int_equal(seen->busy_count, 2);
    assert_int_equal(berth_fake_tcp_reads(BERTH_TCP_EVERYTHING), reads);
    end_watching(seen);
}

static void disconnect_event__of_a_connection_that_is_known__reads_connections(void **state)
{
    struct seen *seen = *state;

    add(50000, BERTH_CLAIM_CONNECTION);
    begin_calm(seen, HOUR_MS);
    (void)berth_fake_tcp_remove(50000);
    happen(BERTH_TCP_EVENT_DISCONNECT, 50000);
    while (seen->ports[BERTH_TCP_FEED_CONNECTIONS] != 0) {
        turn(seen);
    }
    end_watching(seen);
}

static void disconnect_event__on_a_listeners_port__reads_nothing(void **state)
{
    struct seen *seen = *state;
    struct berth_tcp_events_status status;

    add(80, BERTH_CLAIM_LISTENER);
    add(80, BERTH_CLAIM_CONNECTION);
    begin_calm(seen, HOUR_MS);
    unsigned reads = berth_fake_tcp_reads(BERTH_TCP_EVERYTHING);
    for (unsigned i = 0; i < 100; i++) {
        happen(BERTH_TCP_EVENT_DISCONNECT, 80);
    }
    do {
        turn(seen);
        berth_tcp_watcher_events(seen->watcher, &status);
    } while (status.total < 100);
    assert_int_equal(berth_fake_tcp_reads(BERTH_TCP_EVERYTHING), reads);
    end_watching(seen);
}

/* The system tells before its table has let go. */
static void disconnect_event__and_a_reading_that_comes_too_early__is_read_again(void **state)
{
    struct seen *seen = *state;

    add(50000, BERTH_CLAIM_CONNECTION);
    begin_calm(seen, HOUR_MS);
    uint64_t told_ns;
    do { /* until the machine is quick enough for the reading to begin too early */
        told_ns = uv_hrtime();
        happen(BERTH_TCP_EVENT_DISCONNECT, 50000);
        unsigned connections = seen->snapshots[BERTH_TCP_FEED_CONNECTIONS];
        while (seen->snapshots[BERTH_TCP_FEED_CONNECTIONS] == connections) {
            turn(seen);
        }
    } while (uv_hrtime() - told_ns >= BERTH_TCP_MARK_GRACE_NS);
    assert_int_equal(seen->ports[BERTH_TCP_FEED_CONNECTIONS], 50000);
    (void)berth_fake_tcp_remove(50000);
    while (seen->ports[BERTH_TCP_FEED_CONNECTIONS] == 50000) {
        turn(seen);
    }
    end_watching(seen);
}

static void disconnect_event__of_a_socket_found_bound__reads_those_too(void **state)
{
    struct seen *seen = *state;

    add(50000, BERTH_CLAIM_BOUND);
    begin_calm(seen, HOUR_MS);
    (void)berth_fake_tcp_remove(50000); /* connected since, and closed */
    happen(BERTH_TCP_EVENT_CONNECT, 50000);
    happen(BERTH_TCP_EVENT_DISCONNECT, 50000);
    while (seen->ports[BERTH_TCP_FEED_BOUND] == 50000 ||
           seen->ports[BERTH_TCP_FEED_CONNECTIONS] == 50000) {
        turn(seen);
    }
    end_watching(seen);
}

static void other_event__with_a_known_bound_socket__reads_those_too(void **state)
{
    struct seen *seen = *state;

    add(50000, BERTH_CLAIM_BOUND);
    begin_calm(seen, HOUR_MS);
    assert_int_equal(seen->ports[BERTH_TCP_FEED_BOUND], 50000);
    (void)berth_fake_tcp_remove(50000);
    happen(BERTH_TCP_EVENT_OTHER, 0);
    while (seen->ports[BERTH_TCP_FEED_BOUND] == 50000) {
        turn(seen);
    }
    end_watching(seen);
}

/* Its process was stopped in the midst of closing it, and its end is not told for good. */
static void
release_event__of_one_that_is_bound_for_long__is_looked_at_until_it_is_gone(void **state)
{
    struct seen *seen = *state;

    add(80, BERTH_CLAIM_LISTENER);
    begin_calm(seen, HOUR_MS);
    (void)berth_fake_tcp_remove(80);
    add(80, BERTH_CLAIM_BOUND);
    happen(BERTH_TCP_EVENT_RELEASE, 80);
    while (seen->ports[BERTH_TCP_FEED_LISTENERS] == 80) {
        turn(seen);
    }
    unsigned bound = seen->snapshots[BERTH_TCP_FEED_BOUND];
    while (seen->snapshots[BERTH_TCP_FEED_BOUND] < bound + 3) {
        turn(seen);
    }
    assert_int_equal(seen->ports[BERTH_TCP_FEED_BOUND], 80);
    (void)berth_fake_tcp_remove(80);
    while (seen->ports[BERTH_TCP_FEED_BOUND] == 80) {
        turn(seen);
    }
    end_watching(seen);
}

static void connecting_event__reads_connections_at_the_next_poll(void **state)
{
    struct seen *seen = *state;

    begin_calm(seen, 20);
    unsigned connections = seen->snapshots[BERTH_TCP_FEED_CONNECTIONS];
    add(50000, BERTH_CLAIM_CONNECTION);
    happen(BERTH_TCP_EVENT_CONNECTING, 0);
    while (seen->snapshots[BERTH_TCP_FEED_CONNECTIONS] == connections) {
        turn(seen);
    }
    assert_int_equal(seen->ports[BERTH_TCP_FEED_CONNECTIONS], 50000);
    end_watching(seen);
}

static void release_event__looks_and_frees_what_is_gone(void **state)
{
    struct seen *seen = *state;

    add(80, BERTH_CLAIM_LISTENER);
    begin_calm(seen, HOUR_MS);
    (void)berth_fake_tcp_remove(80);
    happen(BERTH_TCP_EVENT_RELEASE, 80);
    while (seen->ports[BERTH_TCP_FEED_LISTENERS] == 80) {
        turn(seen);
    }
    end_watching(seen);
}

static void release_event__of_a_bound_socket__reads_those(void **state)
{
    struct seen *seen = *state;

    add(81, BERTH_CLAIM_BOUND);
    begin_calm(seen, HOUR_MS);
    (void)berth_fake_tcp_remove(81);
    happen(BERTH_TCP_EVENT_RELEASE, 81);
    while (seen->ports[BERTH_TCP_FEED_BOUND] == 81) {
        turn(seen);
    }
    end_watching(seen);
}

/* Waits for the reading of connections after which events can prove something. */
static void begin_provable(struct seen *seen)
{
    berth_fake_events_told(BERTH_TCP_TOLD_CONNECTIONS | BERTH_TCP_TOLD_ENDS);
    add(80, BERTH_CLAIM_LISTENER);
    begin_calm(seen, HOUR_MS);
    unsigned connections = seen->snapshots[BERTH_TCP_FEED_CONNECTIONS];
    seen->watcher->ops->look(seen->watcher);
    while (seen->snapshots[BERTH_TCP_FEED_CONNECTIONS] == connections) {
        turn(seen);
    }
}

static void listener__told_to_be_gone__is_let_go_without_reading_connections(void **state)
{
    struct seen *seen = *state;

    begin_provable(seen);
    unsigned reads = berth_fake_tcp_reads(BERTH_TCP_CONNECTIONS);
    (void)berth_fake_tcp_remove(80);
    happen(BERTH_TCP_EVENT_RELEASE, 80);
    happen(BERTH_TCP_EVENT_GONE, 80);
    while (seen->ports[BERTH_TCP_FEED_LISTENERS] == 80) {
        turn(seen);
    }
    assert_int_equal(berth_fake_tcp_reads(BERTH_TCP_CONNECTIONS), reads);
    end_watching(seen);
}

static void listener__readings_are_brief__is_let_go_on_the_loops_thread(void **state)
{
    struct seen *seen = *state;

    berth_fake_tcp_duration(BERTH_TCP_PART_LISTENERS, BERTH_TCP_WATCH_BRIEF_NS);
    begin_provable(seen);
    assert_false(berth_fake_tcp_read_here());
    add(81, BERTH_CLAIM_LISTENER);
    happen(BERTH_TCP_EVENT_LISTEN, 81);
    while (seen->listed[BERTH_TCP_FEED_LISTENERS] != 2) {
        turn(seen);
    }
    assert_false(berth_fake_tcp_read_here()); /* its port is busy by word of the event */
    (void)berth_fake_tcp_remove(81);
    happen(BERTH_TCP_EVENT_RELEASE, 81);
    happen(BERTH_TCP_EVENT_GONE, 81);
    while (seen->listed[BERTH_TCP_FEED_LISTENERS] != 1) {
        turn(seen);
    }
    assert_true(berth_fake_tcp_read_here());
    end_watching(seen);
}

/* Reading connections can take long. */
static void listener__gone_with_a_connection__is_looked_for_on_another_thread(void **state)
{
    struct seen *seen = *state;

    berth_fake_tcp_duration(BERTH_TCP_PART_LISTENERS, 0);
    begin_provable(seen);
    happen(BERTH_TCP_EVENT_ACCEPT, 80);
    (void)berth_fake_tcp_remove(80);
    add(80, BERTH_CLAIM_CONNECTION);
    happen(BERTH_TCP_EVENT_RELEASE, 80);
    happen(BERTH_TCP_EVENT_GONE, 80);
    while (seen->ports[BERTH_TCP_FEED_LISTENERS] == 80) {
        turn(seen);
    }
    assert_int_equal(seen->ports[BERTH_TCP_FEED_CONNECTIONS], 80);
    assert_false(berth_fake_tcp_read_here());
    end_watching(seen);
}

static void listener__ended_but_never_gone__is_let_go_once_it_is_found_elsewhere(void **state)
{
    struct seen *seen = *state;

    begin_provable(seen);
    unsigned connections = seen->snapshots[BERTH_TCP_FEED_CONNECTIONS];
    (void)berth_fake_tcp_remove(80);
    add(80, BERTH_CLAIM_BOUND); /* as shutdown(2) leaves it */
    happen(BERTH_TCP_EVENT_RELEASE, 80);
    while (seen->ports[BERTH_TCP_FEED_LISTENERS] == 80) {
        turn(seen);
    }
    /* a look that comes late reads bound sockets as well, which are all that it takes */
    assert_true(seen->snapshots[BERTH_TCP_FEED_CONNECTIONS] != connections ||
                seen->ports[BERTH_TCP_FEED_BOUND] == 80);
    while (seen->ports[BERTH_TCP_FEED_BOUND] != 80) {
        turn(seen);
    }
    end_watching(seen);
}

static void listener__gone_with_a_connection_accepted__reads_connections_first(void **state)
{
    struct seen *seen = *state;

    begin_provable(seen);
    add(80, BERTH_CLAIM_CONNECTION);
    happen(BERTH_TCP_EVENT_ACCEPT, 80);
    (void)berth_fake_tcp_remove(80);
    add(80, BERTH_CLAIM_CONNECTION);
    happen(BERTH_TCP_EVENT_RELEASE, 80);
    happen(BERTH_TCP_EVENT_GONE, 80);
    while (seen->ports[BERTH_TCP_FEED_LISTENERS] == 80) {
        turn(seen);
    }
    assert_int_equal(seen->ports[BERTH_TCP_FEED_CONNECTIONS], 80);
    end_watching(seen);
}

static void listener__gone_after_a_loss__reads_everything(void **state)
{
    struct seen *seen = *state;

    /* connections may be read every 200 ms only, listeners at once */
    berth_fake_tcp_duration(BERTH_TCP_PART_CONNECTIONS, 2000000);
    begin_provable(seen);
    berth_fake_tcp_hold(); /* what the loss makes it read */
    berth_fake_events_lose(1);
    happen(BERTH_TCP_EVENT_RELEASE, 80);
    happen(BERTH_TCP_EVENT_GONE, 80);
    add(80, BERTH_CLAIM_CONNECTION);
    (void)berth_fake_tcp_remove(80);
    add(80, BERTH_CLAIM_CONNECTION);
    berth_fake_tcp_let_go();
    while (seen->ports[BERTH_TCP_FEED_LISTENERS] == 80) {
        turn(seen);
    }
    assert_int_equal(seen->ports[BERTH_TCP_FEED_CONNECTIONS], 80);
    end_watching(seen);
}

static void listener__shut_down_beside_another__is_found_bound(void **state)
{
    struct seen *seen = *state;

    begin_provable(seen);
    add(80, BERTH_CLAIM_BOUND); /* of two listeners one has been shut down, and stays bound */
    happen(BERTH_TCP_EVENT_RELEASE, 80);
    while (seen->ports[BERTH_TCP_FEED_BOUND] != 80) {
        turn(seen); /* no poll comes */
    }
    assert_int_equal(seen->ports[BERTH_TCP_FEED_LISTENERS], 80);
    end_watching(seen);
}

static void events__not_to_be_had__read_listeners_often(void **state)
{
    struct seen *seen = *state;

    berth_fake_events_mode(BERTH_TCP_EVENTS_NONE, "no rights");
    begin_watching(seen, HOUR_MS, HOUR_MS, BERTH_TCP_WATCH_EVENTS_AUTO);
    while (seen->snapshots[BERTH_TCP_FEED_LISTENERS] < 4) {
        turn(seen); /* an hour is not waited for */
    }
    end_watching(seen);
}

static void listener__seen_bound_on_its_way_out__is_looked_at_again(void **state)
{
    struct seen *seen = *state;

    add(80, BERTH_CLAIM_LISTENER);
    begin_calm(seen, HOUR_MS);
    (void)berth_fake_tcp_remove(80);
    add(80, BERTH_CLAIM_BOUND);
    happen(BERTH_TCP_EVENT_RELEASE, 80);
    while (seen->ports[BERTH_TCP_FEED_BOUND] != 80) {
        turn(seen);
    }
    (void)berth_fake_tcp_remove(80); /* no event tells of it */
    while (seen->ports[BERTH_TCP_FEED_BOUND] == 80) {
        turn(seen);
    }
    end_watching(seen);
}

static void lost_events__degrade_and_read_everything(void **state)
{
    struct seen *seen = *state;
    struct berth_tcp_events_status status;

    begin_calm(seen, 1);
    unsigned connections = seen->snapshots[BERTH_TCP_FEED_CONNECTIONS];
    berth_fake_events_lose(17);
    while (seen->state != BERTH_STATE_DEGRADED) {
        turn(seen);
    }
    assert_non_null(strstr(seen->reason, "17 or more events"));
    /* at every poll from now on */
    while (seen->snapshots[BERTH_TCP_FEED_CONNECTIONS] < connections + 5) {
        turn(seen);
    }
    berth_tcp_watcher_events(seen->watcher, &status);
    assert_int_equal(status.lost, 17);
    assert_int_equal(status.mode, BERTH_TCP_EVENTS_FULL);
    end_watching(seen);
}

static void queue_forced_full__is_a_loss(void **state)
{
    struct seen *seen = *state;
    struct berth_tcp_events_status status;

    begin_calm(seen, HOUR_MS);
    for (unsigned i = 0; i < 5000; i++) {
        happen(BERTH_TCP_EVENT_OTHER, 0);
    }
    do {
        turn(seen);
        berth_tcp_watcher_events(seen->watcher, &status);
    } while (status.lost == 0);
    assert_int_equal(status.total + status.lost, 5000);
    while (seen->state != BERTH_STATE_DEGRADED) {
        turn(seen);
    }
    end_watching(seen);
}

static void marks__more_than_there_is_room_for__are_a_loss_and_not_forgotten(void **state)
{
    struct seen *seen = *state;
    struct berth_tcp_events_status status;
    uint16_t port = 1;

    begin_calm(seen, HOUR_MS);
    berth_fake_tcp_hold();
    do { /* with the queue drained now and then */
        for (unsigned i = 0; i < 500; i++) {
            happen(BERTH_TCP_EVENT_CONNECT, port++);
        }
        turn(seen);
        berth_tcp_watcher_events(seen->watcher, &status);
    } while (status.lost == 0 && port < 60000);
    assert_true(status.lost > 0);
    assert_true(seen->busy_count >= 16000);
    berth_fake_tcp_let_go();
    while (seen->state != BERTH_STATE_DEGRADED) {
        turn(seen);
    }
    end_watching(seen);
}

static void mode__partial__is_degraded_and_polled_until_full_again(void **state)
{
    struct seen *seen = *state;

    begin_calm(seen, 1);
    berth_fake_events_mode(BERTH_TCP_EVENTS_PARTIAL, "rights are missing");
    while (seen->state != BERTH_STATE_DEGRADED) {
        turn(seen);
    }
    assert_string_equal(seen->reason, "rights are missing");
    unsigned connections = seen->snapshots[BERTH_TCP_FEED_CONNECTIONS];
    while (seen->snapshots[BERTH_TCP_FEED_CONNECTIONS] < connections + 5) {
        turn(seen);
    }
    berth_fake_events_mode(BERTH_TCP_EVENTS_FULL, NULL);
    while (seen->state != BERTH_STATE_READY) {
        turn(seen);
    }
    end_watching(seen);
}

static void mode__low_volume__is_ready_and_connections_are_polled(void **state)
{
    struct seen *seen = *state;
    struct berth_tcp_events_status status;

    begin_calm(seen, 1);
    berth_fake_events_mode(BERTH_TCP_EVENTS_LOW_VOLUME, "there are too many");
    do {
        turn(seen);
        berth_tcp_watcher_events(seen->watcher, &status);
    } while (status.mode != BERTH_TCP_EVENTS_LOW_VOLUME);
    assert_string_equal(status.reason, "there are too many");
    unsigned connections = seen->snapshots[BERTH_TCP_FEED_CONNECTIONS];
    while (seen->snapshots[BERTH_TCP_FEED_CONNECTIONS] < connections + 5) {
        turn(seen);
        assert_int_equal(seen->state, BERTH_STATE_READY);
    }
    end_watching(seen);
}

static void events__not_supported__is_ready_unless_wanted(void **state)
{
    struct seen *seen = *state;

    berth_fake_events_refuse(BERTH_NOT_SUPPORTED, "there are none here");
    begin_watching(seen, 1, HOUR_MS, BERTH_TCP_WATCH_EVENTS_AUTO);
    await_states(seen, 3);
    assert_int_equal(seen->state, BERTH_STATE_READY);
    assert_true(seen->snapshots[BERTH_TCP_FEED_CONNECTIONS] >= 3);
    berth_tcp_watcher_set_events(seen->watcher, BERTH_TCP_WATCH_EVENTS_ON);
    while (seen->state != BERTH_STATE_DEGRADED) {
        turn(seen);
    }
    assert_string_equal(seen->reason, "there are none here");
    end_watching(seen);
}

static void events__cannot_be_opened__are_tried_again(void **state)
{
    struct seen *seen = *state;
    struct berth_tcp_events_status status;

    berth_fake_events_refuse(BERTH_INTERNAL, "not now");
    begin_watching(seen, 1, HOUR_MS, BERTH_TCP_WATCH_EVENTS_AUTO);
    await_states(seen, 2);
    assert_int_equal(seen->state, BERTH_STATE_DEGRADED);
    assert_string_equal(seen->reason, "not now");
    berth_fake_events_reset();
    while (seen->state != BERTH_STATE_READY) {
        turn(seen);
    }
    do {
        turn(seen);
        berth_tcp_watcher_events(seen->watcher, &status);
    } while (status.mode != BERTH_TCP_EVENTS_FULL);
    assert_null(status.reason);
    end_watching(seen);
}

static void set_events__off_and_on__closes_and_opens_the_source(void **state)
{
    struct seen *seen = *state;
    struct berth_tcp_events_status status;

    begin_calm(seen, 1);
    assert_true(berth_fake_events_is_open());
    berth_tcp_watcher_set_events(seen->watcher, BERTH_TCP_WATCH_EVENTS_OFF);
    assert_false(berth_fake_events_is_open());
    berth_tcp_watcher_events(seen->watcher, &status);
    assert_false(status.used);
    berth_tcp_watcher_set_events(seen->watcher, BERTH_TCP_WATCH_EVENTS_AUTO);
    assert_true(berth_fake_events_is_open());
    do {
        turn(seen);
        berth_tcp_watcher_events(seen->watcher, &status);
    } while (status.mode != BERTH_TCP_EVENTS_FULL);
    end_watching(seen);
}

#define SLOW(test) cmocka_unit_test_setup_teardown(test, set_up_slow, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SLOW(listen_event__port_is_busy_before_any_reading_ends),
        SLOW(listen_event__nothing_listens__port_is_free_again_after_a_second_look),
        SLOW(listen_event__of_a_listener_that_is_gone__reads_connections_before_it_ends),
        SLOW(listen_event__during_a_reading_that_cannot_have_seen_it__is_kept),
        SLOW(connect_event__local_port_is_busy_and_no_table_is_read),
        SLOW(disconnect_event__of_a_connection_that_is_known__reads_connections),
        SLOW(disconnect_event__on_a_listeners_port__reads_nothing),
        SLOW(disconnect_event__and_a_reading_that_comes_too_early__is_read_again),
        SLOW(disconnect_event__of_a_socket_found_bound__reads_those_too),
        SLOW(other_event__with_a_known_bound_socket__reads_those_too),
        SLOW(release_event__of_one_that_is_bound_for_long__is_looked_at_until_it_is_gone),
        SLOW(connecting_event__reads_connections_at_the_next_poll),
        SLOW(release_event__looks_and_frees_what_is_gone),
        SLOW(release_event__of_a_bound_socket__reads_those),
        SLOW(listener__told_to_be_gone__is_let_go_without_reading_connections),
        SCRIPTED(listener__readings_are_brief__is_let_go_on_the_loops_thread),
        SCRIPTED(listener__gone_with_a_connection__is_looked_for_on_another_thread),
        SLOW(listener__ended_but_never_gone__is_let_go_once_it_is_found_elsewhere),
        SLOW(listener__gone_with_a_connection_accepted__reads_connections_first),
        SLOW(listener__gone_after_a_loss__reads_everything),
        SLOW(listener__shut_down_beside_another__is_found_bound),
        SLOW(events__not_to_be_had__read_listeners_often),
        SLOW(listener__seen_bound_on_its_way_out__is_looked_at_again),
        SLOW(lost_events__degrade_and_read_everything),
        SLOW(queue_forced_full__is_a_loss),
        SLOW(marks__more_than_there_is_room_for__are_a_loss_and_not_forgotten),
        SLOW(mode__partial__is_degraded_and_polled_until_full_again),
        SLOW(mode__low_volume__is_ready_and_connections_are_polled),
        SLOW(events__not_supported__is_ready_unless_wanted),
        SLOW(events__cannot_be_opened__are_tried_again),
        SLOW(set_events__off_and_on__closes_and_opens_the_source),
    };
    return cmocka_run_group_tests_name("tcp_watcher_events", tests, NULL, NULL);
}
