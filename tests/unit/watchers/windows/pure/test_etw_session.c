/* SPDX-License-Identifier: MIT */
/* The life of a tracing session, over calls that are played. */
#include "watchers/windows/etw_session.h"

#include "tests/support/cmocka_all.h"
#include "tests/support/fake_etw.h"
#include "tests/support/memory_faults.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>

#define DEADLINE_MS 20000

struct stage {
    uv_loop_t loop;
    uv_timer_t deadline;
    bool late;
    struct berth_etw_session *session;
    unsigned words;
    unsigned troubles;
    uint32_t openings;
    bool runs;
    char reason[BERTH_ETW_TROUBLE_SIZE];
    unsigned closed;
    atomic_uint events;
    atomic_uint last_id;
    atomic_uint lost;
    atomic_bool silent; /* a report now is an error */
    atomic_uint too_late;
};

static const struct berth_etw_request http_request = {.provider = BERTH_ETW_HTTP_SERVICE,
                                                      .level = 4,
                                                      .any_keywords = 0x41,
                                                      .id_count = 2,
                                                      .ids = {31, 32}};
static const struct berth_etw_request iis_request = {
    .provider = BERTH_ETW_IIS_CONFIGURATION, .level = 4, .id_count = 1, .ids = {50}};

static const struct berth_etw_times hurry = {.flush = 2, .retry_min = 1, .retry_max = 10000};

static void take_event(void *ctx, const struct berth_etw_event *event)
{
    struct stage *stage = ctx;

    atomic_fetch_add(&stage->too_late, atomic_load(&stage->silent));
    atomic_store(&stage->last_id, event->id);
    atomic_fetch_add(&stage->events, 1);
}

static void take_lost(void *ctx, uint64_t count)
{
    struct stage *stage = ctx;

    atomic_fetch_add(&stage->too_late, atomic_load(&stage->silent) || count == 0);
    atomic_fetch_add(&stage->lost, (unsigned)count);
}

static void take_state(void *ctx, uint32_t openings, const char *reason)
{
    struct stage *stage = ctx;

    assert_false(atomic_load(&stage->silent));
    stage->words++;
    stage->openings = openings;
    stage->runs = reason == NULL;
    if (reason != NULL) {
        stage->troubles++;
        (void)snprintf(stage->reason, sizeof stage->reason, "%s", reason);
    }
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

static enum berth_code open_session(struct stage *stage, struct berth_etw_times times,
                                    struct berth_error *err)
{
    const struct berth_etw_request requests[] = {http_request, iis_request};
    const struct berth_etw_options options = {
        .name = "Berth-Test",
        .requests = requests,
        .request_count = BERTH_COUNT(requests),
        .times = times,
    };
    const struct berth_etw_calls calls = fake_etw_calls();
    const struct berth_etw_sink sink = {take_event, take_lost, take_state, stage};

    return berth_etw_session_open(&stage->session, &stage->loop, &options, &calls, &sink, err);
}

static int set_up(void **state)
{
    static struct stage stage;

    memset(&stage, 0, sizeof stage);
    fake_etw_begin();
    assert_int_equal(uv_loop_init(&stage.loop), 0);
    assert_int_equal(uv_timer_init(&stage.loop, &stage.deadline), 0);
    stage.deadline.data = &stage;
    assert_int_equal(uv_timer_start(&stage.deadline, deadline_cb, DEADLINE_MS, 0), 0);
    *state = &stage;
    return 0;
}

static void close_session(struct stage *stage)
{
    berth_etw_session_close(stage->session, take_closed, stage);
    atomic_store(&stage->silent, true);
    assert_int_equal(stage->closed, 0);
    while (stage->closed == 0) {
        turn(stage);
    }
    stage->session = NULL;
    assert_int_equal(atomic_load(&stage->too_late), 0);
}

static int tear_down(void **state)
{
    struct stage *stage = *state;

    if (stage->session != NULL) {
        close_session(stage);
        assert_true(fake_etw_is_clean());
    }
    uv_close((uv_handle_t *)&stage->deadline, NULL);
    (void)uv_run(&stage->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&stage->loop), 0);
    return 0;
}

static void await_running(struct stage *stage, uint32_t openings)
{
    while (!stage->runs || stage->openings < openings) {
        turn(stage);
    }
}

static void await_trouble(struct stage *stage)
{
    stage->runs = true;
    while (stage->runs) {
        turn(stage);
    }
}

