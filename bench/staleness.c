/* SPDX-License-Identifier: MIT */
/* How long the daemon takes to know what happened elsewhere: a listener of another process, and a
 * site that was added to applicationHost.config. From the end of the system call that did it to the
 * first answer that says so. */
#define _GNU_SOURCE
#include "network.h"
#include "servers.h"
#include "site_file.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define FIRST_PORT 20000
#define LIMIT_NS 20000000000U
#define SITES 200

/* ---- asking ---- */

static bool is_free(struct bench_link *link, unsigned port)
{
    (void)bench_ask(
        link, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"who\",\"params\":{\"port\":%u}}", port);
    bench_expect_result(link);
    return strstr(link->answer, "\"state\":\"free\"") != NULL;
}

/* Asks until a port is free, or is not; gives how long after `since_ns` that was. */
static uint64_t wait_until(struct bench_link *link, unsigned port, bool free, uint64_t since_ns)
{
    while (is_free(link, port) != free) {
        if (bench_now_ns() - since_ns > LIMIT_NS) {
            bench_fail("port %u stays %s", port, free ? "taken" : "free");
        }
        bench_sleep_ns(20000);
    }
    return bench_now_ns() - since_ns;
}

static void print_staleness(const char *figure, struct bench_samples *samples, const char *goal,
                            uint64_t p50_ns, uint64_t p99_ns)
{
    uint64_t middle = bench_percentile(samples, 50);
    uint64_t high = bench_percentile(samples, 99);
    char p50[32];
    char p99[32];
    char measured[96];

    (void)snprintf(measured, sizeof measured, "p50 %s, p99 %s",
                   bench_show_ns(p50, sizeof p50, middle), bench_show_ns(p99, sizeof p99, high));
    bench_print(&(struct bench_row){figure, measured, NULL, 0, goal,
                                    bench_met(middle <= p50_ns && high <= p99_ns)});
}

/* ---- a listener elsewhere ---- */

struct other {
    pid_t pid;
    int to;   /* a port to listen on; 0: to close the listener */
    int from; /* when that was done */
};

static void run_other(int from, int to)
{
    uint16_t port;
    int listener = -1;

    while (read(from, &port, sizeof port) == (ssize_t)sizeof port) {
        if (listener >= 0) {
            (void)close(listener);
        }
        listener = port != 0 ? bench_listen(port) : -1;
        uint64_t now = port == 0 || listener >= 0 ? bench_now_ns() : 0;
        if (write(to, &now, sizeof now) != (ssize_t)sizeof now) {
            break;
        }
    }
    _exit(0);
}

static struct other start_other(void)
{
    int there[2];
    int back[2];
    struct other other;

    if (pipe(there) != 0 || pipe(back) != 0) {
        bench_fail("no pipe");
    }
    other.pid = fork();
    if (other.pid == 0) {
        (void)close(there[1]);
        (void)close(back[0]);
        run_other(there[0], back[1]);
    }
    (void)close(there[0]);
    (void)close(back[1]);
    other.to = there[1];
    other.from = back[0];
    return other;
}

static void stop_other(struct other *other)
{
    (void)close(other->to);
    (void)close(other->from);
    (void)waitpid(other->pid, NULL, 0);
}

/* Makes the other process listen, or close with port 0; gives when that was done, 0: it could not.
 */
static uint64_t tell_other(const struct other *other, uint16_t port)
{
    uint64_t when = 0;

    if (write(other->to, &port, sizeof port) != (ssize_t)sizeof port ||
        read(other->from, &when, sizeof when) != (ssize_t)sizeof when) {
        bench_fail("the other process ended");
    }
    return when;
}

/* One way of being told, and what is to be reached. */
struct way_of_telling {
    const char *config;
    const char *listen_figure;
    const char *close_figure;
    const char *goal;
    uint64_t p50_ns;
    uint64_t p99_ns;
    size_t listens;
    uint64_t shortest_pause_ns; /* at any moment between two looks, not just behind one */
    uint64_t pause_ns;
};

static void listen_and_close(const struct bench_options *options, const struct way_of_telling *way,
                             struct bench_link *link, struct bench_samples *listens,
                             struct bench_samples *closes)
{
    struct other other = start_other();
    uint64_t seed = 1;

    for (size_t i = 0; i < bench_count(options, way->listens, 1); i++) {
        unsigned port = FIRST_PORT + (unsigned)(i % 10000);
        bench_sleep_ns(
            options->smoke ? 0 : way->shortest_pause_ns + bench_random(&seed) % way->pause_ns);
        if (!is_free(link, port)) {
            continue;
        }
        uint64_t when = tell_other(&other, (uint16_t)port);
        if (when == 0) {
            continue;
        }
        bench_samples_add(listens, wait_until(link, port, false, when));
        bench_sleep_ns(
            options->smoke ? 0 : way->shortest_pause_ns + bench_random(&seed) % way->pause_ns);
        when = tell_other(&other, 0);
        bench_samples_add(closes, wait_until(link, port, true, when));
    }
    stop_other(&other);
}

