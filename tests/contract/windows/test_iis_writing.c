/* SPDX-License-Identifier: MIT */
/* The ways in which IIS and its tools write applicationHost.config, replayed beside a real watcher:
 * erased and written in parts, held so that nobody may read, replaced, deleted and made anew. No
 * snapshot may lack a port that each whole file has. */
#include <windows.h>

#include "tests/support/cmocka_all.h"
#include "tests/support/temp_dir.h"
#include "watchers/iis_watcher.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define DEADLINE_MS 60000
#define BASE_PORT 8000u
#define BASE_COUNT 200u
#define FIRST_MARK 9000u
#define ROUNDS_PER_WAY 5
#define STORM_ROUNDS 100

struct stage {
    char *folder;
    char path[1024];    /* as the writer has it */
    char watched[1024]; /* the same in other letters and separators */
    uv_loop_t loop;
    uv_timer_t tick;
    bool late;
    struct berth_watcher *watcher;
    struct berth_watcher_sink sink;
    unsigned snapshots;
    unsigned last_mark; /* the port of the round that the last snapshot was of */
    enum berth_source_state state;
    char reason[600];
    bool stopped;
};

static struct stage stage;

/* ---- reports ---- */

static enum berth_code take_snapshot(struct berth_watcher *from, unsigned feed,
                                     const struct berth_snapshot *snapshot, struct berth_error *err)
{
    bool seen[BASE_COUNT] = {false};

    (void)err;
    (void)from;
    (void)feed;
    stage.snapshots++;
    stage.last_mark = 0;
    for (size_t i = 0; i < snapshot->claim_count; i++) {
        unsigned port = snapshot->claims[i].port;
        if (port >= BASE_PORT && port < BASE_PORT + BASE_COUNT) {
            seen[port - BASE_PORT] = true;
        } else {
            stage.last_mark = port;
        }
    }
    for (unsigned i = 0; i < BASE_COUNT; i++) {
        if (!seen[i]) {
            fail_msg("a snapshot of %lu claims lacks port %u", (unsigned long)snapshot->claim_count,
                     BASE_PORT + i);
        }
    }
    assert_int_not_equal(stage.last_mark, 0);
    return BERTH_OK;
}

static void take_state(struct berth_watcher *from, enum berth_source_state state,
                       const char *reason)
{
    (void)from;
    stage.state = state;
    (void)snprintf(stage.reason, sizeof stage.reason, "%s", reason != NULL ? reason : "");
}

/* ---- the loop ---- */

static void on_tick(uv_timer_t *timer)
{
    (void)timer;
    stage.late = true;
}

static void run_until_mark(unsigned mark)
{
    stage.late = false;
    uv_update_time(&stage.loop);
    (void)uv_timer_start(&stage.tick, on_tick, DEADLINE_MS, 0);
    while ((stage.last_mark != mark || stage.state != BERTH_STATE_READY) && !stage.late) {
        (void)uv_run(&stage.loop, UV_RUN_ONCE);
    }
    (void)uv_timer_stop(&stage.tick);
    if (stage.late) {
        fail_msg("port %u has not come: %u, %s %s", mark, stage.last_mark,
                 berth_source_state_name(stage.state), stage.reason);
    }
}

static void run_until_state(enum berth_source_state state)
{
    stage.late = false;
    uv_update_time(&stage.loop);
    (void)uv_timer_start(&stage.tick, on_tick, DEADLINE_MS, 0);
    while (stage.state != state && !stage.late) {
        (void)uv_run(&stage.loop, UV_RUN_ONCE);
    }
    (void)uv_timer_stop(&stage.tick);
    assert_int_equal(stage.state, state);
}

/* ---- the file ---- */

static size_t make_text(char *out, size_t size, unsigned mark)
{
    size_t used = (size_t)snprintf(out, size,
                                   "<configuration><system.applicationHost><sites>"
                                   "<site name='One' id='1'><bindings>");

    for (unsigned i = 0; i < BASE_COUNT; i++) {
        used += (size_t)snprintf(out + used, size - used,
                                 "<binding protocol='http' bindingInformation='*:%u:'/>\r\n",
                                 BASE_PORT + i);
    }
    used += (size_t)snprintf(out + used, size - used,
                             "<binding protocol='http' bindingInformation='*:%u:'/>"
                             "</bindings></site></sites></system.applicationHost>"
                             "</configuration>\r\n",
                             mark);
    return used;
}

