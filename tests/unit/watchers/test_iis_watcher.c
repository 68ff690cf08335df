/* SPDX-License-Identifier: MIT */
/* The watcher with a real loop and real files; what any watcher must do is tested by the contract
 * suite. */
#define _XOPEN_SOURCE 700
#include "cmocka_all.h"
#include "memory_faults.h"
#include "temp_dir.h"
#include "watchers/iis_watcher.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define DEADLINE_MS 20000
#define TICK_MS 2

struct stage {
    char *folder;
    char path[1024];
    uv_loop_t loop;
    uv_timer_t tick;
    uint64_t end_ms;
    bool late;
    struct berth_watcher *watcher;
    struct berth_watcher_sink sink;
    bool refuse;     /* snapshots are not taken */
    unsigned offers; /* of snapshots, taken or not */
    unsigned snapshots;
    size_t claim_count;
    uint16_t last_port; /* of the last claim; 0: none */
    size_t warning_count;
    bool said;
    enum berth_source_state state;
    char reason[600];
    bool stopped;
};

static enum berth_code take_snapshot(struct berth_watcher *from, unsigned feed,
                                     const struct berth_snapshot *snapshot, struct berth_error *err)
{
    struct stage *stage = from->owner;

    assert_int_equal(feed, 0);
    stage->offers++;
    if (stage->refuse) {
        return berth_fail(err, BERTH_TOO_LARGE, 0, "too much");
    }
    stage->snapshots++;
    stage->claim_count = snapshot->claim_count;
    stage->warning_count = snapshot->warning_count;
    stage->last_port =
        snapshot->claim_count != 0 ? snapshot->claims[snapshot->claim_count - 1].port : 0;
    return BERTH_OK;
}

static void take_state(struct berth_watcher *from, enum berth_source_state state,
                       const char *reason)
{
    struct stage *stage = from->owner;

    stage->said = true;
    stage->state = state;
    (void)snprintf(stage->reason, sizeof stage->reason, "%s", reason != NULL ? reason : "");
}

static void on_tick(uv_timer_t *timer)
{
    struct stage *stage = timer->data;

    stage->late = uv_now(&stage->loop) >= stage->end_ms;
}

static void run_once(struct stage *stage)
{
    (void)uv_run(&stage->loop, UV_RUN_ONCE);
}

static void start_ticking(struct stage *stage, uint64_t time_ms)
{
    uv_update_time(&stage->loop);
    stage->late = false;
    stage->end_ms = uv_now(&stage->loop) + time_ms;
    assert_int_equal(uv_timer_start(&stage->tick, on_tick, TICK_MS, TICK_MS), 0);
}

static void run_for(struct stage *stage, uint64_t time_ms)
{
    start_ticking(stage, time_ms);
    while (!stage->late) {
        run_once(stage);
    }
}

static void wait_for_port(struct stage *stage, uint16_t port)
{
    start_ticking(stage, DEADLINE_MS);
    while (stage->last_port != port && !stage->late) {
        run_once(stage);
    }
    assert_int_equal(stage->last_port, port);
}

static void wait_for_state(struct stage *stage, enum berth_source_state state)
{
    start_ticking(stage, DEADLINE_MS);
    while ((!stage->said || stage->state != state) && !stage->late) {
        run_once(stage);
    }
    assert_string_equal(berth_source_state_name(stage->state), berth_source_state_name(state));
}

static size_t config_text(char *text, size_t size, unsigned port)
{
    return (size_t)snprintf(
        text, size,
        "<configuration><system.applicationHost><sites><site name='one'><bindings><binding "
        "protocol='http' bindingInformation='*:%05u:'/></bindings></site></sites>"
        "</system.applicationHost></configuration>",
        port);
}

static void put(const char *path, unsigned port, bool by_rename)
{
    char text[512];
    size_t size = config_text(text, sizeof text, port);

    (by_rename ? replace_file : write_file)(path, text, size);
}

static struct stage *open_stage(const char *name)
{
    struct stage *stage = calloc(1, sizeof *stage);

