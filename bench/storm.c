/* SPDX-License-Identifier: MIT */
/* A storm of outgoing connections on the machine while the daemon is told of each by the kernel:
 * whether any is lost, what `allocate` takes meanwhile against an echo, and what it costs. */
#define _GNU_SOURCE
#include "network.h"
#include "servers.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define PORT 19999

static const char config[] = "<pools><pool name=\"default\" ports=\"20000-29999\"/></pools>"
                             "<lease cooldown=\"0s\"/><tcp events=\"on\"/>";

/* ---- the storm ---- */

/* What the storm tells this process. */
struct counter {
    _Atomic uint64_t connections;
};

static void connect_once(uint32_t address)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(PORT), .sin_addr.s_addr = htonl(address)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0 || connect(fd, (const struct sockaddr *)&to, sizeof to) != 0) {
        bench_fail("the storm cannot connect");
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    (void)close(fd);
}

/* Connects and resets, spread over 127/8 so that ports last, at about `rate` a second; what was
 * connected is taken by nobody, and reset leaves nothing of it. */
static void run_storm(struct counter *counter, int listener, uint64_t rate)
{
    uint64_t start = bench_now_ns();

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (uint64_t n = 0;; n++) {
        uint64_t due = start + n * 1000000000U / rate;
        uint64_t now = bench_now_ns();
        int accepted;
        if (due > now) {
            bench_sleep_ns(due - now);
        }
        connect_once(0x7f000001U + (uint32_t)(n % 200) * 256U);
        atomic_fetch_add(&counter->connections, 1);
        while ((accepted = accept4(listener, NULL, NULL, SOCK_CLOEXEC)) >= 0) {
            (void)close(accepted);
        }
    }
}

static int listen_everywhere(void)
{
    const struct sockaddr_in any = {.sin_family = AF_INET, .sin_port = htons(PORT)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0 || bind(fd, (const struct sockaddr *)&any, sizeof any) != 0 ||
        listen(fd, 4096) != 0) {
        bench_fail("port %d cannot be listened on", PORT);
    }
    return fd;
}

/* ---- what it does to the daemon ---- */

static void run_round(struct bench_link *link, size_t count, bool releases,
                      struct bench_samples *samples)
{
    for (size_t i = 0; i < count; i++) {
        bench_samples_add(samples, bench_ask(link,
                                             "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"allocate\""
                                             ",\"params\":{\"key\":\"storm-%08zu\"}}",
                                             i));
    }
    for (size_t i = 0; releases && i < count; i++) {
        (void)bench_ask(link,
                        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"release\",\"params\":{\"key\":"
                        "\"storm-%08zu\"}}",
                        i);
        bench_expect_result(link);
    }
}

static uint64_t ask_lost(struct bench_link *link, uint64_t *total)
{
    (void)bench_ask(link, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\"}");
    bench_expect_result(link);
    *total = bench_answer_number(link, "total");
    return bench_answer_number(link, "lost");
}

static void print_cost(const char *when, uint64_t connections, uint64_t used_ns, uint64_t took_ns)
{
    char figure[128];
    char measured[96];

    (void)snprintf(figure, sizeof figure, "processor time of the daemon, %s", when);
    (void)snprintf(measured, sizeof measured, "%.2f %% of a core at %.0f connections/s",
                   100.0 * (double)used_ns / (double)took_ns,
                   1e9 * (double)connections / (double)took_ns);
    bench_print(&(struct bench_row){figure, measured, NULL, 0, NULL, BENCH_NO_GOAL});
}

static void print_lost(uint64_t lost, uint64_t events, uint64_t connections)
{
    char measured[128];

    (void)snprintf(measured, sizeof measured,
                   "%" PRIu64 " lost of %" PRIu64 " events, %" PRIu64 " connections", lost, events,
                   connections);
    bench_print(&(struct bench_row){"events of the storm", measured, NULL, 0, "0 lost",
                                    bench_met(lost == 0 && events >= connections)});
}

/* Nothing else is done meanwhile, so that the cost is the events' alone. */
static void measure_cost(const struct bench_options *options, const struct bench_server *daemon,
                         struct counter *counter)
{
    uint64_t connections = atomic_load(&counter->connections);
    uint64_t used = bench_cpu_time_ns(daemon->pid);
    uint64_t start = bench_now_ns();

    bench_sleep_ns(options->smoke ? 50000000 : 5000000000U);
    print_cost("told of a storm", atomic_load(&counter->connections) - connections,
               bench_cpu_time_ns(daemon->pid) - used, bench_now_ns() - start);
}

static void measure(const struct bench_options *options, struct counter *counter)
{
    size_t count = bench_count(options, 1000, 10);
    struct bench_server daemon = bench_start_daemon(options, "storm", config, BENCH_ANY_CPU);
    struct bench_samples berth_ns = {0};
    struct bench_samples echo_ns = {0};
    struct bench_link berth = {0};
    struct bench_link echo = {0};
    uint64_t before;
    uint64_t after;
    char figure[160];

    bench_connect(&berth, daemon.endpoint);
    struct bench_samples warm = {0};
    run_round(&berth, 2, false, &warm);
    bench_expect_result(&berth);
    struct bench_server floor = bench_start_echo(options, "echo", berth.length + 1, BENCH_ANY_CPU);
    bench_connect(&echo, floor.endpoint);
    uint64_t lost = ask_lost(&berth, &before);
    uint64_t connections = atomic_load(&counter->connections);
    for (size_t round = 0; round < bench_count(options, 20, 2); round++) {
        run_round(&echo, count, false, &echo_ns);
        run_round(&berth, count, true, &berth_ns);
    }
    measure_cost(options, &daemon, counter);
    connections = atomic_load(&counter->connections) - connections;
    bench_sleep_ns(1500000000U); /* what the kernel holds back, it gives within a second */
    lost = ask_lost(&berth, &after) - lost;
    uint64_t berth_p99 = bench_percentile(&berth_ns, 99);
    uint64_t echo_p99 = bench_percentile(&echo_ns, 99);
    char mine[32];
    char its[64];
    (void)snprintf(figure, sizeof figure, "p99 of `allocate`, new key, in a storm of connections");
    (void)bench_show_ns(mine, sizeof mine, berth_p99);
    (void)snprintf(its, sizeof its, "echo ");
    (void)bench_show_ns(its + 5, sizeof its - 5, echo_p99);
    double ratio = (double)berth_p99 / (double)(echo_p99 != 0 ? echo_p99 : 1);
    bench_print(&(struct bench_row){figure, mine, its, ratio, "≤ 1.5 ×", bench_met(ratio <= 1.5)});
    print_lost(lost, after - before, connections);
    bench_samples_fini(&warm);
    bench_samples_fini(&berth_ns);
    bench_samples_fini(&echo_ns);
    bench_disconnect(&berth);
    bench_disconnect(&echo);
    bench_stop(&daemon);
    bench_stop(&floor);
}

int main(int argc, char **argv)
{
    struct bench_options options = bench_read_options(argc, argv);
    struct counter *counter =
        mmap(NULL, sizeof *counter, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);

    if (!bench_own_network()) {
        bench_print_skipped("a storm of connections", "needs root");
        return 0;
    }
    if (counter == MAP_FAILED) {
        bench_fail("no memory");
    }
    int listener = listen_everywhere();
    pid_t pid = fork();
    if (pid == 0) {
        run_storm(counter, listener, 4000);
    }
    measure(&options, counter);
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
    return 0;
}
