/* SPDX-License-Identifier: MIT */
/* What outlasts berthd: its leases, whatever ends it; and each way in which the store can be
 * unusable, told in a sentence that says what to do. */
#include "cmocka_all.h"
#include "daemon_process.h"
#include "temp_dir.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#define POOL "<pools><pool name=\"default\" ports=\"21000-21999\"/></pools>"
#define QUIET POOL "<tcp poll=\"1m\" full=\"1m\"/>"
#define SYNC QUIET "<store durability=\"sync\"/>"
#define NOBODY 65534

#define SITE(port)                                                                                 \
    "<configuration><system.applicationHost><sites><site name=\"Shop\" id=\"1\"><bindings>"        \
    "<binding protocol=\"http\" bindingInformation=\"*:" port ":\"/></bindings></site></sites>"    \
    "</system.applicationHost></configuration>"
#define NO_SITE                                                                                    \
    "<configuration><system.applicationHost><sites></sites></system.applicationHost></"            \
    "configuration>"

static void write_text(const char *path, const char *text)
{
    replace_file(path, text, strlen(text));
}

/* Kills it and starts it again, as somebody who pulls no plug but everything else. */
static void kill_and_start(struct daemon_process *daemon, struct test_client *client)
{
    daemon_kill(daemon);
    client_close(client);
    daemon_launch(daemon);
    daemon_await_ready(daemon);
    client_open(client, daemon->endpoint);
}

/* The only lease of a key, in any state that is live; for json_decref(). */
static json_t *lease_of(struct test_client *client, const char *key)
{
    json_t *leases = client_call(client, "leases", "{\"key\":\"%s\"}", key);
    json_t *list = json_at(leases, "leases");

    assert_int_equal(json_array_size(list), 1);
    json_t *lease = json_incref(json_array_get(list, 0));
    json_decref(leases);
    return lease;
}

static void assert_same_member(const json_t *a, const json_t *b, const char *name)
{
    const json_t *one = json_object_get(a, name);
    const json_t *two = json_object_get(b, name);

    if (one == NULL || two == NULL || !json_equal(one, two)) {
        char *first = json_dumps(a, 0);
        char *second = json_dumps(b, 0);
        fail_msg("%s differs: %s and %s", name, first, second);
    }
}

/* ---- what comes back ---- */

static void kill__a_lease_with_everything__is_the_same_afterwards(void **state)
{
    static const char *const members[] = {"port",       "ports", "lease",    "key",
                                          "generation", "meta",  "protocol", "owner",
                                          "holder",     "state", "ttl",      "granted_at"};
    struct daemon_process *daemon = *state;
    struct test_client client;

    daemon_start(daemon, QUIET);
    client_open(&client, daemon->endpoint);
    json_decref(client_call(&client, "allocate",
                            "{\"key\":\"shop/\xC3\xA4\",\"generation\":\"7\",\"count\":3,"
                            "\"holder\":\"site:Shop\",\"protocol\":\"https\",\"ttl\":4711,"
                            "\"meta\":{\"ticket\":1830,\"list\":[1,null]}}"));
    json_t *before = lease_of(&client, "shop/\xC3\xA4");
    for (int i = 0; i < 3; i++) {
        kill_and_start(daemon, &client);
        json_t *after = lease_of(&client, "shop/\xC3\xA4");
        for (size_t m = 0; m < BERTH_COUNT(members); m++) {
            if (json_object_get(before, members[m]) != NULL) {
                assert_same_member(before, after, members[m]);
            }
        }
        json_decref(after);
    }
    /* what must be there at least */
    assert_int_equal(json_integer_at(before, "port"), 21000);
    assert_string_equal(json_string_at(before, "generation"), "7");
    assert_string_equal(json_string_at(before, "protocol"), "https");
    assert_string_equal(json_string_at(before, "state"), "pending");
    assert_true(json_has(before, "owner"));
    assert_int_equal(json_integer_at(before, "meta.ticket"), 1830);
    json_decref(before);
    json_t *again = client_call(&client, "allocate",
                                "{\"key\":\"shop/\xC3\xA4\",\"generation\":\"7\",\"count\":3}");
    assert_true(json_is_true(json_at(again, "reused")));
    json_decref(again);
    client_close(&client);
    daemon_stop(daemon);
}