static void measure_listen(const struct bench_options *options, const struct way_of_telling *way)
{
    struct bench_server daemon = bench_start_daemon(options, "tcp", way->config, BENCH_ANY_CPU);
    struct bench_samples listens = {0};
    struct bench_samples closes = {0};
    struct bench_link link = {0};

    bench_connect(&link, daemon.endpoint);
    /* nothing asked of it yet may belong to its start */
    bench_sleep_ns(options->smoke ? 0 : 1500000000U);
    listen_and_close(options, way, &link, &listens, &closes);
    if (listens.count == 0) {
        bench_fail("no port from %d up could be listened on", FIRST_PORT);
    }
    print_staleness(way->listen_figure, &listens, way->goal, way->p50_ns, way->p99_ns);
    print_staleness(way->close_figure, &closes, way->goal, way->p50_ns, way->p99_ns);
    bench_samples_fini(&listens);
    bench_samples_fini(&closes);
    bench_disconnect(&link);
    bench_stop(&daemon);
}

#define LISTEN_POOL "<pools><pool name=\"default\" ports=\"20000-29999\"/></pools>"

static void measure_listens(const struct bench_options *options)
{
    static const struct way_of_telling events = {
        .config = LISTEN_POOL "<tcp events=\"on\"/>",
        .listen_figure = "`listen()` elsewhere → not free, events on",
        .close_figure = "its close → free, events on",
        .goal = "p50 ≤ 200 µs, p99 ≤ 2 ms",
        .p50_ns = 200000,
        .p99_ns = 2000000,
        .listens = 10000,
        .shortest_pause_ns = 2000000,
        .pause_ns = 8000000,
    };
    static const struct way_of_telling polls = {
        .config = LISTEN_POOL "<tcp events=\"off\"/>",
        .listen_figure = "`listen()` elsewhere → not free, events off",
        .close_figure = "its close → free, events off",
        .goal = "≤ 1 s (the poll)",
        .p50_ns = 1000000000,
        .p99_ns = 1100000000,
        .listens = 30,
        .pause_ns = 1000000000,
    };

    measure_listen(options, &events);
    measure_listen(options, &polls);
}

/* ---- a site ---- */

enum way { BY_RENAME, IN_PLACE };

static void copy_file(const char *to, const char *from)
{
    FILE *in = fopen(from, "rb");
    FILE *out = fopen(to, "wb"); /* truncates: the file is damaged until it is whole again */
    char bytes[65536];
    size_t count;

    if (in == NULL || out == NULL) {
        bench_fail("%s cannot be copied", from);
        return;
    }
    while ((count = fread(bytes, 1, sizeof bytes, in)) > 0) {
        (void)fwrite(bytes, 1, count, out);
    }
    (void)fclose(in);
    if (fclose(out) != 0) {
        bench_fail("%s cannot be written", to);
    }
}

static void measure_site(const struct bench_options *options, enum way way, const char *figure)
{
    struct bench_samples samples = {0};
    struct bench_link link = {0};
    char path[4096];
    char fresh[4096];
    char config[8192];
    uint64_t seed = 2;

    (void)snprintf(path, sizeof path, "%s/applicationHost.config", options->work);
    (void)snprintf(fresh, sizeof fresh, "%s/applicationHost.new", options->work);
    (void)snprintf(config, sizeof config,
                   "<pools><pool name=\"default\" ports=\"50000-50999\"/></pools>"
                   "<iis config=\"%s\"/>",
                   path);
    bench_write_sites(path, SITES, 0);
    struct bench_server daemon = bench_start_daemon(options, "iis", config, BENCH_ANY_CPU);
    bench_connect(&link, daemon.endpoint);
    for (size_t i = 0; i < bench_count(options, 30, 1); i++) {
        unsigned port = 50000 + (unsigned)i;
        bench_sleep_ns(options->smoke ? 0 : 50000000 + bench_random(&seed) % 200000000U);
        if (!is_free(&link, port)) {
            continue; /* something else of this machine */
        }
        bench_write_sites(fresh, SITES, (uint16_t)port);
        if (way == BY_RENAME) {
            if (rename(fresh, path) != 0) {
                bench_fail("%s cannot be renamed", fresh);
            }
        } else {
            copy_file(path, fresh);
        }
        bench_samples_add(&samples, wait_until(&link, port, false, bench_now_ns()));
    }
    print_staleness(figure, &samples, "p99 ≤ 100 ms", 100000000, 100000000);
    bench_samples_fini(&samples);
    bench_disconnect(&link);
    bench_stop(&daemon);
}

int main(int argc, char **argv)
{
    struct bench_options options = bench_read_options(argc, argv);

    measure_listens(&options);
    measure_site(&options, BY_RENAME, "site added, file renamed into place → not free");
    measure_site(&options, IN_PLACE, "site added, file written in place → not free");
    return 0;
}
