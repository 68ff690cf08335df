/* SPDX-License-Identifier: MIT */
/* Alerts by the system's log. Writing to it may block: its service's socket can be full. Where the
 * log refuses to be opened, the channel is there all the same and fails, until it can be. */
#include "alert_channel.h"
#include "base/memory.h"
#include "outbox.h"

#include <string.h>

#define HANGS_MS 10000
#define OPEN_AGAIN_MS 10000

struct system_log_channel {
    struct berth_channel base;
    struct berth_outbox *outbox;
    bool open;
    uint64_t tried_ms;          /* to open it; 0: at the start only */
    struct berth_error refusal; /* why it is not open */
    uint64_t attempts;          /* that were looked at */
    uint64_t no_memory;
};

struct notice {
    enum berth_notice notice;
    const char *strings[BERTH_NOTICE_STRINGS_MAX];
    char text[]; /* of all strings */
};

static enum berth_code deliver(void *item, struct berth_error *err)
{
    const struct notice *notice = item;

    return berth_system_log_report(notice->notice, notice->strings, err);
}

static size_t wanted(const struct berth_settings *settings)
{
    return settings->alerts.system_log ? 1 : 0;
}

static void try_to_open(struct system_log_channel *channel)
{
    channel->open = berth_system_log_open(&channel->refusal) == BERTH_OK;
    if (!channel->open) {
        berth_channel_failed(&channel->base, channel->refusal.detail);
    }
}

static enum berth_code start(struct berth_channel **out, const struct berth_channel_world *world,
                             const struct berth_settings *settings, size_t number,
                             struct berth_error *err)
{
    const struct berth_outbox_options options = {BERTH_CHANNEL_WAITING_MAX, deliver, berth_free};
    struct system_log_channel *channel = berth_alloc(1, sizeof *channel);

    (void)world;
    (void)settings;
    (void)number;
    if (channel == NULL) {
        return berth_fail_memory(err, "a channel");
    }
    enum berth_code code = berth_outbox_create(&channel->outbox, &options, err);
    if (code != BERTH_OK) {
        berth_free(channel);
        return code;
    }
    try_to_open(channel);
    *out = &channel->base;
    return BERTH_OK;
}

/* There is one system's log. */
static bool adopt(struct berth_channel *base, const struct berth_settings *settings, size_t number)
{
    (void)base;
    (void)settings;
    (void)number;
    return true;
}

static bool idle(struct berth_channel *base)
{
    struct system_log_channel *channel = BERTH_CONTAINER_OF(base, struct system_log_channel, base);
    struct berth_outbox_state state;

    berth_outbox_look(channel->outbox, &state);
    return state.waiting == 0 && state.busy_ms == 0;
}

static struct notice *copy(const struct berth_alert *alert)
{
    unsigned count = berth_notice_info(alert->notice)->strings;
    size_t size = sizeof(struct notice);

    for (unsigned i = 0; i < count; i++) {
        size += strlen(alert->strings[i]) + 1;
    }
    struct notice *notice = berth_alloc(1, size);
    if (notice == NULL) {
        return NULL;
    }
    notice->notice = alert->notice;
    char *at = notice->text;
    for (unsigned i = 0; i < count; i++) {
        size_t length = strlen(alert->strings[i]) + 1;
        memcpy(at, alert->strings[i], length);
        notice->strings[i] = at;
        at += length;
    }
    return notice;
}

static void take_alert(struct berth_channel *base, const struct berth_alert *alert)
{
    struct system_log_channel *channel = BERTH_CONTAINER_OF(base, struct system_log_channel, base);
    struct notice *notice = copy(alert);

    if (notice == NULL) {
        channel->no_memory++;
        berth_channel_failed(base, "out of memory");
        return;
    }
    berth_outbox_put(channel->outbox, notice);
}

static void note(struct system_log_channel *channel, const struct berth_outbox_state *state)
{
    struct berth_channel *base = &channel->base;

    if (state->busy_ms >= HANGS_MS) {
        berth_channel_failed(base, "the system's log does not take what it is given");
    } else if (!channel->open) {
        berth_channel_failed(base, channel->refusal.detail);
    } else if (state->delivered + state->failed == channel->attempts) {
        /* nothing new to judge by */
    } else if (state->failing) {
        berth_channel_failed(base, state->error.detail);
    } else {
        berth_channel_worked(base);
    }
    channel->attempts = state->delivered + state->failed;
    base->state.told = state->delivered;
    base->state.failed = state->failed + channel->no_memory;
    base->state.lost = state->lost;
    base->state.waiting = state->waiting;
}

static void look(struct berth_channel *base, struct berth_now now)
{
    struct system_log_channel *channel = BERTH_CONTAINER_OF(base, struct system_log_channel, base);
    struct berth_outbox_state state;

    if (!channel->open && now.ms - channel->tried_ms >= OPEN_AGAIN_MS) {
        channel->tried_ms = now.ms;
        try_to_open(channel);
        if (channel->open) {
            berth_channel_worked(base);
        }
    }
    berth_outbox_look(channel->outbox, &state);
    note(channel, &state);
}

static void end(struct berth_channel *base)
{
    berth_outbox_end(BERTH_CONTAINER_OF(base, struct system_log_channel, base)->outbox);
}

static void stop(struct berth_channel *base, unsigned wait_ms)
{
    struct system_log_channel *channel = BERTH_CONTAINER_OF(base, struct system_log_channel, base);

    if (berth_outbox_close(channel->outbox, wait_ms)) {
        if (channel->open) {
            berth_system_log_close();
        }
    } else {
        berth_system_log_abandon();
    }
    berth_free(channel);
}

const struct berth_channel_ops berth_channel_system_log = {
    .name = "systemLog",
    .wanted = wanted,
    .start = start,
    .adopt = adopt,
    .idle = idle,
    .tell = take_alert,
    .look = look,
    .end = end,
    .stop = stop,
};