    assert_non_null(stage);
    stage->folder = temp_dir_make();
    (void)snprintf(stage->path, sizeof stage->path, "%s/%s", stage->folder, name);
    assert_int_equal(uv_loop_init(&stage->loop), 0);
    assert_int_equal(uv_timer_init(&stage->loop, &stage->tick), 0);
    stage->tick.data = stage;
    stage->sink = (struct berth_watcher_sink){take_snapshot, take_state, NULL};
    return stage;
}

/* The poll is a minute off: what is seen is seen by events. */
static void start(struct stage *stage, struct berth_iis_watcher_options options)
{
    struct berth_error err;

    options.path = stage->path;
    options.poll_ms = options.poll_ms != 0 ? options.poll_ms : 60000;
    assert_ok(berth_iis_watcher_create(&stage->watcher, &stage->loop, &options, &err), &err);
    stage->watcher->sink = &stage->sink;
    stage->watcher->owner = stage;
    assert_ok(stage->watcher->ops->start(stage->watcher, &err), &err);
}

static struct stage *open_running(void)
{
    struct stage *stage = open_stage("a.config");

    put(stage->path, 8000, false);
    start(stage, (struct berth_iis_watcher_options){0});
    wait_for_port(stage, 8000);
    wait_for_state(stage, BERTH_STATE_READY);
    return stage;
}

static void on_stopped(struct berth_watcher *watcher)
{
    struct stage *stage = watcher->owner;

    stage->stopped = true;
    watcher->ops->destroy(watcher); /* the earliest moment at which it is allowed */
}

static void close_stage(struct stage *stage)
{
    stage->watcher->ops->stop(stage->watcher, on_stopped);
    start_ticking(stage, DEADLINE_MS);
    while (!stage->stopped && !stage->late) {
        run_once(stage);
    }
    assert_true(stage->stopped);
    uv_close((uv_handle_t *)&stage->tick, NULL);
    (void)uv_run(&stage->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&stage->loop), 0);
    temp_dir_remove(stage->folder);
    free(stage);
}

static void file__replaced_by_rename__is_seen_each_time(void **unused)
{
    struct stage *stage = open_running();

    (void)unused;
    for (uint16_t port = 8001; port < 8011; port++) {
        put(stage->path, port, true);
        wait_for_port(stage, port);
    }
    assert_int_equal(stage->state, BERTH_STATE_READY);
    close_stage(stage);
}

static void file__rewritten_in_place__is_seen_each_time(void **unused)
{
    struct stage *stage = open_running();

    /* the same size each time, and often within one step of the file system's clock */
    (void)unused;
    for (uint16_t port = 8001; port < 8021; port++) {
        put(stage->path, port, false);
        wait_for_port(stage, port);
    }
    close_stage(stage);
}

static void file__appears_later__is_seen(void **unused)
{
    struct stage *stage = open_stage("a.config");

    (void)unused;
    start(stage, (struct berth_iis_watcher_options){0});
    wait_for_state(stage, BERTH_STATE_WAITING);
    assert_non_null(strstr(stage->reason, "a.config: no such file"));
    assert_int_equal(stage->snapshots, 0);
    put(stage->path, 8001, false);
    wait_for_port(stage, 8001);
    wait_for_state(stage, BERTH_STATE_READY);
    close_stage(stage);
}

static void folder__appears_later__is_seen(void **unused)
{
    struct stage *stage = open_stage("x/y/a.config");

    (void)unused;
    start(stage, (struct berth_iis_watcher_options){.retry_first_ms = 60000});
    wait_for_state(stage, BERTH_STATE_WAITING);
    add_folder(temp_path(stage->folder, "x"));
    run_for(stage, 60);
    add_folder(temp_path(stage->folder, "x/y"));
    put(stage->path, 8001, false);
    wait_for_port(stage, 8001);
    put(stage->path, 8002, true);
    wait_for_port(stage, 8002);
    close_stage(stage);
}

