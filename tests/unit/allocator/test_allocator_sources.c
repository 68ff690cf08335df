/* SPDX-License-Identifier: MIT */
/* Tests of allocator/allocator: expiry, cool-downs and the leases' clock; sources and their states;
 * allocations that fail. */
#include "memory_faults.h"
#include "models/allocator_asks.h"
#include "models/ledger_text.h"

/* ---- time ---- */

static void ttl__passed__lease_ends_and_its_port_cools_down(void **state)
{
    struct berth_allocate_request request = request_of("shop");

    (void)state;
    request.ttl_ms = 10000;
    assert_ok(ask(&request, &deploy), &fixture.err);
    assert_int_equal(fixture_pass(&fixture, 9999), 1);
    assert_state(49000, "leased");
    assert_int_equal(fixture_pass(&fixture, 1), FIXTURE_COOLDOWN_MS);
    assert_state(49000, "cooling");
    assert_int_equal(fixture.allocator->book.live.count, 0);
    assert_int_equal(fixture_pass(&fixture, FIXTURE_COOLDOWN_MS - 1), 1);
    assert_state(49000, "cooling");
    assert_true(fixture_pass(&fixture, 1) == BERTH_NEVER);
    assert_state(49000, "free");
}

static void ttl__renewed__counts_from_then_and_never_shortens(void **state)
{
    struct berth_allocate_request request = request_of("shop");

    (void)state;
    request.ttl_ms = 10000;
    assert_ok(ask(&request, &deploy), &fixture.err);
    (void)fixture_pass(&fixture, 5000);
    assert_ok(berth_allocator_renew(fixture.allocator, lease_of("shop"), &deploy, 1000, fixture.now,
                                    &refusal, &fixture.err),
              &fixture.err);
    assert_int_equal(fixture_pass(&fixture, 4000), 1000);
    assert_ok(berth_allocator_renew(fixture.allocator, lease_of("shop"), &deploy, 0, fixture.now,
                                    &refusal, &fixture.err),
              &fixture.err);
    assert_int_equal(
        berth_allocator_expires_unix_ms(fixture.allocator, lease_of("shop"), fixture.now),
        fixture.now.unix_ms + (int64_t)FIXTURE_TTL_MS);
    (void)fixture_pass(&fixture, FIXTURE_TTL_MS - 1);
    assert_state(49000, "leased");
    (void)fixture_pass(&fixture, 1);
    assert_state(49000, "cooling");
}

static void renew__ttl_out_of_bounds__is_refused(void **state)
{
    (void)state;
    (void)allocate("shop");
    assert_code(berth_allocator_renew(fixture.allocator, lease_of("shop"), &deploy, 999,
                                      fixture.now, &refusal, &fixture.err),
                BERTH_INVALID_PARAMS);
}

static void cooldown__port__is_open_to_its_own_key_only(void **state)
{
    struct berth_allocate_request request = request_of("shop");

    (void)state;
    (void)allocate("shop");
    release("shop");
    assert_state(49000, "cooling");
    assert_code(ask_for_port("blog", 49000), BERTH_PORT_IN_USE);
    assert_code(ask_for_port(NULL, 49000), BERTH_PORT_IN_USE);
    request.wish.prefer = 49000;
    request.key = "blog";
    assert_ok(ask(&request, &deploy), &fixture.err);
    assert_int_equal(grant.lease->ports[0], 49001);
    request.key = "shop";
    assert_ok(ask(&request, &deploy), &fixture.err);
    assert_int_equal(grant.lease->ports[0], 49000);
    assert_state(49000, "leased");
    (void)fixture_pass(&fixture, FIXTURE_COOLDOWN_MS);
    assert_state(49000, "leased");
}

static void cooldown__none__port_is_free_at_once(void **state)
{
    struct berth_allocator_options options = fixture.allocator->options;

    (void)state;
    (void)allocate("shop");
    options.cooldown_ms = 0;
    berth_allocator_set_options(fixture.allocator, &options);
    release("shop");
    assert_state(49000, "free");
}

