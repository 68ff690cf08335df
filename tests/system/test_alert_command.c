/* SPDX-License-Identifier: MIT */
/* Alerts by a command, with the real daemon and a real program: what it is given, what becomes of
 * what it prints, and of one that never ends, fails, or is not there. The same on both systems. */
#include "cmocka_all.h"
#include "daemon_process.h"
#include "temp_dir.h"

#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#define PORT 25990 /* of what a command starts */
#define TOLD_MS 60000
#define SETTINGS                                                                                   \
    "<pools><pool name=\"default\" ports=\"25000-25999\"/></pools><iis config=\"%%s\"/>"           \
    "<tcp poll=\"50ms\" full=\"50ms\"/><conflicts debounce=\"0s\"/><alerts>%s</alerts>"

static struct test_client client;

static int setup(void **state)
{
    client.deadline_ms = 0;
    return daemon_setup(state);
}

static int teardown(void **state)
{
    client_close(&client);
    return daemon_teardown(state);
}

/* The program beside this one, as this system writes paths. */
static const char *program(const char *name)
{
    static char path[1200];
    char own[1000];
    size_t size = sizeof own;

    assert_int_equal(uv_exepath(own, &size), 0);
    bool windows = strlen(own) > 4 && strcmp(own + strlen(own) - 4, ".exe") == 0;
    char *end = strrchr(own, windows ? '\\' : '/');
    assert_non_null(end);
    end[1] = '\0';
    (void)snprintf(path, sizeof path, "%s%s%s", own, name, windows ? ".exe" : "");
    return path;
}

static void start_with(struct daemon_process *daemon, const char *alerts)
{
    char text[6000];
    static const char none[] = "<configuration/>";

    write_file(daemon->iis, none, sizeof none - 1);
    (void)snprintf(text, sizeof text, SETTINGS, alerts);
    daemon_start(daemon, text);
    client_open(&client, daemon->endpoint);
}

/* Two bindings of one site. */
static void open_a_conflict(const struct daemon_process *daemon)
{
    static const char sites[] =
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>"
        "<configuration><system.applicationHost><sites><site name=\"D\xC3\xA9j\xC3\xA0 &amp; "
        "&quot;%PATH%&quot;\" id=\"1\"><bindings>"
        "<binding protocol=\"http\" bindingInformation=\"*:25001:\"/>"
        "<binding protocol=\"http\" bindingInformation=\"*:25001:\"/>"
        "</bindings></site></sites></system.applicationHost></configuration>";

    replace_file(daemon->iis, sites, sizeof sites - 1);
}

/* The state of the one channel that there is, for json_decref(). Where a source is degraded, as in
 * Wine, that is told as well. */
static json_t *channel(void)
{
    json_t *status = client_call(&client, "status", NULL);
    json_t *found = json_incref(json_at(status, "alerts.0"));

    json_decref(status);
    return found;
}

static bool has_logged(void *ctx)
{
    return daemon_log_has(ctx, "(conflict.opened): told it") &&
           daemon_log_has(ctx, "(conflict.opened): and said so");
}

static bool has_failed(void *ctx)
{
    json_t *state = channel();
    bool failed = json_integer_at(state, "failed") >= 1;

    (void)ctx;
    json_decref(state);
    return failed;
}

static void await(bool (*holds)(void *ctx), struct daemon_process *daemon)
{
    if (daemon_await(holds, daemon, TOLD_MS) == UINT64_MAX) {
        daemon_print_log(daemon);
        fail_msg("it has not come about");
    }
}

static void assert_failing(const char *part)
{
    json_t *state = channel();

    assert_string_equal(json_string_at(state, "state"), "failing");
    if (strstr(json_string_at(state, "reason"), part) == NULL) {
        fail_msg("%s, not %s", json_string_at(state, "reason"), part);
    }
    json_decref(state);
}

static void assert_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL) {
        fail_msg("%s\nhas not: %s", text, part);
    }
}

