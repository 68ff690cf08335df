/* SPDX-License-Identifier: MIT */
/* Clients that are silent, slow, greedy or many: each gets its defined answer, and nobody else
 * waits for it. */
#include "cmocka_all.h"
#include "daemon_process.h"

#include <stdio.h>
#include <stdlib.h>

#define SILENT 1000
#define MEMORY_GROWTH_MAX (64LL * 1024 * 1024)

/* `extra` besides a pool that no program of this machine uses by chance */
static void start_quiet(struct daemon_process *daemon, const char *extra)
{
    char elements[1024];

    (void)snprintf(elements, sizeof elements,
                   "<pools><pool name=\"default\" ports=\"24000-24999\"/></pools>"
                   "<tcp poll=\"1m\" full=\"1m\"/>%s",
                   extra);
    daemon_start(daemon, elements);
}

static long long resident_bytes(struct test_client *client)
{
    json_t *status = client_call(client, "status", NULL);
    long long bytes = json_integer_at(status, "memory.resident_bytes");

    json_decref(status);
    return bytes;
}

static void assert_served(struct test_client *client, unsigned requests)
{
    for (unsigned i = 0; i < requests; i++) {
        json_decref(client_call(client, "next", NULL));
    }
}

/* ---- silent ones ---- */

static void silent_clients__1000__others_are_served(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client worker;
    static struct test_client silent[SILENT];

    if (platform_raise_descriptor_limit() < SILENT + 64) {
        skip();
    }
    start_quiet(daemon, "<limits connections=\"2048\" perUser=\"2048\"/>");
    client_open(&worker, daemon->endpoint);
    assert_served(&worker, 100);
    for (int i = 0; i < SILENT; i++) {
        client_open(&silent[i], daemon->endpoint);
    }
    /* half of them in the middle of a request */
    for (int i = 0; i < SILENT; i += 2) {
        client_send(&silent[i], "{\"jsonrpc\":");
    }
    json_t *status = client_call(&worker, "status", NULL);
    assert_true(json_integer_at(status, "connections.now") >= SILENT + 1);
    json_decref(status);
    assert_served(&worker, 1000);
    /* and they are served when they speak */
    for (int i = 1; i < SILENT; i += 2) {
        json_decref(client_call(&silent[i], "hello", NULL));
    }
    for (int i = 0; i < SILENT; i++) {
        client_close(&silent[i]);
    }
    assert_served(&worker, 100);
    client_close(&worker);
    daemon_stop(daemon);
}

static void half_a_request__then_silence__is_answered_and_closed(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client half;
    struct test_client silent;

    start_quiet(daemon, "");
    client_open(&half, daemon->endpoint);
    client_open(&silent, daemon->endpoint);
    uint64_t start_ms = platform_now_ms();
    client_send(&half, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hello\"}\n{\"jsonrpc\"");
    json_t *answer = client_answer(&half);
    assert_int_equal(json_integer_at(answer, "id"), 1);
    json_decref(answer);
    half.deadline_ms = 40000;
    answer = client_answer(&half);
    assert_error_answer(answer, NULL, -32600, "invalid_params");
    json_decref(answer);
    client_expect_closed(&half);
    assert_true(platform_now_ms() - start_ms >= 9500); /* not too soon */
    /* one that sent nothing at all stays */
    json_decref(client_call(&silent, "hello", NULL));
    client_close(&half);
    client_close(&silent);
}

/* Every request is whole within a moment, but there is always half a next one. */
static void requests__cut_in_the_middle_for_long__are_all_answered(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client client;

    start_quiet(daemon, "");
    client_open(&client, daemon->endpoint);
    client_send(&client, "{\"jsonrpc\":\"2.0\",");
    uint64_t end_ms = platform_now_ms() + 13000;
    for (int id = 1; platform_now_ms() < end_ms; id++) {
        client_sendf(&client, "\"id\":%d,\"method\":\"hello\"}\n{\"jsonrpc\":\"2.0\",", id);
        json_t *answer = client_answer(&client);
        if (!json_has(answer, "result")) {
            fail_msg("request %d: %s", id, json_string_at(answer, "error.message"));
        }
        assert_int_equal(json_integer_at(answer, "id"), id);
        json_decref(answer);
        platform_pause_ms(100);
    }
    client_close(&client);
}

