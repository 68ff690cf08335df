/* SPDX-License-Identifier: MIT */
/* berthd and its configuration: none, good ones, bad ones, and changing it while it runs. */
#include "cmocka_all.h"
#include "daemon_process.h"
#include "temp_dir.h"

#include <stdio.h>
#include <stdlib.h>

#define BASE                                                                                       \
    "<pools><pool name=\"default\" ports=\"26000-26099\"/></pools><tcp poll=\"1m\" full=\"1m\"/>"

#define SITE(name, port)                                                                           \
    "<configuration><system.applicationHost><sites><site name=\"" name "\" id=\"1\"><bindings>"    \
    "<binding protocol=\"http\" bindingInformation=\"*:" port ":\"/></bindings></site></sites>"    \
    "</system.applicationHost></configuration>"

static void write_text(const char *path, const char *text)
{
    write_file(path, text, strlen(text));
}

struct wanted_source {
    struct test_client *client;
    const char *name;
    const char *state;
};

static bool source_has_state(void *ctx)
{
    const struct wanted_source *wanted = ctx;

    return strcmp(client_source_state(wanted->client, wanted->name, NULL), wanted->state) == 0;
}

static void await_source(struct test_client *client, const char *name, const char *state)
{
    struct wanted_source wanted = {client, name, state};

    if (daemon_await(source_has_state, &wanted, 10000) == UINT64_MAX) {
        fail_msg("%s is %s, not %s", name, client_source_state(client, name, NULL), state);
    }
}

/* ---- at the start ---- */

static void no_file__named_nowhere__runs_on_the_defaults(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client client;

    FILE *own = fopen("/etc/berth/berthd.config", "rb");
    if (own != NULL) { /* this machine has a berthd of its own */
        (void)fclose(own);
        skip();
    }
    daemon->config[0] = '\0';
    daemon_launch(daemon);
    daemon_await_ready(daemon);
    client_open(&client, daemon->endpoint);
    json_t *status = client_call(&client, "status", NULL);
    assert_true(json_is_null(json_at(status, "configuration.path")));
    assert_int_equal(json_integer_at(status, "pools.0.range.0"), 49000);
    assert_int_equal(json_integer_at(status, "pools.0.range.1"), 65000);
    json_decref(status);
    assert_string_equal(client_source_state(&client, "applicationHost.config", NULL), "absent");
    json_t *lease = client_call(&client, "allocate", NULL);
    assert_true(json_integer_at(lease, "port") >= 49000);
    json_decref(lease);
    client_close(&client);
    daemon_stop(daemon);
}

static int run_with_config(struct daemon_process *daemon, const char *option, char **output)
{
    const char *const arguments[] = {"--config",       daemon->config, "--endpoint",
                                     daemon->endpoint, option,         NULL};

    return daemon_run(daemon, arguments, output);
}

static void bad_file__at_the_start__fails_with_all_errors_and_lines(void **state)
{
    struct daemon_process *daemon = *state;
    const char *const options[] = {NULL, "--check-config"};
    char expected[400];

    daemon_configure(daemon, "\n<pools><pool name=\"a\" ports=\"90000\"/></pools>\n"
                             "<lease ttl=\"long\"/>\n<tcp poll=\"-1s\"/>\n<nonsense/>\n");
    for (size_t i = 0; i < 2; i++) {
        char *output;
        int status = run_with_config(daemon, options[i], &output);
        assert_int_equal(status, 1);
        for (int line = 2; line <= 5; line++) {
            (void)snprintf(expected, sizeof expected, "%s:%d: %s", daemon->config, line,
                           options[i] != NULL ? "error: " : "");
            if (strstr(output, expected) == NULL) {
                fail_msg("nothing of line %d: %s", line, output);
            }
        }
        free(output);
    }
    assert_int_equal(platform_connect(daemon->endpoint), PLATFORM_NO_SOCKET);
}

static void check_config__warnings__are_told_and_stop_nothing(void **state)
{
    struct daemon_process *daemon = *state;
    char *output;
    char expected[400];

    daemon_configure(daemon, BASE "\n<alerts><metrics path=\"%s/none/m.prom\"/></alerts>");
    assert_int_equal(run_with_config(daemon, "--check-config", &output), 0);
    (void)snprintf(expected, sizeof expected, "warning: %s: <metrics> path=", daemon->config);
    assert_non_null(strstr(output, expected));
    assert_non_null(strstr(output, "ok, 1 warning"));
    free(output);
}

