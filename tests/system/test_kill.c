/* SPDX-License-Identifier: MIT */
/* kill -9 under load: clients allocate, renew and release, the daemon is killed at some moment and
 * started again, time after time. What it acknowledged must be there, what it gave back must not,
 * and no port may be two keys'. BERTH_KILL_CYCLES sets how often (each durability).
 *
 * A client knows of each of its keys what it was told last. Where the daemon died before it
 * answered, both outcomes are right, and the client learns after the start which one it was. */
#include "cmocka_all.h"
#include "daemon_process.h"
#include "models/test_random.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#define CLIENTS 6
#define KEYS 12 /* of each client */
#define DEPTH 4 /* requests in flight of each client */
#define CYCLES 25
#define FIRST_ANSWER_MAX_MS 10000 /* generous: what it takes is printed */

enum told {
    TOLD_NOTHING,  /* it has no lease */
    TOLD_HELD,     /* it has `port` by `lease` */
    TOLD_NO_ANSWER /* it was asked for, or to be released, and nobody answered */
};

struct key {
    enum told told;
    bool releasing; /* NO_ANSWER: what was asked */
    unsigned port;  /* HELD; NO_ANSWER of a release or a renewal: what it had; 0: nothing */
    char lease[20];
};

struct worker {
    const char *endpoint;
    struct test_random random;
    unsigned number;
    struct key keys[KEYS];
    unsigned long answers;
    char trouble[400]; /* empty: none */
    uv_thread_t thread;
};

/* How many keys were told that a port is theirs and have not begun to release it. */
static atomic_int held[65536];
static atomic_bool dying; /* a broken connection is no trouble */

static struct worker workers[CLIENTS];

static void complain(struct worker *worker, const char *what, const char *detail)
{
    if (worker->trouble[0] == '\0') {
        (void)snprintf(worker->trouble, sizeof worker->trouble, "client %u: %s: %.300s",
                       worker->number, what, detail);
    }
}

/* ---- asking ---- */

struct asked {
    unsigned key;
    const char *method;
};

/* Chooses what to ask of a key, notes that it is under way, and writes it. */
static size_t write_request(struct worker *worker, unsigned number, struct asked *asked, char *out,
                            size_t size)
{
    struct key *key = &worker->keys[number];
    bool had = key->told == TOLD_HELD;

    asked->key = number;
    key->releasing = had && test_random_chance(&worker->random, 50);
    bool renewing = had && !key->releasing && test_random_chance(&worker->random, 50);
    asked->method = key->releasing ? "release" : renewing ? "renew" : "allocate";
    if (key->releasing) {
        (void)atomic_fetch_sub(&held[key->port], 1);
    }
    key->told = key->releasing || !had ? TOLD_NO_ANSWER : TOLD_HELD;
    size_t used = (size_t)snprintf(out, size,
                                   "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":"
                                   "{\"key\":\"c%u-%u\"",
                                   asked->method, worker->number, number);
    if (renewing) {
        used += (size_t)snprintf(out + used, size - used, ",\"ttl\":%u",
                                 test_random_in(&worker->random, 1000, 90000));
    }
    return used + (size_t)snprintf(out + used, size - used, "}}\n");
}

static void note_grant(struct worker *worker, struct key *key, const json_t *result)
{
    unsigned port = (unsigned)json_integer_value(json_object_get(result, "port"));
    const char *lease = json_string_value(json_object_get(result, "lease"));

    if (key->told == TOLD_HELD) {
        if (port != key->port || lease == NULL || strcmp(lease, key->lease) != 0) {
            complain(worker, "a held lease changed", lease != NULL ? lease : "?");
        }
        return;
    }
    if (port >= 65536 || lease == NULL || atomic_fetch_add(&held[port], 1) != 0) {
        complain(worker, "a port was given twice", lease != NULL ? lease : "?");
        return;
    }
    key->told = TOLD_HELD;
    key->port = port;
    (void)snprintf(key->lease, sizeof key->lease, "%s", lease);
}

