/* SPDX-License-Identifier: MIT */
/* What the store tells beyond the present, and leases that move from one daemon to another:
 * history, export, import. */
#include "cmocka_all.h"
#include "daemon_process.h"

#include <stdio.h>
#include <stdlib.h>

#define QUIET                                                                                      \
    "<pools><pool name=\"default\" ports=\"19000-19099\"/></pools><tcp poll=\"1m\" full=\"1m\"/>"

static json_t *allocate(struct test_client *client, const char *params)
{
    return client_call(client, "allocate", "%s", params);
}

static void expect_entry(const json_t *entries, size_t at, const char *event, const char *key,
                         unsigned port)
{
    const json_t *entry = json_array_get(entries, at);

    assert_non_null(entry);
    assert_string_equal(json_string_at(entry, "event"), event);
    assert_string_equal(json_string_at(entry, "key"), key);
    assert_int_equal(json_integer_at(entry, "port"), port);
    (void)json_string_at(entry, "time");
}

static void history__of_a_port_and_of_a_key__is_newest_first_over_restarts(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client client;

    daemon_start(daemon, QUIET "<lease cooldown=\"0s\"/>");
    client_open(&client, daemon->endpoint);
    json_decref(allocate(&client, "{\"key\":\"shop\"}"));
    json_decref(client_call(&client, "release", "{\"key\":\"shop\"}"));
    json_decref(allocate(&client, "{\"key\":\"blog\",\"port\":19000}"));
    json_decref(allocate(&client, "{\"key\":\"shop\"}"));
    client_close(&client);
    daemon_kill(daemon);
    daemon_start(daemon, QUIET "<lease cooldown=\"0s\"/>");
    client_open(&client, daemon->endpoint);
    json_t *of_port = client_call(&client, "history", "{\"port\":19000}");
    const json_t *entries = json_at(of_port, "entries");
    assert_int_equal(json_array_size(entries), 3);
    expect_entry(entries, 0, "lease.granted", "blog", 19000);
    expect_entry(entries, 1, "lease.released", "shop", 19000);
    expect_entry(entries, 2, "lease.granted", "shop", 19000);
    (void)json_string_at(json_array_get(entries, 0), "by");
    json_decref(of_port);
    json_t *of_key = client_call(&client, "history", "{\"key\":\"shop\",\"limit\":1}");
    entries = json_at(of_key, "entries");
    assert_int_equal(json_array_size(entries), 1);
    expect_entry(entries, 0, "lease.granted", "shop", 19001);
    json_decref(of_key);
    json_decref(client_refused(&client, "invalid_params", "history", NULL));
    json_decref(
        client_refused(&client, "invalid_params", "history", "{\"port\":19000,\"key\":\"shop\"}"));
    client_close(&client);
    daemon_stop(daemon);
}

static void assert_same_lease(struct test_client *client, const char *key, unsigned port,
                              const char *id)
{
    json_t *result = client_call(client, "leases", "{\"key\":\"%s\"}", key);
    const json_t *lease = json_at(result, "leases.0");

    assert_int_equal(json_integer_at(lease, "port"), port);
    assert_string_equal(json_string_at(lease, "lease"), id);
    assert_string_equal(json_string_at(lease, "holder"), "site:Shop");
    assert_string_equal(json_string_at(lease, "protocol"), "https");
    assert_string_equal(json_string_at(lease, "meta.project"), "P-1");
    json_decref(result);
}

static void import__of_an_export__gives_the_same_leases_once(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client client;

    daemon_start(daemon, QUIET);
    client_open(&client, daemon->endpoint);
    json_t *first =
        allocate(&client, "{\"key\":\"shop\",\"generation\":\"7\",\"holder\":\"site:Shop\","
                          "\"protocol\":\"https\",\"meta\":{\"project\":\"P-1\"},\"ttl\":\"2h\"}");
    json_decref(allocate(&client, "{\"key\":\"two\",\"count\":2}"));
    json_decref(allocate(&client, "{\"key\":\"old\"}"));
    json_decref(client_call(&client, "release", "{\"key\":\"old\"}"));
    json_t *exported = client_call(&client, "export", NULL);
    assert_int_equal(json_array_size(json_at(exported, "leases")), 3);
    char *leases = json_dumps(exported, JSON_COMPACT);
    client_close(&client);
    daemon_stop(daemon);

    (void)snprintf(daemon->state, sizeof daemon->state, "%s/elsewhere", daemon->folder);
    daemon_start(daemon, QUIET);
    client_open(&client, daemon->endpoint);
    json_decref(allocate(&client, "{\"key\":\"native\",\"port\":19001}"));
    json_t *result = client_call(&client, "import", "%s", leases);
    assert_int_equal(json_integer_at(result, "imported"), 2);
    assert_string_equal(json_string_at(result, "skipped.0.key"), "two");
    assert_non_null(strstr(json_string_at(result, "skipped.0.reason"),
                           "port 19001 is leased to key native here"));
    json_decref(result);
    assert_same_lease(&client, "shop", 19000, json_string_at(first, "lease"));
    /* again: nothing twice; and it is kept */
    result = client_call(&client, "import", "%s", leases);
    assert_int_equal(json_integer_at(result, "imported"), 0);
    assert_int_equal(json_array_size(json_at(result, "skipped")), 3);
    json_decref(result);
    client_close(&client);
    daemon_kill(daemon);
    daemon_start(daemon, QUIET);
    client_open(&client, daemon->endpoint);
    assert_same_lease(&client, "shop", 19000, json_string_at(first, "lease"));
    /* what had ended is remembered for its key */
    json_t *again = allocate(&client, "{\"key\":\"old\"}");
    assert_int_equal(json_integer_at(again, "port"), 19003);
    json_decref(again);
    json_decref(first);
    json_decref(exported);
    free(leases);
    client_close(&client);
    daemon_stop(daemon);
}

