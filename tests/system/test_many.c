/* SPDX-License-Identifier: MIT */
/* Many clients at once: whatever they do, no port is promised to two of them, and when nothing is
 * left, the daemon says what it is held by. */
#include "cmocka_all.h"
#include "daemon_process.h"
#include "models/test_random.h"
#include "temp_dir.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#define CLIENTS 8
#define ALLOCATIONS 100000 /* or as BERTH_TEST_ALLOCATIONS says */
#define PORT_FIRST 31000
#define PORT_COUNT 270
/* All together want more than there is, all but one less: a client that is done keeps its ports,
 * and the last one must still get some. */
#define HELD_MAX 36
#define DEPTH 8 /* requests in flight of each client */

static long wanted;

/* How many live leases each port has, as the clients know: counted up after a grant was read,
 * down before its release is sent. */
static atomic_int held[65536];
static atomic_long granted;
static atomic_long exhausted;

struct worker {
    const char *endpoint;
    struct test_random random;
    unsigned number;
    long allocations;  /* that were granted */
    char trouble[400]; /* empty: none */
    uv_thread_t thread;
};

/* What a worker holds: ports to release, in no order. */
struct holding {
    unsigned ports[PORT_COUNT];
    unsigned count;
};

static bool note_grant(struct worker *worker, struct holding *holding, const json_t *answer)
{
    const json_t *port = json_object_get(json_object_get(answer, "result"), "port");
    const json_t *error = json_object_get(answer, "error");

    if (port == NULL) {
        const char *reason =
            json_string_value(json_object_get(json_object_get(error, "data"), "reason"));
        if (reason != NULL && strcmp(reason, "pool_exhausted") == 0) {
            (void)atomic_fetch_add(&exhausted, 1);
            return true;
        }
        (void)snprintf(worker->trouble, sizeof worker->trouble, "refused: %s",
                       reason != NULL ? reason : "?");
        return false;
    }
    unsigned number = (unsigned)json_integer_value(port);
    int before = number < 65536 ? atomic_fetch_add(&held[number], 1) : 1;
    if (before != 0) {
        (void)snprintf(worker->trouble, sizeof worker->trouble, "port %u was given twice", number);
        return false;
    }
    (void)atomic_fetch_add(&granted, 1);
    worker->allocations++;
    holding->ports[holding->count++] = number;
    return true;
}

/* Sends some allocations or releases in one write, then reads all answers. */
static bool do_round(struct worker *worker, struct test_client *client, struct holding *holding)
{
    unsigned count = test_random_in(&worker->random, 1, DEPTH);
    bool allocate = holding->count + count <= HELD_MAX && test_random_chance(&worker->random, 60);
    char text[DEPTH * 100];
    size_t used = 0;

    if (!allocate && holding->count < count) {
        count = holding->count;
    }
    for (unsigned i = 0; i < count; i++) {
        if (allocate) {
            used += (size_t)sprintf(text + used,
                                    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"allocate\"}\n");
            continue;
        }
        unsigned at = test_random_in(&worker->random, 0, holding->count - 1);
        unsigned port = holding->ports[at];
        holding->ports[at] = holding->ports[--holding->count];
        (void)atomic_fetch_sub(&held[port], 1);
        used += (size_t)sprintf(text + used,
                                "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"release\","
                                "\"params\":{\"port\":%u}}\n",
                                port);
    }
    if (count > 0 && !client_try_send(client, text, used)) {
        (void)snprintf(worker->trouble, sizeof worker->trouble, "requests were not taken");
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        size_t length;
        char *line = client_try_line(client, &length);
        json_t *answer = line != NULL ? json_loadb(line, length, 0, NULL) : NULL;
        bool good = answer != NULL && (allocate ? note_grant(worker, holding, answer)
                                                : json_object_get(answer, "result") != NULL);
        json_decref(answer);
        if (!good) {
            if (worker->trouble[0] == '\0') {
                (void)snprintf(worker->trouble, sizeof worker->trouble, "%s failed",
                               allocate ? "allocate" : "release");
            }
            return false;
        }
    }
    return true;
}

static void work(void *context)
{
    struct worker *worker = context;
    struct holding *holding = calloc(1, sizeof *holding);
    struct test_client client = {.socket = PLATFORM_NO_SOCKET};

    if (holding == NULL || !client_try_open(&client, worker->endpoint)) {
        (void)snprintf(worker->trouble, sizeof worker->trouble, "not connected");
    } else {
        while (worker->allocations < wanted / CLIENTS && do_round(worker, &client, holding)) {
        }
    }
    client_close(&client);
    free(holding);
}

