/* SPDX-License-Identifier: MIT */
#include "watcher_contract.h"

#include "cmocka_all.h"
#include "temp_dir.h"
#include "watchers/overdue.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DEADLINE_MS 20000
#define TICK_MS 5
#define FEEDS_MAX 4
#define POOL_THREADS 4
#define OVERDUE_MS 50
#define REFUSAL "there is no room for it"

static const struct watcher_contract *subject;

/* One watcher under test, and all that it reported. */
struct stage {
    void *world;
    uv_loop_t loop;
    uv_timer_t deadline;
    uint64_t end_ms;
    bool late;
    struct berth_watcher *watcher;
    struct berth_watcher_sink sink;

    unsigned snapshots[FEEDS_MAX];
    unsigned reports; /* snapshots and states */
    unsigned state_reports;
    enum berth_source_state state;
    char reason[200];
    unsigned refused; /* feeds whose snapshots are not taken: a sum of 1 << feed */
    unsigned refusals;
    bool first_ready_came_early; /* before each feed's first snapshot */
    uint16_t wanted_port;
    bool wanted_seen; /* the last snapshot of feed 0 had the wanted port */
    size_t claim_count;
    bool silent; /* stop has returned: a report now is an error */
    bool look_in_report;
    unsigned in_report; /* depth: a report within a report is an error */
    unsigned stopped;
};

static struct stage *stage_of(struct berth_watcher *watcher)
{
    return watcher->owner;
}

static void check_claim(const struct stage *stage, const struct berth_claim *claim)
{
    assert_in_range(claim->port, 1, 65535);
    assert_in_range(claim->kind, 0, BERTH_CLAIM_KIND_COUNT - 1);
    assert_int_equal(berth_claim_source((enum berth_claim_kind)claim->kind),
                     stage->watcher->ops->source);
    assert_in_range(claim->protocol, 0, BERTH_PROTOCOL_COUNT - 1);
    assert_true(claim->address.family == BERTH_FAMILY_ALL ||
                claim->address.family == BERTH_FAMILY_IPV4 ||
                claim->address.family == BERTH_FAMILY_IPV6);
    assert_true(claim->count >= 1);
}

static enum berth_code take_snapshot(struct berth_watcher *from, unsigned feed,
                                     const struct berth_snapshot *snapshot, struct berth_error *err)
{
    struct stage *stage = stage_of(from);

    assert_ptr_equal(from, stage->watcher);
    assert_false(stage->silent);
    assert_int_equal(stage->in_report++, 0);
    assert_true(feed < from->ops->feed_count);
    if ((stage->refused & 1u << feed) != 0) {
        stage->refusals++;
        stage->in_report--;
        return berth_fail(err, BERTH_NO_MEMORY, 0, REFUSAL);
    }
    stage->snapshots[feed]++;
    stage->reports++;
    if (feed == 0) {
        stage->wanted_seen = false;
        stage->claim_count = snapshot->claim_count;
    }
    for (size_t i = 0; i < snapshot->claim_count; i++) {
        check_claim(stage, &snapshot->claims[i]);
        stage->wanted_seen |= feed == 0 && snapshot->claims[i].port == stage->wanted_port;
    }
    for (size_t i = 0; i < snapshot->warning_count; i++) {
        assert_non_null(snapshot->warnings[i]);
        assert_true(snapshot->warnings[i][0] != '\0');
    }
    if (stage->look_in_report) {
        stage->look_in_report = false;
        from->ops->look(from);
    }
    stage->in_report--;
    return BERTH_OK;
}

static bool all_feeds_delivered(const struct stage *stage)
{
    for (unsigned i = 0; i < stage->watcher->ops->feed_count; i++) {
        if (stage->snapshots[i] == 0) {
            return false;
        }
    }
    return true;
}

static void take_state(struct berth_watcher *from, enum berth_source_state state,
                       const char *reason)
{
    struct stage *stage = stage_of(from);

    assert_ptr_equal(from, stage->watcher);
    assert_false(stage->silent);
    assert_int_equal(stage->in_report++, 0);
    assert_true((unsigned)state < BERTH_STATE_COUNT);
    if (state == BERTH_STATE_READY) {
        assert_null(reason);
    } else {
        assert_non_null(reason);
        assert_true(reason[0] != '\0');
    }
    if (state == BERTH_STATE_READY || state == BERTH_STATE_DEGRADED || state == BERTH_STATE_STALE) {
        stage->first_ready_came_early |= !all_feeds_delivered(stage);
    }
    stage->state = state;
    (void)snprintf(stage->reason, sizeof stage->reason, "%s", reason != NULL ? reason : "");
    stage->state_reports++;
    stage->reports++;
    stage->in_report--;
}

