/* SPDX-License-Identifier: MIT */
/* berthd and the machine's TCP sockets: whatever holds a port takes it out of the free set, and
 * gives it back. Root tests in a network namespace of its own; others on loopback, with ports that
 * only a chance could take away. */
#define _GNU_SOURCE
#include "cmocka_all.h"
#include "daemon_process.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define FAST                                                                                       \
    "<pools><pool name=\"default\" ports=\"23000-23099\"/></pools><tcp poll=\"50ms\" "             \
    "full=\"50ms\"/><lease cooldown=\"0s\"/>"
#define SEEN_MS 20000

static struct test_client client;

static int setup(void **state)
{
    int status = daemon_setup(state);

    if (status == 0) {
        struct daemon_process *daemon = *state;
        daemon_start(daemon, FAST);
        client_open(&client, daemon->endpoint);
    }
    return status;
}

static int teardown(void **state)
{
    client_close(&client);
    return daemon_teardown(state);
}

/* Polls so rarely that only a probe can meet what comes. */
static int setup_probe(void **state)
{
    int status = daemon_setup(state);

    if (status == 0) {
        struct daemon_process *daemon = *state;
        daemon_start(daemon, "<pools><pool name=\"default\" ports=\"23000-23099\"/></pools>"
                             "<tcp poll=\"1m\" full=\"1m\" events=\"off\" probe=\"on\"/>");
        client_open(&client, daemon->endpoint);
    }
    return status;
}

/* ---- sockets ---- */

static int bound_socket(const char *address, unsigned port)
{
    struct sockaddr_in six_or_four = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    bool is_six = inet_pton(AF_INET6, address, &six.sin6_addr) == 1;
    int on = 1;

    if (!is_six) {
        assert_int_equal(inet_pton(AF_INET, address, &six_or_four.sin_addr), 1);
    }
    int fd = socket(is_six ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(fd >= 0);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (is_six) {
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    }
    assert_int_equal(is_six ? bind(fd, (struct sockaddr *)&six, sizeof six)
                            : bind(fd, (struct sockaddr *)&six_or_four, sizeof six_or_four),
                     0);
    return fd;
}

static int listening_socket(const char *address, unsigned port)
{
    int fd = bound_socket(address, port);

    assert_int_equal(listen(fd, 16), 0);
    return fd;
}

static void connect_to(int fd, unsigned port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof to), 0);
}

/* ---- waiting ---- */

static unsigned wanted_port;
static const char *wanted_state;

static bool port_has_state(void *ctx)
{
    (void)ctx;
    return strcmp(client_port_state(&client, wanted_port), wanted_state) == 0;
}

static uint64_t await_port(unsigned port, const char *state)
{
    wanted_port = port;
    wanted_state = state;
    uint64_t took_us = daemon_await(port_has_state, NULL, SEEN_MS);
    if (took_us == UINT64_MAX) {
        fail_msg("port %u is %s, not %s", port, client_port_state(&client, port), state);
    }
    return took_us;
}

/* Gives the first claim on a port; for json_decref() of `*who`. */
static const json_t *claim_on(unsigned port, json_t **who)
{
    *who = client_call(&client, "who", "{\"port\":%u}", port);
    return json_at(*who, "claims.0");
}

/* Who owns a socket is found by walking through all processes, at times later than the socket; an
 * event may name the process before the table tells the user. */
static bool owner_is_told(void *ctx)
{
    json_t *who;
    const json_t *claim = claim_on(wanted_port, &who);
    const json_t *id = json_object_get(claim, "pid");
    const json_t *user = json_object_get(claim, "uid");
    bool told = id != NULL && user != NULL;

    (void)ctx;
    assert_true(id == NULL || json_integer_value(id) == getpid());
    assert_true(user == NULL || json_integer_value(user) == getuid());
    json_decref(who);
    return told;
}

/* ---- tests ---- */

