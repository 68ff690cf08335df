/* SPDX-License-Identifier: MIT */
#include "outbox.h"

#include "base/memory.h"

#include <uv.h>

#define NS_A_MS 1000000

struct berth_outbox {
    struct berth_outbox_options options;
    uv_thread_t thread;
    uv_mutex_t mutex; /* all below */
    uv_cond_t changed;
    void **items; /* a ring of options.room */
    size_t first;
    size_t count;
    uint64_t busy_since_ns; /* 0: nothing is being delivered */
    bool closing;
    bool ended;     /* the thread uses nothing any more but to free it all if it was left */
    bool abandoned; /* nobody waits for the thread: the memory is its own */
    struct berth_outbox_state state;
};

static void *take_oldest(struct berth_outbox *outbox)
{
    void *item = outbox->items[outbox->first];

    outbox->first = (outbox->first + 1) % outbox->options.room;
    outbox->count--;
    return item;
}

/* With the mutex held. */
static void lose_all(struct berth_outbox *outbox)
{
    while (outbox->count > 0) {
        outbox->options.release(take_oldest(outbox));
        outbox->state.lost++;
    }
}

static void destroy(struct berth_outbox *outbox)
{
    uv_cond_destroy(&outbox->changed);
    uv_mutex_destroy(&outbox->mutex);
    berth_free(outbox->items);
    berth_free(outbox);
}

/* With the mutex held, which is let go of meanwhile. */
static void deliver(struct berth_outbox *outbox, void *item)
{
    struct berth_error err = {.code = BERTH_OK};

    outbox->busy_since_ns = uv_hrtime();
    uv_mutex_unlock(&outbox->mutex);
    enum berth_code code = outbox->options.deliver(item, &err);
    outbox->options.release(item);
    uv_mutex_lock(&outbox->mutex);
    outbox->busy_since_ns = 0;
    outbox->state.failing = code != BERTH_OK;
    if (code == BERTH_OK) {
        outbox->state.delivered++;
    } else {
        outbox->state.failed++;
        outbox->state.error = err;
    }
}

static void run(void *ctx)
{
    struct berth_outbox *outbox = ctx;

    uv_mutex_lock(&outbox->mutex);
    while (!outbox->abandoned) {
        if (outbox->count > 0) {
            deliver(outbox, take_oldest(outbox));
        } else if (outbox->closing) {
            break;
        } else {
            uv_cond_wait(&outbox->changed, &outbox->mutex);
        }
    }
    outbox->ended = true;
    bool abandoned = outbox->abandoned;
    uv_cond_broadcast(&outbox->changed);
    uv_mutex_unlock(&outbox->mutex);
    if (abandoned) {
        destroy(outbox);
    }
}

enum berth_code berth_outbox_create(struct berth_outbox **out,
                                    const struct berth_outbox_options *options,
                                    struct berth_error *err)
{
    struct berth_outbox *outbox = berth_alloc(1, sizeof *outbox);
    void **items = berth_alloc(options->room, sizeof *items);

    if (outbox == NULL || items == NULL) {
        berth_free(items);
        berth_free(outbox);
        return berth_fail_memory(err, "an outbox");
    }
    outbox->options = *options;
    outbox->items = items;
    int status = uv_mutex_init(&outbox->mutex);
    if (status == 0) {
        status = uv_cond_init(&outbox->changed);
        if (status != 0) {
            uv_mutex_destroy(&outbox->mutex);
        }
    }
    if (status != 0) {
        berth_free(items);
        berth_free(outbox);
        return berth_fail(err, BERTH_IO, status, "no outbox: %s", uv_strerror(status));
    }
    status = uv_thread_create(&outbox->thread, run, outbox);
    if (status != 0) {
        destroy(outbox);
        return berth_fail(err, BERTH_IO, status, "no thread: %s", uv_strerror(status));
    }
    *out = outbox;
    return BERTH_OK;
}

void berth_outbox_put(struct berth_outbox *outbox, void *item)
{
    void *lost = NULL;

    uv_mutex_lock(&outbox->mutex);
    if (outbox->count == outbox->options.room) {
        lost = take_oldest(outbox);
        outbox->state.lost++;
    }
    outbox->items[(outbox->first + outbox->count++) % outbox->options.room] = item;
    uv_cond_broadcast(&outbox->changed);
    uv_mutex_unlock(&outbox->mutex);
    if (lost != NULL) {
        outbox->options.release(lost);
    }
}

void berth_outbox_look(struct berth_outbox *outbox, struct berth_outbox_state *out)
{
    uv_mutex_lock(&outbox->mutex);
    *out = outbox->state;
    out->waiting = outbox->count;
    if (outbox->busy_since_ns != 0) {
        out->busy_ms = (uv_hrtime() - outbox->busy_since_ns) / NS_A_MS + 1;
    }
    uv_mutex_unlock(&outbox->mutex);
}

void berth_outbox_end(struct berth_outbox *outbox)
{
    uv_mutex_lock(&outbox->mutex);
    outbox->closing = true;
    uv_cond_broadcast(&outbox->changed);
    uv_mutex_unlock(&outbox->mutex);
}

bool berth_outbox_close(struct berth_outbox *outbox, unsigned wait_ms)
{
    if (outbox == NULL) {
        return true;
    }
    uint64_t until_ns = uv_hrtime() + (uint64_t)wait_ms * NS_A_MS;
    berth_outbox_end(outbox);
    uv_mutex_lock(&outbox->mutex);
    for (uint64_t now_ns = uv_hrtime(); !outbox->ended && now_ns < until_ns; now_ns = uv_hrtime()) {
        (void)uv_cond_timedwait(&outbox->changed, &outbox->mutex, until_ns - now_ns);
    }
    bool ended = outbox->ended;
    outbox->abandoned = !ended;
    lose_all(outbox);
    uv_mutex_unlock(&outbox->mutex);
    if (ended) {
        (void)uv_thread_join(&outbox->thread);
        destroy(outbox);
    }
    return ended;
}
