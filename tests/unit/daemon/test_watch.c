/* SPDX-License-Identifier: MIT */
/* The watchers' set: what of their reports comes to be in force, and what is told. */
#include "cmocka_all.h"
#include "daemon/watch.h"
#include "memory_faults.h"
#include "watchers/fake/default_watchers_script.h"
#include "watchers/fake/fake_watcher.h"
#include "watchers/fake/source_hints_script.h"
#include "watchers/fake/tcp_events_script.h"
#include "watchers/fake/tcp_table_script.h"

#include <stdio.h>
#include <uv.h>

#define PORT 8080

static uv_loop_t loop;
static struct berth_allocator *allocator;
static struct berth_watch *watch;
static struct berth_settings settings;
static struct berth_watcher *fake; /* a default source's, after the start */

static unsigned closed;
static char removed[64]; /* the last source that was */

static const char *const feeds[] = {"all"};

static void set_port(struct berth_watcher *watcher, uint16_t port)
{
    const struct berth_claim claim = berth_claim_make(port, BERTH_CLAIM_EXCLUSION);
    const struct berth_snapshot snapshot = {.claims = &claim, .claim_count = 1};
    struct berth_error err;

    assert_ok(berth_fake_watcher_set_snapshot(watcher, 0, &snapshot, &err), &err);
}

static enum berth_code create_fake(struct berth_watcher **out, uv_loop_t *on,
                                   struct berth_error *err)
{
    enum berth_code code = berth_fake_watcher_create(out, on, BERTH_SOURCE_EXCLUDED, feeds, 1, err);

    assert_ok(code, err);
    fake = *out;
    set_port(fake, PORT);
    berth_fake_watcher_set_state(fake, BERTH_STATE_READY, NULL);
    return code;
}

static const struct berth_default_watcher rows[] = {
    {BERTH_SOURCE_EXCLUDED, "excluded port ranges", create_fake},
};

static void on_source(void *ctx, const struct berth_source_entry *source)
{
    (void)ctx;
    (void)source;
}

static void on_removed(void *ctx, const struct berth_source_entry *source)
{
    (void)ctx;
    assert_true(source->in_use);
    (void)snprintf(removed, sizeof removed, "%s", source->name);
}

static void on_closed(void *ctx)
{
    (void)ctx;
    closed++;
}

static int set_up(void **state)
{
    const struct berth_allocator_options options = {0};
    const struct berth_watch_observer observer = {on_source, on_removed, NULL};
    struct berth_error err = {0};

    (void)state;
    closed = 0;
    removed[0] = '\0';
    berth_fake_hints_reset();
    berth_fake_tcp_reset();
    berth_fake_events_reset();
    berth_fake_default_watchers_set(rows, BERTH_COUNT(rows));
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_ok(berth_allocator_create(&allocator, &options, &err), &err);
    assert_ok(berth_watch_create(&watch, &loop, allocator, &observer, &err), &err);
    assert_ok(berth_settings_default(&settings, &err), &err);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    if (watch != NULL) {
        berth_watch_close(watch, on_closed, NULL);
    }
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(closed, 1);
    berth_allocator_destroy(allocator);
    berth_settings_fini(&settings);
    berth_fake_default_watchers_set(NULL, 0);
    berth_fake_tcp_free();
    return uv_loop_close(&loop);
}

static const struct berth_source_entry *find_source(enum berth_source source)
{
    for (unsigned i = 0; i < BERTH_SOURCES_MAX; i++) {
        if (allocator->sources.at[i].in_use && allocator->sources.at[i].source == source) {
            return &allocator->sources.at[i];
        }
    }
    fail_msg("no source %s", berth_source_name(source));
    return NULL;
}

static void await_state(enum berth_source source, enum berth_source_state state)
{
    while (find_source(source)->state != state) {
        (void)uv_run(&loop, UV_RUN_ONCE);
    }
}

static void apply(void)
{
    struct berth_error err = {0};

    assert_ok(berth_watch_apply(watch, &settings, &err), &err);
}

