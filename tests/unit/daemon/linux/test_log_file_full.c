/* SPDX-License-Identifier: MIT */
/* The log file on a disk that is full: the kernel takes a part of a line, then none. */
#define _GNU_SOURCE
#include "daemon/log_file.h"

#include "cmocka_all.h"
#include "temp_dir.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>

static uint64_t now_ms = 1000;

static uint64_t test_now(void *ctx)
{
    (void)ctx;
    return now_ms;
}

static void limit_files_to(rlim_t bytes)
{
    struct rlimit limit;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void write__disk_full__leaves_whole_lines_and_goes_on(void **state)
{
    char *folder = temp_dir_make();
    const struct berth_log_file_options options = {
        .path = temp_path(folder, "a.log"), .size_bytes = 1000, .keep = 1, .now_ms = test_now};
    struct berth_log_file *file;
    struct berth_error err;
    size_t size;

    (void)state;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_ok(berth_log_file_open(&file, &options, &err), &err);
    limit_files_to(10);
    berth_log_file_write(file, "whole\n", 6);
    berth_log_file_write(file, "in part\n", 8); /* the kernel takes 4 bytes of it */
    assert_int_equal(berth_log_file_lost(file), 1);
    limit_files_to(RLIM_INFINITY);
    char *text = read_whole_file(options.path, &size);
    assert_string_equal(text, "whole\n");
    free(text);

    now_ms += BERTH_LOG_FILE_RETRY_MS;
    berth_log_file_write(file, "after\n", 6);
    berth_log_file_close(file);
    text = read_whole_file(options.path, &size);
    assert_string_equal(
        text, "whole\n[1 lines are missing here: the file could not be written]\nafter\n");
    free(text);
    temp_dir_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(write__disk_full__leaves_whole_lines_and_goes_on),
    };
    return cmocka_run_group_tests_name("daemon.log_file_full", tests, NULL, NULL);
}