/* ---- running ---- */

/* Ends a wait of the loop, so that conditions are looked at: uv_run() may have met one in its
 * timers and then wait for input all the same. */
static void on_tick(uv_timer_t *timer)
{
    struct stage *stage = timer->data;

    stage->late = uv_now(&stage->loop) >= stage->end_ms;
}

static void start_ticking(struct stage *stage, uint64_t time_ms)
{
    uv_update_time(&stage->loop);
    stage->late = false;
    stage->end_ms = uv_now(&stage->loop) + time_ms;
    assert_int_equal(uv_timer_start(&stage->deadline, on_tick, TICK_MS, TICK_MS), 0);
}

typedef bool condition(const struct stage *stage);

/* Runs the loop until the condition holds; fails the test when it takes too long. */
static void run_until(struct stage *stage, condition *holds)
{
    start_ticking(stage, DEADLINE_MS);
    while (!holds(stage) && !stage->late) {
        (void)uv_run(&stage->loop, UV_RUN_ONCE);
    }
    (void)uv_timer_stop(&stage->deadline);
    assert_false(stage->late);
}

/* Runs the loop for a while: for what must *not* happen, where nothing can be waited for. */
static void run_for(struct stage *stage, uint64_t time_ms)
{
    start_ticking(stage, time_ms);
    while (!stage->late) {
        (void)uv_run(&stage->loop, UV_RUN_ONCE);
    }
    (void)uv_timer_stop(&stage->deadline);
}

static bool is_working(const struct stage *stage)
{
    return stage->state == BERTH_STATE_READY || stage->state == BERTH_STATE_DEGRADED;
}

static bool is_stale(const struct stage *stage)
{
    return stage->state == BERTH_STATE_STALE;
}

static bool has_state(const struct stage *stage)
{
    return stage->state_reports != 0;
}

static bool sees_wanted_port(const struct stage *stage)
{
    return stage->wanted_seen;
}

static bool is_stopped(const struct stage *stage)
{
    return stage->stopped != 0;
}

static void on_stopped(struct berth_watcher *watcher)
{
    stage_of(watcher)->stopped++;
}

static void start_watcher(struct stage *stage)
{
    struct berth_error err;

    assert_ok(stage->watcher->ops->start(stage->watcher, &err), &err);
}

static void stop_watcher(struct stage *stage)
{
    stage->watcher->ops->stop(stage->watcher, on_stopped);
    stage->silent = true;
    run_until(stage, is_stopped);
    assert_int_equal(stage->stopped, 1);
}

static void close_stage(struct stage *stage)
{
    stage->watcher->ops->destroy(stage->watcher);
    uv_close((uv_handle_t *)&stage->deadline, NULL);
    (void)uv_run(&stage->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&stage->loop), 0);
    assert_int_equal(stage->stopped <= 1, true);
    subject->tear_down(stage->world);
    free(stage);
}

static struct stage *open_stage(bool spoiled)
{
    struct stage *stage = calloc(1, sizeof *stage);

    assert_non_null(stage);
    stage->world = subject->set_up();
    assert_int_equal(uv_loop_init(&stage->loop), 0);
    assert_int_equal(uv_timer_init(&stage->loop, &stage->deadline), 0);
    stage->deadline.data = stage;
    stage->watcher = subject->create(stage->world, &stage->loop);
    assert_non_null(stage->watcher);
    stage->sink = (struct berth_watcher_sink){take_snapshot, take_state, NULL};
    stage->watcher->sink = &stage->sink;
    stage->watcher->owner = stage;
    stage->state = BERTH_STATE_WAITING;
    if (spoiled) {
        subject->spoil(stage->world, stage->watcher);
    }
    return stage;
}

static struct stage *open_working_stage(void)
{
    struct stage *stage = open_stage(false);

    start_watcher(stage);
    run_until(stage, is_working);
    return stage;
}

/* ---- looks that do not come back ---- */

