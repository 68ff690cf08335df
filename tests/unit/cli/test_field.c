/* SPDX-License-Identifier: MIT */
#include "cmocka_all.h"

#include "base/memory.h"
#include "cli/field.h"

static void field__members_of_wrong_types__read_as_missing(void **state)
{
    json_t *object = json_pack("{s:s, s:i, s:b, s:[i], s:{}, s:f}", "string", "x", "number", 7,
                               "true", 1, "array", 1, "object", "real", 1.5);
    static const char *const names[] = {"string", "number", "true", "array",
                                        "object", "real",   "none"};

    (void)state;
    assert_non_null(object);
    for (size_t i = 0; i < BERTH_COUNT(names); i++) {
        const char *name = names[i];
        assert_int_equal(berth_field_string(object, name) != NULL, strcmp(name, "string") == 0);
        assert_int_equal(berth_field_number(object, name, -1),
                         strcmp(name, "number") == 0 ? 7 : -1);
        assert_int_equal(berth_field_true(object, name), strcmp(name, "true") == 0);
        assert_int_equal(berth_field_array(object, name) != NULL, strcmp(name, "array") == 0);
        assert_int_equal(berth_field_object(object, name) != NULL, strcmp(name, "object") == 0);
    }
    assert_null(berth_field_string(NULL, "x"));
    json_decref(object);
}

static void field_port__only_ports__are_read(void **state)
{
    static const struct {
        const char *text;
        int port; /* 0: none */
    } rows[] = {{"[1]", 1},    {"[65535]", 65535}, {"[0]", 0},    {"[65536]", 0},     {"[-1]", 0},
                {"[80.0]", 0}, {"[\"80\"]", 0},    {"[null]", 0}, {"[4294967376]", 0}};

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(rows); i++) {
        json_t *array = json_loads(rows[i].text, 0, NULL);
        uint16_t port = 0;
        assert_int_equal(berth_field_port(&port, json_array_get(array, 0)), rows[i].port != 0);
        assert_int_equal(port, rows[i].port);
        json_decref(array);
    }
}

static void field_range__two_ports_in_order__are_read(void **state)
{
    static const struct {
        const char *text;
        bool good;
    } rows[] = {{"[1,2]", true}, {"[2,2]", true},    {"[2,1]", false}, {"[1]", false},
                {"[]", false},   {"[1,2,3]", false}, {"{}", false},    {"[0,2]", false}};

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(rows); i++) {
        json_t *value = json_loads(rows[i].text, 0, NULL);
        uint16_t range[2];
        assert_int_equal(berth_field_range(range, value), rows[i].good);
        json_decref(value);
    }
}

static void field_sorted__by_number__keeps_the_order_of_equals(void **state)
{
    json_t *array = json_loads("[{\"p\":3,\"n\":\"a\"},{\"p\":1,\"n\":\"b\"},{\"p\":3,\"n\":\"c\"},"
                               "7,{\"p\":2,\"n\":\"d\"}]",
                               0, NULL);
    static const char *const expected[] = {NULL, "b", "d", "a", "c"};
    const json_t **sorted = berth_field_sorted(array, "p");

    (void)state;
    assert_non_null(sorted);
    for (size_t i = 1; i < BERTH_COUNT(expected); i++) {
        assert_string_equal(berth_field_string(sorted[i], "n"), expected[i]);
    }
    assert_null(berth_field_sorted(NULL, "p"));
    berth_free(sorted);
    json_decref(array);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(field__members_of_wrong_types__read_as_missing),
        cmocka_unit_test(field_port__only_ports__are_read),
        cmocka_unit_test(field_range__two_ports_in_order__are_read),
        cmocka_unit_test(field_sorted__by_number__keeps_the_order_of_equals),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
