/* SPDX-License-Identifier: MIT */
#include "cmocka_all.h"

#include "cli/port_output.h"

#include <stdio.h>

static void expect(enum berth_port_format format, const char *variable, size_t count,
                   const char *expected)
{
    static const uint16_t ports[] = {49000, 1, 65535};
    struct berth_text out;

    berth_text_init(&out, 10000);
    berth_port_format_write(&out, format, variable, ports, count);
    assert_string_equal(berth_text_string(&out), expected);
    berth_text_fini(&out);
}

static void port_output__plain__is_one_port_a_line(void **state)
{
    (void)state;
    expect(BERTH_PORT_FORMAT_PLAIN, NULL, 1, "49000\n");
    expect(BERTH_PORT_FORMAT_PLAIN, NULL, 3, "49000\n1\n65535\n");
}

static void port_output__octopus__is_the_service_message(void **state)
{
    (void)state;
    expect(BERTH_PORT_FORMAT_OCTOPUS, "Port", 1,
           "##octopus[setVariable name='UG9ydA==' value='NDkwMDA=']\n");
    expect(BERTH_PORT_FORMAT_OCTOPUS, "Port", 2,
           "##octopus[setVariable name='UG9ydA==' value='NDkwMDA=']\n"
           "##octopus[setVariable name='UG9ydF8x' value='NDkwMDA=']\n"
           "##octopus[setVariable name='UG9ydF8y' value='MQ==']\n");
}

/* RFC 4648, section 10, through the variable's name */
static void port_output__base64__is_that_of_the_rfc(void **state)
{
    static const struct {
        const char *text;
        const char *encoded;
    } rows[] = {{"f", "Zg=="},
                {"fo", "Zm8="},
                {"foo", "Zm9v"},
                {"foob", "Zm9vYg=="},
                {"fooba", "Zm9vYmE="},
                {"foobar", "Zm9vYmFy"},
                {"\xC3\xBF\xC3\xBE", "w7/Dvg=="}};

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(rows); i++) {
        char expected[100];
        (void)snprintf(expected, sizeof expected,
                       "##octopus[setVariable name='%s' value='NDkwMDA=']\n", rows[i].encoded);
        expect(BERTH_PORT_FORMAT_OCTOPUS, rows[i].text, 1, expected);
    }
}

static void port_output__env__is_assignments(void **state)
{
    (void)state;
    expect(BERTH_PORT_FORMAT_ENV, "BERTH_PORT", 1, "BERTH_PORT=49000\n");
    expect(BERTH_PORT_FORMAT_ENV, "P", 3, "P=49000\nP_1=49000\nP_2=1\nP_3=65535\n");
}

static void port_output__formats__are_found_with_their_variables(void **state)
{
    enum berth_port_format format = BERTH_PORT_FORMAT_PLAIN;

    (void)state;
    assert_true(berth_port_format_find(&format, "octopus"));
    assert_string_equal(berth_port_format_variable(format), "Port");
    assert_true(berth_port_format_find(&format, "env"));
    assert_string_equal(berth_port_format_variable(format), "BERTH_PORT");
    assert_true(berth_port_format_find(&format, "plain"));
    assert_null(berth_port_format_variable(format));
    assert_false(berth_port_format_find(&format, "Plain"));
    assert_int_equal(format, BERTH_PORT_FORMAT_PLAIN);
}

static void port_output__variable_names__are_checked(void **state)
{
    (void)state;
    assert_true(berth_port_format_accepts(BERTH_PORT_FORMAT_ENV, "_a1"));
    assert_false(berth_port_format_accepts(BERTH_PORT_FORMAT_ENV, "1a"));
    assert_false(berth_port_format_accepts(BERTH_PORT_FORMAT_ENV, ""));
    assert_false(berth_port_format_accepts(BERTH_PORT_FORMAT_ENV, "A;rm -rf /"));
    assert_false(berth_port_format_accepts(BERTH_PORT_FORMAT_ENV, "A B"));
    assert_true(berth_port_format_accepts(BERTH_PORT_FORMAT_OCTOPUS, "My Port"));
    assert_false(berth_port_format_accepts(BERTH_PORT_FORMAT_OCTOPUS, "  "));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(port_output__plain__is_one_port_a_line),
        cmocka_unit_test(port_output__octopus__is_the_service_message),
        cmocka_unit_test(port_output__base64__is_that_of_the_rfc),
        cmocka_unit_test(port_output__env__is_assignments),
        cmocka_unit_test(port_output__formats__are_found_with_their_variables),
        cmocka_unit_test(port_output__variable_names__are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
