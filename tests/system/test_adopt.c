/* SPDX-License-Identifier: MIT */
/* berth adopt on the real daemon: a server full of sites gets leases, keeps them through a restart,
 * and a later deployment of a site finds its port as if nothing had been adopted. */
#include "cmocka_all.h"
#include "daemon_process.h"
#include "temp_dir.h"

#include <stdio.h>

#define SETTINGS                                                                                   \
    "<pools><pool name=\"default\" ports=\"30000-30999\"/></pools>"                                \
    "<tcp poll=\"1m\" full=\"1m\"/><iis config=\"%s\"/>"

static const char sites[] =
    "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<configuration>\n<system.applicationHost><sites>\n"
    "<site name=\"Shop\" id=\"1\"><bindings>"
    "<binding protocol=\"http\" bindingInformation=\"*:80:shop.example\" />"
    "<binding protocol=\"http\" bindingInformation=\"*:30005:\" />"
    "<binding protocol=\"https\" bindingInformation=\"*:30443:\" /></bindings></site>\n"
    "<site name=\"Blog: old\" id=\"2\" serverAutoStart=\"false\"><bindings>"
    "<binding protocol=\"http\" bindingInformation=\"*:30006:\" /></bindings></site>\n"
    "<site name=\"A\" id=\"3\"><bindings>"
    "<binding protocol=\"http\" bindingInformation=\"*:30007:a.example\" /></bindings></site>\n"
    "<site name=\"B\" id=\"4\"><bindings>"
    "<binding protocol=\"http\" bindingInformation=\"*:30007:b.example\" /></bindings></site>\n"
    "</sites></system.applicationHost>\n</configuration>\n";

static struct test_client client;

static int setup(void **state)
{
    int status = daemon_setup(state);

    if (status == 0) {
        struct daemon_process *daemon = *state;
        write_file(daemon->iis, sites, sizeof sites - 1);
        daemon_start(daemon, SETTINGS);
        client_open(&client, daemon->endpoint);
    }
    return status;
}

static int teardown(void **state)
{
    client_close(&client);
    return daemon_teardown(state);
}

static void restart(struct daemon_process *daemon)
{
    client_close(&client);
    daemon_kill(daemon);
    daemon_launch(daemon);
    daemon_await_ready(daemon);
    client_open(&client, daemon->endpoint);
}

static size_t lease_count(void)
{
    json_t *leases = client_call(&client, "leases", NULL);
    size_t count = json_array_size(json_at(leases, "leases"));

    json_decref(leases);
    return count;
}

static void assert_adopted(const json_t *result)
{
    static const char *const keys[] = {"adopted:http:30005:Shop", "adopted:http:30006:Blog: old",
                                       "adopted:https:30443:Shop"};
    static const char *const reasons[] = {"outside every pool", "shared: ", "shared: "};

    assert_int_equal(json_array_size(json_at(result, "adopted")), BERTH_COUNT(keys));
    for (size_t i = 0; i < BERTH_COUNT(keys); i++) {
        const json_t *entry = json_array_get(json_at(result, "adopted"), i);
        assert_string_equal(json_string_at(entry, "key"), keys[i]);
    }
    assert_int_equal(json_array_size(json_at(result, "skipped")), BERTH_COUNT(reasons));
    for (size_t i = 0; i < BERTH_COUNT(reasons); i++) {
        const json_t *entry = json_array_get(json_at(result, "skipped"), i);
        assert_non_null(strstr(json_string_at(entry, "reason"), reasons[i]));
    }
}

static void adopt__dry_then_applied__the_same_lists_and_then_leases(void **state)
{
    json_t *result = client_call(&client, "adopt", NULL);

    (void)state;
    assert_adopted(result);
    json_decref(result);
    assert_int_equal(lease_count(), 0);
    result = client_call(&client, "adopt", "{\"dry_run\":false}");
    assert_adopted(result);
    json_decref(result);
    assert_int_equal(lease_count(), 3);
    json_t *leases = client_call(&client, "leases", "{\"port\":30006}");
    assert_string_equal(json_string_at(leases, "leases.0.state"),
                        "active"); /* a stopped site too */
    assert_string_equal(json_string_at(leases, "leases.0.holder"), "site:Blog: old");
    assert_string_equal(json_string_at(leases, "leases.0.protocol"), "http");
    json_decref(leases);
    json_decref(client_refused(&client, "invalid_params", "allocate",
                               "{\"key\":\"adopted:http:30005:Shop\"}"));
}

static void adopted_lease__deployed_later_after_a_crash__becomes_the_deployments(void **state)
{
    struct daemon_process *daemon = *state;

    json_decref(client_call(&client, "adopt", "{\"dry_run\":false}"));
    restart(daemon);
    assert_int_equal(lease_count(), 3);
    json_t *lease = client_call(&client, "allocate",
                                "{\"key\":\"shop/production\",\"holder\":\"site:shop\","
                                "\"protocol\":\"https\"}");
    assert_int_equal(json_integer_at(lease, "port"), 30443);
    assert_true(json_is_true(json_at(lease, "adopted")));
    assert_string_equal(json_string_at(lease, "state"), "active");
    json_decref(lease);
    restart(daemon);
    assert_int_equal(lease_count(), 3); /* the one has taken the other's place */
    lease = client_call(&client, "leases", "{\"port\":30443}");
    assert_string_equal(json_string_at(lease, "leases.0.key"), "shop/production");
    json_decref(lease);
    lease = client_call(&client, "allocate",
                        "{\"key\":\"shop/production\",\"holder\":\"site:shop\","
                        "\"protocol\":\"https\"}");
    assert_int_equal(json_integer_at(lease, "port"), 30443);
    assert_true(json_is_true(json_at(lease, "reused")));
    json_decref(lease);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(adopt__dry_then_applied__the_same_lists_and_then_leases),
        CASE(adopted_lease__deployed_later_after_a_crash__becomes_the_deployments),
    };
    return cmocka_run_group_tests_name("system.adopt", tests, NULL, NULL);
}
