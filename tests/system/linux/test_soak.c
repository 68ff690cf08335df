/* SPDX-License-Identifier: MIT */
/* Many processes that listen, bind, connect, close and die at random. At each pause the daemon's
 * free set must come to equal the truth, read independently of it.
 *
 * BERTH_SOAK_SECONDS (20) and BERTH_SOAK_PROCESSES (100) make it longer and larger. Root, in a
 * network namespace of its own. */
#define _GNU_SOURCE
#include "cmocka_all.h"
#include "daemon_process.h"
#include "own_network.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIRST 23000u
#define LAST 23499u
#define PORTS (LAST - FIRST + 1)
#define POOL "<pools><pool name=\"default\" ports=\"23000-23499\"/></pools><lease cooldown=\"0s\"/>"
#define HELD_MAX 12
#define EQUAL_MS 20000

/* ---- one process among many ---- */

struct held {
    int fds[2]; /* a listener, or a connection's two ends; -1: none */
    bool listens;
};

struct worker {
    struct held held[HELD_MAX];
    uint64_t random;
    bool anything; /* also what no event tells of: bind alone, TIME_WAIT */
};

static uint64_t next_random(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15u);

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

static uint16_t random_port(struct worker *worker)
{
    return (uint16_t)(FIRST + next_random(&worker->random) % PORTS);
}

static void hold(struct worker *worker, size_t slot, int one, int two, bool listens)
{
    worker->held[slot] = (struct held){{one, two}, listens};
}

/* Closes so that no TIME_WAIT stays, the connecting end first. */
static void let_go(struct worker *worker, size_t slot)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    for (size_t i = 0; i < 2; i++) {
        int fd = worker->held[slot].fds[i];
        if (fd >= 0) {
            if (!worker->anything || next_random(&worker->random) % 2 == 0) {
                (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
            }
            (void)close(fd);
        }
    }
    hold(worker, slot, -1, -1, false);
}

/* Connects from a port of the pool to a listener of our own and takes the connection there. */
static void connect_to_own(struct worker *worker, size_t slot, int listener)
{
    int client = own_network_socket(random_port(worker), false);
    int accepted = -1;

    if (client < 0) {
        return;
    }
    (void)fcntl(client, F_SETFL, O_NONBLOCK);
    if (!own_network_connect(client, own_network_port(listener)) && errno != EINPROGRESS) {
        (void)close(client); /* two cannot connect from one port to one; it would stay bound */
        return;
    }
    accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    hold(worker, slot, client, accepted, false);
}

static void act(struct worker *worker)
{
    uint64_t random = next_random(&worker->random);
    size_t slot = random % HELD_MAX;
    const struct held *held = &worker->held[slot];
    const struct held *other = &worker->held[(random >> 8) % HELD_MAX];

    if (held->fds[0] >= 0) {
        let_go(worker, slot);
    } else if (worker->anything && (random >> 16) % 4 == 0) {
        hold(worker, slot, own_network_socket(random_port(worker), false), -1, false);
    } else if (other->listens && (random >> 16) % 2 == 0) {
        connect_to_own(worker, slot, other->fds[0]);
    } else {
        int listener = own_network_socket(random_port(worker), true);
        if (listener >= 0) {
            (void)fcntl(listener, F_SETFL, O_NONBLOCK);
        }
        hold(worker, slot, listener, -1, listener >= 0);
    }
}

/* Acts when told, by a byte; says so with a byte; and now and then dies instead, which closes. */
static void run_worker(int channel, uint64_t seed, bool anything)
{
    struct worker worker = {.random = seed, .anything = anything};
    char byte;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (size_t i = 0; i < HELD_MAX; i++) {
        hold(&worker, i, -1, -1, false);
    }
    while (read(channel, &byte, 1) == 1) {
        if (next_random(&worker.random) % 20 == 0) {
            for (size_t i = 0; i < HELD_MAX && !anything; i++) {
                let_go(&worker, i); /* as the end would, but without TIME_WAIT */
            }
            break;
        }
        for (uint64_t i = next_random(&worker.random) % 8; i != 0; i--) {
            act(&worker);
        }
        if (write(channel, &byte, 1) != 1) {
            break;
        }
    }
    _exit(0);
}

/* ---- all of them ---- */

struct crowd {
    pid_t *pids;
    int *channels;
    size_t count;
    uint64_t random;
    bool anything;
    unsigned born;
};

