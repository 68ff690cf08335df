/* SPDX-License-Identifier: MIT */
/* How long a client has the loop to itself, by a clock of the test's. */
#include "server_case.h"

#define MS_NS 1000000ULL

static uint64_t now_ns;
static uint64_t step_ns; /* what a request takes: the clock is asked before and after */

static uint64_t stepping_clock(void)
{
    return now_ns += step_ns;
}

/* As server_case_setup(), where each request takes `step_ns`. */
static int set_up(void **state)
{
    int status = server_case_setup(state);
    struct server_case *fixture = *state;

    if (status == 0) {
        fixture->server->clock_ns = stepping_clock;
        step_ns = MS_NS;
    }
    return status;
}

/* Sends so many requests in one piece. */
static void ask_hello(intptr_t client, unsigned count)
{
    char text[64 * sizeof HELLO];

    assert_true(count <= 64);
    for (unsigned i = 0; i < count; i++) {
        memcpy(text + i * strlen(HELLO), HELLO, strlen(HELLO));
    }
    assert_true(listener_world.send(client, text, count * strlen(HELLO)));
}

static unsigned waiting(const struct berth_connection *connection)
{
    return (unsigned)(connection->input.length / strlen(HELLO));
}

static unsigned answered(const struct server_case *fixture)
{
    unsigned count = 0;

    for (unsigned i = 0; i <= BERTH_LATENCY_BOUND_COUNT; i++) {
        count += (unsigned)fixture->memory->service.latency.buckets[i];
    }
    return count;
}

static void receive_hellos(intptr_t client, unsigned count)
{
    char byte;

    while (count > 0) {
        assert_int_equal(listener_world.receive(client, &byte, 1), 1);
        count -= byte == '\n';
    }
}

/* A request takes 1 ms here, so that a turn of 2 ms has two. */
static void requests__more_than_a_turn_has_time_for__go_on_in_the_next(void **state)
{
    struct server_case *fixture = *state;
    intptr_t client = server_case_connect(fixture);

    ask_hello(client, 11);
    while (!fixture->server->first->any_read) {
        (void)uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    for (unsigned count = 2; count < 11; count += 2) {
        assert_int_equal(answered(fixture), count);
        assert_true(fixture->server->first->backlog);
        (void)uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    assert_int_equal(answered(fixture), 11);
    assert_false(fixture->server->first->backlog);
    receive_hellos(client, 11);
    listener_world.close(client);
}

static void requests__that_take_longer_than_a_turn__one_a_turn(void **state)
{
    struct server_case *fixture = *state;
    intptr_t client = server_case_connect(fixture);

    step_ns = 50 * MS_NS;
    ask_hello(client, 3);
    while (!fixture->server->first->any_read) {
        (void)uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    for (unsigned count = 1; count < 3; count++) {
        assert_int_equal(answered(fixture), count);
        (void)uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    receive_hellos(client, 3);
    listener_world.close(client);
}

static void backlog__of_several__each_has_its_turn(void **state)
{
    struct server_case *fixture = *state;
    const struct berth_server *server = fixture->server;
    intptr_t clients[3];

    for (unsigned i = 0; i < 3; i++) {
        clients[i] = server_case_connect(fixture);
    }
    const struct berth_connection *const c[3] = {server->first, server->first->next,
                                                 server->first->next->next};
    for (unsigned i = 0; i < 3; i++) {
        ask_hello(clients[i], 21);
    }
    while (!c[0]->any_read || !c[1]->any_read || !c[2]->any_read) {
        (void)uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    while (waiting(c[0]) + waiting(c[1]) + waiting(c[2]) > 0) {
        unsigned before = answered(fixture);
        (void)uv_run(&fixture->loop, UV_RUN_ONCE);
        assert_true(answered(fixture) - before <= 2);
        for (unsigned i = 0; i < 3; i++) {
            unsigned other = waiting(c[(i + 1) % 3]);
            assert_true(waiting(c[i]) <= other + 4);
        }
    }
    for (unsigned i = 0; i < 3; i++) {
        receive_hellos(clients[i], 21);
        listener_world.close(clients[i]);
    }
}

/* Whose requests come while others still have their turn in a round waits for the next one. */
static void backlog__that_begins_within_a_round__goes_on_by_itself(void **state)
{
    struct server_case *fixture = *state;
    struct berth_server *server = fixture->server;
    intptr_t client = server_case_connect(fixture);
    const struct berth_connection *connection = server->first;

    ask_hello(client, 5);
    while (!connection->any_read) {
        (void)uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    server->backlog_left = true; /* as if others had not had theirs */
    assert_int_equal(connection->backlog_round, server->backlog_round);
    while (waiting(connection) > 0) {
        (void)uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    receive_hellos(client, 5);
    listener_world.close(client);
}

static void batch__out_of_time__the_rest_is_busy(void **state)
{
    static const char batch[] = "[{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hello\"},"
                                "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"hello\"},"
                                "{\"jsonrpc\":\"2.0\",\"id\":3,\"method\":\"hello\"}]\n";
    struct server_case *fixture = *state;
    intptr_t client = server_case_connect(fixture);
    char answer[2048] = "";

    step_ns = 60 * MS_NS; /* it is asked before the second one, and before the third */
    assert_true(listener_world.send(client, batch, strlen(batch)));
    while (!fixture->server->first->any_read) {
        (void)uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    assert_true(listener_world.receive(client, answer, sizeof answer - 1) > 0);
    assert_non_null(strstr(answer, "\"id\":2,\"result\""));
    assert_non_null(strstr(answer, "\"id\":3,\"error\":{\"code\":-32009"));
    listener_world.close(client);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, server_case_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(requests__more_than_a_turn_has_time_for__go_on_in_the_next),
        CASE(requests__that_take_longer_than_a_turn__one_a_turn),
        CASE(backlog__of_several__each_has_its_turn),
        CASE(backlog__that_begins_within_a_round__goes_on_by_itself),
        CASE(batch__out_of_time__the_rest_is_busy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
