/* SPDX-License-Identifier: MIT */
/* Alerts: what is told of what happens, and to which channels. syslog(3) is this program's own: it
 * takes down what comes, and hangs when a test wants it to. */
#define _GNU_SOURCE
#include "daemon/alerts.h"

#include "base/memory.h"
#include "cmocka_all.h"
#include "daemon/alert_channel.h"
#include "daemon/linux/system_log.h"
#include "daemon/metrics_text.h"
#include "memory_service.h"
#include "temp_dir.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

static struct memory_service *memory;
static uv_loop_t loop;
static struct berth_store_health health;

static uv_sem_t entered;
static uv_sem_t leave;
static uv_mutex_t mutex;
static bool hanging;
static struct berth_text told; /* "priority text", a line each */

void openlog(const char *ident, int option, int facility)
{
    (void)ident;
    (void)option;
    (void)facility;
}

void closelog(void)
{
}

void syslog(int pri, const char *fmt, ...)
{
    char line[BERTH_NOTICE_TEXT_SIZE + 32];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(line, sizeof line, fmt, args);
    va_end(args);
    uv_mutex_lock(&mutex);
    bool hangs = hanging;
    berth_text_printf(&told, "%d %s\n", pri, line);
    uv_mutex_unlock(&mutex);
    if (hangs) {
        uv_sem_post(&entered);
        uv_sem_wait(&leave);
    }
}

/* ---- the service of the log, which only has to be there ---- */

static struct sockaddr_un service = {.sun_family = AF_UNIX};
static int service_socket;
static char *service_folder;

static int be_the_service(void)
{
    (void)unlink(service.sun_path);
    service_socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    return bind(service_socket, (const struct sockaddr *)&service, sizeof service);
}

static void stop_the_service(void)
{
    (void)close(service_socket);
    service_socket = -1;
}

static int set_up(void **state)
{
    struct berth_error err;

    (void)state;
    service_folder = temp_dir_make();
    (void)snprintf(service.sun_path, sizeof service.sun_path, "%s/log", service_folder);
    berth_linux_log_use(service.sun_path);
    if (be_the_service() != 0) {
        return -1;
    }
    hanging = false;
    health = (struct berth_store_health){.failing = false};
    berth_text_init(&told, 1 << 20);
    if (uv_loop_init(&loop) != 0 || memory_service_make(&memory, &err) != BERTH_OK ||
        memory_service_see(memory, NULL, 0, &err) != BERTH_OK) {
        return -1;
    }
    memory->service.store_health = &health;
    memory->settings.alerts.system_log = true;
    for (size_t i = 0; i < memory->settings.pool_count; i++) {
        memory->settings.pools[i].low_ports = 0;
    }
    return berth_alerts_create(&memory->service.alerts, &loop, &memory->service, &err) == BERTH_OK
               ? 0
               : -1;
}

static int tear_down(void **state)
{
    (void)state;
    berth_alerts_stop(memory->service.alerts);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    berth_alerts_destroy(memory->service.alerts);
    memory->service.alerts = NULL;
    memory->service.store_health = NULL;
    memory_service_free(memory);
    berth_text_fini(&told);
    stop_the_service();
    berth_linux_log_use(NULL);
    temp_dir_remove(service_folder);
    return uv_loop_close(&loop);
}

/* Ends the channels, which lets all go out, and compares. */
static void assert_told(const char *expected)
{
    berth_alerts_stop(memory->service.alerts);
    assert_string_equal(berth_text_string(&told), expected);
}

static void apply(void)
{
    berth_alerts_apply(memory->service.alerts, memory->now);
}

static void tick(uint64_t ms)
{
    memory->now.ms += ms;
    berth_alerts_tick(memory->service.alerts, memory->now);
}

/* ---- what is told ---- */

static void see_excluded(size_t count)
{
    static unsigned source;
    static const char *const feeds[] = {"exclusions"};
    struct berth_allocator *allocator = memory->service.allocator;
    struct berth_claim claim = berth_claim_make(49050, BERTH_CLAIM_EXCLUSION);
    struct berth_error err;

    if (count > 0) {
        assert_ok(berth_allocator_add_source(allocator, BERTH_SOURCE_EXCLUDED, "excluded ranges",
                                             feeds, 1, memory->now, &source, &err),
                  &err);
    }
    claim.detail = "49050-49060";
    assert_ok(berth_allocator_report(allocator, source, 0, &claim, count, memory->now, &err), &err);
    (void)berth_allocator_report_state(allocator, source, BERTH_STATE_READY, NULL, memory->now);
    (void)berth_allocator_tick(allocator, memory->now);
}

