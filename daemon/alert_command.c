/* SPDX-License-Identifier: MIT */
/* Alerts by a command: each one starts the program, a few at a time, the others wait their turn.
 *
 * IMPLEMENTATION NOTES
 * Starting a process blocks for some milliseconds, as it copies the daemon's page tables, and as
 * long as it likes where the program lies on a share that hangs (decision 0057). So each command
 * has a thread with a loop of its own, on which its programs run. What the loop's thread and that
 * one share lies under the mutex. A thread that does not come to its end is left to itself, with
 * all that it uses: the channel on the loop's side is gone then. */
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
#define NS_A_MS 1000000

struct runner;

/* A run under way. */
struct slot {
    struct runner *runner;
    struct berth_command_run *run; /* NULL: the place is free */
    char type[32];                 /* of the alert, for the log */
};

/* An alert that waits. */
struct waiting {
    char *environment;
    char *input;
    char type[32];
};

/* The thread, and what it uses. */
struct runner {
    char *path; /* these do not change */
    char **arguments;
    size_t argument_count;

    uv_thread_t thread;
    uv_loop_t loop; /* the thread's, as the slots */
    uv_async_t wake;
    struct slot slots[RUNNING_MAX];

    uv_mutex_t mutex; /* all below */
    uv_cond_t ended_changed;
    struct waiting queue[BERTH_CHANNEL_WAITING_MAX]; /* a ring */
    size_t first;
    size_t running;
    uint64_t timeout_ms;
    bool stopping;
    bool ended;     /* the thread uses nothing any more but to free it all if it was left */
    bool abandoned; /* nobody waits for the thread: the memory is its own */
    struct berth_channel_state state;
};

struct command_channel {
    struct berth_channel base;
    struct runner *runner;
};

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

/* ---- running: on the runner's thread ---- */

static void pump(struct runner *runner);

static void free_command(struct runner *runner)
{
    for (size_t i = 0; i < runner->argument_count; i++) {
        berth_free(runner->arguments[i]);
    }
    berth_free(runner->arguments);
    berth_free(runner->path);
}

static void destroy(struct runner *runner)
{
    uv_cond_destroy(&runner->ended_changed);
    uv_mutex_destroy(&runner->mutex);
    free_command(runner);
    berth_free(runner);
}

/* With the mutex held. */
static void note_failure(struct runner *runner, const char *reason)
{
    runner->state.failed++;
    runner->state.failing = true;
    (void)snprintf(runner->state.reason, sizeof runner->state.reason, "%.255s", reason);
}

static void on_line(void *ctx, const char *line)
{
    const struct slot *slot = ctx;

    berth_log(BERTH_LOG_INFO, "%s (%s): %s", slot->runner->path, slot->type, line);
}

/* Says why a run was none to be content with; false: it was. */
static bool describe_failure(char out[128], const struct berth_command_outcome *outcome)
{
    if (outcome->timed_out) {
        (void)snprintf(out, 128, "ended, as it ran for more than %" PRIu64 " ms",
                       outcome->timeout_ms);
    } else if (outcome->signal != 0) {
        (void)snprintf(out, 128, "ended by signal %d", outcome->signal);
    } else if (outcome->status != 0) {
        (void)snprintf(out, 128, "exit status %" PRId64, outcome->status);
    } else {
        return false;
    }
    return true;
}

static void note_outcome(struct slot *slot, const struct berth_command_outcome *outcome)
{
    struct runner *runner = slot->runner;
    char reason[128];
    bool failed = describe_failure(reason, outcome);

    if (outcome->lines_left_out > 0) {
        berth_log(BERTH_LOG_INFO, "%s (%s): … and %zu more lines", runner->path, slot->type,
                  outcome->lines_left_out);
    }
    uv_mutex_lock(&runner->mutex);
    runner->running--;
    bool stopping = runner->stopping;
    if (stopping) {
        /* it was ended */
    } else if (failed) {
        note_failure(runner, reason);
    } else {
        runner->state.told++;
        runner->state.failing = false;
    }
    uv_mutex_unlock(&runner->mutex);
    if (failed && !stopping) {
        berth_log(BERTH_LOG_WARNING, "%s (%s): %s", runner->path, slot->type, reason);
    }
}

