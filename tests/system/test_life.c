/* SPDX-License-Identifier: MIT */
/* berthd's start, end and what lies between: what is in flight when it stops, what it finds when it
 * starts, and the times that run out meanwhile. */
#include "cmocka_all.h"
#include "daemon_process.h"
#include "temp_dir.h"

#include <stdio.h>
#include <stdlib.h>

#define QUIET                                                                                      \
    "<pools><pool name=\"default\" ports=\"28000-28999\"/></pools><tcp poll=\"1m\" full=\"1m\"/>"

/* ---- stopping ---- */

static void send_numbered(struct test_client *client, const char *method, int count)
{
    char *text = malloc((size_t)count * 100);
    size_t length = 0;

    assert_non_null(text);
    for (int i = 0; i < count; i++) {
        length += (size_t)sprintf(text + length,
                                  "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"%s\"}\n", i, method);
    }
    client_send(client, text);
    free(text);
}

static void expect_numbered(struct test_client *client, int count)
{
    for (int i = 0; i < count; i++) {
        json_t *answer = client_answer(client);
        assert_int_equal(json_integer_at(answer, "id"), i);
        (void)json_at(answer, "result");
        json_decref(answer);
    }
    client_expect_closed(client);
}

static void stop__with_200_requests_in_flight__all_are_answered(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client client;

    daemon_start(daemon, QUIET);
    client_open(&client, daemon->endpoint);
    send_numbered(&client, "allocate", 200);
    platform_process_stop(daemon->process);
    expect_numbered(&client, 200);
    client_close(&client);
    assert_int_equal(daemon_await_end(daemon), 0);
}

/* The same, so that the daemon sees the requests and the signal in one and the same moment. */
static void stop__seen_together_with_requests_of_20_clients__all_are_answered(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client clients[20];

    daemon_start(daemon, QUIET);
    for (int i = 0; i < 20; i++) {
        client_open(&clients[i], daemon->endpoint);
        json_decref(client_call(&clients[i], "hello", NULL));
    }
    platform_process_suspend(daemon->process);
    for (int i = 0; i < 20; i++) {
        send_numbered(&clients[i], "status", 20);
    }
    platform_process_stop(daemon->process);
    platform_process_resume(daemon->process);
    for (int i = 0; i < 20; i++) {
        expect_numbered(&clients[i], 20);
        client_close(&clients[i]);
    }
    assert_int_equal(daemon_await_end(daemon), 0);
}

/* Clients whose connection was made, but not yet accepted. */
static void stop__with_clients_not_yet_accepted__they_are_answered(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client clients[20];

    daemon_start(daemon, QUIET);
    platform_process_suspend(daemon->process);
    for (int i = 0; i < 20; i++) {
        client_open(&clients[i], daemon->endpoint);
        send_numbered(&clients[i], "hello", 1);
    }
    platform_process_stop(daemon->process);
    platform_process_resume(daemon->process);
    for (int i = 0; i < 20; i++) {
        expect_numbered(&clients[i], 1);
        client_close(&clients[i]);
    }
    assert_int_equal(daemon_await_end(daemon), 0);
}

static bool endpoint_is_gone(void *ctx)
{
    const struct daemon_process *daemon = ctx;
    intptr_t socket = platform_connect(daemon->endpoint);

    platform_close(socket);
    return socket == PLATFORM_NO_SOCKET;
}

/* What comes when the daemon has begun to stop is answered or not, but ends well. */
static void stop__then_requests_of_every_kind__ends_well(void **state)
{
    static const char *const methods[] = {"reload", "allocate", "status", "ports", "release"};
    struct daemon_process *daemon = *state;
    struct test_client client;

    for (size_t i = 0; i < BERTH_COUNT(methods); i++) {
        char request[100];
        daemon_start(daemon, QUIET);
        client_open(&client, daemon->endpoint);
        json_decref(client_call(&client, "hello", NULL));
        (void)snprintf(request, sizeof request,
                       "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\"}\n", methods[i]);
        platform_process_stop(daemon->process);
        assert_true(daemon_await(endpoint_is_gone, daemon, DAEMON_STOP_MS) != UINT64_MAX);
        (void)client_try_send(&client, request, strlen(request));
        int status = daemon_await_end(daemon);
        if (status != 0) {
            daemon_print_log(daemon);
            fail_msg("%s while it stops: status %d", methods[i], status);
        }
        client_close(&client);
    }
}