/* The list is berth_alerts_channels()'s, which gives it to read. */
static struct berth_channel *first_channel(void)
{
    const struct berth_channel *first = berth_alerts_channels(memory->service.alerts);
    struct berth_channel *found;

    memcpy(&found, &first, sizeof found);
    return found;
}

static void write_own_command(const char *folder)
{
    char text[600];
    struct berth_command_settings *command = berth_alloc(1, sizeof *command);
    int length = snprintf(text, sizeof text,
                          "#!/bin/sh\n{ echo \"$BERTH_EVENT_TYPE|$BERTH_EVENT_ID|"
                          "$BERTH_EVENT_SEVERITY|$BERTH_EVENT_KIND|$BERTH_EVENT_PORT|"
                          "$BERTH_EVENT_TEXT\"; cat; } >> '%s/told'\n",
                          folder);

    assert_non_null(command);
    command->path = berth_copy(temp_path(folder, "on-alert"));
    command->timeout_ms = 60000;
    write_file(command->path, text, (size_t)length);
    assert_int_equal(chmod(command->path, 0755), 0);
    memory->settings.alerts.commands = command;
    memory->settings.alerts.command_count = 1;
}

/* Lets every channel get done with what it was told. */
static void await_idle(void)
{
    for (struct berth_channel *channel = first_channel(); channel != NULL;
         channel = channel->next) {
        for (int tries = 0; !channel->ops->idle(channel); tries++) {
            assert_true(tries < 4000);
            uv_sleep(5);
        }
    }
}

static void assert_metric(const char *line)
{
    struct berth_text metrics;

    berth_text_init(&metrics, BERTH_METRICS_MAX);
    berth_metrics_write(&metrics, &memory->service, memory->now);
    assert_non_null(strstr(berth_text_string(&metrics), line));
    berth_text_fini(&metrics);
}

#define EXCLUDED_SENTENCE                                                                          \
    "Site Shop binds http *:49050:, but port 49050 lies in an excluded port range of Windows."

/* The next event of conflicts, which has the sentence; gives the conflict's id. */
static void next_conflict(const char *type, char id[17])
{
    const struct berth_event *event =
        berth_event_log_next(memory->events.log, &memory->subscription);
    char part[300];

    assert_non_null(event);
    (void)snprintf(part, sizeof part, "\"type\":\"%s\",\"id\":\"", type);
    const char *found = strstr(event->text, part);
    assert_non_null(found);
    (void)snprintf(id, 17, "%s", found + strlen(part));
    assert_non_null(strstr(event->text, "\"kind\":\"binding_excluded\",\"severity\":\"error\","
                                        "\"port\":49050,"));
    assert_non_null(strstr(event->text, "\"text\":\"" EXCLUDED_SENTENCE "\"}"));
}

/* The kind that only Windows has, on every channel: the others have their tour in
 * tests/system/linux/test_alerts.c. */
