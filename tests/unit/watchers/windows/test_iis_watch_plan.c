/* SPDX-License-Identifier: MIT */
/* Paths that only Windows has: drives, shares, two kinds of separators, letters in any case. */
#include "cmocka_all.h"
#include "temp_dir.h"
#include "watchers/iis_watch_plan.h"

static void assert_plan(const char *file, const char *expected)
{
    struct berth_iis_watch_plan plan = {0};
    struct berth_error err;

    assert_ok(berth_iis_watch_plan_add(&plan, file, &err), &err);
    assert_int_equal(plan.count, 1);
    assert_string_equal(plan.folders[0].path, expected);
    berth_iis_watch_plan_fini(&plan);
}

static void add__below_a_drive__ends_at_its_root(void **state)
{
    (void)state;
    assert_plan("C:\\x", "C:\\");
    assert_plan("c:/x", "c:/");
    assert_plan("C:\\no-such-folder\\b\\c", "C:\\");
    assert_plan("C:\\no-such-folder/b\\c", "C:\\");
}

static void add__below_a_share__ends_at_the_share(void **state)
{
    (void)state;
    /* a server that does not answer: it cannot be watched, which the watcher says and polls */
    assert_plan("\\\\?\\no-such-share\\folder\\x", "\\\\?\\no-such-share");
    assert_plan("\\\\.\\no-such-share\\x", "\\\\.\\no-such-share");
}

static void add__one_folder_in_other_letters__is_the_same_folder(void **state)
{
    struct berth_iis_watch_plan plan = {0};
    struct berth_error err;
    char *folder = temp_dir_make();

    (void)state;
    add_folder(temp_path(folder, "config"));
    assert_ok(berth_iis_watch_plan_add(&plan, temp_path(folder, "config/a"), &err), &err);
    assert_ok(berth_iis_watch_plan_add(&plan, temp_path(folder, "CONFIG\\b"), &err), &err);
    /* two watches of one folder do no harm */
    assert_in_range(plan.count, 1, 2);
    for (size_t i = 0; i < plan.count; i++) {
        assert_int_equal(plan.folders[i].device, plan.folders[0].device);
        assert_int_equal(plan.folders[i].inode, plan.folders[0].inode);
        assert_true(plan.folders[i].inode != 0);
    }
    assert_false(berth_iis_folder_is_missing(temp_path(folder, "Config\\c")));
    berth_iis_watch_plan_fini(&plan);
    temp_dir_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(add__below_a_drive__ends_at_its_root),
        cmocka_unit_test(add__below_a_share__ends_at_the_share),
        cmocka_unit_test(add__one_folder_in_other_letters__is_the_same_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