static void import__of_what_ended_here_meanwhile__brings_it_back(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client client;

    daemon_start(daemon, QUIET);
    client_open(&client, daemon->endpoint);
    json_decref(allocate(&client, "{\"key\":\"shop\"}"));
    json_t *exported = client_call(&client, "export", NULL);
    char *leases = json_dumps(exported, JSON_COMPACT);
    json_decref(exported);
    json_decref(client_call(&client, "release", "{\"key\":\"shop\"}"));
    json_t *result = client_call(&client, "import", "%s", leases);
    assert_int_equal(json_integer_at(result, "imported"), 1);
    json_decref(result);
    json_t *again = allocate(&client, "{\"key\":\"shop\"}");
    assert_int_equal(json_integer_at(again, "port"), 19000);
    assert_true(json_is_true(json_at(again, "reused")));
    json_decref(again);
    free(leases);
    client_close(&client);
    daemon_stop(daemon);
}

static void import__of_what_cannot_be__says_which_and_why(void **state)
{
    static const struct {
        const char *leases;
        const char *says;
    } bad[] = {
        {"[{}]", "lease 1 of 1 (0 imported before it): lease, key and state must be there"},
        {"[7]", "must be an object"},
        {"[{\"lease\":\"x\",\"key\":\"k\",\"state\":\"pending\",\"ports\":[1]}]", "owner"},
        {"[{\"lease\":\"00000000000000aa\",\"key\":\"k\",\"state\":\"happy\",\"ports\":[19000],"
         "\"ttl_ms\":1000,\"owner\":{\"id\":\"uid:0\",\"name\":\"root\"}}]",
         "state \"happy\""},
        {"[{\"lease\":\"00000000000000aa\",\"key\":\"k\",\"state\":\"pending\",\"ports\":[0],"
         "\"ttl_ms\":1000,\"owner\":{\"id\":\"uid:0\",\"name\":\"root\"}}]",
         "1 to 65535"},
        {"[{\"lease\":\"00000000000000aa\",\"key\":\"k\",\"state\":\"pending\",\"ports\":[19000],"
         "\"owner\":{\"id\":\"uid:0\",\"name\":\"root\"}}]",
         "ttl must be"},
        {"[{\"lease\":\"aa\",\"key\":\"k\",\"state\":\"pending\",\"ports\":[19000],"
         "\"ttl_ms\":1000,\"owner\":{\"id\":\"uid:0\",\"name\":\"root\"}}]",
         "lease aa of key k is none"},
        {"[{\"lease\":\"00000000000000aa\",\"key\":\"k\",\"state\":\"pending\",\"ports\":[19000],"
         "\"surprise\":1}]",
         "no parameter surprise"},
    };
    struct daemon_process *daemon = *state;
    struct test_client client;

    daemon_start(daemon, QUIET);
    client_open(&client, daemon->endpoint);
    for (size_t i = 0; i < BERTH_COUNT(bad); i++) {
        json_t *error =
            client_refused(&client, "invalid_params", "import", "{\"leases\":%s}", bad[i].leases);
        if (strstr(json_string_at(error, "message"), bad[i].says) == NULL) {
            fail_msg("%s", json_string_at(error, "message"));
        }
        json_decref(error);
    }
    json_decref(client_refused(&client, "invalid_params", "import", NULL));
    json_t *leases = client_call(&client, "leases", NULL);
    assert_int_equal(json_array_size(json_at(leases, "leases")), 0);
    json_decref(leases);
    client_close(&client);
    daemon_stop(daemon);
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, daemon_setup, daemon_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(history__of_a_port_and_of_a_key__is_newest_first_over_restarts),
        CASE(import__of_an_export__gives_the_same_leases_once),
        CASE(import__of_what_ended_here_meanwhile__brings_it_back),
        CASE(import__of_what_cannot_be__says_which_and_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