static void on_ended(void *ctx, const struct berth_command_outcome *outcome)
{
    struct slot *slot = ctx;

    slot->run = NULL;
    note_outcome(slot, outcome);
    pump(slot->runner);
}

static void run_one(struct slot *slot, struct waiting *waiting, uint64_t timeout_ms)
{
    struct runner *runner = slot->runner;
    struct berth_error err;
    const struct berth_command_options options = {
        .path = runner->path,
        .arguments = runner->arguments,
        .argument_count = runner->argument_count,
        .environment = waiting->environment,
        .input = waiting->input,
        .timeout_ms = timeout_ms,
        .line = on_line,
        .ended = on_ended,
        .ctx = slot,
    };

    memcpy(slot->type, waiting->type, sizeof slot->type);
    if (berth_command_start(&slot->run, &runner->loop, &options, &err) == BERTH_OK) {
        return;
    }
    slot->run = NULL;
    forget(waiting);
    uv_mutex_lock(&runner->mutex);
    runner->running--;
    note_failure(runner, err.detail);
    uv_mutex_unlock(&runner->mutex);
}

/* Takes the oldest alert that waits.  @return false: there is none, or all is to end */
static bool take(struct runner *runner, struct waiting *out, uint64_t *timeout_ms)
{
    uv_mutex_lock(&runner->mutex);
    bool any = runner->state.waiting > 0 && !runner->stopping;
    if (any) {
        *out = runner->queue[runner->first];
        runner->queue[runner->first] = (struct waiting){.environment = NULL};
        runner->first = (runner->first + 1) % BERTH_CHANNEL_WAITING_MAX;
        runner->state.waiting--;
        runner->running++;
        *timeout_ms = runner->timeout_ms;
    }
    uv_mutex_unlock(&runner->mutex);
    return any;
}

static bool is_stopping(struct runner *runner)
{
    uv_mutex_lock(&runner->mutex);
    bool stopping = runner->stopping;
    uv_mutex_unlock(&runner->mutex);
    return stopping;
}

/* What runs is ended: its time limit would be nobody's to see to. */
static void end_all(struct runner *runner)
{
    bool any = false;

    for (size_t i = 0; i < RUNNING_MAX; i++) {
        if (runner->slots[i].run != NULL) {
            berth_command_end(runner->slots[i].run);
            any = true;
        }
    }
    if (!any && !uv_is_closing((uv_handle_t *)&runner->wake)) {
        uv_close((uv_handle_t *)&runner->wake, NULL);
    }
}

static void pump(struct runner *runner)
{
    struct waiting next;
    uint64_t timeout_ms;

    if (is_stopping(runner)) {
        end_all(runner);
        return;
    }
    for (size_t i = 0; i < RUNNING_MAX; i++) {
        struct slot *slot = &runner->slots[i];
        while (slot->run == NULL && take(runner, &next, &timeout_ms)) {
            run_one(slot, &next, timeout_ms);
        }
    }
}

static void on_wake(uv_async_t *wake)
{
    pump(BERTH_CONTAINER_OF(wake, struct runner, wake));
}

static void run_thread(void *ctx)
{
    struct runner *runner = ctx;

    (void)uv_run(&runner->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&runner->loop);
    uv_mutex_lock(&runner->mutex);
    runner->ended = true;
    bool abandoned = runner->abandoned;
    uv_cond_broadcast(&runner->ended_changed);
    uv_mutex_unlock(&runner->mutex);
    if (abandoned) {
        destroy(runner);
    }
}

/* ---- the runner's life: on the loop's thread ---- */

/* @return false: no memory; what is there is for free_command() */
static bool copy_command(struct runner *runner, const struct berth_command_settings *command)
{
    runner->path = berth_copy(command->path);
    runner->arguments = berth_alloc(command->argument_count + 1, sizeof *runner->arguments);
    if (runner->path == NULL || runner->arguments == NULL) {
        return false;
    }
    for (size_t i = 0; i < command->argument_count; i++) {
        runner->arguments[i] = berth_copy(command->arguments[i]);
        if (runner->arguments[i] == NULL) {
            return false;
        }
        runner->argument_count++;
    }
    return true;
}