static void missing_file__named__is_an_error_that_is_told(void **state)
{
    struct daemon_process *daemon = *state;
    const char *const options[] = {NULL, "--check-config"};

    for (size_t i = 0; i < 2; i++) {
        char *output;
        int status = run_with_config(daemon, options[i], &output);
        assert_int_equal(status, 1);
        if (strstr(output, daemon->config) == NULL) {
            fail_msg("%s does not name the missing file: \"%s\"",
                     options[i] != NULL ? options[i] : "the start", output);
        }
        free(output);
    }
}

static void check_config__good_file__says_what_it_comes_to(void **state)
{
    struct daemon_process *daemon = *state;
    char *output;

    daemon_configure(daemon, BASE "<iis config=\"%s\"/>");
    assert_int_equal(run_with_config(daemon, "--check-config", &output), 0);
    assert_non_null(strstr(output, "26000-26099"));
    assert_non_null(strstr(output, daemon->iis));
    /* places are told as they are, the command line's before the platform's own */
    assert_non_null(strstr(output, "\nendpoint   "));
    assert_non_null(strstr(output, daemon->endpoint));
    assert_null(strstr(output, "default)"));
    free(output);
    assert_int_equal(platform_connect(daemon->endpoint), PLATFORM_NO_SOCKET);
}

/* ---- while it runs ---- */

static void reload__new_pools_and_reserved__count_and_leases_stay(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client client;

    daemon_start(daemon, BASE);
    client_open(&client, daemon->endpoint);
    json_decref(client_call(&client, "allocate", "{\"key\":\"old\"}"));
    daemon_configure(daemon, "<pools><pool name=\"default\" ports=\"27000-27099\"/></pools>"
                             "<reserved><ports range=\"27000-27009\" reason=\"r\"/></reserved>"
                             "<tcp poll=\"1m\" full=\"1m\"/>");
    json_t *reloaded = client_call(&client, "reload", NULL);
    assert_true(json_is_true(json_at(reloaded, "reloaded")));
    assert_int_equal(json_array_size(json_at(reloaded, "warnings")), 0);
    json_decref(reloaded);
    json_t *fresh = client_call(&client, "allocate", "{\"key\":\"new\"}");
    assert_int_equal(json_integer_at(fresh, "port"), 27010);
    json_decref(fresh);
    assert_string_equal(client_port_state(&client, 26000), "leased");
    assert_string_equal(client_port_state(&client, 26001), "outside");
    assert_string_equal(client_port_state(&client, 27000), "reserved");
    json_decref(client_call(&client, "release", "{\"key\":\"old\"}"));
    client_close(&client);
    daemon_stop(daemon);
}

static void reload__iis_file_added_and_removed__claims_follow(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client client;

    write_text(daemon->iis, SITE("Shop", "26007"));
    daemon_start(daemon, BASE);
    client_open(&client, daemon->endpoint);
    assert_string_equal(client_port_state(&client, 26007), "free");
    daemon_configure(daemon, BASE "<iis config=\"%s\"/>");
    json_decref(client_call(&client, "reload", NULL));
    await_source(&client, "applicationHost.config", "ready");
    assert_string_equal(client_port_state(&client, 26007), "used");
    daemon_configure(daemon, BASE);
    json_decref(client_call(&client, "reload", NULL));
    assert_string_equal(client_port_state(&client, 26007), "free");
    client_close(&client);
    daemon_stop(daemon);
}

static void reload__of_an_iis_file_not_there__not_ready_until_it_is(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client client;

    daemon_start(daemon, BASE);
    client_open(&client, daemon->endpoint);
    daemon_configure(daemon, BASE "<iis config=\"%s\"/>");
    json_decref(client_call(&client, "reload", NULL));
    json_decref(client_refused(&client, "not_ready", "allocate", NULL));
    write_text(daemon->iis, SITE("Shop", "26000"));
    await_source(&client, "applicationHost.config", "ready");
    json_t *lease = client_call(&client, "allocate", NULL);
    assert_int_equal(json_integer_at(lease, "port"), 26001);
    json_decref(lease);
    client_close(&client);
    daemon_stop(daemon);
}

/* Another poll makes no port look free in between, and no source look new. */
static void reload__of_another_poll__keeps_what_is_known(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client client;

    daemon_start(daemon, BASE);
    client_open(&client, daemon->endpoint);
    for (int i = 0; i < 20; i++) {
        daemon_configure(daemon, i % 2 == 0 ? "<tcp poll=\"30s\" full=\"30s\"/>" : BASE);
        json_decref(client_call(&client, "reload", NULL));
        if (strcmp(client_source_state(&client, "TCP table", NULL), "waiting") == 0) {
            fail_msg("the TCP table is waiting after reload %d", i + 1);
        }
    }
    client_close(&client);
    daemon_stop(daemon);
}