static void open_running(struct stage *stage)
{
    struct berth_error err = {0};

    assert_ok(open_session(stage, hurry, &err), &err);
    await_running(stage, 1);
}

static void tell_event(enum berth_etw_provider provider, uint16_t id, uint8_t opcode)
{
    const struct berth_etw_event event = {
        .provider = (uint8_t)provider, .id = id, .opcode = opcode};

    fake_etw_tell(&event);
}

/* Events come from another thread, which wakes nobody: flushes are what time is counted in. */
static void await_count(const atomic_uint *count, unsigned wanted)
{
    for (unsigned i = 0; atomic_load(count) < wanted && i < 10000; i++) {
        assert_true(fake_etw_await(FAKE_ETW_FLUSH, fake_etw_count(FAKE_ETW_FLUSH) + 1));
    }
    assert_int_equal(atomic_load(count), wanted);
}

/* --- tests ---------------------------------------------------------------------------------- */

static void open__all_well__asks_each_provider_and_hands_events_over(void **state)
{
    struct stage *stage = *state;
    struct berth_etw_request asked;

    open_running(stage);
    assert_int_equal(stage->troubles, 0);
    assert_int_equal(stage->openings, 1);
    assert_true(fake_etw_request(BERTH_ETW_HTTP_SERVICE, &asked));
    assert_memory_equal(&asked, &http_request, sizeof asked);
    assert_true(fake_etw_request(BERTH_ETW_IIS_CONFIGURATION, &asked));
    assert_memory_equal(&asked, &iis_request, sizeof asked);
    tell_event(BERTH_ETW_HTTP_SERVICE, 31, 0);
    tell_event(BERTH_ETW_HTTP_SERVICE, 99, 0); /* not asked for */
    tell_event(BERTH_ETW_IIS_CONFIGURATION, 50, 0);
    await_count(&stage->events, 2);
    assert_int_equal(atomic_load(&stage->last_id), 50);
}

static void open__session_left_behind__is_stopped_and_started_anew(void **state)
{
    struct stage *stage = *state;

    fake_etw_leave_session();
    open_running(stage);
    assert_int_equal(stage->troubles, 0);
    assert_int_equal(fake_etw_count(FAKE_ETW_STOP), 1);
    assert_int_equal(fake_etw_count(FAKE_ETW_START), 2);
}

static void open__another_daemon_has_it__is_told_and_its_session_left_alone(void **state)
{
    struct stage *stage = *state;
    struct berth_error err = {0};

    fake_etw_leave_session();
    fake_etw_fail(FAKE_ETW_HOLD, BERTH_ETW_ALREADY_EXISTS, UINT_MAX);
    assert_ok(open_session(stage, hurry, &err), &err);
    await_trouble(stage);
    assert_string_equal(stage->reason,
                        "another berthd of this machine has the tracing session Berth-Test");
    assert_int_equal(fake_etw_count(FAKE_ETW_STOP), 0);
    fake_etw_fail(FAKE_ETW_HOLD, 0, 0);
    await_running(stage, 1);
    assert_int_equal(fake_etw_count(FAKE_ETW_STOP), 1); /* once the name was ours */
}

static void open__each_refusal__is_told_and_tried_again(void **state)
{
    static const struct {
        enum fake_etw_call call;
        uint32_t code;
        const char *said;
    } rows[] = {
        {FAKE_ETW_HOLD, 183, "another berthd"},
        {FAKE_ETW_HOLD, 5, "another account's program"},
        {FAKE_ETW_START, 5, "member of Performance Log Users"},
        {FAKE_ETW_START, 183, "logman stop Berth-Test -ets"},
        {FAKE_ETW_START, 1450, "all tracing sessions are taken"},
        {FAKE_ETW_START, 8, "no memory"},
        {FAKE_ETW_START, 24, "cannot start the tracing session Berth-Test: error 24"},
        {FAKE_ETW_OPEN, 5, "member of Performance Log Users"},
        {FAKE_ETW_OPEN, 4201, "stopped by another program"},
        {FAKE_ETW_OPEN, 87, "cannot read from the tracing session Berth-Test: error 87"},
        {FAKE_ETW_ENABLE, 1450, "eight tracing sessions"},
        {FAKE_ETW_ENABLE, 5, "member of Performance Log Users"},
        {FAKE_ETW_ENABLE, 1, "cannot get events for the tracing session Berth-Test: error 1"},
    };
    struct stage *stage = *state;
    struct berth_error err = {0};

    for (size_t i = 0; i < BERTH_COUNT(rows); i++) {
        fake_etw_begin();
        stage->runs = false;
        stage->openings = 0;
        stage->reason[0] = '\0';
        fake_etw_fail(rows[i].call, rows[i].code, UINT_MAX);
        assert_ok(open_session(stage, hurry, &err), &err);
        await_trouble(stage);
        assert_true(fake_etw_await(rows[i].call, 3));
        fake_etw_fail(rows[i].call, 0, 0);
        await_running(stage, 1);
        if (strstr(stage->reason, rows[i].said) == NULL) {
            fail_msg("%u of call %u: \"%s\"", rows[i].code, rows[i].call, stage->reason);
        }
        close_session(stage);
        atomic_store(&stage->silent, false);
        stage->closed = 0;
        assert_true(fake_etw_is_clean());
    }
}

