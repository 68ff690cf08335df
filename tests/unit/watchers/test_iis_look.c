/* SPDX-License-Identifier: MIT */
#include "cmocka_all.h"
#include "temp_folder.h"
#include "watchers/iis_look.h"

#include <stdlib.h>

#define ONE                                                                                        \
    "<configuration><system.applicationHost><sites><site name='one'><bindings><binding "           \
    "protocol='http' bindingInformation='*:8080:'/></bindings></site></sites>"                     \
    "</system.applicationHost></configuration>"

static void look_at(struct berth_iis_look *look, const char *name)
{
    look->path = temp_path(folder, name);
    look->file_limit_bytes = 1000000;
    berth_iis_look_run(look);
}

static void run__file_changes__answers_follow(void **unused)
{
    struct berth_iis_look look = {0};
    struct berth_iis_config current;

    (void)unused;
    look_at(&look, "a.config");
    assert_int_equal(look.result, BERTH_IIS_LOOK_FAILED);
    assert_code(look.error.code, BERTH_NOT_FOUND);
    assert_int_equal(look.plan.count, 1);
    berth_iis_look_fini(&look);

    write_file(temp_path(folder, "a.config"), ONE, strlen(ONE));
    look_at(&look, "a.config");
    assert_int_equal(look.result, BERTH_IIS_LOOK_LOADED);
    assert_int_equal(look.loaded.claim_count, 1);
    current = look.loaded;
    look.loaded = (struct berth_iis_config){0};
    berth_iis_look_fini(&look);

    look.current = &current;
    look_at(&look, "a.config");
    assert_int_equal(look.result, BERTH_IIS_LOOK_SAME);
    assert_int_equal(look.plan.count, 1);
    berth_iis_look_fini(&look);

    write_file(temp_path(folder, "a.config"), "<configuration/>", 16);
    look_at(&look, "a.config");
    assert_int_equal(look.result, BERTH_IIS_LOOK_FAILED);
    assert_non_null(strstr(look.error.detail, "has no system.applicationHost/sites section"));
    berth_iis_look_fini(&look);
    berth_iis_config_fini(&current);
}

static void run__optional_and_folder_missing__is_absent(void **unused)
{
    struct berth_iis_look look = {.optional = true};
    struct berth_iis_config nothing = {0};

    (void)unused;
    look_at(&look, "no/a.config");
    assert_int_equal(look.result, BERTH_IIS_LOOK_ABSENT);
    assert_string_equal(look.plan.folders[0].path, folder);
    berth_iis_look_fini(&look);
    /* a folder without the file is no proof */
    look_at(&look, "a.config");
    assert_int_equal(look.result, BERTH_IIS_LOOK_FAILED);
    berth_iis_look_fini(&look);
    /* nor is a folder that is gone, once something was read */
    look.current = &nothing;
    look_at(&look, "no/a.config");
    assert_int_equal(look.result, BERTH_IIS_LOOK_FAILED);
    berth_iis_look_fini(&look);
}

static void run__several_folders__all_are_planned(void **unused)
{
    struct berth_iis_look look = {.file_limit_bytes = 1000000};

    (void)unused;
    look.path = TEST_DATA "/iis/source/applicationHost.config";
    berth_iis_look_run(&look);
    assert_int_equal(look.plan.count, 2);
    assert_string_equal(look.plan.folders[1].path, TEST_DATA "/iis/source/parts");
    berth_iis_look_fini(&look);
    set_environment("BERTH_TEST_SHARED", "/no-such-folder");
    look.path = TEST_DATA "/iis/shared/applicationHost.config";
    berth_iis_look_run(&look);
    assert_int_equal(look.result, BERTH_IIS_LOOK_FAILED);
    assert_int_equal(look.plan.count, 2);
    assert_string_equal(look.plan.folders[1].path, "/");
    berth_iis_look_fini(&look);
}

static void next_ms__failures__back_off_then_seldom(void **unused)
{
    static const struct berth_iis_pace pace = {2000, 1000, 50, 5000, 30000};
    static const uint32_t expected[] = {2000, 50,   100,  200,   400,  800,
                                        1600, 3200, 5000, 30000, 30000};
    (void)unused;
    for (unsigned i = 0; i < BERTH_COUNT(expected); i++) {
        assert_int_equal(berth_iis_pace_next_ms(&pace, i, false), expected[i]);
    }
    assert_int_equal(berth_iis_pace_next_ms(&pace, 4000000000u, false), 30000);
    assert_int_equal(berth_iis_pace_next_ms(&pace, 0, true), 1000);
    assert_int_equal(berth_iis_pace_next_ms(&pace, 7, true), 1000);
    assert_int_equal(berth_iis_pace_next_ms(&pace, 1, true), 50);
}

static void spacing_ms__what_a_look_took__is_nine_times_that_at_most_5_s(void **unused)
{
    static const struct berth_iis_pace pace = {2000, 1000, 50, 5000, 30000};

    (void)unused;
    assert_int_equal(berth_iis_pace_spacing_ms(&pace, 0), 0);
    assert_int_equal(berth_iis_pace_spacing_ms(&pace, 200000), 0);
    assert_int_equal(berth_iis_pace_spacing_ms(&pace, 30000000), 270);
    assert_int_equal(berth_iis_pace_spacing_ms(&pace, 600000000), 5000);
    assert_int_equal(berth_iis_pace_spacing_ms(&pace, UINT64_MAX), 5000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(run__file_changes__answers_follow, make_folder,
                                        remove_folder),
        cmocka_unit_test_setup_teardown(run__optional_and_folder_missing__is_absent, make_folder,
                                        remove_folder),
        cmocka_unit_test(run__several_folders__all_are_planned),
        cmocka_unit_test(next_ms__failures__back_off_then_seldom),
        cmocka_unit_test(spacing_ms__what_a_look_took__is_nine_times_that_at_most_5_s),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
