/* SPDX-License-Identifier: MIT */
/* What every benchmark needs: its options, a clock, samples, and the row that it prints.
 *
 * A benchmark that cannot do its work says so on standard error and ends at once with status 1. A
 * figure that misses its goal is no failure: the row says so. */
#ifndef BERTH_BENCH_BENCH_H
#define BERTH_BENCH_BENCH_H

#include "base/compiler.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What bench/run tells each program. */
struct bench_options {
    const char *programs; /* the build folder: bin/berthd, bench/bench_echo_server … lie in it */
    const char *work;     /* an empty folder for sockets, configurations and logs */
    bool smoke;           /* do everything once, measure nothing worth reading */
};

/** Reads `--build DIR --work DIR [--smoke]`; ends the program with status 2 on anything else. */
struct bench_options bench_read_options(int argc, char **argv);

/** Gives `full`, or `smoke` when only a smoke run is asked for. */
size_t bench_count(const struct bench_options *options, size_t full, size_t smoke);

/** Ends the program with status 1, telling why. */
void bench_fail(const char *format, ...) BERTH_PRINTF(1, 2);

/** Gives memory that is all zero; ends the program where there is none. For free(). */
void *bench_memory(size_t count, size_t bytes);

/** Gives the monotonic clock, the same in all processes. */
uint64_t bench_now_ns(void);

/** Waits without using the processor. */
void bench_sleep_ns(uint64_t ns);

/** Gives evenly spread numbers, the same ones in each run.  @param[in,out] state  any start */
uint64_t bench_random(uint64_t *state);

/** Measured times. Zeroed: none yet. */
struct bench_samples {
    uint64_t *ns;
    size_t count;
    size_t room;
};

void bench_samples_add(struct bench_samples *samples, uint64_t ns);
void bench_samples_fini(struct bench_samples *samples);

/** Sorts the samples and gives the one below which `percent` of them lie; 0: there are none. */
uint64_t bench_percentile(struct bench_samples *samples, double percent);

/** Prints to a text of `size` bytes what it was measured in: "4.71 µs", "12.3 ms".
 *  @return out */
const char *bench_show_ns(char *out, size_t size, uint64_t ns);

enum bench_verdict { BENCH_NO_GOAL, BENCH_MET, BENCH_MISSED, BENCH_SKIPPED };

/** Turns a comparison into a verdict. */
enum bench_verdict bench_met(bool met);

/** One line of the table; NULL stands for an empty cell. */
struct bench_row {
    const char *figure;
    const char *measured;
    const char *reference;
    double ratio; /* measured to reference; 0: none */
    const char *goal;
    enum bench_verdict verdict;
};

/** Prints a row as Markdown. */
void bench_print(const struct bench_row *row);

/** Prints a row that tells why there is no figure. */
void bench_print_skipped(const char *figure, const char *why);

/** Prints p50 and p99 of two sets of samples and their p50s' ratio against a highest ratio. */
void bench_print_ratio(const char *figure, struct bench_samples *measured,
                       struct bench_samples *reference, const char *reference_name, double highest);

#endif
