/* SPDX-License-Identifier: MIT */
/* Alerts by a command: each one starts the program, a few at a time, the others wait their turn. */
#include "alert_channel.h"
#include "base/memory.h"
#include "base/units.h"
#include "command_run.h"
#include "log.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define RUNNING_MAX 2 /* of one command */
#define ENVIRONMENT_MAX ((size_t)256 * 1024)

struct command_channel;

/* A run under way. */
struct slot {
    struct command_channel *channel;
    struct berth_command_run *run; /* NULL: the place is free */
    char type[32];                 /* of the alert, for the log */
};

/* An alert that waits. */
struct waiting {
    char *environment;
    char *input;
    char type[32];
};

struct command_channel {
    struct berth_channel base;
    uv_loop_t *loop;
    char **arguments;
    size_t argument_count;
    uint64_t timeout_ms;
    struct slot slots[RUNNING_MAX];
    struct waiting queue[BERTH_CHANNEL_WAITING_MAX]; /* a ring */
    size_t first;
    bool stopped;
};

static void pump(struct command_channel *channel);

/* ---- what a command is given ---- */

/* What systemd tells the daemon, and what another alert may have left. */
static bool is_ours(const char *name)
{
    static const char *const prefixes[] = {"BERTH_EVENT_", "NOTIFY_SOCKET", "LISTEN_FDS",
                                           "LISTEN_PID", "WATCHDOG_"};

    for (size_t i = 0; i < BERTH_COUNT(prefixes); i++) {
        if (strncmp(name, prefixes[i], strlen(prefixes[i])) == 0) {
            return true;
        }
    }
    return false;
}

static void add_variable(struct berth_text *out, const char *name, const char *value)
{
    if (value != NULL) {
        berth_text_puts(out, name);
        berth_text_putc(out, '=');
        berth_text_add(out, value, strlen(value) + 1);
    }
}

static void add_own_environment(struct berth_text *out)
{
    uv_env_item_t *items;
    int count;

    if (uv_os_environ(&items, &count) != 0) {
        out->failed = BERTH_NO_MEMORY;
        return;
    }
    for (int i = 0; i < count; i++) {
        if (!is_ours(items[i].name)) {
            add_variable(out, items[i].name, items[i].value);
        }
    }
    uv_os_free_environ(items, count);
}

/* Gives what the program finds in its environment, for berth_free(); NULL: no memory. */
static char *make_environment(const struct berth_alert *alert)
{
    struct berth_text out;
    char number[24];
    char time[32];

    berth_text_init(&out, ENVIRONMENT_MAX);
    add_own_environment(&out);
    add_variable(&out, "BERTH_EVENT_TYPE", alert->type);
    (void)snprintf(number, sizeof number, "%u", berth_notice_info(alert->notice)->id);
    add_variable(&out, "BERTH_EVENT_ID", number);
    add_variable(&out, "BERTH_EVENT_SEVERITY", berth_alert_severity_name(alert));
    (void)snprintf(number, sizeof number, "%u", alert->port);
    add_variable(&out, "BERTH_EVENT_PORT", alert->port != 0 ? number : NULL);
    add_variable(&out, "BERTH_EVENT_KIND", alert->kind);
    add_variable(&out, "BERTH_EVENT_SUBJECT", alert->subject);
    (void)snprintf(number, sizeof number, "%" PRIu64, alert->revision);
    add_variable(&out, "BERTH_EVENT_REVISION", number);
    add_variable(&out, "BERTH_EVENT_TIME", berth_format_time(time, sizeof time, alert->unix_ms));
    add_variable(&out, "BERTH_EVENT_TEXT", alert->text);
    berth_text_putc(&out, '\0');
    if (out.failed != BERTH_OK) {
        berth_text_fini(&out);
        return NULL;
    }
    return out.data;
}

static char *make_input(const struct berth_alert *alert)
{
    size_t length = strlen(alert->json);
    char *input = berth_alloc(length + 2, 1);

    if (input != NULL) {
        memcpy(input, alert->json, length);
        input[length] = '\n';
    }
    return input;
}

static void forget(struct waiting *waiting)
{
    berth_free(waiting->environment);
    berth_free(waiting->input);
    *waiting = (struct waiting){.environment = NULL};
}

