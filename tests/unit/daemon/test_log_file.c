/* SPDX-License-Identifier: MIT */
/* The log file against a real disk: its bounds, and what becomes of lines that cannot be written.
 */
#include "daemon/log_file.h"

#include "cmocka_all.h"
#include "memory_faults.h"
#include "temp_dir.h"

#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#define LINE "0123456789abcdef0123456789abcde\n" /* 32 bytes */
#define LINE_LENGTH 32

static char *folder;
static uint64_t now_ms;
static int troubles;
static char trouble[200];

static uint64_t test_now(void *ctx)
{
    (void)ctx;
    return now_ms;
}

static void on_trouble(void *ctx, const char *reason)
{
    (void)ctx;
    troubles++;
    (void)snprintf(trouble, sizeof trouble, "%s", reason);
}

static int setup(void **state)
{
    (void)state;
    folder = temp_dir_make();
    now_ms = 1000;
    troubles = 0;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    temp_dir_remove(folder);
    return 0;
}

static struct berth_log_file *open_log(const char *path, uint64_t size_bytes, unsigned keep)
{
    const struct berth_log_file_options options = {.path = path,
                                                   .size_bytes = size_bytes,
                                                   .keep = keep,
                                                   .now_ms = test_now,
                                                   .on_trouble = on_trouble};
    struct berth_log_file *file;
    struct berth_error err;

    assert_ok(berth_log_file_open(&file, &options, &err), &err);
    return file;
}

static void write_lines(struct berth_log_file *file, int count)
{
    for (int i = 0; i < count; i++) {
        berth_log_file_write(file, LINE, LINE_LENGTH);
    }
}

static void write_text(struct berth_log_file *file, const char *text)
{
    berth_log_file_write(file, text, strlen(text));
}

static void assert_file(const char *name, const char *expected)
{
    size_t size;
    char *found = read_whole_file(temp_path(folder, name), &size);

    assert_string_equal(found, expected);
    free(found);
}

static bool is_there(const char *name)
{
    FILE *file = fopen(temp_path(folder, name), "rb");

    if (file != NULL) {
        (void)fclose(file);
    }
    return file != NULL;
}

static void make_folder(const char *path)
{
    uv_fs_t request;

    assert_int_equal(uv_fs_mkdir(NULL, &request, path, 0700, NULL), 0);
    uv_fs_req_cleanup(&request);
}

static void remove_folder(const char *path)
{
    uv_fs_t request;

    assert_int_equal(uv_fs_rmdir(NULL, &request, path, NULL), 0);
    uv_fs_req_cleanup(&request);
}

static void write__to_a_new_file__makes_its_folder(void **state)
{
    (void)state;
    struct berth_log_file *file = open_log(temp_path(folder, "logs/a.log"), 1000, 2);
    write_text(file, "one\n");
    write_text(file, "two\n");
    berth_log_file_close(file);
    assert_file("logs/a.log", "one\ntwo\n");
}

static void write__to_an_old_file__is_added(void **state)
{
    (void)state;
    write_file(temp_path(folder, "a.log"), "before\n", 7);
    struct berth_log_file *file = open_log(temp_path(folder, "a.log"), 1000, 2);
    write_text(file, "after\n");
    berth_log_file_close(file);
    assert_file("a.log", "before\nafter\n");
}

static void write__past_the_bound__begins_a_new_file(void **state)
{
    (void)state;
    struct berth_log_file *file = open_log(temp_path(folder, "a.log"), 12, 2);
    write_text(file, "first\n");
    write_text(file, "exact\n"); /* 12 bytes: not past it */
    assert_false(is_there("a.log.1"));
    write_text(file, "third\n");
    berth_log_file_close(file);
    assert_file("a.log.1", "first\nexact\n");
    assert_file("a.log", "third\n");
}

static void write__for_long__keeps_as_many_old_files_as_asked(void **state)
{
    char line[16];

    (void)state;
    struct berth_log_file *file = open_log(temp_path(folder, "a.log"), 8, 3);
    for (int i = 0; i < 9; i++) {
        (void)snprintf(line, sizeof line, "line %d\n", i);
        write_text(file, line);
    }
    berth_log_file_close(file);
    assert_file("a.log", "line 8\n");
    assert_file("a.log.1", "line 7\n");
    assert_file("a.log.2", "line 6\n");
    assert_file("a.log.3", "line 5\n");
    assert_false(is_there("a.log.4"));
}