/* @return false: it is no answer that there may be */
static bool note_answer(struct worker *worker, const struct asked *asked, const json_t *answer)
{
    struct key *key = &worker->keys[asked->key];
    const json_t *result = json_object_get(answer, "result");

    if (result == NULL) {
        const json_t *error = json_object_get(answer, "error");
        const char *reason =
            json_string_value(json_object_get(json_object_get(error, "data"), "reason"));
        if (reason == NULL || strcmp(reason, "not_ready") != 0) {
            const char *message = json_string_value(json_object_get(error, "message"));
            complain(worker, asked->method, message != NULL ? message : "no sentence");
            return false;
        }
        /* just started: nothing was done */
        key->told = key->told == TOLD_NO_ANSWER ? TOLD_NOTHING : key->told;
        return true;
    }
    worker->answers++;
    if (key->releasing) {
        *key = (struct key){.told = TOLD_NOTHING};
    } else {
        note_grant(worker, key, result);
    }
    return worker->trouble[0] == '\0';
}

/* Asks for some keys in one write, each once, and reads the answers. */
static bool do_round(struct worker *worker, struct test_client *client)
{
    unsigned count = test_random_in(&worker->random, 1, DEPTH);
    unsigned first = test_random_in(&worker->random, 0, KEYS - 1);
    struct asked asked[DEPTH];
    char text[DEPTH * 160];
    size_t used = 0;

    for (unsigned i = 0; i < count; i++) {
        used +=
            write_request(worker, (first + i) % KEYS, &asked[i], text + used, sizeof text - used);
    }
    if (!client_try_send(client, text, used)) {
        return false;
    }
    for (unsigned i = 0; i < count; i++) {
        size_t length;
        char *line = client_try_line(client, &length);
        if (line == NULL) {
            return false;
        }
        json_t *answer = json_loadb(line, length, 0, NULL);
        bool good = note_answer(worker, &asked[i], answer);
        json_decref(answer);
        if (!good) {
            return false;
        }
    }
    return true;
}

static void work(void *context)
{
    struct worker *worker = context;
    struct test_client client = {.socket = PLATFORM_NO_SOCKET};

    if (client_try_open(&client, worker->endpoint)) {
        while (do_round(worker, &client)) {
        }
    }
    if (!atomic_load(&dying)) {
        complain(worker, "the connection broke", "before the daemon was killed");
    }
    client_close(&client);
}

/* ---- what is there after a start ---- */

static struct key *find_key(const char *name)
{
    char text[32];

    for (unsigned i = 0; i < CLIENTS * KEYS; i++) {
        (void)snprintf(text, sizeof text, "c%u-%u", i / KEYS, i % KEYS);
        if (strcmp(name, text) == 0) {
            return &workers[i / KEYS].keys[i % KEYS];
        }
    }
    fail_msg("there is a lease of %s, whom nobody asked for", name);
    return NULL;
}

/* Compares a live lease with what its key was told, and has the key know of it. */
static void check_lease(const json_t *lease, struct key *key)
{
    const char *id = json_string_at(lease, "lease");
    unsigned port = (unsigned)json_integer_at(lease, "port");

    if (key->told == TOLD_NOTHING) {
        fail_msg("%s of %s has come back after its release", id, json_string_at(lease, "key"));
    }
    if (key->port != 0 && (port != key->port || strcmp(id, key->lease) != 0)) {
        fail_msg("%s had port %u by %s, and has %u by %s", json_string_at(lease, "key"), key->port,
                 key->lease, port, id);
    }
    if (atomic_fetch_add(&held[port], 1) != 0) {
        fail_msg("port %u is two keys'", port);
    }
    key->told = TOLD_HELD;
    key->port = port;
    (void)snprintf(key->lease, sizeof key->lease, "%s", id);
}

static void check_all(const char *endpoint)
{
    static bool seen[CLIENTS][KEYS];
    struct test_client client;

    memset(seen, 0, sizeof seen);
    for (unsigned port = 0; port < 65536; port++) {
        atomic_store(&held[port], 0);
    }
    client_open(&client, endpoint);
    json_t *leases = client_call(&client, "leases", NULL);
    const json_t *list = json_at(leases, "leases");
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *lease = json_array_get(list, i);
        struct key *key = find_key(json_string_at(lease, "key"));
        check_lease(lease, key);
        for (unsigned c = 0; c < CLIENTS; c++) {
            if (key >= workers[c].keys && key < workers[c].keys + KEYS) {
                seen[c][key - workers[c].keys] = true;
            }
        }
    }
    for (unsigned i = 0; i < CLIENTS * KEYS; i++) {
        struct key *key = &workers[i / KEYS].keys[i % KEYS];
        if (!seen[i / KEYS][i % KEYS]) {
            if (key->told == TOLD_HELD) {
                fail_msg("the lease %s of c%u-%u with port %u is lost", key->lease, i / KEYS,
                         i % KEYS, key->port);
            }
            *key = (struct key){.told = TOLD_NOTHING};
        }
    }
    json_decref(leases);
    client_close(&client);
}

