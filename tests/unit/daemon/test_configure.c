/* SPDX-License-Identifier: MIT */
#include "daemon/configure.h"

#include "base/memory.h"
#include "cmocka_all.h"
#include "memory_faults.h"
#include "temp_dir.h"

#include <stdlib.h>
#include <uv.h>

/* One pool of which the reserved ports lie outside: a warning. */
#define WITH_WARNING                                                                               \
    "<berth>\n<pools><pool name=\"a\" ports=\"21000-21009\"/></pools>\n"                           \
    "<reserved><ports range=\"30000\"/></reserved></berth>"

struct fixture {
    char *folder;
    char path[300];
    FILE *log;
};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    if (fixture == NULL) {
        return -1;
    }
    fixture->folder = temp_dir_make();
    (void)snprintf(fixture->path, sizeof fixture->path, "%s/berthd.config", fixture->folder);
    fixture->log = tmpfile();
    berth_log_use(fixture->log, BERTH_LOG_INFO, false);
    *state = fixture;
    return fixture->log != NULL ? 0 : -1;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    berth_log_use(NULL, BERTH_LOG_INFO, false);
    (void)fclose(fixture->log);
    temp_dir_remove(fixture->folder);
    free(fixture);
    return 0;
}

static bool log_has(struct fixture *fixture, const char *text)
{
    static char log[65536];

    rewind(fixture->log);
    log[fread(log, 1, sizeof log - 1, fixture->log)] = '\0';
    return strstr(log, text) != NULL;
}

static void load__file_with_a_warning__is_kept_and_logged(void **state)
{
    struct fixture *fixture = *state;
    const struct berth_options options = {.config = fixture->path};
    struct berth_configuration configuration;
    struct berth_error err;

    write_file(fixture->path, WITH_WARNING, sizeof WITH_WARNING - 1);
    assert_ok(berth_configuration_load(&configuration, &options, &err), &err);
    assert_string_equal(configuration.path, fixture->path);
    assert_int_equal(configuration.settings.pool_count, 1);
    assert_int_equal(configuration.warning_count, 1);
    assert_non_null(strstr(configuration.warnings[0], "berthd.config:3: "));
    assert_true(log_has(fixture, configuration.warnings[0]));
    berth_configuration_fini(&configuration);
    assert_null(configuration.path);
    assert_int_equal(configuration.warning_count, 0);
    berth_configuration_fini(&configuration); /* twice is harmless */
}

static void check_files__programs_and_folders_that_are_not_there__are_warned_of(void **state)
{
    struct fixture *fixture = *state;
    const struct berth_options options = {.config = fixture->path};
    struct berth_configuration configuration;
    struct berth_error err;
    char text[3000];
    int length = snprintf(text, sizeof text,
                          "<berth><alerts>\n<command path=\"%s\"/>\n"
                          "<command path=\"%s/none\"/>\n<metrics path=\"%s/m.prom\"/>\n"
                          "</alerts></berth>",
                          fixture->path, fixture->folder, fixture->folder);

    write_file(fixture->path, text, (size_t)length);
    uv_fs_t request;
    assert_int_equal(uv_fs_chmod(NULL, &request, fixture->path, 0755, NULL), 0);
    uv_fs_req_cleanup(&request);
    assert_ok(berth_configuration_load(&configuration, &options, &err), &err);
    assert_int_equal(configuration.warning_count, 0);
    berth_configuration_check_files(&configuration);
    assert_int_equal(configuration.warning_count, 1);
    assert_non_null(strstr(configuration.warnings[0], "berthd.config:3: <command> path=\""));
    assert_non_null(
        strstr(configuration.warnings[0], "/none\" cannot be run: no such file or directory"));
    berth_free(configuration.settings.alerts.metrics_path);
    configuration.settings.alerts.metrics_path = berth_copy("/no such folder/m.prom");
    berth_configuration_check_files(&configuration);
    assert_int_equal(configuration.warning_count, 3);
    assert_non_null(strstr(configuration.warnings[2],
                           "<metrics> path=\"/no such folder/m.prom\": its folder: no such"));
    berth_configuration_fini(&configuration);
}