/* ---- those that do not read ---- */

/* Sends until the daemon takes no more.  @return bytes sent */
static size_t send_until_stuck(struct test_client *client, const char *text)
{
    size_t length = strlen(text);
    size_t sent = 0;
    long count;

    do {
        count = platform_write(client->socket, text, length, 500);
        sent += count > 0 ? (size_t)count : 0;
    } while (count > 0 && sent < 64 * 1024 * 1024);
    return sent;
}

static void unread_answers__pipelined_without_end__daemon_stays_within_bounds(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client worker;
    struct test_client greedy;
    char *text = malloc(64 * 1024);
    size_t length = 0;

    assert_non_null(text);
    while (length < 60 * 1024) {
        length +=
            (size_t)sprintf(text + length, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ports\"}\n");
    }
    /* 900 reserved ports make a `ports` answer of about 100 KB */
    start_quiet(daemon, "<reserved><ports range=\"24000-24899\" reason=\"bulk\"/></reserved>");
    client_open(&worker, daemon->endpoint);
    client_open(&greedy, daemon->endpoint);
    long long before = resident_bytes(&worker);
    size_t sent = send_until_stuck(&greedy, text);
    assert_true(sent < 16 * 1024 * 1024);
    assert_served(&worker, 200);
    long long growth = resident_bytes(&worker) - before;
    (void)printf("%zu bytes of requests taken, resident memory +%lld KiB\n", sent, growth / 1024);
    assert_true(growth < MEMORY_GROWTH_MAX);
    /* closed in the end: nobody waits for it for ever */
    daemon_await_log(daemon, "does not read its answers");
    assert_served(&worker, 10);
    client_close(&greedy);
    client_close(&worker);
    free(text);
    daemon_stop(daemon);
}

/* One large answer, read slowly but steadily: longer than the time that a stuck client gets, and
 * longer than a request may stay incomplete, which this one does only as the daemon reads nothing.
 */
static int lines_in(const char *bytes, long count)
{
    int lines = 0;

    for (long i = 0; i < count; i++) {
        lines += bytes[i] == '\n';
    }
    return lines;
}

static void unread_answers__read_slowly__all_come_and_the_next_one_too(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client slow;
    char bytes[65536];
    size_t total = 0;
    long count = 1;
    int lines = 0;

    start_quiet(daemon, "<reserved><ports range=\"24000-24899\" reason=\"bulk\"/>"
                        "<ports range=\"30000-60000\" reason=\"more bulk, to make it large\"/>"
                        "</reserved>");
    client_open(&slow, daemon->endpoint);
    client_send(&slow, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ports\"}\n{\"jsonrpc\":");
    uint64_t end_ms = platform_now_ms() + 14000;
    while (platform_now_ms() < end_ms && count > 0) {
        count = platform_read(slow.socket, bytes, 8192, CLIENT_DEADLINE_MS);
        total += count > 0 ? (size_t)count : 0;
        lines += lines_in(bytes, count);
        platform_pause_ms(100);
    }
    client_send(&slow, "\"2.0\",\"id\":2,\"method\":\"hello\"}\n");
    /* both answers may end in one read */
    while (count > 0 && lines < 2) {
        count = platform_read(slow.socket, bytes, sizeof bytes - 1, CLIENT_DEADLINE_MS);
        total += count > 0 ? (size_t)count : 0;
        lines += lines_in(bytes, count);
    }
    if (count <= 0) {
        daemon_print_log(daemon);
        fail_msg("the connection ended after %zu bytes", total);
    }
    bytes[count] = '\0';
    assert_non_null(strstr(bytes, "\"protocol\":1"));
    client_close(&slow);
}

/* ---- one request that costs much ---- */

