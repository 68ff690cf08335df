/* SPDX-License-Identifier: MIT */
/* A server on a loop of the test's, with clients that the test plays. */
#ifndef BERTH_TESTS_SERVER_CASE_H
#define BERTH_TESTS_SERVER_CASE_H

#include "cmocka_all.h"
#include "daemon/server_private.h"
#include "memory_service.h"
#include "tests/contract/listener_contract.h"

#include <stdio.h>
#include <string.h>

#define SERVER_CASE_DEADLINE_MS 60000
#define HELLO "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hello\"}\n"

struct server_case {
    uv_loop_t loop;
    uv_timer_t deadline;
    struct memory_service *memory;
    struct berth_access access;
    struct berth_access_entry everyone;
    struct berth_server *server;
    const char *endpoint;
    bool stopping; /* the test called berth_server_close() itself */
};

static inline void server_case_on_deadline(uv_timer_t *timer)
{
    (void)timer;
    fail_msg("nothing happened within a minute");
}

/** cmocka's setup: *state is a struct server_case whose server runs and lets everybody in. */
static inline int server_case_setup(void **state)
{
    static struct server_case fixture;
    static const struct server_case fresh;
    struct berth_error err;

    fixture = fresh;
    fixture.everyone = (struct berth_access_entry){BERTH_ROLE_READER, BERTH_SUBJECT_EVERYONE, {0}};
    fixture.access = (struct berth_access){.entries = &fixture.everyone, .count = 1};
    fixture.endpoint = listener_world.set_up();
    *state = &fixture;
    if (memory_service_make(&fixture.memory, &err) != BERTH_OK ||
        uv_loop_init(&fixture.loop) != 0) {
        return -1;
    }
    fixture.memory->settings.limits.connections = 64;
    fixture.memory->settings.limits.per_user = 64;
    (void)uv_timer_init(&fixture.loop, &fixture.deadline);
    (void)uv_timer_start(&fixture.deadline, server_case_on_deadline, SERVER_CASE_DEADLINE_MS, 0);
    return berth_server_open(&fixture.server, &fixture.loop, fixture.endpoint,
                             &fixture.memory->service, &fixture.access, NULL, &err) == BERTH_OK
               ? 0
               : -1;
}

static inline void server_case_on_closed(void *ctx)
{
    struct server_case *fixture = ctx;

    uv_close((uv_handle_t *)&fixture->deadline, NULL);
}

/** Begins to stop the server. */
static inline void server_case_stop(struct server_case *fixture)
{
    fixture->stopping = true;
    berth_server_close(fixture->server, server_case_on_closed, fixture);
}

/** cmocka's teardown: stops the server, which must leave nothing on the loop. */
static inline int server_case_teardown(void **state)
{
    struct server_case *fixture = *state;

    if (!fixture->stopping) {
        server_case_stop(fixture);
    }
    (void)uv_run(&fixture->loop, UV_RUN_DEFAULT);
    int status = uv_loop_close(&fixture->loop);
    memory_service_free(fixture->memory);
    listener_world.tear_down();
    return status;
}

/** Connects a client and waits until the server has accepted it. */
static inline intptr_t server_case_connect(struct server_case *fixture)
{
    uint64_t before = fixture->memory->service.connections_accepted;
    intptr_t client = listener_world.connect(fixture->endpoint);

    assert_true(client != LISTENER_NO_CLIENT);
    while (fixture->memory->service.connections_accepted == before) {
        (void)uv_run(&fixture->loop, UV_RUN_ONCE);
    }
    return client;
}

/** Waits until there are so many connections. */
static inline void server_case_await_connections(struct server_case *fixture, size_t count)
{
    while (fixture->memory->service.connections_now != count) {
        (void)uv_run(&fixture->loop, UV_RUN_ONCE);
    }
}

/** Sees that a client gets an answer with `text` in it. */
static inline void assert_receives(intptr_t client, const char *text)
{
    char answer[1024] = "";
    size_t length = listener_world.receive(client, answer, sizeof answer - 1);

    answer[length] = '\0';
    if (strstr(answer, text) == NULL) {
        fail_msg("\"%s\" is not in \"%s\"", text, answer);
    }
}

/** Sees that the server has closed a client's connection. */
static inline void assert_ends(intptr_t client)
{
    char byte;

    assert_int_equal(listener_world.receive(client, &byte, 1), 0);
    listener_world.close(client);
}

#endif
