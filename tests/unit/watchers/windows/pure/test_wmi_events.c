/* SPDX-License-Identifier: MIT */
/* The life of subscriptions to WMI, over a WMI that follows a script. */
#include "tests/support/cmocka_all.h"
#include "tests/support/memory_faults.h"
#include "watchers/windows/wmi_events.h"

#include <stdio.h>
#include <stdlib.h>

#define DEADLINE_NS 20000000000u /* what is waited for takes milliseconds */
#define QUERIES 3u
#define IIS BERTH_HINT_BIT(BERTH_SOURCE_IIS)
#define TCP BERTH_HINT_BIT(BERTH_SOURCE_TCP)
#define HTTP BERTH_HINT_BIT(BERTH_SOURCE_HTTPSYS)

static const struct berth_wmi_query queries[QUERIES] = {
    {BERTH_HINT_WMI_SERVICES, "ROOT\\CIMV2", "services", IIS | HTTP | TCP},
    {BERTH_HINT_WMI_PROCESSES, "ROOT\\CIMV2", "processes", TCP},
    {BERTH_HINT_WMI_SITES, "ROOT\\WebAdministration", "sites", IIS},
};

/* The script, and what was seen. Everything under the lock. */
static struct {
    uv_mutex_t lock;
    uv_cond_t changed;
    enum berth_code enter; /* what it answers */
    enum berth_code subscribe[QUERIES];
    enum berth_code next[QUERIES]; /* BUSY: what waits is given, then BUSY */
    unsigned waiting[QUERIES];     /* events */
    bool endless[QUERIES];
    const char *target; /* of services' events */
    bool hang;          /* in subscribe */
    bool hang_next;     /* in next, then give an event */

    unsigned enters, leaves;
    unsigned subscribed[QUERIES], unsubscribed[QUERIES], tries[QUERIES];
    unsigned hints[QUERIES];
    unsigned sources[QUERIES]; /* of the latest hint */
    unsigned states[QUERIES];
    bool works[QUERIES];
    char reason[QUERIES][100];
    bool hanging;
    bool shut; /* a report now is an error */
    unsigned late;
} world;

static void lock(void)
{
    uv_mutex_lock(&world.lock);
}

static void unlock(void)
{
    uv_cond_broadcast(&world.changed);
    uv_mutex_unlock(&world.lock);
}

static enum berth_code answer(enum berth_code code, struct berth_error *err)
{
    return code == BERTH_OK ? BERTH_OK : berth_fail(err, code, 5, "the world is shut");
}

static enum berth_code fake_enter(void **out, struct berth_error *err)
{
    lock();
    world.enters += world.enter == BERTH_OK;
    enum berth_code code = answer(world.enter, err);
    unlock();
    *out = &world;
    return code;
}

static void fake_leave(void *context)
{
    assert_ptr_equal(context, &world);
    lock();
    world.leaves++;
    unlock();
}

static enum berth_code fake_subscribe(void *context, const struct berth_wmi_query *query,
                                      void **out, struct berth_error *err)
{
    size_t at = (size_t)(query - queries);

    assert_ptr_equal(context, &world);
    lock();
    world.tries[at]++;
    while (world.hang) {
        world.hanging = true;
        uv_cond_broadcast(&world.changed);
        uv_cond_wait(&world.changed, &world.lock);
    }
    enum berth_code code = answer(world.subscribe[at], err);
    if (code == BERTH_OK) {
        world.subscribed[at]++;
        *out = &world.subscribed[at];
    }
    unlock();
    return code;
}

static void fill(size_t at, struct berth_wmi_event *out)
{
    static const char *const classes[QUERIES] = {"Win32_Service", "", "Site"};

    (void)snprintf(out->class_name, sizeof out->class_name, "%s",
                   at == 1 ? "Win32_ProcessStopTrace" : "__InstanceModificationEvent");
    (void)snprintf(out->target_class, sizeof out->target_class, "%s", classes[at]);
    (void)snprintf(out->target_name, sizeof out->target_name, "%s", world.target);
}

static enum berth_code fake_next(void *context, void *subscription, struct berth_wmi_event *out,
                                 struct berth_error *err)
{
    size_t at = (size_t)((unsigned *)subscription - world.subscribed);
    enum berth_code code = BERTH_OK;

    assert_ptr_equal(context, &world);
    lock();
    while (world.hang_next) {
        world.hanging = true;
        uv_cond_broadcast(&world.changed);
        uv_cond_wait(&world.changed, &world.lock);
    }
    if (world.endless[at] || world.waiting[at] != 0) {
        world.waiting[at] -= !world.endless[at];
        fill(at, out);
    } else {
        code = answer(world.next[at], err);
    }
    unlock();
    return code;
}

