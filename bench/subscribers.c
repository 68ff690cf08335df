/* SPDX-License-Identifier: MIT */
/* What subscribers cost whoever allocates: 64 of them, 8 of which never read, against none. The
 * readers are a process of their own, so that the daemon is what is measured. */
#include "servers.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define READERS 56
#define DEAF 8
#define CONFIG                                                                                     \
    "<pools><pool name=\"default\" ports=\"20000-20999\"/></pools>"                                \
    "<tcp poll=\"1m\" full=\"1m\" events=\"off\"/><lease cooldown=\"0s\"/>"

static void subscribe(struct bench_link *link, const char *endpoint)
{
    bench_connect(link, endpoint);
    (void)bench_ask(link, "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"subscribe\"}");
    bench_expect_result(link);
}

/* Reads until it is ended. Says once that all have subscribed. */
static void follow(const char *endpoint, int ready)
{
    static struct bench_link links[READERS + DEAF];
    static char bytes[65536];
    struct pollfd polls[READERS];

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int i = 0; i < READERS + DEAF; i++) {
        subscribe(&links[i], endpoint);
    }
    for (int i = 0; i < READERS; i++) {
        polls[i] = (struct pollfd){.fd = links[i].fd, .events = POLLIN};
    }
    if (write(ready, "r", 1) != 1) {
        _exit(1);
    }
    for (;;) {
        (void)poll(polls, READERS, -1);
        for (int i = 0; i < READERS; i++) {
            if (polls[i].revents != 0 && recv(polls[i].fd, bytes, sizeof bytes, 0) <= 0) {
                _exit(1);
            }
        }
    }
}

static pid_t start_followers(const char *endpoint)
{
    int pipe_ends[2];
    char byte;

    if (pipe(pipe_ends) != 0) {
        bench_fail("no pipe");
    }
    pid_t child = fork();
    if (child == 0) {
        follow(endpoint, pipe_ends[1]);
    }
    (void)close(pipe_ends[1]);
    if (child < 0 || read(pipe_ends[0], &byte, 1) != 1) {
        bench_fail("the subscribers did not come to be");
    }
    (void)close(pipe_ends[0]);
    return child;
}

static void measure(struct bench_link *link, size_t count, struct bench_samples *samples)
{
    for (size_t i = 0; i < count; i++) {
        bench_samples_add(samples, bench_ask(link,
                                             "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":"
                                             "\"allocate\",\"params\":{\"key\":\"k%zu\"}}",
                                             i));
        bench_expect_result(link);
        (void)bench_ask(link,
                        "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"release\",\"params\":{"
                        "\"key\":\"k%zu\"}}",
                        i);
    }
}

static void print(struct bench_samples *with, struct bench_samples *without)
{
    char text[4][32];
    char measured[96];
    char reference[96];

    (void)snprintf(measured, sizeof measured, "p50 %s, p99 %s",
                   bench_show_ns(text[0], sizeof text[0], bench_percentile(with, 50)),
                   bench_show_ns(text[1], sizeof text[1], bench_percentile(with, 99)));
    (void)snprintf(reference, sizeof reference, "no subscribers: p50 %s, p99 %s",
                   bench_show_ns(text[2], sizeof text[2], bench_percentile(without, 50)),
                   bench_show_ns(text[3], sizeof text[3], bench_percentile(without, 99)));
    const struct bench_row row = {
        .figure = "`allocate`, 64 subscribers of which 8 never read (ratio of p99)",
        .measured = measured,
        .reference = reference,
        .ratio = (double)bench_percentile(with, 99) / (double)bench_percentile(without, 99),
        .verdict = BENCH_NO_GOAL,
    };
    bench_print(&row);
}

int main(int argc, char **argv)
{
    const struct bench_options options = bench_read_options(argc, argv);
    const size_t count = bench_count(&options, 20000, 20);
    struct bench_samples without = {.count = 0};
    struct bench_samples with = {.count = 0};
    struct bench_link link = {.fd = -1};
    struct bench_server daemon = bench_start_daemon(&options, "subscribers", CONFIG, BENCH_ANY_CPU);

    bench_connect(&link, daemon.endpoint);
    measure(&link, count, &without);
    pid_t followers = start_followers(daemon.endpoint);
    measure(&link, count, &with);
    print(&with, &without);
    (void)kill(followers, SIGKILL);
    (void)waitpid(followers, NULL, 0);
    bench_disconnect(&link);
    bench_stop(&daemon);
    bench_samples_fini(&with);
    bench_samples_fini(&without);
    return 0;
}
