/* SPDX-License-Identifier: MIT */
/* Windows's event source over played calls: trials, modes, what reaches the sink. */
#include "watchers/windows/etw_tcp_source.h"

#include "tests/support/cmocka_all.h"
#include "tests/support/etw_payload.h"
#include "tests/support/fake_etw.h"
#include "tests/support/memory_faults.h"
#include "watchers/windows/etw_calibration.h"

#include <limits.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>

#define DEADLINE_MS 20000
#define OWN 1234
#define OTHER 99
#define TRIAL_PORT 0xC123
#define SECOND UINT64_C(1000000000)

struct stage {
    uv_loop_t loop;
    uv_timer_t deadline;
    bool late;
    struct berth_etw_tcp_source *source;
    unsigned modes;
    enum berth_tcp_events_mode mode;
    char reason[256];
    unsigned counts[BERTH_TCP_EVENT_WHAT_COUNT];
    struct berth_tcp_event last;
    uint64_t lost;
    unsigned closed;
};

/* How the system does. */
static struct {
    atomic_uint trials;
    atomic_bool no_port;
    atomic_bool network_order;
    atomic_uint missing;  /* the id that is not told */
    atomic_uint context;  /* in which ports are taken */
    atomic_ullong now_ns; /* a slow machine must not make fewer events a second of the same */
} world;

static uint64_t now_ns(void)
{
    return atomic_load(&world.now_ns);
}

static void happen(uint16_t id, uint16_t port, uint32_t process_id)
{
    const struct etw_payload_facts facts = {
        .id = id,
        .pointer_size = 8,
        .family = 4,
        .port = port,
        .swapped = atomic_load(&world.network_order),
        .process_id = process_id,
    };
    struct etw_payload payload;

    if (id == atomic_load(&world.missing)) {
        return;
    }
    etw_payload_build(&payload, &facts);
    payload.event.process_id = process_id;
    fake_etw_tell(&payload.event);
}

static uint16_t choose(void *context)
{
    (void)context;
    return atomic_load(&world.no_port) ? 0 : TRIAL_PORT;
}

static bool use(void *context, uint16_t port)
{
    (void)context;
    happen(1191, port, atomic_load(&world.context));
    happen(1008, port, atomic_load(&world.context));
    happen(1123, port, OWN);
    happen(1124, port, OWN);
    happen(1193, port, OWN);
    happen(1009, port, OWN);
    atomic_fetch_add(&world.trials, 1);
    return true;
}

static void take_events(void *ctx, const struct berth_tcp_event *events, size_t count)
{
    struct stage *stage = ctx;

    for (size_t i = 0; i < count; i++) {
        stage->counts[events[i].what]++;
        stage->last = events[i];
    }
}

static void take_lost(void *ctx, uint64_t count)
{
    struct stage *stage = ctx;

    stage->lost += count;
}

static void take_mode(void *ctx, enum berth_tcp_events_mode mode, const char *reason)
{
    struct stage *stage = ctx;

    assert_int_equal(reason == NULL, mode == BERTH_TCP_EVENTS_FULL);
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
    if (stage->late) {
        fail_msg("nothing more happens: mode %s (%s), %u trials",
                 berth_tcp_events_mode_name(stage->mode), stage->reason,
                 atomic_load(&world.trials));
    }
}

static enum berth_code open_source(struct stage *stage, struct berth_error *err)
{
    const struct berth_tcp_events_sink sink = {take_events, take_lost, take_mode, stage};
    const struct berth_etw_tcp_options options = {
        .session = fake_etw_calls(),
        .trial = {.choose = choose, .use = use, .process_id = OWN},
        .times = {.flush = 2, .retry_min = 1, .retry_max = 20},
        .now_ns = now_ns,
        .tick_ms = 1,
    };

    return berth_etw_tcp_source_open(&stage->source, &stage->loop, &sink, &options, err);
}