static void command__words_environment_and_input__arrive_as_they_are(void **state)
{
    struct daemon_process *daemon = *state;
    char out[600];
    char alerts[4000];
    size_t size;

    (void)snprintf(out, sizeof out, "%s", temp_path(daemon->folder, "told"));
    (void)snprintf(
        alerts, sizeof alerts,
        "<command path=\"%s\"><argument value=\"tell\"/><argument value=\"%s\"/>"
        "<argument value=\"a b\"/><argument value=\"\"/><argument value=\"say &quot;hi&quot;\"/>"
        "<argument value=\"C:\\ops dir\\\"/><argument value=\"\\&quot;\\\\\"/>"
        "<argument value=\"&amp; echo ^| $(x) `y` 'z' *\"/><argument value=\"D\xC3\xA9j\xC3\xA0\"/>"
        "</command>",
        program("on_alert"), out);
    start_with(daemon, alerts);
    open_a_conflict(daemon);
    await(has_logged, daemon);
    char *told = read_whole_file(temp_path(daemon->folder, "told.conflict.opened"), &size);
    assert_memory_equal(told,
                        "word [a b]\nword []\nword [say \"hi\"]\nword [C:\\ops dir\\]\n"
                        "word [\\\"\\\\]\nword [& echo ^| $(x) `y` 'z' *]\n"
                        "word [D\xC3\xA9j\xC3\xA0]\n"
                        "TYPE [conflict.opened]\nID [201]\nSEVERITY [warning]\nPORT [25001]\n"
                        "KIND [duplicate_binding]\nREVISION [",
                        strlen("word [a b]\nword []\nword [say \"hi\"]\nword [C:\\ops dir\\]\n"
                               "word [\\\"\\\\]\nword [& echo ^| $(x) `y` 'z' *]\n"
                               "word [D\xC3\xA9j\xC3\xA0]\n"
                               "TYPE [conflict.opened]\nID [201]\nSEVERITY [warning]\nPORT "
                               "[25001]\nKIND [duplicate_binding]\nREVISION ["));
    assert_has(told, "Z]\nTEXT [Conflict ");
    assert_has(told, " on port 25001: Site D\xC3\xA9j\xC3\xA0 & \"%PATH%\" binds http *:25001: "
                     "more than once.]\n");
    assert_has(told, "input [{\"revision\":");
    assert_has(told, "\"text\":\"Site D\xC3\xA9j\xC3\xA0 & \\\"%PATH%\\\" binds http *:25001: more "
                     "than once.\"}\n]\n");
    free(told);
    daemon_stop(daemon);
}

static bool child_listens(void *ctx)
{
    (void)ctx;
    return strcmp(client_port_state(&client, PORT), "used") == 0;
}

static bool child_is_gone(void *ctx)
{
    return !child_listens(ctx);
}

static void command__never_ends__is_ended_with_what_it_started(void **state)
{
    struct daemon_process *daemon = *state;
    const int seconds = platform_is_emulated() ? 20 : 5; /* in which it starts and listens */
    char alerts[2000];
    char reason[80];

    (void)snprintf(alerts, sizeof alerts,
                   "<command path=\"%s\" timeout=\"%ds\"><argument value=\"hang\"/>"
                   "<argument value=\"%d\"/></command>",
                   program("on_alert"), seconds, PORT);
    start_with(daemon, alerts);
    open_a_conflict(daemon);
    await(child_listens, daemon);
    await(has_failed, daemon);
    (void)snprintf(reason, sizeof reason, "ended, as it ran for more than %d ms", seconds * 1000);
    assert_failing(reason);
    await(child_is_gone, daemon);
    daemon_stop(daemon);
}

static void command__daemon_stops__is_ended_with_what_it_started(void **state)
{
    struct daemon_process *daemon = *state;
    char alerts[2000];

    (void)snprintf(alerts, sizeof alerts,
                   "<command path=\"%s\" timeout=\"10m\"><argument value=\"hang\"/>"
                   "<argument value=\"%d\"/></command>",
                   program("on_alert"), PORT);
    start_with(daemon, alerts);
    open_a_conflict(daemon);
    await(child_listens, daemon);
    client_close(&client);
    daemon_stop(daemon);
    daemon_start(daemon, "<pools><pool name=\"default\" ports=\"25000-25999\"/></pools>"
                         "<iis config=\"%s\"/><tcp poll=\"50ms\" full=\"50ms\"/>");
    client_open(&client, daemon->endpoint);
    await(child_is_gone, daemon);
    daemon_stop(daemon);
}

static void command__fails__is_told_with_what_it_printed(void **state)
{
    struct daemon_process *daemon = *state;
    char alerts[2000];

    (void)snprintf(alerts, sizeof alerts, "<command path=\"%s\"/>", program("on_alert"));
    start_with(daemon, alerts);
    open_a_conflict(daemon);
    await(has_failed, daemon);
    assert_failing("exit status 3");
    daemon_await_log(daemon, "(conflict.opened): no luck today");
    daemon_await_log(daemon, "(conflict.opened): exit status 3");
    daemon_stop(daemon);
}

static void command__is_not_there__fails_and_the_daemon_goes_on(void **state)
{
    struct daemon_process *daemon = *state;
    char alerts[2000];

    (void)snprintf(alerts, sizeof alerts, "<command path=\"%s\"/>", program("no such program"));
    start_with(daemon, alerts);
    open_a_conflict(daemon);
    await(has_failed, daemon);
    assert_failing("cannot be started: no such file or directory");
    json_decref(client_call(&client, "next", NULL));
    daemon_stop(daemon);
}

int main(void)
{
#define ROW(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        ROW(command__words_environment_and_input__arrive_as_they_are),
        ROW(command__never_ends__is_ended_with_what_it_started),
        ROW(command__daemon_stops__is_ended_with_what_it_started),
        ROW(command__fails__is_told_with_what_it_printed),
        ROW(command__is_not_there__fails_and_the_daemon_goes_on),
    };
#undef ROW
    return cmocka_run_group_tests_name("system.alert_command", tests, NULL, NULL);
}
