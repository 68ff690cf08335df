/* SPDX-License-Identifier: MIT */
/* Clients of whose user the name is not known yet, or not to be had: the server waits for it, for
 * them alone, and not for long. berth_peer_of() is the test's own here, in place of the system's.
 */
#include "daemon/process.h"
#include "scripted_accounts.h"
#include "server_case.h"

#define FOR_EVER_MS ((uint64_t)3600 * 1000)
#define STOP_LOOKS_MS 250 /* several looks of a server that stops */

/* Whom the next client belongs to, and whether that shows at once. */
static struct {
    unsigned user;
    bool silent;
} script;

static struct berth_account_names *names;
static bool names_closed;

enum berth_code berth_peer_of(const uv_pipe_t *pipe, struct berth_peer *out,
                              struct berth_error *err)
{
    bool spoken = uv_is_active((const uv_handle_t *)pipe) != 0; /* it is read from */

    if (script.silent && !spoken) {
        return berth_fail(err, BERTH_NOT_READY, 0, "as the test wishes");
    }
    *out = (struct berth_peer){.id = "somebody", .process_id = 1};
    out->user = *scripted_user(script.user);
    return BERTH_OK;
}

static void on_learned(void *ctx)
{
    const struct server_case *fixture = ctx;

    berth_server_name_learned(fixture->server);
}

static void make_names(struct server_case *fixture, uint64_t patience_ms)
{
    const struct berth_account_names_options options = {.look_up = scripted_look_up,
                                                        .now_ms = uv_now,
                                                        .patience_ms = patience_ms,
                                                        .learned = on_learned,
                                                        .ctx = fixture};
    struct berth_error err;

    assert_ok(berth_account_names_create(&names, &fixture->loop, &options, &err), &err);
    fixture->server->names = names;
}

static int setup(void **state)
{
    scripted_accounts_begin();
    script.user = 1;
    script.silent = false;
    names = NULL;
    return server_case_setup(state);
}

static void on_names_closed(void *ctx)
{
    (void)ctx;
    names_closed = true;
}

