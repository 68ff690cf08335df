/* SPDX-License-Identifier: MIT */
/* What alert channels in trouble cost whoever allocates: a command that never ends, a metrics file
 * on a full disk and a system's log that nobody reads, against a daemon without channels, while
 * conflicts come and go at both. In mounts of its own, where it is the system's log. */
#define _GNU_SOURCE
#include "servers.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define FIGURE "`allocate` with a hanging command, a full disk and an unread log (ratio of p99)"
#define CONFLICTS 40
#define COMMON                                                                                     \
    "<pools><pool name=\"default\" ports=\"20000-20999\"/></pools>"                                \
    "<tcp poll=\"1m\" full=\"1m\" events=\"off\"/><lease cooldown=\"0s\"/>"                        \
    "<conflicts debounce=\"0s\"/>"

struct side {
    const char *name;
    char iis[300];
    struct bench_server daemon;
    struct bench_link link;
    struct bench_samples samples;
};

/* ---- a world in which a disk is full and nobody reads the log ---- */

static bool carry(const char *from, const char *name)
{
    char source[400];
    char target[400];

    (void)snprintf(source, sizeof source, "%s/%s", from, name);
    (void)snprintf(target, sizeof target, "/dev/%s", name);
    int fd = open(target, O_CREAT | O_WRONLY | O_CLOEXEC, 0666);
    return fd >= 0 && close(fd) == 0 && mount(source, target, NULL, MS_BIND, NULL) == 0;
}

static bool be_an_unread_log(void)
{
    const struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "/dev/log"};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    return fd >= 0 && bind(fd, (const struct sockaddr *)&address, sizeof address) == 0;
}

static bool fill_a_disk(const char *folder)
{
    static const char block[4096];
    char path[400];

    (void)snprintf(path, sizeof path, "%s/filler", folder);
    if (mkdir(folder, 0755) != 0 || mount("tmpfs", folder, "tmpfs", 0, "size=64k") != 0) {
        return false;
    }
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0644);
    while (fd >= 0 && write(fd, block, sizeof block) > 0) {
    }
    return fd >= 0 && errno == ENOSPC && close(fd) == 0;
}

static bool own_world(const struct bench_options *options)
{
    char former[300];
    char full[300];

    (void)snprintf(former, sizeof former, "%s/dev", options->work);
    (void)snprintf(full, sizeof full, "%s/full", options->work);
    return geteuid() == 0 && unshare(CLONE_NEWNS) == 0 &&
           mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 && mkdir(former, 0755) == 0 &&
           mount("/dev", former, NULL, MS_BIND | MS_REC, NULL) == 0 &&
           mount("tmpfs", "/dev", "tmpfs", 0, "mode=0755") == 0 && carry(former, "null") &&
           carry(former, "zero") && carry(former, "urandom") && be_an_unread_log() &&
           fill_a_disk(full);
}

/* ---- two daemons ---- */

static void put_sites(const struct side *side, bool conflicts)
{
    char fresh[310];
    FILE *file;

    (void)snprintf(fresh, sizeof fresh, "%s.new", side->iis);
    file = fopen(fresh, "w");
    if (file == NULL) {
        bench_fail("%s cannot be written", fresh);
    }
    (void)fputs("<configuration><system.applicationHost><sites>", file);
    for (int i = 0; i < CONFLICTS; i++) {
        (void)fprintf(file, "<site name=\"S%d\" id=\"%d\"><bindings>", i, i + 1);
        for (int j = 0; j < (conflicts ? 2 : 1); j++) {
            (void)fprintf(file, "<binding protocol=\"http\" bindingInformation=\"*:%d:\"/>",
                          30000 + i);
        }
        (void)fputs("</bindings></site>", file);
    }
    (void)fputs("</sites></system.applicationHost></configuration>", file);
    if (fclose(file) != 0 || rename(fresh, side->iis) != 0) {
        bench_fail("%s cannot be written", side->iis);
    }
}

