/* SPDX-License-Identifier: MIT */
/* Who may do what, by user and group, and whose leases are whose. Takes root, to be others. */
#include "posix/as_user.h"

#include "cmocka_all.h"
#include "daemon_process.h"

#include <stdio.h>
#include <stdlib.h>

/* users and groups by number: nobody of that number need exist */
enum { NOBODY = 61000, READER, ALLOCATOR, OTHER_ALLOCATOR, ADMIN, GROUP_ALLOCATORS = 62000, GROUP };

#define ROLES                                                                                      \
    "<pools><pool name=\"default\" ports=\"21000-21099\"/></pools><tcp poll=\"1m\" full=\"1m\"/>"  \
    "<access><allow role=\"reader\" user=\"61001\"/>"                                              \
    "<allow role=\"allocator\" group=\"62000\"/>"                                                  \
    "<allow role=\"allocator\" user=\"61003\"/>"                                                   \
    "<allow role=\"reader\" group=\"62000\"/>"                                                     \
    "<allow role=\"admin\" user=\"61004\"/></access>"

static int setup(void **state)
{
    int status = daemon_setup(state);

    if (status == 0 && as_user_possible()) {
        daemon_start(*state, ROLES);
    }
    return status;
}

static void open_as(struct test_client *client, const struct daemon_process *daemon, unsigned user,
                    unsigned group)
{
    const struct test_identity who = {user, group, NULL, 0};

    client_adopt(client, as_user_connect(daemon->endpoint, &who));
}

static void assert_denied(struct test_client *client, const char *method, const char *params,
                          const char *needed, const char *has)
{
    json_t *error = client_refused(client, "denied", method, "%s", params);
    const char *message = json_string_at(error, "message");

    if (strstr(message, needed) == NULL || strstr(message, has) == NULL) {
        fail_msg("neither %s nor %s: %s", needed, has, message);
    }
    assert_int_equal(json_integer_at(error, "code"), -32006);
    json_decref(error);
}

static void no_role__may_say_hello_only(void **state)
{
    struct test_client client;

    if (!as_user_possible()) {
        skip();
    }
    open_as(&client, *state, NOBODY, NOBODY);
    json_decref(client_call(&client, "hello", NULL));
    assert_denied(&client, "next", "{}", "reader", "none");
    assert_denied(&client, "status", "{}", "reader", "none");
    assert_denied(&client, "allocate", "{}", "allocator", "none");
    assert_denied(&client, "reload", "{}", "admin", "none");
    daemon_await_log(*state, "request(s) denied, the last one: ");
    client_close(&client);
}

static void reader__may_look_only(void **state)
{
    static const char *const allowed[] = {"hello", "next", "free", "ports", "leases", "status"};
    struct test_client client;

    if (!as_user_possible()) {
        skip();
    }
    open_as(&client, *state, READER, NOBODY);
    for (size_t i = 0; i < BERTH_COUNT(allowed); i++) {
        json_decref(client_call(&client, allowed[i], NULL));
    }
    assert_denied(&client, "allocate", "{}", "allocator", "reader");
    assert_denied(&client, "release", "{\"key\":\"x\"}", "allocator", "reader");
    assert_denied(&client, "renew", "{\"key\":\"x\"}", "allocator", "reader");
    assert_denied(&client, "reload", "{}", "admin", "reader");
    client_close(&client);
}

static void allocator__by_primary_group_other_group_or_user__may_allocate(void **state)
{
    static const unsigned more[] = {GROUP, GROUP_ALLOCATORS};
    const struct test_identity by_other_group = {NOBODY, NOBODY, more, 2};
    const struct daemon_process *daemon = *state;
    struct test_client client;

    if (!as_user_possible()) {
        skip();
    }
    open_as(&client, daemon, NOBODY, GROUP_ALLOCATORS);
    json_decref(client_call(&client, "allocate", "{\"key\":\"a\"}"));
    client_close(&client);
    client_adopt(&client, as_user_connect(daemon->endpoint, &by_other_group));
    json_decref(client_call(&client, "allocate", "{\"key\":\"a\"}"));
    assert_denied(&client, "reload", "{}", "admin", "allocator");
    client_close(&client);
    open_as(&client, daemon, OTHER_ALLOCATOR, NOBODY);
    json_decref(client_call(&client, "allocate", "{\"key\":\"b\"}"));
    client_close(&client);
    open_as(&client, daemon, NOBODY, GROUP);
    assert_denied(&client, "allocate", "{}", "allocator", "none");
    client_close(&client);
}

