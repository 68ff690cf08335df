/* SPDX-License-Identifier: MIT */
/* The configuration while Berth's own allocations fail, one after the other. */
#include "cmocka_all.h"
#include "memory_faults.h"
#include "settings_case.h"
#include "temp_dir.h"

#include <libxml/parser.h>
#include <stdlib.h>

static void parse_with_faults(const char *bytes, size_t size, enum berth_code otherwise,
                              bool for_ever)
{
    for (size_t fail_at = 1;; fail_at++) {
        struct berth_settings settings;
        struct berth_diagnostics list;
        struct berth_error err;
        size_t live;

        memory_faults_begin(fail_at, for_ever);
        enum berth_code code = settings_case_parse(&settings, bytes, size, &list, &err);
        if (code == BERTH_OK) {
            berth_settings_fini(&settings);
        }
        berth_diagnostics_fini(&list);
        bool failed = memory_faults_end(&live);
        assert_int_equal(live, 0);
        assert_code(code, failed ? BERTH_NO_MEMORY : otherwise);
        if (!failed) {
            assert_true(fail_at > 10);
            return;
        }
    }
}

static void parse__each_allocation_fails__is_an_error(void **state)
{
    static const struct {
        const char *file;
        enum berth_code otherwise;
    } files[] = {
        {TEST_DATA "/settings/valid-everything.config", BERTH_OK},
        {TEST_DATA "/settings/schema-many-errors.config", BERTH_MALFORMED},
        {TEST_DATA "/settings/meaning-many-errors.config", BERTH_MALFORMED},
    };

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(files); i++) {
        size_t size;
        char *bytes = read_whole_file(files[i].file, &size);
        parse_with_faults(bytes, size, files[i].otherwise, false);
        parse_with_faults(bytes, size, files[i].otherwise, true);
        free(bytes);
    }
}

static void default__each_allocation_fails__is_an_error(void **state)
{
    bool failed = true;

    (void)state;
    for (size_t fail_at = 1; failed; fail_at++) {
        struct berth_settings settings;
        struct berth_error err;
        size_t live;

        memory_faults_begin(fail_at, false);
        enum berth_code code = berth_settings_default(&settings, &err);
        if (code == BERTH_OK) {
            berth_settings_fini(&settings);
        }
        failed = memory_faults_end(&live);
        assert_int_equal(live, 0);
        assert_code(code, failed ? BERTH_NO_MEMORY : BERTH_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse__each_allocation_fails__is_an_error),
        cmocka_unit_test(default__each_allocation_fails__is_an_error),
    };

    int failures = cmocka_run_group_tests_name("settings_memory", tests, NULL, NULL);
    xmlCleanupParser();
    return failures;
}
