/* SPDX-License-Identifier: MIT */
/* Subscribers of the real daemon: what they get, what a slow one is told, what one that never reads
 * costs the others. */
#include "cmocka_all.h"
#include "daemon_process.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#define POOL "<pools><pool name=\"default\" ports=\"18000-18999\"/></pools>"
#define QUIET POOL "<tcp poll=\"1m\" full=\"1m\"/>"
#define READERS 56
#define DEAF 8 /* never read */
#define GRANTS 10000
#define MEMORY_GROWTH_MAX (64LL * 1024 * 1024)

/* The params of the next event; for json_decref(). */
static json_t *next_event(struct test_client *client)
{
    json_t *line = client_answer(client);

    assert_string_equal(json_string_at(line, "method"), "event");
    json_t *params = json_incref(json_at(line, "params"));
    json_decref(line);
    return params;
}

static void expect_event(struct test_client *client, const char *type, const char *key)
{
    json_t *event = next_event(client);

    if (strcmp(json_string_at(event, "type"), type) != 0) {
        fail_msg("%s instead of %s", json_string_at(event, "type"), type);
    }
    assert_string_equal(json_string_at(event, "key"), key);
    json_decref(event);
}

static long long subscribe(struct test_client *client, const char *params)
{
    json_t *result = client_call(client, "subscribe", "%s", params);
    long long revision = json_integer_at(result, "revision");

    json_decref(result);
    return revision;
}

static void events__while_others_change__come_without_being_asked_for(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client follower;
    struct test_client worker;

    daemon_start(daemon, QUIET);
    client_open(&follower, daemon->endpoint);
    client_open(&worker, daemon->endpoint);
    (void)subscribe(&follower, "{\"topics\":[\"leases\"]}");
    json_decref(client_call(&worker, "allocate", "{\"key\":\"a\"}"));
    json_decref(client_call(&worker, "release", "{\"key\":\"a\"}"));
    expect_event(&follower, "lease.granted", "a");
    expect_event(&follower, "lease.released", "a");
    /* requests on the same connection are answered all the same */
    json_decref(client_call(&follower, "next", NULL));
    json_decref(client_call(&worker, "allocate", "{\"key\":\"b\"}"));
    expect_event(&follower, "lease.granted", "b");
    client_close(&follower);
    client_close(&worker);
    daemon_stop(daemon);
}

static void since__after_a_break__what_was_missed_comes_first(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client follower;
    struct test_client worker;

    daemon_start(daemon, QUIET);
    client_open(&worker, daemon->endpoint);
    client_open(&follower, daemon->endpoint);
    long long revision = subscribe(&follower, "{\"topics\":[\"leases\"]}");
    client_close(&follower);
    json_decref(client_call(&worker, "allocate", "{\"key\":\"a\"}"));
    json_decref(client_call(&worker, "allocate", "{\"key\":\"b\"}"));
    client_open(&follower, daemon->endpoint);
    json_decref(
        client_call(&follower, "subscribe", "{\"topics\":[\"leases\"],\"since\":%lld}", revision));
    expect_event(&follower, "lease.granted", "a");
    expect_event(&follower, "lease.granted", "b");
    client_close(&follower);
    client_close(&worker);
    /* another instance cannot know what was missed, and says so */
    daemon_stop(daemon);
    daemon_start(daemon, QUIET);
    client_open(&follower, daemon->endpoint);
    json_decref(client_call(&follower, "subscribe", "{\"since\":%lld}", revision));
    json_t *event = next_event(&follower);
    assert_string_equal(json_string_at(event, "type"), "events.lost");
    assert_int_equal(json_integer_at(event, "after"), revision);
    assert_true(json_integer_at(event, "revision") > revision);
    json_decref(event);
    client_close(&follower);
    daemon_stop(daemon);
}

static void subscribers__beyond_the_limit__are_refused(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client clients[3];

    daemon_start(daemon, QUIET "<limits subscribers=\"2\"/>");
    for (int i = 0; i < 3; i++) {
        client_open(&clients[i], daemon->endpoint);
    }
    (void)subscribe(&clients[0], "{}");
    (void)subscribe(&clients[1], "{}");
    (void)subscribe(&clients[1], "{}"); /* is one already */
    json_t *error = client_refused(&clients[2], "limit_reached", "subscribe", NULL);
    assert_string_equal(json_string_at(error, "data.limit"), "subscribers");
    json_decref(error);
    client_close(&clients[0]);
    daemon_stop(daemon);
    client_close(&clients[1]);
    client_close(&clients[2]);
}

/* ---- a storm ---- */

struct reader {
    struct test_client client;
    uv_thread_t thread;
    long granted;      /* events seen */
    long lost;         /* times that it was told of a loss */
    char trouble[200]; /* empty: none */
};

/* Checks that grants come in order, with none missing unless that was told. */
static bool take_event(struct reader *reader, const json_t *event, long *next, bool *end)
{
    const char *type = json_string_value(json_object_get(event, "type"));
    const char *key = json_string_value(json_object_get(event, "key"));

    if (type != NULL && strcmp(type, "events.lost") == 0) {
        reader->lost++;
        *next = -1;
        return true;
    }
    if (type == NULL || strcmp(type, "lease.granted") != 0 || key == NULL) {
        return type != NULL;
    }
    long number = strtol(key, NULL, 10);
    *end = number >= GRANTS - 1;
    reader->granted++;
    if (*next >= 0 && number != *next) {
        (void)snprintf(reader->trouble, sizeof reader->trouble,
                       "grant %ld came, %ld was due, and no loss was told", number, *next);
        return false;
    }
    *next = number + 1;
    return true;
}

