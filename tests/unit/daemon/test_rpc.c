/* SPDX-License-Identifier: MIT */
#include "daemon/rpc.h"

#include "cmocka_all.h"
#include "memory_faults.h"

#include <stdio.h>

/* ---- methods of the test's own ---- */

static unsigned runs;

static enum berth_code method_good(struct berth_call *call, json_t *params,
                                   struct berth_json *result, struct berth_error *err)
{
    (void)call;
    (void)params;
    (void)err;
    runs++;
    berth_json_open_object(result);
    berth_json_member_boolean(result, "good", true);
    berth_json_close_object(result);
    return BERTH_OK;
}

/* Writes half a result, then fails with data. */
static enum berth_code method_bad(struct berth_call *call, json_t *params,
                                  struct berth_json *result, struct berth_error *err)
{
    (void)params;
    runs++;
    berth_json_open_object(result);
    berth_json_member_string(result, "half", "a result");
    berth_text_puts(call->error_data, ",\"port\":80");
    return berth_fail(err, BERTH_PORT_IN_USE, 13, "as \"wished\"");
}

static enum berth_code method_large(struct berth_call *call, json_t *params,
                                    struct berth_json *result, struct berth_error *err)
{
    (void)call;
    (void)params;
    (void)err;
    berth_json_open_array(result);
    for (int i = 0; i < 1000; i++) {
        berth_json_number(result, i);
    }
    berth_json_close_array(result);
    return BERTH_OK;
}

static const struct berth_method methods[] = {
    {"good", BERTH_ROLE_READER, method_good, BERTH_METHOD_ACTS},
    {"bad", BERTH_ROLE_READER, method_bad, BERTH_METHOD_ACTS},
    {"large", BERTH_ROLE_READER, method_large, BERTH_METHOD_ACTS},
    {"admin", BERTH_ROLE_ADMIN, method_good, BERTH_METHOD_ACTS},
    {"read", BERTH_ROLE_READER, method_good, BERTH_METHOD_TELLS},
};

#define GOOD(id) "{\"jsonrpc\":\"2.0\",\"id\":" id ",\"method\":\"good\"}"

/* Answers a line; the text is valid until the next call, "" when there was no answer. */
static const char *answer(const char *line, size_t limit, enum berth_rpc_outcome *outcome)
{
    static char kept[65536];
    struct berth_text error_data;
    struct berth_text out;
    struct berth_call call = {.role = BERTH_ROLE_READER, .error_data = &error_data};

    berth_text_init(&error_data, 1000);
    berth_text_init(&out, limit);
    *outcome = berth_rpc_answer(&call, methods, BERTH_COUNT(methods), line, strlen(line), &out);
    assert_true(out.length < sizeof kept);
    memcpy(kept, berth_text_string(&out), out.length + 1);
    berth_text_fini(&out);
    berth_text_fini(&error_data);
    return kept;
}

static void assert_answer(const char *line, const char *expected)
{
    enum berth_rpc_outcome outcome;

    assert_string_equal(answer(line, 10000, &outcome), expected);
    assert_int_equal(outcome, BERTH_RPC_GO_ON);
}

static void answer__good_requests__byte_by_byte(void **state)
{
    (void)state;
    assert_answer(GOOD("1"), "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"good\":true}}\n");
    assert_answer(GOOD("\"a\\u00fc\\n\""),
                  "{\"jsonrpc\":\"2.0\",\"id\":\"a\xC3\xBC\\n\",\"result\":{\"good\":true}}\n");
    assert_answer(GOOD("null"), "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{\"good\":true}}\n");
    assert_answer(GOOD("-2.5"), "{\"jsonrpc\":\"2.0\",\"id\":-2.5,\"result\":{\"good\":true}}\n");
    assert_answer(" " GOOD("1") "\t",
                  "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"good\":true}}\n");
    assert_answer("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"good\",\"params\":[]}",
                  "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"good\":true}}\n");
}

static void answer__failing_method__error_with_its_data_and_nothing_of_the_result(void **state)
{
    (void)state;
    assert_answer("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"bad\"}",
                  "{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32002,"
                  "\"message\":\"as \\\"wished\\\"\",\"data\":{\"reason\":\"port_in_use\","
                  "\"os_code\":13,\"port\":80}}}\n");
    /* the data does not stick to the next error */
    assert_answer(
        "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"bad\"},"
        "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"none\"}]",
        "[{\"jsonrpc\":\"2.0\",\"id\":1,\"error\":{\"code\":-32002,"
        "\"message\":\"as \\\"wished\\\"\",\"data\":{\"reason\":\"port_in_use\","
        "\"os_code\":13,\"port\":80}}},"
        "{\"jsonrpc\":\"2.0\",\"id\":2,\"error\":{\"code\":-32601,"
        "\"message\":\"there is no method none\",\"data\":{\"reason\":\"not_supported\"}}}]"
        "\n");
}

