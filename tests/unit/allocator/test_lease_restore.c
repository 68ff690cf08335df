/* SPDX-License-Identifier: MIT */
/* Tests of allocator/lease_restore: what of a lease comes back, and what contradicts another. That
 * a restart in the midst of everything changes nothing is test_model.c's to show. */
#include "memory_faults.h"
#include "models/allocator_asks.h"
#include "models/kept_leases.h"

static const uint16_t port_49003[] = {49003};

static struct berth_lease_kept kept_of(const char *id, const char *key,
                                       enum berth_lease_state state)
{
    return (struct berth_lease_kept){
        .terms = {.key = key,
                  .generation = "",
                  .holder = "site:Shop",
                  .meta = "{\"a\":1}",
                  .protocol = BERTH_PROTOCOL_HTTPS,
                  .owner = {"uid:1000", "deploy", "gid:77"},
                  .ports = port_49003,
                  .port_count = 1,
                  .ttl_ms = 5000},
        .id = id,
        .state = state,
        .granted_unix_ms = 1795398000000,
        .ended_unix_ms = 1795398000000,
    };
}

static void restore(const struct berth_lease_kept *kept)
{
    assert_ok(berth_allocator_restore(fixture.allocator, kept, fixture.now, &fixture.err),
              &fixture.err);
}

static void restore__pending__is_as_it_was_for_its_ttl(void **state)
{
    const struct berth_lease_kept kept = kept_of("00000000000000aa", "shop", BERTH_LEASE_PENDING);

    (void)state;
    restore(&kept);
    const struct berth_lease *lease = lease_of("shop");
    assert_string_equal(lease->id, "00000000000000aa");
    assert_string_equal(lease->holder, "site:Shop");
    assert_string_equal(lease->meta, "{\"a\":1}");
    assert_int_equal(lease->protocol, BERTH_PROTOCOL_HTTPS);
    assert_string_equal(lease->owner->group, "gid:77");
    assert_true(lease->granted_unix_ms == 1795398000000);
    assert_state(49003, "leased");
    assert_int_equal(allocate("shop"), 49003);
    (void)fixture_pass(&fixture, FIXTURE_TTL_MS);
    assert_state(49003, "cooling");
}

static void restore__active__lingers_only_once_all_sources_were_heard(void **state)
{
    const struct berth_lease_kept kept = kept_of("00000000000000aa", "shop", BERTH_LEASE_ACTIVE);

    (void)state;
    fixture_state(&fixture, fixture.iis, BERTH_STATE_WAITING);
    restore(&kept);
    /* somebody else's socket comes and goes on its port before the sites are known */
    struct berth_claim listener = fixture_listener(49003, "java");
    report(fixture.tcp, 0, &listener, 1);
    report(fixture.tcp, 0, NULL, 0);
    assert_int_equal(lease_of("shop")->state, BERTH_LEASE_ACTIVE);
    fixture_state(&fixture, fixture.iis, BERTH_STATE_READY);
    assert_int_equal(lease_of("shop")->state, BERTH_LEASE_LINGERING);
}

static void restore__ended__cools_only_if_it_ended_lately(void **state)
{
    struct berth_lease_kept kept = kept_of("00000000000000aa", "shop", BERTH_LEASE_RELEASED);

    (void)state;
    kept.ended_unix_ms = fixture.now.unix_ms - (int64_t)FIXTURE_COOLDOWN_MS;
    restore(&kept);
    assert_state(49003, "free");
    kept.ended_unix_ms++;
    restore(&kept); /* the same key's: in its place */
    assert_state(49003, "cooling");
    assert_int_equal(fixture.allocator->book.ended.count, 1);
    assert_int_equal(allocate("shop"), 49003);
}

static void restore__ended_in_the_future__cools(void **state)
{
    struct berth_lease_kept kept = kept_of("00000000000000aa", "shop", BERTH_LEASE_EXPIRED);

    (void)state;
    kept.ended_unix_ms = fixture.now.unix_ms + 86400000; /* the clock was set back since */
    restore(&kept);
    assert_state(49003, "cooling");
}