struct wanted_lease {
    struct test_client *client;
    const char *key;
    const char *state;
};

static bool lease_has_state(void *ctx)
{
    const struct wanted_lease *wanted = ctx;
    json_t *lease = lease_of(wanted->client, wanted->key);
    bool has = strcmp(json_string_at(lease, "state"), wanted->state) == 0;

    json_decref(lease);
    return has;
}

static void await_lease(struct test_client *client, const char *key, const char *state)
{
    struct wanted_lease wanted = {client, key, state};

    if (daemon_await(lease_has_state, &wanted, 10000) == UINT64_MAX) {
        fail_msg("the lease of %s does not become %s", key, state);
    }
}

static void assert_lease(struct test_client *client, const char *key, const char *state,
                         long long port)
{
    json_t *lease = lease_of(client, key);

    assert_string_equal(json_string_at(lease, "state"), state);
    assert_int_equal(json_integer_at(lease, "port"), port);
    json_decref(lease);
}

static void kill__in_each_state__is_in_it_afterwards(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client client;

    write_text(daemon->iis, NO_SITE);
    daemon_start(daemon, QUIET "<iis config=\"%s\"/>");
    client_open(&client, daemon->endpoint);
    json_decref(client_call(&client, "allocate", "{\"key\":\"shop\",\"holder\":\"site:Shop\"}"));
    kill_and_start(daemon, &client);
    assert_lease(&client, "shop", "pending", 21000);
    write_text(daemon->iis, SITE("21000"));
    await_lease(&client, "shop", "active");
    kill_and_start(daemon, &client);
    assert_lease(&client, "shop", "active", 21000);
    write_text(daemon->iis, NO_SITE);
    await_lease(&client, "shop", "lingering");
    kill_and_start(daemon, &client);
    assert_lease(&client, "shop", "lingering", 21000);
    write_text(daemon->iis, SITE("21000"));
    await_lease(&client, "shop", "active");
    client_close(&client);
    daemon_stop(daemon);
}

/* The site was bound, or removed, while nobody looked. */
static void kill__the_world_goes_on_meanwhile__is_seen_at_the_start(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client client;

    write_text(daemon->iis, NO_SITE);
    daemon_start(daemon, QUIET "<iis config=\"%s\"/>");
    client_open(&client, daemon->endpoint);
    json_decref(client_call(&client, "allocate", "{\"key\":\"shop\",\"holder\":\"site:Shop\"}"));
    daemon_kill(daemon);
    write_text(daemon->iis, SITE("21000"));
    kill_and_start(daemon, &client);
    assert_lease(&client, "shop", "active", 21000);
    daemon_kill(daemon);
    write_text(daemon->iis, NO_SITE);
    kill_and_start(daemon, &client);
    assert_lease(&client, "shop", "lingering", 21000);
    client_close(&client);
    daemon_stop(daemon);
}

static void kill__released__cools_and_goes_back_to_its_key(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client client;

    daemon_start(daemon, QUIET);
    client_open(&client, daemon->endpoint);
    json_decref(client_call(&client, "allocate", "{\"key\":\"shop\",\"port\":21007}"));
    json_decref(client_call(&client, "release", "{\"key\":\"shop\"}"));
    kill_and_start(daemon, &client);
    assert_string_equal(client_port_state(&client, 21007), "cooling");
    json_decref(client_refused(&client, "not_found", "renew", "{\"key\":\"shop\"}"));
    json_decref(
        client_refused(&client, "port_in_use", "allocate", "{\"key\":\"other\",\"port\":21007}"));
    json_t *again = client_call(&client, "allocate", "{\"key\":\"shop\"}");
    assert_int_equal(json_integer_at(again, "port"), 21007);
    json_decref(again);
    client_close(&client);
    daemon_stop(daemon);
}

