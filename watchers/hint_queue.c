/* SPDX-License-Identifier: MIT */
#include "hint_queue.h"

#include "base/memory.h"
#include "hint_pace.h"

#include <stdio.h>
#include <string.h>

#define NS_A_MS 1000000u
#define REASON_SIZE 240

/* What is known of a facility. */
struct facility {
    bool told;
    bool works;
    char reason[REASON_SIZE];
    uint64_t total;
};

struct berth_hint_queue {
    uv_async_t wake;
    uv_timer_t timer; /* of looks that keep their distance */
    unsigned handles; /* that are open */
    struct berth_source_hints_sink sink;
    uv_mutex_t lock; /* of what follows up to `shown` */
    unsigned sources;
    struct facility latest[BERTH_HINT_FACILITY_COUNT];
    struct facility shown[BERTH_HINT_FACILITY_COUNT]; /* the loop's alone, as all that follows */
    struct berth_hint_pace pace;
    bool silent;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

/* ---- on the loop ---- */

/* Copies what was put in.  @return the sources that were hinted at */
static unsigned take(struct berth_hint_queue *queue,
                     struct facility out[static BERTH_HINT_FACILITY_COUNT])
{
    uv_mutex_lock(&queue->lock);
    unsigned sources = queue->sources;
    queue->sources = 0;
    memcpy(out, queue->latest, sizeof queue->latest);
    uv_mutex_unlock(&queue->lock);
    return sources;
}

static void show(struct berth_hint_queue *queue, enum berth_hint_facility facility,
                 const struct facility *latest)
{
    struct facility *shown = &queue->shown[facility];
    bool same = shown->told == latest->told && shown->works == latest->works &&
                strcmp(shown->reason, latest->reason) == 0;

    *shown = *latest;
    if (!same) {
        queue->sink.state(queue->sink.ctx, facility, shown->works,
                          shown->works ? NULL : shown->reason);
    }
}

static void timer_cb(uv_timer_t *timer);

/* Asks for the looks that are due, and sees to those that are not yet. */
static void look(struct berth_hint_queue *queue)
{
    uint64_t now_ms = uv_hrtime() / NS_A_MS;
    unsigned due = berth_hint_pace_take(&queue->pace, now_ms);
    uint64_t next_ms = berth_hint_pace_next_ms(&queue->pace);

    for (unsigned i = 0; i < BERTH_SOURCE_COUNT; i++) {
        if ((due & BERTH_HINT_BIT(i)) != 0) {
            queue->sink.look(queue->sink.ctx, (enum berth_source)i);
        }
    }
    if (next_ms != BERTH_HINT_NEVER) {
        uv_update_time(queue->timer.loop);
        (void)uv_timer_start(&queue->timer, timer_cb, next_ms > now_ms ? next_ms - now_ms : 0, 0);
    }
}

static void timer_cb(uv_timer_t *timer)
{
    struct berth_hint_queue *queue = timer->data;

    if (!queue->silent) {
        look(queue);
    }
}

static void wake_cb(uv_async_t *wake)
{
    struct berth_hint_queue *queue = wake->data;
    struct facility latest[BERTH_HINT_FACILITY_COUNT];

    if (queue->silent) {
        return;
    }
    berth_hint_pace_note(&queue->pace, take(queue, latest));
    for (unsigned i = 0; i < BERTH_HINT_FACILITY_COUNT; i++) {
        show(queue, (enum berth_hint_facility)i, &latest[i]);
    }
    look(queue);
}

void berth_hint_queue_status(const struct berth_hint_queue *queue,
                             enum berth_hint_facility facility, struct berth_hint_status *out)
{
    const struct facility *shown = &queue->shown[facility];

    *out = (struct berth_hint_status){
        .told = shown->told,
        .works = shown->works,
        .reason = shown->works ? NULL : shown->reason,
        .total = shown->total,
    };
}

/* ---- from any thread ---- */

void berth_hint_queue_put(struct berth_hint_queue *queue, enum berth_hint_facility facility,
                          unsigned sources)
{
    uv_mutex_lock(&queue->lock);
    queue->sources |= sources;
    queue->latest[facility].total++;
    uv_mutex_unlock(&queue->lock);
    (void)uv_async_send(&queue->wake);
}

void berth_hint_queue_state(struct berth_hint_queue *queue, enum berth_hint_facility facility,
                            bool works, const char *reason)
{
    uv_mutex_lock(&queue->lock);
    struct facility *latest = &queue->latest[facility];
    latest->told = true;
    latest->works = works;
    (void)snprintf(latest->reason, sizeof latest->reason, "%s", works ? "" : reason);
    uv_mutex_unlock(&queue->lock);
    (void)uv_async_send(&queue->wake);
}

/* ---- life ---- */

enum berth_code berth_hint_queue_open(struct berth_hint_queue **out, uv_loop_t *loop,
                                      const struct berth_source_hints_sink *sink,
                                      struct berth_error *err)
{
    struct berth_hint_queue *queue = berth_alloc(1, sizeof *queue);

    if (queue == NULL) {
        return berth_fail_memory(err, "the queue of hints");
    }
    queue->sink = *sink;
    int status = uv_mutex_init(&queue->lock);
    if (status == 0) {
        status = uv_async_init(loop, &queue->wake, wake_cb);
        if (status != 0) {
            uv_mutex_destroy(&queue->lock);
        }
    }
    if (status != 0) {
        berth_free(queue);
        return berth_fail(err, BERTH_INTERNAL, status, "the queue of hints: %s",
                          uv_strerror(status));
    }
    (void)uv_timer_init(loop, &queue->timer); /* cannot fail */
    queue->wake.data = queue;
    queue->timer.data = queue;
    queue->handles = 2;
    *out = queue;
    return BERTH_OK;
}

static void handle_closed_cb(uv_handle_t *handle)
{
    struct berth_hint_queue *queue = handle->data;
    void (*closed)(void *ctx) = queue->closed;
    void *ctx = queue->closed_ctx;

    if (--queue->handles == 0) {
        uv_mutex_destroy(&queue->lock);
        berth_free(queue);
        closed(ctx);
    }
}

void berth_hint_queue_silence(struct berth_hint_queue *queue)
{
    queue->silent = true;
}

void berth_hint_queue_close(struct berth_hint_queue *queue, void (*closed)(void *ctx), void *ctx)
{
    queue->silent = true;
    queue->closed = closed;
    queue->closed_ctx = ctx;
    uv_close((uv_handle_t *)&queue->wake, handle_closed_cb);
    uv_close((uv_handle_t *)&queue->timer, handle_closed_cb);
}