/* A key that gives one port back twice, for two protocols, has no cool-down left when both are
 * over. */
static void cooldown__of_two_protocols__ends(void **state)
{
    struct berth_allocate_request request = request_of("shop");

    (void)state;
    request.wish.prefer = 49000;
    request.protocol = BERTH_PROTOCOL_HTTP;
    assert_ok(ask(&request, &deploy), &fixture.err);
    release("shop");
    (void)fixture_pass(&fixture, 1000);
    request.protocol = BERTH_PROTOCOL_HTTPS;
    assert_ok(ask(&request, &deploy), &fixture.err);
    assert_int_equal(grant.lease->ports[0], 49000);
    release("shop");
    (void)fixture_pass(&fixture, FIXTURE_COOLDOWN_MS - 1000);
    assert_state(49000, "cooling");
    (void)fixture_pass(&fixture, 1000);
    assert_state(49000, "free");
}

static void lease_clock__a_source_is_stale__stands_still(void **state)
{
    struct berth_allocate_request request = request_of("shop");

    (void)state;
    request.ttl_ms = 10000;
    assert_ok(ask(&request, &deploy), &fixture.err);
    (void)allocate("blog");
    (void)fixture_pass(&fixture, 4000);
    release("blog");
    fixture_state(&fixture, fixture.tcp, BERTH_STATE_STALE);
    assert_true(fixture_pass(&fixture, 100000000) == BERTH_NEVER);
    assert_state(49000, "leased");
    assert_state(49001, "cooling");
    assert_int_equal(
        berth_allocator_expires_unix_ms(fixture.allocator, lease_of("shop"), fixture.now),
        fixture.now.unix_ms + 6000);
    fixture_state(&fixture, fixture.tcp, BERTH_STATE_DEGRADED);
    assert_int_equal(fixture_pass(&fixture, 5999), 1);
    assert_state(49000, "leased");
    (void)fixture_pass(&fixture, 1);
    assert_state(49000, "cooling");
    (void)fixture_pass(&fixture, FIXTURE_COOLDOWN_MS - 6000);
    assert_state(49001, "free");
}

/* ---- sources ---- */

static void not_ready__a_source_waits__names_it(void **state)
{
    struct berth_allocate_request request = request_of("shop");
    static const char *const feeds[] = {"urls"};
    unsigned httpsys;

    (void)state;
    assert_ok(berth_allocator_add_source(fixture.allocator, BERTH_SOURCE_HTTPSYS, "HTTP service",
                                         feeds, 1, fixture.now, &httpsys, &fixture.err),
              &fixture.err);
    assert_code(ask(&request, &deploy), BERTH_NOT_READY);
    assert_string_equal(refusal.source, "HTTP service");
    assert_non_null(strstr(fixture.err.detail, "HTTP service"));
    uint16_t port;
    assert_code(
        berth_allocator_next(fixture.allocator, &request.wish, &port, &refusal, &fixture.err),
        BERTH_NOT_READY);
    fixture_state(&fixture, httpsys, BERTH_STATE_WAITING); /* with a reason now */
    assert_code(ask(&request, &deploy), BERTH_NOT_READY);
    assert_non_null(strstr(fixture.err.detail, "for a reason"));
    fixture_state(&fixture, httpsys, BERTH_STATE_ABSENT);
    assert_ok(ask(&request, &deploy), &fixture.err);
    berth_allocator_remove_source(fixture.allocator, httpsys, fixture.now);
    assert_int_equal(allocate("blog"), 49001);
}

static void stale_source__its_claims_stay_and_allocation_goes_on(void **state)
{
    struct berth_claim site = fixture_binding(49000, "Shop");

    (void)state;
    report(fixture.iis, 0, &site, 1);
    fixture_state(&fixture, fixture.iis, BERTH_STATE_STALE);
    assert_int_equal(allocate("shop"), 49001);
    assert_state(49000, "used");
}

