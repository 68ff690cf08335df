/* SPDX-License-Identifier: MIT */
/* The client against a scripted server at a real endpoint. */
#include "cmocka_all.h"

#include "base/memory.h"
#include "client/berth_client.h"
#include "client/line_reader.h"
#include "memory_faults.h"
#include "scripted_server.h"
#include "temp_folder.h"

#include <stdio.h>
#include <stdlib.h>

#define LONG_MS 20000u /* for what must come */
#define SHORT_MS 50u   /* for what must not come */

static const char *socket_path;
static struct scripted_server *server;
static struct berth_client *client;

static int stop(void **state)
{
    (void)state;
    berth_client_close(client);
    client = NULL;
    scripted_server_stop(server);
    server = NULL;
    return 0;
}

static void start(const struct scripted_rule *rules, size_t count, size_t piece_bytes,
                  const char *greeting)
{
    socket_path = temp_endpoint(folder, "berth.sock");
    server = scripted_server_start(socket_path, rules, count, piece_bytes, greeting);
    assert_non_null(server);
}

static void dial(unsigned timeout_ms)
{
    struct berth_error err;

    assert_ok(berth_client_connect(&client, socket_path, timeout_ms, &err), &err);
}

static enum berth_code call_failing(struct berth_error *err)
{
    struct berth_remote_error remote;
    json_t *result = NULL;
    enum berth_code code = berth_client_call(client, "next", json_object(), &result, &remote, err);

    assert_null(result);
    assert_null(remote.object);
    return code;
}

static void call__result__is_given_and_the_request_is_exact(void **state)
{
    static const struct scripted_rule rules[] = {{"next", "result {\"ports\":[49000]}", false}};
    struct berth_remote_error remote;
    struct berth_error err;
    json_t *result;
    char received[1024];

    (void)state;
    start(rules, 1, 0, NULL);
    dial(LONG_MS);
    assert_string_equal(berth_client_endpoint(client), socket_path);
    assert_ok(berth_client_call(client, "next", json_object(), &result, &remote, &err), &err);
    json_decref(result);
    assert_ok(
        berth_client_call(client, "next", json_pack("{s:i}", "count", 2), &result, &remote, &err),
        &err);
    assert_int_equal(json_array_size(json_object_get(result, "ports")), 1);
    json_decref(result);
    assert_string_equal(scripted_server_received(server, received, sizeof received),
                        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"next\"}\n"
                        "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"next\","
                        "\"params\":{\"count\":2}}\n");
}

static void call__answer_byte_by_byte__is_put_together(void **state)
{
    static const struct scripted_rule rules[] = {
        {NULL, "{\"jsonrpc\":\"2.0\",\"id\":$ID,\"result\":{\"a\":\"\xC3\xA4\"}}\r\n", false}};
    struct berth_remote_error remote;
    struct berth_error err;
    json_t *result;

    (void)state;
    start(rules, 1, 1, NULL);
    dial(LONG_MS);
    assert_ok(berth_client_call(client, "x", json_object(), &result, &remote, &err), &err);
    assert_string_equal(json_string_value(json_object_get(result, "a")), "\xC3\xA4");
    json_decref(result);
}

static void call__large_answer__is_read_whole(void **state)
{
    static char reply[3 * 1024 * 1024];
    static const struct scripted_rule rules[] = {{NULL, reply, false}};
    struct berth_remote_error remote;
    struct berth_error err;
    json_t *result;

    (void)state;
    size_t length = (size_t)snprintf(reply, sizeof reply, "result {\"a\":\"");
    memset(reply + length, 'x', sizeof reply - 100);
    (void)snprintf(reply + length + sizeof reply - 100, 8, "\"}");
    start(rules, 1, 100000, NULL);
    dial(LONG_MS);
    assert_ok(berth_client_call(client, "x", json_object(), &result, &remote, &err), &err);
    assert_int_equal(json_string_length(json_object_get(result, "a")), sizeof reply - 100);
    json_decref(result);
}

