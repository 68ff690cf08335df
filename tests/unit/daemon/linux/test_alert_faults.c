/* SPDX-License-Identifier: MIT */
/* Alerts while memory, descriptors or libuv fail: each allocation once and for ever after, each
 * descriptor of a command, each call that starts one. Nothing is kept that is not given back. */
#define _GNU_SOURCE
#include "daemon/alerts.h"

#include "base/memory.h"
#include "cmocka_all.h"
#include "daemon/alert_channel.h"
#include "daemon/linux/system_log.h"
#include "memory_faults.h"
#include "memory_service.h"
#include "temp_dir.h"

#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

static uv_loop_t loop;
static char metrics_path[600];

/* ---- calls of libuv and the C library, which this program has in their place ---- */

static struct {
    int spawn; /* what the next call gives instead of being made; 0: it is made */
    int write;
    int read;
    int reads_before; /* calls to uv_read_start() that are made first */
} failing;

static void *real(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);

    assert_non_null(found);
    return found;
}

/* Gives the failure that is due, once. */
static int due(int *failure)
{
    int status = *failure;

    *failure = 0;
    return status;
}

int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
                const posix_spawnattr_t *attributes, char *const arguments[],
                char *const environment[])
{
    int (*call)(pid_t * pid, const char *path, const posix_spawn_file_actions_t *actions,
                const posix_spawnattr_t *attributes, char *const *arguments,
                char *const *environment);
    void *found = real("posix_spawn");
    int error = due(&failing.spawn);

    memcpy(&call, &found, sizeof call);
    return error != 0 ? error : call(pid, path, actions, attributes, arguments, environment);
}

int uv_write(uv_write_t *request, uv_stream_t *handle, const uv_buf_t buffers[], unsigned int count,
             uv_write_cb done)
{
    int (*call)(uv_write_t * request, uv_stream_t * handle, const uv_buf_t *buffers,
                unsigned int count, uv_write_cb done);
    void *found = real("uv_write");
    int status = due(&failing.write);

    memcpy(&call, &found, sizeof call);
    return status != 0 ? status : call(request, handle, buffers, count, done);
}

int uv_read_start(uv_stream_t *stream, uv_alloc_cb allocate, uv_read_cb read)
{
    int (*call)(uv_stream_t * stream, uv_alloc_cb allocate, uv_read_cb read);
    void *found = real("uv_read_start");
    int status = failing.reads_before-- > 0 ? 0 : due(&failing.read);

    memcpy(&call, &found, sizeof call);
    return status != 0 ? status : call(stream, allocate, read);
}

/* ---- a service, its alerts, and some that are told ---- */

/* Asks for every kind of channel.  @return false: no memory */
static bool ask_for_channels(struct berth_settings *settings, const char *program)
{
    struct berth_command_settings *command = berth_alloc(1, sizeof *command);

    settings->alerts.commands = command;
    if (command == NULL) {
        return false;
    }
    settings->alerts.command_count = 1;
    command->timeout_ms = 60000;
    command->path = berth_copy(program);
    command->arguments = berth_alloc(1, sizeof *command->arguments);
    if (command->path == NULL || command->arguments == NULL) {
        return false;
    }
    command->argument_count = 1;
    command->arguments[0] = berth_copy("an argument");
    settings->alerts.metrics_path = berth_copy(metrics_path);
    settings->alerts.metrics_interval_ms = 1000;
    settings->alerts.system_log = true;
    return command->arguments[0] != NULL && settings->alerts.metrics_path != NULL;
}

static void report(struct memory_service *memory, enum berth_source_state state, const char *reason)
{
    struct berth_allocator *allocator = memory->service.allocator;

    (void)berth_allocator_report_state(allocator, memory->iis, state, reason, memory->now);
    berth_events_source(&memory->events, &allocator->sources.at[memory->iis], memory->now);
    berth_alerts_source(memory->service.alerts, &allocator->sources.at[memory->iis], memory->now);
}

static void await_idle(struct berth_channel *channel)
{
    for (int tries = 0; !channel->ops->idle(channel); tries++) {
        assert_true(tries < 20000);
        uv_sleep(1);
    }
}