static void reload__bad_file__changes_nothing_and_says_why_with_line(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client client;

    daemon_start(daemon, BASE);
    client_open(&client, daemon->endpoint);
    json_t *before = client_call(&client, "status", NULL);
    daemon_configure(daemon, "\n<pools><pool name=\"x\" ports=\"25000-25010\"/></pools>\n"
                             "<lease ttl=\"never\"/>");
    json_t *answer = NULL;
    client_send(&client, "{\"jsonrpc\":\"2.0\",\"id\":\"r\",\"method\":\"reload\"}\n");
    answer = client_answer(&client);
    const char *message = json_string_at(answer, "error.message");
    if (strstr(message, "3") == NULL || strstr(message, "ttl") == NULL) {
        fail_msg("%s", message);
    }
    json_decref(answer);
    json_t *after = client_call(&client, "status", NULL);
    assert_true(json_equal(json_at(before, "pools"), json_at(after, "pools")));
    assert_true(json_equal(json_at(before, "configuration"), json_at(after, "configuration")));
    assert_true(json_equal(json_at(before, "warnings"), json_at(after, "warnings")));
    json_decref(before);
    json_decref(after);
    client_close(&client);
    daemon_stop(daemon);
}

/* More files than the daemon can watch: refused at the check, at the start or never, but never
 * half. */
static void reload__of_many_iis_files__all_or_nothing(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client client;
    char elements[8000];
    int length;

    daemon_start(daemon, BASE);
    client_open(&client, daemon->endpoint);
    json_t *status = client_call(&client, "status", NULL);
    size_t before = json_array_size(json_at(status, "sources")); /* one of them the default file */
    json_decref(status);
    length = snprintf(elements, sizeof elements, "%s", BASE);
    for (int i = 0; i < 20; i++) {
        char path[200];
        (void)snprintf(path, sizeof path, "%s/%d.config", daemon->folder, i);
        write_text(path, SITE("Shop", "26050"));
        length += snprintf(elements + length, sizeof elements - (size_t)length,
                           "<iis config=\"%s\"/>", path);
    }
    daemon_configure(daemon, elements);
    client_send(&client, "{\"jsonrpc\":\"2.0\",\"id\":\"r\",\"method\":\"reload\"}\n");
    json_t *answer = client_answer(&client);
    status = client_call(&client, "status", NULL);
    size_t sources = json_array_size(json_at(status, "sources"));
    bool done = json_has(answer, "result");
    if (done ? sources != before + 19 : sources > before) {
        fail_msg("%s, and there are %zu sources of %zu",
                 done ? "done" : json_string_at(answer, "error.message"), sources, before + 19);
    }
    json_decref(answer);
    json_decref(status);
    client_close(&client);
    daemon_stop(daemon);
}

/* As many files as before, but others. */
static void reload__of_other_iis_files__needs_no_room_for_both(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client client;
    char elements[8000];

    for (int round = 0; round < 2; round++) {
        int length = snprintf(elements, sizeof elements, "%s", BASE);
        for (int i = 0; i < 10; i++) {
            char path[200];
            (void)snprintf(path, sizeof path, "%s/%d-%d.config", daemon->folder, round, i);
            write_text(path, round == 0 ? SITE("A", "26050") : SITE("B", "26051"));
            length += snprintf(elements + length, sizeof elements - (size_t)length,
                               "<iis config=\"%s\"/>", path);
        }
        if (round == 0) {
            daemon_start(daemon, elements);
            client_open(&client, daemon->endpoint);
        } else {
            daemon_configure(daemon, elements);
            json_decref(client_call(&client, "reload", NULL));
            daemon_await_ready(daemon);
        }
        assert_string_equal(client_port_state(&client, round == 0 ? 26050 : 26051), "used");
    }
    client_close(&client);
    daemon_stop(daemon);
}

