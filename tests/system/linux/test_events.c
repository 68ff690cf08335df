/* SPDX-License-Identifier: MIT */
/* berthd and the kernel's events: what they tell is known without a poll, and where they fail, the
 * poll makes it right and status says so. Root, in a network namespace of its own. */
#define _GNU_SOURCE
#include "cmocka_all.h"
#include "daemon_process.h"
#include "own_network.h"

#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define POOL "<pools><pool name=\"default\" ports=\"23000-23099\"/></pools><lease cooldown=\"0s\"/>"
/* so rarely that nothing but the start and an event makes it look */
#define EVENTS_ONLY POOL "<tcp poll=\"1h\" full=\"1h\" events=\"on\"/>"
#define EVENTS_AND_POLL POOL "<tcp poll=\"200ms\" full=\"1h\" events=\"on\"/>"
#define SEEN_MS 20000

static struct test_client client;

static int teardown(void **state)
{
    client_close(&client);
    return daemon_teardown(state);
}

/* ---- status ---- */

static json_t *tcp_source(json_t *status)
{
    size_t i;
    json_t *source;

    json_array_foreach(json_at(status, "sources"), i, source)
    {
        if (strcmp(json_string_at(source, "source"), "tcp") == 0) {
            return source;
        }
    }
    fail_msg("there is no TCP source");
    return NULL;
}

static bool has_events_mode(void *ctx)
{
    json_t *status = client_call(&client, "status", NULL);
    bool has = strcmp(json_string_at(tcp_source(status), "events.mode"), ctx) == 0;

    json_decref(status);
    return has;
}

static long long events_number(const char *member)
{
    char path[64];
    json_t *status = client_call(&client, "status", NULL);

    (void)snprintf(path, sizeof path, "events.%s", member);
    long long number = json_integer_at(tcp_source(status), path);
    json_decref(status);
    return number;
}

/* Starts a daemon whose events are whole, or skips. */
static void start_with_events(void **state, const char *elements)
{
    static char full[] = "full";
    struct daemon_process *daemon = *state;

    if (geteuid() != 0) {
        (void)printf("events take CAP_PERFMON and CAP_DAC_READ_SEARCH, which root has\n");
        skip();
    }
    daemon_start(daemon, elements);
    client_open(&client, daemon->endpoint);
    if (daemon_await(has_events_mode, full, 3000) == UINT64_MAX) {
        json_t *status = client_call(&client, "status", NULL);
        (void)printf("no events here: %s\n", json_string_at(tcp_source(status), "events.reason"));
        json_decref(status);
        skip();
    }
}

/* ---- waiting ---- */

static unsigned wanted_port;
static const char *wanted_state;

static bool port_has_state(void *ctx)
{
    (void)ctx;
    return strcmp(client_port_state(&client, wanted_port), wanted_state) == 0;
}

static void await_port(unsigned port, const char *state)
{
    wanted_port = port;
    wanted_state = state;
    if (daemon_await(port_has_state, NULL, SEEN_MS) == UINT64_MAX) {
        fail_msg("port %u is %s, not %s", port, client_port_state(&client, port), state);
    }
}

static bool source_is_degraded(void *ctx)
{
    (void)ctx;
    return strcmp(client_source_state(&client, "TCP table", NULL), "degraded") == 0;
}

static bool source_is_ready(void *ctx)
{
    (void)ctx;
    return strcmp(client_source_state(&client, "TCP table", NULL), "ready") == 0;
}

/* ---- tests ---- */

static void listener__comes_and_goes__is_known_without_a_poll(void **state)
{
    start_with_events(state, EVENTS_ONLY);
    for (unsigned i = 0; i < 20; i++) {
        int fd = own_network_socket((uint16_t)(23000 + i), true);
        await_port(23000 + i, "used");
        (void)close(fd);
        await_port(23000 + i, "free");
    }
    assert_true(events_number("total") >= 40);
    assert_int_equal(events_number("lost"), 0);
}

static void listener__its_process_is_named_at_once(void **state)
{
    start_with_events(state, EVENTS_ONLY);
    int fd = own_network_socket(23000, true);
    uint64_t end_ms = platform_now_ms() + SEEN_MS;
    bool named = false;
    while (!named && platform_now_ms() < end_ms) {
        json_t *who = client_call(&client, "who", "{\"port\":23000}");
        named = json_has(who, "claims.0.holder") &&
                json_integer_at(who, "claims.0.pid") == (long long)getpid();
        json_decref(who);
    }
    assert_true(named);
    (void)close(fd);
}

static void outgoing_connection__its_port_is_known_without_a_poll(void **state)
{
    start_with_events(state, EVENTS_ONLY);
    int server = own_network_socket(0, true);
    int fd = own_network_socket(23030, false);
    const struct linger abort_at_close = {.l_onoff = 1, .l_linger = 0};
    assert_true(own_network_connect(fd, own_network_port(server)));
    await_port(23030, "used");
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &abort_at_close, sizeof abort_at_close);
    (void)close(fd);
    await_port(23030, "free");
    (void)close(server);
}

static void accepted_connection__outlives_its_listener__port_never_looks_free(void **state)
{
    start_with_events(state, EVENTS_ONLY);
    for (unsigned i = 0; i < 10; i++) {
        unsigned port = 23040 + i;
        int server = own_network_socket((uint16_t)port, true);
        await_port(port, "used");
        int fd = own_network_socket(0, false);
        assert_true(own_network_connect(fd, (uint16_t)port));
        int accepted = accept(server, NULL, NULL);
        assert_true(accepted >= 0);
        (void)close(server);
        uint64_t end_ms = platform_now_ms() + 100;
        while (platform_now_ms() < end_ms) {
            assert_string_equal(client_port_state(&client, port), "used");
        }
        (void)close(fd);
        (void)close(accepted);
    }
}

