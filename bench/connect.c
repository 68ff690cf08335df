/* SPDX-License-Identifier: MIT */
/* What a deployment step does: connect, allocate, close. One client, then eight at once, which also
 * count how often a port was given to two live leases. */
#define _GNU_SOURCE
#include "servers.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define CLIENTS 8
#define PORTSERVER_COUNT 2000

/* Google's portserver, one client: as recorded (README.md), or as measured in this run. */
static double portserver_rate = 3700;
static uint64_t portserver_p50_ns = 250000;
static const char *portserver_how = "recorded";

static const char config[] = "<pools><pool name=\"default\" ports=\"10000-29999\"/></pools>"
                             "<lease cooldown=\"0s\"/>";

static uint64_t allocate_once(struct bench_link *link, const char *endpoint, size_t client,
                              size_t number)
{
    uint64_t start = bench_now_ns();

    bench_connect(link, endpoint);
    (void)bench_ask(link,
                    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"allocate\",\"params\":"
                    "{\"key\":\"client-%zu-%08zu\"}}",
                    client, number);
    bench_hang_up(link);
    return bench_now_ns() - start;
}

static void release(struct bench_link *link, size_t client, size_t number)
{
    (void)bench_ask(link,
                    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"release\",\"params\":"
                    "{\"key\":\"client-%zu-%08zu\"}}",
                    client, number);
    bench_expect_result(link);
}

/* ---- portserver ---- */

/* One request as its clients make it: connect to an abstract name, send a process id, read a port.
 * @source portpicker.py, _get_port_from_port_server */
static bool ask_portserver(const char *name)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char text[32];
    size_t length = strlen(name);
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    memcpy(address.sun_path + 1, name, length);
    socklen_t size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + length);
    bool done = fd >= 0 && connect(fd, (const struct sockaddr *)&address, size) == 0;
    if (done) {
        int count = snprintf(text, sizeof text, "%d\n", (int)getpid());
        done = write(fd, text, (size_t)count) == count && read(fd, text, sizeof text) > 1;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    return done;
}

static void time_portserver(const char *name, size_t count)
{
    struct bench_samples samples = {0};
    uint64_t begin = bench_now_ns();

    while (!ask_portserver(name)) {
        if (bench_now_ns() - begin > 10000000000U) {
            bench_fail("portserver does not answer");
        }
        bench_sleep_ns(50000000);
    }
    begin = bench_now_ns();
    for (size_t i = 0; i < count; i++) {
        uint64_t start = bench_now_ns();
        if (!ask_portserver(name)) {
            bench_fail("portserver has no port");
        }
        bench_samples_add(&samples, bench_now_ns() - start);
    }
    portserver_rate = (double)count * 1e9 / (double)(bench_now_ns() - begin);
    portserver_p50_ns = bench_percentile(&samples, 50);
    portserver_how = "this run";
    bench_samples_fini(&samples);
}

/* Measures portserver itself, if the environment says where it is. */
static void measure_portserver(const struct bench_options *options)
{
    char *program = getenv("BERTH_BENCH_PORTSERVER");
    char name[64];
    char address[96];
    char log[4096];

    if (program == NULL || *program == '\0') {
        return;
    }
    (void)snprintf(name, sizeof name, "berth-bench-%d", (int)getpid());
    (void)snprintf(address, sizeof address, "@%s", name);
    (void)snprintf(log, sizeof log, "%s/portserver.log", options->work);
    struct bench_server server = {
        .pid = bench_launch(log, BENCH_ANY_CPU,
                            (char *[]){"/usr/bin/env", "python3", program, "--portserver_address",
                                       address, "--portserver_static_pool", "20000-30000", NULL})};
    time_portserver(name, bench_count(options, PORTSERVER_COUNT, 20));
    bench_stop(&server);
}

/* ---- one client ---- */

static void run_alone(struct bench_link *link, const char *endpoint, size_t count,
                      struct bench_samples *samples)
{
    for (size_t i = 0; i < count; i++) {
        bench_samples_add(samples, allocate_once(link, endpoint, 0, i));
    }
}

static uint64_t sum(const struct bench_samples *samples)
{
    uint64_t total = 0;

    for (size_t i = 0; i < samples->count; i++) {
        total += samples->ns[i];
    }
    return total;
}

static double rate_of(const struct bench_samples *samples)
{
    return (double)samples->count * 1e9 / (double)sum(samples);
}

