/* SPDX-License-Identifier: MIT */
/* allocate with a hold, on the kernel's own terms: what a held port is shielded from, who can take
 * it, and that it is nobody's claim. Root tests in a network namespace of its own, whose ephemeral
 * range it makes small; others on loopback, and leave out what takes that. */
#define _GNU_SOURCE
#include "cmocka_all.h"
#include "daemon_process.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define FIRST 24000
#define POOL                                                                                       \
    "<pools><pool name=\"default\" ports=\"24000-24019\"/></pools><tcp poll=\"50ms\" "             \
    "full=\"50ms\"/><lease cooldown=\"0s\"/>"
#define SEEN_MS 20000

static struct test_client client;
static bool own_network;

static int setup(void **state)
{
    int status = daemon_setup(state);

    if (status == 0) {
        struct daemon_process *daemon = *state;
        daemon_start(daemon, POOL);
        client_open(&client, daemon->endpoint);
    }
    return status;
}

static int teardown(void **state)
{
    client_close(&client);
    return daemon_teardown(state);
}

/* ---- sockets ---- */

/* Makes a socket bound to all addresses of a family; -1: errno says why not. */
static int bind_all(int family, unsigned port, bool reuse)
{
    const struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    const struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
    int on = reuse ? 1 : 0;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
    int status = family == AF_INET ? bind(fd, (const struct sockaddr *)&four, sizeof four)
                                   : bind(fd, (const struct sockaddr *)&six, sizeof six);
    if (status != 0) {
        int number = errno;
        (void)close(fd);
        errno = number;
        return -1;
    }
    return fd;
}

static void assert_bind_is_refused(int family, unsigned port, bool reuse)
{
    assert_int_equal(bind_all(family, port, reuse), -1);
    assert_int_equal(errno, EADDRINUSE);
}

/* Listens as most servers do: with SO_REUSEADDR, on both families by one socket. */
static int serve(unsigned port)
{
    int fd = bind_all(AF_INET6, port, true);

    assert_true(fd >= 0);
    assert_int_equal(listen(fd, 16), 0);
    return fd;
}

/* ---- asking ---- */

static char lease_id[24];

/* Allocates with a hold; gives the port and puts the lease's id into `lease_id`. */
static unsigned allocate_held(const char *key, const char *more)
{
    json_t *lease = client_call(&client, "allocate",
                                "{\"key\":\"%s\",\"holder\":\"any\",\"hold\":true%s}", key, more);
    unsigned port = (unsigned)json_integer_at(lease, "port");

    assert_true(json_is_true(json_at(lease, "hold")));
    (void)snprintf(lease_id, sizeof lease_id, "%s", json_string_at(lease, "lease"));
    json_decref(lease);
    return port;
}

static const char *wanted_key;
static const char *wanted_state;

static bool lease_has_state(void *ctx)
{
    json_t *leases = client_call(&client, "leases", "{\"key\":\"%s\"}", wanted_key);
    bool has = json_has(leases, "leases.0") &&
               strcmp(json_string_at(leases, "leases.0.state"), wanted_state) == 0;

    (void)ctx;
    json_decref(leases);
    return has;
}

static void await_lease(const char *key, const char *state)
{
    wanted_key = key;
    wanted_state = state;
    if (daemon_await(lease_has_state, NULL, SEEN_MS) == UINT64_MAX) {
        fail_msg("the lease of %s does not become %s", key, state);
    }
}

static unsigned wanted_port;

static bool port_can_be_bound(void *ctx)
{
    int fd = bind_all(AF_INET, wanted_port, false);

    (void)ctx;
    if (fd >= 0) {
        (void)close(fd);
    }
    return fd >= 0;
}

static bool port_cannot_be_bound(void *ctx)
{
    return !port_can_be_bound(ctx);
}

static void await_held(unsigned port)
{
    wanted_port = port;
    assert_true(daemon_await(port_cannot_be_bound, NULL, SEEN_MS) != UINT64_MAX);
}

static void await_let_go(unsigned port)
{
    wanted_port = port;
    assert_true(daemon_await(port_can_be_bound, NULL, SEEN_MS) != UINT64_MAX);
}

static bool mark_is_seen(void *ctx)
{
    (void)ctx;
    return !client_port_is_free(&client, wanted_port);
}