static void call__refusal__keeps_code_message_reason_and_data(void **state)
{
    static const struct scripted_rule rules[] = {
        {NULL,
         "error {\"code\":-32002,\"message\":\"port 8080 is in use\",\"data\":"
         "{\"reason\":\"port_in_use\",\"port\":8080,\"claims\":[{\"source\":\"iis\"}]}}",
         false}};
    struct berth_remote_error remote;
    struct berth_error err;
    json_t *result = NULL;

    (void)state;
    start(rules, 1, 0, NULL);
    dial(LONG_MS);
    for (int i = 0; i < 2; i++) { /* a refusal leaves the connection usable */
        assert_code(berth_client_call(client, "x", json_object(), &result, &remote, &err),
                    BERTH_PORT_IN_USE);
        assert_null(result);
        assert_int_equal(remote.number, -32002);
        assert_string_equal(remote.message, "port 8080 is in use");
        assert_string_equal(remote.reason, "port_in_use");
        assert_int_equal(json_array_size(json_object_get(remote.data, "claims")), 1);
        assert_string_equal(err.detail, "port 8080 is in use");
        berth_remote_error_fini(&remote);
        assert_null(remote.object);
    }
}

static void call__every_reason__gives_its_code(void **state)
{
    static const enum berth_code codes[] = {
        BERTH_POOL_EXHAUSTED, BERTH_PORT_IN_USE,   BERTH_OUT_OF_RANGE,  BERTH_NOT_READY,
        BERTH_NOT_FOUND,      BERTH_DENIED,        BERTH_LIMIT_REACHED, BERTH_TOO_LARGE,
        BERTH_BUSY,           BERTH_NOT_SUPPORTED, BERTH_STORE_FAILED,  BERTH_INVALID_PARAMS,
        BERTH_INTERNAL};
    static char reply[200];
    static const struct scripted_rule rules[] = {{NULL, reply, false}};
    struct berth_remote_error remote;
    json_t *result;

    (void)state;
    start(rules, 1, 0, NULL);
    dial(LONG_MS);
    for (size_t i = 0; i < BERTH_COUNT(codes); i++) {
        (void)snprintf(reply, sizeof reply,
                       "error {\"code\":1,\"message\":\"m\",\"data\":{\"reason\":\"%s\"}}",
                       berth_code_token(codes[i]));
        assert_code(berth_client_call(client, "x", json_object(), &result, &remote, NULL),
                    codes[i]);
        berth_remote_error_fini(&remote);
    }
}

static void call__unknown_reason_or_none__is_internal(void **state)
{
    static const char *const replies[] = {
        "error {\"code\":1,\"message\":\"m\"}", "error {\"code\":1,\"message\":\"m\",\"data\":{}}",
        "error {\"code\":99999999999,\"message\":\"m\",\"data\":{\"reason\":7}}",
        "error {\"code\":1,\"message\":\"m\",\"data\":{\"reason\":\"ok\"}}",
        "error {\"code\":1,\"message\":\"m\",\"data\":{\"reason\":\"brand_new\"}}"};
    struct berth_remote_error remote;
    json_t *result;

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(replies); i++) {
        struct scripted_rule rule = {NULL, replies[i], false};
        start(&rule, 1, 0, NULL);
        dial(LONG_MS);
        assert_code(berth_client_call(client, "x", json_object(), &result, &remote, NULL),
                    BERTH_INTERNAL);
        assert_non_null(remote.object);
        assert_string_equal(remote.reason, i == 3 ? "ok" : i == 4 ? "brand_new" : "internal");
        berth_remote_error_fini(&remote);
        (void)stop(state);
    }
}

static void call__wrong_id__is_malformed_and_ends_the_connection(void **state)
{
    static const struct scripted_rule rules[] = {
        {NULL, "{\"jsonrpc\":\"2.0\",\"id\":99,\"result\":{}}\n", false}};
    struct berth_error err;

    (void)state;
    start(rules, 1, 0, NULL);
    dial(LONG_MS);
    assert_code(call_failing(&err), BERTH_MALFORMED);
    assert_non_null(strstr(err.detail, "answers another request"));
    assert_code(call_failing(&err), BERTH_IO);
    assert_non_null(strstr(err.detail, "no longer usable"));
}

