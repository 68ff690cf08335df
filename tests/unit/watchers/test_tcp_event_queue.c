/* SPDX-License-Identifier: MIT */
#include "tests/support/cmocka_all.h"
#include "tests/support/memory_faults.h"
#include "watchers/tcp_event_queue.h"

struct seen {
    uv_loop_t loop;
    struct berth_tcp_event_queue *queue;
    uint64_t events;
    uint64_t batches;
    uint64_t lost;
    unsigned modes;
    enum berth_tcp_events_mode mode;
    char reason[256];
    unsigned closed;
    uint16_t last_port;
};

static void take_events(void *ctx, const struct berth_tcp_event *events, size_t count)
{
    struct seen *seen = ctx;

    assert_int_equal(seen->closed, 0);
    assert_true(count != 0);
    seen->events += count;
    seen->batches++;
    seen->last_port = events[count - 1].port;
}

static void take_lost(void *ctx, uint64_t count)
{
    struct seen *seen = ctx;

    assert_true(count != 0);
    seen->lost += count;
}

static void take_mode(void *ctx, enum berth_tcp_events_mode mode, const char *reason)
{
    struct seen *seen = ctx;

    assert_int_equal(reason == NULL, mode == BERTH_TCP_EVENTS_FULL);
    seen->modes++;
    seen->mode = mode;
    (void)snprintf(seen->reason, sizeof seen->reason, "%s", reason != NULL ? reason : "");
}

static void take_closed(void *ctx)
{
    struct seen *seen = ctx;

    seen->closed++;
}

static int set_up(void **state)
{
    static struct seen seen;
    const struct berth_tcp_events_sink sink = {take_events, take_lost, take_mode, &seen};
    struct berth_error err = {0};

    memset(&seen, 0, sizeof seen);
    assert_int_equal(uv_loop_init(&seen.loop), 0);
    assert_ok(berth_tcp_event_queue_open(&seen.queue, &seen.loop, &sink, &err), &err);
    *state = &seen;
    return 0;
}

static int tear_down(void **state)
{
    struct seen *seen = *state;

    berth_tcp_event_queue_close(seen->queue, take_closed, seen);
    (void)uv_run(&seen->loop, UV_RUN_DEFAULT);
    assert_int_equal(seen->closed, 1);
    assert_int_equal(uv_loop_close(&seen->loop), 0);
    return 0;
}

static struct berth_tcp_event event_of(uint16_t port)
{
    const struct berth_tcp_event event = {.port = port, .what = BERTH_TCP_EVENT_LISTEN};

    return event;
}

static void put__burst__comes_out_at_once_and_in_order(void **state)
{
    struct seen *seen = *state;

    for (uint16_t port = 1; port <= 500; port++) {
        const struct berth_tcp_event event = event_of(port);
        berth_tcp_event_queue_put(seen->queue, &event, 1);
    }
    assert_int_equal(seen->events, 0);
    (void)uv_run(&seen->loop, UV_RUN_ONCE);
    assert_int_equal(seen->events, 500);
    assert_int_equal(seen->batches, 1);
    assert_int_equal(seen->last_port, 500);
    assert_int_equal(seen->lost, 0);
}

static void put__more_than_there_is_room_for__keeps_the_first_and_tells_the_rest(void **state)
{
    struct seen *seen = *state;

    for (unsigned i = 1; i <= BERTH_TCP_EVENT_QUEUE_MAX + 10; i++) {
        const struct berth_tcp_event event = event_of((uint16_t)i);
        berth_tcp_event_queue_put(seen->queue, &event, 1);
    }
    (void)uv_run(&seen->loop, UV_RUN_ONCE);
    assert_int_equal(seen->events, BERTH_TCP_EVENT_QUEUE_MAX);
    assert_int_equal(seen->last_port, BERTH_TCP_EVENT_QUEUE_MAX);
    assert_int_equal(seen->lost, 10);
    /* and there is room again */
    const struct berth_tcp_event event = event_of(7);
    berth_tcp_event_queue_put(seen->queue, &event, 1);
    (void)uv_run(&seen->loop, UV_RUN_ONCE);
    assert_int_equal(seen->last_port, 7);
    assert_int_equal(seen->lost, 10);
}