static void run_workers(const char *endpoint, uint64_t seed)
{
    static struct worker workers[CLIENTS];

    for (unsigned i = 0; i < CLIENTS; i++) {
        workers[i] = (struct worker){
            .endpoint = endpoint, .number = i, .random = {seed + i * 0x9E3779B97F4A7C15U}};
        assert_int_equal(uv_thread_create(&workers[i].thread, work, &workers[i]), 0);
    }
    for (unsigned i = 0; i < CLIENTS; i++) {
        assert_int_equal(uv_thread_join(&workers[i].thread), 0);
    }
    for (unsigned i = 0; i < CLIENTS; i++) {
        if (workers[i].trouble[0] != '\0') {
            fail_msg("client %u: %s", i, workers[i].trouble);
        }
    }
}

static void clients__8_with_100000_allocations__no_port_is_held_twice(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_random random = test_random_start("many clients");
    struct test_client client;
    long count = 0;

    daemon_start(daemon, "<pools><pool name=\"default\" ports=\"31000-31269\"/></pools>"
                         "<lease cooldown=\"0s\"/><tcp poll=\"1m\" full=\"1m\"/>"
                         "<limits leasesPerUser=\"65535\"/>");
    uint64_t start_ms = platform_now_ms();
    run_workers(daemon->endpoint, test_random_next(&random));
    (void)printf("%ld grants, %ld times nothing left, %llu ms\n", atomic_load(&granted),
                 atomic_load(&exhausted), (unsigned long long)(platform_now_ms() - start_ms));
    assert_true(atomic_load(&granted) >= wanted);
    /* what the daemon holds is what the clients hold */
    client_open(&client, daemon->endpoint);
    json_t *leases = client_call(&client, "leases", NULL);
    const json_t *list = json_at(leases, "leases");
    for (size_t i = 0; i < json_array_size(list); i++) {
        long long port = json_integer_at(json_array_get(list, i), "port");
        assert_true(port >= PORT_FIRST && port < PORT_FIRST + PORT_COUNT);
        assert_int_equal(atomic_fetch_sub(&held[port], 1), 1);
    }
    for (unsigned port = 0; port < 65536; port++) {
        count += atomic_load(&held[port]);
    }
    assert_int_equal(count, 0);
    json_decref(leases);
    client_close(&client);
    daemon_stop(daemon);
}

static void exhaustion__of_a_mixed_pool__counts_each_port_once_by_source(void **state)
{
    static const char config[] =
        "<configuration><system.applicationHost><sites>"
        "<site name=\"A\" id=\"1\"><bindings>"
        "<binding protocol=\"http\" bindingInformation=\"*:31000:\"/>"
        "<binding protocol=\"http\" bindingInformation=\"*:31000:a.example\"/>"
        "<binding protocol=\"http\" bindingInformation=\"*:31001:\"/>"
        "<binding protocol=\"http\" bindingInformation=\"*:31002:\"/></bindings></site>"
        "</sites></system.applicationHost></configuration>";
    struct daemon_process *daemon = *state;
    struct test_client client;

    write_file(daemon->iis, config, sizeof config - 1);
    daemon_start(daemon, "<pools><pool name=\"small\" ports=\"31000-31019\"/></pools>"
                         "<reserved><ports range=\"31002-31005\" reason=\"r\"/></reserved>"
                         "<iis config=\"%s\"/><tcp poll=\"1m\" full=\"1m\"/>");
    client_open(&client, daemon->endpoint);
    for (int i = 0; i < 14; i++) {
        json_decref(client_call(&client, "allocate", "{\"key\":\"k%d\"}", i));
    }
    json_decref(client_call(&client, "release", "{\"key\":\"k0\"}"));
    json_decref(client_call(&client, "release", "{\"key\":\"k5\"}"));
    json_t *error = client_refused(&client, "pool_exhausted", "allocate", "{\"key\":\"more\"}");
    assert_string_equal(json_string_at(error, "data.pool"), "small");
    assert_int_equal(json_integer_at(error, "data.range.0"), 31000);
    assert_int_equal(json_integer_at(error, "data.range.1"), 31019);
    assert_int_equal(json_integer_at(error, "data.total"), 20);
    assert_int_equal(json_integer_at(error, "data.counts.leased"), 12);
    assert_int_equal(json_integer_at(error, "data.counts.iis"), 3); /* 31002 is reserved too */
    assert_int_equal(json_integer_at(error, "data.counts.reserved"), 3);
    assert_int_equal(json_integer_at(error, "data.counts.cooling"), 2);
    assert_int_equal(json_integer_at(error, "data.counts.tcp"), 0);
    json_decref(error);
    /* a key whose port cools down gets it all the same where it asks for it */
    json_decref(client_call(&client, "allocate", "{\"key\":\"k5\",\"prefer\":31011}"));
    client_close(&client);
    daemon_stop(daemon);
}

