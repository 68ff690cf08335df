/* SPDX-License-Identifier: MIT */
/* Who is closed when too much is left unread. */
#include "server_case.h"

#define MIB ((size_t)1024 * 1024)

/* Writes answers to a client that reads nothing. */
static void write_unread(struct berth_connection *connection, size_t size)
{
    char piece[4096];
    struct berth_text text;

    memset(piece, 'x', sizeof piece);
    berth_text_init(&text, BERTH_ANSWER_MAX);
    while (text.length < size) {
        berth_text_add(&text, piece, sizeof piece);
    }
    assert_int_equal(text.failed, BERTH_OK);
    berth__connection_write(connection, &text);
    berth_text_fini(&text);
}

/* Three clients whose users are known: `a` and `b` of one user, `c` of another. */
struct clients {
    intptr_t client[3];
    struct berth_connection *a;
    struct berth_connection *b;
    struct berth_connection *c;
};

static void make_clients(struct server_case *fixture, struct clients *out)
{
    for (int i = 0; i < 3; i++) {
        out->client[i] = server_case_connect(fixture);
        assert_true(listener_world.send(out->client[i], HELLO, strlen(HELLO)));
        while (!fixture->server->first->any_read) {
            (void)uv_run(&fixture->loop, UV_RUN_ONCE);
        }
    }
    out->c = fixture->server->first;
    out->b = out->c->next;
    out->a = out->b->next;
    memset(&out->c->peer->user, 0, sizeof out->c->peer->user);
    assert_false(berth_account_same(&out->c->peer->user, &out->a->peer->user));
}

static void close_clients(struct server_case *fixture, struct clients *clients)
{
    for (int i = 0; i < 3; i++) {
        listener_world.close(clients->client[i]);
    }
    server_case_await_connections(fixture, 0);
    assert_int_equal(fixture->server->unwritten, 0);
}

static void unread__too_much_of_one_user__another_one_stays(void **state)
{
    struct server_case *fixture = *state;
    struct clients clients;

    make_clients(fixture, &clients);
    fixture->server->unread_max = 9 * MIB;
    write_unread(clients.a, 4 * MIB);
    write_unread(clients.b, 3 * MIB);
    write_unread(clients.c, 5 * MIB); /* more than each of them, less than both */
    assert_true(clients.a->closing);
    assert_false(clients.b->closing);
    assert_false(clients.c->closing);
    assert_true(fixture->server->unwritten <= 9 * MIB);
    assert_int_equal(fixture->server->unwritten, clients.b->unwritten + clients.c->unwritten);
    close_clients(fixture, &clients);
}

static void unread__too_much_of_the_one_who_asks__he_is_closed(void **state)
{
    struct server_case *fixture = *state;
    struct clients clients;

    make_clients(fixture, &clients);
    fixture->server->unread_max = 8 * MIB;
    write_unread(clients.a, 1 * MIB);
    write_unread(clients.b, 1 * MIB);
    write_unread(clients.c, 12 * MIB);
    assert_false(clients.a->closing);
    assert_false(clients.b->closing);
    assert_true(clients.c->closing);
    close_clients(fixture, &clients);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, server_case_setup, server_case_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(unread__too_much_of_one_user__another_one_stays),
        CASE(unread__too_much_of_the_one_who_asks__he_is_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