static struct {
    uv_work_t works[POOL_THREADS];
    uv_sem_t begun;
    uv_sem_t go_on;
    unsigned ended;
} plug;

static void hold_thread(uv_work_t *work)
{
    (void)work;
    uv_sem_post(&plug.begun);
    uv_sem_wait(&plug.go_on);
}

static void on_thread_back(uv_work_t *work, int status)
{
    (void)work;
    assert_int_equal(status, 0);
    plug.ended++;
}

/* Takes all threads of the pool: what a look would do there is not done until they are given back.
 */
static void take_pool(struct stage *stage)
{
    plug.ended = 0;
    assert_int_equal(uv_sem_init(&plug.begun, 0), 0);
    assert_int_equal(uv_sem_init(&plug.go_on, 0), 0);
    for (unsigned i = 0; i < POOL_THREADS; i++) {
        assert_int_equal(uv_queue_work(&stage->loop, &plug.works[i], hold_thread, on_thread_back),
                         0);
    }
    for (unsigned i = 0; i < POOL_THREADS; i++) {
        uv_sem_wait(&plug.begun);
    }
    berth_overdue_use_ms(OVERDUE_MS);
}

static bool has_pool(const struct stage *stage)
{
    (void)stage;
    return plug.ended == POOL_THREADS;
}

static void give_pool_back(struct stage *stage)
{
    berth_overdue_use_ms(0);
    for (unsigned i = 0; i < POOL_THREADS; i++) {
        uv_sem_post(&plug.go_on);
    }
    run_until(stage, has_pool);
    uv_sem_destroy(&plug.begun);
    uv_sem_destroy(&plug.go_on);
}

/* ---- the tests ---- */

static void ops__created__are_complete(void **unused)
{
    struct stage *stage = open_stage(false);
    const struct berth_watcher_ops *ops = stage->watcher->ops;

    (void)unused;
    assert_true((unsigned)ops->source < BERTH_SOURCE_COUNT);
    assert_in_range(ops->feed_count, 1, FEEDS_MAX);
    for (unsigned i = 0; i < ops->feed_count; i++) {
        assert_true(ops->feeds[i] != NULL && ops->feeds[i][0] != '\0');
        for (unsigned k = 0; k < i; k++) {
            assert_string_not_equal(ops->feeds[i], ops->feeds[k]);
        }
    }
    assert_true(ops->start != NULL && ops->look != NULL && ops->stop != NULL &&
                ops->destroy != NULL);
    close_stage(stage);
}

static void destroy__never_started__gives_all_back(void **unused)
{
    struct stage *stage = open_stage(false);

    (void)unused;
    run_for(stage, 20);
    assert_int_equal(stage->reports, 0);
    close_stage(stage);
}

static void stop__never_started__calls_stopped_once(void **unused)
{
    struct stage *stage = open_stage(false);

    (void)unused;
    stop_watcher(stage);
    assert_int_equal(stage->reports, 0);
    close_stage(stage);
}

static void start__good_world__each_feed_delivers_before_ready(void **unused)
{
    struct stage *stage = open_working_stage();

    (void)unused;
    assert_true(all_feeds_delivered(stage));
    assert_false(stage->first_ready_came_early);
    assert_true(stage->claim_count >= 1);
    stop_watcher(stage);
    close_stage(stage);
}

static void look__world_changed__snapshot_has_it(void **unused)
{
    struct stage *stage = open_working_stage();

    (void)unused;
    for (int i = 0; i < 3; i++) {
        stage->wanted_seen = false;
        stage->wanted_port = subject->change(stage->world, stage->watcher);
        stage->watcher->ops->look(stage->watcher);
        run_until(stage, sees_wanted_port);
    }
    stop_watcher(stage);
    close_stage(stage);
}

static void look__called_often__looks_once(void **unused)
{
    struct stage *stage = open_working_stage();

    (void)unused;
    run_for(stage, 100); /* what the start still has under way */
    stage->wanted_port = subject->change(stage->world, stage->watcher);
    unsigned before = stage->snapshots[0];
    for (int i = 0; i < 1000; i++) {
        stage->watcher->ops->look(stage->watcher);
    }
    run_until(stage, sees_wanted_port);
    run_for(stage, 100);
    /* one for the look, and a few for what the system tells by itself meanwhile */
    assert_in_range(stage->snapshots[0] - before, 1, 10);
    stop_watcher(stage);
    close_stage(stage);
}