static void start(struct side *side, const struct bench_options *options, const char *alerts)
{
    char config[3000];

    (void)snprintf(side->iis, sizeof side->iis, "%s/%s.iis", options->work, side->name);
    put_sites(side, false);
    (void)snprintf(config, sizeof config, COMMON "<iis config=\"%s\"/>%s", side->iis, alerts);
    side->daemon = bench_start_daemon(options, side->name, config, BENCH_ANY_CPU);
    bench_connect(&side->link, side->daemon.endpoint);
}

static void start_in_trouble(struct side *side, const struct bench_options *options)
{
    char alerts[1500];
    char command[300];

    (void)snprintf(command, sizeof command, "%s/hangs", options->work);
    FILE *file = fopen(command, "w");
    if (file == NULL || fputs("#!/bin/sh\nexec sleep 1000\n", file) < 0 || fclose(file) != 0 ||
        chmod(command, 0755) != 0) {
        bench_fail("%s cannot be written", command);
    }
    (void)snprintf(alerts, sizeof alerts,
                   "<alerts><syslog/><command path=\"%s\" timeout=\"1s\"/>"
                   "<metrics path=\"%s/full/berth.prom\" interval=\"1s\"/></alerts>",
                   command, options->work);
    start(side, options, alerts);
}

/* Allocates while the conflicts of the file come or go. */
static void measure(struct side *side, size_t count, bool conflicts)
{
    put_sites(side, conflicts);
    for (size_t i = 0; i < count; i++) {
        bench_samples_add(&side->samples, bench_ask(&side->link,
                                                    "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":"
                                                    "\"allocate\",\"params\":{\"key\":\"k%zu\"}}",
                                                    i));
        bench_expect_result(&side->link);
        (void)bench_ask(&side->link,
                        "{\"jsonrpc\":\"2.0\",\"id\":2,\"method\":\"release\",\"params\":{"
                        "\"key\":\"k%zu\"}}",
                        i);
    }
}

static void print(struct bench_samples *with, struct bench_samples *without)
{
    char text[6][32];
    char measured[120];
    char reference[120];

    (void)snprintf(measured, sizeof measured, "p50 %s, p99 %s, p99.9 %s",
                   bench_show_ns(text[0], sizeof text[0], bench_percentile(with, 50)),
                   bench_show_ns(text[1], sizeof text[1], bench_percentile(with, 99)),
                   bench_show_ns(text[2], sizeof text[2], bench_percentile(with, 99.9)));
    (void)snprintf(reference, sizeof reference, "no channels: p50 %s, p99 %s, p99.9 %s",
                   bench_show_ns(text[3], sizeof text[3], bench_percentile(without, 50)),
                   bench_show_ns(text[4], sizeof text[4], bench_percentile(without, 99)),
                   bench_show_ns(text[5], sizeof text[5], bench_percentile(without, 99.9)));
    const struct bench_row row = {
        .figure = FIGURE,
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
    const size_t rounds = bench_count(&options, 40, 2);
    const size_t count = bench_count(&options, 1000, 20);
    struct side with = {.name = "channels", .link = {.fd = -1}};
    struct side without = {.name = "none", .link = {.fd = -1}};

    if (!own_world(&options)) {
        bench_print_skipped(FIGURE, "it takes root, and mounts of its own");
        return 0;
    }
    start_in_trouble(&with, &options);
    start(&without, &options, "");
    for (size_t i = 0; i < rounds; i++) {
        measure(&with, count, i % 2 == 0);
        measure(&without, count, i % 2 == 0);
    }
    print(&with.samples, &without.samples);
    bench_disconnect(&with.link);
    bench_disconnect(&without.link);
    bench_stop(&with.daemon);
    bench_stop(&without.daemon);
    bench_samples_fini(&with.samples);
    bench_samples_fini(&without.samples);
    return 0;
}
