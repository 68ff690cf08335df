/* SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "base/native.h"
#include "cmocka_all.h"
#include "memory_faults.h"
#include "temp_dir.h"

#include <errno.h>

#define GREEK "\xce\xb1\xce\xb2" /* in no code page of Western Windows */

static void open_file__name_of_any_script__is_that_file(void **state)
{
    char *folder = temp_dir_make();
    const char *path = temp_path(folder, GREEK);
    char line[16] = "";

    (void)state;
    FILE *file = berth_open_file(path, "wb");
    assert_non_null(file);
    assert_true(fputs("here\n", file) >= 0);
    assert_int_equal(fclose(file), 0);
    file = berth_open_file(path, "rb");
    assert_non_null(file);
    assert_non_null(fgets(line, sizeof line, file));
    assert_int_equal(fclose(file), 0);
    assert_string_equal(line, "here\n");
    temp_dir_remove(folder);
}

static void open_file__absent__is_NULL_and_says_why(void **state)
{
    char *folder = temp_dir_make();

    (void)state;
    errno = 0;
    assert_null(berth_open_file(temp_path(folder, "none"), "rb"));
    assert_int_equal(errno, ENOENT);
    temp_dir_remove(folder);
}

static void environment__set_or_not__is_a_copy_or_NULL(void **state)
{
    char *value = NULL;

    (void)state;
    set_environment("BERTH_TEST_NATIVE", "a value");
    assert_true(berth_environment(&value, "BERTH_TEST_NATIVE"));
    assert_string_equal(value, "a value");
    berth_free(value);
    set_environment("BERTH_TEST_NATIVE", NULL);
    assert_true(berth_environment(&value, "BERTH_TEST_NATIVE"));
    assert_null(value);
}

static void environment__no_memory__is_told(void **state)
{
    bool told = true;
    bool failed = true;
    size_t live;

    (void)state;
    set_environment("BERTH_TEST_NATIVE", "a value");
    for (size_t at = 1; failed; at++) {
        char *value = NULL;
        memory_faults_begin(at, false);
        bool got = berth_environment(&value, "BERTH_TEST_NATIVE");
        berth_free(value);
        failed = memory_faults_end(&live);
        told = told && got == !failed && live == 0;
    }
    set_environment("BERTH_TEST_NATIVE", NULL);
    assert_true(told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open_file__name_of_any_script__is_that_file),
        cmocka_unit_test(open_file__absent__is_NULL_and_says_why),
        cmocka_unit_test(environment__set_or_not__is_a_copy_or_NULL),
        cmocka_unit_test(environment__no_memory__is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
