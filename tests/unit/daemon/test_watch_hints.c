/* SPDX-License-Identifier: MIT */
/* Hints in the daemon: what is opened when, whom they make look, what the log says. */
#include "cmocka_all.h"
#include "daemon/log.h"
#include "daemon/watch.h"
#include "daemon/watch_hints.h"
#include "memory_faults.h"
#include "watchers/fake/default_watchers_script.h"
#include "watchers/fake/fake_watcher.h"
#include "watchers/fake/source_hints_script.h"
#include "watchers/fake/tcp_events_script.h"
#include "watchers/fake/tcp_table_script.h"

#include <stdio.h>
#include <uv.h>

#define ALL_GROUPS ((unsigned)BERTH_HINTS_ETW | (unsigned)BERTH_HINTS_WMI)
#define HTTP BERTH_HINT_BIT(BERTH_SOURCE_HTTPSYS)
#define EXCLUDED BERTH_HINT_BIT(BERTH_SOURCE_EXCLUDED)
#define TCP BERTH_HINT_BIT(BERTH_SOURCE_TCP)
#define ALL_PARTS 0xFFu

static uv_loop_t loop;
static unsigned looks[BERTH_SOURCE_COUNT];
static unsigned info_lines;
static unsigned warning_lines;

static void count_line(void *ctx, const char *line, size_t length)
{
    (void)ctx;
    (void)length;
    info_lines += strstr(line, " info") != NULL && strstr(line, "hints") != NULL;
    warning_lines += strstr(line, " warning") != NULL && strstr(line, "hints") != NULL;
}

static void count_look(void *ctx, enum berth_source source)
{
    assert_ptr_equal(ctx, &loop);
    looks[source]++;
}

static int set_up(void **state)
{
    (void)state;
    memset(looks, 0, sizeof looks);
    info_lines = 0;
    warning_lines = 0;
    berth_fake_hints_reset();
    berth_fake_tcp_reset();
    berth_fake_events_reset();
    berth_log_use(stderr, BERTH_LOG_INFO, false);
    berth_log_use_sink(count_line, NULL);
    return uv_loop_init(&loop);
}

static void turn(void)
{
    for (int i = 0; i < 4; i++) {
        (void)uv_run(&loop, UV_RUN_NOWAIT);
    }
}

static int tear_down(void **state)
{
    (void)state;
    turn(); /* no longer: what a failed test left open would keep it for ever */
    berth_log_use_sink(NULL, NULL);
    berth_fake_tcp_free();
    assert_int_equal(berth_fake_hints_open_groups(), BERTH_HINTS_NONE);
    return uv_loop_close(&loop);
}

static struct berth_watch_hints *create(void)
{
    struct berth_watch_hints *hints = NULL;
    struct berth_error err = {0};

    assert_ok(berth_watch_hints_create(&hints, &loop, count_look, &loop, &err), &err);
    return hints;
}

/* ---- what is open ---- */

static void apply__groups__are_what_is_open(void **state)
{
    static const unsigned steps[] = {BERTH_HINTS_WMI, ALL_GROUPS, ALL_GROUPS, BERTH_HINTS_NONE,
                                     BERTH_HINTS_ETW};
    struct berth_watch_hints *hints = create();
    struct berth_hint_status status;

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(steps); i++) {
        berth_watch_hints_apply(hints, steps[i]);
        turn();
        assert_int_equal(berth_fake_hints_open_groups(), steps[i]);
        assert_int_equal(berth_watch_hints_status(hints, BERTH_HINT_WMI_SITES, &status),
                         (steps[i] & BERTH_HINTS_WMI) != 0);
        assert_int_equal(berth_watch_hints_status(hints, BERTH_HINT_IIS_EVENTS, &status),
                         (steps[i] & BERTH_HINTS_ETW) != 0);
    }
    berth_watch_hints_close(hints);
}

/* A second change while what the first one ended is being closed. */
static void apply__twice_at_once__the_last_one_counts(void **state)
{
    struct berth_watch_hints *hints = create();

    (void)state;
    berth_watch_hints_apply(hints, ALL_GROUPS);
    turn();
    berth_watch_hints_apply(hints, BERTH_HINTS_NONE);
    berth_watch_hints_apply(hints, BERTH_HINTS_ETW);
    berth_watch_hints_apply(hints, BERTH_HINTS_WMI);
    turn();
    assert_int_equal(berth_fake_hints_open_groups(), BERTH_HINTS_WMI);
    berth_watch_hints_apply(hints, BERTH_HINTS_NONE);
    berth_watch_hints_close(hints);
}