static void lost__told_thrice__counts_once(void **state)
{
    struct stage *stage = *state;

    open_running(stage);
    tell_event(BERTH_ETW_LOSS, 0, 0); /* the log file's header has such an opcode */
    tell_event(BERTH_ETW_LOSS, 0, 31);
    tell_event(BERTH_ETW_LOSS, 0, 32);
    tell_event(BERTH_ETW_LOSS, 0, 33);
    tell_event(BERTH_ETW_LOSS, 0, 34);
    await_count(&stage->lost, 3);
    fake_etw_lose(3, 0);
    tell_event(BERTH_ETW_HTTP_SERVICE, 31, 0);
    await_count(&stage->events, 1);
    fake_etw_lose(5, 0);
    await_count(&stage->lost, 5);
    fake_etw_lose(5, 12);
    await_count(&stage->lost, 12);
    assert_int_equal(atomic_load(&stage->events), 1);
}

static void session__stopped_by_others__is_told_and_opened_again(void **state)
{
    static const uint32_t codes[] = {0, BERTH_ETW_INSTANCE_NOT_FOUND};
    struct stage *stage = *state;

    open_running(stage);
    for (uint32_t i = 0; i < BERTH_COUNT(codes); i++) {
        stage->troubles = 0;
        fake_etw_block(true);
        fake_etw_take_away(codes[i]);
        await_trouble(stage);
        assert_string_equal(stage->reason,
                            "the tracing session Berth-Test was stopped by another program; it is "
                            "started again");
        fake_etw_block(false);
        await_running(stage, i + 2);
        assert_int_equal(stage->openings, i + 2);
    }
    tell_event(BERTH_ETW_HTTP_SERVICE, 32, 0);
    await_count(&stage->events, 1);
}

static void flush__fails__ends_the_session_only_if_it_is_gone(void **state)
{
    struct stage *stage = *state;

    open_running(stage);
    fake_etw_fail(FAKE_ETW_FLUSH, 234, 2);
    fake_etw_fail(FAKE_ETW_QUERY, 234, 1);
    assert_true(fake_etw_await(FAKE_ETW_FLUSH, fake_etw_count(FAKE_ETW_FLUSH) + 4));
    assert_int_equal(fake_etw_count(FAKE_ETW_START), 1);
    fake_etw_fail(FAKE_ETW_FLUSH, BERTH_ETW_INVALID_HANDLE, 1);
    await_running(stage, 2);
    assert_int_equal(fake_etw_count(FAKE_ETW_START), 2);
}

static void request__changed__is_asked_at_once_and_after_an_opening(void **state)
{
    struct berth_etw_request requests[] = {http_request, iis_request};
    struct stage *stage = *state;
    struct berth_etw_request asked;

    open_running(stage);
    requests[0].ids[0] = 113;
    assert_true(berth_etw_session_has_asked(stage->session));
    berth_etw_session_request(stage->session, requests, BERTH_COUNT(requests));
    assert_true(fake_etw_await(FAKE_ETW_ENABLE, 4));
    assert_true(fake_etw_await(FAKE_ETW_FLUSH, fake_etw_count(FAKE_ETW_FLUSH) + 1));
    assert_true(berth_etw_session_has_asked(stage->session));
    assert_true(fake_etw_request(BERTH_ETW_HTTP_SERVICE, &asked));
    assert_int_equal(asked.ids[0], 113);
    fake_etw_take_away(0);
    await_running(stage, 2);
    assert_true(fake_etw_request(BERTH_ETW_HTTP_SERVICE, &asked));
    assert_int_equal(asked.ids[0], 113);
    /* what cannot be asked for is not taken */
    berth_etw_session_request(stage->session, requests, 0);
    assert_true(fake_etw_await(FAKE_ETW_FLUSH, fake_etw_count(FAKE_ETW_FLUSH) + 2));
    assert_int_equal(fake_etw_count(FAKE_ETW_ENABLE), 6);
}