static void answer__notifications__run_and_are_silent(void **state)
{
    static const char *const lines[] = {
        "{\"jsonrpc\":\"2.0\",\"method\":\"good\"}",
        "{\"jsonrpc\":\"2.0\",\"method\":\"bad\"}",
        "[{\"jsonrpc\":\"2.0\",\"method\":\"good\"}]",
    };

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(lines); i++) {
        runs = 0;
        assert_answer(lines[i], "");
        assert_int_equal(runs, 1);
    }
    assert_answer("{\"jsonrpc\":\"2.0\",\"method\":\"none\"}", "");
    assert_answer("{\"jsonrpc\":\"2.0\",\"method\":\"admin\"}", "");
}

static void answer__notifications_of_what_only_reads__do_not_run(void **state)
{
    (void)state;
    runs = 0;
    assert_answer("{\"jsonrpc\":\"2.0\",\"method\":\"read\"}", "");
    assert_answer("[{\"jsonrpc\":\"2.0\",\"method\":\"read\"}]", "");
    assert_int_equal(runs, 0);
    assert_answer("{\"jsonrpc\":\"2.0\",\"id\":null,\"method\":\"read\"}",
                  "{\"jsonrpc\":\"2.0\",\"id\":null,\"result\":{\"good\":true}}\n");
    assert_int_equal(runs, 1);
}

static void answer__role_too_low__is_denied_and_does_not_run(void **state)
{
    enum berth_rpc_outcome outcome;
    const char *text;

    (void)state;
    runs = 0;
    text = answer("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"admin\"}", 10000, &outcome);
    assert_non_null(strstr(text, "\"reason\":\"denied\""));
    assert_non_null(strstr(text, "admin needs the role admin, and the caller has reader\""));
    assert_int_equal(runs, 0);
}

static void answer__unknown_method__name_is_cut_and_stays_json(void **state)
{
    char line[2000];
    enum berth_rpc_outcome outcome;

    (void)state;
    (void)snprintf(line, sizeof line, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"x");
    for (int i = 0; i < 300; i++) {
        (void)strncat(line, "\xC3\xBC\\\"", sizeof line - strlen(line) - 1);
    }
    (void)strncat(line, "\"}", sizeof line - strlen(line) - 1);
    const char *text = answer(line, 10000, &outcome);
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    json_decref(json);
}

static void answer__too_deep__closes(void **state)
{
    enum berth_rpc_outcome outcome;
    const char *text;

    (void)state;
    text = answer("[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]", 10000, &outcome);
    assert_int_equal(outcome, BERTH_RPC_CLOSE);
    assert_non_null(strstr(text, "\"id\":null"));
    assert_non_null(strstr(text, "\"reason\":\"too_large\""));
}

static void assert_json_line(const char *text)
{
    json_error_t error;
    json_t *json = json_loads(text, JSON_REJECT_DUPLICATES, &error);

    if (json == NULL) {
        fail_msg("%s in %s", error.text, text);
    }
    assert_int_equal(text[strlen(text) - 1], '\n');
    json_decref(json);
}

static void answer__larger_than_the_limit__is_an_error_instead(void **state)
{
    enum berth_rpc_outcome outcome;
    const char *text;

    (void)state;
    text = answer("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"large\"}", 1000, &outcome);
    assert_json_line(text);
    assert_non_null(strstr(text, "\"id\":1,\"error\""));
    assert_non_null(strstr(text, "\"reason\":\"too_large\""));
    text = answer("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"large\"}", 10000, &outcome);
    assert_non_null(strstr(text, "998,999]"));
}

/* Wherever in a batch the room ends: what comes is a line of JSON or, at worst, a failed text. */
static void answer__batch_at_every_limit__never_broken_json(void **state)
{
    static const char batch[] = "[" GOOD("1") "," GOOD("2") ",7," GOOD("3") "]";
    struct berth_text error_data;

    (void)state;
    berth_text_init(&error_data, 1000);
    for (size_t limit = 0; limit < 700; limit++) {
        struct berth_text out;
        struct berth_call call = {.role = BERTH_ROLE_READER, .error_data = &error_data};
        berth_text_init(&out, limit);
        (void)berth_rpc_answer(&call, methods, BERTH_COUNT(methods), batch, sizeof batch - 1, &out);
        if (out.failed == BERTH_OK && out.length > 0) {
            assert_json_line(berth_text_string(&out));
        }
        berth_text_fini(&out);
    }
    berth_text_fini(&error_data);
}

static bool is_late_after_one(struct berth_call *call)
{
    (void)call;
    return runs >= 1;
}

static bool is_late_at_once(struct berth_call *call)
{
    (void)call;
    return true;
}

static void assert_late_batch(bool (*is_late)(struct berth_call *), const char *batch,
                              const char *expected)
{
    struct berth_text error_data;
    struct berth_text out;
    struct berth_call call = {
        .role = BERTH_ROLE_READER, .error_data = &error_data, .is_late = is_late};

    runs = 0;
    berth_text_init(&error_data, 1000);
    berth_text_init(&out, 65536);
    (void)berth_rpc_answer(&call, methods, BERTH_COUNT(methods), batch, strlen(batch), &out);
    assert_string_equal(berth_text_string(&out), expected);
    assert_int_equal(runs, 1);
    berth_text_fini(&out);
    berth_text_fini(&error_data);
}

