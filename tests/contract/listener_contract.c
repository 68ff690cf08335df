/* SPDX-License-Identifier: MIT */
#include "listener_contract.h"

#include "base/memory.h"
#include "cmocka_all.h"
#include "daemon/listener.h"
#include "daemon/process.h"
#include "memory_faults.h"

#include <stdio.h>
#include <stdlib.h>

#define BURST 64
#define CLIENTS_MAX 1024
#define DEADLINE_MS 60000 /* what is waited for takes milliseconds */

/* ---- a server of the test's own: takes everybody, answers every byte with the same ---- */

struct fixture;

struct accepted {
    uv_pipe_t pipe;
    struct fixture *fixture;
    enum berth_code identified; /* what berth_peer_of() said last */
    struct berth_peer *peer;
    bool open;
};

struct fixture {
    uv_loop_t loop;
    uv_timer_t deadline;
    const char *endpoint;
    struct berth_access access;
    struct berth_listener *listener;
    bool hold; /* clients are told of, and not accepted */
    unsigned told;
    unsigned accepted_count;
    unsigned failed;  /* could not be accepted */
    unsigned ended;   /* closed by the client */
    unsigned answers; /* bytes answered */
    struct accepted *accepted[CLIENTS_MAX];
    char buffer[1024];
};

static void on_deadline(uv_timer_t *timer)
{
    (void)timer;
    fail_msg("nothing happened within a minute");
}

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);
    struct berth_access_entry *entry = calloc(1, sizeof *entry);

    if (fixture == NULL || entry == NULL || uv_loop_init(&fixture->loop) != 0) {
        free(fixture);
        free(entry);
        return -1;
    }
    *entry = (struct berth_access_entry){BERTH_ROLE_READER, BERTH_SUBJECT_EVERYONE, {0}};
    fixture->access.entries = entry;
    fixture->access.count = 1;
    fixture->endpoint = listener_world.set_up();
    (void)uv_timer_init(&fixture->loop, &fixture->deadline);
    (void)uv_timer_start(&fixture->deadline, on_deadline, DEADLINE_MS, 0);
    *state = fixture;
    return 0;
}

static void close_accepted(struct accepted *accepted)
{
    if (accepted->open) {
        accepted->open = false;
        uv_close((uv_handle_t *)&accepted->pipe, NULL);
    }
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    berth_listener_close(fixture->listener);
    for (unsigned i = 0; i < fixture->accepted_count; i++) {
        close_accepted(fixture->accepted[i]);
    }
    uv_close((uv_handle_t *)&fixture->deadline, NULL);
    (void)uv_run(&fixture->loop, UV_RUN_DEFAULT);
    int status = uv_loop_close(&fixture->loop);
    for (unsigned i = 0; i < fixture->accepted_count; i++) {
        free(fixture->accepted[i]->peer);
        free(fixture->accepted[i]);
    }
    listener_world.tear_down();
    free(fixture->access.entries);
    free(fixture);
    return status;
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct accepted *accepted = handle->data;

    (void)suggested;
    *out = uv_buf_init(accepted->fixture->buffer, sizeof accepted->fixture->buffer);
}

static void identify(struct accepted *accepted)
{
    struct berth_error err;

    if (accepted->identified != BERTH_OK) {
        accepted->identified = berth_peer_of(&accepted->pipe, accepted->peer, &err);
    }
}

static void on_written(uv_write_t *request, int status)
{
    (void)status;
    free(request);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct accepted *accepted = stream->data;

    if (count < 0) {
        accepted->fixture->ended++;
        close_accepted(accepted);
    }
    if (count <= 0) {
        return;
    }
    identify(accepted);
    accepted->fixture->answers += (unsigned)count;
    uv_write_t *request = malloc(sizeof *request);
    uv_buf_t answer = uv_buf_init(buffer->base, (unsigned)count);
    assert_non_null(request);
    if (uv_write(request, stream, &answer, 1, on_written) != 0) {
        free(request); /* a client that left at once */
    }
}