static void fake_unsubscribe(void *context, void *subscription)
{
    size_t at = (size_t)((unsigned *)subscription - world.subscribed);

    assert_ptr_equal(context, &world);
    lock();
    world.unsubscribed[at]++;
    unlock();
}

static const struct berth_wmi_calls calls = {
    .enter = fake_enter,
    .leave = fake_leave,
    .subscribe = fake_subscribe,
    .next = fake_next,
    .unsubscribe = fake_unsubscribe,
};

static size_t row_of(enum berth_hint_facility facility)
{
    size_t at = 0;

    while (queries[at].facility != facility) {
        at++;
    }
    return at;
}

static void take_hint(void *ctx, enum berth_hint_facility facility, unsigned sources)
{
    size_t at = row_of(facility);

    (void)ctx;
    lock();
    world.hints[at]++;
    world.sources[at] = sources;
    world.late += world.shut;
    unlock();
}

static void take_state(void *ctx, enum berth_hint_facility facility, bool works, const char *reason)
{
    size_t at = row_of(facility);

    (void)ctx;
    lock();
    world.states[at]++;
    world.works[at] = works;
    (void)snprintf(world.reason[at], sizeof world.reason[at], "%s", reason != NULL ? reason : "");
    world.late += world.shut;
    unlock();
}

/* ---- the stage ---- */

struct stage {
    uv_loop_t loop;
    struct berth_wmi_events *events;
    unsigned closed;
};

static int set_up(void **state)
{
    static struct stage stage;

    memset(&stage, 0, sizeof stage);
    memset(&world, 0, sizeof world);
    assert_int_equal(uv_mutex_init(&world.lock), 0);
    assert_int_equal(uv_cond_init(&world.changed), 0);
    for (size_t i = 0; i < QUERIES; i++) {
        world.next[i] = BERTH_BUSY;
    }
    world.target = "W3SVC";
    assert_int_equal(uv_loop_init(&stage.loop), 0);
    *state = &stage;
    return 0;
}

static enum berth_code try_open(struct stage *stage, struct berth_error *err)
{
    const struct berth_wmi_options options = {
        .calls = &calls,
        .queries = queries,
        .count = QUERIES,
        .rest_ms = 1,
        .retry_first_ms = 1,
        .retry_max_ms = 4,
        .abandon_ms = world.hang ? 1 : 60000,
    };
    const struct berth_wmi_sink sink = {take_hint, take_state, NULL};

    return berth_wmi_events_open(&stage->events, &stage->loop, &options, &sink, err);
}

static void start(struct stage *stage)
{
    struct berth_error err = {0};

    assert_ok(try_open(stage, &err), &err);
}

static void take_closed(void *ctx)
{
    struct stage *stage = ctx;

    stage->closed++;
}

static void stop(struct stage *stage)
{
    berth_wmi_events_close(stage->events, take_closed, stage);
    stage->events = NULL;
    lock();
    world.shut = true;
    unlock();
    assert_int_equal(stage->closed, 0);
    (void)uv_run(&stage->loop, UV_RUN_DEFAULT);
    assert_int_equal(stage->closed, 1);
    assert_int_equal(world.late, 0);
}

static int tear_down(void **state)
{
    struct stage *stage = *state;

    if (stage->events != NULL) {
        stop(stage);
        assert_int_equal(world.leaves, world.enters);
        assert_memory_equal(world.subscribed, world.unsubscribed, sizeof world.subscribed);
    }
    assert_int_equal(uv_loop_close(&stage->loop), 0);
    uv_cond_destroy(&world.changed);
    uv_mutex_destroy(&world.lock);
    return 0;
}

/* Waits, under the lock, until a counter has reached something. */
static void await(const unsigned *counter, unsigned reached)
{
    uint64_t until = uv_hrtime() + DEADLINE_NS;

    while (*counter < reached) {
        uint64_t now = uv_hrtime();
        if (now >= until) {
            uv_mutex_unlock(&world.lock);
            fail_msg("nothing happened within 20 s");
        }
        (void)uv_cond_timedwait(&world.changed, &world.lock, until - now);
    }
}

static void await_works(size_t at)
{
    lock();
    while (!world.works[at]) {
        await(&world.states[at], world.states[at] + 1);
    }
    unlock();
}

/* ---- what is told ---- */

static void events__of_each_query__are_hints_of_its_facility(void **state)
{
    lock();
    for (size_t i = 0; i < QUERIES; i++) {
        world.waiting[i] = 2;
    }
    unlock();
    start(*state);
    lock();
    for (size_t i = 0; i < QUERIES; i++) {
        await(&world.hints[i], 2);
    }
    assert_int_equal(world.sources[0], IIS | HTTP | TCP);
    assert_int_equal(world.sources[1], TCP);
    assert_int_equal(world.sources[2], IIS | HTTP | TCP);
    unlock();
    for (size_t i = 0; i < QUERIES; i++) {
        await_works(i);
    }
}