static void call__garbage__is_malformed(void **state)
{
    static const struct scripted_rule rules[] = {{NULL, "HTTP/1.1 400 Bad Request\r\n", false}};
    struct berth_error err;

    (void)state;
    start(rules, 1, 0, NULL);
    dial(LONG_MS);
    assert_code(call_failing(&err), BERTH_MALFORMED);
}

static void call__line_without_end__is_too_large(void **state)
{
    static const struct scripted_rule rules[] = {{NULL, "flood", false}};
    struct berth_error err;

    (void)state;
    start(rules, 1, 0, NULL);
    dial(LONG_MS);
    assert_code(call_failing(&err), BERTH_TOO_LARGE);
}

static void call__connection_closed__is_io(void **state)
{
    static const struct scripted_rule closing[] = {{NULL, "close", false}};
    static const struct scripted_rule halfway[] = {{NULL, "{\"jsonrpc\":", true}};
    struct berth_error err;

    (void)state;
    start(closing, 1, 0, NULL);
    dial(LONG_MS);
    assert_code(call_failing(&err), BERTH_IO);
    assert_string_equal(err.detail, "the daemon closed the connection without an answer");
    (void)stop(state);
    start(halfway, 1, 0, NULL);
    dial(LONG_MS);
    assert_code(call_failing(&err), BERTH_IO);
    assert_string_equal(err.detail, "the daemon closed the connection in the middle of an answer");
}

static void call__silence__is_busy_at_the_deadline(void **state)
{
    static const struct scripted_rule silent[] = {{NULL, "silent", false}};
    static const struct scripted_rule halfway[] = {{NULL, "{\"jsonrpc\":", false}};
    struct berth_error err;

    (void)state;
    start(silent, 1, 0, NULL);
    dial(SHORT_MS);
    assert_code(call_failing(&err), BERTH_BUSY);
    assert_non_null(strstr(err.detail, "did not answer within 50 ms"));
    assert_code(call_failing(&err), BERTH_IO);
    (void)stop(state);
    start(halfway, 1, 0, NULL);
    dial(SHORT_MS);
    assert_code(call_failing(&err), BERTH_BUSY);
}

/* A daemon at its limit of connections says so and closes, before or after the request was sent. */
static void call__refused_connection__gives_the_parting_words(void **state)
{
    struct berth_remote_error remote;
    struct berth_error err;
    json_t *result = NULL;

    (void)state;
    start(NULL, 0, 0,
          "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32007,\"message\":\"full\","
          "\"data\":{\"reason\":\"limit_reached\"}}}\n");
    dial(LONG_MS);
    assert_code(berth_client_call(client, "next", json_object(), &result, &remote, &err),
                BERTH_LIMIT_REACHED);
    berth_remote_error_fini(&remote);
    assert_code(call_failing(&err), BERTH_IO);
}

static void call__params_that_could_not_be_built__is_no_memory(void **state)
{
    struct berth_remote_error remote;
    json_t *result;
    char received[64];

    (void)state;
    start(NULL, 0, 0, NULL);
    dial(LONG_MS);
    assert_code(berth_client_call(client, "release", NULL, &result, &remote, NULL),
                BERTH_NO_MEMORY);
    assert_string_equal(scripted_server_received(server, received, sizeof received), "");
}

static void call__request_too_large__is_not_sent(void **state)
{
    static char text[BERTH_CLIENT_LINE_MAX + 10];
    static const struct scripted_rule rules[] = {{"next", "result {}", false}};
    struct berth_remote_error remote;
    json_t *result;

    (void)state;
    start(rules, 1, 0, NULL);
    dial(LONG_MS);
    memset(text, 'x', sizeof text - 1);
    assert_code(
        berth_client_call(client, "import", json_pack("{s:s}", "a", text), &result, &remote, NULL),
        BERTH_TOO_LARGE);
    assert_code(berth_client_call(client, "next", json_object(), &result, &remote, NULL), BERTH_OK);
    json_decref(result);
}

#define EVENT(n) "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"revision\":" #n "}}\n"

static int next_revision(void)
{
    struct berth_error err;
    json_t *event;

    assert_ok(berth_client_next_event(client, &event, LONG_MS, &err), &err);
    int revision = (int)json_integer_value(json_object_get(event, "revision"));
    json_decref(event);
    return revision;
}