static void mode__several__only_the_last_arrives(void **state)
{
    struct seen *seen = *state;

    berth_tcp_event_queue_mode(seen->queue, BERTH_TCP_EVENTS_FULL, NULL);
    berth_tcp_event_queue_mode(seen->queue, BERTH_TCP_EVENTS_NONE, "the session was taken away");
    berth_tcp_event_queue_lose(seen->queue, 3);
    (void)uv_run(&seen->loop, UV_RUN_ONCE);
    assert_int_equal(seen->modes, 1);
    assert_int_equal(seen->mode, BERTH_TCP_EVENTS_NONE);
    assert_string_equal(seen->reason, "the session was taken away");
    assert_int_equal(seen->lost, 3);
}

static void close__with_events_waiting__reports_nothing(void **state)
{
    struct seen *seen = *state;
    const struct berth_tcp_event event = event_of(7);

    berth_tcp_event_queue_put(seen->queue, &event, 1);
    /* tear_down closes, runs the loop, and sees that nothing is left; take_events must not come */
    seen->closed = 0;
    berth_tcp_event_queue_close(seen->queue, take_closed, seen);
    (void)uv_run(&seen->loop, UV_RUN_DEFAULT);
    assert_int_equal(seen->events, 0);
    assert_int_equal(seen->closed, 1);
    assert_int_equal(uv_loop_close(&seen->loop), 0);
    (void)set_up(state);
}

struct producer {
    uv_thread_t thread;
    struct berth_tcp_event_queue *queue;
};

#define PRODUCED 20000u

static void produce(void *ctx)
{
    struct producer *producer = ctx;

    for (unsigned i = 0; i < PRODUCED; i++) {
        const struct berth_tcp_event event = event_of((uint16_t)(1 + i % 60000));
        berth_tcp_event_queue_put(producer->queue, &event, 1);
    }
}

static void put__from_several_threads__each_event_arrives_or_is_told_lost(void **state)
{
    struct seen *seen = *state;
    struct producer producers[4];

    for (size_t i = 0; i < BERTH_COUNT(producers); i++) {
        producers[i].queue = seen->queue;
        assert_int_equal(uv_thread_create(&producers[i].thread, produce, &producers[i]), 0);
    }
    while (seen->events + seen->lost < BERTH_COUNT(producers) * PRODUCED) {
        (void)uv_run(&seen->loop, UV_RUN_ONCE);
    }
    for (size_t i = 0; i < BERTH_COUNT(producers); i++) {
        assert_int_equal(uv_thread_join(&producers[i].thread), 0);
    }
    assert_int_equal(seen->events + seen->lost, BERTH_COUNT(producers) * PRODUCED);
}

static void open__no_memory__is_an_error(void **state)
{
    struct berth_tcp_event_queue *queue = NULL;
    const struct berth_tcp_events_sink sink = {take_events, take_lost, take_mode, NULL};
    struct seen *seen = *state;
    size_t live;

    memory_faults_begin(1, false);
    assert_code(berth_tcp_event_queue_open(&queue, &seen->loop, &sink, NULL), BERTH_NO_MEMORY);
    assert_true(memory_faults_end(&live));
    assert_int_equal(live, 0);
    assert_null(queue);
}

int main(void)
{
#define QUEUED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        QUEUED(put__burst__comes_out_at_once_and_in_order),
        QUEUED(put__more_than_there_is_room_for__keeps_the_first_and_tells_the_rest),
        QUEUED(mode__several__only_the_last_arrives),
        QUEUED(close__with_events_waiting__reports_nothing),
        QUEUED(put__from_several_threads__each_event_arrives_or_is_told_lost),
        QUEUED(open__no_memory__is_an_error),
    };
#undef QUEUED
    return cmocka_run_group_tests_name("tcp_event_queue", tests, NULL, NULL);
}