static void report_state__repeated__is_no_change(void **state)
{
    (void)state;
    assert_false(berth_allocator_report_state(fixture.allocator, fixture.iis, BERTH_STATE_READY,
                                              NULL, fixture.now));
    assert_true(berth_allocator_report_state(fixture.allocator, fixture.iis, BERTH_STATE_STALE,
                                             "gone", fixture.now));
    assert_false(berth_allocator_report_state(fixture.allocator, fixture.iis, BERTH_STATE_STALE,
                                              "gone", fixture.now));
    assert_true(berth_allocator_report_state(fixture.allocator, fixture.iis, BERTH_STATE_STALE,
                                             "other", fixture.now));
}

static void report__refused_snapshot__old_claims_stay(void **state)
{
    struct berth_claim site = fixture_binding(49000, "Shop");
    struct berth_claim bad = fixture_binding(0, "Shop");

    (void)state;
    report(fixture.iis, 0, &site, 1);
    assert_code(berth_allocator_report(fixture.allocator, fixture.iis, 0, &bad, 1, fixture.now,
                                       &fixture.err),
                BERTH_INVALID_PARAMS);
    assert_state(49000, "used");
}

static void lingering_site__port__is_open_to_that_site_only(void **state)
{
    struct berth_claim site = fixture_binding(49000, "Shop Caf\xC3\xA9");
    struct berth_allocate_request request = request_of("key");

    (void)state;
    report(fixture.iis, 0, &site, 1);
    request.wish.port = 49000;
    request.holder = "site:shop CAF\xC3\xA9";
    assert_code(ask(&request, &deploy), BERTH_PORT_IN_USE); /* still bound */
    report(fixture.iis, 0, NULL, 0);
    assert_state(49000, "used");
    request.holder = "site:Blog";
    assert_code(ask(&request, &deploy), BERTH_PORT_IN_USE);
    request.holder = "process:shop caf\xC3\xA9";
    assert_code(ask(&request, &deploy), BERTH_PORT_IN_USE);
    request.holder = NULL;
    assert_code(ask(&request, &deploy), BERTH_PORT_IN_USE);
    request.holder = "site:shop CAF\xC3\xA9";
    assert_ok(ask(&request, &deploy), &fixture.err);
    assert_state(49000, "leased");
}

static void lingering_site__another_claim_on_the_port__is_not_open(void **state)
{
    struct berth_claim site = fixture_binding(49000, "Shop");
    struct berth_claim socket = fixture_listener(49000, "java");
    struct berth_allocate_request request = request_of("key");

    (void)state;
    report(fixture.iis, 0, &site, 1);
    report(fixture.iis, 0, NULL, 0);
    report(fixture.tcp, 1, &socket, 1);
    request.wish.port = 49000;
    request.holder = "site:Shop";
    assert_code(ask(&request, &deploy), BERTH_PORT_IN_USE);
}

static void lingering_site__time_over__port_is_free(void **state)
{
    struct berth_claim site = fixture_binding(49000, "Shop");

    (void)state;
    report(fixture.iis, 0, &site, 1);
    report(fixture.iis, 0, NULL, 0);
    assert_int_equal(fixture_pass(&fixture, FIXTURE_LINGER_MS - 1), 1);
    assert_state(49000, "used");
    (void)fixture_pass(&fixture, 1);
    assert_state(49000, "free");
}

static void vanished_socket__port__is_free_at_once(void **state)
{
    struct berth_claim socket = fixture_listener(49000, "java");

    (void)state;
    report(fixture.tcp, 0, &socket, 1);
    report(fixture.tcp, 1, &socket, 1);
    report(fixture.tcp, 0, NULL, 0);
    assert_state(49000, "used"); /* the other feed shows it still */
    report(fixture.tcp, 1, NULL, 0);
    assert_state(49000, "free");
}

static void report_busy(const struct berth_claim *claim)
{
    assert_ok(berth_allocator_report_busy(fixture.allocator, fixture.tcp, 0, claim, fixture.now,
                                          &fixture.err),
              &fixture.err);
}

