/* SPDX-License-Identifier: MIT */
#include "daemon/options.h"

#include "cmocka_all.h"

#include <stdio.h>

#define ARGUMENTS_MAX 16

/* Reads "berthd" and the arguments, separated by one blank each. */
static enum berth_code read_line(const char *line, struct berth_options *out,
                                 struct berth_error *err)
{
    static char text[256];
    char *argv[ARGUMENTS_MAX + 1] = {text};
    int argc = 1;

    (void)snprintf(text, sizeof text, "berthd %s", line);
    for (char *at = text; *at != '\0'; at++) {
        if (*at == ' ') {
            *at = '\0';
            assert_true(argc < ARGUMENTS_MAX);
            argv[argc++] = at + 1;
        }
    }
    argv[argc] = NULL;
    return berth_options_read(out, argc, argv, err);
}

static void read__no_arguments__defaults(void **state)
{
    char name[] = "berthd";
    char *argv[] = {name, NULL};
    struct berth_options options;
    struct berth_error err;

    (void)state;
    assert_ok(berth_options_read(&options, 1, argv, &err), &err);
    assert_null(options.config);
    assert_null(options.endpoint);
    assert_null(options.state);
    assert_int_equal(options.log_level, BERTH_LOG_INFO);
    assert_false(options.check_config || options.version || options.help || options.service);
    /* started with no name even */
    assert_ok(berth_options_read(&options, 0, argv + 1, &err), &err);
}

static void read__everything__in_both_forms(void **state)
{
    static const char *const lines[] = {
        "--config a --endpoint b --state c --log-level debug --check-config --version --help "
        "--service",
        "--service --help --check-config --log-level=debug --state=c --endpoint=b --config=a "
        "--version",
    };

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(lines); i++) {
        struct berth_options options;
        struct berth_error err;
        assert_ok(read_line(lines[i], &options, &err), &err);
        assert_string_equal(options.config, "a");
        assert_string_equal(options.endpoint, "b");
        assert_string_equal(options.state, "c");
        assert_int_equal(options.log_level, BERTH_LOG_DEBUG);
        assert_true(options.check_config && options.version && options.help && options.service);
    }
}

static void read__given_twice__the_last_counts(void **state)
{
    struct berth_options options;
    struct berth_error err;

    (void)state;
    assert_ok(read_line("--config a --config=b=c", &options, &err), &err);
    assert_string_equal(options.config, "b=c");
}

static void read__wrong__names_the_argument(void **state)
{
    static const struct {
        const char *line;
        const char *named;
    } cases[] = {
        {"--nothing", "--nothing"},
        {"extra", "extra"},
        {"--config", "--config"},
        {"--config=", "--config"},
        {"--endpoint", "--endpoint"},
        {"--state", "--state"},
        {"--log-level", "--log-level"},
        {"--log-level loud", "loud"},
        {"--configuration a", "--configuration"},
        {"--version=1", "--version=1"},
        {"-v", "-v"},
    };

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(cases); i++) {
        struct berth_options options;
        struct berth_error err;
        assert_code(read_line(cases[i].line, &options, &err), BERTH_INVALID_PARAMS);
        if (strstr(err.detail, cases[i].named) == NULL) {
            fail_msg("%s: %s", cases[i].line, err.detail);
        }
    }
}

static void help__names_every_option(void **state)
{
    static const char *const options[] = {"--config", "--endpoint",     "--state",   "--log-level",
                                          "--help",   "--check-config", "--version", "--service"};

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(options); i++) {
        assert_non_null(strstr(berth_options_help(), options[i]));
    }
    /* the places of both platforms */
    assert_non_null(strstr(berth_options_help(), "/etc/berth/berthd.config"));
    assert_non_null(strstr(berth_options_help(), "%ProgramData%\\Berth\\berthd.config"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read__no_arguments__defaults),
        cmocka_unit_test(read__everything__in_both_forms),
        cmocka_unit_test(read__given_twice__the_last_counts),
        cmocka_unit_test(read__wrong__names_the_argument),
        cmocka_unit_test(help__names_every_option),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