static atomic_int reading; /* readers that have not come to the end */

static void read_all(void *arg)
{
    struct reader *reader = arg;
    bool end = false;
    long next = 0;

    while (!end) {
        size_t length;
        char *line = client_try_line(&reader->client, &length);
        json_t *whole = line != NULL ? json_loadb(line, length, 0, NULL) : NULL;
        bool good =
            whole != NULL && take_event(reader, json_object_get(whole, "params"), &next, &end);
        json_decref(whole);
        if (!good) {
            if (reader->trouble[0] == '\0') {
                (void)snprintf(reader->trouble, sizeof reader->trouble, "no event came");
            }
            break;
        }
    }
    (void)atomic_fetch_sub(&reading, 1);
}

/* Grants and releases, some in flight at a time. */
static void make_changes(struct test_client *worker, int first, int count)
{
    enum { DEPTH = 8 };

    for (int i = first; i < first + count; i += DEPTH) {
        for (int k = 0; k < DEPTH; k++) {
            client_sendf(worker,
                         "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"allocate\",\"params\":"
                         "{\"key\":\"%d\"}}\n{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"release\","
                         "\"params\":{\"key\":\"%d\"}}\n",
                         i + k, i + k);
        }
        for (int k = 0; k < 2 * DEPTH; k++) {
            json_t *answer = client_answer(worker);
            assert_non_null(json_object_get(answer, "result"));
            json_decref(answer);
        }
    }
}

static long long resident_bytes(struct test_client *client)
{
    json_t *status = client_call(client, "status", NULL);
    long long bytes = json_integer_at(status, "memory.resident_bytes");

    json_decref(status);
    return bytes;
}

static void subscribers__64_of_which_8_never_read__others_have_all_or_know(void **state)
{
    struct daemon_process *daemon = *state;
    static struct reader readers[READERS];
    struct test_client deaf[DEAF];
    struct test_client worker;
    long lost = 0;

    daemon->is_measured = true;
    daemon_start(daemon, QUIET "<lease cooldown=\"0s\"/><store history=\"0s\"/>");
    client_open(&worker, daemon->endpoint);
    for (int i = 0; i < DEAF; i++) {
        client_open(&deaf[i], daemon->endpoint);
        (void)subscribe(&deaf[i], "{}");
    }
    memset(readers, 0, sizeof readers);
    atomic_store(&reading, READERS);
    for (int i = 0; i < READERS; i++) {
        client_open(&readers[i].client, daemon->endpoint);
        (void)subscribe(&readers[i].client, "{\"topics\":[\"leases\"]}");
        assert_int_equal(uv_thread_create(&readers[i].thread, read_all, &readers[i]), 0);
    }
    long long before = resident_bytes(&worker);
    make_changes(&worker, 0, GRANTS);
    /* who lost the last ones learns only from newer ones that it is the end */
    for (int more = GRANTS; atomic_load(&reading) > 0; more += 8) {
        platform_pause_ms(5);
        make_changes(&worker, more, 8);
    }
    for (int i = 0; i < READERS; i++) {
        assert_int_equal(uv_thread_join(&readers[i].thread), 0);
        client_close(&readers[i].client);
        if (readers[i].trouble[0] != '\0') {
            fail_msg("reader %d: %s", i, readers[i].trouble);
        }
        assert_true(readers[i].granted >= GRANTS || readers[i].lost > 0);
        lost += readers[i].lost;
    }
    assert_true(resident_bytes(&worker) - before < MEMORY_GROWTH_MAX);
    (void)printf("%d readers were told of %ld losses in all\n", READERS, lost);
    for (int i = 0; i < DEAF; i++) {
        client_close(&deaf[i]);
    }
    client_close(&worker);
    daemon_stop(daemon);
}

/* One that never reads is shown the door, and nobody else waits for it. */
static void subscriber__that_never_reads__is_closed(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client deaf;
    struct test_client worker;

    daemon_start(daemon, QUIET "<lease cooldown=\"0s\"/>");
    client_open(&worker, daemon->endpoint);
    client_open(&deaf, daemon->endpoint);
    (void)subscribe(&deaf, "{}");
    make_changes(&worker, 0, GRANTS);
    daemon_await_log(daemon, "does not read its answers: closed");
    json_t *status = client_call(&worker, "status", NULL);
    assert_int_equal(json_integer_at(status, "connections.subscribers"), 0);
    json_decref(status);
    client_close(&deaf);
    client_close(&worker);
    daemon_stop(daemon);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, daemon_setup, daemon_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(events__while_others_change__come_without_being_asked_for),
        CASE(since__after_a_break__what_was_missed_comes_first),
        CASE(subscribers__beyond_the_limit__are_refused),
        CASE(subscribers__64_of_which_8_never_read__others_have_all_or_know),
        CASE(subscriber__that_never_reads__is_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