static void start_worker(struct crowd *crowd, size_t i)
{
    int ends[2];
    uint64_t seed = next_random(&crowd->random);

    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    crowd->pids[i] = fork();
    assert_true(crowd->pids[i] >= 0);
    if (crowd->pids[i] == 0) {
        for (size_t k = 0; k < crowd->count; k++) {
            if (crowd->channels[k] >= 0) {
                (void)close(crowd->channels[k]);
            }
        }
        (void)close(ends[0]);
        run_worker(ends[1], seed, crowd->anything);
    }
    (void)close(ends[1]);
    crowd->channels[i] = ends[0];
    crowd->born++;
}

static void end_worker(struct crowd *crowd, size_t i)
{
    (void)close(crowd->channels[i]);
    crowd->channels[i] = -1;
    (void)waitpid(crowd->pids[i], NULL, 0);
}

/* Lets some of them act, and waits until they have, or have died. */
static void stir(struct crowd *crowd)
{
    char byte = 'g';

    for (size_t i = 0; i < crowd->count; i++) {
        assert_int_equal(write(crowd->channels[i], &byte, 1), 1);
    }
    for (size_t i = 0; i < crowd->count; i++) {
        if (read(crowd->channels[i], &byte, 1) != 1) {
            end_worker(crowd, i);
            start_worker(crowd, i);
        }
    }
}

/* ---- the truth ---- */

static void mark_from_proc(const char *path, bool *used)
{
    char line[512];
    FILE *file = fopen(path, "r");

    while (file != NULL && fgets(line, sizeof line, file) != NULL) {
        const char *colon = strchr(line, ':');
        colon = colon != NULL ? strchr(colon + 1, ':') : NULL; /* behind "sl: address" */
        unsigned port;
        if (colon != NULL && sscanf(colon + 1, "%4x", &port) == 1 && port >= FIRST &&
            port <= LAST) {
            used[port - FIRST] = true;
        }
    }
    if (file != NULL) {
        (void)fclose(file);
    }
}

/* Tries to bind each port of all addresses, which nothing but a socket there prevents: also one
 * that is only bound, which /proc/net does not list. */
static void mark_from_binds(bool *used)
{
    for (unsigned port = FIRST; port <= LAST; port++) {
        struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)port)};
        struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
        const int off = 0;
        int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0);
        int result;
        if (fd >= 0) {
            (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
            result = bind(fd, (struct sockaddr *)&six, sizeof six);
        } else {
            fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
            result = bind(fd, (struct sockaddr *)&four, sizeof four);
        }
        used[port - FIRST] = used[port - FIRST] || result != 0;
        (void)close(fd);
    }
}

static void read_truth(bool anything, bool *used)
{
    memset(used, 0, PORTS);
    mark_from_proc("/proc/net/tcp", used);
    mark_from_proc("/proc/net/tcp6", used);
    if (anything) {
        mark_from_binds(used);
    }
}

static void read_daemon(struct test_client *client, bool *used)
{
    json_t *free_ports = client_call(client, "free", NULL);
    size_t i;
    json_t *range;

    memset(used, 1, PORTS);
    json_array_foreach(json_at(free_ports, "pools.0.ranges"), i, range)
    {
        long long first = json_integer_value(json_array_get(range, 0));
        long long last = json_integer_value(json_array_get(range, 1));
        for (long long port = first; port <= last; port++) {
            used[port - FIRST] = false;
        }
    }
    json_decref(free_ports);
}

struct comparison {
    struct test_client client;
    bool anything;
    bool truth[PORTS];
    bool told[PORTS];
};

static bool are_equal(void *ctx)
{
    struct comparison *comparison = ctx;

    read_daemon(&comparison->client, comparison->told);
    read_truth(comparison->anything, comparison->truth);
    return memcmp(comparison->truth, comparison->told, PORTS) == 0;
}

/* How many events the kernel had no room for. */
static long long lost_events(struct test_client *client)
{
    json_t *status = client_call(client, "status", NULL);
    long long lost = 0;
    size_t i;
    json_t *source;

    json_array_foreach(json_at(status, "sources"), i, source)
    {
        const json_t *count = json_object_get(json_object_get(source, "events"), "lost");
        lost += json_integer_value(count);
    }
    json_decref(status);
    return lost;
}

static bool any_used_is_told_free(const struct comparison *comparison)
{
    for (unsigned i = 0; i < PORTS; i++) {
        if (comparison->truth[i] && !comparison->told[i]) {
            return true;
        }
    }
    return false;
}

/* Where events were lost, as on a machine with much else to do, everything is read, and what that
 * saw end only a poll can tell: of TIME_WAIT nothing is. Without polls that decides nothing. But no
 * used port may be told to be free. */
static void assert_nothing_lost(struct comparison *comparison, bool polls)
{
    long long lost = polls ? 0 : lost_events(&comparison->client);

    if (lost != 0 && !any_used_is_told_free(comparison)) {
        (void)printf("undecided: %lld events were lost\n", lost);
        skip();
    }
}