static void
kill__released_without_cool_down__key_gets_its_port_though_others_are_lower(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client client;

    daemon_start(daemon, QUIET "<lease cooldown=\"0s\"/>");
    client_open(&client, daemon->endpoint);
    json_decref(client_call(&client, "allocate", "{\"key\":\"shop\",\"port\":21007}"));
    json_decref(client_call(&client, "release", "{\"key\":\"shop\"}"));
    kill_and_start(daemon, &client);
    assert_string_equal(client_port_state(&client, 21007), "free");
    json_t *other = client_call(&client, "allocate", "{\"key\":\"other\"}");
    assert_int_equal(json_integer_at(other, "port"), 21000);
    json_decref(other);
    json_t *again = client_call(&client, "allocate", "{\"key\":\"shop\"}");
    assert_int_equal(json_integer_at(again, "port"), 21007);
    json_decref(again);
    client_close(&client);
    daemon_stop(daemon);
}

static void stop__in_order__all_is_kept_too(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client client;

    for (int i = 0; i < 3; i++) {
        daemon_start(daemon, i == 1 ? SYNC : QUIET); /* another durability is no other store */
        client_open(&client, daemon->endpoint);
        json_t *lease = client_call(&client, "allocate", "{\"key\":\"shop\"}");
        assert_int_equal(json_boolean_value(json_at(lease, "reused")), i > 0);
        json_decref(lease);
        client_close(&client);
        daemon_stop(daemon);
    }
}

/* ---- sync ---- */

#define SYNC_CLIENTS 64
#define SYNC_DEPTH 20

static void send_allocations(struct test_client *client, int number)
{
    char text[SYNC_DEPTH * 120];
    size_t used = 0;

    for (int i = 0; i < SYNC_DEPTH; i++) {
        used += (size_t)snprintf(text + used, sizeof text - used,
                                 "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"allocate\","
                                 "\"params\":{\"key\":\"c%d-%d\"}}\n",
                                 i, number, i / 2); /* each key twice: the second is reused */
    }
    client_send(client, text);
}

static void sync__many_clients_with_many_requests__all_answered_in_order_and_kept(void **state)
{
    static unsigned ports[SYNC_CLIENTS][SYNC_DEPTH];
    struct daemon_process *daemon = *state;
    struct test_client clients[SYNC_CLIENTS];

    daemon_start(daemon, SYNC "<limits leasesPerUser=\"65535\"/>");
    for (int c = 0; c < SYNC_CLIENTS; c++) {
        client_open(&clients[c], daemon->endpoint);
    }
    for (int c = 0; c < SYNC_CLIENTS; c++) {
        send_allocations(&clients[c], c);
    }
    for (int c = 0; c < SYNC_CLIENTS; c++) {
        for (int i = 0; i < SYNC_DEPTH; i++) {
            json_t *answer = client_answer(&clients[c]);
            assert_int_equal(json_integer_at(answer, "id"), i);
            assert_int_equal(json_boolean_value(json_at(answer, "result.reused")), i % 2);
            ports[c][i] = (unsigned)json_integer_at(answer, "result.port");
            json_decref(answer);
        }
        client_close(&clients[c]);
    }
    daemon_kill(daemon);
    daemon_launch(daemon);
    daemon_await_ready(daemon);
    client_open(&clients[0], daemon->endpoint);
    for (int c = 0; c < SYNC_CLIENTS; c++) {
        for (int i = 0; i < SYNC_DEPTH; i++) {
            json_t *lease = client_call(&clients[0], "allocate", "{\"key\":\"c%d-%d\"}", c, i / 2);
            assert_true(json_is_true(json_at(lease, "reused")));
            assert_int_equal(json_integer_at(lease, "port"), ports[c][i]);
            json_decref(lease);
        }
    }
    client_close(&clients[0]);
    daemon_stop(daemon);
}

