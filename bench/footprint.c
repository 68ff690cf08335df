/* SPDX-License-Identifier: MIT */
/* What the daemon takes while it does nothing: memory with a large IIS and many clients, and
 * processor time. */
#define _GNU_SOURCE
#include "network.h"
#include "servers.h"
#include "site_file.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#define MEMORY_GOAL (16U << 20)

/* ---- memory ---- */

static uint64_t resident_bytes(struct bench_link *link)
{
    (void)bench_ask(link, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\"}");
    bench_expect_result(link);
    return bench_answer_number(link, "resident_bytes");
}

static void allow_files(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

/* Connects clients, each of which has asked something. */
static void add_clients(struct bench_link *clients, size_t count, const char *endpoint,
                        char *answers)
{
    for (size_t i = 0; i < count; i++) {
        clients[i].answer = answers; /* one place for all: a MiB each would be a GiB */
        bench_connect(&clients[i], endpoint);
        (void)bench_ask(&clients[i], "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hello\"}");
        bench_expect_result(&clients[i]);
    }
}

static void print_memory(const char *figure, uint64_t bytes, bool has_goal)
{
    char measured[48];

    (void)snprintf(measured, sizeof measured, "%.1f MiB", (double)bytes / (1 << 20));
    bench_print(&(struct bench_row){
        figure, measured, has_goal ? "portserver, empty, recorded: 27 MB" : NULL, 0,
        has_goal ? "≤ 16 MiB" : NULL, has_goal ? bench_met(bytes <= MEMORY_GOAL) : BENCH_NO_GOAL});
}

/* Adds a site to the file, by renaming another one over it, and waits until the daemon knows. */
static void change_sites(const struct bench_options *options, struct bench_link *link,
                         const char *path, uint16_t port)
{
    char fresh[4200];

    (void)snprintf(fresh, sizeof fresh, "%s.new", path);
    bench_write_sites(fresh, bench_count(options, 10000, 10), port);
    if (rename(fresh, path) != 0) {
        bench_fail("%s cannot be renamed", fresh);
    }
    do {
        bench_sleep_ns(2000000);
        (void)bench_ask(
            link, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"who\",\"params\":{\"port\":%u}}",
            port);
        bench_expect_result(link);
    } while (strstr(link->answer, "\"state\":\"free\"") != NULL);
}

static void measure_memory(const struct bench_options *options)
{
    size_t count = bench_count(options, 1000, 5);
    struct bench_link *clients = bench_memory(count, sizeof *clients);
    struct bench_link own = {0};
    char sites[4096];
    char config[8192];

    (void)snprintf(sites, sizeof sites, "%s/applicationHost.config", options->work);
    (void)snprintf(config, sizeof config,
                   "<iis config=\"%s\"/><limits connections=\"1024\" perUser=\"1024\"/>", sites);
    bench_write_sites(sites, bench_count(options, 10000, 10), 0);
    struct bench_server empty = bench_start_daemon(options, "empty", "", BENCH_ANY_CPU);
    bench_connect(&own, empty.endpoint);
    print_memory("resident memory, nothing watched but TCP", resident_bytes(&own), false);
    bench_disconnect(&own);
    bench_stop(&empty);
    struct bench_server daemon = bench_start_daemon(options, "large", config, BENCH_ANY_CPU);
    bench_connect(&own, daemon.endpoint);
    print_memory("resident memory, 10,000 sites", resident_bytes(&own), false);
    add_clients(clients, count, daemon.endpoint, own.answer);
    print_memory("resident memory, 10,000 sites, 1,000 clients", resident_bytes(&own), true);
    for (size_t i = 0; i < bench_count(options, 8, 1); i++) {
        change_sites(options, &own, sites, (uint16_t)(49000 + i));
    }
    print_memory("resident memory, the same after 8 changes of the file", resident_bytes(&own),
                 true);
    for (size_t i = 0; i < count; i++) {
        bench_hang_up(&clients[i]);
    }
    free(clients);
    bench_disconnect(&own);
    bench_stop(&daemon);
}

/* ---- processor time ---- */

static void measure_idle(const struct bench_options *options, const char *figure, bool has_goal)
{
    uint64_t time_ns = options->smoke ? 50000000 : 10000000000U;
    struct bench_server daemon = bench_start_daemon(options, "idle", "", BENCH_ANY_CPU);
    char measured[48];

    /* until what belongs to the start is over, a second reading of all connections among it */
    bench_sleep_ns(options->smoke ? 1000000 : 4000000000U);
    uint64_t start = bench_now_ns();
    uint64_t before = bench_cpu_time_ns(daemon.pid);
    bench_sleep_ns(time_ns);
    uint64_t used = bench_cpu_time_ns(daemon.pid) - before;
    double percent = 100.0 * (double)used / (double)(bench_now_ns() - start);
    (void)snprintf(measured, sizeof measured, "%.3f %% of a core", percent);
    bench_print(&(struct bench_row){figure, measured, NULL, 0, has_goal ? "≤ 0.1 %" : NULL,
                                    has_goal ? bench_met(percent <= 0.1) : BENCH_NO_GOAL});
    bench_stop(&daemon);
}

static void measure_crowded_idle(const struct bench_options *options)
{
    static const char figure[] = "idle, 10,000 connections on the machine";
    struct bench_crowd crowd;
    int status;

    (void)fflush(stdout);
    pid_t pid = fork();
    if (pid == 0) {
        if (bench_own_network()) {
            bench_crowd_open(&crowd, bench_count(options, 10000, 10));
            measure_idle(options, figure, true);
            bench_crowd_close(&crowd);
        } else {
            bench_print_skipped(figure, "needs root");
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

    allow_files();
    measure_memory(&options);
    measure_idle(&options, "idle", true);
    measure_crowded_idle(&options);
    return 0;
}