/* ---- running ---- */

static bool any_runs(const struct command_channel *channel)
{
    for (size_t i = 0; i < RUNNING_MAX; i++) {
        if (channel->slots[i].run != NULL) {
            return true;
        }
    }
    return false;
}

static void destroy(struct command_channel *channel)
{
    for (size_t i = 0; i < channel->argument_count; i++) {
        berth_free(channel->arguments[i]);
    }
    berth_free(channel->arguments);
    berth_free(channel->base.target);
    berth_free(channel);
}

static void on_line(void *ctx, const char *line)
{
    const struct slot *slot = ctx;

    berth_log(BERTH_LOG_INFO, "%s (%s): %s", slot->channel->base.target, slot->type, line);
}

static void note_outcome(struct slot *slot, const struct berth_command_outcome *outcome)
{
    struct berth_channel *base = &slot->channel->base;
    char reason[128];

    if (outcome->lines_left_out > 0) {
        berth_log(BERTH_LOG_INFO, "%s (%s): … and %zu more lines", base->target, slot->type,
                  outcome->lines_left_out);
    }
    if (!outcome->timed_out && outcome->signal == 0 && outcome->status == 0) {
        base->state.told++;
        berth_channel_worked(base);
        return;
    }
    if (outcome->timed_out) {
        (void)snprintf(reason, sizeof reason, "ended, as it ran for more than %" PRIu64 " ms",
                       slot->channel->timeout_ms);
    } else if (outcome->signal != 0) {
        (void)snprintf(reason, sizeof reason, "ended by signal %d", outcome->signal);
    } else {
        (void)snprintf(reason, sizeof reason, "exit status %" PRId64, outcome->status);
    }
    base->state.failed++;
    berth_channel_failed(base, reason);
    berth_log(BERTH_LOG_WARNING, "%s (%s): %s", base->target, slot->type, reason);
}

static void on_ended(void *ctx, const struct berth_command_outcome *outcome)
{
    struct slot *slot = ctx;
    struct command_channel *channel = slot->channel;

    slot->run = NULL;
    if (!channel->stopped) {
        note_outcome(slot, outcome);
        pump(channel);
    } else if (!any_runs(channel)) {
        destroy(channel);
    }
}

static void run(struct command_channel *channel, struct slot *slot, struct waiting *waiting)
{
    struct berth_error err;
    const struct berth_command_options options = {
        .path = channel->base.target,
        .arguments = channel->arguments,
        .argument_count = channel->argument_count,
        .environment = waiting->environment,
        .input = waiting->input,
        .timeout_ms = channel->timeout_ms,
        .line = on_line,
        .ended = on_ended,
        .ctx = slot,
    };

    memcpy(slot->type, waiting->type, sizeof slot->type);
    if (berth_command_start(&slot->run, channel->loop, &options, &err) == BERTH_OK) {
        return;
    }
    slot->run = NULL;
    forget(waiting);
    channel->base.state.failed++;
    berth_channel_failed(&channel->base, err.detail);
}

static void pump(struct command_channel *channel)
{
    for (size_t i = 0; i < RUNNING_MAX; i++) {
        struct slot *slot = &channel->slots[i];
        while (slot->run == NULL && channel->base.state.waiting > 0) {
            struct waiting next = channel->queue[channel->first];
            channel->queue[channel->first] = (struct waiting){.environment = NULL};
            channel->first = (channel->first + 1) % BERTH_CHANNEL_WAITING_MAX;
            channel->base.state.waiting--;
            run(channel, slot, &next);
        }
    }
}

/* ---- the channel ---- */

static size_t wanted(const struct berth_settings *settings)
{
    return settings->alerts.command_count;
}

/* @return false: no memory; what is there is for destroy() */
static bool copy_command(struct command_channel *channel,
                         const struct berth_command_settings *command)
{
    channel->base.target = berth_copy(command->path);
    channel->arguments = berth_alloc(command->argument_count + 1, sizeof *channel->arguments);
    if (channel->base.target == NULL || channel->arguments == NULL) {
        return false;
    }
    for (size_t i = 0; i < command->argument_count; i++) {
        channel->arguments[i] = berth_copy(command->arguments[i]);
        if (channel->arguments[i] == NULL) {
            return false;
        }
        channel->argument_count++;
    }
    return true;
}

