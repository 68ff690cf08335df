/* SPDX-License-Identifier: MIT */
/* The tracing session of hints, over a Windows that follows a script. */
#include "tests/support/cmocka_all.h"
#include "tests/support/fake_etw.h"
#include "tests/support/memory_faults.h"
#include "watchers/windows/hint_rules.h"
#include "watchers/windows/hint_session.h"

#include <stdio.h>

#define DEADLINE_MS 20000

struct stage {
    uv_loop_t loop;
    uv_timer_t deadline;
    struct berth_hint_queue *queue;
    struct berth_hint_session *session;
    unsigned looks[BERTH_SOURCE_COUNT];
    bool works[BERTH_HINT_FACILITY_COUNT];
    unsigned states[BERTH_HINT_FACILITY_COUNT];
    char reason[300];
    bool closed;
};

static void take_look(void *ctx, enum berth_source source)
{
    struct stage *stage = ctx;

    stage->looks[source]++;
}

static void take_state(void *ctx, enum berth_hint_facility facility, bool works, const char *reason)
{
    struct stage *stage = ctx;

    stage->states[facility]++;
    stage->works[facility] = works;
    if (reason != NULL) {
        (void)snprintf(stage->reason, sizeof stage->reason, "%s", reason);
    }
}

static void take_closed(void *ctx)
{
    struct stage *stage = ctx;

    stage->closed = true;
}

static void deadline_cb(uv_timer_t *timer)
{
    (void)timer;
    fail_msg("nothing happened within 20 s");
}

static int set_up(void **state)
{
    static struct stage stage;
    const struct berth_source_hints_sink sink = {take_look, take_state, &stage};
    struct berth_error err = {0};

    memset(&stage, 0, sizeof stage);
    fake_etw_begin();
    assert_int_equal(uv_loop_init(&stage.loop), 0);
    assert_int_equal(uv_timer_init(&stage.loop, &stage.deadline), 0);
    assert_int_equal(uv_timer_start(&stage.deadline, deadline_cb, DEADLINE_MS, 0), 0);
    assert_ok(berth_hint_queue_open(&stage.queue, &stage.loop, &sink, &err), &err);
    *state = &stage;
    return 0;
}

static enum berth_code try_open(struct stage *stage, struct berth_error *err)
{
    const struct berth_etw_calls calls = fake_etw_calls();
    const struct berth_etw_times times = {.flush = 1, .retry_min = 1, .retry_max = 4};

    return berth_hint_session_open(&stage->session, &stage->loop, &calls, &times, stage->queue,
                                   err);
}

static void turn(struct stage *stage)
{
    (void)uv_run(&stage->loop, UV_RUN_ONCE);
}

static void start(struct stage *stage)
{
    struct berth_error err = {0};

    assert_ok(try_open(stage, &err), &err);
}

static void start_working(struct stage *stage)
{
    start(stage);
    while (!stage->works[BERTH_HINT_HTTP_EVENTS] || !stage->works[BERTH_HINT_IIS_EVENTS]) {
        turn(stage);
    }
}

static void stop(struct stage *stage)
{
    stage->closed = false;
    berth_hint_session_close(stage->session, take_closed, stage);
    stage->session = NULL;
    while (!stage->closed) {
        turn(stage);
    }
}

static int tear_down(void **state)
{
    struct stage *stage = *state;

    if (stage->session != NULL) {
        stop(stage);
    }
    stage->closed = false;
    berth_hint_queue_close(stage->queue, take_closed, stage);
    while (!stage->closed) {
        turn(stage);
    }
    uv_close((uv_handle_t *)&stage->deadline, NULL);
    (void)uv_run(&stage->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&stage->loop), 0);
    assert_true(fake_etw_is_clean());
    return 0;
}

static void tell_event(enum berth_etw_provider provider, uint16_t id)
{
    /* data that may not be read */
    const struct berth_etw_event event = {.provider = (uint8_t)provider, .id = id};

    fake_etw_tell(&event);
}

static void await_look(struct stage *stage, enum berth_source source)
{
    while (stage->looks[source] == 0) {
        turn(stage);
    }
}