static void close_loop(struct runner *runner)
{
    uv_close((uv_handle_t *)&runner->wake, NULL);
    (void)uv_run(&runner->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&runner->loop);
}

static int open_loop(struct runner *runner)
{
    int status = uv_loop_init(&runner->loop);

    if (status != 0) {
        return status;
    }
    status = uv_async_init(&runner->loop, &runner->wake, on_wake);
    if (status != 0) {
        (void)uv_loop_close(&runner->loop);
    }
    return status;
}

static int open_locks(struct runner *runner)
{
    int status = uv_mutex_init(&runner->mutex);

    if (status == 0) {
        status = uv_cond_init(&runner->ended_changed);
        if (status != 0) {
            uv_mutex_destroy(&runner->mutex);
        }
    }
    return status;
}

/* Starts the thread of a runner that has its command.  @return libuv's status; what was begun is
 * undone */
static int start_thread(struct runner *runner)
{
    int status = open_locks(runner);

    if (status != 0) {
        return status;
    }
    status = open_loop(runner);
    if (status == 0) {
        status = uv_thread_create(&runner->thread, run_thread, runner);
        if (status != 0) {
            close_loop(runner);
        }
    }
    if (status != 0) {
        uv_cond_destroy(&runner->ended_changed);
        uv_mutex_destroy(&runner->mutex);
    }
    return status;
}

static enum berth_code make_runner(struct runner **out,
                                   const struct berth_command_settings *command,
                                   struct berth_error *err)
{
    struct runner *runner = berth_alloc(1, sizeof *runner);

    if (runner == NULL) {
        return berth_fail_memory(err, "a command's thread");
    }
    runner->timeout_ms = command->timeout_ms;
    for (size_t i = 0; i < RUNNING_MAX; i++) {
        runner->slots[i].runner = runner;
    }
    if (!copy_command(runner, command)) {
        free_command(runner);
        berth_free(runner);
        return berth_fail_memory(err, "a command's thread");
    }
    int status = start_thread(runner);
    if (status != 0) {
        free_command(runner);
        berth_free(runner);
        return berth_fail(err, BERTH_IO, status, "no thread for a command: %s",
                          uv_strerror(status));
    }
    *out = runner;
    return BERTH_OK;
}

/* ---- the channel ---- */

static void end(struct berth_channel *base);
static void stop(struct berth_channel *base, unsigned wait_ms);

static size_t wanted(const struct berth_settings *settings)
{
    return settings->alerts.command_count;
}

static enum berth_code start(struct berth_channel **out, const struct berth_channel_world *world,
                             const struct berth_settings *settings, size_t number,
                             struct berth_error *err)
{
    struct command_channel *channel = berth_alloc(1, sizeof *channel);

    (void)world;
    if (channel == NULL) {
        return berth_fail_memory(err, "a channel");
    }
    enum berth_code code = make_runner(&channel->runner, &settings->alerts.commands[number], err);
    if (code == BERTH_OK) {
        channel->base.target = berth_copy(channel->runner->path);
        if (channel->base.target == NULL) {
            end(&channel->base);
            stop(&channel->base, BERTH_CHANNEL_STOP_MS);
            return berth_fail_memory(err, "a channel");
        }
        *out = &channel->base;
    } else {
        berth_free(channel);
    }
    return code;
}

static bool is_same_command(const struct runner *runner,
                            const struct berth_command_settings *command)
{
    bool same = strcmp(runner->path, command->path) == 0 &&
                runner->argument_count == command->argument_count;

    for (size_t i = 0; same && i < command->argument_count; i++) {
        same = strcmp(runner->arguments[i], command->arguments[i]) == 0;
    }
    return same;
}

static bool adopt(struct berth_channel *base, const struct berth_settings *settings, size_t number)
{
    struct runner *runner = BERTH_CONTAINER_OF(base, struct command_channel, base)->runner;
    const struct berth_command_settings *command = &settings->alerts.commands[number];

    if (!is_same_command(runner, command)) {
        return false;
    }
    uv_mutex_lock(&runner->mutex);
    runner->timeout_ms = command->timeout_ms; /* of what is started from now on */
    uv_mutex_unlock(&runner->mutex);
    return true;
}

