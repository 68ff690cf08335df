/* SPDX-License-Identifier: MIT */
#include "tests/support/cmocka_all.h"
#include "tests/support/memory_faults.h"
#include "watchers/hint_queue.h"

#define IIS BERTH_HINT_BIT(BERTH_SOURCE_IIS)
#define TCP BERTH_HINT_BIT(BERTH_SOURCE_TCP)

struct seen {
    uv_loop_t loop;
    struct berth_hint_queue *queue;
    unsigned looks[BERTH_SOURCE_COUNT];
    unsigned states;
    enum berth_hint_facility facility;
    bool works;
    char reason[300];
    unsigned closed;
};

static void take_look(void *ctx, enum berth_source source)
{
    struct seen *seen = ctx;

    seen->looks[source]++;
}

static void take_state(void *ctx, enum berth_hint_facility facility, bool works, const char *reason)
{
    struct seen *seen = ctx;

    assert_int_equal(reason == NULL, works);
    seen->states++;
    seen->facility = facility;
    seen->works = works;
    (void)snprintf(seen->reason, sizeof seen->reason, "%s", reason != NULL ? reason : "");
}

static void take_closed(void *ctx)
{
    struct seen *seen = ctx;

    seen->closed++;
}

static const struct berth_source_hints_sink *sink_of(struct seen *seen)
{
    static struct berth_source_hints_sink sink;

    sink = (struct berth_source_hints_sink){take_look, take_state, seen};
    return &sink;
}

static int set_up(void **state)
{
    static struct seen seen;
    struct berth_error err = {0};

    memset(&seen, 0, sizeof seen);
    assert_int_equal(uv_loop_init(&seen.loop), 0);
    assert_ok(berth_hint_queue_open(&seen.queue, &seen.loop, sink_of(&seen), &err), &err);
    *state = &seen;
    return 0;
}

static int tear_down(void **state)
{
    struct seen *seen = *state;

    berth_hint_queue_close(seen->queue, take_closed, seen);
    assert_int_equal(seen->closed, 0);
    (void)uv_run(&seen->loop, UV_RUN_DEFAULT);
    assert_int_equal(seen->closed, 1);
    assert_int_equal(uv_loop_close(&seen->loop), 0);
    return 0;
}

/* Lets the loop do what it can do now. */
static void turn(struct seen *seen)
{
    for (int i = 0; i < 3; i++) {
        (void)uv_run(&seen->loop, UV_RUN_NOWAIT);
    }
}

static void hints__many_of_a_source__are_one_look(void **state)
{
    struct seen *seen = *state;
    struct berth_hint_status status;

    for (unsigned i = 0; i < 1000; i++) {
        berth_hint_queue_put(seen->queue, BERTH_HINT_IIS_EVENTS, IIS);
    }
    turn(seen);
    assert_int_equal(seen->looks[BERTH_SOURCE_IIS], 1);
    assert_int_equal(seen->looks[BERTH_SOURCE_TCP], 0);
    berth_hint_queue_status(seen->queue, BERTH_HINT_IIS_EVENTS, &status);
    assert_int_equal(status.total, 1000);
    berth_hint_queue_status(seen->queue, BERTH_HINT_HTTP_EVENTS, &status);
    assert_int_equal(status.total, 0);
}

static void hints__of_two_sources__are_a_look_each(void **state)
{
    struct seen *seen = *state;

    berth_hint_queue_put(seen->queue, BERTH_HINT_WMI_SERVICES, IIS | TCP);
    turn(seen);
    assert_int_equal(seen->looks[BERTH_SOURCE_IIS], 1);
    assert_int_equal(seen->looks[BERTH_SOURCE_TCP], 1);
}

/* The one that keeps its distance is not forgotten. */
static void hints__after_a_look__are_another_one_later(void **state)
{
    struct seen *seen = *state;

    berth_hint_queue_put(seen->queue, BERTH_HINT_IIS_EVENTS, IIS);
    turn(seen);
    berth_hint_queue_put(seen->queue, BERTH_HINT_IIS_EVENTS, IIS);
    while (seen->looks[BERTH_SOURCE_IIS] < 2) {
        (void)uv_run(&seen->loop, UV_RUN_ONCE);
    }
    assert_int_equal(seen->looks[BERTH_SOURCE_IIS], 2);
}