static int set_up(void **state)
{
    static struct stage stage;

    memset(&stage, 0, sizeof stage);
    fake_etw_begin();
    atomic_store(&world.trials, 0);
    atomic_store(&world.no_port, false);
    atomic_store(&world.network_order, false);
    atomic_store(&world.missing, 0);
    atomic_store(&world.context, OWN);
    atomic_store(&world.now_ns, SECOND);
    assert_int_equal(uv_loop_init(&stage.loop), 0);
    assert_int_equal(uv_timer_init(&stage.loop, &stage.deadline), 0);
    stage.deadline.data = &stage;
    assert_int_equal(uv_timer_start(&stage.deadline, deadline_cb, DEADLINE_MS, 0), 0);
    *state = &stage;
    return 0;
}

static int tear_down(void **state)
{
    struct stage *stage = *state;

    if (stage->source != NULL) {
        fake_etw_block(false);
        berth_etw_tcp_source_close(stage->source, take_closed, stage);
        unsigned modes = stage->modes;
        while (stage->closed == 0) {
            turn(stage);
        }
        assert_int_equal(stage->modes, modes);
        assert_true(fake_etw_is_clean());
    }
    uv_close((uv_handle_t *)&stage->deadline, NULL);
    (void)uv_run(&stage->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&stage->loop), 0);
    return 0;
}

static void await_mode(struct stage *stage, enum berth_tcp_events_mode mode)
{
    while (stage->modes == 0 || stage->mode != mode) {
        turn(stage);
    }
}

static void open_in_mode(struct stage *stage, enum berth_tcp_events_mode mode)
{
    struct berth_error err = {0};

    assert_ok(open_source(stage, &err), &err);
    await_mode(stage, mode);
}

static void await_event(struct stage *stage, enum berth_tcp_event_what what, unsigned count)
{
    while (stage->counts[what] < count) {
        turn(stage);
    }
}

static unsigned total(const struct stage *stage)
{
    unsigned sum = 0;

    for (size_t i = 0; i < BERTH_TCP_EVENT_WHAT_COUNT; i++) {
        sum += stage->counts[i];
    }
    return sum;
}

/* Lets time pass, and the source see it. */
static void pass(struct stage *stage, uint64_t ns)
{
    atomic_fetch_add(&world.now_ns, ns);
    for (unsigned i = 0; i < 3; i++) {
        turn(stage);
    }
}

/* --- tests ---------------------------------------------------------------------------------- */

static void open__all_arrives__is_full_and_tells_events(void **state)
{
    struct stage *stage = *state;

    for (unsigned swapped = 0; swapped < 2; swapped++) {
        if (swapped != 0) {
            assert_int_equal(tear_down(state), 0);
            assert_int_equal(set_up(state), 0);
            atomic_store(&world.network_order, true);
        }
        open_in_mode(stage, BERTH_TCP_EVENTS_FULL);
        assert_int_equal(stage->modes, 1);
        assert_int_equal(total(stage), 0); /* the trial's own are not told */
        happen(1191, 50000, OTHER);
        await_event(stage, BERTH_TCP_EVENT_CONNECT, 1);
        assert_int_equal(stage->last.port, 50000);
        happen(1123, 50000, OTHER);
        await_event(stage, BERTH_TCP_EVENT_LISTEN, 1);
        assert_int_equal(stage->last.port, 50000);
        assert_int_equal(stage->last.process_id, OTHER);
        assert_int_equal(stage->last.time_ns, 42);
        happen(1124, 50000, OTHER);
        await_event(stage, BERTH_TCP_EVENT_RELEASE, 1);
        happen(1193, 50000, OTHER);
        await_event(stage, BERTH_TCP_EVENT_DISCONNECT, 1);
        assert_int_equal(stage->last.port, 50000);
    }
}

static void events__of_our_own__are_not_told(void **state)
{
    struct stage *stage = *state;

    open_in_mode(stage, BERTH_TCP_EVENTS_FULL);
    happen(1191, 50001, OWN);
    happen(1008, 50001, OWN);
    happen(1193, 50001, OWN);
    happen(1123, 50001, OTHER);
    await_event(stage, BERTH_TCP_EVENT_LISTEN, 1);
    assert_int_equal(total(stage), 1);
}