static void await_all(struct berth_alerts *alerts)
{
    const struct berth_channel *first = berth_alerts_channels(alerts);
    struct berth_channel *channel;

    memcpy(&channel, &first, sizeof channel); /* it is given to read */
    for (; channel != NULL; channel = channel->next) {
        await_idle(channel);
    }
}

/* What a daemon does with its alerts, from its start over two reloads to its end. */
static void live(struct memory_service *memory)
{
    static const char *const strings[] = {"a", "b"};
    struct berth_store_health health = {.failing = true, .error = {.detail = "the disk is full"}};
    struct berth_alerts *alerts = memory->service.alerts;

    memory->service.store_health = &health;
    memory->settings.pools[0].low_ports = 60000;
    berth_alerts_apply(alerts, memory->now);
    berth_alerts_report(alerts, BERTH_NOTICE_STARTED, strings);
    report(memory, BERTH_STATE_STALE, "line 3 is damaged");
    report(memory, BERTH_STATE_READY, NULL);
    memory->now.ms += 1000;
    berth_alerts_tick(alerts, memory->now);
    memory->settings.alerts.system_log = false;
    berth_alerts_apply(alerts, memory->now);
    report(memory, BERTH_STATE_STALE, "line 4 is damaged");
    memory->now.ms += 1000;
    berth_alerts_tick(alerts, memory->now);
    memory->settings.alerts.system_log = true;
    berth_alerts_apply(alerts, memory->now);
    await_all(alerts);
    berth_alerts_tick(alerts, memory->now);
    berth_alerts_stop(alerts);
    memory->service.store_health = NULL;
}

static void live_with(const char *program)
{
    struct memory_service *memory;
    struct berth_error err;

    if (memory_service_make(&memory, &err) != BERTH_OK) {
        return;
    }
    if (ask_for_channels(&memory->settings, program) &&
        berth_alerts_create(&memory->service.alerts, &loop, &memory->service, &err) == BERTH_OK) {
        live(memory);
        berth_alerts_destroy(memory->service.alerts);
        memory->service.alerts = NULL;
    }
    memory_service_free(memory);
}

static void survive_at_each_allocation(bool for_ever)
{
    bool failed = true;

    for (size_t at = 1; failed; at++) {
        size_t kept;
        memory_faults_begin(at, for_ever);
        live_with("/bin/true");
        failed = memory_faults_end(&kept);
        if (kept != 0) {
            fail_msg("allocation %zu fails: %zu blocks are not given back", at, kept);
        }
    }
}

static void alerts__one_allocation_fails__all_is_given_back(void **state)
{
    (void)state;
    survive_at_each_allocation(false);
}

static void alerts__no_memory_any_more__all_is_given_back(void **state)
{
    (void)state;
    survive_at_each_allocation(true);
}

/* ---- one channel ---- */

static struct berth_channel *start_command(struct berth_settings *settings, const char *program)
{
    const struct berth_channel_world world = {.loop = &loop};
    struct berth_channel *channel = NULL;
    struct berth_error err;

    assert_true(ask_for_channels(settings, program));
    assert_ok(berth_channel_command.start(&channel, &world, settings, 0, &err), &err);
    channel->ops = &berth_channel_command;
    return channel;
}

static void tell(struct berth_channel *channel)
{
    const struct berth_alert alert = {.notice = BERTH_NOTICE_SOURCE_READY,
                                      .type = "source.ready",
                                      .text = "Source x is ready.",
                                      .json = "{}"};

    berth_channel_command.tell(channel, &alert);
    await_idle(channel);
    berth_channel_command.look(channel, (struct berth_now){.ms = 1});
}

static void assert_failed_once_and_works(struct berth_channel *channel, const char *reason)
{
    assert_true(channel->state.failing);
    assert_int_equal(channel->state.failed, 1);
    assert_int_equal(channel->state.told, 0);
    if (strstr(channel->state.reason, reason) == NULL) {
        fail_msg("%s, not %s", channel->state.reason, reason);
    }
    tell(channel);
    assert_false(channel->state.failing);
    assert_int_equal(channel->state.told, 1);
}

