/* SPDX-License-Identifier: MIT */
#include "cmocka_all.h"
#include "memory_faults.h"
#include "settings_case.h"

#include "daemon/expand.h"

static void expect(const char *text, const char *expanded)
{
    struct berth_text out;
    struct berth_error err;

    berth_text_init(&out, 4096);
    assert_ok(berth_expand(&out, text, &settings_case_variables, &err), &err);
    assert_string_equal(berth_text_string(&out), expanded);
    berth_text_fini(&out);
}

static void expect_error(const char *text, enum berth_code code, const char *part)
{
    struct berth_text out;
    struct berth_error err;

    berth_text_init(&out, 4096);
    assert_code(berth_expand(&out, text, &settings_case_variables, &err), code);
    if (strstr(err.detail, part) == NULL) {
        fail_msg("\"%s\" does not say \"%s\"", err.detail, part);
    }
    berth_text_fini(&out);
}

static void expand__no_variable__copies(void **state)
{
    (void)state;
    expect("", "");
    expect("/var/lib/berth", "/var/lib/berth");
}

static void expand__variables__are_replaced(void **state)
{
    (void)state;
    expect("%ROOT%", "/srv/root");
    expect("x%ROOT%y%ROOT%", "x/srv/rooty/srv/root");
}

static void expand__two_percent_signs__give_one(void **state)
{
    (void)state;
    expect("100%%", "100%");
    expect("%%ROOT%%", "%ROOT%");
    expect("%%%ROOT%%%", "%/srv/root%");
}

static void expand__unknown_variable__is_named(void **state)
{
    (void)state;
    expect_error("%WINDIR%\\x", BERTH_NOT_FOUND, "no environment variable WINDIR");
    expect_error("%root%", BERTH_NOT_FOUND, "root");
}

static void expand__empty_variable__is_refused(void **state)
{
    (void)state;
    expect_error("%EMPTY%/x", BERTH_NOT_FOUND, "EMPTY is empty");
}

static void expand__unpaired_percent__is_refused(void **state)
{
    (void)state;
    expect_error("50%", BERTH_MALFORMED, "%%");
    expect_error("%ROOT%/%x", BERTH_MALFORMED, "no second one");
}

static void expand__long_name__is_refused(void **state)
{
    char text[BERTH_VARIABLE_NAME_MAX + 4];

    (void)state;
    memset(text, 'a', sizeof text);
    text[0] = '%';
    text[BERTH_VARIABLE_NAME_MAX + 2] = '%';
    text[BERTH_VARIABLE_NAME_MAX + 3] = '\0';
    expect_error(text, BERTH_MALFORMED, "longer than 255 bytes");
    text[BERTH_VARIABLE_NAME_MAX + 1] = '%';
    text[BERTH_VARIABLE_NAME_MAX + 2] = '\0';
    expect_error(text, BERTH_NOT_FOUND, "no environment variable aaa");
}

static void expand__over_the_limit__is_refused(void **state)
{
    (void)state;
    expect_error("%LONG%", BERTH_TOO_LARGE, "longer than 4096 bytes");
}

static void expand__no_memory__is_an_error(void **state)
{
    struct berth_text out;
    struct berth_error err;
    size_t live;

    (void)state;
    berth_text_init(&out, 4096);
    memory_faults_begin(1, true);
    enum berth_code code = berth_expand(&out, "%ROOT%", &settings_case_variables, &err);
    berth_text_fini(&out);
    assert_true(memory_faults_end(&live));
    assert_code(code, BERTH_NO_MEMORY);
    assert_int_equal(live, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(expand__no_variable__copies),
        cmocka_unit_test(expand__variables__are_replaced),
        cmocka_unit_test(expand__two_percent_signs__give_one),
        cmocka_unit_test(expand__unknown_variable__is_named),
        cmocka_unit_test(expand__empty_variable__is_refused),
        cmocka_unit_test(expand__unpaired_percent__is_refused),
        cmocka_unit_test(expand__long_name__is_refused),
        cmocka_unit_test(expand__over_the_limit__is_refused),
        cmocka_unit_test(expand__no_memory__is_an_error),
    };

    return cmocka_run_group_tests_name("expand", tests, NULL, NULL);
}