static void conflict__binding_excluded__is_told_on_every_channel_and_its_end(void **state)
{
    struct berth_claim binding = berth_claim_make(49050, BERTH_CLAIM_BINDING);
    char *folder = temp_dir_make();
    struct berth_error err;
    char expected[1000];
    char opened[17];
    char closed[17];
    size_t size;

    (void)state;
    binding.holder = "Shop";
    binding.detail = "http *:49050:";
    binding.protocol = BERTH_PROTOCOL_HTTP;
    write_own_command(folder);
    apply();
    berth_events_note_follower(&memory->events, memory->now);
    uint64_t revision = memory->service.allocator->revision;
    berth_event_log_follow(memory->events.log, &memory->subscription, 1U << BERTH_TOPIC_CONFLICTS,
                           revision, revision);
    assert_ok(berth_allocator_report(memory->service.allocator, memory->iis, 0, &binding, 1,
                                     memory->now, &err),
              &err);
    see_excluded(1);
    assert_metric("berth_conflicts{kind=\"binding_excluded\",severity=\"error\"} 1\n");
    await_idle(); /* the command's two runs may overtake each other */
    see_excluded(0);
    assert_metric("berth_conflicts{kind=\"binding_excluded\",severity=\"error\"} 0\n");
    await_idle();
    next_conflict("conflict.opened", opened);
    next_conflict("conflict.closed", closed);
    assert_string_equal(opened, closed);
    assert_null(berth_event_log_next(memory->events.log, &memory->subscription));
    (void)snprintf(expected, sizeof expected,
                   "3 [200] Conflict %s on port 49050: " EXCLUDED_SENTENCE "\n"
                   "6 [202] Conflict %s on port 49050 has ended: " EXCLUDED_SENTENCE "\n",
                   opened, opened);
    assert_told(expected);
    char *command = read_whole_file(temp_path(folder, "told"), &size);
    (void)snprintf(expected, sizeof expected,
                   "conflict.opened|200|error|binding_excluded|49050|Conflict %s on port 49050: "
                   "" EXCLUDED_SENTENCE "\n{\"revision\":",
                   opened);
    assert_memory_equal(command, expected, strlen(expected));
    (void)snprintf(expected, sizeof expected,
                   "\"}\nconflict.closed|202|information|binding_excluded|49050|Conflict %s on "
                   "port 49050 has ended: " EXCLUDED_SENTENCE "\n{\"revision\":",
                   opened);
    assert_non_null(strstr(command, expected));
    free(command);
    temp_dir_remove(folder);
}

static void report_source(enum berth_source_state source_state, const char *reason)
{
    struct berth_allocator *allocator = memory->service.allocator;

    (void)berth_allocator_report_state(allocator, memory->iis, source_state, reason, memory->now);
    berth_events_source(&memory->events, &allocator->sources.at[memory->iis], memory->now);
    berth_alerts_source(memory->service.alerts, &allocator->sources.at[memory->iis], memory->now);
}

static void source__troubles_and_their_end__are_told_once(void **state)
{
    const struct berth_source_entry *source = &memory->service.allocator->sources.at[memory->iis];

    (void)state;
    apply();
    report_source(BERTH_STATE_READY, NULL); /* it was never told as anything else */
    report_source(BERTH_STATE_STALE, "line 3 is damaged");
    report_source(BERTH_STATE_STALE, "line 4 is damaged");
    report_source(BERTH_STATE_READY, NULL);
    report_source(BERTH_STATE_READY, NULL);
    report_source(BERTH_STATE_DEGRADED, "its folder cannot be watched");
    berth_alerts_source_removed(memory->service.alerts, source); /* another one gets its place */
    report_source(BERTH_STATE_DEGRADED, "nor can its own");
    report_source(BERTH_STATE_WAITING, "another file");
    report_source(BERTH_STATE_READY, NULL);
    assert_told(
        "4 [221] Source applicationHost.config is stale, what it said last stays in force: "
        "line 3 is damaged.\n"
        "6 [220] Source applicationHost.config is ready.\n"
        "4 [222] Source applicationHost.config works, but slower than it should: its folder "
        "cannot be watched.\n"
        "4 [222] Source applicationHost.config works, but slower than it should: nor can its "
        "own.\n");
}

static void see_ports(unsigned count)
{
    uint16_t ports[10];
    struct berth_error err;

    for (unsigned i = 0; i < count; i++) {
        ports[i] = (uint16_t)(21000 + i);
    }
    assert_ok(memory_service_see(memory, ports, count, &err), &err);
}

static void set_pools(uint32_t low)
{
    /* those that the allocator has */
    struct berth_pool_settings *pool = &memory->settings.pools[0];

    (void)snprintf(pool->name, strlen(pool->name) + 1, "qa");
    pool->ports = (struct berth_port_range){21000, 21009};
    pool->low_ports = low;
}