static void listener__on_each_address__is_used_until_it_is_closed(void **state)
{
    static const char *const addresses[] = {"127.0.0.1", "::1", "0.0.0.0", "::"};
    uint64_t worst_us = 0;

    (void)state;
    for (unsigned i = 0; i < BERTH_COUNT(addresses); i++) {
        unsigned port = 23000 + i;
        json_t *who;
        assert_string_equal(client_port_state(&client, port), "free");
        int fd = listening_socket(addresses[i], port);
        uint64_t took_us = await_port(port, "used");
        worst_us = took_us > worst_us ? took_us : worst_us;
        const json_t *claim = claim_on(port, &who);
        assert_string_equal(json_string_at(claim, "source"), "tcp");
        assert_string_equal(json_string_at(claim, "kind"), "listener");
        (void)printf("%s is told as %s\n", addresses[i], json_string_at(claim, "address"));
        json_decref(who);
        wanted_port = port;
        assert_true(daemon_await(owner_is_told, NULL, SEEN_MS) != UINT64_MAX);
        json_t *next = client_call(&client, "next", NULL);
        assert_int_equal(json_integer_at(next, "ports.0"), i == 0 ? 23001 : 23000);
        json_decref(next);
        (void)close(fd);
        (void)await_port(port, "free");
    }
    (void)printf("seen after at most %.1f ms at a poll of 50 ms\n", (double)worst_us / 1000);
}

static void bound_socket__not_listening__is_used(void **state)
{
    json_t *who;
    char *reason = NULL;

    (void)state;
    if (strcmp(client_source_state(&client, "TCP table", &reason), "degraded") == 0) {
        (void)printf("this kernel: %s\n", reason != NULL ? reason : "?");
        free(reason);
        skip();
    }
    free(reason);
    int fd = bound_socket("127.0.0.1", 23010);
    (void)await_port(23010, "used");
    assert_string_equal(json_string_at(claim_on(23010, &who), "kind"), "bound");
    json_decref(who);
    (void)close(fd);
    (void)await_port(23010, "free");
}

static void outgoing_connection__its_local_port__is_used_through_time_wait(void **state)
{
    json_t *who;

    (void)state;
    int server = listening_socket("127.0.0.1", 23020);
    int fd = bound_socket("127.0.0.1", 23021);
    connect_to(fd, 23020);
    int accepted = accept(server, NULL, NULL);
    assert_true(accepted >= 0);
    (void)await_port(23021, "used");
    uint64_t end_ms = platform_now_ms() + SEEN_MS;
    bool seen = false;
    while (!seen && platform_now_ms() < end_ms) {
        seen = strcmp(json_string_at(claim_on(23021, &who), "kind"), "connection") == 0;
        json_decref(who);
    }
    assert_true(seen);
    /* the side that closes first keeps the port in TIME_WAIT: still not free */
    (void)close(fd);
    (void)close(accepted);
    (void)close(server);
    seen = false;
    end_ms = platform_now_ms() + SEEN_MS;
    while (!seen && platform_now_ms() < end_ms) {
        assert_string_equal(client_port_state(&client, 23021), "used");
        seen = strcmp(json_string_at(claim_on(23021, &who), "kind"), "time_wait") == 0;
        json_decref(who);
    }
    assert_true(seen);
    json_decref(client_refused(&client, "port_in_use", "allocate", "{\"port\":23021}"));
}

static void port__passed_from_listener_to_connection__never_looks_free(void **state)
{
    (void)state;
    for (unsigned round = 0; round < 20; round++) {
        unsigned port = 23030 + round;
        int server = listening_socket("127.0.0.1", port);
        (void)await_port(port, "used");
        int fd = bound_socket("127.0.0.1", 0);
        connect_to(fd, port);
        int accepted = accept(server, NULL, NULL);
        assert_true(accepted >= 0);
        (void)close(server); /* the accepted connection still holds the port */
        uint64_t end_ms = platform_now_ms() + 200;
        while (platform_now_ms() < end_ms) {
            assert_string_equal(client_port_state(&client, port), "used");
        }
        (void)close(fd);
        (void)close(accepted);
    }
}

static void allocated_port__listened_on__stays_leased_and_shows_both(void **state)
{
    json_t *lease = client_call(&client, "allocate", "{\"key\":\"k\",\"port\":23060}");

    (void)state;
    json_decref(lease);
    int fd = listening_socket("127.0.0.1", 23060);
    uint64_t end_ms = platform_now_ms() + SEEN_MS;
    size_t claims = 0;
    while (claims != 2 && platform_now_ms() < end_ms) {
        json_t *who = client_call(&client, "who", "{\"port\":23060}");
        assert_string_equal(json_string_at(who, "state"), "leased");
        claims = json_array_size(json_at(who, "claims"));
        json_decref(who);
    }
    assert_int_equal(claims, 2);
    json_decref(client_call(&client, "release", "{\"key\":\"k\"}"));
    assert_string_equal(client_port_state(&client, 23060), "used");
    (void)close(fd);
    (void)await_port(23060, "free");
}

