/* SPDX-License-Identifier: MIT */
/* The real daemon and Windows's events of TCP: whole on a Windows that lets them be had; refused in
 * Wine, as for an account without the right, which must cost nothing but the events. */
#include "cmocka_all.h"
#include "daemon_process.h"

#include <stdio.h>
#include <stdlib.h>

#define SEEN_MS 20000
#define POOL "<pools><pool name=\"default\" ports=\"21000-21099\"/></pools>"
#define RIGHT "a member of Performance Log Users"

static struct test_client client;

static int teardown(void **state)
{
    client_close(&client);
    return daemon_teardown(state);
}

static const json_t *tcp_source(const json_t *status)
{
    const json_t *sources = json_at(status, "sources");

    for (size_t i = 0; i < json_array_size(sources); i++) {
        const json_t *source = json_array_get(sources, i);
        if (strcmp(json_string_at(source, "source"), "tcp") == 0) {
            return source;
        }
    }
    fail_msg("there is no TCP source");
    return NULL;
}

/* Whether it is settled how events do. */
static bool is_settled(void *ctx)
{
    json_t *status = client_call(&client, "status", NULL);
    const json_t *events = json_object_get(tcp_source(status), "events");
    const char *mode = json_string_at(events, "mode");
    bool settled = strcmp(mode, "full") == 0 ||
                   strcmp(json_string_at(events, "reason"), "it is being started") != 0;

    (void)ctx;
    json_decref(status);
    return settled;
}

static void await_settled(void)
{
    assert_true(daemon_await(is_settled, NULL, SEEN_MS) != UINT64_MAX);
}

static void events__auto__are_whole_or_say_why_not(void **state)
{
    struct daemon_process *daemon = *state;

    daemon_start(daemon, POOL);
    client_open(&client, daemon->endpoint);
    await_settled();
    json_t *status = client_call(&client, "status", NULL);
    const json_t *source = tcp_source(status);
    if (strcmp(json_string_at(source, "events.mode"), "full") != 0) {
        assert_string_equal(json_string_at(source, "events.mode"), "none");
        assert_non_null(strstr(json_string_at(source, "events.reason"), RIGHT));
        assert_string_equal(json_string_at(source, "state"), "degraded");
        assert_non_null(strstr(json_string_at(source, "reason"), RIGHT));
        daemon_await_log(daemon, RIGHT);
    }
    json_decref(status);
    /* all else goes on */
    json_t *lease = client_call(&client, "allocate", "{\"key\":\"shop\"}");
    assert_in_range(json_integer_at(lease, "ports.0"), 21000, 21099);
    json_decref(lease);
    daemon_stop(daemon);
}

static void events__off__are_not_asked_for(void **state)
{
    struct daemon_process *daemon = *state;
    char *reason = NULL;

    daemon_start(daemon, POOL "<tcp events=\"off\"/>");
    client_open(&client, daemon->endpoint);
    json_t *status = client_call(&client, "status", NULL);
    assert_null(json_object_get(tcp_source(status), "events"));
    json_decref(status);
    (void)client_source_state(&client, "TCP table", &reason);
    assert_true(reason == NULL || strstr(reason, RIGHT) == NULL);
    free(reason);
    daemon_stop(daemon);
}

static void stop__at_once__is_clean(void **state)
{
    struct daemon_process *daemon = *state;

    for (unsigned i = 0; i < 3; i++) {
        daemon_start(daemon, POOL);
        daemon_stop(daemon);
    }
}

int main(void)
{
#define IN_A_FOLDER(test) cmocka_unit_test_setup_teardown(test, daemon_setup, teardown)
    const struct CMUnitTest tests[] = {
        IN_A_FOLDER(events__auto__are_whole_or_say_why_not),
        IN_A_FOLDER(events__off__are_not_asked_for),
        IN_A_FOLDER(stop__at_once__is_clean),
    };
#undef IN_A_FOLDER
    return cmocka_run_group_tests(tests, NULL, NULL);
}