/* Lets the fake's next look be made while there is no memory. */
static void look_without_memory(void)
{
    unsigned looks = berth_fake_watcher_looks(fake);
    size_t live;

    memory_faults_begin(1, true);
    while (berth_fake_watcher_looks(fake) == looks) {
        (void)uv_run(&loop, UV_RUN_NOWAIT);
    }
    assert_true(memory_faults_end(&live));
}

static bool is_claimed(uint16_t port)
{
    return berth_port_set_has(&allocator->free_set.ports[BERTH_PORT_EXCLUDED], port);
}

/* ---- what is refused ---- */

static void snapshot__first_one_not_taken__the_source_goes_on_waiting(void **state)
{
    (void)state;
    apply();
    look_without_memory();
    assert_int_equal(find_source(BERTH_SOURCE_EXCLUDED)->state, BERTH_STATE_WAITING);
    assert_non_null(berth_sources_waiting(&allocator->sources));
    assert_false(is_claimed(PORT));
    await_state(BERTH_SOURCE_EXCLUDED, BERTH_STATE_READY); /* by itself */
    assert_true(is_claimed(PORT));
}

static void snapshot__later_one_not_taken__is_stale_until_it_is(void **state)
{
    (void)state;
    apply();
    await_state(BERTH_SOURCE_EXCLUDED, BERTH_STATE_READY);
    set_port(fake, PORT + 1);
    fake->ops->look(fake);
    look_without_memory();
    assert_int_equal(find_source(BERTH_SOURCE_EXCLUDED)->state, BERTH_STATE_STALE);
    assert_true(is_claimed(PORT));
    assert_false(is_claimed(PORT + 1));
    await_state(BERTH_SOURCE_EXCLUDED, BERTH_STATE_READY);
    assert_true(is_claimed(PORT + 1));
}

/* ---- the removal ---- */

static void apply__source_no_longer_named__is_told_before_it_goes(void **state)
{
    char path[] = "/nowhere/applicationHost.config";
    struct berth_iis_settings iis = {.path = path};
    struct berth_iis_settings *own = settings.iis;
    size_t own_count = settings.iis_count;

    (void)state;
    settings.iis = &iis;
    settings.iis_count = 1;
    apply();
    assert_string_equal(find_source(BERTH_SOURCE_IIS)->name, path);
    settings.iis = own;
    settings.iis_count = own_count;
    assert_string_equal(removed, "");
    apply();
    assert_string_equal(removed, path);
}

/* ---- the close ---- */

static void close__look_under_way__is_over_when_it_comes_back(void **state)
{
    (void)state;
    berth_fake_tcp_hold();
    apply();
    while (berth_fake_tcp_reads(BERTH_TCP_EVERYTHING) == 0) {
        (void)uv_run(&loop, UV_RUN_NOWAIT);
    }
    berth_watch_close(watch, on_closed, NULL);
    for (unsigned i = 0; i < 20; i++) {
        (void)uv_run(&loop, UV_RUN_NOWAIT);
    }
    unsigned closed_early = closed;
    size_t unfinished = berth_watch_log_unfinished(watch);
    berth_fake_tcp_let_go();
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    watch = NULL;
    assert_int_equal(closed_early, 0);
    assert_in_range(unfinished, 1, 2); /* where there is an IIS by default, a look at that too */
    assert_int_equal(closed, 1);
}

static void close__nothing_watched__is_over_at_once(void **state)
{
    (void)state;
    berth_watch_close(watch, on_closed, NULL);
    assert_int_equal(closed, 1);
    watch = NULL;
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(snapshot__first_one_not_taken__the_source_goes_on_waiting),
        CASE(snapshot__later_one_not_taken__is_stale_until_it_is),
        CASE(apply__source_no_longer_named__is_told_before_it_goes),
        CASE(close__look_under_way__is_over_when_it_comes_back),
        CASE(close__nothing_watched__is_over_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