static void command__cannot_be_spawned__fails_and_the_next_one_runs(void **state)
{
    struct berth_settings settings = {.endpoint = NULL};
    size_t kept;

    (void)state;
    memory_faults_begin(0, false);
    struct berth_channel *channel = start_command(&settings, "/bin/true");
    failing.spawn = EAGAIN;
    tell(channel);
    assert_failed_once_and_works(channel, "resource temporarily unavailable");
    berth_channel_command.end(channel);
    berth_channel_command.stop(channel, BERTH_CHANNEL_STOP_MS);
    berth_settings_fini(&settings);
    (void)memory_faults_end(&kept);
    assert_int_equal(kept, 0);
}

/* Its input cannot be written, or one of its outputs not be read: it runs all the same. */
static void command__pipes_fail__it_runs_without(void **state)
{
    struct berth_settings settings = {.endpoint = NULL};
    size_t kept;

    (void)state;
    memory_faults_begin(0, false);
    struct berth_channel *channel = start_command(&settings, "/bin/true");
    failing.write = UV_EPIPE;
    tell(channel);
    assert_int_equal(channel->state.told, 1);
    for (int before = 0; before < 2; before++) {
        failing.read = UV_ENOTCONN;
        failing.reads_before = before;
        tell(channel);
        assert_int_equal(channel->state.told, 2 + before);
    }
    berth_channel_command.end(channel);
    berth_channel_command.stop(channel, BERTH_CHANNEL_STOP_MS);
    berth_settings_fini(&settings);
    (void)memory_faults_end(&kept);
    assert_int_equal(kept, 0);
}

static unsigned descriptors_in_use(void)
{
    int fd = dup(0);

    assert_true(fd >= 0);
    (void)close(fd);
    return (unsigned)fd;
}

/* A pipe, or what uv_spawn() needs besides, cannot be had at any point. */
static void command__too_few_descriptors__fails_and_the_next_one_runs(void **state)
{
    struct rlimit all;
    bool ran = false;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
    for (unsigned more = 0; !ran; more++) {
        struct berth_settings settings = {.endpoint = NULL};
        size_t kept;
        assert_true(more < 40);
        memory_faults_begin(0, false);
        struct berth_channel *channel = start_command(&settings, "/bin/true");
        struct rlimit few = {descriptors_in_use() + more, all.rlim_max};
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
        tell(channel);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
        ran = channel->state.told == 1;
        if (!ran) {
            assert_failed_once_and_works(channel, "cannot be started: too many open files");
        }
        berth_channel_command.end(channel);
        berth_channel_command.stop(channel, BERTH_CHANNEL_STOP_MS);
        berth_settings_fini(&settings);
        (void)memory_faults_end(&kept);
        assert_int_equal(kept, 0);
    }
}

static void command__no_memory__the_alert_is_counted_as_failed(void **state)
{
    bool failed = true;

    (void)state;
    for (size_t at = 1; failed; at++) {
        struct berth_settings settings = {.endpoint = NULL};
        size_t kept;
        struct berth_channel *channel = start_command(&settings, "/bin/true");
        memory_faults_begin(at, false);
        tell(channel);
        failed = memory_faults_end(&kept);
        assert_int_equal(kept, 0);
        assert_int_equal(channel->state.failed, failed);
        assert_int_equal(channel->state.told, !failed);
        assert_int_equal(channel->state.failing, failed);
        berth_channel_command.end(channel);
        berth_channel_command.stop(channel, BERTH_CHANNEL_STOP_MS);
        berth_settings_fini(&settings);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(alerts__one_allocation_fails__all_is_given_back),
        cmocka_unit_test(alerts__no_memory_any_more__all_is_given_back),
        cmocka_unit_test(command__cannot_be_spawned__fails_and_the_next_one_runs),
        cmocka_unit_test(command__pipes_fail__it_runs_without),
        cmocka_unit_test(command__too_few_descriptors__fails_and_the_next_one_runs),
        cmocka_unit_test(command__no_memory__the_alert_is_counted_as_failed),
    };
    char *folder = temp_dir_make();

    (void)snprintf(metrics_path, sizeof metrics_path, "%s/berth.prom", folder);
    berth_linux_log_use("/nowhere/log");
    (void)signal(SIGPIPE, SIG_IGN); /* as the daemon does */
    if (uv_loop_init(&loop) != 0) {
        return 1;
    }
    int status = cmocka_run_group_tests_name("daemon.alert_faults", tests, NULL, NULL);
    (void)uv_loop_close(&loop);
    temp_dir_remove(folder);
    return status;
}
