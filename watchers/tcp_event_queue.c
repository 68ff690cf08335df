/* SPDX-License-Identifier: MIT */
#include "tcp_event_queue.h"

#include "base/memory.h"

#include <stdio.h>
#include <string.h>

struct events {
    struct berth_tcp_event at[BERTH_TCP_EVENT_QUEUE_MAX];
    size_t count;
};

struct berth_tcp_event_queue {
    uv_async_t wake;
    struct berth_tcp_events_sink sink;
    uv_mutex_t lock; /* of what follows up to `taken` */
    struct events waiting;
    uint64_t lost;
    bool mode_told;
    enum berth_tcp_events_mode mode;
    char reason[200];
    struct events taken; /* the loop's alone */
    bool closing;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

/* What is taken out at once, besides the events. */
struct news {
    uint64_t lost;
    bool mode_told;
    enum berth_tcp_events_mode mode;
    char reason[200];
};

static void take(struct berth_tcp_event_queue *queue, struct news *out)
{
    uv_mutex_lock(&queue->lock);
    memcpy(queue->taken.at, queue->waiting.at, queue->waiting.count * sizeof *queue->taken.at);
    queue->taken.count = queue->waiting.count;
    out->lost = queue->lost;
    out->mode_told = queue->mode_told;
    out->mode = queue->mode;
    memcpy(out->reason, queue->reason, sizeof out->reason);
    queue->waiting.count = 0;
    queue->lost = 0;
    queue->mode_told = false;
    uv_mutex_unlock(&queue->lock);
}

void berth_tcp_event_queue_flush(struct berth_tcp_event_queue *queue)
{
    const struct berth_tcp_events_sink *sink = &queue->sink;
    struct news news;

    if (queue->closing) {
        return;
    }
    take(queue, &news);
    if (news.mode_told) {
        sink->mode(sink->ctx, news.mode, news.mode == BERTH_TCP_EVENTS_FULL ? NULL : news.reason);
    }
    if (queue->taken.count != 0) {
        sink->events(sink->ctx, queue->taken.at, queue->taken.count);
    }
    if (news.lost != 0) {
        sink->lost(sink->ctx, news.lost);
    }
}

static void wake_cb(uv_async_t *wake)
{
    berth_tcp_event_queue_flush(wake->data);
}

enum berth_code berth_tcp_event_queue_open(struct berth_tcp_event_queue **out, uv_loop_t *loop,
                                           const struct berth_tcp_events_sink *sink,
                                           struct berth_error *err)
{
    struct berth_tcp_event_queue *queue = berth_alloc(1, sizeof *queue);
    int status;

    if (queue == NULL) {
        return berth_fail_memory(err, "the queue of TCP events");
    }
    queue->sink = *sink;
    status = uv_mutex_init(&queue->lock);
    if (status == 0) {
        status = uv_async_init(loop, &queue->wake, wake_cb);
        if (status != 0) {
            uv_mutex_destroy(&queue->lock);
        }
    }
    if (status != 0) {
        berth_free(queue);
        return berth_fail(err, BERTH_INTERNAL, status, "the queue of TCP events: %s",
                          uv_strerror(status));
    }
    queue->wake.data = queue;
    *out = queue;
    return BERTH_OK;
}

void berth_tcp_event_queue_put(struct berth_tcp_event_queue *queue,
                               const struct berth_tcp_event *events, size_t count)
{
    uv_mutex_lock(&queue->lock);
    size_t room = BERTH_TCP_EVENT_QUEUE_MAX - queue->waiting.count;
    size_t fits = count < room ? count : room;
    memcpy(queue->waiting.at + queue->waiting.count, events, fits * sizeof *events);
    queue->waiting.count += fits;
    queue->lost += count - fits;
    uv_mutex_unlock(&queue->lock);
    (void)uv_async_send(&queue->wake);
}

void berth_tcp_event_queue_lose(struct berth_tcp_event_queue *queue, uint64_t count)
{
    uv_mutex_lock(&queue->lock);
    queue->lost += count;
    uv_mutex_unlock(&queue->lock);
    (void)uv_async_send(&queue->wake);
}

void berth_tcp_event_queue_mode(struct berth_tcp_event_queue *queue,
                                enum berth_tcp_events_mode mode, const char *reason)
{
    uv_mutex_lock(&queue->lock);
    queue->mode = mode;
    queue->mode_told = true;
    (void)snprintf(queue->reason, sizeof queue->reason, "%s", reason != NULL ? reason : "");
    uv_mutex_unlock(&queue->lock);
    (void)uv_async_send(&queue->wake);
}

static void wake_closed_cb(uv_handle_t *handle)
{
    struct berth_tcp_event_queue *queue = handle->data;
    void (*closed)(void *ctx) = queue->closed;
    void *ctx = queue->closed_ctx;

    uv_mutex_destroy(&queue->lock);
    berth_free(queue);
    closed(ctx);
}

void berth_tcp_event_queue_close(struct berth_tcp_event_queue *queue, void (*closed)(void *ctx),
                                 void *ctx)
{
    queue->closing = true;
    queue->closed = closed;
    queue->closed_ctx = ctx;
    uv_close((uv_handle_t *)&queue->wake, wake_closed_cb);
}