static void stop__with_silent_and_stuck_clients__ends_within_seconds(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client clients[4];

    daemon_start(daemon, QUIET "<reserved><ports range=\"28000-28899\"/></reserved>");
    for (int i = 0; i < 4; i++) {
        client_open(&clients[i], daemon->endpoint);
    }
    json_decref(client_call(&clients[0], "hello", NULL));
    client_send(&clients[1], "{\"jsonrpc\"");
    send_numbered(&clients[2], "ports", 100); /* and reads nothing */
    daemon_stop(daemon);
    assert_int_equal(platform_connect(daemon->endpoint), PLATFORM_NO_SOCKET);
    for (int i = 0; i < 4; i++) {
        client_close(&clients[i]);
    }
}

static void stop__removes_the_endpoint_and_it_starts_again(void **state)
{
    struct daemon_process *daemon = *state;

    for (int i = 0; i < 3; i++) {
        daemon_start(daemon, QUIET);
        daemon_stop(daemon);
        FILE *file = fopen(daemon->endpoint, "rb");
        assert_null(file);
    }
}

/* ---- starting ---- */

/* Sees that a second berthd, started so, comes to the endpoint of the first one. */
static void expect_taken(struct daemon_process *daemon, const char *const *arguments)
{
    char expected[64];
    char *output;

    assert_int_equal(daemon_run(daemon, arguments, &output), 1);
    platform_words_taken(expected, sizeof expected, daemon->process);
    if (strstr(output, expected) == NULL) {
        fail_msg("%s", output);
    }
    free(output);
}

static void start__second_daemon__refused_with_the_pid_of_the_first(void **state)
{
    struct daemon_process *daemon = *state;
    const char *const arguments[] = {"--config", daemon->config, "--endpoint", daemon->endpoint,
                                     NULL};
    struct test_client client;

    daemon_start(daemon, QUIET);
    expect_taken(daemon, arguments);
    /* the first one is unharmed */
    client_open(&client, daemon->endpoint);
    json_decref(client_call(&client, "hello", NULL));
    client_close(&client);
    daemon_stop(daemon);
}

static void configure_endpoint(struct daemon_process *daemon, const char *endpoint)
{
    char text[400];
    int length = snprintf(text, sizeof text, "<berth endpoint=\"%s\"/>", endpoint);

    write_file(daemon->config, text, (size_t)length);
}

static void start__endpoint__by_option_then_environment_then_configuration(void **state)
{
    struct daemon_process *daemon = *state;
    char other[256]; /* whoever comes to it serves there, and does not end */
    const char *const by_option[] = {"--config", daemon->config, "--endpoint", daemon->endpoint,
                                     NULL};
    const char *const without[] = {"--config", daemon->config, NULL};

    (void)snprintf(other, sizeof other, "%s", temp_endpoint(daemon->folder, "other.sock"));
    daemon_start(daemon, QUIET);
    configure_endpoint(daemon, other);
    set_environment("BERTH_ENDPOINT", other);
    expect_taken(daemon, by_option);
    set_environment("BERTH_ENDPOINT", daemon->endpoint);
    expect_taken(daemon, without);
    configure_endpoint(daemon, daemon->endpoint);
    set_environment("BERTH_ENDPOINT", "");
    expect_taken(daemon, without);
    set_environment("BERTH_ENDPOINT", NULL);
    expect_taken(daemon, without);
    daemon_stop(daemon);
}

static void start__after_kill__replaces_the_socket_and_serves(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client client;

    for (int i = 0; i < 5; i++) {
        daemon_start(daemon, QUIET);
        client_open(&client, daemon->endpoint);
        json_decref(client_call(&client, "allocate", "{\"key\":\"k\"}"));
        daemon_kill(daemon);
        client_close(&client);
        assert_int_equal(platform_connect(daemon->endpoint), PLATFORM_NO_SOCKET);
    }
    daemon_start(daemon, QUIET);
    daemon_stop(daemon);
}

