/* SPDX-License-Identifier: MIT */
#include "allocator/probe_verdict.h"
#include "tests/support/cmocka_all.h"

#include <stdio.h>

#define PORT 20000u
#define NOW_MS 5000u

static struct {
    enum berth_probe_answer answers[64]; /* by port - PORT; the rest is FREE */
    uint8_t gone[64];                    /* filed or passed over */
    char story[2048];
    size_t used;
    unsigned limit; /* candidates are below PORT + limit */
    enum berth_code file_code;
} world;

static int reset(void **state)
{
    (void)state;
    memset(&world, 0, sizeof world);
    world.limit = 64;
    return 0;
}

static void tell(const char *what, uint16_t port)
{
    world.used += (size_t)snprintf(world.story + world.used, sizeof world.story - world.used,
                                   "%s %u; ", what, (unsigned)port);
}

/* The lowest neighbouring ports that are left. */
static enum berth_code candidate(void *context, uint16_t *ports, unsigned count,
                                 struct berth_error *err)
{
    unsigned run = 0;

    assert_ptr_equal(context, &world);
    for (unsigned i = 0; i < world.limit; i++) {
        run = world.gone[i] ? 0 : run + 1;
        if (run == count) {
            for (unsigned k = 0; k < count; k++) {
                ports[k] = (uint16_t)(PORT + i + 1 - count + k);
            }
            return BERTH_OK;
        }
    }
    return berth_fail(err, BERTH_POOL_EXHAUSTED, 0, "nothing left");
}

static enum berth_probe_answer probe(void *context, uint16_t port, int *os_code)
{
    (void)context;
    tell("try", port);
    enum berth_probe_answer answer = world.answers[port - PORT];
    *os_code = answer == BERTH_PROBE_FREE ? 0 : 10000 + (int)answer;
    return answer;
}

static enum berth_code file(void *context, const struct berth_claim *claim, struct berth_error *err)
{
    (void)context;
    tell(berth_claim_kind_name((enum berth_claim_kind)claim->kind), claim->port);
    world.gone[claim->port - PORT] = 1;
    return world.file_code == BERTH_OK ? BERTH_OK : berth_fail(err, world.file_code, 0, "full");
}

static void pass_over(void *context, uint16_t port)
{
    (void)context;
    tell("pass", port);
    world.gone[port - PORT] = 1;
}

static const struct berth_probe_hooks hooks = {candidate, probe, file, pass_over};

static enum berth_code choose(uint16_t *ports, unsigned count, struct berth_probe_counts *counts,
                              struct berth_error *err)
{
    return berth_probe_choose(&hooks, &world, NOW_MS, ports, count, counts, err);
}

static void judge__each_answer__is_as_the_table_says(void **state)
{
    (void)state;
    assert_int_equal(berth_probe_judge(BERTH_PROBE_FREE), BERTH_PROBE_GIVE);
    assert_int_equal(berth_probe_judge(BERTH_PROBE_NOT_TOLD), BERTH_PROBE_GIVE);
    assert_int_equal(berth_probe_judge(BERTH_PROBE_IN_USE), BERTH_PROBE_FILE);
    assert_int_equal(berth_probe_judge(BERTH_PROBE_SHARED), BERTH_PROBE_PASS_OVER);
    assert_int_equal(berth_probe_judge(BERTH_PROBE_FORBIDDEN), BERTH_PROBE_FILE);
    assert_int_equal(berth_probe_judge(BERTH_PROBE_FAILED), BERTH_PROBE_PASS_OVER);
}

static void claim__of_either_refusal__belongs_to_its_source_for_its_time(void **state)
{
    struct berth_claim claim = berth_probe_claim(80, BERTH_PROBE_IN_USE, NOW_MS);

    (void)state;
    assert_int_equal(claim.port, 80);
    assert_int_equal(berth_claim_source((enum berth_claim_kind)claim.kind), BERTH_SOURCE_TCP);
    assert_int_equal(claim.until_ms, NOW_MS + 60000);
    assert_int_equal(claim.process_id, BERTH_ID_NONE);
    assert_null(claim.holder);
    assert_non_null(claim.detail);
    claim = berth_probe_claim(81, BERTH_PROBE_FORBIDDEN, NOW_MS);
    assert_int_equal(berth_claim_source((enum berth_claim_kind)claim.kind), BERTH_SOURCE_EXCLUDED);
    assert_int_equal(claim.until_ms, NOW_MS + 600000);
    assert_non_null(claim.detail);
}

static void choose__first_port_free__takes_it(void **state)
{
    struct berth_probe_counts counts;
    struct berth_error err;
    uint16_t port = 0;

    (void)state;
    assert_ok(choose(&port, 1, &counts, &err), &err);
    assert_int_equal(port, PORT);
    assert_string_equal(world.story, "try 20000; ");
    assert_int_equal(counts.of[BERTH_PROBE_FREE], 1);
    assert_int_equal(counts.last_port, 0);
}