static void print_rate(const char *where, const struct bench_samples *berth,
                       const struct bench_samples *echo)
{
    double rate = rate_of(berth);
    char figure[96];
    char measured[48];
    char other[96];

    (void)snprintf(figure, sizeof figure, "the same as a rate, %s", where);
    (void)snprintf(measured, sizeof measured, "%.0f/s", rate);
    (void)snprintf(other, sizeof other, "echo: %.0f/s; portserver, %s: %.0f/s", rate_of(echo),
                   portserver_how, portserver_rate);
    bench_print(&(struct bench_row){figure, measured, other, rate / portserver_rate,
                                    "≥ 10 × portserver", bench_met(rate >= 10 * portserver_rate)});
}

static void print_alone(const char *where, struct bench_samples *berth, struct bench_samples *echo)
{
    uint64_t p50 = bench_percentile(berth, 50);
    char shown[32];
    char p99[32];
    char figure[96];
    char measured[96];
    char floor[128];
    char other[32];

    (void)snprintf(figure, sizeof figure, "connect + allocate + close, 1 client, %s", where);
    (void)snprintf(measured, sizeof measured, "p50 %s, p99 %s",
                   bench_show_ns(shown, sizeof shown, p50),
                   bench_show_ns(p99, sizeof p99, bench_percentile(berth, 99)));
    (void)snprintf(floor, sizeof floor, "echo: p50 %s; portserver, %s: p50 %s",
                   bench_show_ns(shown, sizeof shown, bench_percentile(echo, 50)), portserver_how,
                   bench_show_ns(other, sizeof other, portserver_p50_ns));
    bench_print(&(struct bench_row){figure, measured, floor,
                                    (double)p50 / (double)bench_percentile(echo, 50), "p50 ≤ 40 µs",
                                    bench_met(p50 <= 40000)});
}

static void measure_alone(const struct bench_options *options, int server_cpu, int client_cpu,
                          const char *where)
{
    size_t count = bench_count(options, 2000, 20);
    struct bench_server daemon = bench_start_daemon(options, "c1", config, server_cpu);
    struct bench_samples berth_ns = {0};
    struct bench_samples echo_ns = {0};
    struct bench_link link = {0};
    struct bench_link kept = {0};

    bench_pin(client_cpu);
    (void)allocate_once(&link, daemon.endpoint, 0, 0);
    bench_expect_result(&link);
    struct bench_server floor = bench_start_echo(options, "echo", link.length + 1, server_cpu);
    bench_connect(&kept, daemon.endpoint);
    release(&kept, 0, 0);
    for (size_t round = 0; round < bench_count(options, 5, 1); round++) {
        run_alone(&link, floor.endpoint, count, &echo_ns);
        run_alone(&link, daemon.endpoint, count, &berth_ns);
        for (size_t i = 0; i < count; i++) {
            release(&kept, 0, i);
        }
    }
    print_alone(where, &berth_ns, &echo_ns);
    print_rate(where, &berth_ns, &echo_ns);
    bench_pin(BENCH_ANY_CPU);
    bench_samples_fini(&berth_ns);
    bench_samples_fini(&echo_ns);
    bench_disconnect(&kept);
    free(link.answer);
    bench_stop(&daemon);
    bench_stop(&floor);
}

/* ---- eight at once ---- */

/* What the clients share: which ports are leased now, and how they keep in step. */
struct shared {
    pthread_barrier_t barrier;
    atomic_uint live[65536];
    atomic_ulong duplicates;
    atomic_ulong refused;
    size_t each; /* allocations of a client in a round */
    size_t rounds;
    uint64_t start_ns;
    uint64_t busy_ns; /* all rounds together, without the releases */
    uint64_t ns[];    /* CLIENTS * rounds * each */
};

static void wait_for_all(struct shared *shared, uint64_t *ended_at)
{
    int last = pthread_barrier_wait(&shared->barrier);

    if (last == PTHREAD_BARRIER_SERIAL_THREAD && ended_at != NULL) {
        *ended_at = bench_now_ns();
    }
    (void)pthread_barrier_wait(&shared->barrier);
}

/* One round of one client; what it got is released at the end. */
static void run_client_round(struct shared *shared, size_t client, const char *endpoint,
                             uint64_t *out, unsigned *ports)
{
    struct bench_link link = {0};
    uint64_t end;

    wait_for_all(shared, &shared->start_ns);
    for (size_t i = 0; i < shared->each; i++) {
        out[i] = allocate_once(&link, endpoint, client, i);
        if (strstr(link.answer, "\"result\":") == NULL) {
            atomic_fetch_add(&shared->refused, 1);
            ports[i] = 0;
            continue;
        }
        ports[i] = (unsigned)bench_answer_number(&link, "port") & 65535;
        atomic_fetch_add(&shared->duplicates,
                         atomic_fetch_add(&shared->live[ports[i]], 1) != 0 ? 1 : 0);
    }
    if (pthread_barrier_wait(&shared->barrier) == PTHREAD_BARRIER_SERIAL_THREAD) {
        end = bench_now_ns();
        shared->busy_ns += end - shared->start_ns;
    }
    bench_connect(&link, endpoint);
    for (size_t i = 0; i < shared->each; i++) {
        if (ports[i] != 0) {
            atomic_fetch_sub(&shared->live[ports[i]], 1);
            release(&link, client, i);
        }
    }
    bench_disconnect(&link);
}

