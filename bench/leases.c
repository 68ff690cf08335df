/* SPDX-License-Identifier: MIT */
/* Durable leases a second: clients on open connections, each with one request in flight, all driven
 * by one thread, so that the daemon is what is measured. With `commit` and with `sync`, the latter
 * beside what a bare append and fdatasync takes in the same folder. */
#include "servers.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS_MAX 64
#define APPEND_BYTES 4096 /* about what a lease writes */

struct client {
    struct bench_link link;
    size_t number; /* of the key asked for last */
    size_t left;
    uint64_t sent_ns;
};

static size_t write_request(char *out, size_t size, const char *method, size_t client,
                            size_t number)
{
    int length = snprintf(out, size,
                          "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":"
                          "{\"key\":\"client-%03zu-%08zu\"}}\n",
                          method, client, number);

    return (size_t)length;
}

static void ask_next(struct client *client, size_t index)
{
    char request[256];
    size_t length = write_request(request, sizeof request, "allocate", index, client->number++);

    client->left--;
    client->sent_ns = bench_now_ns();
    if (send(client->link.fd, request, length, MSG_NOSIGNAL) != (ssize_t)length) {
        bench_fail("a request was not taken");
    }
}

static void take_answer(struct client *client, struct bench_samples *samples)
{
    char answer[1024];
    ssize_t count = recv(client->link.fd, answer, sizeof answer - 1, 0);

    if (count <= 0 || answer[count - 1] != '\n') {
        bench_fail("no whole answer");
        return;
    }
    bench_samples_add(samples, bench_now_ns() - client->sent_ns);
    answer[count] = '\0';
    if (strstr(answer, "\"reused\":false") == NULL) {
        bench_fail("not a new lease: %.300s", answer);
    }
}

/* Has each client get `each` leases.  @return how long that took */
static uint64_t run_round(struct client *clients, size_t count, size_t each,
                          struct bench_samples *samples)
{
    struct pollfd polls[CLIENTS_MAX];
    size_t waiting = count;
    uint64_t start = bench_now_ns();

    for (size_t i = 0; i < count; i++) {
        clients[i].number = 0;
        clients[i].left = each;
        polls[i] = (struct pollfd){.fd = clients[i].link.fd, .events = POLLIN};
        ask_next(&clients[i], i);
    }
    while (waiting > 0) {
        if (poll(polls, count, 10000) <= 0) {
            bench_fail("no answer within 10 s");
        }
        for (size_t i = 0; i < count; i++) {
            if ((polls[i].revents & (POLLIN | POLLHUP | POLLERR)) == 0) {
                continue;
            }
            take_answer(&clients[i], samples);
            if (clients[i].left > 0) {
                ask_next(&clients[i], i);
            } else {
                polls[i].fd = -1;
                waiting--;
            }
        }
    }
    return bench_now_ns() - start;
}

static void release_all(struct client *clients, size_t count, size_t each)
{
    char request[256];

    for (size_t i = 0; i < count; i++) {
        for (size_t k = 0; k < each; k++) {
            size_t length = write_request(request, sizeof request, "release", i, k);
            (void)bench_call(&clients[i].link, request, length);
            bench_expect_result(&clients[i].link);
        }
    }
}

/* What the disk itself takes: an append of a lease's size, made durable. */
static uint64_t measure_disk(const struct bench_options *options, struct bench_samples *samples)
{
    static char bytes[APPEND_BYTES];
    char path[4096];

    (void)snprintf(path, sizeof path, "%s/append", options->work);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    for (size_t i = 0; i < bench_count(options, 500, 5); i++) {
        uint64_t start = bench_now_ns();
        if (fd < 0 || pwrite(fd, bytes, sizeof bytes, (off_t)(i % 256 * sizeof bytes)) < 0 ||
            fdatasync(fd) != 0) {
            bench_fail("%s cannot be written and synced", path);
        }
        bench_samples_add(samples, bench_now_ns() - start);
    }
    (void)close(fd);
    (void)unlink(path);
    return bench_percentile(samples, 50);
}