static void folder__replaced__is_watched_again(void **unused)
{
    struct stage *stage = open_stage("x/a.config");

    (void)unused;
    add_folder(temp_path(stage->folder, "x"));
    put(stage->path, 8000, false);
    start(stage, (struct berth_iis_watcher_options){.retry_first_ms = 60000});
    wait_for_port(stage, 8000);
    assert_int_equal(rename(temp_path(stage->folder, "x"), temp_path(stage->folder, "old")), 0);
    wait_for_state(stage, BERTH_STATE_STALE);
    add_folder(temp_path(stage->folder, "x"));
    put(stage->path, 8001, false);
    wait_for_port(stage, 8001);
    put(stage->path, 8002, false);
    wait_for_port(stage, 8002);
    put(temp_path(stage->folder, "old/a.config"), 8003, false);
    put(stage->path, 8004, true);
    wait_for_port(stage, 8004);
    close_stage(stage);
}

static void burst__of_writes__is_looked_at_few_times(void **unused)
{
    struct stage *stage = open_running();
    unsigned before = stage->snapshots;
    uint64_t start_ms = uv_hrtime() / 1000000;

    (void)unused;
    for (unsigned i = 0; i < 500; i++) {
        put(stage->path, 9000 + i, i % 2 == 0);
        (void)uv_run(&stage->loop, UV_RUN_NOWAIT);
    }
    wait_for_port(stage, 9499);
    /* each waits for 20 ms without a write */
    uint64_t most = (uv_hrtime() / 1000000 - start_ms) / 20 + 5;
    assert_in_range(stage->snapshots - before, 1, most < 250 ? most : 250);
    close_stage(stage);
}

static void file__emptied_or_cut_off__keeps_the_last_and_recovers(void **unused)
{
    struct stage *stage = open_running();
    char text[512];
    size_t size = config_text(text, sizeof text, 8001);

    (void)unused;
    unsigned before = stage->snapshots;
    write_file(stage->path, "", 0);
    wait_for_state(stage, BERTH_STATE_STALE);
    assert_non_null(strstr(stage->reason, "a.config: it is empty"));
    for (size_t length = 1; length < size; length += 37) {
        write_file(stage->path, text, length);
        run_for(stage, 5);
    }
    assert_int_equal(stage->snapshots, before);
    assert_int_equal(stage->state, BERTH_STATE_STALE);
    put(stage->path, 8001, false);
    wait_for_port(stage, 8001);
    wait_for_state(stage, BERTH_STATE_READY);
    /* damaged and put back as it was: ready, though nothing changed */
    write_file(stage->path, "<", 1);
    wait_for_state(stage, BERTH_STATE_STALE);
    put(stage->path, 8001, true);
    wait_for_state(stage, BERTH_STATE_READY);
    close_stage(stage);
}

static void file__deleted__keeps_the_last_and_recovers(void **unused)
{
    struct stage *stage = open_running();

    (void)unused;
    unsigned before = stage->snapshots;
    assert_int_equal(unlink(stage->path), 0);
    wait_for_state(stage, BERTH_STATE_STALE);
    assert_non_null(strstr(stage->reason, "no such file"));
    assert_int_equal(stage->snapshots, before);
    put(stage->path, 8001, true);
    wait_for_port(stage, 8001);
    wait_for_state(stage, BERTH_STATE_READY);
    close_stage(stage);
}

static void sites_section__gone__keeps_the_last(void **unused)
{
    struct stage *stage = open_running();

    (void)unused;
    unsigned before = stage->snapshots;
    write_file(stage->path, "<configuration/>", 16);
    wait_for_state(stage, BERTH_STATE_STALE);
    assert_non_null(strstr(stage->reason, "no system.applicationHost/sites"));
    assert_int_equal(stage->snapshots, before);
    close_stage(stage);
}

/* What was taken last stays the measure of what has changed. */
static void snapshot__not_taken_and_file_put_back__is_ready_as_before(void **unused)
{
    struct stage *stage = open_running();

    (void)unused;
    unsigned taken = stage->snapshots;
    stage->refuse = true;
    put(stage->path, 8001, true);
    wait_for_state(stage, BERTH_STATE_STALE);
    assert_string_equal(stage->reason, "too much");
    put(stage->path, 8000, true);
    wait_for_state(stage, BERTH_STATE_READY);
    assert_int_equal(stage->snapshots, taken);
    stage->refuse = false;
    put(stage->path, 8001, true);
    wait_for_port(stage, 8001);
    wait_for_state(stage, BERTH_STATE_READY);
    close_stage(stage);
}