/* ---- coming and going ---- */

#define CROWD 64
#define CROWD_ROUNDS 5

struct crowd {
    const char *endpoint;
    uv_barrier_t start;
    atomic_uint served;
};

static void join_crowd(void *context)
{
    struct crowd *crowd = context;
    size_t length;
    struct test_client client = {.socket = PLATFORM_NO_SOCKET};
    const char hello[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hello\"}\n";

    for (int i = 0; i < CROWD_ROUNDS; i++) {
        (void)uv_barrier_wait(&crowd->start);
        if (client_try_open(&client, crowd->endpoint) &&
            client_try_send(&client, hello, sizeof hello - 1) &&
            client_try_line(&client, &length) != NULL) {
            (void)atomic_fetch_add(&crowd->served, 1);
        }
        client_close(&client);
    }
}

static void clients__64_in_one_moment__all_are_served(void **state)
{
    struct daemon_process *daemon = *state;
    struct crowd crowd = {.endpoint = daemon->endpoint};
    uv_thread_t threads[CROWD];

    daemon_start(daemon, "");
    assert_int_equal(uv_barrier_init(&crowd.start, CROWD), 0);
    for (int i = 0; i < CROWD; i++) {
        assert_int_equal(uv_thread_create(&threads[i], join_crowd, &crowd), 0);
    }
    for (int i = 0; i < CROWD; i++) {
        assert_int_equal(uv_thread_join(&threads[i]), 0);
    }
    uv_barrier_destroy(&crowd.start);
    assert_int_equal(atomic_load(&crowd.served), CROWD * CROWD_ROUNDS);
    daemon_stop(daemon);
}

static const char *own_path;

/* This program in another role: sends a request and a half, and waits for its end. */
static int be_killed(const char *endpoint)
{
    static const char half[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\"}\n{\"jso";
    struct test_client client;

    if (!client_try_open(&client, endpoint) || !client_try_send(&client, half, sizeof half - 1)) {
        return 1;
    }
    (void)puts("sent");
    (void)fflush(stdout);
    platform_pause_ms(60000);
    return 1;
}

static bool is_sent(void *ctx)
{
    size_t size;
    char *text = read_whole_file(ctx, &size);
    bool sent = strncmp(text, "sent", 4) == 0;

    free(text);
    return sent;
}

static bool is_alone(void *ctx)
{
    json_t *status = client_call(ctx, "status", NULL);
    long long now = json_integer_at(status, "connections.now");

    json_decref(status);
    return now == 1;
}

static void client__killed_in_the_middle_of_a_request__is_forgotten(void **state)
{
    struct daemon_process *daemon = *state;
    const char *const arguments[] = {own_path, "--be-killed", daemon->endpoint, NULL};
    struct test_client client;
    char output[400];

    daemon_start(daemon, "");
    client_open(&client, daemon->endpoint);
    for (int i = 0; i < 3; i++) {
        (void)snprintf(output, sizeof output, "%s/victim-%d", daemon->folder, i);
        write_file(output, "", 0);
        struct platform_process *victim = platform_process_start(
            &(struct platform_start){.arguments = arguments, .output_path = output, .user = -1});
        assert_non_null(victim);
        assert_true(daemon_await(is_sent, output, DAEMON_START_MS) != UINT64_MAX);
        platform_process_kill(victim);
        platform_process_free(victim);
        assert_true(daemon_await(is_alone, &client, DAEMON_STOP_MS) != UINT64_MAX);
    }
    client_close(&client);
    daemon_stop(daemon);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, daemon_setup, daemon_teardown)

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        CASE(clients__64_in_one_moment__all_are_served),
        CASE(client__killed_in_the_middle_of_a_request__is_forgotten),
        CASE(clients__8_with_100000_allocations__no_port_is_held_twice),
        CASE(exhaustion__of_a_mixed_pool__counts_each_port_once_by_source),
    };

    if (argc == 3 && strcmp(argv[1], "--be-killed") == 0) {
        return be_killed(argv[2]);
    }
    own_path = argv[0];
    wanted = (long)test_count_from("BERTH_TEST_ALLOCATIONS", ALLOCATIONS);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
