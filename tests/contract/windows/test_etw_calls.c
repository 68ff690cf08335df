/* SPDX-License-Identifier: MIT */
/* A session on the real calls. On Windows, with the rights, it runs; in Wine, and without them, it
 * says why not, and goes. Either way nothing stays behind. */
#include <windows.h>

#include "tests/support/cmocka_all.h"
#include "watchers/windows/etw_session.h"
#include "watchers/windows/etw_trouble.h"

#include <stdbool.h>
#include <stdio.h>

#define DEADLINE_MS 20000
#define NAME "Berth-Test-Calls"

struct stage {
    uv_loop_t loop;
    uv_timer_t deadline;
    bool late;
    unsigned words;
    bool runs;
    char reason[BERTH_ETW_TROUBLE_SIZE];
    unsigned closed;
};

static void take_event(void *ctx, const struct berth_etw_event *event)
{
    (void)ctx;
    assert_true(event->provider <= BERTH_ETW_PROVIDER_COUNT);
}

static void take_lost(void *ctx, uint64_t count)
{
    (void)ctx;
    assert_true(count != 0);
}

static void take_state(void *ctx, uint32_t openings, const char *reason)
{
    struct stage *stage = ctx;

    stage->words++;
    stage->runs = reason == NULL;
    assert_true(reason != NULL || openings != 0);
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

static bool name_is_free(void)
{
    const struct berth_etw_calls calls = berth_etw_calls_real();
    void *held = NULL;
    uint32_t code = calls.hold(NULL, NAME, &held);

    if (code == 0) {
        calls.release(NULL, held);
    }
    return code == 0;
}

static void session__on_the_real_calls__runs_or_says_why_not(void **state)
{
    const struct berth_etw_request request = {
        .provider = BERTH_ETW_TCPIP, .level = 4, .any_keywords = 2, .id_count = 1, .ids = {1123}};
    const struct berth_etw_options options = {
        .name = NAME, .requests = &request, .request_count = 1};
    const struct berth_etw_calls calls = berth_etw_calls_real();
    struct stage stage = {0};
    const struct berth_etw_sink sink = {take_event, take_lost, take_state, &stage};
    struct berth_etw_session *session = NULL;
    struct berth_error err = {0};

    (void)state;
    assert_int_equal(uv_loop_init(&stage.loop), 0);
    assert_int_equal(uv_timer_init(&stage.loop, &stage.deadline), 0);
    stage.deadline.data = &stage;
    assert_int_equal(uv_timer_start(&stage.deadline, deadline_cb, DEADLINE_MS, 0), 0);
    assert_ok(berth_etw_session_open(&session, &stage.loop, &options, &calls, &sink, &err), &err);
    while (stage.words == 0) {
        turn(&stage);
    }
    (void)printf("%s\n", stage.runs ? "it runs" : stage.reason);
    if (!stage.runs) {
        /* Wine's OpenTraceW says so to everybody */
        assert_string_equal(stage.reason,
                            "Windows denies Berth the tracing session " NAME
                            " (error 5): its account must be a member of Performance Log Users, or "
                            "an administrator");
    }
    berth_etw_session_close(session, take_closed, &stage);
    while (stage.closed == 0) {
        turn(&stage);
    }
    uv_close((uv_handle_t *)&stage.deadline, NULL);
    (void)uv_run(&stage.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&stage.loop), 0);
    assert_true(name_is_free());
}

static void name__held_twice__is_refused_until_it_is_released(void **state)
{
    const struct berth_etw_calls calls = berth_etw_calls_real();
    void *first = NULL;
    void *second = NULL;

    (void)state;
    assert_int_equal(calls.hold(NULL, NAME, &first), 0);
    assert_int_equal(calls.hold(NULL, NAME, &second), BERTH_ETW_ALREADY_EXISTS);
    assert_null(second);
    calls.release(NULL, first);
    assert_true(name_is_free());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(session__on_the_real_calls__runs_or_says_why_not),
        cmocka_unit_test(name__held_twice__is_refused_until_it_is_released),
    };
    return cmocka_run_group_tests_name("etw_calls", tests, NULL, NULL);
}