static int teardown(void **state)
{
    struct server_case *fixture = *state;

    if (!fixture->stopping) {
        server_case_stop(fixture);
    }
    while (!uv_is_closing((uv_handle_t *)&fixture->deadline)) {
        (void)uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    scripted_accounts_say("alice", 0);
    names_closed = false;
    berth_account_names_close(names, on_names_closed, NULL);
    int status = server_case_teardown(state);
    return names_closed ? status : -1;
}

static intptr_t connect_as(struct server_case *fixture, unsigned user)
{
    script.user = user;
    return server_case_connect(fixture);
}

static void ask(intptr_t client)
{
    assert_true(listener_world.send(client, HELLO, strlen(HELLO)));
}

static void await_read(struct server_case *fixture, const struct berth_connection *connection)
{
    while (!connection->any_read) {
        (void)uv_run(&fixture->loop, UV_RUN_ONCE);
    }
}

static void await_name(struct server_case *fixture, const struct berth_connection *connection)
{
    while (connection->awaits_name) {
        (void)uv_run(&fixture->loop, UV_RUN_ONCE);
    }
}

static void run_a_little(struct server_case *fixture)
{
    for (int i = 0; i < 8; i++) {
        (void)uv_run(&fixture->loop, UV_RUN_NOWAIT);
    }
}

static void assert_nameless(const struct berth_connection *connection)
{
    char name[BERTH_ACCOUNT_NAME_SIZE];

    assert_string_equal(connection->peer->name,
                        berth_account_nameless(&connection->peer->user, name, sizeof name));
}

/* ---- tests ---- */

static void client__first_of_its_user__has_its_name_before_it_is_read(void **state)
{
    struct server_case *fixture = *state;

    make_names(fixture, FOR_EVER_MS);
    intptr_t client = connect_as(fixture, 1);
    const struct berth_connection *connection = fixture->server->first;
    ask(client);
    await_read(fixture, connection);
    assert_string_equal(connection->peer->name, "alice");
    assert_receives(client, "\"protocol\":1");
    intptr_t next = connect_as(fixture, 1);
    assert_false(fixture->server->first->awaits_name); /* whose user is known does not wait */
    assert_string_equal(fixture->server->first->peer->name, "alice");
    assert_int_equal(scripted_accounts_asked(), 1);
    listener_world.close(client);
    listener_world.close(next);
    server_case_await_connections(fixture, 0);
}

static void client__look_up_hangs__others_are_served_meanwhile(void **state)
{
    struct server_case *fixture = *state;

    make_names(fixture, FOR_EVER_MS);
    scripted_accounts_say("alice", 2);
    intptr_t hanging = connect_as(fixture, 2);
    const struct berth_connection *waiting = fixture->server->first;
    ask(hanging);
    scripted_accounts_await(1);
    intptr_t other = connect_as(fixture, 1);
    ask(other);
    await_read(fixture, fixture->server->first);
    assert_receives(other, "\"protocol\":1");
    assert_true(waiting->awaits_name);
    assert_false(waiting->any_read);
    assert_int_equal(waiting->input.length, 0); /* what it sent stays with the system */
    scripted_accounts_say("bob", 0);
    await_read(fixture, waiting);
    assert_string_equal(waiting->peer->name, "bob");
    assert_receives(hanging, "\"protocol\":1");
    listener_world.close(hanging);
    listener_world.close(other);
    server_case_await_connections(fixture, 0);
}

/* The look-up hangs to the end of the test; what is asked meanwhile is answered. */
static void client__look_up_hangs_on__is_served_without_a_name(void **state)
{
    struct server_case *fixture = *state;

    make_names(fixture, 1);
    scripted_accounts_say("alice", 2);
    intptr_t client = connect_as(fixture, 2);
    ask(client);
    await_read(fixture, fixture->server->first);
    assert_nameless(fixture->server->first);
    assert_receives(client, "\"protocol\":1");
    intptr_t next = connect_as(fixture, 2);
    assert_false(fixture->server->first->awaits_name); /* one wait in vain is enough */
    ask(next);
    await_read(fixture, fixture->server->first);
    assert_receives(next, "\"protocol\":1");
    assert_int_equal(berth_account_names_under_way(names), 1);
    listener_world.close(client);
    listener_world.close(next);
    server_case_await_connections(fixture, 0);
}

/* What tells who it is are the first bytes of its requests: they wait with it. */
static void client__known_with_its_first_bytes__these_are_answered_later(void **state)
{
    struct server_case *fixture = *state;

    make_names(fixture, FOR_EVER_MS);
    scripted_accounts_say("alice", 1);
    script.silent = true;
    intptr_t client = connect_as(fixture, 1);
    struct berth_connection *connection = fixture->server->first;
    assert_true(listener_world.send(client, HELLO "{", strlen(HELLO) + 1));
    while (!connection->awaits_name) {
        (void)uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    assert_int_equal(fixture->server->unknown, 0);
    assert_true(listener_world.send(client, &HELLO[1], strlen(HELLO) - 1));
    run_a_little(fixture);
    assert_int_equal(connection->input.length, strlen(HELLO) + 1); /* it is not read from */
    assert_false(connection->any_read);
    /* a wait of ours is no fault of its */
    berth__connection_check(connection, uv_now(&fixture->loop) + BERTH_REQUEST_TIME_MS);
    assert_false(connection->closing);
    scripted_accounts_say("alice", 0);
    await_read(fixture, connection);
    assert_string_equal(connection->peer->name, "alice");
    while (connection->input.length > 0) {
        (void)uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    for (unsigned lines = 0; lines < 2;) {
        char byte;
        assert_int_equal(listener_world.receive(client, &byte, 1), 1);
        lines += byte == '\n';
    }
    listener_world.close(client);
    server_case_await_connections(fixture, 0);
}

static void client__hangs_up_while_it_waits__is_gone_afterwards(void **state)
{
    struct server_case *fixture = *state;

    make_names(fixture, FOR_EVER_MS);
    scripted_accounts_say("alice", 1);
    listener_world.close(connect_as(fixture, 1));
    intptr_t asked = connect_as(fixture, 1);
    ask(asked);
    listener_world.close(asked);
    run_a_little(fixture);
    scripted_accounts_say("alice", 0);
    server_case_await_connections(fixture, 0);
}

static void client__closed_while_it_waits__its_request_is_not_acted_on(void **state)
{
    struct server_case *fixture = *state;
    const struct berth_connection *connection;

    make_names(fixture, FOR_EVER_MS);
    scripted_accounts_say("alice", 1);
    script.silent = true; /* so that the request is here */
    intptr_t client = connect_as(fixture, 1);
    connection = fixture->server->first;
    ask(client);
    while (!connection->awaits_name) {
        (void)uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    berth__connection_close(fixture->server->first);
    fixture->server->names = NULL; /* there is no more to wait for, and it is in the list yet */
    berth_server_name_learned(fixture->server);
    assert_false(connection->any_read);
    server_case_await_connections(fixture, 0);
    assert_ends(client);
}

/* Limits do not wait for names. */
static void limits__reached_while_the_look_up_hangs__are_told_at_once(void **state)
{
    struct server_case *fixture = *state;

    make_names(fixture, FOR_EVER_MS);
    scripted_accounts_say("alice", 1);
    fixture->memory->settings.limits.per_user = 1;
    intptr_t first = connect_as(fixture, 1);
    intptr_t second = connect_as(fixture, 1);
    server_case_await_connections(fixture, 1);
    assert_receives(second, "limit_reached");
    assert_ends(second);
    scripted_accounts_say("alice", 0);
    await_name(fixture, fixture->server->first);
    listener_world.close(first);
    server_case_await_connections(fixture, 0);
}

static void stop__client_waits_for_its_name__its_request_is_answered(void **state)
{
    struct server_case *fixture = *state;

    make_names(fixture, STOP_LOOKS_MS);
    scripted_accounts_say("alice", 1);
    script.silent = true; /* so that the request is here */
    intptr_t client = connect_as(fixture, 1);
    fixture->server->first->accepted_ms = 0; /* no newcomer, who is waited for anyway */
    ask(client);
    while (!fixture->server->first->awaits_name && !fixture->server->first->any_read) {
        (void)uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    server_case_stop(fixture);
    server_case_await_connections(fixture, 0);
    assert_receives(client, "\"protocol\":1");
    assert_ends(client);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(client__first_of_its_user__has_its_name_before_it_is_read),
        CASE(client__look_up_hangs__others_are_served_meanwhile),
        CASE(client__look_up_hangs_on__is_served_without_a_name),
        CASE(client__known_with_its_first_bytes__these_are_answered_later),
        CASE(client__hangs_up_while_it_waits__is_gone_afterwards),
        CASE(client__closed_while_it_waits__its_request_is_not_acted_on),
        CASE(limits__reached_while_the_look_up_hangs__are_told_at_once),
        CASE(stop__client_waits_for_its_name__its_request_is_answered),
    };

    berth_process_prepare(); /* some hang up before they are answered */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