static void take(struct fixture *fixture)
{
    struct accepted *accepted = calloc(1, sizeof *accepted);
    struct berth_error err;

    assert_non_null(accepted);
    assert_true(fixture->accepted_count < CLIENTS_MAX);
    fixture->accepted[fixture->accepted_count++] = accepted;
    accepted->peer = calloc(1, sizeof *accepted->peer);
    assert_non_null(accepted->peer);
    accepted->fixture = fixture;
    accepted->open = true;
    accepted->identified = BERTH_NOT_READY;
    assert_int_equal(uv_pipe_init(&fixture->loop, &accepted->pipe, 0), 0);
    accepted->pipe.data = accepted;
    enum berth_code code = berth_listener_accept(fixture->listener, &accepted->pipe, &err);
    if (code != BERTH_OK) {
        assert_code(code, BERTH_IO);
        fixture->failed++;
        close_accepted(accepted);
        return;
    }
    identify(accepted);
    if (uv_read_start((uv_stream_t *)&accepted->pipe, on_allocate, on_read) != 0) {
        fixture->ended++;
        close_accepted(accepted);
    }
}

static void on_client(struct berth_listener *listener, void *ctx)
{
    struct fixture *fixture = ctx;

    assert_ptr_equal(listener, fixture->listener);
    fixture->told++;
    if (!fixture->hold) {
        take(fixture);
    }
}

static void start(struct fixture *fixture)
{
    struct berth_error err;

    assert_ok(berth_listener_open(&fixture->listener, &fixture->loop, fixture->endpoint,
                                  &fixture->access, on_client, fixture, &err),
              &err);
}

static void run_until(struct fixture *fixture, const unsigned *count, unsigned reached)
{
    while (*count < reached) {
        (void)uv_run(&fixture->loop, UV_RUN_ONCE);
    }
}

/* Lets the loop do all that it has to do now. */
static void run_out(struct fixture *fixture)
{
    for (int i = 0; i < 3; i++) {
        (void)uv_run(&fixture->loop, UV_RUN_NOWAIT);
    }
}

static intptr_t connect_one(struct fixture *fixture)
{
    intptr_t client = listener_world.connect(fixture->endpoint);

    assert_true(client != LISTENER_NO_CLIENT);
    return client;
}

/* Sees that a client that connects now is served. */
static void assert_serves(struct fixture *fixture)
{
    unsigned before = fixture->answers;
    char answer[8] = "";
    intptr_t client = connect_one(fixture);

    assert_true(listener_world.send(client, "ping", 4));
    run_until(fixture, &fixture->answers, before + 4);
    assert_int_equal(listener_world.receive(client, answer, sizeof answer), 4);
    assert_string_equal(answer, "ping");
    listener_world.close(client);
}

/* ---- clients come ---- */

static void client__connects_and_speaks__is_answered(void **state)
{
    struct fixture *fixture = *state;

    start(fixture);
    assert_serves(fixture);
    run_until(fixture, &fixture->ended, 1);
    assert_int_equal(fixture->told, 1);
    assert_int_equal(fixture->failed, 0);
}

/* The loop does not run while they connect. */
static void burst__of_64__nobody_is_refused(void **state)
{
    struct fixture *fixture = *state;
    static intptr_t clients[3 * BURST];

    start(fixture);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < BURST; i++) {
            clients[round * BURST + i] = connect_one(fixture);
        }
        run_until(fixture, &fixture->accepted_count, (round + 1) * BURST);
        run_out(fixture);
    }
    assert_int_equal(fixture->told, 3 * BURST);
    assert_int_equal(fixture->failed, 0);
    /* each is itself, whatever the order in which they were taken */
    for (unsigned i = 0; i < 3 * BURST; i++) {
        char bytes[2] = {(char)(i & 0x7F), (char)(i >> 7)};
        char answer[2];
        assert_true(listener_world.send(clients[i], bytes, 2));
        run_until(fixture, &fixture->answers, 2 * (i + 1));
        assert_int_equal(listener_world.receive(clients[i], answer, 2), 2);
        assert_memory_equal(answer, bytes, 2);
        listener_world.close(clients[i]);
    }
    run_until(fixture, &fixture->ended, 3 * BURST);
}

static void silent_clients__many__others_are_served(void **state)
{
    struct fixture *fixture = *state;
    static intptr_t clients[300];

    start(fixture);
    for (unsigned i = 0; i < BERTH_COUNT(clients); i++) {
        clients[i] = connect_one(fixture);
        run_out(fixture);
    }
    run_until(fixture, &fixture->accepted_count, BERTH_COUNT(clients));
    assert_serves(fixture);
    for (unsigned i = 0; i < BERTH_COUNT(clients); i++) {
        listener_world.close(clients[i]);
    }
    run_until(fixture, &fixture->ended, BERTH_COUNT(clients) + 1);
}