/* Lets a poll of the TCP table pass: one that sees what is listened on from now on. */
static void await_a_poll(unsigned mark)
{
    int fd = bind_all(AF_INET, mark, true);

    assert_true(fd >= 0);
    assert_int_equal(listen(fd, 1), 0);
    wanted_port = mark;
    assert_true(daemon_await(mark_is_seen, NULL, SEEN_MS) != UINT64_MAX);
    (void)close(fd);
}

/* ---- tests ---- */

static void hold__of_a_pending_lease__keeps_out_who_does_not_reuse(void **state)
{
    unsigned port = allocate_held("web", "");

    (void)state;
    assert_int_equal(port, FIRST);
    assert_bind_is_refused(AF_INET, port, false);
    assert_bind_is_refused(AF_INET6, port, false);
    json_decref(client_call(&client, "release", "{\"key\":\"web\"}"));
    await_let_go(port);
    int fd = bind_all(AF_INET6, port, false);
    assert_true(fd >= 0);
    (void)close(fd);
}

static void hold__holder_that_reuses__binds_and_listens_and_the_hold_ends(void **state)
{
    unsigned port = allocate_held("web", "");
    int server = serve(port);
    int visitor = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};

    (void)state;
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(visitor, (struct sockaddr *)&to, sizeof to), 0);
    await_lease("web", "active");
    (void)close(visitor);
    (void)close(server);
    await_lease("web", "lingering");
    await_held(port); /* again, until it is back */
    server = serve(port);
    await_lease("web", "active");
    (void)close(server);
}

static void handover__lets_in_who_does_not_reuse__and_outlasts_a_restart(void **state)
{
    struct daemon_process *daemon = *state;
    unsigned port = allocate_held("web", "");

    json_t *lease = client_call(&client, "handover", "{\"lease\":\"%s\"}", lease_id);
    assert_int_equal(json_integer_at(lease, "port"), port);
    assert_string_equal(json_string_at(lease, "state"), "pending");
    json_decref(lease);
    client_close(&client);
    daemon_kill(daemon);
    daemon_launch(daemon);
    daemon_await_ready(daemon);
    client_open(&client, daemon->endpoint);
    await_lease("web", "pending");
    int fd = bind_all(AF_INET, port, false);
    assert_true(fd >= 0);
    assert_int_equal(listen(fd, 1), 0);
    await_lease("web", "active");
    (void)close(fd);
}

static void hold__kill_9_and_restart__is_held_again(void **state)
{
    struct daemon_process *daemon = *state;
    unsigned pending = allocate_held("pending", ",\"count\":2");
    unsigned active = allocate_held("active", "");
    int server = serve(active);

    await_lease("active", "active");
    client_close(&client);
    daemon_kill(daemon);
    daemon_launch(daemon);
    daemon_await_ready(daemon);
    client_open(&client, daemon->endpoint);
    assert_bind_is_refused(AF_INET, pending, false);
    assert_bind_is_refused(AF_INET6, pending + 1, false);
    await_lease("active", "active");
    (void)close(server);
    await_held(active);
}

static void hold__is_no_claim__in_any_poll(void **state)
{
    unsigned port = allocate_held("web", ",\"count\":3");

    (void)state;
    await_a_poll(FIRST + 10);
    await_a_poll(FIRST + 11);
    for (unsigned i = 0; i < 3; i++) {
        json_t *who = client_call(&client, "who", "{\"port\":%u}", port + i);
        assert_int_equal(json_array_size(json_at(who, "claims")), 1);
        assert_string_equal(json_string_at(who, "claims.0.source"), "lease");
        json_decref(who);
    }
    json_t *tcp = client_call(&client, "ports", "{\"source\":\"tcp\",\"pool\":\"default\"}");
    for (size_t i = 0; i < json_array_size(json_at(tcp, "ports")); i++) {
        long long other =
            json_integer_value(json_object_get(json_array_get(json_at(tcp, "ports"), i), "port"));
        assert_false(other >= port && other < port + 3);
    }
    json_decref(tcp);
}