static void pool__filled_by_listeners__exhausted_with_counts(void **state)
{
    int sockets[20];

    (void)state;
    for (unsigned i = 0; i < 20; i++) {
        sockets[i] = listening_socket("127.0.0.1", 23080 + i);
    }
    (void)await_port(23099, "used");
    json_decref(client_refused(&client, "pool_exhausted", "next", "{\"range\":[23080,23099]}"));
    json_t *error = client_refused(&client, "pool_exhausted", "allocate",
                                   "{\"range\":[23079,23099],\"count\":2}");
    assert_int_equal(json_integer_at(error, "data.counts.tcp"), 20);
    assert_int_equal(json_integer_at(error, "data.total"), 21);
    json_decref(error);
    for (unsigned i = 0; i < 20; i++) {
        (void)close(sockets[i]);
    }
    (void)await_port(23080, "free");
}

/* What the system may give to outgoing connections comes last, and is said so. */
static void ephemeral_range__in_the_pool__given_last(void **state)
{
    struct daemon_process *daemon = *state;
    json_t *status = client_call(&client, "status", NULL);
    long long first = json_integer_at(status, "ephemeral.range.0");
    long long last = json_integer_at(status, "ephemeral.range.1");
    char elements[400];

    json_decref(status);
    if (first <= 2 || last < first + 2) {
        skip();
    }
    (void)snprintf(elements, sizeof elements,
                   "<pools><pool name=\"default\" ports=\"%lld-%lld\"/><pool name=\"never\" "
                   "ports=\"%lld-%lld\" ephemeral=\"never\"/></pools><tcp poll=\"50ms\"/>",
                   first - 1, first + 1, first + 2, last);
    daemon_configure(daemon, elements);
    json_decref(client_call(&client, "reload", NULL));
    daemon_await_ready(daemon);
    json_t *lease = client_call(&client, "allocate", NULL);
    assert_int_equal(json_integer_at(lease, "port"), first - 1);
    assert_true(json_is_false(json_at(lease, "ephemeral")));
    json_decref(lease);
    lease = client_call(&client, "allocate", NULL);
    assert_int_equal(json_integer_at(lease, "port"), first);
    assert_true(json_is_true(json_at(lease, "ephemeral")));
    json_decref(lease);
    json_t *error = client_refused(&client, "pool_exhausted", "next", "{\"pool\":\"never\"}");
    assert_true(json_integer_at(error, "data.not_given") > 0);
    assert_int_equal(json_integer_at(error, "data.not_given"), json_integer_at(error, "data.free"));
    json_decref(error);
    status = client_call(&client, "status", NULL);
    assert_non_null(strstr(json_string_at(status, "warnings.0"), "ephemeral"));
    json_decref(status);
}

/* ---- a network of its own ---- */

static bool enter_own_namespace(void)
{
    struct ifreq request = {.ifr_name = "lo"};
    int fd;

    if (geteuid() != 0 || unshare(CLONE_NEWNET) != 0) {
        return false;
    }
    fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    request.ifr_flags = IFF_UP | IFF_RUNNING;
    bool up = fd >= 0 && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
    (void)close(fd);
    return up;
}

static void probe__of_a_socket_that_no_table_showed__passes_it_by(void **state)
{
    int fd = listening_socket("127.0.0.1", 23000);

    (void)state;
    json_t *lease = client_call(&client, "allocate", "{\"key\":\"shop\"}");
    assert_int_equal(json_integer_at(lease, "port"), 23001);
    json_decref(lease);
    assert_string_equal(client_port_state(&client, 23000), "used");
    json_t *error = client_refused(&client, "port_in_use", "allocate", "{\"port\":23000}");
    assert_string_equal(json_string_at(error, "data.claims.0.feed"), "bind probe");
    json_decref(error);
    (void)close(fd);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(listener__on_each_address__is_used_until_it_is_closed),
        CASE(bound_socket__not_listening__is_used),
        CASE(outgoing_connection__its_local_port__is_used_through_time_wait),
        CASE(port__passed_from_listener_to_connection__never_looks_free),
        CASE(allocated_port__listened_on__stays_leased_and_shows_both),
        CASE(pool__filled_by_listeners__exhausted_with_counts),
        CASE(ephemeral_range__in_the_pool__given_last),
        cmocka_unit_test_setup_teardown(probe__of_a_socket_that_no_table_showed__passes_it_by,
                                        setup_probe, teardown),
    };
    bool own = enter_own_namespace();
    (void)printf("in %s network\n", own ? "an own" : "the machine's");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
