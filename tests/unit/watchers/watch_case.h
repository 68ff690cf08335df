/* SPDX-License-Identifier: MIT */
/* A watcher with a loop, and what it reported last, as text. */
#ifndef BERTH_TESTS_WATCH_CASE_H
#define BERTH_TESTS_WATCH_CASE_H

#include "cmocka_all.h"
#include "watchers/watcher.h"

#include <stdbool.h>
#include <stdio.h>
#include <uv.h>

#define WATCH_CASE_DEADLINE_MS 20000

struct watch_case {
    uv_loop_t loop;
    uv_timer_t tick;
    bool late;
    struct berth_watcher *watcher;
    struct berth_watcher_sink sink;
    unsigned snapshots;
    unsigned states;
    char claims[4096]; /* "port/kind holder [detail]" a line */
    size_t claim_count;
    char warnings[1024];
    enum berth_source_state state;
    char reason[600];
    bool stopped;
};

static inline enum berth_code watch_case_snapshot(struct berth_watcher *from, unsigned feed,
                                                  const struct berth_snapshot *snapshot,
                                                  struct berth_error *err)
{
    struct watch_case *stage = from->owner;
    size_t used = 0;

    (void)err;
    assert_int_equal(feed, 0);
    stage->snapshots++;
    stage->claim_count = snapshot->claim_count;
    stage->claims[0] = '\0';
    for (size_t i = 0; i < snapshot->claim_count && used < sizeof stage->claims - 512; i++) {
        const struct berth_claim *claim = &snapshot->claims[i];
        used += (size_t)snprintf(stage->claims + used, sizeof stage->claims - used,
                                 "%u/%s %s [%s]\n", (unsigned)claim->port,
                                 berth_claim_kind_name((enum berth_claim_kind)claim->kind),
                                 claim->holder != NULL ? claim->holder : "-",
                                 claim->detail != NULL ? claim->detail : "-");
    }
    stage->warnings[0] = '\0';
    used = 0;
    for (size_t i = 0; i < snapshot->warning_count && used < sizeof stage->warnings - 512; i++) {
        used += (size_t)snprintf(stage->warnings + used, sizeof stage->warnings - used, "%s\n",
                                 snapshot->warnings[i]);
    }
    return BERTH_OK;
}

static inline void watch_case_state(struct berth_watcher *from, enum berth_source_state state,
                                    const char *reason)
{
    struct watch_case *stage = from->owner;

    stage->states++;
    stage->state = state;
    (void)snprintf(stage->reason, sizeof stage->reason, "%s", reason != NULL ? reason : "");
}

static inline void watch_case_stopped(struct berth_watcher *watcher)
{
    struct watch_case *stage = watcher->owner;

    stage->stopped = true;
}

static inline void watch_case_late(uv_timer_t *timer)
{
    struct watch_case *stage = timer->data;

    stage->late = true;
}

/** Makes the loop; the test sets `watcher` then. */
static inline void watch_case_open(struct watch_case *stage)
{
    *stage = (struct watch_case){.sink = {watch_case_snapshot, watch_case_state, NULL}};
    assert_int_equal(uv_loop_init(&stage->loop), 0);
    assert_int_equal(uv_timer_init(&stage->loop, &stage->tick), 0);
    stage->tick.data = stage;
}

/** Runs the loop until the watcher has told its state so many times in all. */
static inline void watch_case_wait(struct watch_case *stage, unsigned states)
{
    stage->late = false;
    uv_update_time(&stage->loop);
    assert_int_equal(uv_timer_start(&stage->tick, watch_case_late, WATCH_CASE_DEADLINE_MS, 0), 0);
    while (stage->states < states && !stage->late) {
        (void)uv_run(&stage->loop, UV_RUN_ONCE);
    }
    (void)uv_timer_stop(&stage->tick);
    assert_false(stage->late);
}

/** Starts the watcher and waits for its first state. */
static inline void watch_case_start(struct watch_case *stage, struct berth_watcher *watcher)
{
    struct berth_error err;

    stage->watcher = watcher;
    watcher->sink = &stage->sink;
    watcher->owner = stage;
    assert_ok(watcher->ops->start(watcher, &err), &err);
    watch_case_wait(stage, 1);
}

/** Lets the watcher look, and waits for its next state. */
static inline void watch_case_look(struct watch_case *stage)
{
    unsigned before = stage->states;

    stage->watcher->ops->look(stage->watcher);
    watch_case_wait(stage, before + 1);
}

static inline void watch_case_close(struct watch_case *stage)
{
    stage->watcher->ops->stop(stage->watcher, watch_case_stopped);
    while (!stage->stopped) {
        (void)uv_run(&stage->loop, UV_RUN_ONCE);
    }
    stage->watcher->ops->destroy(stage->watcher);
    uv_close((uv_handle_t *)&stage->tick, NULL);
    (void)uv_run(&stage->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&stage->loop), 0);
}

#endif