static void event__of_no_concern__is_no_hint(void **state)
{
    lock();
    world.target = "Spooler";
    world.waiting[0] = 5;
    world.waiting[1] = 1;
    unlock();
    start(*state);
    lock();
    await(&world.hints[1], 1); /* its row comes after the first one's */
    assert_int_equal(world.waiting[0], 0);
    assert_int_equal(world.hints[0], 0);
    unlock();
}

static void storm__of_one_query__leaves_the_others_their_turn(void **state)
{
    lock();
    world.endless[0] = true;
    world.waiting[2] = 3;
    unlock();
    start(*state);
    lock();
    await(&world.hints[2], 3);
    await(&world.hints[0], 200);
    unlock();
}

/* ---- what fails ---- */

static void query__namespace_missing__the_others_work(void **state)
{
    lock();
    world.subscribe[2] = BERTH_NOT_FOUND;
    world.waiting[0] = 1;
    unlock();
    start(*state);
    lock();
    await(&world.hints[0], 1);
    await(&world.states[2], 1);
    assert_false(world.works[2]);
    assert_string_equal(world.reason[2], "the world is shut");
    await(&world.tries[2], 5); /* it may come to be there */
    assert_int_equal(world.tries[0], 1);
    world.subscribe[2] = BERTH_OK;
    unlock();
    await_works(2);
}

/* Accepted, and refused at the first question: it never worked, and nobody is told that it does. */
static void query__refused_after_it_was_accepted__is_never_said_to_work(void **state)
{
    lock();
    world.next[2] = BERTH_NOT_SUPPORTED;
    unlock();
    start(*state);
    lock();
    for (unsigned i = 1; i <= 4; i++) {
        await(&world.states[2], i);
        assert_false(world.works[2]);
    }
    unlock();
}

static void subscription__breaks__is_made_again_and_what_was_missed_is_hinted_at(void **state)
{
    start(*state);
    await_works(0);
    lock();
    assert_int_equal(world.hints[0], 0);
    world.next[0] = BERTH_IO;
    await(&world.unsubscribed[0], 1);
    while (world.works[0]) {
        await(&world.states[0], world.states[0] + 1);
    }
    world.next[0] = BERTH_BUSY;
    unlock();
    await_works(0);
    lock();
    assert_true(world.hints[0] >= 1);
    assert_int_equal(world.sources[0], queries[0].sources);
    assert_true(world.subscribed[0] >= 2);
    assert_int_equal(world.subscribed[1], 1); /* the others went on */
    unlock();
}

static void wmi__does_not_start__all_fail_until_it_does(void **state)
{
    lock();
    world.enter = BERTH_NOT_SUPPORTED;
    unlock();
    start(*state);
    lock();
    for (size_t i = 0; i < QUERIES; i++) {
        await(&world.states[i], 3);
        assert_false(world.works[i]);
        assert_int_equal(world.tries[i], 0);
    }
    world.enter = BERTH_OK;
    unlock();
    for (size_t i = 0; i < QUERIES; i++) {
        await_works(i);
    }
    assert_int_equal(world.enters, 1);
}

/* ---- the end ---- */

static void close__at_once__is_clean(void **state)
{
    start(*state);
}

static void close__in_a_storm__is_clean(void **state)
{
    lock();
    world.endless[0] = true;
    world.endless[1] = true;
    unlock();
    start(*state);
    lock();
    await(&world.hints[0], 10);
    unlock();
}

static void close__while_an_event_is_read__it_is_not_reported(void **state)
{
    struct stage *stage = *state;

    world.waiting[0] = 1;
    world.hang_next = true;
    start(stage);
    lock();
    while (!world.hanging) {
        uv_cond_wait(&world.changed, &world.lock);
    }
    unlock();
    berth_wmi_events_close(stage->events, take_closed, stage);
    stage->events = NULL;
    lock();
    world.shut = true;
    world.hang_next = false;
    unlock();
    (void)uv_run(&stage->loop, UV_RUN_DEFAULT);
    assert_int_equal(stage->closed, 1);
    assert_int_equal(world.waiting[0], 0); /* it was read */
    assert_int_equal(world.hints[0], 0);
    assert_int_equal(world.late, 0);
}

