/* SPDX-License-Identifier: MIT */
#include "daemon/params.h"

#include "cmocka_all.h"

struct outputs {
    const char *string;
    uint16_t port;
    struct berth_port_range range;
    unsigned count;
    unsigned ports;
    bool flag;
    uint64_t ttl_ms;
    json_t *object;
};

static enum berth_code read_text(const char *text, struct outputs *out, json_t **kept,
                                 struct berth_error *err)
{
    const struct berth_param table[] = {
        {"string", BERTH_PARAM_STRING, &out->string}, {"port", BERTH_PARAM_PORT, &out->port},
        {"range", BERTH_PARAM_RANGE, &out->range},    {"count", BERTH_PARAM_COUNT, &out->count},
        {"flag", BERTH_PARAM_BOOLEAN, &out->flag},    {"ttl", BERTH_PARAM_DURATION, &out->ttl_ms},
        {"object", BERTH_PARAM_OBJECT, &out->object}, {"ports", BERTH_PARAM_PORTS, &out->ports},
    };

    *kept = text != NULL ? json_loads(text, JSON_ALLOW_NUL, NULL) : NULL;
    assert_true(text == NULL || *kept != NULL);
    return berth_params_read(*kept, table, BERTH_COUNT(table), err);
}

static void read__everything_right__is_taken(void **state)
{
    struct outputs out = {.port = 0};
    struct berth_error err;
    json_t *kept;

    (void)state;
    assert_ok(
        read_text("{\"string\":\"\xC3\xBC\",\"port\":65535,\"range\":[1,65535],\"count\":65535,"
                  "\"ports\":64,\"flag\":true,\"ttl\":\"15m\",\"object\":{\"a\":1}}",
                  &out, &kept, &err),
        &err);
    assert_string_equal(out.string, "\xC3\xBC");
    assert_int_equal(out.port, 65535);
    assert_int_equal(out.range.first, 1);
    assert_int_equal(out.range.last, 65535);
    assert_int_equal(out.count, 65535);
    assert_int_equal(out.ports, 64);
    assert_true(out.flag);
    assert_int_equal(out.ttl_ms, 900000);
    assert_int_equal(json_object_size(out.object), 1);
    json_decref(kept);
}

static void read__missing_or_null__leaves_what_was_there(void **state)
{
    static const char *const texts[] = {
        NULL, "{}", "{\"port\":null,\"ttl\":null,\"flag\":null,\"string\":null,\"range\":null}"};

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(texts); i++) {
        struct outputs out = {.string = "s", .port = 7, .range = {1, 2}, .flag = true, .ttl_ms = 9};
        struct berth_error err;
        json_t *kept;
        assert_ok(read_text(texts[i], &out, &kept, &err), &err);
        assert_string_equal(out.string, "s");
        assert_int_equal(out.port, 7);
        assert_int_equal(out.range.last, 2);
        assert_true(out.flag);
        assert_int_equal(out.ttl_ms, 9);
        json_decref(kept);
    }
}

static void read__durations__both_forms(void **state)
{
    static const struct {
        const char *text;
        uint64_t ms;
    } cases[] = {{"{\"ttl\":1}", 1000},
                 {"{\"ttl\":86400}", 86400000},
                 {"{\"ttl\":315360000}", BERTH_DURATION_MAX_MS},
                 {"{\"ttl\":\"250ms\"}", 250},
                 {"{\"ttl\":\"24h\"}", 86400000}};

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(cases); i++) {
        struct outputs out = {.ttl_ms = 0};
        struct berth_error err;
        json_t *kept;
        assert_ok(read_text(cases[i].text, &out, &kept, &err), &err);
        assert_int_equal(out.ttl_ms, cases[i].ms);
        json_decref(kept);
    }
}