static char text[65536];
static char storm_text[65536]; /* the other thread's */

static void write_part(HANDLE file, const char *from, size_t size)
{
    DWORD written;

    assert_true(WriteFile(file, from, (DWORD)size, &written, NULL));
    assert_int_equal(written, size);
    (void)FlushFileBuffers(file);
}

/* Opens the file as a writer does, again when the watcher reads just then and is in the way. */
static HANDLE open_for_writing(DWORD share)
{
    for (int tries = 0; tries < 5000; tries++) {
        HANDLE file = CreateFileA(stage.path, GENERIC_READ | GENERIC_WRITE, share, NULL,
                                  OPEN_EXISTING, 0, NULL);
        if (file != INVALID_HANDLE_VALUE) {
            return file;
        }
        Sleep(1);
    }
    return INVALID_HANDLE_VALUE;
}

static void erase(HANDLE file)
{
    assert_int_equal(SetFilePointer(file, 0, NULL, FILE_BEGIN), 0);
    assert_true(SetEndOfFile(file));
}

/* ---- the ways ---- */

static void write_as_iis(unsigned mark)
{
    size_t size = make_text(text, sizeof text, mark);
    HANDLE file = open_for_writing(FILE_SHARE_READ);

    assert_true(file != INVALID_HANDLE_VALUE);
    erase(file);
    run_until_state(BERTH_STATE_STALE); /* it has met the empty file */
    for (size_t part = 0; part < 4; part++) {
        size_t from = size * part / 4;
        write_part(file, text + from, size * (part + 1) / 4 - from);
        stage.watcher->ops->look(stage.watcher);
        (void)uv_run(&stage.loop, UV_RUN_ONCE);
    }
    assert_true(CloseHandle(file));
    run_until_mark(mark);
}

static void write_holding(unsigned mark)
{
    size_t size = make_text(text, sizeof text, mark);
    HANDLE file = open_for_writing(0);

    assert_true(file != INVALID_HANDLE_VALUE);
    stage.watcher->ops->look(stage.watcher);
    run_until_state(BERTH_STATE_STALE);
    erase(file);
    write_part(file, text, size / 2);
    (void)uv_run(&stage.loop, UV_RUN_ONCE);
    write_part(file, text + size / 2, size - size / 2);
    assert_int_equal(stage.state, BERTH_STATE_STALE);
    assert_true(CloseHandle(file));
    run_until_mark(mark);
}

static void write_replacing(unsigned mark)
{
    replace_file(stage.path, text, make_text(text, sizeof text, mark));
    run_until_mark(mark);
}

static void write_by_replace_file(unsigned mark)
{
    char fresh[1100];
    bool replaced = false;

    (void)snprintf(fresh, sizeof fresh, "%s.fresh", stage.path);
    write_file(fresh, text, make_text(text, sizeof text, mark));
    for (int tries = 0; !replaced && tries < 5000; tries++) {
        replaced = ReplaceFileA(stage.path, fresh, NULL, 0, NULL, NULL);
        if (!replaced) {
            Sleep(1);
        }
    }
    assert_true(replaced);
    run_until_mark(mark);
}

static void write_anew(unsigned mark)
{
    assert_true(DeleteFileA(stage.path));
    run_until_state(BERTH_STATE_STALE);
    write_file(stage.path, text, make_text(text, sizeof text, mark));
    run_until_mark(mark);
}

static void (*const ways[])(unsigned mark) = {write_as_iis, write_holding, write_replacing,
                                              write_by_replace_file, write_anew};

/* ---- tests ---- */