/* Somebody has the port, and Berth cannot know it yet: bound since the last poll. */
static void hold__port_taken_unseen__another_is_given_or_in_use(void **state)
{
    struct daemon_process *daemon = *state;

    client_close(&client);
    daemon_stop(daemon);
    daemon_start(daemon, "<pools><pool name=\"default\" ports=\"24000-24019\"/></pools>"
                         "<tcp events=\"off\" poll=\"1m\" full=\"1m\"/>");
    client_open(&client, daemon->endpoint);
    int four = bind_all(AF_INET, FIRST, false);
    int six = bind_all(AF_INET6, FIRST + 1, false);
    assert_true(four >= 0 && six >= 0);
    assert_true(client_port_is_free(&client, FIRST));
    assert_int_equal(allocate_held("web", ""), FIRST + 2);
    json_t *error = client_refused(&client, "port_in_use", "allocate",
                                   "{\"holder\":\"any\",\"hold\":true,\"port\":%d}", FIRST + 1);
    assert_int_equal(json_integer_at(error, "data.port"), FIRST + 1);
    json_decref(error);
    json_t *leases = client_call(&client, "leases", NULL);
    assert_int_equal(json_array_size(json_at(leases, "leases")), 1);
    json_decref(leases);
    (void)close(four);
    (void)close(six);
}

/* ---- in a network of its own ---- */

static void write_setting(const char *path, const char *value)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, value, strlen(value)), (ssize_t)strlen(value));
    (void)close(fd);
}

/* How many of `count` outgoing connections, as many as the range has ports, got a port of ours. */
static unsigned connect_out(const struct sockaddr_in *to, unsigned held, unsigned *got)
{
    int fds[64];
    unsigned count = 0;
    unsigned ours = 0;

    *got = 0;
    while (count < 64) {
        struct sockaddr_in from = {.sin_family = AF_INET};
        socklen_t size = sizeof from;
        int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        assert_true(fd >= 0);
        fds[count++] = fd;
        if (connect(fd, (const struct sockaddr *)to, sizeof *to) != 0) {
            assert_int_equal(errno, EADDRNOTAVAIL); /* the range is used up */
            break;
        }
        assert_int_equal(getsockname(fd, (struct sockaddr *)&from, &size), 0);
        ours += ntohs(from.sin_port) == held;
        (*got)++;
    }
    while (count > 0) {
        (void)close(fds[--count]);
    }
    return ours;
}

static void hold__outgoing_connections__never_get_the_port(void **state)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons(23999)};
    unsigned got;

    (void)state;
    if (!own_network) {
        skip();
    }
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int server = bind_all(AF_INET, 23999, true);
    assert_true(server >= 0);
    assert_int_equal(listen(server, 128), 0);
    write_setting("/proc/sys/net/ipv4/ip_local_port_range", "24000 24003");
    unsigned port = allocate_held("web", ",\"port\":24001");
    assert_int_equal(connect_out(&to, port, &got), 0);
    assert_int_equal(got, 3);      /* all but the held one */
    for (int i = 0; i < 20; i++) { /* nor does one that asks for any port to listen on */
        struct sockaddr_in any = {.sin_family = AF_INET};
        socklen_t size = sizeof any;
        int fd = bind_all(i % 2 == 0 ? AF_INET : AF_INET6, 0, i % 4 < 2);
        if (fd >= 0 && i % 2 == 0) {
            assert_int_equal(getsockname(fd, (struct sockaddr *)&any, &size), 0);
            assert_int_not_equal(ntohs(any.sin_port), port);
        }
        (void)close(fd);
    }
    json_decref(client_call(&client, "handover", "{\"lease\":\"%s\"}", lease_id));
    /* without the hold the kernel gives it like any other */
    assert_int_equal(connect_out(&to, port, &got), 1);
    write_setting("/proc/sys/net/ipv4/ip_local_port_range", "32768 60999");
    (void)close(server);
}

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

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(hold__of_a_pending_lease__keeps_out_who_does_not_reuse),
        CASE(hold__holder_that_reuses__binds_and_listens_and_the_hold_ends),
        CASE(handover__lets_in_who_does_not_reuse__and_outlasts_a_restart),
        CASE(hold__kill_9_and_restart__is_held_again),
        CASE(hold__is_no_claim__in_any_poll),
        CASE(hold__port_taken_unseen__another_is_given_or_in_use),
        CASE(hold__outgoing_connections__never_get_the_port),
    };
    own_network = enter_own_namespace();
    (void)printf("in %s network\n", own_network ? "an own" : "the machine's");
    return cmocka_run_group_tests(tests, NULL, NULL);
}