static void state__told_twice__is_reported_once(void **state)
{
    struct seen *seen = *state;
    struct berth_hint_status status;

    berth_hint_queue_status(seen->queue, BERTH_HINT_WMI_SITES, &status);
    assert_false(status.told);
    for (unsigned i = 0; i < 3; i++) {
        berth_hint_queue_state(seen->queue, BERTH_HINT_WMI_SITES, false, "it is not there");
        turn(seen);
    }
    assert_int_equal(seen->states, 1);
    assert_int_equal(seen->facility, BERTH_HINT_WMI_SITES);
    assert_false(seen->works);
    assert_string_equal(seen->reason, "it is not there");
    berth_hint_queue_status(seen->queue, BERTH_HINT_WMI_SITES, &status);
    assert_true(status.told);
    assert_false(status.works);
    assert_string_equal(status.reason, "it is not there");
}

static void state__changes__is_reported_each_time(void **state)
{
    struct seen *seen = *state;
    struct berth_hint_status status;

    berth_hint_queue_state(seen->queue, BERTH_HINT_WMI_SITES, false, "one");
    turn(seen);
    berth_hint_queue_state(seen->queue, BERTH_HINT_WMI_SITES, false, "two");
    turn(seen);
    assert_string_equal(seen->reason, "two");
    berth_hint_queue_state(seen->queue, BERTH_HINT_WMI_SITES, true, NULL);
    turn(seen);
    assert_true(seen->works);
    assert_int_equal(seen->states, 3);
    berth_hint_queue_status(seen->queue, BERTH_HINT_WMI_SITES, &status);
    assert_true(status.works);
    assert_null(status.reason);
}

static void state__long_reason__is_cut_off(void **state)
{
    struct seen *seen = *state;
    char reason[1000];

    memset(reason, 'x', sizeof reason);
    reason[sizeof reason - 1] = '\0';
    berth_hint_queue_state(seen->queue, BERTH_HINT_WMI_SITES, false, reason);
    turn(seen);
    assert_int_equal(strlen(seen->reason), 239);
}

static void silence__hints_that_wait__are_not_reported(void **state)
{
    struct seen *seen = *state;

    berth_hint_queue_put(seen->queue, BERTH_HINT_IIS_EVENTS, IIS);
    berth_hint_queue_state(seen->queue, BERTH_HINT_IIS_EVENTS, true, NULL);
    berth_hint_queue_silence(seen->queue);
    berth_hint_queue_put(seen->queue, BERTH_HINT_IIS_EVENTS, IIS);
    turn(seen);
    assert_int_equal(seen->looks[BERTH_SOURCE_IIS], 0);
    assert_int_equal(seen->states, 0);
}

static void put_a_thousand(void *ctx)
{
    struct seen *seen = ctx;

    for (unsigned i = 0; i < 1000; i++) {
        berth_hint_queue_put(seen->queue, BERTH_HINT_HTTP_EVENTS, IIS);
        berth_hint_queue_state(seen->queue, BERTH_HINT_HTTP_EVENTS, i % 2 == 0, "odd");
    }
}

static void hints__from_four_threads__are_all_counted(void **state)
{
    struct seen *seen = *state;
    struct berth_hint_status status;
    uv_thread_t threads[4];

    for (size_t i = 0; i < BERTH_COUNT(threads); i++) {
        assert_int_equal(uv_thread_create(&threads[i], put_a_thousand, seen), 0);
    }
    for (size_t i = 0; i < BERTH_COUNT(threads); i++) {
        turn(seen);
        assert_int_equal(uv_thread_join(&threads[i]), 0);
    }
    turn(seen);
    berth_hint_queue_status(seen->queue, BERTH_HINT_HTTP_EVENTS, &status);
    assert_int_equal(status.total, 4000);
    assert_true(seen->looks[BERTH_SOURCE_IIS] >= 1);
}

static void open__no_memory__is_an_error(void **state)
{
    struct seen *seen = *state;
    struct berth_hint_queue *queue = NULL;
    struct berth_error err;
    size_t live;

    memory_faults_begin(1, false);
    assert_code(berth_hint_queue_open(&queue, &seen->loop, sink_of(seen), &err), BERTH_NO_MEMORY);
    assert_true(memory_faults_end(&live));
    assert_int_equal(live, 0);
    assert_null(queue);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(hints__many_of_a_source__are_one_look),
        CASE(hints__of_two_sources__are_a_look_each),
        CASE(hints__after_a_look__are_another_one_later),
        CASE(state__told_twice__is_reported_once),
        CASE(state__changes__is_reported_each_time),
        CASE(state__long_reason__is_cut_off),
        CASE(silence__hints_that_wait__are_not_reported),
        CASE(hints__from_four_threads__are_all_counted),
        CASE(open__no_memory__is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