static void open__one_event_missing__is_partial_and_tried_again(void **state)
{
    struct stage *stage = *state;
    struct berth_error err = {0};

    atomic_store(&world.missing, 1191);
    assert_ok(open_source(stage, &err), &err);
    while (atomic_load(&world.trials) == 0) {
        turn(stage);
    }
    /* its events are read before the time is over */
    assert_true(fake_etw_await_read());
    atomic_fetch_add(&world.now_ns, BERTH_ETW_CALIBRATION_NS);
    await_mode(stage, BERTH_TCP_EVENTS_PARTIAL);
    assert_string_equal(stage->reason, "Windows's events of TCP do not tell: ports that are taken");
    happen(1123, 50000, OTHER); /* what comes is told */
    await_event(stage, BERTH_TCP_EVENT_LISTEN, 1);
    happen(1193, 50000, OTHER); /* which bytes come first was not learned */
    await_event(stage, BERTH_TCP_EVENT_OTHER, 1);
    assert_int_equal(stage->last.port, 0);
    atomic_store(&world.missing, 0);
    pass(stage, 59 * SECOND);
    assert_int_equal(atomic_load(&world.trials), 1);
    pass(stage, SECOND);
    await_mode(stage, BERTH_TCP_EVENTS_FULL);
    assert_int_equal(atomic_load(&world.trials), 2);
    assert_int_equal(fake_etw_count(FAKE_ETW_START), 1);
}

static void open__ports_are_taken_in_no_process__are_only_looked_at(void **state)
{
    struct stage *stage = *state;
    struct berth_error err = {0};

    atomic_store(&world.context, 0);
    assert_ok(open_source(stage, &err), &err);
    while (atomic_load(&world.trials) == 0) {
        turn(stage);
    }
    assert_true(fake_etw_await_read());
    atomic_fetch_add(&world.now_ns, BERTH_ETW_CALIBRATION_NS);
    await_mode(stage, BERTH_TCP_EVENTS_PARTIAL);
    happen(1191, 50000, 0);
    happen(1008, 50000, 0);
    await_event(stage, BERTH_TCP_EVENT_OTHER, 2);
    assert_int_equal(stage->last.port, 0);
    assert_int_equal(stage->counts[BERTH_TCP_EVENT_CONNECT], 0);
}

static void open__nothing_arrives__gives_the_session_up_and_tries_again(void **state)
{
    struct stage *stage = *state;
    struct berth_error err = {0};

    fake_etw_mute(true);
    assert_ok(open_source(stage, &err), &err);
    while (stage->modes == 0) {
        pass(stage, BERTH_ETW_CALIBRATION_NS);
    }
    assert_int_equal(stage->mode, BERTH_TCP_EVENTS_NONE);
    assert_non_null(strstr(stage->reason, "the tracing session runs, but"));
    fake_etw_mute(false);
    /* it may have been opened again, and tried, before it was heard */
    while (stage->mode != BERTH_TCP_EVENTS_FULL) {
        pass(stage, BERTH_ETW_CALIBRATION_NS / 100);
    }
    assert_true(fake_etw_count(FAKE_ETW_START) >= 2);
}

static void open__no_port_to_try__is_partial(void **state)
{
    struct stage *stage = *state;

    atomic_store(&world.no_port, true);
    open_in_mode(stage, BERTH_TCP_EVENTS_PARTIAL);
    assert_string_equal(stage->reason,
                        "no port of loopback can be opened to try Windows's events of TCP");
    atomic_store(&world.no_port, false);
    pass(stage, 60 * SECOND);
    await_mode(stage, BERTH_TCP_EVENTS_FULL);
}