#define SLOW_MS 50

/* Two of these are in the pool's queue, whose only thread they share: a look waits for one whole
 * pause at least. */
struct slow {
    struct stage *stage;
    uv_work_t work;
    bool go_on;
};

static void pause_pool(uv_work_t *work)
{
    (void)work;
    uv_sleep(SLOW_MS);
}

static void on_paused(uv_work_t *work, int status)
{
    struct slow *slow = work->data;

    (void)status;
    if (slow->go_on) {
        assert_int_equal(uv_queue_work(&slow->stage->loop, work, pause_pool, on_paused), 0);
    }
}

static void failing__slow_to_read_in_a_busy_folder__is_read_a_tenth_of_the_time(void **unused)
{
    struct stage *stage = open_running();
    struct slow slow[2];

    (void)unused;
    for (unsigned i = 0; i < 2; i++) {
        slow[i] = (struct slow){.stage = stage, .work = {.data = &slow[i]}, .go_on = true};
        on_paused(&slow[i].work, 0);
    }
    stage->refuse = true;
    put(stage->path, 8001, true);
    wait_for_state(stage, BERTH_STATE_STALE);
    unsigned before = stage->offers;
    uint64_t begun_ms = uv_now(&stage->loop);
    for (unsigned i = 0; i < 100; i++) {
        write_file(temp_path(stage->folder, "a log beside it"), "line", 4);
        run_for(stage, 10);
    }
    uint64_t took_ms = uv_now(&stage->loop) - begun_ms;
    assert_in_range(stage->offers - before, 0, took_ms / (SLOW_MS * 10) + 1);
    /* it is none the less seen that it is well again */
    slow[0].go_on = false;
    slow[1].go_on = false;
    stage->refuse = false;
    wait_for_port(stage, 8001);
    wait_for_state(stage, BERTH_STATE_READY);
    close_stage(stage);
}

static void optional__nothing_is_not_taken__waits_and_is_absent_then(void **unused)
{
    struct stage *stage = open_stage("config/a.config");

    (void)unused;
    stage->refuse = true;
    start(stage, (struct berth_iis_watcher_options){.optional = true});
    wait_for_state(stage, BERTH_STATE_WAITING);
    assert_string_equal(stage->reason, "too much");
    stage->refuse = false;
    wait_for_state(stage, BERTH_STATE_ABSENT);
    assert_int_equal(stage->snapshots, 1);
    close_stage(stage);
}

static void optional__folder_missing__is_absent_until_it_appears(void **unused)
{
    struct stage *stage = open_stage("config/a.config");

    (void)unused;
    /* Windows does not tell that the folder itself was renamed: the poll finds out */
    start(stage, (struct berth_iis_watcher_options){.optional = true, .poll_ms = 200});
    wait_for_state(stage, BERTH_STATE_ABSENT);
    assert_true(stage->reason[0] != '\0');
    add_folder(temp_path(stage->folder, "config"));
    wait_for_state(stage, BERTH_STATE_WAITING);
    put(stage->path, 8001, true);
    wait_for_port(stage, 8001);
    wait_for_state(stage, BERTH_STATE_READY);
    /* from now on it counts, whatever goes away */
    assert_int_equal(rename(temp_path(stage->folder, "config"), temp_path(stage->folder, "old")),
                     0);
    wait_for_state(stage, BERTH_STATE_STALE);
    close_stage(stage);
}

static void poll__without_any_event__sees_the_change(void **unused)
{
    struct stage *stage = open_stage("link/a.config");

    /* the folder is reached through a link: when that is turned elsewhere, no watch tells */
    (void)unused;
    add_folder(temp_path(stage->folder, "one"));
    add_folder(temp_path(stage->folder, "two"));
    put(temp_path(stage->folder, "one/a.config"), 8001, false);
    put(temp_path(stage->folder, "two/a.config"), 8002, false);
    if (!link_folder("one", temp_path(stage->folder, "link"))) {
        start(stage, (struct berth_iis_watcher_options){0});
        close_stage(stage);
        skip();
    }
    start(stage, (struct berth_iis_watcher_options){.poll_ms = 50});
    wait_for_port(stage, 8001);
    assert_int_equal(unlink(temp_path(stage->folder, "link")), 0);
    assert_true(link_folder("two", temp_path(stage->folder, "link")));
    wait_for_port(stage, 8002);
    /* and events are heard from there now */
    put(temp_path(stage->folder, "two/a.config"), 8003, false);
    wait_for_port(stage, 8003);
    close_stage(stage);
}

