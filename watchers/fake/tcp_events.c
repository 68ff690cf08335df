/* SPDX-License-Identifier: MIT */
#include "watchers/tcp_events.h"

#include "base/memory.h"
#include "tcp_events_script.h"
#include "watchers/tcp_event_queue.h"

#include <stdio.h>
#include <stdlib.h>

struct berth_tcp_events {
    struct berth_tcp_event_queue *queue;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

static struct {
    uv_mutex_t lock;
    struct berth_tcp_events *source; /* NULL: none is open */
    enum berth_code refusal;
    enum berth_tcp_events_mode mode;
    char reason[200];
    unsigned told;
} script;

static uv_once_t script_once = UV_ONCE_INIT;

static void make_lock(void)
{
    if (uv_mutex_init(&script.lock) != 0) {
        abort();
    }
}

static void lock(void)
{
    uv_once(&script_once, make_lock);
    uv_mutex_lock(&script.lock);
}

static void unlock(void)
{
    uv_mutex_unlock(&script.lock);
}

/* --- the script ----------------------------------------------------------------------------- */

void berth_fake_events_reset(void)
{
    lock();
    script.refusal = BERTH_OK;
    script.mode = BERTH_TCP_EVENTS_FULL;
    script.reason[0] = '\0';
    script.told = 0;
    unlock();
}

void berth_fake_events_refuse(enum berth_code code, const char *reason)
{
    lock();
    script.refusal = code;
    (void)snprintf(script.reason, sizeof script.reason, "%s", reason);
    unlock();
}

void berth_fake_events_mode(enum berth_tcp_events_mode mode, const char *reason)
{
    lock();
    script.mode = mode;
    (void)snprintf(script.reason, sizeof script.reason, "%s", reason != NULL ? reason : "");
    if (script.source != NULL) {
        berth_tcp_event_queue_mode(script.source->queue, mode, reason);
    }
    unlock();
}

void berth_fake_events_tell(const struct berth_tcp_event *events, size_t count)
{
    lock();
    if (script.source != NULL) {
        berth_tcp_event_queue_put(script.source->queue, events, count);
    }
    unlock();
}

void berth_fake_events_lose(uint64_t count)
{
    lock();
    if (script.source != NULL) {
        berth_tcp_event_queue_lose(script.source->queue, count);
    }
    unlock();
}

void berth_fake_events_told(unsigned told)
{
    lock();
    script.told = told;
    unlock();
}

bool berth_fake_events_is_open(void)
{
    lock();
    bool open = script.source != NULL;
    unlock();
    return open;
}

/* --- the contract --------------------------------------------------------------------------- */

static enum berth_code open_source(struct berth_tcp_events *source, uv_loop_t *loop,
                                   const struct berth_tcp_events_sink *sink,
                                   struct berth_error *err)
{
    enum berth_code code = BERTH_OK;

    lock();
    if (script.refusal != BERTH_OK) {
        code = berth_fail(err, script.refusal, 0, "%s", script.reason);
    }
    if (code == BERTH_OK) {
        code = berth_tcp_event_queue_open(&source->queue, loop, sink, err);
    }
    if (code == BERTH_OK) {
        script.source = source;
        berth_tcp_event_queue_mode(source->queue, script.mode, script.reason);
    }
    unlock();
    return code;
}

enum berth_code berth_tcp_events_open(struct berth_tcp_events **out, uv_loop_t *loop,
                                      const struct berth_tcp_events_sink *sink,
                                      struct berth_error *err)
{
    struct berth_tcp_events *source = berth_alloc(1, sizeof *source);

    if (source == NULL) {
        return berth_fail_memory(err, "the source of TCP events");
    }
    enum berth_code code = open_source(source, loop, sink, err);
    if (code != BERTH_OK) {
        berth_free(source);
        return code;
    }
    *out = source;
    return BERTH_OK;
}

static void queue_closed(void *ctx)
{
    struct berth_tcp_events *source = ctx;
    void (*closed)(void *closed_ctx) = source->closed;
    void *closed_ctx = source->closed_ctx;

    berth_free(source);
    closed(closed_ctx);
}

unsigned berth_tcp_events_drain(struct berth_tcp_events *events)
{
    berth_tcp_event_queue_flush(events->queue);
    lock();
    unsigned told = script.told;
    unlock();
    return told;
}

void berth_tcp_events_close(struct berth_tcp_events *events, void (*closed)(void *ctx), void *ctx)
{
    lock();
    script.source = NULL;
    unlock();
    events->closed = closed;
    events->closed_ctx = ctx;
    berth_tcp_event_queue_close(events->queue, queue_closed, events);
}