static void pool__low_exhausted_and_well_again__is_told_with_numbers(void **state)
{
    const struct berth_event *event;

    (void)state;
    set_pools(3);
    apply();
    berth_events_note_follower(&memory->events, memory->now);
    uint64_t revision = memory->service.allocator->revision;
    berth_event_log_follow(memory->events.log, &memory->subscription, 1U << BERTH_TOPIC_POOLS,
                           revision, revision);
    see_ports(7);
    tick(500);
    see_ports(8);
    tick(500);
    tick(500);
    see_ports(10);
    tick(500);
    apply(); /* the same settings: it is as it was told */
    tick(500);
    event = berth_event_log_next(memory->events.log, &memory->subscription);
    assert_non_null(strstr(event->text, "\"topic\":\"pools\",\"type\":\"pool.low\",\"pool\":\"qa\","
                                        "\"free\":2,\"total\":10,\"low\":3}"));
    event = berth_event_log_next(memory->events.log, &memory->subscription);
    assert_non_null(strstr(event->text, "\"pool.exhausted\""));
    assert_null(berth_event_log_next(memory->events.log, &memory->subscription));
    assert_told("4 [210] Pool qa is running low: 2 of 10 ports are free.\n"
                "3 [211] Pool qa is exhausted: none of its 10 ports is free.\n");
}

static void pool__while_a_source_is_waiting__is_not_judged(void **state)
{
    (void)state;
    set_pools(3);
    apply();
    see_ports(10);
    memory->service.allocator->all_heard = false;
    tick(500);
    memory->service.allocator->all_heard = true;
    assert_told("");
}

static void store__fails_and_works__is_told(void **state)
{
    (void)state;
    apply();
    tick(500);
    health.failing = true;
    (void)snprintf(health.error.detail, sizeof health.error.detail, "the disk is full");
    tick(500);
    tick(500);
    health.failing = false;
    tick(500);
    tick(500);
    assert_told("3 [300] The lease store failed: the disk is full.\n"
                "6 [301] The lease store works again, after: the disk is full.\n");
}

static void overlap__at_each_apply__is_told(void **state)
{
    const struct berth_port_range range = {49090, 60000};

    (void)state;
    berth_host_facts_make(&memory->facts, range, NULL);
    apply();
    assert_told(
        "4 [213] Pool default overlaps the ephemeral range: 10 of its 100 ports (49000-49099) lie "
        "in 49090-60000, and outgoing connections may take them: move the pool, set "
        "ephemeral=\"never\", or have the operating system reserve its ports.\n");
}

static void channels__none__nothing_is_told_and_nothing_breaks(void **state)
{
    (void)state;
    memory->settings.alerts.system_log = false;
    apply();
    report_source(BERTH_STATE_STALE, "x");
    tick(500);
    assert_null(berth_alerts_channels(memory->service.alerts));
    assert_told("");
}

/* ---- a channel in trouble ---- */

static void system_log__hangs__the_queue_has_a_ceiling_and_others_go_on(void **state)
{
    struct berth_text status;
    struct berth_json json;
    char *folder = temp_dir_make();
    char path[600];
    size_t size;

    (void)state;
    (void)snprintf(path, sizeof path, "%s/berth.prom", folder);
    memory->settings.alerts.metrics_path = berth_copy(path);
    memory->settings.alerts.metrics_interval_ms = 1000;
    apply();
    hanging = true;
    report_source(BERTH_STATE_STALE, "x");
    uv_sem_wait(&entered);
    for (int i = 0; i < 100; i++) {
        report_source(i % 2 == 0 ? BERTH_STATE_READY : BERTH_STATE_STALE, i % 2 == 0 ? NULL : "x");
    }
    tick(1000);
    const struct berth_channel *log = berth_alerts_channels(memory->service.alerts);
    const struct berth_channel *metrics = log->next;
    assert_string_equal(log->ops->name, "systemLog");
    assert_int_equal(log->state.waiting, BERTH_CHANNEL_WAITING_MAX);
    assert_int_equal(log->state.lost, 100 - BERTH_CHANNEL_WAITING_MAX);
    for (int tries = 0; metrics->state.told == 0; tries++) {
        assert_true(tries < 2000);
        uv_sleep(10);
        tick(0);
    }
    char *file = read_whole_file(path, &size);
    assert_non_null(strstr(file, "berth_pool_free_ports{pool=\"default\"} 99"));
    free(file);
    berth_text_init(&status, 65536);
    berth_json_init(&json, &status);
    berth_json_open_object(&json);
    berth_alerts_write(&json, memory->service.alerts);
    berth_json_close_object(&json);
    assert_non_null(strstr(status.data, "{\"channel\":\"systemLog\",\"state\":\"ok\",\"told\":0,"
                                        "\"failed\":0,\"lost\":36,\"waiting\":64}"));
    assert_non_null(strstr(status.data, "\"channel\":\"metrics\",\"path\":\""));
    berth_text_fini(&status);
    uv_mutex_lock(&mutex);
    hanging = false;
    uv_mutex_unlock(&mutex);
    uv_sem_post(&leave);
    berth_alerts_stop(memory->service.alerts);
    size_t lines = 0;
    for (const char *at = berth_text_string(&told); (at = strchr(at, '\n')) != NULL; at++) {
        lines++;
    }
    assert_int_equal(lines, 1 + BERTH_CHANNEL_WAITING_MAX);
    temp_dir_remove(folder);
}