static void run_client(struct shared *shared, size_t client, const char *endpoint)
{
    unsigned *ports = bench_memory(shared->each, sizeof *ports);

    for (size_t round = 0; round < shared->rounds; round++) {
        run_client_round(shared, client, endpoint,
                         &shared->ns[(client * shared->rounds + round) * shared->each], ports);
    }
    free(ports);
}

static struct shared *make_shared(size_t each, size_t rounds, size_t *bytes)
{
    pthread_barrierattr_t attributes;

    *bytes = sizeof(struct shared) + CLIENTS * each * rounds * sizeof(uint64_t);
    struct shared *shared =
        mmap(NULL, *bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED) {
        bench_fail("no shared memory");
    }
    (void)pthread_barrierattr_init(&attributes);
    (void)pthread_barrierattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
    (void)pthread_barrier_init(&shared->barrier, &attributes, CLIENTS);
    (void)pthread_barrierattr_destroy(&attributes);
    shared->each = each;
    shared->rounds = rounds;
    return shared;
}

static void run_clients(struct shared *shared, const char *endpoint)
{
    pid_t pids[CLIENTS];
    int status;
    bool failed = false;

    for (size_t i = 0; i < CLIENTS; i++) {
        pids[i] = fork();
        if (pids[i] == 0) {
            (void)alarm(300); /* a client that fails would leave the others waiting */
            run_client(shared, i, endpoint);
            _exit(0);
        }
        failed = failed || pids[i] < 0;
    }
    for (size_t i = 0; i < CLIENTS; i++) {
        failed = failed || waitpid(pids[i], &status, 0) != pids[i] || status != 0;
    }
    if (failed) {
        bench_fail("a client failed");
    }
}

static void print_together(struct shared *shared)
{
    struct bench_samples samples = {0};
    size_t total = CLIENTS * shared->rounds * shared->each;
    char measured[128];
    char p50[32];
    char p99[32];
    char row[96];

    for (size_t i = 0; i < total; i++) {
        bench_samples_add(&samples, shared->ns[i]);
    }
    uint64_t high = bench_percentile(&samples, 99);
    (void)snprintf(measured, sizeof measured, "p50 %s, p99 %s, %.0f/s",
                   bench_show_ns(p50, sizeof p50, bench_percentile(&samples, 50)),
                   bench_show_ns(p99, sizeof p99, high),
                   (double)total * 1e9 / (double)shared->busy_ns);
    bench_print(&(struct bench_row){"connect + allocate + close, 8 clients at once", measured,
                                    "portserver, recorded: p99 2.1–2.6 ms", (double)high / 2.1e6,
                                    "p99 ≤ 1 ms", bench_met(high <= 1000000)});
    unsigned long twice = atomic_load(&shared->duplicates);
    unsigned long refused = atomic_load(&shared->refused);
    (void)snprintf(row, sizeof row, "%lu duplicates, %lu refused of %zu", twice, refused, total);
    bench_print(&(struct bench_row){"ports given to two live leases", row, NULL, 0, "0",
                                    bench_met(twice == 0 && refused == 0)});
    bench_samples_fini(&samples);
}

static void measure_together(const struct bench_options *options)
{
    size_t bytes;
    struct shared *shared =
        make_shared(bench_count(options, 1250, 20), bench_count(options, 10, 2), &bytes);
    struct bench_server daemon = bench_start_daemon(options, "c8", config, BENCH_ANY_CPU);

    run_clients(shared, daemon.endpoint);
    print_together(shared);
    bench_stop(&daemon);
    (void)pthread_barrier_destroy(&shared->barrier);
    (void)munmap(shared, bytes);
}

int main(int argc, char **argv)
{
    struct bench_options options = bench_read_options(argc, argv);

    measure_portserver(&options);
    measure_alone(&options, 0, 0, "pinned to one CPU");
    measure_alone(&options, BENCH_ANY_CPU, BENCH_ANY_CPU, "not pinned");
    measure_together(&options);
    return 0;
}
