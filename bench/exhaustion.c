/* SPDX-License-Identifier: MIT */
/* What does not slow an allocation down: a pool with nothing left, a pool that is nearly full, and
 * a machine with many connections. */
#define _GNU_SOURCE
#include "network.h"
#include "servers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static const char roomy[] = "<pools><pool name=\"default\" ports=\"10000-19999\"/></pools>"
                            "<lease cooldown=\"0s\"/>";
static const char reserved[] =
    "<pools><pool name=\"default\" ports=\"10000-19999\"/></pools>"
    "<reserved><ports range=\"10000-19899\" reason=\"bench\"/></reserved>"
    "<lease cooldown=\"0s\"/>";
static const char small[] = "<pools><pool name=\"default\" ports=\"20000-20999\"/>"
                            "<pool name=\"full\" ports=\"21000-21999\"/></pools>"
                            "<lease cooldown=\"0s\"/>";

static uint64_t allocate(struct bench_link *link, const char *pool, const char *key, size_t number)
{
    return bench_ask(link,
                     "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"allocate\",\"params\":"
                     "{\"pool\":\"%s\",\"key\":\"%s-%08zu\"}}",
                     pool, key, number);
}

static void release(struct bench_link *link, const char *key, size_t number)
{
    (void)bench_ask(link,
                    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"release\",\"params\":"
                    "{\"key\":\"%s-%08zu\"}}",
                    key, number);
    bench_expect_result(link);
}

/* Leases `count` ports of a pool for good. */
static void fill(struct bench_link *link, const char *pool, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        (void)allocate(link, pool, "fill", i);
        bench_expect_result(link);
    }
}

/* Allocations of new keys, each released outside the timing. */
static void run_success(struct bench_link *link, size_t count, struct bench_samples *samples)
{
    for (size_t i = 0; i < count; i++) {
        bench_samples_add(samples, allocate(link, "default", "try", i));
        bench_expect_result(link);
        release(link, "try", i);
    }
}

/* ---- nothing left ---- */

static void run_refusal(struct bench_link *link, size_t count, struct bench_samples *samples)
{
    for (size_t i = 0; i < count; i++) {
        bench_samples_add(samples, allocate(link, "full", "try", i));
    }
    if (strstr(link->answer, "\"pool_exhausted\"") == NULL) {
        bench_fail("a full pool gave %.200s", link->answer);
    }
}

static void measure_full(const struct bench_options *options)
{
    size_t count = bench_count(options, 2000, 20);
    struct bench_server daemon = bench_start_daemon(options, "full", small, 0);
    struct bench_link link = {0};
    struct bench_samples success = {0};
    struct bench_samples refusal = {0};

    bench_connect(&link, daemon.endpoint);
    fill(&link, "full", 1000);
    for (size_t round = 0; round < bench_count(options, 6, 1); round++) {
        run_success(&link, count, &success);
        run_refusal(&link, count, &refusal);
    }
    bench_print_ratio("nothing left: `pool_exhausted`", &refusal, &success, "success", 1.2);
    bench_samples_fini(&success);
    bench_samples_fini(&refusal);
    bench_disconnect(&link);
    bench_stop(&daemon);
}

/* ---- nearly full ---- */

static void measure_busy(const struct bench_options *options, const char *figure,
                         const char *busy_config, size_t leases)
{
    size_t count = bench_count(options, 2000, 20);
    struct bench_server empty = bench_start_daemon(options, "empty", roomy, 0);
    struct bench_server busy = bench_start_daemon(options, "busy", busy_config, 0);
    struct bench_link empty_link = {0};
    struct bench_link busy_link = {0};
    struct bench_samples empty_ns = {0};
    struct bench_samples busy_ns = {0};

    bench_connect(&empty_link, empty.endpoint);
    bench_connect(&busy_link, busy.endpoint);
    fill(&busy_link, "default", leases);
    for (size_t round = 0; round < bench_count(options, 6, 1); round++) {
        run_success(&empty_link, count, &empty_ns);
        run_success(&busy_link, count, &busy_ns);
    }
    bench_print_ratio(figure, &busy_ns, &empty_ns, "none busy", 1.1);
    bench_samples_fini(&empty_ns);
    bench_samples_fini(&busy_ns);
    bench_disconnect(&empty_link);
    bench_disconnect(&busy_link);
    bench_stop(&empty);
    bench_stop(&busy);
}

/* ---- many connections ---- */

/* Runs for some time, so that the table of sockets is read several times meanwhile. */
static void run_while(struct bench_link *link, uint64_t time_ns, struct bench_samples *samples)
{
    uint64_t end = bench_now_ns() + time_ns;

    while (bench_now_ns() < end) {
        run_success(link, 50, samples);
    }
}

static void measure_crowd(const struct bench_options *options)
{
    uint64_t time_ns = options->smoke ? 1000000 : 3000000000U;
    struct bench_server daemon = bench_start_daemon(options, "crowd", roomy, 0);
    struct bench_link link = {0};
    struct bench_samples alone = {0};
    struct bench_samples crowded = {0};
    struct bench_crowd crowd;

    bench_connect(&link, daemon.endpoint);
    for (size_t round = 0; round < bench_count(options, 3, 1); round++) {
        run_while(&link, time_ns, &alone);
        bench_crowd_open(&crowd, bench_count(options, 10000, 10));
        run_while(&link, time_ns, &crowded);
        bench_crowd_close(&crowd);
    }
    bench_print_ratio("`allocate` with 20,000 sockets open", &crowded, &alone, "none open", 1.1);
    bench_samples_fini(&alone);
    bench_samples_fini(&crowded);
    bench_disconnect(&link);
    bench_stop(&daemon);
}

/* In a child, because there is no way back from a network of one's own. */
static void measure_crowd_apart(const struct bench_options *options)
{
    int status;

    (void)fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        if (bench_own_network()) {
            measure_crowd(options);
        } else {
            bench_print_skipped("`allocate` with 20,000 sockets open", "needs root");
        }
        exit(0);
    }
    if (pid < 0 || waitpid(pid, &status, 0) != pid || status != 0) {
        bench_fail("the part with many sockets failed");
    }
}

int main(int argc, char **argv)
{
    struct bench_options options = bench_read_options(argc, argv);
    size_t leases = bench_count(&options, 9900, 100);

    bench_pin(0);
    measure_full(&options);
    measure_busy(&options, "`allocate`, 9,900 of 10,000 ports leased", roomy, leases);
    measure_busy(&options, "`allocate`, 9,900 of 10,000 ports reserved", reserved, 0);
    measure_crowd_apart(&options);
    return 0;
}