static void restore__two_live_ones_of_a_port__the_newer_has_it(void **state)
{
    const struct berth_lease_kept older = kept_of("00000000000000aa", "shop", BERTH_LEASE_ACTIVE);
    const struct berth_lease_kept newer = kept_of("00000000000000bb", "blog", BERTH_LEASE_PENDING);

    (void)state;
    restore(&older);
    restore(&newer);
    assert_int_equal(fixture.allocator->book.live.count, 1);
    assert_int_equal(fixture.allocator->book.ended.count, 1);
    assert_string_equal(berth_lease_book_at(&fixture.allocator->book, 49003)->key, "blog");
    assert_state(49003, "leased");
    release("blog");
    assert_state(49003, "cooling"); /* nothing of the older one is left on it */
}

static void restore__ended_after_a_live_one_of_a_port__the_live_one_keeps_it(void **state)
{
    const struct berth_lease_kept live = kept_of("00000000000000aa", "shop", BERTH_LEASE_ACTIVE);
    const struct berth_lease_kept ended = kept_of("00000000000000bb", "blog", BERTH_LEASE_EXPIRED);

    (void)state;
    restore(&live);
    restore(&ended);
    assert_string_equal(berth_lease_book_at(&fixture.allocator->book, 49003)->key, "shop");
    assert_int_equal(fixture.allocator->book.live.count, 1);
}

static void restore__what_no_lease_can_be__is_refused(void **state)
{
    static const uint16_t descending[] = {49003, 49002};
    static const uint16_t zero[] = {0};
    struct berth_lease_kept kept[7];

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(kept); i++) {
        kept[i] = kept_of("00000000000000aa", "shop", BERTH_LEASE_PENDING);
    }
    kept[0].id = "aa";
    kept[1].id = "00000000000000xy";
    kept[2].terms.key = "";
    kept[3].terms.port_count = 0;
    kept[4].terms.ports = descending;
    kept[4].terms.port_count = 2;
    kept[5].terms.ports = zero;
    kept[6].state = BERTH_LEASE_STATE_COUNT;
    for (size_t i = 0; i < BERTH_COUNT(kept); i++) {
        assert_code(berth_allocator_restore(fixture.allocator, &kept[i], fixture.now, &fixture.err),
                    BERTH_INVALID_PARAMS);
        assert_int_equal(fixture.allocator->book.live.count, 0);
    }
}

static void restore__each_allocation_fails__leaves_no_half_lease(void **state)
{
    const struct berth_lease_kept kept = kept_of("00000000000000aa", "shop", BERTH_LEASE_ACTIVE);
    bool failed = true;

    (void)state;
    for (size_t n = 1; failed; n++) {
        struct berth_error err;
        size_t live;
        memory_faults_begin(n, false);
        enum berth_code code = berth_allocator_restore(fixture.allocator, &kept, fixture.now, &err);
        failed = memory_faults_end(&live);
        assert_true(code == (failed ? BERTH_NO_MEMORY : BERTH_OK));
        assert_int_equal(fixture.allocator->book.live.count, failed ? 0 : 1);
        assert_state(49003, failed ? "free" : "leased");
    }
}

static void import__each_allocation_fails__changes_nothing(void **state)
{
    const struct berth_lease_kept kept = kept_of("00000000000000aa", "shop", BERTH_LEASE_ACTIVE);
    bool failed = true;

    (void)state;
    /* the key has one that ended, which comes back in the place of the imported one */
    assert_int_equal(allocate("shop"), 49000);
    release("shop");
    for (size_t n = 1; failed; n++) {
        struct berth_error err;
        bool already;
        size_t live;
        memory_faults_begin(n, false);
        enum berth_code code =
            berth_allocator_import(fixture.allocator, &kept, &deploy, fixture.now, &already, &err);
        failed = memory_faults_end(&live);
        assert_true(code == (failed ? BERTH_NO_MEMORY : BERTH_OK));
        assert_int_equal(fixture.allocator->book.live.count, failed ? 0 : 1);
        assert_int_equal(fixture.allocator->book.ended.count, failed ? 1 : 0);
        assert_state(49003, failed ? "free" : "leased");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(restore__pending__is_as_it_was_for_its_ttl),
        TEST(restore__active__lingers_only_once_all_sources_were_heard),
        TEST(restore__ended__cools_only_if_it_ended_lately),
        TEST(restore__ended_in_the_future__cools),
        TEST(restore__two_live_ones_of_a_port__the_newer_has_it),
        TEST(restore__ended_after_a_live_one_of_a_port__the_live_one_keeps_it),
        TEST(restore__what_no_lease_can_be__is_refused),
        TEST(restore__each_allocation_fails__leaves_no_half_lease),
        TEST(import__each_allocation_fails__changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
