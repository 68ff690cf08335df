/* SPDX-License-Identifier: MIT */
#include "cmocka_all.h"

#include "client/reply.h"

static enum berth_code parse(const char *line, struct berth_reply *reply)
{
    struct berth_error err;

    return berth_reply_parse(reply, line, strlen(line), &err);
}

static void reply_parse__result__is_given_with_its_id(void **state)
{
    struct berth_reply reply;

    (void)state;
    assert_code(parse("{\"jsonrpc\":\"2.0\",\"id\":7,\"result\":{\"a\":1}}", &reply), BERTH_OK);
    assert_int_equal(reply.kind, BERTH_REPLY_RESULT);
    assert_true(reply.has_id);
    assert_int_equal(reply.id, 7);
    assert_int_equal(json_integer_value(json_object_get(reply.value, "a")), 1);
    json_decref(reply.value);
}

static void reply_parse__error__is_given_whole(void **state)
{
    struct berth_reply reply;

    (void)state;
    assert_code(parse("{\"jsonrpc\":\"2.0\",\"id\":7,\"error\":{\"code\":-32005,\"message\":\"m\","
                      "\"data\":{\"reason\":\"not_found\",\"x\":[1]}}}",
                      &reply),
                BERTH_OK);
    assert_int_equal(reply.kind, BERTH_REPLY_ERROR);
    assert_int_equal(json_object_size(reply.value), 3);
    json_decref(reply.value);
}

static void reply_parse__error_without_id__is_taken(void **state)
{
    struct berth_reply reply;

    (void)state;
    assert_code(
        parse("{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32700,\"message\":\"m\"}}",
              &reply),
        BERTH_OK);
    assert_false(reply.has_id);
    json_decref(reply.value);
}

static void reply_parse__event__gives_its_params(void **state)
{
    struct berth_reply reply;

    (void)state;
    assert_code(
        parse("{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"revision\":3}}", &reply),
        BERTH_OK);
    assert_int_equal(reply.kind, BERTH_REPLY_NOTIFICATION);
    json_decref(reply.value);
}

static void reply_parse__wrong_shapes__are_malformed(void **state)
{
    static const char *const lines[] = {
        "",
        " ",
        "x",
        "1",
        "null",
        "[]",
        "{}",
        "{\"jsonrpc\":\"2.0\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1}",
        "{\"jsonrpc\":\"1.0\",\"id\":1,\"result\":{}}",
        "{\"jsonrpc\":2.0,\"id\":1,\"result\":{}}",
        "{\"id\":1,\"result\":{}}",
        "{\"jsonrpc\":\"2.0\",\"result\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":\"1\",\"result\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1.0,\"result\":{}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":[]}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":null}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{},\"error\":{\"code\":1,\"message\":\"\"}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":null}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":\"no\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":\"1\",\"message\":\"\"}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1,\"message\":2}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":1,\"message\":\"\",\"data\":3}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{},\"id\":1}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{}} x",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"a\":\"\xFF\"}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"a\":\"\\u0000\"}}",
        "{\"jsonrpc\":\"2.0\",\"id\":99999999999999999999,\"result\":{}}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"event\"}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":[]}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"other\",\"params\":{}}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{},\"id\":1}",
        "{\"jsonrpc\":\"2.0\",\"method\":1,\"params\":{}}",
    };

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(lines); i++) {
        struct berth_reply reply = {.id = 4711};
        struct berth_error err;
        if (berth_reply_parse(&reply, lines[i], strlen(lines[i]), &err) != BERTH_MALFORMED) {
            fail_msg("not refused as malformed: %s", lines[i]);
        }
        assert_int_equal(reply.id, 4711);
        assert_non_null(strstr(err.detail, "is not understood"));
    }
}

static void reply_parse__every_prefix_of_an_answer__is_refused(void **state)
{
    static const char line[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"ports\":[49000,49001],"
                               "\"text\":\"\\u00e4\xC3\xA4\"}}";

    (void)state;
    for (size_t length = 0; length < sizeof line - 1; length++) {
        struct berth_reply reply;
        assert_code(berth_reply_parse(&reply, line, length, NULL), BERTH_MALFORMED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reply_parse__result__is_given_with_its_id),
        cmocka_unit_test(reply_parse__error__is_given_whole),
        cmocka_unit_test(reply_parse__error_without_id__is_taken),
        cmocka_unit_test(reply_parse__event__gives_its_params),
        cmocka_unit_test(reply_parse__wrong_shapes__are_malformed),
        cmocka_unit_test(reply_parse__every_prefix_of_an_answer__is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