static void lease_of_another__release_renew_and_reuse_are_denied_naming_the_owner(void **state)
{
    const struct daemon_process *daemon = *state;
    struct test_client owner;
    struct test_client other;
    struct test_client admin;

    if (!as_user_possible()) {
        skip();
    }
    open_as(&owner, daemon, ALLOCATOR, GROUP_ALLOCATORS);
    open_as(&other, daemon, OTHER_ALLOCATOR, NOBODY);
    open_as(&admin, daemon, ADMIN, NOBODY);
    json_decref(client_call(&owner, "allocate", "{\"key\":\"mine\"}"));
    const char *const methods[] = {"release", "renew", "allocate"};
    for (size_t i = 0; i < BERTH_COUNT(methods); i++) {
        json_t *error = client_refused(&other, "denied", methods[i], "{\"key\":\"mine\"}");
        assert_string_equal(json_string_at(error, "data.owner"), "uid 61002");
        assert_non_null(strstr(json_string_at(error, "message"), "uid 61002"));
        json_decref(error);
    }
    /* unharmed; its owner renews, an administrator may do both */
    json_decref(client_call(&owner, "renew", "{\"key\":\"mine\"}"));
    json_decref(client_call(&admin, "renew", "{\"key\":\"mine\"}"));
    json_decref(client_call(&admin, "release", "{\"key\":\"mine\"}"));
    json_decref(client_refused(&owner, "not_found", "renew", "{\"key\":\"mine\"}"));
    client_close(&owner);
    client_close(&other);
    client_close(&admin);
}

static void admin__by_user_root_and_daemons_own__may_reload(void **state)
{
    const struct daemon_process *daemon = *state;
    struct test_client client;

    if (!as_user_possible()) {
        skip();
    }
    open_as(&client, daemon, ADMIN, NOBODY);
    json_decref(client_call(&client, "reload", NULL));
    client_close(&client);
    open_as(&client, daemon, 0, 0);
    json_decref(client_call(&client, "reload", NULL));
    client_close(&client);
}

static void access__without_any_rule_given__readers_are_all_and_group_berth_allocates(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client client;

    if (!as_user_possible()) {
        skip();
    }
    daemon_stop(daemon);
    daemon_start(daemon, "<tcp poll=\"1m\" full=\"1m\"/>");
    open_as(&client, daemon, NOBODY, NOBODY);
    json_decref(client_call(&client, "status", NULL));
    assert_denied(&client, "allocate", "{}", "allocator", "reader");
    client_close(&client);
}

static void access__changed_by_reload__counts_for_new_connections(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client admin;
    struct test_client client;

    if (!as_user_possible()) {
        skip();
    }
    daemon_configure(daemon, "<tcp poll=\"1m\" full=\"1m\"/><access>"
                             "<allow role=\"reader\" user=\"61000\"/>"
                             "<allow role=\"reader\" group=\"no-such-group\"/></access>");
    client_open(&admin, daemon->endpoint);
    json_t *reloaded = client_call(&admin, "reload", NULL);
    assert_int_equal(json_array_size(json_at(reloaded, "warnings")), 1);
    assert_non_null(strstr(json_string_at(reloaded, "warnings.0"), "no-such-group"));
    json_decref(reloaded);
    open_as(&client, daemon, NOBODY, NOBODY);
    json_decref(client_call(&client, "status", NULL));
    client_close(&client);
    open_as(&client, daemon, READER, NOBODY);
    assert_denied(&client, "status", "{}", "reader", "none");
    client_close(&client);
    client_close(&admin);
}

static void daemon__run_by_an_ordinary_user__its_user_administers(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client client;

    if (!as_user_possible()) {
        skip();
    }
    daemon_stop(daemon);
    (void)remove(daemon->log);
    char lock[300];
    (void)snprintf(lock, sizeof lock, "%s.lock", daemon->endpoint);
    (void)remove(lock);
    daemon->run_as = NOBODY;
    (void)snprintf(daemon->state, sizeof daemon->state, "%s/nobody", daemon->folder);
    daemon_start(daemon, "<tcp poll=\"1m\" full=\"1m\"/>");
    open_as(&client, daemon, NOBODY, NOBODY);
    json_decref(client_call(&client, "reload", NULL));
    client_close(&client);
    open_as(&client, daemon, READER, READER);
    assert_denied(&client, "reload", "{}", "admin", "reader");
    client_close(&client);
    daemon_stop(daemon);
}