static void check__remarks__are_given_and_not_logged(void **state)
{
    static const char bad[] = "<berth>\n<lease ttl=\"x\"/>\n</berth>";
    struct fixture *fixture = *state;
    const struct berth_options options = {.config = fixture->path};
    struct berth_configuration configuration;
    struct berth_text remarks;
    struct berth_error err;

    write_file(fixture->path, bad, sizeof bad - 1);
    berth_text_init(&remarks, 4096);
    assert_code(berth_configuration_check(&configuration, &options, &remarks, &err),
                BERTH_MALFORMED);
    assert_non_null(strstr(berth_text_string(&remarks), "berthd.config:2: error: <lease> ttl="));
    berth_text_clear(&remarks);
    write_file(fixture->path, WITH_WARNING, sizeof WITH_WARNING - 1);
    assert_ok(berth_configuration_check(&configuration, &options, &remarks, &err), &err);
    assert_non_null(strstr(berth_text_string(&remarks), "berthd.config:3: warning: "));
    assert_int_equal(configuration.warning_count, 1);
    berth_configuration_add_warnings(&configuration, "another");
    assert_false(log_has(fixture, "berthd.config"));
    assert_false(log_has(fixture, "another"));
    berth_configuration_fini(&configuration);
    berth_text_fini(&remarks);
}

static void load__missing_file__is_an_error_when_it_was_named(void **state)
{
    struct fixture *fixture = *state;
    const struct berth_options options = {.config = fixture->path};
    struct berth_configuration configuration;
    struct berth_error err;

    assert_code(berth_configuration_load(&configuration, &options, &err), BERTH_NOT_FOUND);
    assert_non_null(strstr(err.detail, fixture->path));
}

static void load__bad_file__logs_each_error_with_its_line(void **state)
{
    static const char text[] = "<berth>\n<lease ttl=\"x\"/>\n<tcp poll=\"y\"/>\n</berth>";
    struct fixture *fixture = *state;
    const struct berth_options options = {.config = fixture->path};
    struct berth_configuration configuration;
    struct berth_error err;

    write_file(fixture->path, text, sizeof text - 1);
    assert_code(berth_configuration_load(&configuration, &options, &err), BERTH_MALFORMED);
    assert_true(log_has(fixture, "berthd.config:2: "));
    assert_true(log_has(fixture, "berthd.config:3: "));
}

static void add_warnings__lines__become_one_each(void **state)
{
    struct fixture *fixture = *state;
    struct berth_configuration configuration = {.path = NULL};

    berth_configuration_add_warnings(&configuration, "");
    assert_int_equal(configuration.warning_count, 0);
    berth_configuration_add_warnings(&configuration, "first\n\nsecond\nthird");
    assert_int_equal(configuration.warning_count, 3);
    assert_string_equal(configuration.warnings[0], "first");
    assert_string_equal(configuration.warnings[1], "second");
    assert_string_equal(configuration.warnings[2], "third");
    assert_true(log_has(fixture, "configuration: second"));
    berth_configuration_fini(&configuration);
}

static void load__each_allocation_fails__is_an_error_or_a_lost_warning(void **state)
{
    struct fixture *fixture = *state;
    const struct berth_options options = {.config = fixture->path};
    struct berth_configuration configuration;
    struct berth_error err;
    bool failed = true;

    write_file(fixture->path, WITH_WARNING, sizeof WITH_WARNING - 1);
    /* what libxml2 keeps for good is not this function's */
    assert_ok(berth_configuration_load(&configuration, &options, &err), &err);
    berth_configuration_fini(&configuration);
    for (size_t n = 1; failed; n++) {
        size_t live;
        memory_faults_begin(n, false);
        enum berth_code code = berth_configuration_load(&configuration, &options, &err);
        if (code == BERTH_OK) {
            assert_int_equal(configuration.settings.pool_count, 1);
            berth_configuration_fini(&configuration);
        }
        failed = memory_faults_end(&live);
        assert_int_equal(live, 0);
        if (code != BERTH_OK) {
            assert_true(failed);
            assert_code(code, BERTH_NO_MEMORY);
        }
    }
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(load__file_with_a_warning__is_kept_and_logged),
        CASE(check_files__programs_and_folders_that_are_not_there__are_warned_of),
        CASE(load__missing_file__is_an_error_when_it_was_named),
        CASE(check__remarks__are_given_and_not_logged),
        CASE(load__bad_file__logs_each_error_with_its_line),
        CASE(add_warnings__lines__become_one_each),
        CASE(load__each_allocation_fails__is_an_error_or_a_lost_warning),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