static void next_event__before_and_after_the_answer__are_given_in_order(void **state)
{
    static const struct scripted_rule rules[] = {
        {NULL, EVENT(1) EVENT(2) "{\"jsonrpc\":\"2.0\",\"id\":$ID,\"result\":{}}\n" EVENT(3),
         false}};
    struct berth_remote_error remote;
    struct berth_error err;
    json_t *result;

    (void)state;
    start(rules, 1, 7, NULL);
    dial(LONG_MS);
    assert_ok(berth_client_call(client, "subscribe", json_object(), &result, &remote, &err), &err);
    json_decref(result);
    assert_int_equal(next_revision(), 1);
    assert_int_equal(next_revision(), 2);
    assert_int_equal(next_revision(), 3);
    assert_code(berth_client_next_event(client, &result, SHORT_MS, &err), BERTH_BUSY);
    assert_ok(berth_client_call(client, "again", json_object(), &result, &remote, &err), &err);
    json_decref(result);
    assert_int_equal(next_revision(), 1);
}

static void next_event__something_else_comes__is_malformed(void **state)
{
    static const struct scripted_rule rules[] = {{NULL,
                                                  "{\"jsonrpc\":\"2.0\",\"id\":$ID,\"result\":{}}\n"
                                                  "{\"jsonrpc\":\"2.0\",\"id\":5,\"result\":{}}\n",
                                                  false}};
    struct berth_remote_error remote;
    struct berth_error err;
    json_t *result;

    (void)state;
    start(rules, 1, 0, NULL);
    dial(LONG_MS);
    assert_ok(berth_client_call(client, "subscribe", json_object(), &result, &remote, &err), &err);
    json_decref(result);
    assert_code(berth_client_next_event(client, &result, LONG_MS, &err), BERTH_MALFORMED);
    assert_code(call_failing(&err), BERTH_IO);
}

static void connect__nobody_anywhere__names_the_places_and_what_to_do(void **state)
{
    const char *places[] = {temp_endpoint(folder, "one"), temp_endpoint(folder, "two")};
    char first[200];
    char second[200];
    struct berth_error err;

    (void)state;
    assert_code(berth_client_connect_any(&client, places, 2, LONG_MS, &err), BERTH_NOT_FOUND);
    (void)snprintf(first, sizeof first, "no daemon at %s (no such ", places[0]);
    (void)snprintf(second, sizeof second, ") or %s (no such ", places[1]);
    assert_int_equal(strncmp(err.detail, first, strlen(first)), 0);
    assert_non_null(strstr(err.detail, second));
    assert_non_null(strstr(err.detail, "; start it with "));
    assert_non_null(strstr(err.detail, "--endpoint or BERTH_ENDPOINT"));
}

static void connect__first_place_dead__takes_the_second(void **state)
{
    const char *places[] = {temp_endpoint(folder, "one"), temp_endpoint(folder, "berth.sock")};
    struct berth_error err;

    (void)state;
    start(NULL, 0, 0, NULL);
    assert_ok(berth_client_connect_any(&client, places, 2, LONG_MS, &err), &err);
    assert_string_equal(berth_client_endpoint(client), places[1]);
}

static void connect__environment__names_the_only_place(void **state)
{
    struct berth_error err;

    (void)state;
    start(NULL, 0, 0, NULL);
    set_environment("BERTH_ENDPOINT", socket_path);
    assert_ok(berth_client_connect(&client, NULL, LONG_MS, &err), &err);
    assert_string_equal(berth_client_endpoint(client), socket_path);
    berth_client_close(client);
    client = NULL;
    set_environment("BERTH_ENDPOINT", temp_endpoint(folder, "none"));
    assert_code(berth_client_connect(&client, NULL, LONG_MS, &err), BERTH_NOT_FOUND);
    assert_null(strstr(err.detail, "/run/berth"));
    assert_ok(berth_client_connect(&client, socket_path, LONG_MS, &err), &err);
    set_environment("BERTH_ENDPOINT", NULL);
}