static void report_busy__port__is_used_until_a_snapshot_leaves_it_out(void **state)
{
    struct berth_claim socket = fixture_listener(49000, "java");

    (void)state;
    report(fixture.tcp, 0, NULL, 0);
    report_busy(&socket);
    assert_state(49000, "used");
    report(fixture.tcp, 0, &socket, 1); /* which confirms it */
    assert_state(49000, "used");
    report(fixture.tcp, 0, NULL, 0);
    assert_state(49000, "free");
    report_busy(&socket);
    report(fixture.tcp, 0, NULL, 0);
    assert_state(49000, "free");
}

static void report_busy__listener_of_the_leases_process__makes_it_active(void **state)
{
    struct berth_allocate_request request = request_of("shop");
    struct berth_claim socket = fixture_listener(49000, "java");

    (void)state;
    request.holder = "process:java";
    assert_ok(ask(&request, &deploy), &fixture.err);
    report_busy(&socket);
    assert_int_equal(lease_of("shop")->state, BERTH_LEASE_ACTIVE);
}

static void report_busy__no_memory__changes_nothing(void **state)
{
    struct berth_claim socket = fixture_listener(49000, "java");
    size_t live;

    (void)state;
    memory_faults_begin(1, false);
    assert_code(
        berth_allocator_report_busy(fixture.allocator, fixture.tcp, 0, &socket, fixture.now, NULL),
        BERTH_NO_MEMORY);
    assert_true(memory_faults_end(&live));
    assert_int_equal(live, 0);
    assert_state(49000, "free");
}

static void remove_source__its_claims__go_with_it(void **state)
{
    struct berth_claim site = fixture_binding(49000, "Shop");

    (void)state;
    report(fixture.iis, 0, &site, 1);
    fixture_state(&fixture, fixture.iis, BERTH_STATE_STALE);
    berth_allocator_remove_source(fixture.allocator, fixture.iis, fixture.now);
    assert_state(49000, "free");
    (void)allocate("shop");
    (void)fixture_pass(&fixture, FIXTURE_TTL_MS); /* the clock runs without it */
    assert_state(49000, "cooling");
}

static void add_source__too_many__nothing_is_left_of_it(void **state)
{
    static const char *const feeds[] = {"a", "b", "c", "d"};
    unsigned number;
    enum berth_code code = BERTH_OK;
    unsigned added = 0;

    (void)state;
    while (code == BERTH_OK && added < 100) {
        code = berth_allocator_add_source(fixture.allocator, BERTH_SOURCE_IIS, "more", feeds, 4,
                                          fixture.now, &number, &fixture.err);
        if (code == BERTH_OK) {
            fixture_state(&fixture, number, BERTH_STATE_READY);
            added++;
        }
    }
    assert_code(code, BERTH_LIMIT_REACHED);
    assert_int_equal(added, (BERTH_LEDGER_FEEDS_MAX - 5) / 4);
    assert_null(berth_sources_waiting(&fixture.allocator->sources));
    assert_int_equal(allocate("shop"), 49000);
}

static void set_pools__changed__leases_outside_stay(void **state)
{
    const struct berth_pool pool = {"default", {6000, 6001}, false};

    (void)state;
    (void)allocate("shop");
    assert_ok(berth_allocator_set_pools(fixture.allocator, &pool, 1, &fixture.err), &fixture.err);
    assert_state(49000, "leased");
    assert_int_equal(allocate("shop"), 49000);
    assert_int_equal(allocate("blog"), 6000);
}

/* ---- allocations that fail ---- */

static void write_state(struct ledger_text *out)
{
    static const uint16_t ports[] = {5000, 5001, 5002, 49000, 49001, 49002, 49003};

    ledger_text_clear(out);
    ledger_text_ports(out, fixture.allocator->ledger, ports, BERTH_COUNT(ports));
    ledger_text_add(out, "%zu leases, %zu keys, %zu of deploy", fixture.allocator->book.live.count,
                    fixture.allocator->book.by_key.count,
                    berth_lease_book_count_of(&fixture.allocator->book, "uid:1000"));
}

