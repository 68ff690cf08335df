/* SPDX-License-Identifier: MIT */
#include "tcp_events_contract.h"

#include "tests/support/cmocka_all.h"
#include "watchers/tcp_events.h"

#include <stdio.h>

#define DEADLINE_MS 20000

struct stage {
    uv_loop_t loop;
    uv_timer_t deadline;
    bool late;
    struct berth_tcp_events *source;
    bool opening; /* a report now is an error */
    unsigned modes;
    enum berth_tcp_events_mode mode;
    char reason[256];
    unsigned closed;
    /* what is waited for */
    enum berth_tcp_event_what what;
    uint16_t port;
    struct berth_tcp_event found;
    bool is_found;
};

static void take_events(void *ctx, const struct berth_tcp_event *events, size_t count)
{
    struct stage *stage = ctx;

    assert_false(stage->opening);
    assert_non_null(stage->source);
    assert_true(count != 0);
    for (size_t i = 0; i < count; i++) {
        assert_in_range(events[i].what, 0, BERTH_TCP_EVENT_WHAT_COUNT - 1);
        if (!stage->is_found && events[i].what == stage->what && events[i].port == stage->port) {
            stage->found = events[i];
            stage->is_found = true;
        }
    }
}

static void take_lost(void *ctx, uint64_t count)
{
    const struct stage *stage = ctx;

    assert_false(stage->opening);
    assert_true(count != 0);
}

static void take_mode(void *ctx, enum berth_tcp_events_mode mode, const char *reason)
{
    struct stage *stage = ctx;

    assert_false(stage->opening);
    assert_in_range(mode, 0, BERTH_TCP_EVENTS_MODE_COUNT - 1);
    assert_int_equal(reason == NULL, mode == BERTH_TCP_EVENTS_FULL);
    assert_true(reason == NULL || reason[0] != '\0');
    stage->modes++;
    stage->mode = mode;
    (void)snprintf(stage->reason, sizeof stage->reason, "%s", reason != NULL ? reason : "");
}

static void take_closed(void *ctx)
{
    struct stage *stage = ctx;

    stage->closed++;
}

static void deadline_cb(uv_timer_t *timer)
{
    struct stage *stage = timer->data;

    stage->late = true;
}

static void turn(struct stage *stage)
{
    (void)uv_run(&stage->loop, UV_RUN_ONCE);
    assert_false(stage->late);
}

static int set_up(void **state)
{
    static struct stage stage;
    const struct berth_tcp_events_sink sink = {take_events, take_lost, take_mode, &stage};
    struct berth_error err = {0};

    memset(&stage, 0, sizeof stage);
    tcp_world.set_up();
    if (tcp_events_world.set_up != NULL) {
        tcp_events_world.set_up();
    }
    assert_int_equal(uv_loop_init(&stage.loop), 0);
    assert_int_equal(uv_timer_init(&stage.loop, &stage.deadline), 0);
    stage.deadline.data = &stage;
    assert_int_equal(uv_timer_start(&stage.deadline, deadline_cb, DEADLINE_MS, 0), 0);
    stage.opening = true;
    assert_ok(berth_tcp_events_open(&stage.source, &stage.loop, &sink, &err), &err);
    stage.opening = false;
    while (stage.modes == 0) {
        turn(&stage);
    }
    *state = &stage;
    return 0;
}

static int tear_down(void **state)
{
    struct stage *stage = *state;

    berth_tcp_events_close(stage->source, take_closed, stage);
    stage->source = NULL; /* a report from now on is an error */
    assert_int_equal(stage->closed, 0);
    while (stage->closed == 0) {
        turn(stage);
    }
    uv_close((uv_handle_t *)&stage->deadline, NULL);
    (void)uv_run(&stage->loop, UV_RUN_DEFAULT);
    assert_int_equal(stage->closed, 1);
    assert_int_equal(uv_loop_close(&stage->loop), 0);
    tcp_world.tear_down();
    return 0;
}

static uint16_t perform(enum tcp_world_act act, uint8_t family, uint16_t port)
{
    struct tcp_world_request request = {.act = act, .address = {.family = family}, .port = port};

    if (family == BERTH_FAMILY_IPV4) {
        request.address.bytes[0] = 127;
        request.address.bytes[3] = 1;
    } else {
        request.address.bytes[15] = 1;
    }
    return tcp_world.perform(&request);
}

static void was_performed(enum tcp_world_act act, uint8_t family, uint16_t port)
{
    if (tcp_events_world.performed != NULL) {
        tcp_events_world.performed(act, family, port);
    }
}

static void await_event(struct stage *stage, enum berth_tcp_event_what what, uint16_t port)
{
    stage->what = what;
    stage->port = port;
    stage->is_found = false;
    while (!stage->is_found) {
        turn(stage);
    }
}