struct plan {
    const char *durability;
    size_t clients;
    size_t each;
    size_t rounds;
    double least; /* leases a second; 0: no goal */
};

static void print(const struct plan *plan, struct bench_samples *samples, uint64_t busy_ns,
                  uint64_t disk_ns)
{
    double rate = (double)samples->count * 1e9 / (double)busy_ns;
    char figure[128];
    char measured[128];
    char reference[128] = "";
    char goal[64] = "";
    char text[2][32];

    (void)snprintf(figure, sizeof figure, "`allocate`, new keys, %s, %zu client%s",
                   plan->durability, plan->clients, plan->clients == 1 ? "" : "s at once");
    (void)snprintf(measured, sizeof measured, "%.0f/s, p50 %s, p99 %s", rate,
                   bench_show_ns(text[0], sizeof text[0], bench_percentile(samples, 50)),
                   bench_show_ns(text[1], sizeof text[1], bench_percentile(samples, 99)));
    if (disk_ns != 0) {
        (void)snprintf(reference, sizeof reference, "append + fdatasync: p50 %s, %.0f/s",
                       bench_show_ns(text[0], sizeof text[0], disk_ns), 1e9 / (double)disk_ns);
    }
    if (plan->least > 0) {
        (void)snprintf(goal, sizeof goal, "≥ %.0f/s", plan->least);
    }
    bench_print(&(struct bench_row){
        figure, measured, disk_ns != 0 ? reference : NULL,
        disk_ns != 0 ? rate * (double)disk_ns / 1e9 : 0, plan->least > 0 ? goal : NULL,
        plan->least > 0 ? bench_met(rate >= plan->least) : BENCH_NO_GOAL});
}

static void measure(const struct bench_options *options, const struct plan *plan)
{
    struct client clients[CLIENTS_MAX] = {{.left = 0}};
    struct bench_samples samples = {0};
    struct bench_samples disk = {0};
    bool sync = strcmp(plan->durability, "sync") == 0;
    size_t each = bench_count(options, plan->each, 5);
    char config[300];
    char name[16];
    uint64_t busy_ns = 0;

    (void)snprintf(name, sizeof name, "l%c%zu", plan->durability[0], plan->clients);
    (void)snprintf(config, sizeof config,
                   "<pools><pool name=\"default\" ports=\"10000-29999\"/></pools>"
                   "<lease cooldown=\"0s\"/><store durability=\"%s\"/>",
                   plan->durability);
    struct bench_server daemon = bench_start_daemon(options, name, config, 0);
    for (size_t i = 0; i < plan->clients; i++) {
        bench_connect(&clients[i].link, daemon.endpoint);
    }
    bench_pin(bench_cpus() > 1 ? 1 : 0);
    for (size_t round = 0; round < bench_count(options, plan->rounds, 1); round++) {
        busy_ns += run_round(clients, plan->clients, each, &samples);
        release_all(clients, plan->clients, each);
    }
    uint64_t disk_ns = sync ? measure_disk(options, &disk) : 0;
    bench_pin(BENCH_ANY_CPU);
    print(plan, &samples, busy_ns, disk_ns);
    for (size_t i = 0; i < plan->clients; i++) {
        bench_disconnect(&clients[i].link);
    }
    bench_samples_fini(&samples);
    bench_samples_fini(&disk);
    bench_stop(&daemon);
}

int main(int argc, char **argv)
{
    static const struct plan plans[] = {
        {"commit", 1, 5000, 4, 0},
        {"commit", 8, 1250, 8, 20000},
        {"sync", 1, 1000, 2, 0},
        {"sync", 64, 150, 4, 0},
    };
    struct bench_options options = bench_read_options(argc, argv);

    for (size_t i = 0; i < BERTH_COUNT(plans); i++) {
        measure(&options, &plans[i]);
    }
    return 0;
}
