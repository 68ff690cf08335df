/* SPDX-License-Identifier: MIT */
/* Whose turn it is when there is news for many. */
#include "memory_faults.h"
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

/* Lets the first client follow, and writes out an event. */
static struct berth_connection *one_event(struct server_case *fixture, const char *text)
{
    struct berth_connection *c = fixture->server->first;
    struct berth_event_log *log = fixture->memory->events.log;
    uint64_t revision = fixture->memory->service.allocator->revision;

    berth_event_log_follow(log, &c->subscription, BERTH_TOPICS_ALL, revision, revision);
    fixture->memory->service.subscribers_now = 1;
    berth_event_log_add(log, BERTH_TOPIC_PORTS, revision + 1, text, strlen(text));
    return c;
}

static void push__no_memory__the_events_come_later_by_themselves(void **state)
{
    struct server_case *fixture = *state;
    intptr_t client = server_case_connect(fixture);
    struct berth_connection *c = one_event(fixture, "{\"the\":\"event\"}");
    uint64_t round = fixture->server->push_round;
    size_t live;

    berth_text_fini(&fixture->server->output);
    memory_faults_begin(1, true);
    berth__connection_push(c);
    assert_true(memory_faults_end(&live));
    assert_int_equal(live, 0);
    while (fixture->server->push_round == round || c->pushed_round != round + 1) {
        (void)uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    assert_receives(client, "{\"the\":\"event\"}");
    assert_false(c->subscription.lost);
    listener_world.close(client);
    server_case_await_connections(fixture, 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, server_case_setup, server_case_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(push__news_in_every_turn__each_subscriber_has_its_turn),
        CASE(push__no_memory__the_events_come_later_by_themselves),
        CASE(push__news_during_a_round__one_more_round_follows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