static bool is_same_command(const struct command_channel *channel,
                            const struct berth_command_settings *command)
{
    bool same = strcmp(channel->base.target, command->path) == 0 &&
                channel->argument_count == command->argument_count;

    for (size_t i = 0; same && i < command->argument_count; i++) {
        same = strcmp(channel->arguments[i], command->arguments[i]) == 0;
    }
    return same;
}

static enum berth_code start(struct berth_channel **out, const struct berth_channel_world *world,
                             const struct berth_settings *settings, size_t number,
                             struct berth_error *err)
{
    const struct berth_command_settings *command = &settings->alerts.commands[number];
    struct command_channel *channel = berth_alloc(1, sizeof *channel);

    if (channel == NULL) {
        return berth_fail_memory(err, "a channel");
    }
    channel->loop = world->loop;
    channel->timeout_ms = command->timeout_ms;
    for (size_t i = 0; i < RUNNING_MAX; i++) {
        channel->slots[i].channel = channel;
    }
    if (!copy_command(channel, command)) {
        destroy(channel);
        return berth_fail_memory(err, "a channel");
    }
    *out = &channel->base;
    return BERTH_OK;
}

static bool adopt(struct berth_channel *base, const struct berth_settings *settings, size_t number)
{
    struct command_channel *channel = BERTH_CONTAINER_OF(base, struct command_channel, base);
    const struct berth_command_settings *command = &settings->alerts.commands[number];

    if (!is_same_command(channel, command)) {
        return false;
    }
    channel->timeout_ms = command->timeout_ms; /* of what is started from now on */
    return true;
}

static bool idle(struct berth_channel *base)
{
    struct command_channel *channel = BERTH_CONTAINER_OF(base, struct command_channel, base);

    return base->state.waiting == 0 && !any_runs(channel);
}

static void take_alert(struct berth_channel *base, const struct berth_alert *alert)
{
    struct command_channel *channel = BERTH_CONTAINER_OF(base, struct command_channel, base);
    struct waiting fresh = {make_environment(alert), make_input(alert), ""};

    if (fresh.environment == NULL || fresh.input == NULL) {
        forget(&fresh);
        base->state.failed++;
        berth_channel_failed(base, "out of memory");
        return;
    }
    (void)snprintf(fresh.type, sizeof fresh.type, "%s", alert->type);
    if (base->state.waiting == BERTH_CHANNEL_WAITING_MAX) {
        forget(&channel->queue[channel->first]);
        channel->first = (channel->first + 1) % BERTH_CHANNEL_WAITING_MAX;
        base->state.waiting--;
        base->state.lost++;
    }
    channel->queue[(channel->first + base->state.waiting++) % BERTH_CHANNEL_WAITING_MAX] = fresh;
    pump(channel);
}

static void look(struct berth_channel *base, struct berth_now now)
{
    (void)base; /* it is up to date at any time */
    (void)now;
}

/* What runs is ended: its time limit would be nobody's to see to. */
static void stop(struct berth_channel *base)
{
    struct command_channel *channel = BERTH_CONTAINER_OF(base, struct command_channel, base);

    channel->stopped = true;
    if (base->state.waiting > 0) {
        berth_log(BERTH_LOG_WARNING, "%s: %zu alerts were waiting and are lost", base->target,
                  base->state.waiting);
    }
    for (size_t i = 0; i < BERTH_CHANNEL_WAITING_MAX; i++) {
        forget(&channel->queue[i]);
    }
    base->state.waiting = 0;
    for (size_t i = 0; i < RUNNING_MAX; i++) {
        if (channel->slots[i].run != NULL) {
            berth_command_end(channel->slots[i].run);
        }
    }
    if (!any_runs(channel)) {
        destroy(channel);
    }
}

const struct berth_channel_ops berth_channel_command = {
    .name = "command",
    .wanted = wanted,
    .start = start,
    .adopt = adopt,
    .idle = idle,
    .tell = take_alert,
    .look = look,
    .stop = stop,
};