static void write__keep_none__empties_the_file(void **state)
{
    (void)state;
    struct berth_log_file *file = open_log(temp_path(folder, "a.log"), 8, 0);
    write_text(file, "line 0\n");
    write_text(file, "line 1\n");
    berth_log_file_close(file);
    assert_file("a.log", "line 1\n");
    assert_false(is_there("a.log.1"));
}

static void write__fewer_kept_than_before__removes_the_others(void **state)
{
    (void)state;
    for (int i = 1; i <= 4; i++) {
        char name[16];
        (void)snprintf(name, sizeof name, "a.log.%d", i);
        write_file(temp_path(folder, name), "old\n", 4);
    }
    write_file(temp_path(folder, "a.log"), "last\n", 5);
    struct berth_log_file *file = open_log(temp_path(folder, "a.log"), 8, 2);
    write_text(file, "new\n" LINE);
    berth_log_file_close(file);
    assert_file("a.log.1", "last\n");
    assert_file("a.log.2", "old\n");
    assert_false(is_there("a.log.3"));
    assert_false(is_there("a.log.4"));
}

/* What a rotation that was broken off leaves: the numbers have a gap. */
static void write__after_a_broken_rotation__loses_no_old_file(void **state)
{
    (void)state;
    write_file(temp_path(folder, "a.log"), "now\n", 4);
    write_file(temp_path(folder, "a.log.2"), "two\n", 4);
    write_file(temp_path(folder, "a.log.3"), "three\n", 6);
    struct berth_log_file *file = open_log(temp_path(folder, "a.log"), 4, 3);
    write_text(file, "new\n");
    berth_log_file_close(file);
    assert_file("a.log", "new\n");
    assert_file("a.log.1", "now\n");
    assert_file("a.log.2", "two\n");
    assert_file("a.log.3", "three\n");
}

static void write__a_line_longer_than_the_bound__is_written_whole(void **state)
{
    (void)state;
    struct berth_log_file *file = open_log(temp_path(folder, "a.log"), 10, 1);
    write_text(file, LINE);
    write_text(file, "short\n");
    berth_log_file_close(file);
    assert_file("a.log.1", LINE);
    assert_file("a.log", "short\n");
}

/* Something stands where the old file has to go. */
static void write__rotation_refused__grows_to_twice_the_bound_then_loses_lines(void **state)
{
    size_t size;

    (void)state;
    make_folder(temp_path(folder, "a.log.1"));
    make_folder(temp_path(folder, "a.log.1/x"));
    struct berth_log_file *file = open_log(temp_path(folder, "a.log"), 10 * LINE_LENGTH, 1);
    write_lines(file, 20);
    assert_int_equal(berth_log_file_lost(file), 0);
    assert_int_equal(troubles, 0);
    write_lines(file, 5);
    assert_int_equal(berth_log_file_lost(file), 5);
    assert_int_equal(troubles, 1);
    assert_non_null(strstr(trouble, "it is full and cannot be moved: "));
    free(read_whole_file(temp_path(folder, "a.log"), &size));
    assert_int_equal(size, 20 * LINE_LENGTH);

    remove_folder(temp_path(folder, "a.log.1/x"));
    remove_folder(temp_path(folder, "a.log.1"));
    write_lines(file, 1); /* too early: not tried */
    assert_int_equal(berth_log_file_lost(file), 6);
    now_ms += BERTH_LOG_FILE_RETRY_MS;
    write_lines(file, 1);
    berth_log_file_close(file);
    assert_file("a.log", "[6 lines are missing here: the file could not be written]\n" LINE);
    assert_int_equal(troubles, 1);
}

/* The folder vanishes, as that of a removed drive, and comes back. */
static void write__the_disk_gone__goes_on_when_it_is_back(void **state)
{
    (void)state;
    struct berth_log_file *file = open_log(temp_path(folder, "logs/a.log"), 2 * LINE_LENGTH, 1);
    write_lines(file, 2);
    uv_fs_t request;
    assert_int_equal(
        uv_fs_rename(NULL, &request, temp_path(folder, "logs"), temp_path(folder, "away"), NULL),
        0);
    uv_fs_req_cleanup(&request);
    write_lines(file, 3);
    assert_int_equal(berth_log_file_lost(file), 3);
    assert_int_equal(troubles, 1);
    now_ms += BERTH_LOG_FILE_RETRY_MS;
    write_lines(file, 1);
    assert_int_equal(berth_log_file_lost(file), 4);
    assert_int_equal(troubles, 1);

    make_folder(temp_path(folder, "logs"));
    now_ms += BERTH_LOG_FILE_RETRY_MS;
    write_lines(file, 1);
    berth_log_file_close(file);
    assert_file("logs/a.log", "[4 lines are missing here: the file could not be written]\n" LINE);
}