static void apply__system_without_hints__says_nothing(void **state)
{
    struct berth_watch_hints *hints = create();
    struct berth_hint_status status;

    (void)state;
    berth_fake_hints_refuse(BERTH_NOT_SUPPORTED, "never here");
    berth_watch_hints_apply(hints, ALL_GROUPS);
    turn();
    assert_false(berth_watch_hints_status(hints, BERTH_HINT_WMI_SITES, &status));
    assert_int_equal(info_lines + warning_lines, 0);
    berth_watch_hints_close(hints);
}

static void apply__refused__is_a_warning_and_tried_again(void **state)
{
    struct berth_watch_hints *hints = create();

    (void)state;
    berth_fake_hints_refuse(BERTH_IO, "no thread");
    berth_watch_hints_apply(hints, ALL_GROUPS);
    assert_int_equal(warning_lines, 1);
    berth_fake_hints_refuse(BERTH_OK, "");
    berth_watch_hints_apply(hints, ALL_GROUPS);
    assert_int_equal(berth_fake_hints_open_groups(), ALL_GROUPS);
    berth_watch_hints_close(hints);
}

static void retry__refused__is_told_once_and_opened_when_it_can_be(void **state)
{
    struct berth_watch_hints *hints = create();

    (void)state;
    berth_fake_hints_refuse(BERTH_NO_MEMORY, "no thread");
    berth_watch_hints_apply(hints, ALL_GROUPS);
    for (unsigned i = 0; i < 5; i++) {
        berth_watch_hints_retry(hints);
    }
    assert_int_equal(warning_lines, 1);
    berth_fake_hints_refuse(BERTH_OK, "");
    berth_watch_hints_retry(hints);
    assert_int_equal(berth_fake_hints_open_groups(), ALL_GROUPS);
    berth_watch_hints_retry(hints); /* nothing is left to open */
    assert_int_equal(berth_fake_hints_open_groups(), ALL_GROUPS);
    berth_watch_hints_close(hints);
}

static void retry__system_without_hints__does_not_ask_again(void **state)
{
    struct berth_watch_hints *hints = create();

    (void)state;
    berth_fake_hints_refuse(BERTH_NOT_SUPPORTED, "never here");
    berth_watch_hints_apply(hints, ALL_GROUPS);
    berth_fake_hints_refuse(BERTH_OK, "");
    berth_watch_hints_retry(hints);
    assert_int_equal(berth_fake_hints_open_groups(), BERTH_HINTS_NONE);
    berth_watch_hints_close(hints);
}

/* ---- what the log says ---- */

static void facility__fails_again_and_again__is_told_once(void **state)
{
    struct berth_watch_hints *hints = create();
    struct berth_hint_status status;
    char reason[40];

    (void)state;
    berth_watch_hints_apply(hints, ALL_GROUPS);
    turn();
    unsigned before = info_lines;
    for (unsigned i = 0; i < 20; i++) {
        (void)snprintf(reason, sizeof reason, "reason %u", i);
        berth_fake_hints_state(BERTH_HINT_WMI_SITES, false, reason);
        turn();
    }
    assert_int_equal(info_lines, before + 1);
    assert_int_equal(warning_lines, 0);
    assert_true(berth_watch_hints_status(hints, BERTH_HINT_WMI_SITES, &status));
    assert_string_equal(status.reason, "reason 19");
    berth_fake_hints_state(BERTH_HINT_WMI_SITES, true, NULL);
    turn();
    assert_int_equal(info_lines, before + 2);
    berth_watch_hints_close(hints);
}

static void hint__while_open__is_a_look_and_never_after_the_close(void **state)
{
    struct berth_watch_hints *hints = create();

    (void)state;
    berth_watch_hints_apply(hints, ALL_GROUPS);
    berth_fake_hints_tell(BERTH_HINT_HTTP_EVENTS, HTTP);
    turn();
    assert_int_equal(looks[BERTH_SOURCE_HTTPSYS], 1);
    berth_fake_hints_tell(BERTH_HINT_HTTP_EVENTS, EXCLUDED);
    berth_watch_hints_close(hints);
    berth_fake_hints_tell(BERTH_HINT_HTTP_EVENTS, EXCLUDED);
    turn();
    assert_int_equal(looks[BERTH_SOURCE_EXCLUDED], 0);
}