static void connect__impossible_endpoint__names_it(void **state)
{
    char path[300];
    struct berth_error err;

    (void)state;
    memset(path, 'a', sizeof path - 1);
    path[sizeof path - 1] = '\0';
    assert_code(berth_client_connect(&client, path, LONG_MS, &err), BERTH_INVALID_PARAMS);
    assert_non_null(strstr(err.detail, "cannot connect to aaa"));
}

/* Running out of memory: Berth's own blocks and jansson's are counted together. */

static void *json_take(size_t size)
{
    return berth_alloc(1, size);
}

static enum berth_code talk_once(struct berth_error *err)
{
    struct berth_remote_error remote;
    struct berth_client *talker = NULL;
    json_t *result = NULL;
    enum berth_code code = berth_client_connect(&talker, socket_path, LONG_MS, err);

    if (code == BERTH_OK) {
        code = berth_client_call(talker, "subscribe", json_pack("{s:[s]}", "topics", "ports"),
                                 &result, &remote, err);
        berth_remote_error_fini(&remote);
    }
    if (code == BERTH_OK) {
        json_decref(result);
        code = berth_client_next_event(talker, &result, LONG_MS, err);
    }
    if (code == BERTH_OK) {
        json_decref(result);
        code = berth_client_call(talker, "refuse", json_object(), &result, &remote, err);
        code = code == BERTH_NOT_FOUND && remote.object != NULL ? BERTH_OK : code;
        berth_remote_error_fini(&remote);
    }
    berth_client_close(talker);
    return code;
}

static void client__each_allocation_fails_in_turn__is_an_error_without_a_leak(void **state)
{
    static const struct scripted_rule rules[] = {
        {"subscribe",
         EVENT(1) "{\"jsonrpc\":\"2.0\",\"id\":$ID,\"result\":{\"a\":[1,\"x\",{\"b\":null}]}}\n",
         false},
        {"refuse", "error {\"code\":-32005,\"message\":\"m\",\"data\":{\"reason\":\"not_found\"}}",
         false}};
    size_t live = 0;
    size_t failures = 0;
    bool failed = true;

    (void)state;
    start(rules, 2, 0, NULL);
    json_object_seed(1);
    for (size_t n = 1; failed; n++) {
        struct berth_error err = {0};
        memory_faults_begin(n, false);
        json_set_alloc_funcs(json_take, berth_free);
        enum berth_code code = talk_once(&err);
        json_set_alloc_funcs(malloc, free);
        failed = memory_faults_end(&live);
        assert_int_equal(live, 0);
        if (!failed) {
            assert_ok(code, &err);
        } else if (code != BERTH_NO_MEMORY && code != BERTH_MALFORMED) {
            /* jansson's scanner reports some failures as an invalid token */
            fail_msg("allocation %zu: %s (%s)", n, berth_test_code_symbol(code), err.detail);
        } else {
            failures++;
        }
    }
    print_message("%zu allocations failed in turn\n", failures);
    assert_true(failures > 50);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_teardown(name, stop)
    const struct CMUnitTest tests[] = {
        TEST(call__result__is_given_and_the_request_is_exact),
        TEST(call__answer_byte_by_byte__is_put_together),
        TEST(call__large_answer__is_read_whole),
        TEST(call__refusal__keeps_code_message_reason_and_data),
        TEST(call__every_reason__gives_its_code),
        TEST(call__unknown_reason_or_none__is_internal),
        TEST(call__wrong_id__is_malformed_and_ends_the_connection),
        TEST(call__garbage__is_malformed),
        TEST(call__line_without_end__is_too_large),
        TEST(call__connection_closed__is_io),
        TEST(call__silence__is_busy_at_the_deadline),
        TEST(call__refused_connection__gives_the_parting_words),
        TEST(call__params_that_could_not_be_built__is_no_memory),
        TEST(call__request_too_large__is_not_sent),
        TEST(next_event__before_and_after_the_answer__are_given_in_order),
        TEST(next_event__something_else_comes__is_malformed),
        TEST(connect__nobody_anywhere__names_the_places_and_what_to_do),
        TEST(connect__first_place_dead__takes_the_second),
        TEST(connect__environment__names_the_only_place),
        TEST(connect__impossible_endpoint__names_it),
        TEST(client__each_allocation_fails_in_turn__is_an_error_without_a_leak),
    };
#undef TEST
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
