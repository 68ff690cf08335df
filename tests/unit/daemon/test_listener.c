/* SPDX-License-Identifier: MIT */
#include "listener_case.h"
#include "memory_faults.h"

/* ---- a client of the same loop ---- */

struct meeting {
    uv_pipe_t accepted;
    uv_pipe_t client;
    uv_connect_t request;
    unsigned seen;
    int connected; /* 1: not yet */
};

static void on_client(struct berth_listener *listener, void *ctx)
{
    struct meeting *meeting = ctx;
    struct berth_error err;

    meeting->seen++;
    (void)uv_pipe_init(meeting->client.loop, &meeting->accepted, 0);
    assert_ok(berth_listener_accept(listener, &meeting->accepted, &err), &err);
    uv_close((uv_handle_t *)&meeting->accepted, NULL);
    berth_listener_close(listener);
}

static void on_connect(uv_connect_t *request, int status)
{
    struct meeting *meeting = request->data;

    meeting->connected = status;
    uv_close((uv_handle_t *)&meeting->client, NULL);
}

static void open__client_connects__is_told_and_accepted(void **state)
{
    struct listener_case *fixture = *state;
    struct meeting meeting = {.connected = 1};
    struct berth_listener *listener;
    struct berth_error err;

    assert_ok(berth_listener_open(&listener, &fixture->loop, fixture->endpoint, &nobody, on_client,
                                  &meeting, &err),
              &err);
    assert_int_equal(uv_pipe_init(&fixture->loop, &meeting.client, 0), 0);
    meeting.request.data = &meeting;
    uv_pipe_connect(&meeting.request, &meeting.client, fixture->endpoint, on_connect);
    (void)uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_int_equal(meeting.seen, 1);
    assert_int_equal(meeting.connected, 0);
    FILE *file = fopen(fixture->endpoint, "rb");
    assert_null(file); /* the endpoint is gone with the listener */
}

static void open__twice__busy_until_the_first_is_closed(void **state)
{
    struct listener_case *fixture = *state;
    struct berth_listener *first;
    struct berth_listener *second = NULL;
    struct berth_error err;

    assert_ok(
        berth_listener_open(&first, &fixture->loop, fixture->endpoint, &nobody, never, NULL, &err),
        &err);
    assert_code(
        berth_listener_open(&second, &fixture->loop, fixture->endpoint, &nobody, never, NULL, &err),
        BERTH_BUSY);
    assert_null(second);
    assert_non_null(strstr(err.detail, fixture->endpoint));
    berth_listener_close(first);
    (void)uv_run(&fixture->loop, UV_RUN_DEFAULT);
    assert_ok(
        berth_listener_open(&second, &fixture->loop, fixture->endpoint, &nobody, never, NULL, &err),
        &err);
    berth_listener_close(second);
    berth_listener_close(NULL);
}

static void open__each_allocation_fails__is_an_error_without_a_leak(void **state)
{
    struct listener_case *fixture = *state;
    bool failed = true;
    size_t tried = 0;

    for (; failed; tried++) {
        struct berth_listener *listener = NULL;
        struct berth_error err;
        size_t live;
        memory_faults_begin(tried + 1, false);
        enum berth_code code = berth_listener_open(&listener, &fixture->loop, fixture->endpoint,
                                                   &nobody, never, NULL, &err);
        berth_listener_close(listener);
        (void)uv_run(&fixture->loop, UV_RUN_DEFAULT);
        failed = memory_faults_end(&live);
        assert_int_equal(live, 0);
        assert_code(code, failed ? BERTH_NO_MEMORY : BERTH_OK);
    }
    assert_true(tried > 1); /* at least one allocation was made, and failed */
}

#define CASE(test)                                                                                 \
    cmocka_unit_test_setup_teardown(test, listener_case_setup, listener_case_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(open__client_connects__is_told_and_accepted),
        CASE(open__twice__busy_until_the_first_is_closed),
        CASE(open__each_allocation_fails__is_an_error_without_a_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