static void open_stage(void)
{
    struct berth_iis_watcher_options options = {.path = stage.watched, .retry_first_ms = 1};
    struct berth_error err;

    stage = (struct stage){.sink = {take_snapshot, take_state, NULL}};
    stage.folder = temp_dir_make();
    (void)snprintf(stage.path, sizeof stage.path, "%s/applicationHost.config", stage.folder);
    (void)snprintf(stage.watched, sizeof stage.watched, "%s/APPLICATIONHOST.Config", stage.folder);
    for (char *at = stage.watched; *at != '\0'; at++) {
        *at = *at == '/' ? '\\' : (char)(*at >= 'a' && *at <= 'z' ? *at - 32 : *at);
    }
    write_file(stage.path, text, make_text(text, sizeof text, FIRST_MARK));
    assert_int_equal(uv_loop_init(&stage.loop), 0);
    assert_int_equal(uv_timer_init(&stage.loop, &stage.tick), 0);
    assert_ok(berth_iis_watcher_create(&stage.watcher, &stage.loop, &options, &err), &err);
    stage.watcher->sink = &stage.sink;
    assert_ok(stage.watcher->ops->start(stage.watcher, &err), &err);
    run_until_mark(FIRST_MARK);
}

static void on_stopped(struct berth_watcher *watcher)
{
    (void)watcher;
    stage.stopped = true;
}

static void close_stage(void)
{
    stage.watcher->ops->stop(stage.watcher, on_stopped);
    while (!stage.stopped) {
        (void)uv_run(&stage.loop, UV_RUN_ONCE);
    }
    stage.watcher->ops->destroy(stage.watcher);
    uv_close((uv_handle_t *)&stage.tick, NULL);
    (void)uv_run(&stage.loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&stage.loop), 0);
    temp_dir_remove(stage.folder);
}

static void file__written_in_each_way__never_loses_a_port(void **state)
{
    unsigned mark = FIRST_MARK;

    (void)state;
    open_stage();
    for (int round = 0; round < ROUNDS_PER_WAY; round++) {
        for (size_t way = 0; way < BERTH_COUNT(ways); way++) {
            ways[way](++mark);
        }
    }
    assert_true(stage.snapshots > ROUNDS_PER_WAY * BERTH_COUNT(ways));
    close_stage();
}

static uint64_t next_random(uint64_t *random)
{
    *random ^= *random << 13;
    *random ^= *random >> 7;
    *random ^= *random << 17;
    return *random;
}

/* Rewrites the file as IIS does, with random pauses, in parts of random sizes. No cmocka here: it
 * cannot fail a test from another thread. */
static void storm(void *seed)
{
    uint64_t random = *(uint64_t *)seed;

    for (unsigned round = 1; round <= STORM_ROUNDS; round++) {
        size_t size = make_text(storm_text, sizeof storm_text, FIRST_MARK + round);
        HANDLE file = open_for_writing(round % 3 == 0 ? 0 : FILE_SHARE_READ);
        DWORD written;
        (void)SetFilePointer(file, 0, NULL, FILE_BEGIN);
        (void)SetEndOfFile(file);
        for (size_t at = 0; at < size; at += written) {
            size_t part = 1 + (size_t)(next_random(&random) % (size - at));
            if (!WriteFile(file, storm_text + at, (DWORD)part, &written, NULL)) {
                break;
            }
            Sleep((DWORD)(next_random(&random) % 3));
        }
        (void)CloseHandle(file);
        Sleep((DWORD)(next_random(&random) % 60)); /* some are seen whole, some are not */
    }
}

static void file__rewritten_at_random__never_loses_a_port(void **state)
{
    const char *given = getenv("BERTH_TEST_SEED");
    uint64_t seed = given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL);
    uv_thread_t thread;

    (void)state;
    print_message("BERTH_TEST_SEED=%lu\n", (unsigned long)seed);
    seed = seed != 0 ? seed : 1;
    open_stage();
    assert_int_equal(uv_thread_create(&thread, storm, &seed), 0);
    run_until_mark(FIRST_MARK + STORM_ROUNDS);
    assert_int_equal(uv_thread_join(&thread), 0);
    print_message("%d rewritings, %u snapshots\n", STORM_ROUNDS, stage.snapshots);
    close_stage();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(file__written_in_each_way__never_loses_a_port),
        cmocka_unit_test(file__rewritten_at_random__never_loses_a_port),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