static void request__refused__ends_the_session_with_the_reason(void **state)
{
    struct stage *stage = *state;

    open_running(stage);
    fake_etw_block(true);
    fake_etw_fail(FAKE_ETW_ENABLE, 1450, 1);
    berth_etw_session_request(stage->session, &http_request, 1);
    await_trouble(stage);
    assert_non_null(strstr(stage->reason, "eight tracing sessions"));
    fake_etw_block(false);
    await_running(stage, 2);
}

static void restart__gives_its_reason_and_opens_again(void **state)
{
    struct stage *stage = *state;

    open_running(stage);
    fake_etw_block(true);
    berth_etw_session_restart(stage->session, "nothing arrives");
    await_trouble(stage);
    assert_string_equal(stage->reason, "nothing arrives");
    fake_etw_block(false);
    await_running(stage, 2);
}

static void close__at_once__leaves_nothing(void **state)
{
    struct stage *stage = *state;
    struct berth_error err = {0};

    for (unsigned i = 0; i < 50; i++) {
        fake_etw_begin();
        assert_ok(open_session(stage, hurry, &err), &err);
        close_session(stage);
        assert_true(fake_etw_is_clean());
        atomic_store(&stage->silent, false);
        stage->closed = 0;
    }
    assert_int_equal(stage->words, 0);
}

static void close__while_it_waits_to_try_again__does_not_wait(void **state)
{
    struct stage *stage = *state;
    struct berth_error err = {0};

    fake_etw_fail(FAKE_ETW_START, 5, UINT_MAX);
    assert_ok(open_session(stage, hurry, &err), &err);
    assert_true(fake_etw_await(FAKE_ETW_START, 6)); /* the next one is 64 ms away, and so on */
    assert_non_null(stage->session);
}

static void close__reader_hangs__is_closed_and_the_session_stopped(void **state)
{
    struct stage *stage = *state;
    struct berth_etw_times times = hurry;
    struct berth_error err = {0};

    times.close_max = 10;
    assert_ok(open_session(stage, times, &err), &err);
    await_running(stage, 1);
    fake_etw_hang(true);
    close_session(stage);
    assert_true(fake_etw_await(FAKE_ETW_STOP, 1)); /* not waited for longer than 10 ms */
    assert_false(fake_etw_is_clean());             /* it hangs on */
    fake_etw_hang(false);
    assert_true(fake_etw_await_clean());
}

static void close__with_events_under_way__reports_nothing_more(void **state)
{
    struct stage *stage = *state;
    struct berth_etw_times times = hurry;
    struct berth_error err = {0};

    times.flush = 1000000; /* they come with the session's end only */
    assert_ok(open_session(stage, times, &err), &err);
    await_running(stage, 1);
    for (unsigned i = 0; i < 1000; i++) {
        tell_event(BERTH_ETW_HTTP_SERVICE, 31, 0);
        tell_event(BERTH_ETW_LOSS, 0, 32);
    }
    /* tear_down closes, and counts what comes after that: with the reader's end, and not before */
    atomic_store(&stage->silent, true);
    assert_int_equal(stage->words, 1);
}

static void open__impossible_options__is_invalid(void **state)
{
    struct stage *stage = *state;
    struct berth_etw_request request = http_request;
    struct berth_etw_options options = {.name = "Berth", .requests = &request, .request_count = 1};
    const struct berth_etw_calls calls = fake_etw_calls();
    const struct berth_etw_sink sink = {take_event, take_lost, take_state, stage};
    struct berth_error err = {0};
    char name[BERTH_ETW_NAME_SIZE + 1];

    memset(name, 'x', sizeof name - 1);
    name[sizeof name - 1] = '\0';
#define OPEN() berth_etw_session_open(&stage->session, &stage->loop, &options, &calls, &sink, &err)
    options.request_count = 0;
    assert_code(OPEN(), BERTH_INVALID_PARAMS);
    options.request_count = BERTH_ETW_REQUESTS_MAX + 1;
    assert_code(OPEN(), BERTH_INVALID_PARAMS);
    options.request_count = 1;
    request.id_count = BERTH_ETW_IDS_MAX + 1;
    assert_code(OPEN(), BERTH_INVALID_PARAMS);
    request.id_count = BERTH_ETW_IDS_MAX;
    options.name = name;
    assert_code(OPEN(), BERTH_INVALID_PARAMS);
    options.name = "";
    assert_code(OPEN(), BERTH_INVALID_PARAMS);
#undef OPEN
    assert_null(stage->session);
}

