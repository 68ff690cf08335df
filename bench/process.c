/* SPDX-License-Identifier: MIT */
/* Whole processes: `berth next` against what people do without Berth, and how long a daemon takes
 * from its start to its first answer. */
#define _GNU_SOURCE
#include "servers.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *const true_argv[] = {"/bin/true", NULL};
static char *const ss_argv[] = {"ss", "-Htan", NULL};
static char *const pipeline_argv[] = {
    "bash", "-c",
    "comm -23 <(seq 49000 65000) <(ss -Htan | awk '{print $4}' | sed 's/.*://' | sort -u)"
    " | head -n 1",
    NULL};

static bool have(const char *program)
{
    char command[64];

    (void)snprintf(command, sizeof command, "command -v %s", program);
    return bench_run_program((char *[]){"/bin/sh", "-c", command, NULL}) == 0;
}

static void run_once(char *const argv[], struct bench_samples *samples)
{
    uint64_t start = bench_now_ns();

    if (bench_run_program(argv) != 0) {
        bench_fail("%s failed", argv[0]);
    }
    bench_samples_add(samples, bench_now_ns() - start);
}

static void print_process(const char *figure, struct bench_samples *own,
                          struct bench_samples *reference, const char *name, bool has_goal)
{
    uint64_t p50 = bench_percentile(own, 50);
    char shown[32];
    char high[32];
    char measured[96];
    char other[96];

    (void)snprintf(measured, sizeof measured, "p50 %s, p99 %s",
                   bench_show_ns(shown, sizeof shown, p50),
                   bench_show_ns(high, sizeof high, bench_percentile(own, 99)));
    (void)snprintf(other, sizeof other, "%s: p50 %s", name,
                   bench_show_ns(shown, sizeof shown, bench_percentile(reference, 50)));
    bench_print(&(struct bench_row){
        figure, measured, other, (double)p50 / (double)bench_percentile(reference, 50),
        has_goal ? "p50 ≤ 5 ms" : NULL, has_goal ? bench_met(p50 <= 5000000) : BENCH_NO_GOAL});
}

/* ---- berth next ---- */

static void measure_next(const struct bench_options *options)
{
    struct bench_server daemon = bench_start_daemon(options, "cli", "", BENCH_ANY_CPU);
    char program[4096];
    char *berth[] = {program, "--endpoint", daemon.endpoint, "next", NULL};
    bool with_ss = have("ss");
    bool with_pipeline = with_ss && have("bash") && have("awk");
    struct bench_samples own = {0};
    struct bench_samples nothing = {0};
    struct bench_samples ss = {0};
    struct bench_samples pipeline = {0};

    (void)snprintf(program, sizeof program, "%s/bin/berth", options->programs);
    for (size_t i = 0; i < bench_count(options, 200, 2); i++) {
        run_once(true_argv, &nothing);
        run_once(berth, &own);
        if (with_ss) {
            run_once(ss_argv, &ss);
        }
        if (with_pipeline) {
            run_once(pipeline_argv, &pipeline);
        }
    }
    print_process("`berth next`, whole process", &own, &nothing, "/bin/true", true);
    if (with_pipeline) {
        print_process("`berth next`, whole process", &own, &pipeline, "`ss` pipeline", false);
    }
    if (with_ss) {
        print_process("`berth next`, whole process", &own, &ss, "`ss -Htan` alone", false);
    } else {
        bench_print_skipped("`berth next` against `ss`", "ss is not installed");
    }
    bench_samples_fini(&own);
    bench_samples_fini(&nothing);
    bench_samples_fini(&ss);
    bench_samples_fini(&pipeline);
    bench_stop(&daemon);
}

/* ---- start ---- */

static void measure_start(const struct bench_options *options)
{
    struct bench_samples samples = {0};
    char p50[32];
    char high[32];
    char measured[96];

    for (size_t i = 0; i < bench_count(options, 20, 2); i++) {
        uint64_t start = bench_now_ns();
        struct bench_server daemon = bench_start_daemon(options, "start", "", BENCH_ANY_CPU);
        bench_samples_add(&samples, bench_now_ns() - start);
        bench_stop(&daemon);
    }
    uint64_t middle = bench_percentile(&samples, 50);
    (void)snprintf(measured, sizeof measured, "p50 %s, slowest %s",
                   bench_show_ns(p50, sizeof p50, middle),
                   bench_show_ns(high, sizeof high, bench_percentile(&samples, 100)));
    bench_print(&(struct bench_row){"start to first `next`", measured, NULL, 0, "p50 ≤ 50 ms",
                                    bench_met(middle <= 50000000)});
    bench_samples_fini(&samples);
}

int main(int argc, char **argv)
{
    struct bench_options options = bench_read_options(argc, argv);

    measure_next(&options);
    measure_start(&options);
    return 0;
}