static void event__of_a_url__makes_its_sources_look(void **state)
{
    struct stage *stage = *state;

    start_working(stage);
    tell_event(BERTH_ETW_HTTP_SERVICE, 31);
    await_look(stage, BERTH_SOURCE_HTTPSYS);
    await_look(stage, BERTH_SOURCE_TCP);
    await_look(stage, BERTH_SOURCE_EXCLUDED);
    assert_int_equal(stage->looks[BERTH_SOURCE_IIS], 0);
}

static void event__of_a_commit__makes_iis_look(void **state)
{
    struct stage *stage = *state;
    struct berth_hint_status status;

    start_working(stage);
    tell_event(BERTH_ETW_IIS_CONFIGURATION, 50);
    await_look(stage, BERTH_SOURCE_IIS);
    assert_int_equal(stage->looks[BERTH_SOURCE_HTTPSYS], 0);
    berth_hint_queue_status(stage->queue, BERTH_HINT_IIS_EVENTS, &status);
    assert_int_equal(status.total, 1);
}

/* 14 and 16 carry passwords: the session does not ask for them. */
static void requests__ask_for_nothing_but_the_rules_events(void **state)
{
    struct stage *stage = *state;
    struct berth_etw_request request;

    start_working(stage);
    assert_true(fake_etw_request(BERTH_ETW_IIS_CONFIGURATION, &request));
    assert_int_equal(request.id_count, 3);
    assert_int_equal(request.ids[0], 29);
    assert_int_equal(request.ids[1], 50);
    assert_int_equal(request.ids[2], 55);
    assert_int_equal(request.level, 5);
    assert_true(request.any_keywords == 0);
    assert_true(fake_etw_request(BERTH_ETW_HTTP_SERVICE, &request));
    assert_int_equal(request.id_count, 8);
    assert_int_equal(request.level, 4);
    assert_true(request.any_keywords == 0x41);
}

static void events__lost__make_everything_look(void **state)
{
    struct stage *stage = *state;

    start_working(stage);
    fake_etw_lose(0, 3);
    await_look(stage, BERTH_SOURCE_IIS);
    await_look(stage, BERTH_SOURCE_HTTPSYS);
    await_look(stage, BERTH_SOURCE_EXCLUDED);
    await_look(stage, BERTH_SOURCE_TCP);
}

static void session__refused__both_facilities_say_why(void **state)
{
    struct stage *stage = *state;

    fake_etw_fail(FAKE_ETW_START, BERTH_ETW_ACCESS_DENIED, 3);
    start(stage);
    while (stage->states[BERTH_HINT_HTTP_EVENTS] == 0 ||
           stage->states[BERTH_HINT_IIS_EVENTS] == 0) {
        turn(stage);
    }
    assert_non_null(strstr(stage->reason, "Performance Log Users"));
    while (!stage->works[BERTH_HINT_HTTP_EVENTS]) {
        turn(stage); /* it is tried again by itself */
    }
    assert_int_equal(stage->looks[BERTH_SOURCE_IIS], 0); /* nothing was missed that anybody had */
}

static void session__taken_away__comes_back_and_everything_is_looked_at(void **state)
{
    struct stage *stage = *state;

    start_working(stage);
    fake_etw_take_away(0);
    await_look(stage, BERTH_SOURCE_IIS);
    await_look(stage, BERTH_SOURCE_HTTPSYS);
    while (!stage->works[BERTH_HINT_HTTP_EVENTS]) {
        turn(stage);
    }
    assert_true(fake_etw_count(FAKE_ETW_START) >= 2);
}

static void open__no_memory__is_an_error_without_a_leak(void **state)
{
    struct stage *stage = *state;
    struct berth_error err;
    size_t live;

    memory_faults_begin(1, false);
    assert_code(try_open(stage, &err), BERTH_NO_MEMORY);
    assert_true(memory_faults_end(&live));
    memory_faults_begin(2, false);
    assert_code(try_open(stage, &err), BERTH_NO_MEMORY);
    assert_true(memory_faults_end(&live));
    assert_int_equal(live, 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(event__of_a_url__makes_its_sources_look),
        CASE(event__of_a_commit__makes_iis_look),
        CASE(requests__ask_for_nothing_but_the_rules_events),
        CASE(events__lost__make_everything_look),
        CASE(session__refused__both_facilities_say_why),
        CASE(session__taken_away__comes_back_and_everything_is_looked_at),
        CASE(open__no_memory__is_an_error_without_a_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