static void redirection__turned_on_and_changed__is_followed(void **unused)
{
    struct stage *stage = open_running();
    char text[1500];
    int size = snprintf(text, sizeof text,
                        "<configuration><configurationRedirection enabled='true' path='%s/shared'/>"
                        "</configuration>",
                        stage->folder);

    (void)unused;
    replace_file(temp_path(stage->folder, "redirection.config"), text, (size_t)size);
    wait_for_state(stage, BERTH_STATE_STALE);
    add_folder(temp_path(stage->folder, "shared"));
    put(temp_path(stage->folder, "shared/applicationHost.config"), 8001, false);
    wait_for_port(stage, 8001);
    put(temp_path(stage->folder, "shared/applicationHost.config"), 8002, false);
    wait_for_port(stage, 8002);
    assert_int_equal(unlink(temp_path(stage->folder, "redirection.config")), 0);
    wait_for_port(stage, 8000);
    close_stage(stage);
}

static void look__nothing_changed__reports_nothing(void **unused)
{
    struct stage *stage = open_running();

    (void)unused;
    run_for(stage, 100);
    unsigned before = stage->snapshots;
    stage->said = false;
    stage->watcher->ops->look(stage->watcher);
    run_for(stage, 100);
    put(temp_path(stage->folder, "another file"), 8001, true);
    run_for(stage, 100);
    assert_int_equal(stage->snapshots, before);
    assert_false(stage->said);
    close_stage(stage);
}

static void create__no_path_or_memory__is_an_error(void **unused)
{
    struct berth_iis_watcher_options options = {0};
    struct berth_watcher *watcher = NULL;
    struct berth_error err;

    (void)unused;
    assert_code(berth_iis_watcher_create(&watcher, NULL, &options, &err), BERTH_INVALID_PARAMS);
    options.path = "";
    assert_code(berth_iis_watcher_create(&watcher, NULL, &options, &err), BERTH_INVALID_PARAMS);
    options.path = "x";
    for (size_t i = 1; i <= 2; i++) {
        size_t live;
        memory_faults_begin(i, false);
        enum berth_code code = berth_iis_watcher_create(&watcher, NULL, &options, &err);
        assert_true(memory_faults_end(&live));
        assert_code(code, BERTH_NO_MEMORY);
        assert_int_equal(live, 0);
    }
    assert_null(watcher);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file__replaced_by_rename__is_seen_each_time),
        cmocka_unit_test(file__rewritten_in_place__is_seen_each_time),
        cmocka_unit_test(file__appears_later__is_seen),
        cmocka_unit_test(folder__appears_later__is_seen),
        cmocka_unit_test(folder__replaced__is_watched_again),
        cmocka_unit_test(burst__of_writes__is_looked_at_few_times),
        cmocka_unit_test(file__emptied_or_cut_off__keeps_the_last_and_recovers),
        cmocka_unit_test(file__deleted__keeps_the_last_and_recovers),
        cmocka_unit_test(sites_section__gone__keeps_the_last),
        cmocka_unit_test(snapshot__not_taken_and_file_put_back__is_ready_as_before),
        cmocka_unit_test(failing__slow_to_read_in_a_busy_folder__is_read_a_tenth_of_the_time),
        cmocka_unit_test(optional__nothing_is_not_taken__waits_and_is_absent_then),
        cmocka_unit_test(optional__folder_missing__is_absent_until_it_appears),
        cmocka_unit_test(poll__without_any_event__sees_the_change),
        cmocka_unit_test(redirection__turned_on_and_changed__is_followed),
        cmocka_unit_test(look__nothing_changed__reports_nothing),
        cmocka_unit_test(create__no_path_or_memory__is_an_error),
    };
    set_environment("UV_THREADPOOL_SIZE", "1");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
