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
        CASE(batch__out_of_time__the_rest_is_busy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