/* From the start in the first file, after a reload in the second, and back on standard error. */
static void log_file__named_and_changed__takes_the_log(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client client;
    size_t size;
    char elements[1000];

    for (int i = 0; i < 3; i++) {
        (void)snprintf(elements, sizeof elements, BASE "<log file=\"%s/%d.log\"/>", daemon->folder,
                       i);
        if (i == 0) {
            daemon_start(daemon, elements);
            client_open(&client, daemon->endpoint);
            continue;
        }
        daemon_configure(daemon, i == 1 ? elements : BASE);
        json_t *reloaded = client_call(&client, "reload", NULL);
        assert_int_equal(json_array_size(json_at(reloaded, "warnings")), 0);
        json_decref(reloaded);
    }
    client_close(&client);
    daemon_stop(daemon);
    char *first = read_whole_file(temp_path(daemon->folder, "0.log"), &size);
    char *second = read_whole_file(temp_path(daemon->folder, "1.log"), &size);
    assert_non_null(strstr(first, " serves at "));
    assert_null(strstr(first, "read again"));
    assert_non_null(strstr(second, "the configuration was read again\n"));
    assert_null(strstr(second, "stopped"));
    assert_true(daemon_log_has(daemon, "stopped"));
    free(first);
    free(second);
}

static void log_file__that_cannot_be_had__is_a_warning(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client client;
    char elements[1000];

    (void)snprintf(elements, sizeof elements, BASE "<log file=\"%s/no/such/a.log\"/>",
                   daemon->folder);
    daemon_start(daemon, elements);
    client_open(&client, daemon->endpoint);
    json_t *status = client_call(&client, "status", NULL);
    assert_non_null(strstr(json_string_at(status, "warnings.0"), "no/such/a.log"));
    json_decref(status);
    client_close(&client);
    daemon_stop(daemon);
    assert_true(daemon_log_has(daemon, "cannot open the log file"));
}

static void hangup_signal__reloads(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client client;

    daemon_start(daemon, BASE);
    client_open(&client, daemon->endpoint);
    daemon_configure(daemon, "<pools><pool name=\"p\" ports=\"27000-27099\"/></pools>"
                             "<tcp poll=\"1m\" full=\"1m\"/>");
    if (!platform_process_reload(daemon->process)) {
        skip();
    }
    daemon_await_log(daemon, "the configuration was read again");
    json_t *lease = client_call(&client, "next", "{\"pool\":\"p\"}");
    json_decref(lease);
    daemon_configure(daemon, "<pools><pool name=\"p\" ports=\"none\"/></pools>");
    assert_true(platform_process_reload(daemon->process));
    daemon_await_log(daemon, "the old one stays");
    json_decref(client_call(&client, "next", "{\"pool\":\"p\"}"));
    client_close(&client);
    daemon_stop(daemon);
}

static void reload__100_times_while_clients_ask__nothing_is_lost(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client admin;
    struct test_client client;

    write_text(daemon->iis, SITE("Shop", "26000"));
    daemon_start(daemon, BASE "<iis config=\"%s\"/>");
    client_open(&admin, daemon->endpoint);
    client_open(&client, daemon->endpoint);
    for (int i = 0; i < 100; i++) {
        client_send(&admin, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"reload\"}\n");
        json_t *lease = client_call(&client, "allocate", "{\"key\":\"k%d\"}", i % 50);
        assert_int_not_equal(json_integer_at(lease, "port"), 26000);
        json_decref(lease);
        json_decref(client_answer(&admin));
    }
    json_t *leases = client_call(&client, "leases", NULL);
    assert_int_equal(json_array_size(json_at(leases, "leases")), 50);
    json_decref(leases);
    client_close(&admin);
    client_close(&client);
    daemon_stop(daemon);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, daemon_setup, daemon_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(no_file__named_nowhere__runs_on_the_defaults),
        CASE(bad_file__at_the_start__fails_with_all_errors_and_lines),
        CASE(missing_file__named__is_an_error_that_is_told),
        CASE(check_config__good_file__says_what_it_comes_to),
        CASE(check_config__warnings__are_told_and_stop_nothing),
        CASE(reload__new_pools_and_reserved__count_and_leases_stay),
        CASE(reload__iis_file_added_and_removed__claims_follow),
        CASE(reload__of_an_iis_file_not_there__not_ready_until_it_is),
        CASE(reload__of_another_poll__keeps_what_is_known),
        CASE(reload__bad_file__changes_nothing_and_says_why_with_line),
        CASE(reload__of_many_iis_files__all_or_nothing),
        CASE(reload__of_other_iis_files__needs_no_room_for_both),
        CASE(log_file__named_and_changed__takes_the_log),
        CASE(log_file__that_cannot_be_had__is_a_warning),
        CASE(hangup_signal__reloads),
        CASE(reload__100_times_while_clients_ask__nothing_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