static void open__no_folder_to_make_it_in__says_so(void **state)
{
    const char *path = temp_path(folder, "no/such/a.log");
    const struct berth_log_file_options options = {.path = path, .size_bytes = 100};
    struct berth_log_file *file = NULL;
    struct berth_error err;

    (void)state;
    assert_code(berth_log_file_open(&file, &options, &err), BERTH_IO);
    assert_null(file);
    assert_non_null(strstr(err.detail, path));
    assert_non_null(strstr(err.detail, "no such file or directory"));
}

static void open__each_allocation_failing__is_an_error(void **state)
{
    const struct berth_log_file_options options = {.path = temp_path(folder, "a.log"),
                                                   .size_bytes = 100};
    struct berth_error err;
    size_t live = 1;
    size_t failed = 0;

    (void)state;
    for (size_t at = 1;; at++) {
        struct berth_log_file *file = NULL;
        memory_faults_begin(at, false);
        enum berth_code code = berth_log_file_open(&file, &options, &err);
        if (code == BERTH_OK) {
            berth_log_file_close(file);
        }
        bool hit = memory_faults_end(&live);
        assert_int_equal(live, 0);
        if (!hit) {
            assert_code(code, BERTH_OK);
            break;
        }
        assert_code(code, BERTH_NO_MEMORY);
        failed++;
    }
    assert_true(failed >= 4);
}

static void write_from_thread(void *arg)
{
    write_lines(arg, 500);
}

static void write__from_several_threads__keeps_lines_whole(void **state)
{
    uv_thread_t threads[4];
    size_t lines = 0;

    (void)state;
    struct berth_log_file *file = open_log(temp_path(folder, "a.log"), 100 * LINE_LENGTH, 30);
    for (size_t i = 0; i < BERTH_COUNT(threads); i++) {
        assert_int_equal(uv_thread_create(&threads[i], write_from_thread, file), 0);
    }
    for (size_t i = 0; i < BERTH_COUNT(threads); i++) {
        assert_int_equal(uv_thread_join(&threads[i]), 0);
    }
    assert_int_equal(berth_log_file_lost(file), 0);
    berth_log_file_close(file);
    for (int i = 0; i < 20; i++) {
        char name[16];
        size_t size;
        (void)snprintf(name, sizeof name, i == 0 ? "a.log" : "a.log.%d", i);
        char *text = read_whole_file(temp_path(folder, name), &size);
        for (size_t at = 0; at < size; at += LINE_LENGTH, lines++) {
            assert_memory_equal(text + at, LINE, LINE_LENGTH);
        }
        free(text);
    }
    assert_int_equal(lines, 2000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(write__to_a_new_file__makes_its_folder, setup, teardown),
        cmocka_unit_test_setup_teardown(write__to_an_old_file__is_added, setup, teardown),
        cmocka_unit_test_setup_teardown(write__past_the_bound__begins_a_new_file, setup, teardown),
        cmocka_unit_test_setup_teardown(write__for_long__keeps_as_many_old_files_as_asked, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(write__keep_none__empties_the_file, setup, teardown),
        cmocka_unit_test_setup_teardown(write__fewer_kept_than_before__removes_the_others, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(write__after_a_broken_rotation__loses_no_old_file, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(write__a_line_longer_than_the_bound__is_written_whole,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(
            write__rotation_refused__grows_to_twice_the_bound_then_loses_lines, setup, teardown),
        cmocka_unit_test_setup_teardown(write__the_disk_gone__goes_on_when_it_is_back, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(open__no_folder_to_make_it_in__says_so, setup, teardown),
        cmocka_unit_test_setup_teardown(open__each_allocation_failing__is_an_error, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(write__from_several_threads__keeps_lines_whole, setup,
                                        teardown),
    };
    return cmocka_run_group_tests_name("daemon.log_file", tests, NULL, NULL);
}