static void await_system_log(const struct berth_channel *channel, bool failing)
{
    for (int tries = 0; channel->state.failing != failing; tries++) {
        assert_true(tries < 2000);
        tick(500);
        uv_sleep(5);
    }
}

static void system_log__nobody_takes_it__fails_and_works_again(void **state)
{
    static const char *const strings[] = {"0", "/run/x"};

    (void)state;
    apply();
    const struct berth_channel *channel = berth_alerts_channels(memory->service.alerts);
    stop_the_service();
    berth_alerts_report(memory->service.alerts, BERTH_NOTICE_STARTED, strings);
    await_system_log(channel, true);
    assert_non_null(strstr(channel->state.reason, "no log service at "));
    assert_non_null(strstr(channel->state.reason, "Connection refused"));
    assert_int_equal(channel->state.failed, 1);
    assert_int_equal(channel->state.told, 0);
    assert_int_equal(be_the_service(), 0);
    berth_alerts_report(memory->service.alerts, BERTH_NOTICE_STARTED, strings);
    await_system_log(channel, false);
    assert_int_equal(channel->state.told, 1);
    assert_told("6 [100] Berth 0 has started and answers at /run/x.\n");
}

static void metrics__folder_is_missing__says_so_and_works_when_it_is_there(void **state)
{
    char *folder = temp_dir_make();
    char path[600];

    (void)state;
    (void)snprintf(path, sizeof path, "%s/later/berth.prom", folder);
    memory->settings.alerts.system_log = false;
    memory->settings.alerts.metrics_path = berth_copy(path);
    memory->settings.alerts.metrics_interval_ms = 1000;
    apply();
    const struct berth_channel *metrics = berth_alerts_channels(memory->service.alerts);
    for (int tries = 0; !metrics->state.failing; tries++) {
        assert_true(tries < 2000);
        tick(1000);
        uv_sleep(10);
    }
    assert_non_null(strstr(metrics->state.reason, "no such file or directory"));
    add_folder(temp_path(folder, "later"));
    for (int tries = 0; metrics->state.failing; tries++) {
        assert_true(tries < 2000);
        tick(1000);
        uv_sleep(10);
    }
    assert_true(metrics->state.told > 0);
    berth_alerts_stop(memory->service.alerts);
    temp_dir_remove(folder);
}

static void apply__same_settings__keeps_the_channels(void **state)
{
    (void)state;
    apply();
    const struct berth_channel *before = berth_alerts_channels(memory->service.alerts);
    apply();
    assert_ptr_equal(berth_alerts_channels(memory->service.alerts), before);
    memory->settings.alerts.system_log = false;
    apply();
    assert_null(berth_alerts_channels(memory->service.alerts));
}

static void hang_with_alerts_waiting(unsigned waiting)
{
    static const char *const strings[] = {"/etc/berth/berthd.config"};

    hanging = true;
    for (unsigned i = 0; i < waiting + 1; i++) {
        berth_alerts_report(memory->service.alerts, BERTH_NOTICE_RELOADED, strings);
    }
    uv_sem_wait(&entered);
}

static void go_on(void)
{
    uv_mutex_lock(&mutex);
    hanging = false;
    uv_mutex_unlock(&mutex);
    uv_sem_post(&leave);
}