static void open__refused__is_none_with_the_reason(void **state)
{
    struct stage *stage = *state;

    fake_etw_fail(FAKE_ETW_OPEN, BERTH_ETW_ACCESS_DENIED, UINT_MAX);
    open_in_mode(stage, BERTH_TCP_EVENTS_NONE);
    assert_string_equal(stage->reason,
                        "Windows denies Berth the tracing session Berth-TCPIP (error 5): its "
                        "account must be a member of Performance Log Users, or an administrator");
    assert_true(fake_etw_await(FAKE_ETW_OPEN, 4));
    turn(stage);
    assert_int_equal(stage->modes, 1); /* the same again is no news */
    fake_etw_fail(FAKE_ETW_OPEN, 0, 0);
    await_mode(stage, BERTH_TCP_EVENTS_FULL);
}

static void session__taken_away__is_none_until_it_was_tried_again(void **state)
{
    struct stage *stage = *state;

    open_in_mode(stage, BERTH_TCP_EVENTS_FULL);
    for (unsigned i = 0; i < 5; i++) {
        unsigned modes = stage->modes;
        unsigned trials = atomic_load(&world.trials);
        fake_etw_take_away(0);
        while (stage->modes == modes || stage->mode != BERTH_TCP_EVENTS_FULL ||
               atomic_load(&world.trials) == trials) {
            turn(stage);
        }
    }
    happen(1123, 50000, OTHER);
    await_event(stage, BERTH_TCP_EVENT_LISTEN, 1);
}

/* Has more than 2,000 events a second until fewer are asked for. Ours cost as much as others'. */
static void become_busy(struct stage *stage)
{
    struct berth_etw_request asked;

    pass(stage, SECOND); /* the first span begins */
    do {
        for (unsigned i = 0; i < 300; i++) {
            happen(1191, 50000, OWN);
        }
        assert_true(fake_etw_await_read());
        pass(stage, SECOND / 10);
        assert_true(fake_etw_request(BERTH_ETW_TCPIP, &asked));
    } while (asked.id_count == 12);
}

static void volume__too_many__is_low_until_it_calms_down(void **state)
{
    struct stage *stage = *state;
    struct berth_etw_request asked;

    open_in_mode(stage, BERTH_TCP_EVENTS_FULL);
    become_busy(stage);
    await_mode(stage, BERTH_TCP_EVENTS_LOW_VOLUME);
    assert_non_null(strstr(stage->reason, "more than 2000 events"));
    assert_true(fake_etw_request(BERTH_ETW_TCPIP, &asked));
    assert_int_equal(asked.id_count, 8);
    happen(1191, 50000, OTHER); /* not asked for */
    happen(1008, 50001, OTHER);
    await_event(stage, BERTH_TCP_EVENT_CONNECT, 1);
    assert_int_equal(stage->last.port, 50001);

    /* opened again meanwhile, it is tried as it is asked for */
    fake_etw_take_away(0);
    await_mode(stage, BERTH_TCP_EVENTS_NONE);
    await_mode(stage, BERTH_TCP_EVENTS_LOW_VOLUME);

    pass(stage, 60 * SECOND);
    await_mode(stage, BERTH_TCP_EVENTS_FULL);
    assert_true(fake_etw_request(BERTH_ETW_TCPIP, &asked));
    assert_int_equal(asked.id_count, 12);
    happen(1191, 50002, OTHER); /* whose bytes are in the order learned before */
    await_event(stage, BERTH_TCP_EVENT_CONNECT, 2);
    assert_int_equal(stage->last.port, 50002);
}

