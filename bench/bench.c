/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "bench.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* In a smoke run no figure means anything, and none is held against its goal. */
static bool smoke_run;

struct bench_options bench_read_options(int argc, char **argv)
{
    struct bench_options options = {0};

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--smoke") == 0) {
            options.smoke = true;
        } else if (strcmp(argv[i], "--build") == 0 && i + 1 < argc) {
            options.programs = argv[++i];
        } else if (strcmp(argv[i], "--work") == 0 && i + 1 < argc) {
            options.work = argv[++i];
        }
    }
    if (options.programs == NULL || options.work == NULL) {
        (void)fprintf(stderr, "usage: %s --build DIR --work DIR [--smoke]\n", argv[0]);
        exit(2);
    }
    smoke_run = options.smoke;
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    return options;
}

size_t bench_count(const struct bench_options *options, size_t full, size_t smoke)
{
    return options->smoke ? smoke : full;
}

void bench_fail(const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    (void)fputs("bench: ", stderr);
    (void)vfprintf(stderr, format, arguments);
    (void)fputc('\n', stderr);
    va_end(arguments);
    exit(1);
}

void *bench_memory(size_t count, size_t bytes)
{
    void *memory = calloc(count, bytes);

    if (memory == NULL) {
        bench_fail("out of memory");
    }
    return memory;
}

uint64_t bench_now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000U + (uint64_t)now.tv_nsec;
}

void bench_sleep_ns(uint64_t ns)
{
    struct timespec time = {(time_t)(ns / 1000000000U), (long)(ns % 1000000000U)};

    (void)nanosleep(&time, NULL);
}

/* splitmix64.  @source S. Vigna, https://prng.di.unimi.it/splitmix64.c (public domain) */
uint64_t bench_random(uint64_t *state)
{
    uint64_t z = *state += 0x9E3779B97F4A7C15U;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9U;
    z = (z ^ z >> 27) * 0x94D049BB133111EBU;
    return z ^ z >> 31;
}

void bench_samples_add(struct bench_samples *samples, uint64_t ns)
{
    if (samples->count == samples->room) {
        size_t room = samples->room == 0 ? 4096 : samples->room * 2;
        uint64_t *more = realloc(samples->ns, room * sizeof *more);
        if (more == NULL) {
            bench_fail("out of memory");
        }
        samples->ns = more;
        samples->room = room;
    }
    samples->ns[samples->count++] = ns;
}

void bench_samples_fini(struct bench_samples *samples)
{
    free(samples->ns);
    *samples = (struct bench_samples){0};
}

static int compare(const void *a, const void *b)
{
    uint64_t left = *(const uint64_t *)a;
    uint64_t right = *(const uint64_t *)b;

    return (left > right) - (left < right);
}

uint64_t bench_percentile(struct bench_samples *samples, double percent)
{
    if (samples->count == 0) {
        return 0;
    }
    qsort(samples->ns, samples->count, sizeof *samples->ns, compare);
    size_t at = (size_t)((double)samples->count * percent / 100.0);
    return samples->ns[at < samples->count ? at : samples->count - 1];
}

const char *bench_show_ns(char *out, size_t size, uint64_t ns)
{
    double value = (double)ns / 1e3;
    const char *unit = "µs";

    if (ns >= 1000000000U) {
        value = (double)ns / 1e9;
        unit = "s";
    } else if (ns >= 1000000U) {
        value = (double)ns / 1e6;
        unit = "ms";
    }
    (void)snprintf(out, size, "%.*f %s", value < 10 ? 2 : 1, value, unit);
    return out;
}

enum bench_verdict bench_met(bool met)
{
    return met ? BENCH_MET : BENCH_MISSED;
}

static const char *or_nothing(const char *text)
{
    return text != NULL ? text : "–";
}

void bench_print(const struct bench_row *row)
{
    static const char *const verdicts[] = {
        [BENCH_NO_GOAL] = "–",
        [BENCH_MET] = "yes",
        [BENCH_MISSED] = "**no**",
        [BENCH_SKIPPED] = "skipped",
    };
    char ratio[32] = "–";

    if (row->ratio > 0) {
        (void)snprintf(ratio, sizeof ratio, "%.2f", row->ratio);
    }
    (void)printf("| %s | %s | %s | %s | %s | %s |\n", row->figure, or_nothing(row->measured),
                 or_nothing(row->reference), ratio, or_nothing(row->goal),
                 smoke_run && row->verdict != BENCH_SKIPPED ? "smoke" : verdicts[row->verdict]);
}

void bench_print_skipped(const char *figure, const char *why)
{
    bench_print(&(struct bench_row){.figure = figure, .measured = why, .verdict = BENCH_SKIPPED});
}

static void show_samples(char *out, size_t size, struct bench_samples *samples)
{
    char p50[32];
    char p99[32];

    (void)snprintf(out, size, "p50 %s, p99 %s",
                   bench_show_ns(p50, sizeof p50, bench_percentile(samples, 50)),
                   bench_show_ns(p99, sizeof p99, bench_percentile(samples, 99)));
}

void bench_print_ratio(const char *figure, struct bench_samples *measured,
                       struct bench_samples *reference, const char *reference_name, double highest)
{
    char left[96];
    char right[96];
    char named[160];
    char goal[48];
    double ratio = (double)bench_percentile(measured, 50) / (double)bench_percentile(reference, 50);

    show_samples(left, sizeof left, measured);
    show_samples(right, sizeof right, reference);
    (void)snprintf(named, sizeof named, "%s: %s", reference_name, right);
    (void)snprintf(goal, sizeof goal, "ratio ≤ %.1f", highest);
    bench_print(&(struct bench_row){left[0] != '\0' ? figure : NULL, left, named, ratio,
                                    highest > 0 ? goal : NULL,
                                    highest > 0 ? bench_met(ratio <= highest) : BENCH_NO_GOAL});
}
