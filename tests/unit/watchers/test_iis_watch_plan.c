/* SPDX-License-Identifier: MIT */
#include "cmocka_all.h"
#include "memory_faults.h"
#include "temp_folder.h"
#include "watchers/iis_watch_plan.h"

#include <stdio.h>

static void assert_plan(const char *file, const char *expected)
{
    struct berth_iis_watch_plan plan = {0};
    struct berth_error err;

    assert_ok(berth_iis_watch_plan_add(&plan, file, &err), &err);
    assert_int_equal(plan.count, 1);
    assert_string_equal(plan.folders[0].path, expected);
    berth_iis_watch_plan_fini(&plan);
}

static void add__folder_there__is_the_folder(void **unused)
{
    (void)unused;
    assert_plan(temp_path(folder, "x"), folder);
    assert_plan("/x", "/");
    assert_plan("x", ".");
    assert_plan("", ".");
}

static void add__folder_missing__is_the_nearest_above(void **unused)
{
    (void)unused;
    assert_plan(temp_path(folder, "a/b/c"), folder);
    assert_plan(temp_path(folder, "a//b///c"), folder);
    assert_plan("/no-such-folder/b/c", "/");
    assert_plan("no-such-folder/b/c", ".");
    write_file(temp_path(folder, "file"), "x", 1);
    assert_plan(temp_path(folder, "file/b/c"), folder);
}

static void add__same_folder__is_there_once(void **unused)
{
    struct berth_iis_watch_plan plan = {0};

    (void)unused;
    add_folder(temp_path(folder, "sub"));
    assert_code(berth_iis_watch_plan_add(&plan, temp_path(folder, "a"), NULL), BERTH_OK);
    assert_code(berth_iis_watch_plan_add(&plan, temp_path(folder, "b"), NULL), BERTH_OK);
    assert_code(berth_iis_watch_plan_add(&plan, temp_path(folder, "no/c"), NULL), BERTH_OK);
    assert_int_equal(plan.count, 1);
    assert_code(berth_iis_watch_plan_add(&plan, temp_path(folder, "sub/c"), NULL), BERTH_OK);
    assert_int_equal(plan.count, 2);
    for (int i = 0; i < 8; i++) {
        char name[32];
        (void)snprintf(name, sizeof name, "sub%d", i);
        add_folder(temp_path(folder, name));
        (void)snprintf(name, sizeof name, "sub%d/x", i);
        assert_code(berth_iis_watch_plan_add(&plan, temp_path(folder, name), NULL), BERTH_OK);
    }
    assert_int_equal(plan.count, BERTH_IIS_FOLDERS_MAX);
    berth_iis_watch_plan_fini(&plan);
    assert_int_equal(plan.count, 0);
}

static void is_same__folder_replaced__differs(void **unused)
{
    struct berth_iis_watch_plan before = {0};
    struct berth_iis_watch_plan after = {0};

    (void)unused;
    add_folder(temp_path(folder, "sub"));
    assert_code(berth_iis_watch_plan_add(&before, temp_path(folder, "sub/x"), NULL), BERTH_OK);
    assert_int_equal(rename(temp_path(folder, "sub"), temp_path(folder, "old")), 0);
    add_folder(temp_path(folder, "sub"));
    assert_code(berth_iis_watch_plan_add(&after, temp_path(folder, "sub/x"), NULL), BERTH_OK);
    assert_string_equal(before.folders[0].path, after.folders[0].path);
    assert_false(berth_iis_folder_is_same(&before.folders[0], &after.folders[0]));
    assert_true(berth_iis_folder_is_same(&after.folders[0], &after.folders[0]));
    berth_iis_watch_plan_fini(&before);
    berth_iis_watch_plan_fini(&after);
}

static void is_missing__tells_only_what_is_sure(void **unused)
{
    (void)unused;
    assert_false(berth_iis_folder_is_missing(temp_path(folder, "x")));
    assert_true(berth_iis_folder_is_missing(temp_path(folder, "no/x")));
    assert_false(berth_iis_folder_is_missing("x"));
    assert_false(berth_iis_folder_is_missing(""));
    write_file(temp_path(folder, "file"), "x", 1);
    assert_true(berth_iis_folder_is_missing(temp_path(folder, "file/x")));
}

static void add__no_memory__is_an_error(void **unused)
{
    struct berth_iis_watch_plan plan = {0};
    struct berth_error err;
    size_t live;

    (void)unused;
    memory_faults_begin(1, true);
    enum berth_code code = berth_iis_watch_plan_add(&plan, "/x", &err);
    bool missing = berth_iis_folder_is_missing("/no-such-folder/x");
    assert_true(memory_faults_end(&live));
    assert_code(code, BERTH_NO_MEMORY);
    assert_false(missing);
    assert_int_equal(plan.count, 0);
    assert_int_equal(live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(add__folder_there__is_the_folder, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(add__folder_missing__is_the_nearest_above, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(add__same_folder__is_there_once, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(is_same__folder_replaced__differs, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(is_missing__tells_only_what_is_sure, make_folder,
                                        remove_folder),
        cmocka_unit_test(add__no_memory__is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