/* Does one thing; where it fails, it must be for memory, and nothing may have changed. */
static void run_step(unsigned step)
{
    static struct ledger_text before;
    static struct ledger_text after;
    static const char *const feeds[] = {"urls", "more urls"};
    const struct berth_claim sites[] = {fixture_binding(5000, "A"), fixture_binding(5001, "B")};
    struct berth_allocate_request request = request_of("shop");
    struct berth_lease *lease;
    unsigned number;
    enum berth_code code = BERTH_OK;

    write_state(&before);
    request.meta = "{}";
    request.holder = "site:Shop";
    switch (step) {
    case 0:
        code = berth_allocator_report(fixture.allocator, fixture.iis, 0, sites, 2, fixture.now,
                                      &fixture.err);
        break;
    case 1:
        request.wish.count = 3;
        code = ask(&request, &deploy);
        break;
    case 2:
        request.key = NULL;
        code = ask(&request, &other);
        break;
    case 3:
        code = berth_allocator_add_source(fixture.allocator, BERTH_SOURCE_HTTPSYS, "http.sys",
                                          feeds, 2, fixture.now, &number, &fixture.err);
        break;
    default:
        /* a release never fails for memory; a cool-down may be left out */
        if (berth_allocator_find(fixture.allocator, NULL, "shop", NULL, 0, &lease, NULL) ==
            BERTH_OK) {
            assert_ok(berth_allocator_release(fixture.allocator, lease, &deploy, fixture.now,
                                              &refusal, &fixture.err),
                      &fixture.err);
            assert_int_equal(berth_lease_book_count_of(&fixture.allocator->book, "uid:1000"), 0);
        }
        break;
    }
    if (code != BERTH_OK) {
        assert_code(code, BERTH_NO_MEMORY);
        write_state(&after);
        assert_string_equal(after.text, before.text);
    }
}

static void memory__each_allocation_fails__nothing_changed_and_nothing_leaks(void **state)
{
    (void)state;
    for (int for_ever = 0; for_ever < 2; for_ever++) {
        bool failed = true;
        size_t fail_at = 1;
        for (; failed; fail_at++) {
            size_t live;
            memory_faults_begin(fail_at, for_ever != 0);
            if (fixture_make(&fixture) == BERTH_OK) {
                fixture_ready(&fixture);
                for (unsigned step = 0; step < 5; step++) {
                    run_step(step);
                }
                (void)fixture_pass(&fixture, FIXTURE_TTL_MS * 2);
            }
            berth_allocator_destroy(fixture.allocator);
            failed = memory_faults_end(&live);
            assert_int_equal(live, 0);
        }
        assert_true(fail_at > 40);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ttl__passed__lease_ends_and_its_port_cools_down),
        TEST(ttl__renewed__counts_from_then_and_never_shortens),
        TEST(renew__ttl_out_of_bounds__is_refused),
        TEST(cooldown__port__is_open_to_its_own_key_only),
        TEST(cooldown__none__port_is_free_at_once),
        TEST(cooldown__of_two_protocols__ends),
        TEST(lease_clock__a_source_is_stale__stands_still),
        TEST(not_ready__a_source_waits__names_it),
        TEST(stale_source__its_claims_stay_and_allocation_goes_on),
        TEST(report_state__repeated__is_no_change),
        TEST(report__refused_snapshot__old_claims_stay),
        TEST(lingering_site__port__is_open_to_that_site_only),
        TEST(lingering_site__another_claim_on_the_port__is_not_open),
        TEST(lingering_site__time_over__port_is_free),
        TEST(vanished_socket__port__is_free_at_once),
        TEST(report_busy__port__is_used_until_a_snapshot_leaves_it_out),
        TEST(report_busy__listener_of_the_leases_process__makes_it_active),
        TEST(report_busy__no_memory__changes_nothing),
        TEST(remove_source__its_claims__go_with_it),
        TEST(add_source__too_many__nothing_is_left_of_it),
        TEST(set_pools__changed__leases_outside_stay),
        cmocka_unit_test(memory__each_allocation_fails__nothing_changed_and_nothing_leaks),
    };
    return cmocka_run_group_tests_name("allocator.allocator_sources", tests, NULL, NULL);
}