static void open__no_memory__is_an_error_and_leaves_nothing(void **state)
{
    struct stage *stage = *state;
    struct berth_error err = {0};
    size_t live = 0;

    memory_faults_begin(1, false);
    enum berth_code code = open_session(stage, hurry, &err);
    assert_true(memory_faults_end(&live));
    assert_code(code, BERTH_NO_MEMORY);
    assert_int_equal(live, 0);
    assert_null(stage->session);
}

static void trouble__of_every_step_and_code__fits_and_names_the_session(void **state)
{
    static const uint32_t codes[] = {0, 5, 6, 8, 14, 183, 1450, 4201, 7007, 0xFFFFFFF4};
    char name[BERTH_ETW_NAME_SIZE];
    char out[BERTH_ETW_TROUBLE_SIZE];

    (void)state;
    for (unsigned step = 0; step < BERTH_ETW_STEP_COUNT; step++) {
        for (size_t i = 0; i < BERTH_COUNT(codes); i++) {
            berth_etw_trouble((enum berth_etw_step)step, codes[i], "Berth-TCPIP", out);
            assert_true(strlen(out) < sizeof out - 1); /* not cut off */
            assert_non_null(strstr(out, "Berth-TCPIP"));
            assert_null(strchr(out, '%'));
        }
    }
    memset(name, '%', sizeof name - 1);
    name[sizeof name - 1] = '\0';
    berth_etw_trouble(BERTH_ETW_STEP_START, 183, name, out);
    assert_true(strlen(out) < sizeof out);
    berth_etw_trouble(BERTH_ETW_STEP_THREAD, (uint32_t)UV_ENOMEM, "x", out);
    assert_non_null(strstr(out, "error -"));
}

static void provider__by_its_guid__is_found(void **state)
{
    const struct berth_etw_guid none = {.a = 1};

    (void)state;
    for (unsigned i = 0; i < BERTH_ETW_PROVIDER_COUNT; i++) {
        enum berth_etw_provider provider = (enum berth_etw_provider)i;
        assert_int_equal(berth_etw_provider_of(berth_etw_provider_guid(provider)), provider);
        assert_true(berth_etw_provider_name(provider)[0] != '\0');
    }
    assert_int_equal(berth_etw_provider_of(&none), BERTH_ETW_PROVIDER_COUNT);
}

int main(void)
{
#define STAGED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        STAGED(open__all_well__asks_each_provider_and_hands_events_over),
        STAGED(open__session_left_behind__is_stopped_and_started_anew),
        STAGED(open__another_daemon_has_it__is_told_and_its_session_left_alone),
        STAGED(open__each_refusal__is_told_and_tried_again),
        STAGED(lost__told_thrice__counts_once),
        STAGED(session__stopped_by_others__is_told_and_opened_again),
        STAGED(flush__fails__ends_the_session_only_if_it_is_gone),
        STAGED(request__changed__is_asked_at_once_and_after_an_opening),
        STAGED(request__refused__ends_the_session_with_the_reason),
        STAGED(restart__gives_its_reason_and_opens_again),
        STAGED(close__at_once__leaves_nothing),
        STAGED(close__while_it_waits_to_try_again__does_not_wait),
        STAGED(close__with_events_under_way__reports_nothing_more),
        STAGED(open__impossible_options__is_invalid),
        STAGED(open__no_memory__is_an_error_and_leaves_nothing),
        cmocka_unit_test(trouble__of_every_step_and_code__fits_and_names_the_session),
        cmocka_unit_test(provider__by_its_guid__is_found),
        /* last: its thread outlives it a little, and memory's hooks may not change meanwhile */
        STAGED(close__reader_hangs__is_closed_and_the_session_stopped),
    };
#undef STAGED
    return cmocka_run_group_tests_name("etw_session", tests, NULL, NULL);
}