static void fail_with_differences(struct comparison *comparison)
{
    for (unsigned i = 0; i < PORTS; i++) {
        if (comparison->truth[i] != comparison->told[i]) {
            json_t *who = client_call(&comparison->client, "who", "{\"port\":%u}", FIRST + i);
            (void)printf("port %u: %s in truth, but: %s\n", FIRST + i,
                         comparison->truth[i] ? "used" : "free", json_string_at(who, "why"));
            json_decref(who);
        }
    }
    fail_msg("the free set does not become the truth");
}

/* ---- tests ---- */

static unsigned long number_of(const char *variable, unsigned long otherwise)
{
    const char *text = getenv(variable);

    return text != NULL && text[0] != '\0' ? strtoul(text, NULL, 10) : otherwise;
}

static void soak(struct daemon_process *daemon, bool anything)
{
    static struct comparison comparison;
    struct crowd crowd = {.count = number_of("BERTH_SOAK_PROCESSES", 100), .anything = anything};
    uint64_t end_ms =
        platform_now_ms() + number_of("BERTH_SOAK_SECONDS", 20) * 1000 / 2; /* there are two */
    unsigned pauses = 0;
    uint64_t worst_us = 0;

    comparison = (struct comparison){.anything = anything};
    client_open(&comparison.client, daemon->endpoint);
    crowd.random = number_of("BERTH_TEST_SEED", (unsigned long)platform_now_us());
    (void)printf("seed %" PRIu64 " (BERTH_TEST_SEED)\n", crowd.random);
    crowd.pids = calloc(crowd.count, sizeof *crowd.pids);
    crowd.channels = calloc(crowd.count, sizeof *crowd.channels);
    memset(crowd.channels, 0xff, crowd.count * sizeof *crowd.channels);
    for (size_t i = 0; i < crowd.count; i++) {
        start_worker(&crowd, i);
    }
    while (platform_now_ms() < end_ms) {
        for (uint64_t i = 1 + next_random(&crowd.random) % 5; i != 0; i--) {
            stir(&crowd);
        }
        uint64_t took_us = daemon_await(are_equal, &comparison, EQUAL_MS);
        if (took_us == UINT64_MAX) {
            assert_nothing_lost(&comparison, anything);
            fail_with_differences(&comparison);
        }
        worst_us = took_us > worst_us ? took_us : worst_us;
        pauses++;
    }
    for (size_t i = 0; i < crowd.count; i++) {
        end_worker(&crowd, i);
    }
    assert_true(daemon_await(are_equal, &comparison, EQUAL_MS) != UINT64_MAX);
    (void)printf("%u pauses, %u processes; equal after %.1f ms at the most\n", pauses, crowd.born,
                 (double)worst_us / 1000);
    assert_true(pauses > 0);
    free(crowd.pids);
    free(crowd.channels);
    client_close(&comparison.client);
}

static bool has_full_events(void *ctx)
{
    json_t *status = client_call(ctx, "status", NULL);
    size_t i;
    json_t *source;
    bool full = false;

    json_array_foreach(json_at(status, "sources"), i, source)
    {
        const json_t *mode = json_object_get(json_object_get(source, "events"), "mode");
        full = full || (mode != NULL && strcmp(json_string_value(mode), "full") == 0);
    }
    json_decref(status);
    return full;
}

/* Polls find what no event tells of: a bind alone, the end of TIME_WAIT. */
static void anything__with_events_and_polls__free_set_becomes_the_truth(void **state)
{
    struct daemon_process *daemon = *state;

    daemon_start(daemon, POOL "<tcp poll=\"500ms\" full=\"2s\"/>");
    soak(daemon, true);
}

/* Polls are so rare that only events can do it. */
static void listeners_and_connections__with_events_alone__free_set_becomes_the_truth(void **state)
{
    struct daemon_process *daemon = *state;
    struct test_client client = {.socket = PLATFORM_NO_SOCKET};

    daemon_start(daemon, POOL "<tcp poll=\"1h\" full=\"1h\" events=\"on\"/>");
    client_open(&client, daemon->endpoint);
    bool full = daemon_await(has_full_events, &client, 3000) != UINT64_MAX;
    client_close(&client);
    if (!full) {
        (void)printf("this machine does not permit events\n");
        skip();
    }
    soak(daemon, false);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, daemon_setup, daemon_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(anything__with_events_and_polls__free_set_becomes_the_truth),
        CASE(listeners_and_connections__with_events_alone__free_set_becomes_the_truth),
    };
    if (!own_network_enter()) {
        (void)printf("needs root, for a network of its own\n");
        return 77;
    }
    (void)signal(SIGPIPE, SIG_IGN);
    (void)platform_raise_descriptor_limit();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