/* ---- cycles ---- */

static bool answers(void *ctx)
{
    const struct daemon_process *daemon = ctx;
    struct test_client client;

    if (!client_try_open(&client, daemon->endpoint)) {
        return false;
    }
    json_decref(client_call(&client, "hello", NULL));
    client_close(&client);
    return true;
}

/* Starts it; gives how long the first answer took, from before the process was made. */
static uint64_t start(struct daemon_process *daemon)
{
    uint64_t start_us = platform_now_us();
    int status;

    daemon_launch(daemon);
    while (!answers(daemon)) {
        platform_pause_ms(1);
        if (platform_process_wait(daemon->process, 0, &status) ||
            platform_now_us() - start_us > (uint64_t)FIRST_ANSWER_MAX_MS * 1000) {
            daemon_print_log(daemon);
            fail_msg("berthd does not start again, or does not answer");
        }
    }
    return platform_now_us() - start_us;
}

static void run_until_killed(struct daemon_process *daemon, struct test_random *random)
{
    /* some live long enough for the store's upkeep, which comes each second */
    bool longer = test_random_chance(random, 4);

    atomic_store(&dying, false);
    for (unsigned i = 0; i < CLIENTS; i++) {
        workers[i].random.state = test_random_next(random);
        assert_int_equal(uv_thread_create(&workers[i].thread, work, &workers[i]), 0);
    }
    platform_pause_ms(longer ? test_random_in(random, 1000, 1300) : test_random_in(random, 1, 60));
    atomic_store(&dying, true);
    daemon_kill(daemon);
    for (unsigned i = 0; i < CLIENTS; i++) {
        assert_int_equal(uv_thread_join(&workers[i].thread), 0);
    }
    for (unsigned i = 0; i < CLIENTS; i++) {
        if (workers[i].trouble[0] != '\0') {
            fail_msg("%s", workers[i].trouble);
        }
    }
}

static int compare_times(const void *a, const void *b)
{
    uint64_t one = *(const uint64_t *)a;
    uint64_t two = *(const uint64_t *)b;

    return one < two ? -1 : one > two;
}

static void kill_often(struct daemon_process *daemon, const char *durability)
{
    struct test_random random = test_random_start(durability);
    size_t cycles = (size_t)test_count_from("BERTH_KILL_CYCLES", CYCLES);
    uint64_t *took_us = calloc(cycles + 1, sizeof *took_us);
    char config[400];
    unsigned long total = 0;

    assert_non_null(took_us);
    json_object_seed(0); /* now, not on two threads at once */
    memset(workers, 0, sizeof workers);
    for (unsigned i = 0; i < CLIENTS; i++) {
        workers[i].endpoint = daemon->endpoint;
        workers[i].number = i;
    }
    (void)snprintf(config, sizeof config,
                   "<pools><pool name=\"default\" ports=\"21000-21199\"/></pools>"
                   "<lease cooldown=\"0s\"/><tcp poll=\"1m\" full=\"1m\"/>"
                   "<store durability=\"%s\"/>",
                   durability);
    daemon_configure(daemon, config);
    for (size_t i = 0; i <= cycles; i++) {
        took_us[i] = start(daemon);
        check_all(daemon->endpoint);
        if (i < cycles) {
            daemon_await_ready(daemon);
            run_until_killed(daemon, &random);
        }
    }
    daemon_stop(daemon);
    qsort(took_us, cycles + 1, sizeof *took_us, compare_times);
    for (unsigned i = 0; i < CLIENTS; i++) {
        total += workers[i].answers;
    }
    size_t middle = cycles / 2;
    size_t high = cycles * 99 / 100;
    (void)printf("%s: %zu kills, %lu changes acknowledged, none lost, none twice; start to first "
                 "answer p50 %.1f ms, p99 %.1f ms, longest %.1f ms\n",
                 durability, cycles, total, (double)took_us[middle] / 1000,
                 (double)took_us[high] / 1000, (double)took_us[cycles] / 1000);
    free(took_us);
    assert_true(total > cycles); /* it was under load indeed */
}

static void kill__commit__nothing_acknowledged_is_lost(void **state)
{
    kill_often(*state, "commit");
}

static void kill__sync__nothing_acknowledged_is_lost(void **state)
{
    kill_often(*state, "sync");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, daemon_setup, daemon_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(kill__commit__nothing_acknowledged_is_lost),
        CASE(kill__sync__nothing_acknowledged_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