static void command_line__each_question__is_answered(void **state)
{
    struct daemon_process *daemon = *state;
    static const struct {
        const char *argument;
        int status;
        const char *answer;
    } cases[] = {
        {"--version", 0, "berthd 0."},          {"--help", 0, "usage: berthd"},
        {"--nonsense", 2, "--nonsense"},        {"--config", 2, "needs a value"},
        {"--log-level=loud", 2, "is accepted"},
    };

    for (size_t i = 0; i < BERTH_COUNT(cases); i++) {
        const char *const arguments[] = {cases[i].argument, NULL};
        char *output;
        int status = daemon_run(daemon, arguments, &output);
        if (status != cases[i].status || strstr(output, cases[i].answer) == NULL) {
            fail_msg("%s: status %d: %s", cases[i].argument, status, output);
        }
        free(output);
    }
}

/* ---- times that run out ---- */

struct port_of_client {
    struct test_client *client;
    unsigned port;
    const char *state;
};

static bool port_has_state(void *ctx)
{
    const struct port_of_client *wanted = ctx;

    return strcmp(client_port_state(wanted->client, wanted->port), wanted->state) == 0;
}

static void await_state(struct test_client *client, unsigned port, const char *state)
{
    struct port_of_client wanted = {client, port, state};

    if (daemon_await(port_has_state, &wanted, 10000) == UINT64_MAX) {
        fail_msg("port %u is %s, not %s", port, client_port_state(client, port), state);
    }
}

static void lease__its_time_passes__cools_down_and_is_free(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client client;

    daemon_start(daemon, "<pools><pool name=\"default\" ports=\"28000-28999\"/></pools>"
                         "<lease cooldown=\"5s\"/><tcp poll=\"50ms\"/>");
    client_open(&client, daemon->endpoint);
    json_decref(client_call(&client, "allocate", "{\"key\":\"k\",\"ttl\":3}"));
    assert_string_equal(client_port_state(&client, 28000), "leased");
    await_state(&client, 28000, "cooling");
    /* its own key may have it, others get the next one */
    json_t *other = client_call(&client, "allocate", "{\"key\":\"other\"}");
    assert_int_equal(json_integer_at(other, "port"), 28001);
    json_decref(other);
    json_decref(
        client_refused(&client, "port_in_use", "allocate", "{\"key\":\"third\",\"port\":28000}"));
    await_state(&client, 28000, "free");
    client_close(&client);
    daemon_stop(daemon);
}

/* The same where nothing else makes the daemon look at its clock. */
static void lease__its_time_passes_between_polls__ends_all_the_same(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client client;

    daemon_start(daemon, "<pools><pool name=\"default\" ports=\"28000-28999\"/></pools>"
                         "<lease cooldown=\"5s\"/><tcp poll=\"10m\" full=\"10m\"/>");
    client_open(&client, daemon->endpoint);
    json_decref(client_call(&client, "allocate", "{\"key\":\"k\",\"ttl\":1}"));
    await_state(&client, 28000, "cooling");
    await_state(&client, 28000, "free");
    json_decref(client_call(&client, "allocate", "{\"key\":\"k\"}"));
    json_decref(client_call(&client, "release", "{\"key\":\"k\"}"));
    await_state(&client, 28000, "free");
    client_close(&client);
    daemon_stop(daemon);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, daemon_setup, daemon_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(stop__with_200_requests_in_flight__all_are_answered),
        CASE(stop__seen_together_with_requests_of_20_clients__all_are_answered),
        CASE(stop__with_clients_not_yet_accepted__they_are_answered),
        CASE(stop__then_requests_of_every_kind__ends_well),
        CASE(stop__with_silent_and_stuck_clients__ends_within_seconds),
        CASE(stop__removes_the_endpoint_and_it_starts_again),
        CASE(start__second_daemon__refused_with_the_pid_of_the_first),
        CASE(start__endpoint__by_option_then_environment_then_configuration),
        CASE(start__after_kill__replaces_the_socket_and_serves),
        CASE(command_line__each_question__is_answered),
        CASE(lease__its_time_passes__cools_down_and_is_free),
        CASE(lease__its_time_passes_between_polls__ends_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