static void skip_unless_full(const struct stage *stage)
{
    if (stage->mode != BERTH_TCP_EVENTS_FULL) {
        (void)printf("events are %s: %s\n", berth_tcp_events_mode_name(stage->mode), stage->reason);
        skip();
    }
}

static void open__mode_is_told_once_from_the_loop(void **state)
{
    struct stage *stage = *state;

    assert_int_equal(stage->modes, 1);
    (void)uv_run(&stage->loop, UV_RUN_NOWAIT);
    (void)uv_run(&stage->loop, UV_RUN_NOWAIT);
    assert_int_equal(stage->modes, 1);
}

static void listen__elsewhere__is_told_with_port_and_process(void **state)
{
    static const uint8_t families[] = {BERTH_FAMILY_IPV4, BERTH_FAMILY_IPV6};
    struct stage *stage = *state;

    skip_unless_full(stage);
    for (size_t i = 0; i < BERTH_COUNT(families); i++) {
        uint16_t port = perform(TCP_WORLD_LISTEN, families[i], 0);
        if (port == 0) {
            continue; /* without IPv6 */
        }
        (void)perform(TCP_WORLD_CLOSE, families[i], port);
        port = perform(TCP_WORLD_LISTEN, families[i], port);
        was_performed(TCP_WORLD_LISTEN, families[i], port);
        await_event(stage, BERTH_TCP_EVENT_LISTEN, port);
        assert_true(stage->found.process_id == BERTH_ID_NONE ||
                    stage->found.process_id == tcp_world.process_id());
        assert_true(stage->found.address.family == BERTH_FAMILY_ALL ||
                    stage->found.address.family == families[i]);
        assert_true(stage->found.time_ns <= uv_hrtime());
    }
}

static void close__of_a_listener__is_a_release(void **state)
{
    struct stage *stage = *state;

    skip_unless_full(stage);
    uint16_t port = perform(TCP_WORLD_LISTEN, BERTH_FAMILY_IPV4, 0);
    was_performed(TCP_WORLD_LISTEN, BERTH_FAMILY_IPV4, port);
    assert_int_equal(perform(TCP_WORLD_CLOSE, BERTH_FAMILY_IPV4, port), port);
    was_performed(TCP_WORLD_CLOSE, BERTH_FAMILY_IPV4, port);
    await_event(stage, BERTH_TCP_EVENT_RELEASE, port);
}

static void connection__outgoing__is_told_with_its_local_port_and_its_end(void **state)
{
    struct stage *stage = *state;

    skip_unless_full(stage);
    uint16_t port = perform(TCP_WORLD_LISTEN, BERTH_FAMILY_IPV4, 0);
    uint16_t local = perform(TCP_WORLD_CONNECT, BERTH_FAMILY_IPV4, port);
    assert_int_not_equal(local, 0);
    was_performed(TCP_WORLD_CONNECT, BERTH_FAMILY_IPV4, local);
    await_event(stage, BERTH_TCP_EVENT_CONNECT, local);
    assert_int_equal(perform(TCP_WORLD_CLOSE, BERTH_FAMILY_IPV4, local), local);
    /* a connection's end comes when both sides have closed */
    assert_int_equal(perform(TCP_WORLD_CLOSE, BERTH_FAMILY_IPV4, port), port);
    was_performed(TCP_WORLD_TIME_WAIT, BERTH_FAMILY_IPV4, local);
    await_event(stage, BERTH_TCP_EVENT_DISCONNECT, local);
}

static void close__with_events_under_way__reports_nothing_more(void **state)
{
    struct stage *stage = *state;

    for (unsigned i = 0; i < 20; i++) {
        uint16_t port = perform(TCP_WORLD_LISTEN, BERTH_FAMILY_IPV4, 0);
        was_performed(TCP_WORLD_LISTEN, BERTH_FAMILY_IPV4, port);
        (void)perform(TCP_WORLD_CLOSE, BERTH_FAMILY_IPV4, port);
    }
    /* tear_down closes without having let the loop run, and take_events fails without a source */
    assert_int_equal(stage->modes, 1);
}

int tcp_events_contract_run(void)
{
#define STAGED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        STAGED(open__mode_is_told_once_from_the_loop),
        STAGED(listen__elsewhere__is_told_with_port_and_process),
        STAGED(close__of_a_listener__is_a_release),
        STAGED(connection__outgoing__is_told_with_its_local_port_and_its_end),
        STAGED(close__with_events_under_way__reports_nothing_more),
    };
#undef STAGED
    return cmocka_run_group_tests_name("tcp_events_contract", tests, NULL, NULL);
}