static void choose__some_refused__files_them_and_goes_on(void **state)
{
    struct berth_probe_counts counts;
    struct berth_error err;
    uint16_t port = 0;

    (void)state;
    world.answers[0] = BERTH_PROBE_IN_USE;
    world.answers[1] = BERTH_PROBE_FORBIDDEN;
    world.answers[2] = BERTH_PROBE_SHARED;
    world.answers[3] = BERTH_PROBE_FAILED;
    world.answers[4] = BERTH_PROBE_NOT_TOLD;
    assert_ok(choose(&port, 1, &counts, &err), &err);
    assert_int_equal(port, PORT + 4);
    assert_string_equal(world.story,
                        "try 20000; bound 20000; try 20001; exclusion 20001; try 20002; pass "
                        "20002; try 20003; pass 20003; try 20004; ");
    assert_int_equal(counts.last_port, PORT + 3);
    assert_int_equal(counts.last_os_code, 10000 + BERTH_PROBE_FAILED);
    for (unsigned i = 1; i < BERTH_PROBE_ANSWER_COUNT; i++) {
        assert_int_equal(counts.of[i], 1);
    }
}

static void choose__neighbours_of_which_one_is_refused__tries_others(void **state)
{
    struct berth_probe_counts counts;
    struct berth_error err;
    uint16_t ports[3];

    (void)state;
    world.answers[1] = BERTH_PROBE_IN_USE;
    assert_ok(choose(ports, 3, &counts, &err), &err);
    assert_int_equal(ports[0], PORT + 2);
    assert_int_equal(ports[2], PORT + 4);
    assert_string_equal(world.story, "try 20000; try 20001; bound 20001; try 20002; try 20003; "
                                     "try 20004; ");
}

static void choose__32_refused__is_busy_with_counts(void **state)
{
    struct berth_probe_counts counts;
    struct berth_error err;
    uint16_t port = 0;

    (void)state;
    for (unsigned i = 0; i < 64; i++) {
        world.answers[i] = i < 12 ? BERTH_PROBE_FORBIDDEN : BERTH_PROBE_IN_USE;
    }
    assert_code(choose(&port, 1, &counts, &err), BERTH_BUSY);
    assert_int_equal(counts.of[BERTH_PROBE_FORBIDDEN], 12);
    assert_int_equal(counts.of[BERTH_PROBE_IN_USE], 20);
    assert_int_equal(err.os_code, 10000 + BERTH_PROBE_IN_USE);
    assert_non_null(strstr(err.detail, "32 ports"));
    assert_non_null(strstr(err.detail, "20 in use"));
    assert_non_null(strstr(err.detail, "12 forbidden"));
    assert_non_null(strstr(err.detail, "20031"));
}

static void choose__31_refused__still_gives_the_next(void **state)
{
    struct berth_probe_counts counts;
    struct berth_error err;
    uint16_t port = 0;

    (void)state;
    for (unsigned i = 0; i < 31; i++) {
        world.answers[i] = BERTH_PROBE_IN_USE;
    }
    assert_ok(choose(&port, 1, &counts, &err), &err);
    assert_int_equal(port, PORT + 31);
}

static void choose__no_candidate_left__is_what_the_candidates_say(void **state)
{
    struct berth_probe_counts counts;
    struct berth_error err;
    uint16_t port = 0;

    (void)state;
    world.limit = 2;
    world.answers[0] = BERTH_PROBE_IN_USE;
    world.answers[1] = BERTH_PROBE_IN_USE;
    assert_code(choose(&port, 1, &counts, &err), BERTH_POOL_EXHAUSTED);
    assert_string_equal(err.detail, "nothing left");
    assert_int_equal(counts.of[BERTH_PROBE_IN_USE], 2);
}

static void choose__filing_fails__ends_with_that(void **state)
{
    struct berth_probe_counts counts;
    struct berth_error err;
    uint16_t port = 0;

    (void)state;
    world.answers[0] = BERTH_PROBE_IN_USE;
    world.file_code = BERTH_NO_MEMORY;
    assert_code(choose(&port, 1, &counts, &err), BERTH_NO_MEMORY);
}

int main(void)
{
#define IN_WORLD(test) cmocka_unit_test_setup(test, reset)
    const struct CMUnitTest tests[] = {
        IN_WORLD(judge__each_answer__is_as_the_table_says),
        IN_WORLD(claim__of_either_refusal__belongs_to_its_source_for_its_time),
        IN_WORLD(choose__first_port_free__takes_it),
        IN_WORLD(choose__some_refused__files_them_and_goes_on),
        IN_WORLD(choose__neighbours_of_which_one_is_refused__tries_others),
        IN_WORLD(choose__32_refused__is_busy_with_counts),
        IN_WORLD(choose__31_refused__still_gives_the_next),
        IN_WORLD(choose__no_candidate_left__is_what_the_candidates_say),
        IN_WORLD(choose__filing_fails__ends_with_that),
    };
#undef IN_WORLD
    return cmocka_run_group_tests(tests, NULL, NULL);
}
