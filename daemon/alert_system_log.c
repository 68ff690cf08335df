/* SPDX-License-Identifier: MIT */
/* Alerts by the system's log. Writing to it may block: its service's socket can be full. */
#include "alert_channel.h"
#include "base/memory.h"
#include "outbox.h"

#include <string.h>

#define HANGS_MS 10000

struct system_log_channel {
    struct berth_channel base;
    struct berth_outbox *outbox;
};

struct notice {
    enum berth_notice notice;
    const char *strings[BERTH_NOTICE_STRINGS_MAX];
    char text[]; /* of all strings */
};

static enum berth_code deliver(void *item, struct berth_error *err)
{
    const struct notice *notice = item;

    (void)err; /* it says of no failure */
    berth_system_log_report(notice->notice, notice->strings);
    return BERTH_OK;
}

static size_t wanted(const struct berth_settings *settings)
{
    return settings->alerts.system_log ? 1 : 0;
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
    enum berth_code code = berth_system_log_open(err);
    if (code == BERTH_OK) {
        code = berth_outbox_create(&channel->outbox, &options, err);
        if (code != BERTH_OK) {
            berth_system_log_close();
        }
    }
    if (code != BERTH_OK) {
        berth_free(channel);
        return code;
    }
    *out = &channel->base;
    return BERTH_OK;
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
        base->state.failed++;
        berth_channel_failed(base, "out of memory");
        return;
    }
    berth_outbox_put(channel->outbox, notice);
}

static void look(struct berth_channel *base, struct berth_now now)
{
    struct system_log_channel *channel = BERTH_CONTAINER_OF(base, struct system_log_channel, base);
    struct berth_outbox_state state;

    (void)now;
    berth_outbox_look(channel->outbox, &state);
    base->state.lost = state.lost;
    base->state.waiting = state.waiting;
    if (state.busy_ms >= HANGS_MS) {
        berth_channel_failed(base, "the system's log does not take what it is given");
    } else if (state.delivered != base->state.told) {
        berth_channel_worked(base);
    }
    base->state.told = state.delivered;
}

static void stop(struct berth_channel *base)
{
    struct system_log_channel *channel = BERTH_CONTAINER_OF(base, struct system_log_channel, base);

    if (berth_outbox_close(channel->outbox, BERTH_CHANNEL_STOP_MS)) {
        berth_system_log_close();
    } else {
        berth_system_log_abandon();
    }
    berth_free(channel);
}

const struct berth_channel_ops berth_channel_system_log = {
    .name = "systemLog",
    .wanted = wanted,
    .start = start,
    .tell = take_alert,
    .look = look,
    .stop = stop,
};
