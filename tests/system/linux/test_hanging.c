/* SPDX-License-Identifier: MIT */
/* berthd and what does not come back: opening configurations on a share that hangs, and asking an
 * account database for a name. */
#include "cmocka_all.h"
#include "daemon_process.h"
#include "temp_dir.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define POOL "<pools><pool name=\"default\" ports=\"26000-26999\"/></pools>"
#define HANGING 6 /* more than libuv's own threads */
#define TOLD_MS 30000
#define SITES                                                                                      \
    "<configuration><system.applicationHost><sites><site name='One' id='1'><bindings><binding "    \
    "protocol='http' bindingInformation='*:%u:'/></bindings></site></sites>"                       \
    "</system.applicationHost></configuration>"

static struct test_client client;

static int setup(void **state)
{
    const char *own = getenv("ASAN_OPTIONS");
    char options[600];

    client.deadline_ms = 0;
    set_environment("LD_PRELOAD", HANGING_OPEN);
    (void)snprintf(options, sizeof options, "%s:verify_asan_link_order=0", own != NULL ? own : "");
    set_environment("ASAN_OPTIONS", options);
    return daemon_setup(state);
}

static int teardown(void **state)
{
    set_environment("LD_PRELOAD", NULL);
    set_environment("HANGING_ACCOUNTS", NULL);
    client_close(&client);
    return daemon_teardown(state);
}

static void put_sites(const char *path, unsigned port)
{
    char text[600];
    int length = snprintf(text, sizeof text, SITES, port);

    replace_file(path, text, (size_t)length);
}

static const char *beside(const char *path, const char *ending)
{
    static char name[4096];

    (void)snprintf(name, sizeof name, "%s%s", path, ending);
    return name;
}

static bool is_hung(void *path)
{
    return access(beside(path, ".hung"), F_OK) == 0;
}

/* Lets the next look at a file hang, and waits until one does. */
static void let_hang(char *path, unsigned port)
{
    write_file(beside(path, ".hangs"), "", 0);
    put_sites(path, port);
    assert_int_not_equal(daemon_await(is_hung, path, TOLD_MS), UINT64_MAX);
}

static const char *wanted_state;

static bool has_state(void *name)
{
    return strcmp(client_source_state(&client, name, NULL), wanted_state) == 0;
}

static void await_state(char *name, const char *state)
{
    wanted_state = state;
    if (daemon_await(has_state, name, TOLD_MS) == UINT64_MAX) {
        fail_msg("%s is %s, not %s", name, client_source_state(&client, name, NULL), state);
    }
}

/* Asks for the end and sees that it comes, and that the log says what was left behind. */
static void stop_and_see(struct daemon_process *daemon, bool left_behind)
{
    platform_process_stop(daemon->process);
    int status = daemon_await_end(daemon);
    if (status != 0 || !daemon_log_has(daemon, "stopped") ||
        daemon_log_has(daemon, "a handle was left open") ||
        daemon_log_has(daemon, "does not come back") != left_behind) {
        daemon_print_log(daemon);
        fail_msg("berthd ended with status %d", status);
    }
}

static void look__hangs_and_comes_back__is_told_and_all_is_well_again(void **state)
{
    struct daemon_process *daemon = *state;
    char name[] = "applicationHost.config";
    char *reason;

    put_sites(daemon->iis, 26000);
    daemon_start(daemon, POOL "<iis config=\"%s\"/>");
    client_open(&client, daemon->endpoint);
    let_hang(daemon->iis, 26500);
    await_state(name, "stale");
    (void)client_source_state(&client, name, &reason);
    assert_non_null(strstr(reason, "applicationHost.config has taken 1"));
    free(reason);
    /* what was known stays in force, and others are served by it */
    assert_string_equal(client_port_state(&client, 26000), "used");
    json_t *lease = client_call(&client, "allocate", "{\"key\":\"a\"}");
    json_decref(lease);
    remove_file(beside(daemon->iis, ".hangs"));
    await_state(name, "ready");
    assert_string_equal(client_port_state(&client, 26500), "used");
    stop_and_see(daemon, false);
}

static void stop__look_hangs__ends_all_the_same(void **state)
{
    struct daemon_process *daemon = *state;

    put_sites(daemon->iis, 26000);
    daemon_start(daemon, POOL "<iis config=\"%s\"/>");
    client_open(&client, daemon->endpoint);
    json_t *lease = client_call(&client, "allocate", "{\"key\":\"a\"}");
    long long port = json_integer_at(lease, "port");
    json_decref(lease);
    let_hang(daemon->iis, 26001);
    client_close(&client);
    stop_and_see(daemon, true);
    /* nothing of that is in the way of the next one */
    remove_file(beside(daemon->iis, ".hangs"));
    daemon_start(daemon, POOL "<iis config=\"%s\"/>");
    client_open(&client, daemon->endpoint);
    lease = client_call(&client, "allocate", "{\"key\":\"a\"}");
    assert_int_equal(json_integer_at(lease, "port"), port);
    json_decref(lease);
    daemon_stop(daemon);
}

