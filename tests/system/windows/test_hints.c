/* SPDX-License-Identifier: MIT */
/* The daemon with the real hints of Windows. Wine refuses each of them: then it says so, and all
 * else works; on Windows those that can be had work. */
#include "cmocka_all.h"
#include "daemon_process.h"

#include <stdio.h>

#define FACILITIES 5u
#define POOL                                                                                       \
    "<pools><pool name=\"default\" ports=\"21000-21099\"/></pools><tcp poll=\"1s\" "               \
    "probe=\"off\"/>"

struct wanted_hints {
    struct test_client *client;
    size_t count;
};

/* Whether status tells of so many facilities; prints them when it does. */
static bool has_hints(void *ctx)
{
    const struct wanted_hints *wanted = ctx;
    json_t *status = client_call(wanted->client, "status", NULL);
    json_t *hints = json_object_get(status, "hints");
    bool enough = json_array_size(hints) == wanted->count;

    for (size_t i = 0; enough && i < wanted->count; i++) {
        const json_t *hint = json_array_get(hints, i);
        const char *reason = json_string_value(json_object_get(hint, "reason"));
        assert_true(json_is_string(json_object_get(hint, "facility")));
        assert_true(json_is_integer(json_object_get(hint, "total")));
        assert_true(json_is_boolean(json_object_get(hint, "works")));
        assert_true(json_is_true(json_object_get(hint, "works")) == (reason == NULL));
        print_message("%s: %s\n", json_string_value(json_object_get(hint, "facility")),
                      reason != NULL ? reason : "works");
    }
    json_decref(status);
    return enough;
}

static void await_hints(struct test_client *client, size_t count)
{
    struct wanted_hints wanted = {client, count};

    if (daemon_await(has_hints, &wanted, DAEMON_START_MS) == UINT64_MAX) {
        fail_msg("status does not tell of %zu facilities", count);
    }
}

static void assert_allocates(struct test_client *client)
{
    json_t *lease = client_call(client, "allocate", "{\"holder\":\"any\"}");

    assert_true(json_is_integer(json_object_get(lease, "port")));
    json_decref(lease);
}

static void status__on_windows__tells_of_each_facility_and_all_else_works(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client client;

    daemon_start(daemon, POOL);
    client_open(&client, daemon->endpoint);
    await_hints(&client, FACILITIES);
    assert_allocates(&client);
    client_close(&client);
    daemon_stop(daemon);
    assert_true(daemon_log_has(daemon, "hints by http.sys events"));
    assert_true(daemon_log_has(daemon, "hints by WMI services"));
}

static void reload__hints_off_and_on__they_go_and_come(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client client;

    daemon_start(daemon, POOL "<hints wmi=\"off\"/>");
    client_open(&client, daemon->endpoint);
    await_hints(&client, 2);
    daemon_configure(daemon, POOL "<hints wmi=\"off\" etw=\"off\"/>");
    json_decref(client_call(&client, "reload", NULL));
    await_hints(&client, 0);
    daemon_configure(daemon, POOL "<hints etw=\"off\"/>");
    json_decref(client_call(&client, "reload", NULL));
    await_hints(&client, 3);
    assert_allocates(&client);
    client_close(&client);
    daemon_stop(daemon);
}

/* While the hints are perhaps still being opened. */
static void stop__soon__is_clean(void **state)
{
    struct daemon_process *daemon = *state;

    for (unsigned i = 0; i < 3; i++) {
        daemon_start(daemon, POOL);
        daemon_stop(daemon);
    }
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, daemon_setup, daemon_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(status__on_windows__tells_of_each_facility_and_all_else_works),
        CASE(reload__hints_off_and_on__they_go_and_come),
        CASE(stop__soon__is_clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