/* Those who leave before they were taken: told of or not, they are nobody's trouble. */
static void storm__of_clients_that_leave_at_once__others_are_served(void **state)
{
    struct fixture *fixture = *state;

    start(fixture);
    for (unsigned i = 0; i < 400; i++) {
        listener_world.close(connect_one(fixture));
        if (i % BURST == BURST - 1) {
            /* one that stays, behind those that left */
            assert_serves(fixture);
        }
    }
    assert_serves(fixture);
    unsigned gone = fixture->ended + fixture->failed;
    assert_true(gone <= fixture->told);
    run_out(fixture);
}

static void client__leaves_after_its_bytes__they_are_read(void **state)
{
    struct fixture *fixture = *state;

    start(fixture);
    intptr_t client = connect_one(fixture);
    assert_true(listener_world.send(client, "last", 4));
    listener_world.close(client);
    run_until(fixture, &fixture->ended, 1);
    assert_int_equal(fixture->failed, 0);
    assert_int_equal(fixture->answers, 4);
}

static void accept__later__no_other_client_is_told_until_then(void **state)
{
    struct fixture *fixture = *state;

    start(fixture);
    fixture->hold = true;
    intptr_t first = connect_one(fixture);
    intptr_t second = connect_one(fixture);
    run_until(fixture, &fixture->told, 1);
    run_out(fixture);
    assert_int_equal(fixture->told, 1);
    fixture->hold = false;
    take(fixture);
    run_until(fixture, &fixture->accepted_count, 2);
    assert_int_equal(fixture->told, 2);
    listener_world.close(first);
    listener_world.close(second);
    run_until(fixture, &fixture->ended, 2);
}

/* ---- who it is ---- */

static void peer__of_a_client_that_spoke__is_this_process(void **state)
{
    struct fixture *fixture = *state;
    struct berth_account_id own = listener_world.own_user();
    char text[BERTH_ACCOUNT_TEXT_SIZE];

    start(fixture);
    assert_serves(fixture);
    const struct accepted *accepted = fixture->accepted[0];
    assert_code(accepted->identified, BERTH_OK);
    assert_true(own.length > 0);
    assert_true(berth_account_same(&accepted->peer->user, &own));
    assert_string_equal(accepted->peer->id, berth_account_text(&own, text));
    assert_int_equal(accepted->peer->process_id, listener_world.process_id());
    assert_string_equal(accepted->peer->name, ""); /* set by who admits */
    assert_string_equal(accepted->peer->through, "");
    assert_true(accepted->peer->group_count > 0);
}

/* Not known yet, or known and right: never somebody else, never nobody. */
static void peer__of_a_silent_client__is_right_or_not_ready(void **state)
{
    struct fixture *fixture = *state;
    struct berth_account_id own = listener_world.own_user();

    start(fixture);
    intptr_t client = connect_one(fixture);
    run_until(fixture, &fixture->accepted_count, 1);
    const struct accepted *accepted = fixture->accepted[0];
    if (accepted->identified != BERTH_NOT_READY) {
        assert_code(accepted->identified, BERTH_OK);
        assert_true(berth_account_same(&accepted->peer->user, &own));
    }
    listener_world.close(client);
}

/* ---- start and end ---- */

static void never(struct berth_listener *listener, void *ctx)
{
    (void)listener;
    (void)ctx;
    fail();
}

static void open__name_taken__busy_and_names_the_process(void **state)
{
    struct fixture *fixture = *state;
    struct berth_listener *second = NULL;
    struct berth_error err;
    char pid[16];

    start(fixture);
    assert_code(berth_listener_open(&second, &fixture->loop, fixture->endpoint, &fixture->access,
                                    never, NULL, &err),
                BERTH_BUSY);
    assert_null(second);
    (void)snprintf(pid, sizeof pid, "%u", listener_world.process_id());
    assert_non_null(strstr(err.detail, pid));
    assert_non_null(strstr(err.detail, fixture->endpoint));
    assert_serves(fixture); /* the first one does not mind */
    berth_listener_close(fixture->listener);
    fixture->listener = NULL;
    for (unsigned i = 0; i < fixture->accepted_count; i++) {
        close_accepted(fixture->accepted[i]);
    }
    (void)uv_run(&fixture->loop, UV_RUN_NOWAIT);
    (void)uv_run(&fixture->loop, UV_RUN_NOWAIT);
    start(fixture);
    assert_serves(fixture);
}

