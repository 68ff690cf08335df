/* SPDX-License-Identifier: MIT */
/* The TCP watcher on a real loop, over the fake table and the fake events: what its tests share. */
#ifndef BERTH_TESTS_TCP_WATCHER_CASE_H
#define BERTH_TESTS_TCP_WATCHER_CASE_H

#include "tests/support/cmocka_all.h"
#include "watchers/fake/tcp_events_script.h"
#include "watchers/fake/tcp_table_script.h"
#include "watchers/tcp_watcher.h"

#define DEADLINE_MS 20000
#define HOUR_MS 3600000u

/* What the watcher reported, and the loop it runs on. */
struct seen {
    uv_loop_t loop;
    uv_timer_t deadline;
    bool late;
    struct berth_watcher *watcher;
    unsigned snapshots[BERTH_TCP_FEED_COUNT];
    unsigned order[8]; /* feeds of the last snapshots */
    unsigned order_count;
    uint32_t ports[BERTH_TCP_FEED_COUNT]; /* a port of each feed's last snapshot; 0: none */
    size_t listed[BERTH_TCP_FEED_COUNT];  /* how many that had */
    unsigned states;
    enum berth_source_state state;
    char reason[200];
    unsigned stops;
    bool look_on_snapshot;
    unsigned refused; /* feeds whose snapshots are not taken: a sum of 1 << feed */
    uint32_t busy_ports[BERTH_TCP_FEED_COUNT]; /* the last that was told to be busy; 0: none */
    unsigned busy_count;
    struct berth_claim busy;
};

static inline enum berth_code take_snapshot(struct berth_watcher *from, unsigned feed,
                                            const struct berth_snapshot *snapshot,
                                            struct berth_error *err)
{
    struct seen *seen = from->owner;

    assert_true(feed < BERTH_TCP_FEED_COUNT);
    assert_int_equal(seen->stops, 0);
    if (seen->refused & 1u << feed) {
        return berth_fail(err, BERTH_NO_MEMORY, 0, "feed %u is not taken", feed);
    }
    seen->snapshots[feed]++;
    seen->listed[feed] = snapshot->claim_count;
    seen->ports[feed] = snapshot->claim_count != 0 ? snapshot->claims[0].port : 0;
    if (seen->order_count < BERTH_COUNT(seen->order)) {
        seen->order[seen->order_count++] = feed;
    }
    if (seen->look_on_snapshot) {
        seen->look_on_snapshot = false;
        from->ops->look(from);
    }
    return BERTH_OK;
}

static inline void take_state(struct berth_watcher *from, enum berth_source_state state,
                              const char *reason)
{
    struct seen *seen = from->owner;

    assert_true((reason == NULL) == (state == BERTH_STATE_READY));
    seen->states++;
    seen->state = state;
    (void)snprintf(seen->reason, sizeof seen->reason, "%s", reason != NULL ? reason : "");
}

static inline void take_busy(struct berth_watcher *from, unsigned feed,
                             const struct berth_claim *claim)
{
    struct seen *seen = from->owner;

    assert_true(feed < BERTH_TCP_FEED_COUNT);
    assert_int_equal(seen->stops, 0);
    seen->busy_count++;
    seen->busy_ports[feed] = claim->port;
    seen->busy = *claim;
}

static const struct berth_watcher_sink sink = {take_snapshot, take_state, take_busy};

static inline void take_stopped(struct berth_watcher *watcher)
{
    struct seen *seen = watcher->owner;

    seen->stops++;
}

static inline void deadline_cb(uv_timer_t *timer)
{
    struct seen *seen = timer->data;

    seen->late = true;
}

static inline void begin_watching(struct seen *seen, uint64_t poll_ms, uint64_t full_ms,
                                  enum berth_tcp_watch_events events)
{
    const struct berth_tcp_watcher_options options = {poll_ms, full_ms, events};
    struct berth_error err = {0};

    *seen = (struct seen){.states = 0};
    assert_int_equal(uv_loop_init(&seen->loop), 0);
    assert_int_equal(uv_timer_init(&seen->loop, &seen->deadline), 0);
    seen->deadline.data = seen;
    assert_int_equal(uv_timer_start(&seen->deadline, deadline_cb, DEADLINE_MS, 0), 0);
    assert_ok(berth_tcp_watcher_create(&seen->watcher, &seen->loop, &options, &err), &err);
    seen->watcher->sink = &sink;
    seen->watcher->owner = seen;
    assert_ok(seen->watcher->ops->start(seen->watcher, &err), &err);
}

static inline void turn(struct seen *seen)
{
    (void)uv_run(&seen->loop, UV_RUN_ONCE);
    assert_false(seen->late);
}

static inline void await_states(struct seen *seen, unsigned states)
{
    while (seen->states < states) {
        turn(seen);
    }
}

/* Waits until the events are known to be whole and what that makes necessary is read: connections
 * for the second time. */
static inline void await_calm(struct seen *seen)
{
    struct berth_tcp_events_status status;

    do {
        turn(seen);
        berth_tcp_watcher_events(seen->watcher, &status);
    } while (status.mode != BERTH_TCP_EVENTS_FULL ||
             seen->snapshots[BERTH_TCP_FEED_CONNECTIONS] < 2 || seen->states < 2);
}

static inline void end_watching(struct seen *seen)
{
    seen->watcher->ops->stop(seen->watcher, take_stopped);
    while (seen->stops == 0) {
        turn(seen);
    }
    seen->watcher->ops->destroy(seen->watcher);
    uv_close((uv_handle_t *)&seen->deadline, NULL);
    (void)uv_run(&seen->loop, UV_RUN_DEFAULT);
    assert_int_equal(seen->stops, 1);
    assert_int_equal(uv_loop_close(&seen->loop), 0);
    assert_int_equal(berth_fake_tcp_open_tables(), 0);
    assert_false(berth_fake_events_is_open());
}

static inline int set_up(void **state)
{
    static struct seen seen;

    berth_fake_tcp_reset();
    berth_fake_events_reset();
    *state = &seen;
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    berth_fake_tcp_free();
    return 0;
}

static inline void add(uint16_t port, enum berth_claim_kind kind)
{
    struct berth_claim claim = berth_claim_make(port, kind);

    berth_fake_tcp_add(&claim);
}

#define SCRIPTED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

#endif