static void create__no_memory__is_an_error(void **state)
{
    struct berth_watch_hints *hints = NULL;
    struct berth_error err;
    size_t live;

    (void)state;
    memory_faults_begin(1, false);
    assert_code(berth_watch_hints_create(&hints, &loop, count_look, &loop, &err), BERTH_NO_MEMORY);
    assert_true(memory_faults_end(&live));
    assert_int_equal(live, 0);
}

/* ---- with watchers ---- */

static struct berth_watcher *http_watcher;
static struct berth_watcher *excluded_watcher;
static const char *const feeds[] = {"all"};

static enum berth_code create_http(struct berth_watcher **out, uv_loop_t *on,
                                   struct berth_error *err)
{
    enum berth_code code = berth_fake_watcher_create(out, on, BERTH_SOURCE_HTTPSYS, feeds, 1, err);

    http_watcher = *out;
    return code;
}

static enum berth_code create_excluded(struct berth_watcher **out, uv_loop_t *on,
                                       struct berth_error *err)
{
    enum berth_code code = berth_fake_watcher_create(out, on, BERTH_SOURCE_EXCLUDED, feeds, 1, err);

    excluded_watcher = *out;
    return code;
}

static const struct berth_default_watcher rows[] = {
    {BERTH_SOURCE_HTTPSYS, "http.sys", create_http},
    {BERTH_SOURCE_EXCLUDED, "excluded port ranges", create_excluded},
};

struct watched_world {
    struct berth_allocator *allocator;
    struct berth_watch *watch;
    struct berth_settings settings;
};

static void no_source(void *ctx, const struct berth_source_entry *source)
{
    (void)ctx;
    (void)source;
}

static void nothing(uv_work_t *work)
{
    (void)work;
}

static void pool_is_through(uv_work_t *work, int status)
{
    bool *through = work->data;

    (void)status;
    *through = true;
}

/* Waits until the thread pool, which is one thread, has done what it was given before. */
static void await_pool(void)
{
    bool through = false;
    uv_work_t work = {.data = &through};

    assert_int_equal(uv_queue_work(&loop, &work, nothing, pool_is_through), 0);
    while (!through) {
        (void)uv_run(&loop, UV_RUN_ONCE);
    }
}

/* Lets what the TCP table's watcher does at its start, and when its events begin, be over. */
static void settle(struct watched_world *world, enum berth_tcp_events_mode mode)
{
    struct berth_tcp_events_status status = {.used = false};
    unsigned reads = 0;
    unsigned quiet = 0;

    while (!berth_watch_events(world->watch, &status) || status.mode != mode) {
        (void)uv_run(&loop, UV_RUN_ONCE);
    }
    while (quiet < 3) {
        turn();
        await_pool();
        quiet = berth_fake_tcp_reads(ALL_PARTS) == reads ? quiet + 1 : 0;
        reads = berth_fake_tcp_reads(ALL_PARTS);
    }
}

static void open_world(struct watched_world *world, enum berth_tcp_events_mode mode)
{
    const struct berth_allocator_options options = {0};
    const struct berth_watch_observer observer = {no_source, no_source, NULL};
    struct berth_error err = {0};

    berth_fake_events_mode(mode, mode == BERTH_TCP_EVENTS_FULL ? NULL : "nothing is told");
    berth_fake_default_watchers_set(rows, BERTH_COUNT(rows));
    assert_ok(berth_allocator_create(&world->allocator, &options, &err), &err);
    assert_ok(berth_watch_create(&world->watch, &loop, world->allocator, &observer, &err), &err);
    assert_ok(berth_settings_default(&world->settings, &err), &err);
    world->settings.tcp.poll_ms = 3600000; /* nothing looks by itself */
    world->settings.tcp.full_ms = 3600000;
    assert_ok(berth_watch_apply(world->watch, &world->settings, &err), &err);
    while (berth_fake_tcp_reads(ALL_PARTS) == 0 || berth_fake_watcher_looks(http_watcher) == 0 ||
           berth_fake_watcher_looks(excluded_watcher) == 0) {
        (void)uv_run(&loop, UV_RUN_ONCE);
    }
    settle(world, mode);
}

static void on_closed(void *ctx)
{
    (void)ctx;
}

static void close_world(struct watched_world *world)
{
    berth_watch_close(world->watch, on_closed, NULL);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    berth_allocator_destroy(world->allocator);
    berth_settings_fini(&world->settings);
    berth_fake_default_watchers_set(NULL, 0);
}

