/* SPDX-License-Identifier: MIT */
/* The metrics file. The text is made on the loop, some ten microseconds; the disk is the outbox's.
 * One file is written at a time; one that comes due meanwhile is left out. */
#include "alert_channel.h"
#include "base/memory.h"
#include "file_replace.h"
#include "metrics_text.h"
#include "outbox.h"

#include <string.h>

#define HANGS_MS 10000

struct metrics_channel {
    struct berth_channel base;
    struct berth_service *service;
    struct berth_outbox *outbox;
    uint64_t interval_ms;
    uint64_t next_ms;  /* when the next file is due; 0: at once */
    uint64_t left_out; /* files, as the one before was still being written */
    uint64_t no_memory;
};

struct file {
    struct berth_text text;
    char path[];
};

static enum berth_code deliver(void *item, struct berth_error *err)
{
    const struct file *file = item;

    return berth_file_replace(file->path, file->text.data, file->text.length, err);
}

static void release(void *item)
{
    struct file *file = item;

    berth_text_fini(&file->text);
    berth_free(file);
}

static size_t wanted(const struct berth_settings *settings)
{
    return settings->alerts.metrics_path != NULL ? 1 : 0;
}

static enum berth_code start(struct berth_channel **out, const struct berth_channel_world *world,
                             const struct berth_settings *settings, size_t number,
                             struct berth_error *err)
{
    const struct berth_outbox_options options = {1, deliver, release};
    struct metrics_channel *channel = berth_alloc(1, sizeof *channel);
    char *path = berth_copy(settings->alerts.metrics_path);

    (void)number;
    if (channel == NULL || path == NULL) {
        berth_free(path);
        berth_free(channel);
        return berth_fail_memory(err, "a channel");
    }
    enum berth_code code = berth_outbox_create(&channel->outbox, &options, err);
    if (code != BERTH_OK) {
        berth_free(path);
        berth_free(channel);
        return code;
    }
    channel->base.target = path;
    channel->service = world->service;
    channel->interval_ms = settings->alerts.metrics_interval_ms;
    *out = &channel->base;
    return BERTH_OK;
}

static bool adopt(struct berth_channel *base, const struct berth_settings *settings, size_t number)
{
    struct metrics_channel *channel = BERTH_CONTAINER_OF(base, struct metrics_channel, base);

    (void)number;
    if (strcmp(base->target, settings->alerts.metrics_path) != 0) {
        return false;
    }
    channel->interval_ms = settings->alerts.metrics_interval_ms;
    channel->next_ms = 0; /* a shorter interval need not wait for the longer one */
    return true;
}

static bool idle(struct berth_channel *base)
{
    struct metrics_channel *channel = BERTH_CONTAINER_OF(base, struct metrics_channel, base);
    struct berth_outbox_state state;

    berth_outbox_look(channel->outbox, &state);
    return state.waiting == 0 && state.busy_ms == 0;
}

/* Gives the file as it is to be now; NULL: no memory. */
static struct file *make_file(struct metrics_channel *channel, struct berth_now now)
{
    size_t length = strlen(channel->base.target) + 1;
    struct file *file = berth_alloc(1, sizeof *file + length);

    if (file == NULL) {
        return NULL;
    }
    memcpy(file->path, channel->base.target, length);
    berth_text_init(&file->text, BERTH_METRICS_MAX);
    berth_metrics_write(&file->text, channel->service, now);
    if (file->text.failed != BERTH_OK) {
        release(file);
        return NULL;
    }
    return file;
}

static void write_one(struct metrics_channel *channel, struct berth_now now)
{
    struct file *file = make_file(channel, now);

    if (file != NULL) {
        berth_outbox_put(channel->outbox, file);
    } else {
        channel->no_memory++;
        berth_channel_failed(&channel->base, "out of memory");
    }
}

static void note(struct metrics_channel *channel, const struct berth_outbox_state *state)
{
    struct berth_channel *base = &channel->base;

    if (state->busy_ms >= HANGS_MS) {
        berth_channel_failed(base, "writing the file does not come to an end");
    } else if (state->failing) {
        berth_channel_failed(base, state->error.detail);
    } else if (state->delivered != base->state.told) {
        berth_channel_worked(base);
    }
    base->state.told = state->delivered;
    base->state.failed = state->failed + channel->no_memory;
    base->state.lost = state->lost + channel->left_out;
    base->state.waiting = state->waiting;
}

static void look(struct berth_channel *base, struct berth_now now)
{
    struct metrics_channel *channel = BERTH_CONTAINER_OF(base, struct metrics_channel, base);
    struct berth_outbox_state state;

    berth_outbox_look(channel->outbox, &state);
    if (now.ms >= channel->next_ms) {
        channel->next_ms = now.ms + channel->interval_ms;
        if (state.busy_ms == 0 && state.waiting == 0) {
            write_one(channel, now);
        } else {
            channel->left_out++;
        }
    }
    note(channel, &state);
}

static void end(struct berth_channel *base)
{
    berth_outbox_end(BERTH_CONTAINER_OF(base, struct metrics_channel, base)->outbox);
}

static void stop(struct berth_channel *base, unsigned wait_ms)
{
    struct metrics_channel *channel = BERTH_CONTAINER_OF(base, struct metrics_channel, base);

    (void)berth_outbox_close(channel->outbox, wait_ms);
    berth_free(base->target);
    berth_free(channel);
}

const struct berth_channel_ops berth_channel_metrics = {
    .name = "metrics",
    .wanted = wanted,
    .start = start,
    .adopt = adopt,
    .idle = idle,
    .look = look,
    .end = end,
    .stop = stop,
};