static void close__while_clients_wait__they_are_turned_away(void **state)
{
    struct fixture *fixture = *state;
    intptr_t clients[10];
    char byte;

    start(fixture);
    for (unsigned i = 0; i < BERTH_COUNT(clients); i++) {
        clients[i] = connect_one(fixture);
    }
    berth_listener_close(fixture->listener);
    fixture->listener = NULL;
    (void)uv_run(&fixture->loop, UV_RUN_NOWAIT);
    assert_int_equal(fixture->told, 0);
    for (unsigned i = 0; i < BERTH_COUNT(clients); i++) {
        assert_int_equal(listener_world.receive(clients[i], &byte, 1), 0);
        listener_world.close(clients[i]);
    }
    assert_true(listener_world.connect(fixture->endpoint) == LISTENER_NO_CLIENT);
}

static void on_client_close(struct berth_listener *listener, void *ctx)
{
    struct fixture *fixture = ctx;

    fixture->told++;
    fixture->listener = listener;
    take(fixture);
    berth_listener_close(listener);
    fixture->listener = NULL;
}

static void close__in_the_callback__the_accepted_client_stays(void **state)
{
    struct fixture *fixture = *state;
    struct berth_listener *listener;
    struct berth_error err;
    char answer[4];

    assert_ok(berth_listener_open(&listener, &fixture->loop, fixture->endpoint, &fixture->access,
                                  on_client_close, fixture, &err),
              &err);
    intptr_t first = connect_one(fixture);
    intptr_t second = connect_one(fixture);
    assert_true(listener_world.send(first, "a", 1));
    assert_true(listener_world.send(second, "a", 1));
    run_until(fixture, &fixture->answers, 1);
    run_out(fixture);
    assert_int_equal(fixture->told, 1);
    assert_int_equal(fixture->answers, 1);
    /* one of the two was taken: the other is turned away, so that both reads end */
    size_t sum = listener_world.receive(first, answer, 1);
    sum += listener_world.receive(second, answer, 1);
    assert_int_equal(sum, 1);
    listener_world.close(first);
    listener_world.close(second);
}

static void set_access__other_rules__clients_that_they_name_are_served(void **state)
{
    struct fixture *fixture = *state;
    struct berth_access_entry entry = {BERTH_ROLE_ALLOCATOR, BERTH_SUBJECT_USER,
                                       listener_world.own_user()};
    const struct berth_access access = {.entries = &entry, .count = 1};
    struct berth_error err;

    start(fixture);
    assert_serves(fixture);
    assert_ok(berth_listener_set_access(fixture->listener, &access, &err), &err);
    for (unsigned i = 0; i < 2 * BURST; i++) { /* old instances and new ones */
        assert_serves(fixture);
    }
    assert_ok(berth_listener_set_access(fixture->listener, &fixture->access, &err), &err);
    assert_serves(fixture);
}

static void open__each_allocation_fails__is_an_error_without_a_leak(void **state)
{
    struct fixture *fixture = *state;
    bool failed = true;

    for (size_t n = 1; failed; n++) {
        struct berth_listener *listener = NULL;
        struct berth_error err;
        size_t live;
        memory_faults_begin(n, false);
        enum berth_code code = berth_listener_open(&listener, &fixture->loop, fixture->endpoint,
                                                   &fixture->access, never, NULL, &err);
        berth_listener_close(listener);
        (void)uv_run(&fixture->loop, UV_RUN_NOWAIT);
        (void)uv_run(&fixture->loop, UV_RUN_NOWAIT);
        failed = memory_faults_end(&live);
        assert_int_equal(live, 0);
        assert_code(code, failed ? BERTH_NO_MEMORY : BERTH_OK);
    }
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int listener_contract_run(void)
{
    const struct CMUnitTest tests[] = {
        CASE(client__connects_and_speaks__is_answered),
        CASE(burst__of_64__nobody_is_refused),
        CASE(silent_clients__many__others_are_served),
        CASE(storm__of_clients_that_leave_at_once__others_are_served),
        CASE(client__leaves_after_its_bytes__they_are_read),
        CASE(accept__later__no_other_client_is_told_until_then),
        CASE(peer__of_a_client_that_spoke__is_this_process),
        CASE(peer__of_a_silent_client__is_right_or_not_ready),
        CASE(open__name_taken__busy_and_names_the_process),
        CASE(close__while_clients_wait__they_are_turned_away),
        CASE(close__in_the_callback__the_accepted_client_stays),
        CASE(set_access__other_rules__clients_that_they_name_are_served),
        CASE(open__each_allocation_fails__is_an_error_without_a_leak),
    };
    berth_process_prepare(); /* a client that is gone is no signal */
    return cmocka_run_group_tests(tests, NULL, NULL);
}