static void bound_socket__is_closed__is_known_without_a_poll(void **state)
{
    start_with_events(state, EVENTS_ONLY);
    int fd = own_network_socket(23060, false);
    /* nothing tells of a bind; but before the port of a listener is free, everything is read */
    int listener = own_network_socket(23061, true);
    await_port(23061, "used");
    (void)close(listener);
    await_port(23061, "free");
    await_port(23060, "used");
    (void)close(fd);
    await_port(23060, "free");
}

/* The tracepoint tells of every network namespace, and only the daemon's own counts. */
static void listener__in_another_network__does_not_count(void **state)
{
    int ready[2];
    char byte = 'n';

    start_with_events(state, EVENTS_ONLY);
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* a test that fails does not come to end it */
        int fd = own_network_enter() ? own_network_socket(23070, true) : -1;
        byte = fd >= 0 ? 'y' : 'n';
        (void)!write(ready[1], &byte, 1);
        for (;;) {
            (void)pause();
        }
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    /* what came later is known, so what came before was read */
    int fd = own_network_socket(23071, true);
    await_port(23071, "used");
    assert_string_equal(client_port_state(&client, 23070), "free");
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
    (void)close(fd);
    (void)close(ready[0]);
    (void)close(ready[1]);
}

/* A daemon that stands still cannot read: its rings run over, and what ends up true was lost. */
static void rings__run_over__status_tells_and_the_poll_makes_it_right(void **state)
{
    struct daemon_process *daemon = *state;
    int kept[10];

    start_with_events(state, EVENTS_AND_POLL);
    platform_process_suspend(daemon->process);
    for (unsigned i = 0; i < 5000; i++) {
        int fd = own_network_socket(0, true);
        assert_true(fd >= 0);
        (void)close(fd);
    }
    for (unsigned i = 0; i < 10; i++) {
        kept[i] = own_network_socket((uint16_t)(23080 + i), true);
    }
    platform_process_resume(daemon->process);
    for (unsigned i = 0; i < 10; i++) {
        await_port(23080 + i, "used");
    }
    assert_true(daemon_await(source_is_degraded, NULL, SEEN_MS) != UINT64_MAX);
    assert_true(events_number("lost") > 0);
    for (unsigned i = 0; i < 10; i++) {
        (void)close(kept[i]);
    }
    for (unsigned i = 0; i < 10; i++) {
        await_port(23080 + i, "free");
    }
    /* and by itself all is well again */
    assert_true(daemon_await(source_is_ready, NULL, 30000) != UINT64_MAX);
}

static void rights__missing__degraded_with_the_reason_and_polled(void **state)
{
    struct daemon_process *daemon = *state;
    char *reason = NULL;

    if (geteuid() != 0) {
        (void)printf("needs root, to start berthd as somebody else\n");
        skip();
    }
    daemon->run_as = 61000;
    daemon_start(daemon, POOL "<tcp poll=\"50ms\" full=\"1h\"/>");
    client_open(&client, daemon->endpoint);
    assert_string_equal(client_source_state(&client, "TCP table", &reason), "degraded");
    assert_non_null(reason);
    (void)printf("%s\n", reason);
    free(reason);
    int fd = own_network_socket(23000, true);
    await_port(23000, "used");
    (void)close(fd);
    await_port(23000, "free");
    /* all states at every poll */
    int server = own_network_socket(0, true);
    fd = own_network_socket(23001, false);
    assert_true(own_network_connect(fd, own_network_port(server)));
    await_port(23001, "used");
    (void)close(fd);
    (void)close(server);
}

static void events__switched_off__ready_and_not_shown(void **state)
{
    struct daemon_process *daemon = *state;

    daemon_start(daemon, POOL "<tcp poll=\"50ms\" events=\"off\"/>");
    client_open(&client, daemon->endpoint);
    json_t *status = client_call(&client, "status", NULL);
    assert_false(json_has(tcp_source(status), "events"));
    json_decref(status);
    int fd = own_network_socket(23000, true);
    await_port(23000, "used");
    (void)close(fd);
    await_port(23000, "free");
}

static void reload__events_off_and_on__takes_effect(void **state)
{
    static char full[] = "full";
    struct daemon_process *daemon = *state;

    start_with_events(state, EVENTS_ONLY);
    daemon_configure(daemon, POOL "<tcp poll=\"1h\" full=\"1h\" events=\"off\"/>");
    json_decref(client_call(&client, "reload", NULL));
    json_t *status = client_call(&client, "status", NULL);
    assert_false(json_has(tcp_source(status), "events"));
    json_decref(status);
    daemon_configure(daemon, EVENTS_ONLY);
    json_decref(client_call(&client, "reload", NULL));
    assert_true(daemon_await(has_events_mode, full, SEEN_MS) != UINT64_MAX);
    int fd = own_network_socket(23000, true);
    await_port(23000, "used");
    (void)close(fd);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, daemon_setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(listener__comes_and_goes__is_known_without_a_poll),
        CASE(listener__its_process_is_named_at_once),
        CASE(outgoing_connection__its_port_is_known_without_a_poll),
        CASE(accepted_connection__outlives_its_listener__port_never_looks_free),
        CASE(bound_socket__is_closed__is_known_without_a_poll),
        CASE(listener__in_another_network__does_not_count),
        CASE(rings__run_over__status_tells_and_the_poll_makes_it_right),
        CASE(rights__missing__degraded_with_the_reason_and_polled),
        CASE(events__switched_off__ready_and_not_shown),
        CASE(reload__events_off_and_on__takes_effect),
    };
    bool own = own_network_enter();
    (void)printf("in %s network\n", own ? "an own" : "the machine's");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