static void look__from_within_a_report__is_harmless(void **unused)
{
    struct stage *stage = open_stage(false);

    (void)unused;
    stage->look_in_report = true;
    start_watcher(stage);
    run_until(stage, is_working);
    assert_false(stage->look_in_report);
    stage->wanted_port = subject->change(stage->world, stage->watcher);
    stage->look_in_report = true;
    stage->watcher->ops->look(stage->watcher);
    run_until(stage, sees_wanted_port);
    stop_watcher(stage);
    close_stage(stage);
}

static void look__failing__is_stale_without_a_snapshot_then_recovers(void **unused)
{
    (void)unused;
    if (subject->spoil == NULL) {
        skip();
    }
    struct stage *stage = open_working_stage();
    run_for(stage, 100);
    unsigned before = stage->snapshots[0];
    subject->spoil(stage->world, stage->watcher);
    stage->watcher->ops->look(stage->watcher);
    run_until(stage, is_stale);
    assert_int_equal(stage->snapshots[0], before);
    subject->mend(stage->world, stage->watcher);
    stage->wanted_port = subject->change(stage->world, stage->watcher);
    stage->watcher->ops->look(stage->watcher);
    run_until(stage, sees_wanted_port);
    run_until(stage, is_working);
    stop_watcher(stage);
    close_stage(stage);
}

static void start__failing_world__waits_with_a_reason_then_delivers(void **unused)
{
    (void)unused;
    if (subject->spoil == NULL) {
        skip();
    }
    struct stage *stage = open_stage(true);
    start_watcher(stage);
    run_until(stage, has_state);
    run_for(stage, 100);
    assert_int_equal(stage->state, BERTH_STATE_WAITING);
    assert_int_equal(stage->snapshots[0], 0);
    subject->mend(stage->world, stage->watcher);
    stage->watcher->ops->look(stage->watcher);
    run_until(stage, is_working);
    assert_false(stage->first_ready_came_early);
    stop_watcher(stage);
    close_stage(stage);
}

/* Which feed it is makes no difference: as long as one has nothing in force, the source waits. */
static void snapshot__first_is_refused__waits_and_is_offered_again(void **unused)
{
    unsigned feed = 0;
    unsigned feed_count;

    (void)unused;
    do {
        struct stage *stage = open_stage(false);
        feed_count = stage->watcher->ops->feed_count;
        stage->refused = 1u << feed;
        start_watcher(stage);
        run_until(stage, has_state);
        run_for(stage, 100);
        assert_int_equal(stage->state, BERTH_STATE_WAITING);
        assert_string_equal(stage->reason, REFUSAL);
        assert_int_equal(stage->snapshots[feed], 0);
        stage->refused = 0;
        run_until(stage, is_working); /* by itself */
        assert_false(stage->first_ready_came_early);
        stop_watcher(stage);
        close_stage(stage);
    } while (++feed < feed_count);
}

static void snapshot__later_one_is_refused__is_stale_and_offered_again(void **unused)
{
    struct stage *stage = open_working_stage();

    (void)unused;
    run_for(stage, 100);
    stage->refused = 1u;
    stage->wanted_port = subject->change(stage->world, stage->watcher);
    stage->watcher->ops->look(stage->watcher);
    run_until(stage, is_stale);
    assert_string_equal(stage->reason, REFUSAL);
    run_for(stage, 100);
    assert_int_equal(stage->state, BERTH_STATE_STALE);
    /* with pauses: not as often as it can read */
    assert_in_range(stage->refusals, 1, 10);
    stage->refused = 0;
    run_until(stage, sees_wanted_port); /* by itself */
    run_until(stage, is_working);
    stop_watcher(stage);
    close_stage(stage);
}

static void look__overdue__is_stale_until_it_comes_back(void **unused)
{
    (void)unused;
    if (subject->looks_on_loop) {
        skip();
    }
    struct stage *stage = open_working_stage();
    run_for(stage, 100);
    take_pool(stage);
    stage->wanted_port = subject->change(stage->world, stage->watcher);
    stage->watcher->ops->look(stage->watcher);
    run_until(stage, is_stale);
    assert_non_null(strstr(stage->reason, "reading "));
    assert_non_null(strstr(stage->reason, " has taken 0 s"));
    stage->watcher->ops->look(stage->watcher); /* one asks, the other answers */
    run_for(stage, 100);
    assert_int_equal(stage->state, BERTH_STATE_STALE);
    assert_false(stage->wanted_seen);
    give_pool_back(stage);
    run_until(stage, sees_wanted_port);
    run_until(stage, is_working);
    stop_watcher(stage);
    close_stage(stage);
}

