/* SPDX-License-Identifier: MIT */
/* Requests one after another on an open connection, against a bare libuv echo of the same bytes.
 *
 * Both ends are pinned: once to the same processor, where a round trip is nothing but work, and
 * once to two, where the time in which an idle processor wakes up is in it. Rounds alternate. */
#include "servers.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Enough ports that a round of new keys finds room, and no cool-down to wait for. */
static const char config[] = "<pools><pool name=\"default\" ports=\"10000-29999\"/></pools>"
                             "<lease cooldown=\"0s\"/>";

enum subject { NEXT, NEW_KEY, SAME_KEY };

struct place {
    const char *name;
    int server_cpu;
    int client_cpu;
};

/* Makes request number `i`; gives its length. The length does not depend on i. */
static size_t make_request(char *out, size_t size, enum subject subject, size_t i)
{
    static const char next[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"next\"}\n";
    int length;

    if (subject == NEXT) {
        length = snprintf(out, size, "%s", next);
    } else {
        length = snprintf(out, size,
                          "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"allocate\",\"params\":"
                          "{\"key\":\"project-%08zu\"}}\n",
                          subject == NEW_KEY ? i : 0);
    }
    return (size_t)length;
}

static void release_all(struct bench_link *link, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        (void)bench_ask(link,
                        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"release\",\"params\":"
                        "{\"key\":\"project-%08zu\"}}",
                        i);
    }
}

static void run_round(struct bench_link *link, enum subject subject, size_t count,
                      struct bench_samples *samples)
{
    char request[256];

    for (size_t i = 0; i < count; i++) {
        size_t length = make_request(request, sizeof request, subject, i);
        uint64_t took = bench_call(link, request, length);
        if (samples != NULL) {
            bench_samples_add(samples, took);
        }
    }
}

/* How long an answer is, the line feed included. */
static size_t answer_bytes(struct bench_link *link, enum subject subject)
{
    run_round(link, subject, 2, NULL);
    bench_expect_result(link);
    size_t bytes = link->length + 1;
    if (subject == NEW_KEY) {
        release_all(link, 2);
    }
    return bytes;
}

static void measure(const struct bench_options *options, const struct place *place,
                    enum subject subject, const char *what, double highest)
{
    size_t count = bench_count(options, 5000, 20);
    struct bench_server daemon = bench_start_daemon(options, "rt", config, place->server_cpu);
    struct bench_link berth = {0};
    struct bench_link echo = {0};
    struct bench_samples berth_ns = {0};
    struct bench_samples echo_ns = {0};
    char figure[160];

    bench_connect(&berth, daemon.endpoint);
    size_t bytes = answer_bytes(&berth, subject);
    struct bench_server floor = bench_start_echo(options, "echo", bytes, place->server_cpu);
    bench_connect(&echo, floor.endpoint);
    for (size_t round = 0; round < bench_count(options, 12, 2); round++) {
        bool counts = round > 0 || options->smoke; /* the first one warms up */
        run_round(&echo, subject, count, counts ? &echo_ns : NULL);
        run_round(&berth, subject, count, counts ? &berth_ns : NULL);
        bench_expect_result(&berth);
        if (subject == NEW_KEY) {
            release_all(&berth, count);
            bench_expect_result(&berth);
        }
    }
    (void)snprintf(figure, sizeof figure, "%s, %s (%zu bytes back)", what, place->name, bytes);
    bench_print_ratio(figure, &berth_ns, &echo_ns, "echo", highest);
    bench_samples_fini(&berth_ns);
    bench_samples_fini(&echo_ns);
    bench_disconnect(&berth);
    bench_disconnect(&echo);
    bench_stop(&daemon);
    bench_stop(&floor);
}

int main(int argc, char **argv)
{
    static const struct place places[] = {{"one CPU", 0, 0}, {"two CPUs", 0, 1}};
    struct bench_options options = bench_read_options(argc, argv);

    for (size_t i = 0; i < BERTH_COUNT(places); i++) {
        if (places[i].client_cpu >= bench_cpus()) {
            bench_print_skipped("round trip, two CPUs", "this machine has one");
            break;
        }
    }
    for (size_t i = 0; i < BERTH_COUNT(places) && places[i].client_cpu < bench_cpus(); i++) {
        bench_pin(places[i].client_cpu);
        measure(&options, &places[i], NEXT, "`next`", 2.2);
        measure(&options, &places[i], NEW_KEY, "`allocate`, new key, durable", 3.0);
        measure(&options, &places[i], SAME_KEY, "`allocate`, same key", 2.2);
    }
    return 0;
}
