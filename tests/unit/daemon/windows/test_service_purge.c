/* SPDX-License-Identifier: MIT */
#include "daemon/windows/service_purge.h"

#include "cmocka_all.h"
#include "temp_dir.h"

#include <stdio.h>
#include <windows.h>

static void purge__a_folder_of_files__is_gone(void **state)
{
    char *folder = temp_dir_make();
    char inner[400];
    struct berth_text notes;

    (void)state;
    berth_text_init(&notes, 1000);
    (void)snprintf(inner, sizeof inner, "%s\\state", folder);
    assert_true(CreateDirectoryA(inner, NULL));
    write_file(temp_path(inner, "berth.db"), "x", 1);
    write_file(temp_path(inner, "berth.db-wal"), "x", 1);
    assert_true(berth_service_purge_folder(inner, &notes));
    assert_int_equal(GetFileAttributesA(inner), INVALID_FILE_ATTRIBUTES);
    assert_true(berth_service_purge_folder(inner, &notes)); /* gone already */
    assert_string_equal(berth_text_string(&notes), "");
    berth_text_fini(&notes);
    temp_dir_remove(folder);
}

static void purge__with_somebody_elses_folder__keeps_that_and_says_so(void **state)
{
    char *folder = temp_dir_make();
    char inner[400];
    struct berth_text notes;

    (void)state;
    berth_text_init(&notes, 1000);
    (void)snprintf(inner, sizeof inner, "%s\\theirs", folder);
    assert_true(CreateDirectoryA(inner, NULL));
    write_file(temp_path(inner, "a"), "x", 1);
    write_file(temp_path(folder, "berthd.config"), "x", 1);
    assert_false(berth_service_purge_folder(folder, &notes));
    assert_int_not_equal(GetFileAttributesA(inner), INVALID_FILE_ATTRIBUTES);
    assert_int_equal(GetFileAttributesA(temp_path(folder, "berthd.config")),
                     INVALID_FILE_ATTRIBUTES);
    assert_non_null(strstr(berth_text_string(&notes), " stays: "));
    berth_text_fini(&notes);
    temp_dir_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(purge__a_folder_of_files__is_gone),
        cmocka_unit_test(purge__with_somebody_elses_folder__keeps_that_and_says_so),
    };
    return cmocka_run_group_tests_name("daemon.service_purge", tests, NULL, NULL);
}