static void close__while_all_fail__does_not_wait_for_the_next_try(void **state)
{
    struct stage *stage = *state;
    struct berth_error err = {0};
    const struct berth_wmi_options options = {
        .calls = &calls, .queries = queries, .count = QUERIES, .abandon_ms = 60000};
    const struct berth_wmi_sink sink = {take_hint, take_state, NULL};

    lock();
    world.enter = BERTH_DENIED;
    unlock();
    /* with its own times, the second try comes after a second, the third after two */
    assert_ok(berth_wmi_events_open(&stage->events, &stage->loop, &options, &sink, &err), &err);
    lock();
    await(&world.states[QUERIES - 1], 1);
    unlock();
    stop(stage);
    assert_int_equal(world.states[0], 1);
}

/* WMI does not answer: the loop is told that it is over, and the thread, when it comes back, uses
 * nothing but its own. */
static void close__while_wmi_hangs__leaves_the_thread_to_itself(void **state)
{
    struct stage *stage = *state;

    world.hang = true;
    start(stage);
    lock();
    while (!world.hanging) {
        uv_cond_wait(&world.changed, &world.lock);
    }
    unlock();
    stop(stage);
    lock();
    world.hang = false;
    uv_cond_broadcast(&world.changed);
    await(&world.leaves, 1);
    assert_int_equal(world.late, 0);
    assert_memory_equal(world.subscribed, world.unsubscribed, sizeof world.subscribed);
    unlock();
}

static void open__each_allocation_fails__is_an_error_without_a_leak(void **state)
{
    struct stage *stage = *state;
    bool failed = true;

    for (size_t n = 1; failed; n++) {
        struct berth_error err = {0};
        size_t live;
        stage->closed = 0;
        world.shut = false;
        memory_faults_begin(n, false);
        enum berth_code code = try_open(stage, &err);
        if (code == BERTH_OK) {
            stop(stage);
        } else {
            (void)uv_run(&stage->loop, UV_RUN_DEFAULT);
        }
        failed = memory_faults_end(&live);
        assert_int_equal(live, 0);
        assert_true(code == (failed ? BERTH_NO_MEMORY : BERTH_OK));
    }
}

/* ---- what Berth asks ---- */

static void queries__of_berth__are_one_a_facility_and_do_not_poll_fast(void **state)
{
    size_t count;
    const struct berth_wmi_query *rows = berth_wmi_queries(&count);
    unsigned seen = 0;

    (void)state;
    assert_in_range(count, 1, BERTH_WMI_QUERIES_MAX);
    for (size_t i = 0; i < count; i++) {
        const char *within = strstr(rows[i].text, "WITHIN ");
        assert_int_equal(berth_hint_facility_group(rows[i].facility), BERTH_HINTS_WMI);
        assert_int_equal(seen & 1u << rows[i].facility, 0);
        seen |= 1u << rows[i].facility;
        assert_true(rows[i].sources != 0);
        assert_null(strstr(rows[i].text, "MSFT_NetTCPConnection"));
        /* what compares instances polls inside WMI */
        assert_true((strstr(rows[i].text, "__Instance") != NULL) == (within != NULL));
        assert_true(within == NULL || strtol(within + strlen("WITHIN "), NULL, 10) >= 5);
    }
}

static void queries__of_services__name_each_and_are_whole(void **state)
{
    size_t count;
    const struct berth_wmi_query *rows = berth_wmi_queries(&count);
    const char *text = rows[0].text;
    const char *name;
    char quoted[64];

    (void)state;
    assert_int_equal(rows[0].facility, BERTH_HINT_WMI_SERVICES);
    for (size_t i = 0; (name = berth_hint_service(i)) != NULL; i++) {
        (void)snprintf(quoted, sizeof quoted, "TargetInstance.Name='%s'", name);
        assert_non_null(strstr(text, quoted));
    }
    assert_int_equal(text[strlen(text) - 1], ')'); /* it was not cut off */
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(events__of_each_query__are_hints_of_its_facility),
        CASE(event__of_no_concern__is_no_hint),
        CASE(storm__of_one_query__leaves_the_others_their_turn),
        CASE(query__namespace_missing__the_others_work),
        CASE(query__refused_after_it_was_accepted__is_never_said_to_work),
        CASE(subscription__breaks__is_made_again_and_what_was_missed_is_hinted_at),
        CASE(wmi__does_not_start__all_fail_until_it_does),
        CASE(close__at_once__is_clean),
        CASE(close__in_a_storm__is_clean),
        CASE(close__while_an_event_is_read__it_is_not_reported),
        CASE(close__while_all_fail__does_not_wait_for_the_next_try),
        CASE(open__each_allocation_fails__is_an_error_without_a_leak),
        cmocka_unit_test(queries__of_berth__are_one_a_facility_and_do_not_poll_fast),
        cmocka_unit_test(queries__of_services__name_each_and_are_whole),
        /* last: the thread that it leaves behind gives its memory back some time */
        CASE(close__while_wmi_hangs__leaves_the_thread_to_itself),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
