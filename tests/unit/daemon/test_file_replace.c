/* SPDX-License-Identifier: MIT */
#include "daemon/file_replace.h"

#include "cmocka_all.h"
#include "memory_faults.h"
#include "temp_dir.h"

#include <stdio.h>
#include <stdlib.h>

static char *folder;

static int set_up(void **state)
{
    (void)state;
    folder = temp_dir_make();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    temp_dir_remove(folder);
    return 0;
}

static void assert_file(const char *path, const char *expected)
{
    size_t size;
    char *content = read_whole_file(path, &size);

    assert_string_equal(content, expected);
    free(content);
}

static bool exists(const char *path)
{
    FILE *file = fopen(path, "rb");

    if (file != NULL) {
        (void)fclose(file);
    }
    return file != NULL;
}

static void replace__new_then_again__has_the_latest(void **state)
{
    char first[] = "the first";
    char second[] = "2nd";
    const char *path = temp_path(folder, "f.prom");
    struct berth_error err;

    (void)state;
    assert_ok(berth_file_replace(path, first, strlen(first), &err), &err);
    assert_file(path, "the first");
    assert_ok(berth_file_replace(path, second, strlen(second), &err), &err);
    assert_file(path, "2nd");
    assert_false(exists(temp_path(folder, "f.prom.new")));
}

static void replace__leftover_of_before__is_no_hindrance(void **state)
{
    char content[] = "x";
    const char *path = temp_path(folder, "f.prom");
    struct berth_error err;

    (void)state;
    write_file(temp_path(folder, "f.prom.new"), "a longer leftover", 17);
    assert_ok(berth_file_replace(path, content, 1, &err), &err);
    assert_file(path, "x");
}

static void replace__folder_is_missing__says_so(void **state)
{
    char content[] = "x";
    struct berth_error err;
    char path[600];

    (void)state;
    (void)snprintf(path, sizeof path, "%s/none/f.prom", folder);
    assert_code(berth_file_replace(path, content, 1, &err), BERTH_IO);
    assert_non_null(strstr(err.detail, path));
    assert_non_null(strstr(err.detail, "no such file or directory"));
}

static void replace__a_folder_in_its_place__leaves_nothing_behind(void **state)
{
    char content[] = "x";
    struct berth_error err;

    (void)state;
    add_folder(temp_path(folder, "f.prom"));
    assert_code(berth_file_replace(temp_path(folder, "f.prom"), content, 1, &err), BERTH_IO);
    assert_false(exists(temp_path(folder, "f.prom.new")));
}

static void replace__no_memory__is_an_error(void **state)
{
    char content[] = "x";
    const char *path = temp_path(folder, "f.prom");
    bool failed = true;

    (void)state;
    for (size_t at = 1; failed; at++) {
        struct berth_error err;
        size_t live;
        memory_faults_begin(at, false);
        enum berth_code code = berth_file_replace(path, content, 1, &err);
        failed = memory_faults_end(&live);
        assert_code(code, failed ? BERTH_NO_MEMORY : BERTH_OK);
        assert_int_equal(live, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(replace__new_then_again__has_the_latest, set_up, tear_down),
        cmocka_unit_test_setup_teardown(replace__leftover_of_before__is_no_hindrance, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(replace__folder_is_missing__says_so, set_up, tear_down),
        cmocka_unit_test_setup_teardown(replace__a_folder_in_its_place__leaves_nothing_behind,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(replace__no_memory__is_an_error, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("daemon.file_replace", tests, NULL, NULL);
}
