/* SPDX-License-Identifier: MIT */
/* Clients of whom it shows with their first bytes only who they are. berth_peer_of() is the test's
 * own here, in place of the system's. */
#include "account_names.h"
#include "server_case.h"

/* What berth_peer_of() says at accept, and once bytes were read. */
static struct {
    enum berth_code silent;
    enum berth_code spoken;
    unsigned asked;
} script;

enum berth_code berth_peer_of(const uv_pipe_t *pipe, struct berth_peer *out,
                              struct berth_error *err)
{
    bool spoken = uv_is_active((const uv_handle_t *)pipe) != 0; /* it is read from */
    enum berth_code code = spoken ? script.spoken : script.silent;

    script.asked++;
    if (code != BERTH_OK) {
        return berth_fail(err, code, 0, "as the test wishes");
    }
    *out = (struct berth_peer){.id = "somebody", .name = "somebody", .process_id = 1};
    return berth_account_find_user(account_user(4711), &out->user, err);
}

static int setup(void **state)
{
    script.silent = BERTH_NOT_READY;
    script.spoken = BERTH_OK;
    script.asked = 0;
    return server_case_setup(state);
}

/* Lets the loop go on until the connection that came last is closed, or has answered. */
static void await_asked(struct server_case *fixture, unsigned asked)
{
    while (script.asked < asked) {
        (void)uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    for (int i = 0; i < 4; i++) {
        (void)uv_run(&fixture->loop, UV_RUN_NOWAIT);
    }
}

/* ---- tests ---- */

static void client__known_with_its_first_bytes__is_served(void **state)
{
    struct server_case *fixture = *state;
    intptr_t client = server_case_connect(fixture);

    assert_int_equal(script.asked, 1);
    assert_int_equal(fixture->server->unknown, 1);
    assert_true(listener_world.send(client, HELLO HELLO, 2 * strlen(HELLO)));
    await_asked(fixture, 2);
    assert_int_equal(fixture->server->unknown, 0);
    assert_receives(client, "\"protocol\":1");
    listener_world.close(client);
    server_case_await_connections(fixture, 0);
    assert_int_equal(script.asked, 2); /* once known, always known */
}

/* One byte is enough to know who it is, and not enough to answer. */
static void client__sends_part_of_a_request__is_known_and_not_answered(void **state)
{
    struct server_case *fixture = *state;
    intptr_t client = server_case_connect(fixture);

    assert_true(listener_world.send(client, "{", 1));
    await_asked(fixture, 2);
    assert_int_equal(fixture->server->unknown, 0);
    assert_true(listener_world.send(client, &HELLO[1], strlen(HELLO) - 1));
    while (fixture->server->first->input.length > 0) {
        (void)uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    assert_receives(client, "\"protocol\":1");
    assert_int_equal(script.asked, 2);
    listener_world.close(client);
    server_case_await_connections(fixture, 0);
}

static void client__denied__is_told_so_and_its_request_not_answered(void **state)
{
    struct server_case *fixture = *state;
    intptr_t client = server_case_connect(fixture);

    script.spoken = BERTH_DENIED;
    assert_true(listener_world.send(client, HELLO, strlen(HELLO)));
    server_case_await_connections(fixture, 0);
    assert_receives(client, "\"reason\":\"denied\"");
    assert_ends(client);
}

static void client__not_known_even_then__is_closed_without_a_word(void **state)
{
    static const enum berth_code codes[] = {BERTH_NOT_READY, BERTH_IO, BERTH_NO_MEMORY};
    struct server_case *fixture = *state;

    for (size_t i = 0; i < BERTH_COUNT(codes); i++) {
        intptr_t client = server_case_connect(fixture);
        script.spoken = codes[i];
        assert_true(listener_world.send(client, HELLO, strlen(HELLO)));
        server_case_await_connections(fixture, 0);
        assert_int_equal(fixture->server->unknown, 0);
        assert_ends(client);
    }
}

/* Limits are looked at as soon as it is known whom they concern. */
static void limits__reached__are_told_with_the_first_bytes(void **state)
{
    struct server_case *fixture = *state;

    fixture->memory->settings.limits.per_user = 1;
    intptr_t first = server_case_connect(fixture);
    assert_true(listener_world.send(first, HELLO, strlen(HELLO)));
    await_asked(fixture, 2);
    assert_receives(first, "\"protocol\":1");
    intptr_t second = server_case_connect(fixture); /* nobody knows yet that it is one too many */
    assert_true(listener_world.send(second, HELLO, strlen(HELLO)));
    server_case_await_connections(fixture, 1);
    assert_receives(second, "limit_reached");
    assert_ends(second);
    listener_world.close(first);
    server_case_await_connections(fixture, 0);
}

/* More silent clients than connections are allowed: they keep nobody out, and the oldest go. */
static void silent__more_than_there_may_be__the_oldest_make_room(void **state)
{
    struct server_case *fixture = *state;
    static intptr_t silent[BERTH_UNKNOWN_MAX + 44];

    for (size_t i = 0; i < BERTH_COUNT(silent); i++) {
        silent[i] = server_case_connect(fixture);
    }
    server_case_await_connections(fixture, BERTH_UNKNOWN_MAX);
    assert_int_equal(fixture->server->unknown, BERTH_UNKNOWN_MAX);
    for (size_t i = 0; i < 44; i++) {
        assert_ends(silent[i]);
    }
    unsigned asked = script.asked;
    intptr_t client = silent[44]; /* the oldest that is left is served when it speaks */
    assert_true(listener_world.send(client, HELLO, strlen(HELLO)));
    await_asked(fixture, asked + 1);
    assert_receives(client, "\"protocol\":1");
    for (size_t i = 44; i < BERTH_COUNT(silent); i++) {
        listener_world.close(silent[i]);
    }
    server_case_await_connections(fixture, 0);
    assert_int_equal(fixture->server->unknown, 0);
}

static void silent__past_its_time__is_closed_and_a_known_one_is_not(void **state)
{
    struct server_case *fixture = *state;
    intptr_t known = server_case_connect(fixture);

    assert_true(listener_world.send(known, HELLO, strlen(HELLO)));
    await_asked(fixture, 2);
    assert_receives(known, "\"protocol\":1");
    intptr_t silent = server_case_connect(fixture);
    uint64_t later_ms = uv_now(&fixture->loop) + BERTH_REQUEST_TIME_MS;
    berth__connection_check(fixture->server->first->next, later_ms);
    berth__connection_check(fixture->server->first, fixture->server->first->read_ms);
    server_case_await_connections(fixture, 2);
    berth__connection_check(fixture->server->first, later_ms);
    server_case_await_connections(fixture, 1);
    assert_ends(silent);
    listener_world.close(known);
    server_case_await_connections(fixture, 0);
}

static void stop__with_silent_clients__ends_all_the_same(void **state)
{
    struct server_case *fixture = *state;

    /* the teardown stops the server, which must end well: see its status */
    (void)server_case_connect(fixture);
    (void)server_case_connect(fixture);
    assert_int_equal(fixture->server->unknown, 2);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, server_case_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(client__known_with_its_first_bytes__is_served),
        CASE(client__sends_part_of_a_request__is_known_and_not_answered),
        CASE(client__denied__is_told_so_and_its_request_not_answered),
        CASE(client__not_known_even_then__is_closed_without_a_word),
        CASE(limits__reached__are_told_with_the_first_bytes),
        CASE(silent__more_than_there_may_be__the_oldest_make_room),
        CASE(silent__past_its_time__is_closed_and_a_known_one_is_not),
        CASE(stop__with_silent_clients__ends_all_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