static void volume__too_many_in_part__is_low_as_well(void **state)
{
    struct stage *stage = *state;

    atomic_store(&world.no_port, true);
    open_in_mode(stage, BERTH_TCP_EVENTS_PARTIAL);
    become_busy(stage);
    assert_int_equal(stage->mode, BERTH_TCP_EVENTS_PARTIAL);
    /* tried again in low volume, it is whole as that goes; in full, as that goes */
    atomic_store(&world.no_port, false);
    atomic_store(&world.missing, 1193);
    pass(stage, 50 * SECOND);
    await_mode(stage, BERTH_TCP_EVENTS_LOW_VOLUME);
    unsigned trials = atomic_load(&world.trials);
    pass(stage, 30 * SECOND);
    while (atomic_load(&world.trials) == trials) {
        turn(stage);
    }
    assert_true(fake_etw_await_read());
    pass(stage, BERTH_ETW_CALIBRATION_NS);
    await_mode(stage, BERTH_TCP_EVENTS_PARTIAL);
    assert_non_null(strstr(stage->reason, "given back"));
}

static void lost__is_told(void **state)
{
    struct stage *stage = *state;

    open_in_mode(stage, BERTH_TCP_EVENTS_FULL);
    fake_etw_lose(7, 0);
    while (stage->lost == 0) {
        turn(stage);
    }
    assert_int_equal(stage->lost, 7);
}

static void close__at_any_moment__leaves_nothing(void **state)
{
    struct stage *stage = *state;
    struct berth_error err = {0};

    for (unsigned i = 0; i < 60; i++) {
        assert_ok(open_source(stage, &err), &err);
        for (unsigned turns = 0; turns < i % 6; turns++) {
            (void)uv_run(&stage->loop, UV_RUN_NOWAIT);
        }
        berth_etw_tcp_source_close(stage->source, take_closed, stage);
        while (stage->closed == 0) {
            turn(stage);
        }
        assert_true(fake_etw_is_clean());
        stage->closed = 0;
    }
    stage->source = NULL;
}

static void close__with_events_in_the_queue__tells_no_more(void **state)
{
    struct stage *stage = *state;

    open_in_mode(stage, BERTH_TCP_EVENTS_FULL);
    happen(1123, 50000, OTHER);
    /* read by the session's thread, while the loop stands still */
    assert_true(fake_etw_await_read());
    fake_etw_take_away(0);
    assert_true(fake_etw_await(FAKE_ETW_START, 2));
    berth_etw_tcp_source_close(stage->source, take_closed, stage);
    stage->source = NULL;
    while (stage->closed == 0) {
        turn(stage);
    }
    assert_int_equal(total(stage), 0);
    assert_int_equal(stage->modes, 1);
}

static void open__each_allocation_fails__is_an_error_and_leaves_nothing(void **state)
{
    struct stage *stage = *state;

    for (size_t at = 1; at <= 3; at++) {
        struct berth_error err = {0};
        size_t live = 0;
        memory_faults_begin(at, false);
        enum berth_code code = open_source(stage, &err);
        for (unsigned i = 0; i < 10; i++) {
            (void)uv_run(&stage->loop, UV_RUN_NOWAIT); /* what was made is closed */
        }
        assert_true(memory_faults_end(&live));
        assert_code(code, BERTH_NO_MEMORY);
        assert_int_equal(live, 0);
        assert_null(stage->source);
    }
}

int main(void)
{
#define STAGED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        STAGED(open__all_arrives__is_full_and_tells_events),
        STAGED(events__of_our_own__are_not_told),
        STAGED(open__one_event_missing__is_partial_and_tried_again),
        STAGED(open__ports_are_taken_in_no_process__are_only_looked_at),
        STAGED(open__nothing_arrives__gives_the_session_up_and_tries_again),
        STAGED(open__no_port_to_try__is_partial),
        STAGED(open__refused__is_none_with_the_reason),
        STAGED(session__taken_away__is_none_until_it_was_tried_again),
        STAGED(volume__too_many__is_low_until_it_calms_down),
        STAGED(volume__too_many_in_part__is_low_as_well),
        STAGED(lost__is_told),
        STAGED(close__at_any_moment__leaves_nothing),
        STAGED(close__with_events_in_the_queue__tells_no_more),
        STAGED(open__each_allocation_fails__is_an_error_and_leaves_nothing),
    };
#undef STAGED
    return cmocka_run_group_tests_name("etw_tcp_source", tests, NULL, NULL);
}