static void hints__burst_of_one_source__is_one_look_of_its_watcher_alone(void **state)
{
    struct watched_world world = {.allocator = NULL};

    (void)state;
    open_world(&world, BERTH_TCP_EVENTS_FULL);
    unsigned http = berth_fake_watcher_looks(http_watcher);
    unsigned excluded = berth_fake_watcher_looks(excluded_watcher);
    unsigned tcp = berth_fake_tcp_reads(ALL_PARTS);
    for (unsigned i = 0; i < 50; i++) {
        berth_fake_hints_tell(BERTH_HINT_HTTP_EVENTS, HTTP);
    }
    turn();
    await_pool();
    assert_int_equal(berth_fake_watcher_looks(http_watcher), http + 1);
    assert_int_equal(berth_fake_watcher_looks(excluded_watcher), excluded);
    assert_int_equal(berth_fake_tcp_reads(ALL_PARTS), tcp);
    close_world(&world);
}

static void hint__of_the_tcp_table__makes_it_be_read(void **state)
{
    struct watched_world world = {.allocator = NULL};

    (void)state;
    open_world(&world, BERTH_TCP_EVENTS_NONE);
    unsigned http = berth_fake_watcher_looks(http_watcher);
    unsigned tcp = berth_fake_tcp_reads(ALL_PARTS);
    berth_fake_hints_tell(BERTH_HINT_WMI_PROCESSES, TCP);
    while (berth_fake_tcp_reads(ALL_PARTS) == tcp) {
        (void)uv_run(&loop, UV_RUN_ONCE);
    }
    assert_int_equal(berth_fake_watcher_looks(http_watcher), http);
    close_world(&world);
}

/* A look of the TCP table would have come before the second one of http.sys. */
static void hint__of_a_tcp_table_that_tells_all_itself__changes_nothing(void **state)
{
    struct watched_world world = {.allocator = NULL};

    (void)state;
    open_world(&world, BERTH_TCP_EVENTS_FULL);
    unsigned http = berth_fake_watcher_looks(http_watcher);
    unsigned tcp = berth_fake_tcp_reads(ALL_PARTS);
    berth_fake_hints_tell(BERTH_HINT_WMI_SERVICES, TCP | HTTP);
    while (berth_fake_watcher_looks(http_watcher) < http + 2) {
        (void)uv_run(&loop, UV_RUN_ONCE);
    }
    await_pool();
    assert_int_equal(berth_fake_tcp_reads(ALL_PARTS), tcp);
    close_world(&world);
}

static void settings__hints_off__nothing_is_opened(void **state)
{
    struct watched_world world = {.allocator = NULL};
    struct berth_error err = {0};
    struct berth_hint_status status;

    (void)state;
    open_world(&world, BERTH_TCP_EVENTS_FULL);
    assert_int_equal(berth_fake_hints_open_groups(), ALL_GROUPS);
    assert_true(berth_watch_hint(world.watch, BERTH_HINT_HTTP_EVENTS, &status));
    world.settings.hints.wmi = BERTH_CHOICE_OFF;
    assert_ok(berth_watch_apply(world.watch, &world.settings, &err), &err);
    turn();
    assert_int_equal(berth_fake_hints_open_groups(), BERTH_HINTS_ETW);
    world.settings.hints.etw = BERTH_CHOICE_OFF;
    assert_ok(berth_watch_apply(world.watch, &world.settings, &err), &err);
    turn();
    assert_int_equal(berth_fake_hints_open_groups(), BERTH_HINTS_NONE);
    assert_false(berth_watch_hint(world.watch, BERTH_HINT_HTTP_EVENTS, &status));
    close_world(&world);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(apply__groups__are_what_is_open),
        CASE(apply__twice_at_once__the_last_one_counts),
        CASE(apply__system_without_hints__says_nothing),
        CASE(apply__refused__is_a_warning_and_tried_again),
        CASE(retry__refused__is_told_once_and_opened_when_it_can_be),
        CASE(retry__system_without_hints__does_not_ask_again),
        CASE(facility__fails_again_and_again__is_told_once),
        CASE(hint__while_open__is_a_look_and_never_after_the_close),
        CASE(create__no_memory__is_an_error),
        CASE(hints__burst_of_one_source__is_one_look_of_its_watcher_alone),
        CASE(hint__of_the_tcp_table__makes_it_be_read),
        CASE(hint__of_a_tcp_table_that_tells_all_itself__changes_nothing),
        CASE(settings__hints_off__nothing_is_opened),
    };

    (void)uv_os_setenv("UV_THREADPOOL_SIZE", "1");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
