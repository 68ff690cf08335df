/* SPDX-License-Identifier: MIT */
/* Tests of allocator/probe_choice: what an allocation does about ports that look free and cannot be
 * bound. */
#include "memory_faults.h"
#include "models/allocator_asks.h"

static enum berth_probe_answer answers[65536]; /* by port; 0: free */
static unsigned tried;

static enum berth_probe_answer answer(void *ctx, uint16_t port, int *os_code)
{
    (void)ctx;
    tried++;
    *os_code = answers[port] == BERTH_PROBE_FREE ? 0 : 98;
    return answers[port];
}

static int set_up_probe(void **state)
{
    memset(answers, 0, sizeof answers);
    tried = 0;
    int result = set_up(state);
    if (result == 0) {
        fixture.allocator->options.probe = answer;
    }
    return result;
}

static const struct berth_claim *claim_at(uint16_t port)
{
    struct berth_claims_at walk = berth_ledger_at(fixture.allocator->ledger, port);

    return berth_claims_next(&walk);
}

static void in_use__is_filed_as_tcp_for_a_minute(void **state)
{
    (void)state;
    answers[49000] = BERTH_PROBE_IN_USE;
    assert_int_equal(allocate("shop"), 49001);
    assert_state(49000, "used");
    assert_int_equal(claim_at(49000)->kind, BERTH_CLAIM_BOUND);
    assert_string_equal(claim_at(49000)->detail, "a bind was refused: in use");
    tried = 0;
    assert_int_equal(allocate("blog"), 49002); /* 49000 is not tried again meanwhile */
    assert_int_equal(tried, 1);
    (void)fixture_pass(&fixture, BERTH_PROBE_IN_USE_MS - 1);
    assert_state(49000, "used");
    (void)fixture_pass(&fixture, 1);
    assert_state(49000, "free");
    answers[49000] = BERTH_PROBE_FREE;
    assert_int_equal(allocate("wiki"), 49000);
}

static void forbidden__is_filed_as_excluded_for_ten(void **state)
{
    (void)state;
    answers[49000] = BERTH_PROBE_FORBIDDEN;
    answers[49001] = BERTH_PROBE_IN_USE;
    assert_int_equal(allocate("shop"), 49002);
    assert_state(49000, "excluded");
    (void)fixture_pass(&fixture, BERTH_PROBE_IN_USE_MS);
    assert_state(49000, "excluded");
    assert_state(49001, "free");
    (void)fixture_pass(&fixture, BERTH_PROBE_FORBIDDEN_MS - BERTH_PROBE_IN_USE_MS);
    assert_state(49000, "free");
}

static void shared_or_failed__is_passed_over_and_not_filed(void **state)
{
    (void)state;
    answers[49000] = BERTH_PROBE_SHARED;
    answers[49001] = BERTH_PROBE_FAILED;
    assert_int_equal(allocate("shop"), 49002);
    assert_state(49000, "free");
    assert_state(49001, "free");
}

static void several__each_is_tried(void **state)
{
    struct berth_allocate_request request = request_of("shop");

    (void)state;
    request.wish.count = 3;
    request.wish.contiguous = true;
    answers[49001] = BERTH_PROBE_SHARED;
    assert_ok(ask(&request, &deploy), &fixture.err);
    assert_int_equal(grant.lease->ports[0], 49002);
    assert_int_equal(grant.lease->ports[2], 49004);
}

static void none_left__is_busy_or_exhausted_as_the_case_may_be(void **state)
{
    struct berth_allocate_request request = request_of("shop");

    (void)state;
    for (uint16_t port = 49000; port <= 49009; port++) {
        answers[port] = BERTH_PROBE_SHARED;
    }
    assert_code(ask(&request, &deploy), BERTH_BUSY);
    for (uint16_t port = 49000; port <= 49009; port++) {
        answers[port] = BERTH_PROBE_IN_USE;
    }
    assert_code(ask(&request, &deploy), BERTH_POOL_EXHAUSTED);
    assert_int_equal(fixture.allocator->book.live.count, 0);
}

static void the_one_asked_for__only_a_clear_no_is_one(void **state)
{
    (void)state;
    answers[49003] = BERTH_PROBE_SHARED;
    assert_ok(ask_for_port("shop", 49003), &fixture.err);
    answers[49004] = BERTH_PROBE_IN_USE;
    assert_code(ask_for_port("blog", 49004), BERTH_PORT_IN_USE);
    assert_int_equal(refusal.port, 49004);
}

static void reused_adopted_or_own__is_not_tried(void **state)
{
    struct berth_claim binding = fixture_binding(49005, "Shop");
    struct berth_allocate_request request = request_of("site");

    (void)state;
    assert_int_equal(allocate("shop"), 49000);
    answers[49000] = BERTH_PROBE_IN_USE; /* its holder is there by now, unseen */
    tried = 0;
    assert_int_equal(allocate("shop"), 49000);
    assert_int_equal(tried, 0);
    report(fixture.iis, 0, &binding, 1);
    answers[49005] = BERTH_PROBE_IN_USE;
    request.holder = "site:Shop";
    assert_ok(ask(&request, &deploy), &fixture.err);
    assert_int_equal(grant.lease->ports[0], 49005);
    assert_int_equal(tried, 0);
}

static void next__tries_nothing(void **state)
{
    struct berth_wish wish = {.count = 1};
    uint16_t port;

    (void)state;
    answers[49000] = BERTH_PROBE_IN_USE;
    assert_ok(berth_allocator_next(fixture.allocator, &wish, &port, &refusal, &fixture.err),
              &fixture.err);
    assert_int_equal(port, 49000);
    assert_int_equal(tried, 0);
}

static void each_allocation_fails__is_an_error_and_nothing_is_given(void **state)
{
    struct berth_allocate_request request = request_of("shop");
    bool failed = true;

    (void)state;
    answers[49000] = BERTH_PROBE_IN_USE;
    for (size_t n = 1; failed; n++) {
        size_t live;
        memory_faults_begin(n, false);
        enum berth_code code = ask(&request, &deploy);
        failed = memory_faults_end(&live);
        assert_true(code == (failed ? BERTH_NO_MEMORY : BERTH_OK));
        assert_int_equal(fixture.allocator->book.live.count, failed ? 0 : 1);
    }
    assert_int_equal(grant.lease->ports[0], 49001);
}

#define PROBE(function) cmocka_unit_test_setup_teardown(function, set_up_probe, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        PROBE(in_use__is_filed_as_tcp_for_a_minute),
        PROBE(forbidden__is_filed_as_excluded_for_ten),
        PROBE(shared_or_failed__is_passed_over_and_not_filed),
        PROBE(several__each_is_tried),
        PROBE(none_left__is_busy_or_exhausted_as_the_case_may_be),
        PROBE(the_one_asked_for__only_a_clear_no_is_one),
        PROBE(reused_adopted_or_own__is_not_tried),
        PROBE(next__tries_nothing),
        PROBE(each_allocation_fails__is_an_error_and_nothing_is_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