static bool idle(struct berth_channel *base)
{
    struct runner *runner = BERTH_CONTAINER_OF(base, struct command_channel, base)->runner;

    uv_mutex_lock(&runner->mutex);
    bool idle = runner->state.waiting == 0 && runner->running == 0;
    uv_mutex_unlock(&runner->mutex);
    return idle;
}

/* Puts an alert behind the others. Where there is no room the oldest one is given back in it. */
static void put(struct runner *runner, struct waiting *fresh)
{
    struct waiting lost = {.environment = NULL};

    uv_mutex_lock(&runner->mutex);
    if (runner->state.waiting == BERTH_CHANNEL_WAITING_MAX) {
        lost = runner->queue[runner->first];
        runner->first = (runner->first + 1) % BERTH_CHANNEL_WAITING_MAX;
        runner->state.waiting--;
        runner->state.lost++;
    }
    size_t last = (runner->first + runner->state.waiting++) % BERTH_CHANNEL_WAITING_MAX;
    runner->queue[last] = *fresh;
    uv_mutex_unlock(&runner->mutex);
    *fresh = lost;
}

static void take_alert(struct berth_channel *base, const struct berth_alert *alert)
{
    struct runner *runner = BERTH_CONTAINER_OF(base, struct command_channel, base)->runner;
    struct waiting fresh = {make_environment(alert), make_input(alert), ""};

    if (fresh.environment == NULL || fresh.input == NULL) {
        uv_mutex_lock(&runner->mutex);
        note_failure(runner, "out of memory");
        uv_mutex_unlock(&runner->mutex);
    } else {
        (void)snprintf(fresh.type, sizeof fresh.type, "%s", alert->type);
        put(runner, &fresh);
        (void)uv_async_send(&runner->wake);
    }
    forget(&fresh);
}

static void look(struct berth_channel *base, struct berth_now now)
{
    struct runner *runner = BERTH_CONTAINER_OF(base, struct command_channel, base)->runner;

    (void)now;
    uv_mutex_lock(&runner->mutex);
    base->state = runner->state;
    uv_mutex_unlock(&runner->mutex);
}

/* With the mutex held. */
static size_t forget_queue(struct runner *runner)
{
    size_t count = runner->state.waiting;

    for (size_t i = 0; i < BERTH_CHANNEL_WAITING_MAX; i++) {
        forget(&runner->queue[i]);
    }
    runner->state.waiting = 0;
    return count;
}

/* Waits for the thread, with the mutex held.  @return false: it is left to itself */
static bool await_end(struct runner *runner, unsigned wait_ms)
{
    uint64_t until_ns = uv_hrtime() + (uint64_t)wait_ms * NS_A_MS;

    for (uint64_t now_ns = uv_hrtime(); !runner->ended && now_ns < until_ns; now_ns = uv_hrtime()) {
        (void)uv_cond_timedwait(&runner->ended_changed, &runner->mutex, until_ns - now_ns);
    }
    runner->abandoned = !runner->ended;
    return runner->ended;
}

static void end(struct berth_channel *base)
{
    struct runner *runner = BERTH_CONTAINER_OF(base, struct command_channel, base)->runner;

    uv_mutex_lock(&runner->mutex);
    runner->stopping = true;
    size_t lost = forget_queue(runner);
    if (!runner->ended) {
        (void)uv_async_send(&runner->wake);
    }
    uv_mutex_unlock(&runner->mutex);
    if (lost > 0) {
        berth_log(BERTH_LOG_WARNING, "%s: %zu alerts were waiting and are lost", base->target,
                  lost);
    }
}

static void stop(struct berth_channel *base, unsigned wait_ms)
{
    struct command_channel *channel = BERTH_CONTAINER_OF(base, struct command_channel, base);
    struct runner *runner = channel->runner;

    uv_mutex_lock(&runner->mutex);
    bool ended = await_end(runner, wait_ms);
    uv_mutex_unlock(&runner->mutex);
    if (ended) {
        (void)uv_thread_join(&runner->thread);
        destroy(runner);
    }
    berth_free(base->target);
    berth_free(channel);
}

const struct berth_channel_ops berth_channel_command = {
    .name = "command",
    .wanted = wanted,
    .start = start,
    .adopt = adopt,
    .idle = idle,
    .tell = take_alert,
    .look = look,
    .end = end,
    .stop = stop,
};