/* ---- ceilings that only show with several users ---- */

static bool refused_for(struct test_client *client, const char *limit)
{
    json_t *answer = client_answer(client);
    bool refused;

    assert_error_answer(answer, NULL, -32007, "limit_reached");
    refused = strstr(json_string_at(answer, "error.message"), limit) != NULL;
    json_decref(answer);
    client_expect_closed(client);
    client_close(client);
    return refused;
}

static void connections__per_user_and_reserve__as_documented(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client clients[16];
    struct test_client more;
    unsigned count = 0;

    if (!as_user_possible()) {
        skip();
    }
    daemon_stop(daemon);
    daemon_start(daemon,
                 "<tcp poll=\"1m\" full=\"1m\"/><limits connections=\"16\" perUser=\"5\"/>");
    /* five of one user, no more */
    for (; count < 5; count++) {
        open_as(&clients[count], daemon, READER, NOBODY);
        json_decref(client_call(&clients[count], "hello", NULL));
    }
    open_as(&more, daemon, READER, NOBODY);
    assert_true(refused_for(&more, "perUser"));
    /* eight of all that are not administrators: the rest is kept for those */
    for (; count < 8; count++) {
        open_as(&clients[count], daemon, ALLOCATOR, NOBODY);
        json_decref(client_call(&clients[count], "hello", NULL));
    }
    open_as(&more, daemon, NOBODY, NOBODY);
    assert_true(refused_for(&more, "connections"));
    for (; count < 16; count++) {
        open_as(&clients[count], daemon, 0, 0);
        json_decref(client_call(&clients[count], "hello", NULL));
    }
    open_as(&more, daemon, 0, 0);
    assert_true(refused_for(&more, "connections"));
    while (count > 0) {
        client_close(&clients[--count]);
    }
}

static void leases__per_user__limited_but_for_administrators(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client client;
    struct test_client admin;

    if (!as_user_possible()) {
        skip();
    }
    daemon_stop(daemon);
    daemon_start(daemon, "<tcp poll=\"1m\" full=\"1m\"/><limits leasesPerUser=\"3\"/>"
                         "<access><allow role=\"allocator\" group=\"*\"/></access>");
    open_as(&client, daemon, ALLOCATOR, NOBODY);
    open_as(&admin, daemon, 0, 0);
    for (int i = 0; i < 3; i++) {
        json_decref(client_call(&client, "allocate", "{\"key\":\"k%d\"}", i));
        json_decref(client_call(&admin, "allocate", "{\"key\":\"admin%d\"}", i));
    }
    json_t *error = client_refused(&client, "limit_reached", "allocate", "{\"key\":\"k3\"}");
    assert_non_null(strstr(json_string_at(error, "message"), "leasesPerUser"));
    json_decref(error);
    json_decref(client_call(&client, "allocate", "{\"key\":\"k0\"}")); /* it has that one */
    json_decref(client_call(&client, "release", "{\"key\":\"k0\"}"));
    json_decref(client_call(&client, "allocate", "{\"key\":\"k3\"}"));
    json_decref(client_call(&admin, "allocate", "{\"key\":\"admin3\"}"));
    client_close(&client);
    client_close(&admin);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, daemon_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(no_role__may_say_hello_only),
        CASE(reader__may_look_only),
        CASE(allocator__by_primary_group_other_group_or_user__may_allocate),
        CASE(lease_of_another__release_renew_and_reuse_are_denied_naming_the_owner),
        CASE(admin__by_user_root_and_daemons_own__may_reload),
        CASE(access__without_any_rule_given__readers_are_all_and_group_berth_allocates),
        CASE(access__changed_by_reload__counts_for_new_connections),
        CASE(daemon__run_by_an_ordinary_user__its_user_administers),
        CASE(connections__per_user_and_reserve__as_documented),
        CASE(leases__per_user__limited_but_for_administrators),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