#define LATE(id)                                                                                   \
    "{\"jsonrpc\":\"2.0\",\"id\":" id                                                              \
    ",\"error\":{\"code\":-32009,\"message\":\"the requests before "                               \
    "this one have used the batch's time: ask again by itself\","                                  \
    "\"data\":{\"reason\":\"busy\"}}}"

static void answer__batch_out_of_time__the_rest_is_refused_as_busy(void **state)
{
    static const char first[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"good\":true}}";
    char expected[1000];

    (void)state;
    (void)snprintf(expected, sizeof expected, "[%s,%s,%s]\n", first, LATE("2"), LATE("null"));
    assert_late_batch(is_late_after_one,
                      "[" GOOD("1") "," GOOD("2") ",{\"jsonrpc\":\"2.0\",\"method\":\"good\"},7]",
                      expected);
    /* but the first one is always carried out, or a late batch would never get on */
    (void)snprintf(expected, sizeof expected, "[%s,%s]\n", first, LATE("2"));
    assert_late_batch(is_late_at_once, "[" GOOD("1") "," GOOD("2") "]", expected);
    (void)snprintf(expected, sizeof expected, "%s\n", first);
    assert_late_batch(is_late_at_once, GOOD("1"), expected);
}

static void answer__each_allocation_fails__never_broken_json(void **state)
{
    static const char *const lines[] = {
        GOOD("1"),
        "[" GOOD("1") "," GOOD("2") "," GOOD("3") "]",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"bad\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"large\"}",
        ("[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"large\"},"
         "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"large\"}]"),
        "nothing",
    };

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(lines); i++) {
        bool failed = true;
        for (size_t n = 1; failed; n++) {
            struct berth_text error_data;
            struct berth_text out;
            struct berth_call call = {.role = BERTH_ROLE_READER, .error_data = &error_data};
            size_t live;
            berth_text_init(&error_data, 1000);
            berth_text_init(&out, 100000);
            memory_faults_begin(n, false);
            (void)berth_rpc_answer(&call, methods, BERTH_COUNT(methods), lines[i], strlen(lines[i]),
                                   &out);
            if (out.failed == BERTH_OK) {
                assert_json_line(berth_text_string(&out));
            }
            berth_text_fini(&out);
            berth_text_fini(&error_data);
            failed = memory_faults_end(&live);
            assert_int_equal(live, 0);
        }
    }
}

static void write_error__has_id_null_and_a_line_end(void **state)
{
    struct berth_text out;
    struct berth_error error;

    (void)state;
    berth_text_init(&out, 1000);
    (void)berth_fail(&error, BERTH_LIMIT_REACHED, 0, "full");
    berth_rpc_write_error(&out, &error);
    assert_string_equal(berth_text_string(&out),
                        "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32007,"
                        "\"message\":\"full\",\"data\":{\"reason\":\"limit_reached\"}}}\n");
    berth_text_fini(&out);
}

/* What may have changed something is known afterwards, so that its answer can wait to be safe. */
static void answer__a_method_that_acts__is_noted(void **state)
{
    static const struct {
        const char *line;
        enum berth_role role;
        bool acted;
    } cases[] = {
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"good\"}", BERTH_ROLE_ADMIN, false},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"admin\"}", BERTH_ROLE_READER, false},
        {"{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"admin\"}", BERTH_ROLE_ADMIN, true},
        {"{\"jsonrpc\":\"2.0\",\"method\":\"admin\"}", BERTH_ROLE_ADMIN, true},
        {"[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"admin\"}," GOOD("2") "]", BERTH_ROLE_ADMIN,
         true},
    };

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(cases); i++) {
        struct berth_text error_data;
        struct berth_text out;
        struct berth_call call = {.role = cases[i].role, .error_data = &error_data};
        berth_text_init(&error_data, 1000);
        berth_text_init(&out, 65536);
        (void)berth_rpc_answer(&call, methods, BERTH_COUNT(methods), cases[i].line,
                               strlen(cases[i].line), &out);
        assert_int_equal(call.acted, cases[i].acted);
        berth_text_fini(&out);
        berth_text_fini(&error_data);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answer__good_requests__byte_by_byte),
        cmocka_unit_test(answer__failing_method__error_with_its_data_and_nothing_of_the_result),
        cmocka_unit_test(answer__notifications__run_and_are_silent),
        cmocka_unit_test(answer__notifications_of_what_only_reads__do_not_run),
        cmocka_unit_test(answer__role_too_low__is_denied_and_does_not_run),
        cmocka_unit_test(answer__unknown_method__name_is_cut_and_stays_json),
        cmocka_unit_test(answer__too_deep__closes),
        cmocka_unit_test(answer__larger_than_the_limit__is_an_error_instead),
        cmocka_unit_test(answer__batch_at_every_limit__never_broken_json),
        cmocka_unit_test(answer__batch_out_of_time__the_rest_is_refused_as_busy),
        cmocka_unit_test(answer__each_allocation_fails__never_broken_json),
        cmocka_unit_test(answer__a_method_that_acts__is_noted),
        cmocka_unit_test(write_error__has_id_null_and_a_line_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