/* Each holds a thread of the pool. */
static void looks__several_hang__others_are_looked_at(void **state)
{
    struct daemon_process *daemon = *state;
    char settings[4096] = POOL "<iis config=\"%s\"/>";
    char paths[HANGING][400];
    char good[] = "applicationHost.config";
    char table[] = "TCP table";

    put_sites(daemon->iis, 26000);
    for (unsigned i = 0; i < HANGING; i++) {
        (void)snprintf(paths[i], sizeof paths[i], "%s/hanging%u.config", daemon->folder, i);
        write_file(beside(paths[i], ".hangs"), "", 0);
        put_sites(paths[i], 26001 + i);
        size_t used = strlen(settings);
        (void)snprintf(settings + used, sizeof settings - used, "<iis config=\"%s\"/>", paths[i]);
    }
    daemon_configure(daemon, settings);
    daemon_launch(daemon);
    daemon_await_endpoint(daemon);
    client_open(&client, daemon->endpoint);
    for (unsigned i = 0; i < HANGING; i++) {
        assert_int_not_equal(daemon_await(is_hung, paths[i], TOLD_MS), UINT64_MAX);
    }
    await_state(good, "ready");
    await_state(table, "ready");
    put_sites(daemon->iis, 26500);
    for (unsigned i = 0; strcmp(client_port_state(&client, 26500), "used") != 0; i++) {
        assert_in_range(i, 0, 2000);
        platform_pause_ms(10);
    }
    json_t *error = client_refused(&client, "not_ready", "allocate", "{\"key\":\"a\"}");
    json_decref(error);
    client_close(&client);
    stop_and_see(daemon, true);
}

/* ---- the account database ---- */

/* Takes a port and gives who is said to have done that; a static buffer. */
static const char *allocate_by(const char *key)
{
    static char name[64];

    json_t *lease = client_call(&client, "allocate", "{\"key\":\"%s\"}", key);
    json_decref(lease);
    json_t *history = client_call(&client, "history", "{\"key\":\"%s\"}", key);
    const json_t *entry = json_array_get(json_object_get(history, "entries"), 0);
    const char *by = json_string_value(json_object_get(entry, "by"));
    (void)snprintf(name, sizeof name, "%s", by != NULL ? by : "nobody");
    json_decref(history);
    return name;
}

static void name__look_up_hangs__clients_are_served_and_the_end_comes(void **state)
{
    struct daemon_process *daemon = *state;
    char accounts[400];
    char nameless[32];

    (void)snprintf(accounts, sizeof accounts, "%s/accounts", daemon->folder);
    (void)snprintf(nameless, sizeof nameless, "uid %u", (unsigned)getuid());
    write_file(beside(accounts, ".hangs"), "", 0);
    set_environment("HANGING_ACCOUNTS", accounts);
    put_sites(daemon->iis, 26000);
    daemon_start(daemon, POOL "<iis config=\"%s\"/>");
    assert_int_not_equal(daemon_await(is_hung, accounts, TOLD_MS), UINT64_MAX);
    client_open(&client, daemon->endpoint);
    assert_string_equal(allocate_by("a"), nameless);
    client_close(&client);
    stop_and_see(daemon, true);
    assert_true(daemon_log_has(daemon, "a look-up of a user's name does not come back"));
}

static void name__look_up_comes_back__the_next_client_has_it(void **state)
{
    struct daemon_process *daemon = *state;
    char accounts[400];
    const char *by = "";

    if (getpwuid(getuid()) == NULL) {
        skip(); /* nobody knows whom this runs as */
    }
    (void)snprintf(accounts, sizeof accounts, "%s/accounts", daemon->folder);
    write_file(beside(accounts, ".hangs"), "", 0);
    set_environment("HANGING_ACCOUNTS", accounts);
    put_sites(daemon->iis, 26000);
    daemon_start(daemon, POOL "<iis config=\"%s\"/>");
    assert_int_not_equal(daemon_await(is_hung, accounts, TOLD_MS), UINT64_MAX);
    remove_file(beside(accounts, ".hangs"));
    const struct passwd *own = getpwuid(getuid());
    assert_non_null(own);
    for (unsigned i = 0; strcmp(by, own->pw_name) != 0; i++) {
        char key[16];
        assert_in_range(i, 0, 2000);
        (void)snprintf(key, sizeof key, "key-%u", i);
        client_open(&client, daemon->endpoint);
        by = allocate_by(key);
        client_close(&client);
        platform_pause_ms(10);
    }
    stop_and_see(daemon, false);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(look__hangs_and_comes_back__is_told_and_all_is_well_again),
        CASE(stop__look_hangs__ends_all_the_same),
        CASE(looks__several_hang__others_are_looked_at),
        CASE(name__look_up_hangs__clients_are_served_and_the_end_comes),
        CASE(name__look_up_comes_back__the_next_client_has_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