static void sync__stopped_with_requests_in_flight__all_are_answered(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client clients[8];

    daemon_start(daemon, SYNC);
    for (int c = 0; c < 8; c++) {
        client_open(&clients[c], daemon->endpoint);
        json_decref(client_call(&clients[c], "hello", NULL));
    }
    platform_process_suspend(daemon->process);
    for (int c = 0; c < 8; c++) {
        send_allocations(&clients[c], c);
    }
    platform_process_stop(daemon->process);
    platform_process_resume(daemon->process);
    for (int c = 0; c < 8; c++) {
        for (int i = 0; i < SYNC_DEPTH; i++) {
            json_t *answer = client_answer(&clients[c]);
            assert_int_equal(json_integer_at(answer, "id"), i);
            (void)json_at(answer, "result.port");
            json_decref(answer);
        }
        client_expect_closed(&clients[c]);
        client_close(&clients[c]);
    }
    assert_int_equal(daemon_await_end(daemon), 0);
}

/* ---- changing <store> while it runs ---- */

static bool warns_of_a_restart(struct test_client *client)
{
    json_decref(client_call(client, "reload", NULL));
    json_t *status = client_call(client, "status", NULL);
    const json_t *warnings = json_at(status, "warnings");
    bool found = false;

    for (size_t i = 0; i < json_array_size(warnings); i++) {
        const char *text = json_string_value(json_array_get(warnings, i));
        found = found || (text != NULL && strstr(text, "<store> takes a restart") != NULL);
    }
    json_decref(status);
    return found;
}

static void reload__another_store__warns_as_long_as_the_old_one_is_in_force(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client client;

    daemon_start(daemon, QUIET);
    client_open(&client, daemon->endpoint);
    assert_false(warns_of_a_restart(&client));
    daemon_configure(daemon, SYNC);
    assert_true(warns_of_a_restart(&client));
    assert_true(warns_of_a_restart(&client)); /* it is still not in force */
    daemon_configure(daemon, QUIET "<store history=\"1d\"/>");
    assert_true(warns_of_a_restart(&client));
    daemon_configure(daemon, QUIET);
    assert_false(warns_of_a_restart(&client)); /* as at the start */
    client_close(&client);
    daemon_stop(daemon);
}

/* ---- a store that cannot be used ---- */

static char *state_file(const struct daemon_process *daemon, const char *name)
{
    static char path[400];

    (void)snprintf(path, sizeof path, "%s/%s", daemon->state, name);
    return path;
}

/* Makes a store with a lease in it and ends the daemon. */
static void make_store(struct daemon_process *daemon)
{
    struct test_client client;

    daemon_start(daemon, QUIET);
    client_open(&client, daemon->endpoint);
    json_decref(client_call(&client, "allocate", "{\"key\":\"shop\"}"));
    client_close(&client);
    daemon_stop(daemon);
}

/* Sees that it does not start, says why and what to do, and leaves no endpoint. */
static void expect_no_start(struct daemon_process *daemon, const char *why, const char *advice)
{
    char endpoint[300];
    char *output;

    (void)snprintf(endpoint, sizeof endpoint, "%s/second.sock", daemon->folder);
    const char *const arguments[] = {"--config", daemon->config, "--endpoint", endpoint,
                                     "--state",  daemon->state,  NULL};
    int status = daemon_run(daemon, arguments, &output);
    if (status != 1 || strstr(output, why) == NULL || strstr(output, advice) == NULL) {
        fail_msg("status %d, wanted \"%s\" and \"%s\": %s", status, why, advice, output);
    }
    free(output);
    assert_int_equal(platform_connect(endpoint), PLATFORM_NO_SOCKET);
}

