/* SPDX-License-Identifier: MIT */
/* Random numbers for tests, repeatable: the seed is printed, and taken from BERTH_TEST_SEED where
 * that is set. */
#ifndef BERTH_TESTS_TEST_RANDOM_H
#define BERTH_TESTS_TEST_RANDOM_H

#include <inttypes.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

struct test_random {
    uint64_t state;
};

/** Gives the next 64 bits.  @source SplitMix64, S. Vigna, public domain */
static inline uint64_t test_random_next(struct test_random *random)
{
    uint64_t z = random->state += 0x9E3779B97F4A7C15U;

    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9U;
    z = (z ^ z >> 27) * 0x94D049BB133111EBU;
    return z ^ z >> 31;
}

/** Gives a number of `low` to `high`, both included. */
static inline unsigned test_random_in(struct test_random *random, unsigned low, unsigned high)
{
    return low + (unsigned)(test_random_next(random) % ((uint64_t)high - low + 1));
}

/** Is true in `percent` of 100 cases. */
static inline bool test_random_chance(struct test_random *random, unsigned percent)
{
    return test_random_in(random, 1, 100) <= percent;
}

/** Starts from BERTH_TEST_SEED or the time, and prints the seed. */
static inline struct test_random test_random_start(const char *what)
{
    const char *given = getenv("BERTH_TEST_SEED");
    uint64_t seed =
        given != NULL ? strtoull(given, NULL, 10) : (uint64_t)time(NULL) * 1000003U + 17U;

    (void)printf("%s: BERTH_TEST_SEED=%" PRIu64 " repeats this run\n", what, seed);
    (void)fflush(stdout);
    return (struct test_random){seed};
}

/** Gives a count from an environment variable, or `otherwise`. */
static inline uint64_t test_count_from(const char *variable, uint64_t otherwise)
{
    const char *given = getenv(variable);

    return given != NULL ? strtoull(given, NULL, 10) : otherwise;
}

#endif
