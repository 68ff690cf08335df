/* SPDX-License-Identifier: MIT */
/* Whose turn it is when there is news for many. */
#include "server_case.h"

#define SUBSCRIBERS 24 /* several times as many as have their turn at once */

/* Connects clients that subscribe to everything. */
static void make_subscribers(struct server_case *fixture, intptr_t *clients)
{
    for (int i = 0; i < SUBSCRIBERS; i++) {
        clients[i] = server_case_connect(fixture);
        fixture->server->first->subscription.topics = ~0U;
    }
}

static void close_all(struct server_case *fixture, intptr_t *clients)
{
    for (int i = 0; i < SUBSCRIBERS; i++) {
        listener_world.close(clients[i]);
    }
    server_case_await_connections(fixture, 0);
}

/* How many had their turn in a round. */
static int count_served(const struct berth_server *server, uint64_t round)
{
    int count = 0;

    for (const struct berth_connection *c = server->first; c != NULL; c = c->next) {
        count += c->pushed_round >= round;
    }
    return count;
}

static void push__news_in_every_turn__each_subscriber_has_its_turn(void **state)
{
    struct server_case *fixture = *state;
    struct berth_server *server = fixture->server;
    intptr_t clients[SUBSCRIBERS];
    int turns = 0;

    make_subscribers(fixture, clients);
    berth__push_begin_round(server);
    uint64_t round = server->push_round;
    while (count_served(server, round) < SUBSCRIBERS) {
        berth__push_begin_round(server);
        assert_true(berth__push_turn(server));
        assert_true(++turns <= SUBSCRIBERS);
    }
    close_all(fixture, clients);
}

static void push__news_during_a_round__one_more_round_follows(void **state)
{
    struct server_case *fixture = *state;
    struct berth_server *server = fixture->server;
    intptr_t clients[SUBSCRIBERS];

    make_subscribers(fixture, clients);
    berth__push_begin_round(server);
    uint64_t round = server->push_round;
    assert_true(berth__push_turn(server));
    berth__push_begin_round(server);
    berth__push_begin_round(server);
    for (int turns = 0; berth__push_turn(server); turns++) {
        assert_true(turns < 2 * SUBSCRIBERS);
    }
    assert_int_equal(server->push_round, round + 1);
    assert_int_equal(count_served(server, round + 1), SUBSCRIBERS);
    close_all(fixture, clients);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, server_case_setup, server_case_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(push__news_in_every_turn__each_subscriber_has_its_turn),
        CASE(push__news_during_a_round__one_more_round_follows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
