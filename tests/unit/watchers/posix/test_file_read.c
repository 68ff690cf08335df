/* SPDX-License-Identifier: MIT */
/* What only POSIX systems have: kinds of files, errno, permissions, times to the nanosecond. */
#define _XOPEN_SOURCE 700
#include "cmocka_all.h"
#include "temp_folder.h"
#include "watchers/file_read.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

static void read__an_old_file__is_not_fresh(void **unused)
{
    struct berth_file_stamp stamp;
    struct timespec times[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000, .tv_nsec = 5}};
    const char *path = temp_path(folder, "f");

    (void)unused;
    write_file(path, "x", 1);
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    assert_code(berth_file_stat(&stamp, path, NULL), BERTH_OK);
    assert_false(stamp.fresh);
    assert_true(stamp.modified_ns == 1000000000000000005);
}

static void read__what_it_does_not_take__keeps_errno(void **unused)
{
    struct berth_file file;
    struct berth_file_stamp stamp;
    struct berth_error err;

    (void)unused;
    write_file(temp_path(folder, "f"), "x", 1);
    assert_int_equal(mkfifo(temp_path(folder, "fifo"), 0600), 0);
    assert_code(berth_file_read(&file, temp_path(folder, "none"), 9, &err), BERTH_NOT_FOUND);
    assert_int_equal(err.os_code, ENOENT);
    assert_code(berth_file_read(&file, temp_path(folder, "f/x"), 9, &err), BERTH_NOT_FOUND);
    assert_int_equal(err.os_code, ENOTDIR);
    assert_code(berth_file_read(&file, folder, 9, &err), BERTH_IO);
    assert_int_equal(err.os_code, EISDIR);
    assert_code(berth_file_read(&file, temp_path(folder, "fifo"), 9, &err), BERTH_IO);
    assert_string_equal(err.detail, "it is not a regular file");
    assert_code(berth_file_read(&file, "/dev/zero", 9, &err), BERTH_IO);
    assert_code(berth_file_stat(&stamp, temp_path(folder, "fifo"), &err), BERTH_IO);
}

static void read__without_permission__keeps_errno(void **unused)
{
    struct berth_file file;
    struct berth_error err;
    const char *path = temp_path(folder, "f");

    (void)unused;
    if (geteuid() == 0) {
        skip();
    }
    write_file(path, "x", 1);
    assert_int_equal(chmod(path, 0), 0);
    assert_code(berth_file_read(&file, path, 9, &err), BERTH_IO);
    assert_int_equal(err.os_code, EACCES);
}

static void read__a_file_of_proc__does_not_hold_still(void **unused)
{
    struct berth_file file;
    struct berth_error err;

    /* it says that it has 0 bytes */
    (void)unused;
    assert_code(berth_file_read(&file, "/proc/self/status", 1000000, &err), BERTH_MALFORMED);
    /* and this one says 4096 and gives fewer */
    if (access("/sys/kernel/mm/transparent_hugepage/enabled", R_OK) == 0) {
        assert_code(
            berth_file_read(&file, "/sys/kernel/mm/transparent_hugepage/enabled", 1000000, &err),
            BERTH_UNSTABLE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(read__an_old_file__is_not_fresh, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(read__what_it_does_not_take__keeps_errno, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(read__without_permission__keeps_errno, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(read__a_file_of_proc__does_not_hold_still, make_folder,
                                        remove_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