static void batch__of_1000_large_answers__others_are_served_and_it_is_bounded(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client worker;
    struct test_client greedy;
    char *text = malloc(64 * 1024);
    size_t length = 0;

    assert_non_null(text);
    text[length++] = '[';
    for (int i = 0; i < 1000; i++) {
        length +=
            (size_t)sprintf(text + length, "%s{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ports\"}",
                            i > 0 ? "," : "");
    }
    (void)sprintf(text + length, "]\n");
    start_quiet(daemon, "<reserved><ports range=\"24000-24899\" reason=\"bulk\"/></reserved>");
    client_open(&worker, daemon->endpoint);
    client_open(&greedy, daemon->endpoint);
    long long before = resident_bytes(&worker);
    client_send(&greedy, text);
    free(text);
    uint64_t start_ms = platform_now_ms();
    assert_served(&worker, 1);
    (void)printf("another client waited %llu ms\n",
                 (unsigned long long)(platform_now_ms() - start_ms));
    assert_true(resident_bytes(&worker) - before < MEMORY_GROWTH_MAX);
    json_t *answers = client_answer(&greedy);
    assert_int_equal(json_array_size(answers), 1000);
    json_decref(answers);
    client_close(&greedy);
    client_close(&worker);
}

/* ---- ceilings ---- */

static void assert_limit_answer(const struct daemon_process *daemon, const char *limit)
{
    struct test_client refused;

    client_open(&refused, daemon->endpoint);
    json_t *answer = client_answer(&refused);
    assert_error_answer(answer, NULL, -32007, "limit_reached");
    if (strstr(json_string_at(answer, "error.message"), limit) == NULL) {
        fail_msg("%s", json_string_at(answer, "error.message"));
    }
    json_decref(answer);
    client_expect_closed(&refused);
    client_close(&refused);
}

static bool all_closed(void *ctx)
{
    json_t *status = client_call(ctx, "status", NULL);
    bool one = json_integer_at(status, "connections.now") == 1;

    json_decref(status);
    return one;
}

static void connections__at_the_limit__answered_and_closed(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client clients[16];

    start_quiet(daemon, "<limits connections=\"16\" perUser=\"16\"/>");
    client_open(&clients[0], daemon->endpoint);
    assert_true(daemon_await(all_closed, &clients[0], 20000) != UINT64_MAX);
    for (int i = 1; i < 16; i++) {
        client_open(&clients[i], daemon->endpoint);
        json_decref(client_call(&clients[i], "hello", NULL));
    }
    for (int i = 0; i < 20; i++) {
        assert_limit_answer(daemon, "connections");
    }
    /* those that are there go on, and a place that becomes free is taken */
    for (int i = 0; i < 16; i++) {
        assert_served(&clients[i], 1);
    }
    for (int i = 1; i < 16; i++) {
        client_close(&clients[i]);
    }
    assert_true(daemon_await(all_closed, &clients[0], 20000) != UINT64_MAX);
    client_open(&clients[1], daemon->endpoint);
    assert_served(&clients[1], 1);
    client_close(&clients[0]);
    client_close(&clients[1]);
    daemon_stop(daemon);
}

static void clients__that_come_and_go__leave_nothing_behind(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client worker;
    struct test_client passing;

    start_quiet(daemon, "");
    client_open(&worker, daemon->endpoint);
    for (int i = 0; i < 3000; i++) {
        client_open(&passing, daemon->endpoint);
        if (i % 3 == 0) {
            json_decref(client_call(&passing, "hello", NULL));
        } else if (i % 3 == 1) {
            client_send(&passing, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\"}\n{");
        }
        client_close(&passing);
    }
    assert_true(daemon_await(all_closed, &worker, 20000) != UINT64_MAX);
    client_close(&worker);
    daemon_stop(daemon);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, daemon_setup, daemon_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(silent_clients__1000__others_are_served),
        CASE(half_a_request__then_silence__is_answered_and_closed),
        CASE(requests__cut_in_the_middle_for_long__are_all_answered),
        CASE(unread_answers__pipelined_without_end__daemon_stays_within_bounds),
        CASE(unread_answers__read_slowly__all_come_and_the_next_one_too),
        CASE(batch__of_1000_large_answers__others_are_served_and_it_is_bounded),
        CASE(connections__at_the_limit__answered_and_closed),
        CASE(clients__that_come_and_go__leave_nothing_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