static size_t told_lines(void)
{
    size_t lines = 0;

    uv_mutex_lock(&mutex);
    for (const char *at = berth_text_string(&told); (at = strchr(at, '\n')) != NULL; at++) {
        lines++;
    }
    uv_mutex_unlock(&mutex);
    return lines;
}

static void await_told(size_t lines)
{
    for (int tries = 0; told_lines() < lines; tries++) {
        assert_true(tries < 2000);
        tick(10);
        (void)uv_run(&loop, UV_RUN_NOWAIT);
        uv_sleep(5);
    }
}

static void apply__another_channel_is_added_and_removed__the_queue_stays(void **state)
{
    char *folder = temp_dir_make();

    (void)state;
    apply();
    const struct berth_channel *log = berth_alerts_channels(memory->service.alerts);
    hang_with_alerts_waiting(5);
    memory->settings.alerts.metrics_path = berth_copy(temp_path(folder, "berth.prom"));
    memory->settings.alerts.metrics_interval_ms = 60000;
    apply();
    assert_ptr_equal(berth_alerts_channels(memory->service.alerts), log);
    const struct berth_channel *metrics = log->next;
    memory->settings.alerts.metrics_interval_ms = 1000;
    apply();
    assert_ptr_equal(log->next, metrics);
    berth_free(memory->settings.alerts.metrics_path);
    memory->settings.alerts.metrics_path = berth_copy(temp_path(folder, "other.prom"));
    apply();
    assert_ptr_not_equal(log->next, metrics);
    assert_null(log->next->next);
    tick(500);
    assert_int_equal(log->state.waiting, 5);
    go_on();
    await_told(6);
    berth_alerts_stop(memory->service.alerts);
    temp_dir_remove(folder);
}

static void apply__log_is_removed__what_waits_goes_out_and_nothing_more(void **state)
{
    (void)state;
    apply();
    hang_with_alerts_waiting(5);
    memory->settings.alerts.system_log = false;
    apply(); /* returns, though the log hangs */
    assert_null(berth_alerts_channels(memory->service.alerts));
    report_source(BERTH_STATE_STALE, "nobody is to be told");
    go_on();
    await_told(6);
    berth_alerts_stop(memory->service.alerts);
    assert_int_equal(told_lines(), 6);
    assert_null(strstr(berth_text_string(&told), "nobody is to be told"));
}

static void apply__log_comes_back_before_it_is_done__goes_on_with_its_queue(void **state)
{
    (void)state;
    apply();
    const struct berth_channel *log = berth_alerts_channels(memory->service.alerts);
    hang_with_alerts_waiting(5);
    memory->settings.alerts.system_log = false;
    apply();
    memory->settings.alerts.system_log = true;
    apply();
    assert_ptr_equal(berth_alerts_channels(memory->service.alerts), log);
    tick(BERTH_CHANNEL_LEAVE_MS + 1); /* its time is not counted any more */
    assert_ptr_equal(berth_alerts_channels(memory->service.alerts), log);
    go_on();
    await_told(6);
}

static void apply__removed_log_never_takes_them__ends_at_its_time(void **state)
{
    (void)state;
    apply();
    hang_with_alerts_waiting(5);
    memory->settings.alerts.system_log = false;
    apply();
    tick(BERTH_CHANNEL_LEAVE_MS - 1);
    memory->settings.alerts.system_log = true;
    apply();
    const struct berth_channel *log = berth_alerts_channels(memory->service.alerts);
    tick(500);
    assert_int_equal(log->state.waiting, 5);
    memory->settings.alerts.system_log = false;
    apply();
    tick(BERTH_CHANNEL_LEAVE_MS);
    tick(BERTH_CHANNEL_STOP_MS);
    go_on();
    berth_alerts_stop(memory->service.alerts);
    assert_int_equal(told_lines(), 1); /* the one that was under way: the others went with it */
}