static void start__damaged_store__is_refused_and_left_as_it_is(void **state)
{
    struct daemon_process *daemon = *state;
    size_t size;
    size_t after;

    make_store(daemon);
    char *bytes = read_whole_file(state_file(daemon, "leases.db"), &size);
    assert_true(size > 4096);
    memset(bytes + 2048, 0xA5, 2048);
    write_file(state_file(daemon, "leases.db"), bytes, size);
    expect_no_start(daemon, "is damaged", "restore it from a backup");
    char *left = read_whole_file(state_file(daemon, "leases.db"), &after);
    assert_int_equal(after, size);
    assert_memory_equal(left, bytes, size);
    free(left);
    free(bytes);
}

static void start__store_is_gone__is_refused(void **state)
{
    struct daemon_process *daemon = *state;

    make_store(daemon);
    assert_int_equal(remove(state_file(daemon, "leases.db")), 0);
    expect_no_start(daemon, "is gone", "restore it from a backup");
}

static void start__not_a_database__is_refused(void **state)
{
    struct daemon_process *daemon = *state;

    make_store(daemon);
    write_file(state_file(daemon, "leases.db"), "these are my notes, not a database\n", 35);
    expect_no_start(daemon, "is damaged", "restore it from a backup");
}

static void start__store_of_a_newer_version__is_refused(void **state)
{
    struct daemon_process *daemon = *state;
    sqlite3 *db;

    make_store(daemon);
    assert_int_equal(sqlite3_open(state_file(daemon, "leases.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db,
                                  "PRAGMA user_version = 99;"
                                  "UPDATE about SET value = '7.1' WHERE name = 'needs'",
                                  NULL, NULL, NULL),
                     SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    expect_no_start(daemon, "has version 99", "install Berth 7.1 or later");
}

static void start__store_of_a_running_daemon__is_refused_and_that_one_unharmed(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client client;

    daemon_start(daemon, QUIET);
    client_open(&client, daemon->endpoint);
    json_decref(client_call(&client, "allocate", "{\"key\":\"shop\"}"));
    expect_no_start(daemon, "is in use by another process", "only one");
    json_decref(client_call(&client, "allocate", "{\"key\":\"blog\"}"));
    kill_and_start(daemon, &client);
    assert_lease(&client, "shop", "pending", 21000);
    assert_lease(&client, "blog", "pending", 21001);
    client_close(&client);
    daemon_stop(daemon);
}

static void start__store_open_in_another_program__is_refused(void **state)
{
    struct daemon_process *daemon = *state;
    sqlite3 *db;

    make_store(daemon);
    assert_int_equal(sqlite3_open(state_file(daemon, "leases.db"), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN EXCLUSIVE", NULL, NULL, NULL), SQLITE_OK);
    expect_no_start(daemon, "is in use by another process", "end the other one");
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    make_store(daemon); /* and then it starts */
}

static void start__no_right_to_write__is_refused(void **state)
{
    struct daemon_process *daemon = *state;

    if (!platform_is_administrator()) {
        skip();
    }
    make_store(daemon);
    daemon->run_as = NOBODY;
    expect_no_start(daemon, "leases.db", "read and write access");
}

static void start__state_is_a_file__is_refused(void **state)
{
    struct daemon_process *daemon = *state;

    daemon_configure(daemon, QUIET);
    write_file(daemon->state, "", 0);
    expect_no_start(daemon, "the state folder", "name another one");
}

/* ---- a full disk ---- */

/* Until the store has no room any more; gives how many leases there are then. */
static int fill(struct test_client *client)
{
    static const char filler[] = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";

    for (int i = 0; i < 900; i++) {
        client_sendf(client,
                     "{\"jsonrpc\":\"2.0\",\"id\":%d,\"method\":\"allocate\",\"params\":{\"key\":"
                     "\"k%d\",\"meta\":{\"a\":\"%s%s%s%s%s%s%s%s\"}}}\n",
                     i, i, filler, filler, filler, filler, filler, filler, filler, filler);
        json_t *answer = client_answer(client);
        bool refused = json_has(answer, "error");
        if (refused) {
            assert_string_equal(json_string_at(answer, "error.data.reason"), "store_failed");
            assert_non_null(strstr(json_string_at(answer, "error.message"), "full: make room"));
        }
        json_decref(answer);
        if (refused) {
            return i;
        }
    }
    fail_msg("the disk is larger than it should be");
    return 0;
}

static void disk_is_full__allocate_is_refused_until_there_is_room(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client client;

    daemon->file_bytes_max = 256 * 1024;
    daemon_start(daemon, QUIET);
    client_open(&client, daemon->endpoint);
    int count = fill(&client);
    (void)printf("%d leases fit\n", count);
    assert_true(count > 10);
    daemon_await_log(daemon, "the lease store refuses changes");
    /* where a large one has no room a small one may; now none has */
    assert_true(platform_process_limit_files(daemon->process, 1));
    for (int i = 0; i < 3; i++) {
        json_decref(
            client_refused(&client, "store_failed", "allocate", "{\"key\":\"more-%d\"}", i));
    }
    json_decref(client_refused(&client, "store_failed", "release", "{\"key\":\"k3\"}"));
    /* nothing changed, and everything else goes on */
    unsigned next = 21000 + (unsigned)count;
    assert_string_equal(client_port_state(&client, next), "free");
    assert_string_equal(client_port_state(&client, 21003), "leased");
    json_t *ports = client_call(&client, "next", NULL);
    assert_int_equal(json_integer_at(ports, "ports.0"), next);
    json_decref(ports);
    json_t *again = client_call(&client, "allocate", "{\"key\":\"k3\"}");
    assert_true(json_is_true(json_at(again, "reused")));
    json_decref(again);
    /* room */
    assert_true(platform_process_limit_files(daemon->process, 64 * 1024 * 1024));
    json_t *lease = client_call(&client, "allocate", "{\"key\":\"more-0\"}");
    assert_int_equal(json_integer_at(lease, "port"), next);
    json_decref(lease);
    json_decref(client_call(&client, "release", "{\"key\":\"k3\"}"));
    daemon_await_log(daemon, "the lease store works again");
    kill_and_start(daemon, &client);
    for (int i = 0; i < count; i++) {
        char key[32];
        (void)snprintf(key, sizeof key, "k%d", i);
        if (i != 3) {
            assert_lease(&client, key, "pending", 21000 + i);
        }
    }
    assert_lease(&client, "more-0", "pending", (long long)next);
    client_close(&client);
    daemon_stop(daemon);
}

static void disk_is_full__at_the_start__says_so(void **state)
{
    struct daemon_process *daemon = *state;

    daemon_configure(daemon, QUIET);
    daemon->file_bytes_max = 1024;
    expect_no_start(daemon, "is full", "make room");
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, daemon_setup, daemon_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(kill__a_lease_with_everything__is_the_same_afterwards),
        CASE(kill__in_each_state__is_in_it_afterwards),
        CASE(kill__the_world_goes_on_meanwhile__is_seen_at_the_start),
        CASE(kill__released__cools_and_goes_back_to_its_key),
        CASE(kill__released_without_cool_down__key_gets_its_port_though_others_are_lower),
        CASE(stop__in_order__all_is_kept_too),
        CASE(sync__many_clients_with_many_requests__all_answered_in_order_and_kept),
        CASE(sync__stopped_with_requests_in_flight__all_are_answered),
        CASE(reload__another_store__warns_as_long_as_the_old_one_is_in_force),
        CASE(start__damaged_store__is_refused_and_left_as_it_is),
        CASE(start__store_is_gone__is_refused),
        CASE(start__not_a_database__is_refused),
        CASE(start__store_of_a_newer_version__is_refused),
        CASE(start__store_of_a_running_daemon__is_refused_and_that_one_unharmed),
        CASE(start__store_open_in_another_program__is_refused),
        CASE(start__no_right_to_write__is_refused),
        CASE(start__state_is_a_file__is_refused),
        CASE(disk_is_full__allocate_is_refused_until_there_is_room),
        CASE(disk_is_full__at_the_start__says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
