/* SPDX-License-Identifier: MIT */
/* What a client gets that asks while the server stops. */
#include "server_case.h"

#define PAUSE_MS 200 /* several times as long as the server listens on for who was heard before */

/* Lets a client ask and get its answer. */
static intptr_t heard_client(struct server_case *fixture)
{
    intptr_t client = server_case_connect(fixture);

    assert_true(listener_world.send(client, HELLO, strlen(HELLO)));
    while (!fixture->server->first->any_read) {
        (void)uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    assert_receives(client, "\"protocol\":1");
    return client;
}

/* The process gets no turn for a while, as on a machine that is busy. */
static void pause_process(void)
{
    uint64_t end_ns = uv_hrtime() + (uint64_t)PAUSE_MS * 1000000;

    while (uv_hrtime() < end_ns) {
    }
}

static void stop__request_sent_before_a_pause__is_answered(void **state)
{
    struct server_case *fixture = *state;
    intptr_t client = heard_client(fixture);

    assert_true(listener_world.send(client, HELLO, strlen(HELLO)));
    server_case_stop(fixture);
    pause_process();
    server_case_await_connections(fixture, 0);
    assert_receives(client, "\"protocol\":1");
    assert_ends(client);
}

static void stop__client_just_connected__its_first_request_is_waited_for(void **state)
{
    struct server_case *fixture = *state;
    intptr_t client = server_case_connect(fixture);

    server_case_stop(fixture);
    uint64_t look_ms = fixture->server->quiet_ms;
    while (fixture->server->quiet_ms == look_ms) { /* until it has looked once */
        (void)uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    assert_true(listener_world.send(client, HELLO, strlen(HELLO)));
    server_case_await_connections(fixture, 0);
    assert_receives(client, "\"protocol\":1");
    assert_ends(client);
}

static void stop__client_connected_long_ago__is_not_waited_for(void **state)
{
    struct server_case *fixture = *state;
    intptr_t client = server_case_connect(fixture);

    fixture->server->first->accepted_ms -= 1000;
    server_case_stop(fixture);
    uint64_t look_ms = fixture->server->quiet_ms;
    while (fixture->server->quiet_ms == look_ms) {
        (void)uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    assert_true(fixture->server->first == NULL || fixture->server->first->closing);
    server_case_await_connections(fixture, 0);
    assert_ends(client);
}

static void stop__client_that_says_nothing__ends_all_the_same(void **state)
{
    struct server_case *fixture = *state;
    intptr_t client = server_case_connect(fixture);

    server_case_stop(fixture);
    server_case_await_connections(fixture, 0);
    assert_ends(client);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, server_case_setup, server_case_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(stop__request_sent_before_a_pause__is_answered),
        CASE(stop__client_just_connected__its_first_request_is_waited_for),
        CASE(stop__client_connected_long_ago__is_not_waited_for),
        CASE(stop__client_that_says_nothing__ends_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