/* A command that writes down what it is given once it may. */
static char *add_command(const char *folder, uint64_t timeout_ms)
{
    char text[600];
    char *path = berth_copy(temp_path(folder, "on-alert"));
    int length = snprintf(text, sizeof text,
                          "#!/bin/sh\nuntil [ -e '%s/go' ]; do sleep 0.01; done\n"
                          "echo \"$BERTH_EVENT_TYPE\" >> '%s/out'\n",
                          folder, folder);

    write_file(path, text, (size_t)length);
    assert_int_equal(chmod(path, 0755), 0);
    memory->settings.alerts.commands = berth_alloc(1, sizeof *memory->settings.alerts.commands);
    memory->settings.alerts.commands[0] =
        (struct berth_command_settings){.path = path, .timeout_ms = timeout_ms};
    memory->settings.alerts.command_count = 1;
    return path;
}

static size_t lines_of(const char *path)
{
    size_t lines = 0;
    size_t size;

    if (access(path, F_OK) != 0) {
        return 0;
    }
    char *text = read_whole_file(path, &size);
    for (size_t i = 0; i < size; i++) {
        lines += text[i] == '\n';
    }
    free(text);
    return lines;
}

static void await_waiting(const struct berth_channel *channel, size_t waiting)
{
    tick(1);
    for (int tries = 0; channel->state.waiting != waiting; tries++) {
        assert_true(tries < 4000);
        uv_sleep(5);
        tick(1);
    }
}

static void apply__command_is_changed_and_removed__every_alert_is_run(void **state)
{
    char *folder = temp_dir_make();
    char out[600];

    (void)state;
    memory->settings.alerts.system_log = false;
    (void)add_command(folder, 60000);
    (void)snprintf(out, sizeof out, "%s", temp_path(folder, "out"));
    apply();
    const struct berth_channel *command = berth_alerts_channels(memory->service.alerts);
    for (int i = 0; i < 6; i++) {
        report_source(i % 2 == 0 ? BERTH_STATE_STALE : BERTH_STATE_READY, i % 2 == 0 ? "x" : NULL);
    }
    await_waiting(command, 4);
    memory->settings.alerts.commands[0].timeout_ms = 50000;
    apply();
    assert_ptr_equal(berth_alerts_channels(memory->service.alerts), command);
    await_waiting(command, 4);
    memory->settings.alerts.command_count = 0;
    apply();
    assert_null(berth_alerts_channels(memory->service.alerts));
    memory->settings.alerts.command_count = 1; /* for the settings' end */
    write_file(temp_path(folder, "go"), "", 0);
    for (int tries = 0; lines_of(out) < 6; tries++) {
        assert_true(tries < 4000);
        (void)uv_run(&loop, UV_RUN_NOWAIT);
        tick(1);
        uv_sleep(5);
    }
    temp_dir_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(
            conflict__binding_excluded__is_told_on_every_channel_and_its_end, set_up, tear_down),
        cmocka_unit_test_setup_teardown(source__troubles_and_their_end__are_told_once, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(pool__low_exhausted_and_well_again__is_told_with_numbers,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(pool__while_a_source_is_waiting__is_not_judged, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(store__fails_and_works__is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(overlap__at_each_apply__is_told, set_up, tear_down),
        cmocka_unit_test_setup_teardown(channels__none__nothing_is_told_and_nothing_breaks, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(system_log__hangs__the_queue_has_a_ceiling_and_others_go_on,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(system_log__nobody_takes_it__fails_and_works_again, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            metrics__folder_is_missing__says_so_and_works_when_it_is_there, set_up, tear_down),
        cmocka_unit_test_setup_teardown(apply__same_settings__keeps_the_channels, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(
            apply__another_channel_is_added_and_removed__the_queue_stays, set_up, tear_down),
        cmocka_unit_test_setup_teardown(apply__log_is_removed__what_waits_goes_out_and_nothing_more,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            apply__log_comes_back_before_it_is_done__goes_on_with_its_queue, set_up, tear_down),
        cmocka_unit_test_setup_teardown(apply__removed_log_never_takes_them__ends_at_its_time,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(apply__command_is_changed_and_removed__every_alert_is_run,
                                        set_up, tear_down),
    };
    (void)signal(SIGPIPE, SIG_IGN); /* as the daemon does */
    (void)uv_sem_init(&entered, 0);
    (void)uv_sem_init(&leave, 0);
    (void)uv_mutex_init(&mutex);
    return cmocka_run_group_tests_name("daemon.alerts", tests, NULL, NULL);
}