static void read__wrong_in_each_way__names_parameter_value_and_what_is_accepted(void **state)
{
    static const struct {
        const char *text;
        const char *name;
        const char *value;
    } cases[] = {
        {"{\"string\":1}", "string", "1"},
        {"{\"string\":\"a\\u0000b\"}", "string", "NUL"},
        {"{\"string\":[\"a\"]}", "string", "[\"a\"]"},
        {"{\"port\":0}", "port", "0"},
        {"{\"port\":-1}", "port", "-1"},
        {"{\"port\":65536}", "port", "65536"},
        {"{\"port\":4294967376}", "port", "4294967376"},
        {"{\"port\":80.0}", "port", "80.0"},
        {"{\"port\":\"80\"}", "port", "\"80\""},
        {"{\"port\":true}", "port", "true"},
        {"{\"range\":[0,1]}", "range", "[0,1]"},
        {"{\"range\":[1]}", "range", "[1]"},
        {"{\"range\":[2,1]}", "range", "[2,1]"},
        {"{\"range\":[1,2,3]}", "range", "[1,2,3]"},
        {"{\"range\":{}}", "range", "{}"},
        {"{\"count\":0}", "count", "0"},
        {"{\"count\":65536}", "count", "65536; a whole number from 1 to 65535"},
        {"{\"ports\":65}", "ports", "65; a whole number from 1 to 64"},
        {"{\"ports\":70000}", "ports", "70000; a whole number from 1 to 64"},
        {"{\"count\":1.0}", "count", "1.0"},
        {"{\"flag\":1}", "flag", "1"},
        {"{\"flag\":\"true\"}", "flag", "\"true\""},
        {"{\"ttl\":0}", "ttl", "0"},
        {"{\"ttl\":-5}", "ttl", "-5"},
        {"{\"ttl\":315360001}", "ttl", "315360001"},
        {"{\"ttl\":9223372036854775807}", "ttl", "9223372036854775807"},
        {"{\"ttl\":\"0s\"}", "ttl", "\"0s\""},
        {"{\"ttl\":\"1\"}", "ttl", "\"1\""},
        {"{\"ttl\":1.5}", "ttl", "1.5"},
        {"{\"object\":[]}", "object", "[]"},
        {"{\"object\":\"{}\"}", "object", "{}"},
        {"{\"other\":1}", "other", "string, port, range"},
        {"{\"Port\":1}", "Port", "accepted"},
    };

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(cases); i++) {
        struct outputs out = {.port = 0};
        struct berth_error err;
        json_t *kept;
        assert_code(read_text(cases[i].text, &out, &kept, &err), BERTH_INVALID_PARAMS);
        if (strstr(err.detail, cases[i].name) == NULL ||
            strstr(err.detail, cases[i].value) == NULL || strstr(err.detail, "accepted") == NULL) {
            fail_msg("%s: %s", cases[i].text, err.detail);
        }
        json_decref(kept);
    }
}

static void one_of__no_such_word__names_it_and_what_is_accepted(void **state)
{
    static const char *const words[] = {"one", "two", "three"};
    struct berth_error err;

    (void)state;
    assert_ok(berth_params_one_of("state", NULL, words, 3, &err), &err);
    assert_ok(berth_params_one_of("state", "three", words, 3, &err), &err);
    assert_code(berth_params_one_of("state", "Two", words, 3, &err), BERTH_INVALID_PARAMS);
    assert_string_equal(err.detail, "state is \"Two\"; one, two or three is accepted");
}

static void read__of_a_method_without_parameters__none_is_accepted(void **state)
{
    json_t *params = json_loads("{\"x\":1}", 0, NULL);
    json_t *empty = json_object();
    struct berth_error err;

    (void)state;
    assert_code(berth_params_read(params, NULL, 0, &err), BERTH_INVALID_PARAMS);
    assert_non_null(strstr(err.detail, "none"));
    assert_ok(berth_params_read(empty, NULL, 0, &err), &err);
    json_decref(params);
    json_decref(empty);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(read__everything_right__is_taken),
        cmocka_unit_test(read__missing_or_null__leaves_what_was_there),
        cmocka_unit_test(read__durations__both_forms),
        cmocka_unit_test(read__wrong_in_each_way__names_parameter_value_and_what_is_accepted),
        cmocka_unit_test(one_of__no_such_word__names_it_and_what_is_accepted),
        cmocka_unit_test(read__of_a_method_without_parameters__none_is_accepted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