static void start__look_overdue__waits_with_a_reason_then_delivers(void **unused)
{
    (void)unused;
    if (subject->looks_on_loop) {
        skip();
    }
    struct stage *stage = open_stage(false);
    take_pool(stage);
    start_watcher(stage);
    run_until(stage, has_state);
    assert_int_equal(stage->state, BERTH_STATE_WAITING);
    assert_non_null(strstr(stage->reason, " has taken 0 s"));
    give_pool_back(stage);
    run_until(stage, is_working);
    assert_false(stage->first_ready_came_early);
    stop_watcher(stage);
    close_stage(stage);
}

static void stop__look_overdue__reports_nothing_more(void **unused)
{
    (void)unused;
    if (subject->looks_on_loop) {
        skip();
    }
    struct stage *stage = open_stage(false);
    take_pool(stage);
    start_watcher(stage);
    run_until(stage, has_state);
    stop_watcher(stage);
    run_for(stage, 3 * OVERDUE_MS);
    give_pool_back(stage);
    close_stage(stage);
}

static void stop__right_after_start__reports_nothing_more(void **unused)
{
    struct stage *stage = open_stage(false);

    (void)unused;
    start_watcher(stage);
    stop_watcher(stage);
    close_stage(stage);
}

static void stop__look_under_way__reports_nothing_more(void **unused)
{
    (void)unused;
    for (unsigned rounds = 0; rounds < 4; rounds++) {
        struct stage *stage = open_working_stage();
        (void)subject->change(stage->world, stage->watcher);
        stage->watcher->ops->look(stage->watcher);
        for (unsigned i = 0; i < rounds; i++) {
            (void)uv_run(&stage->loop, UV_RUN_NOWAIT);
        }
        stop_watcher(stage);
        (void)subject->change(stage->world, stage->watcher);
        run_for(stage, 50);
        close_stage(stage);
    }
}

static void look__while_stopping__is_harmless(void **unused)
{
    struct stage *stage = open_working_stage();

    (void)unused;
    stage->watcher->ops->stop(stage->watcher, on_stopped);
    stage->silent = true;
    stage->watcher->ops->look(stage->watcher);
    run_until(stage, is_stopped);
    assert_int_equal(stage->stopped, 1);
    close_stage(stage);
}

int watcher_contract_run(const struct watcher_contract *of)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ops__created__are_complete),
        cmocka_unit_test(destroy__never_started__gives_all_back),
        cmocka_unit_test(stop__never_started__calls_stopped_once),
        cmocka_unit_test(start__good_world__each_feed_delivers_before_ready),
        cmocka_unit_test(look__world_changed__snapshot_has_it),
        cmocka_unit_test(look__called_often__looks_once),
        cmocka_unit_test(look__from_within_a_report__is_harmless),
        cmocka_unit_test(look__failing__is_stale_without_a_snapshot_then_recovers),
        cmocka_unit_test(start__failing_world__waits_with_a_reason_then_delivers),
        cmocka_unit_test(snapshot__first_is_refused__waits_and_is_offered_again),
        cmocka_unit_test(snapshot__later_one_is_refused__is_stale_and_offered_again),
        cmocka_unit_test(look__overdue__is_stale_until_it_comes_back),
        cmocka_unit_test(start__look_overdue__waits_with_a_reason_then_delivers),
        cmocka_unit_test(stop__look_overdue__reports_nothing_more),
        cmocka_unit_test(stop__right_after_start__reports_nothing_more),
        cmocka_unit_test(stop__look_under_way__reports_nothing_more),
        cmocka_unit_test(look__while_stopping__is_harmless),
    };

    char threads[8];

    (void)snprintf(threads, sizeof threads, "%d", POOL_THREADS);
    set_environment("UV_THREADPOOL_SIZE", threads);
    subject = of;
    return cmocka_run_group_tests_name(of->name, tests, NULL, NULL);
}
