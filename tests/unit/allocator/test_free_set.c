/* SPDX-License-Identifier: MIT */
/* Tests of allocator/free_set: states by claims, and equality with a computation from scratch. */
#include "cmocka_all.h"

#include "allocator/free_set.h"
#include "models/test_random.h"

static struct berth_free_set set;
static struct berth_ledger *ledger;
static struct berth_error err;

static void on_change(void *ctx, const struct berth_change *change)
{
    const struct berth_claim *claim = change->after != NULL ? change->after : change->before;

    (void)ctx;
    berth_free_set_update(&set, ledger, claim->port);
}

static int set_up(void **state)
{
    const struct berth_ledger_observer observer = {on_change, NULL};

    (void)state;
    berth_free_set_init(&set);
    return berth_ledger_create(&ledger, &observer, 5, &err) == BERTH_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    berth_ledger_destroy(ledger);
    return 0;
}

static unsigned add_feed(enum berth_source source, uint64_t linger_ms)
{
    const struct berth_feed_options options = {source, "feed", linger_ms};
    unsigned feed;

    assert_ok(berth_ledger_add_feed(ledger, &options, &feed, &err), &err);
    return feed;
}

/* Everything that the set holds, worked out anew from the claims of each port. */
static void assert_as_from_scratch(void)
{
    static struct berth_free_set fresh;

    memset(&fresh, 0, sizeof fresh);
    fresh.ephemeral = set.ephemeral;
    fresh.state[0] = BERTH_PORT_FREE;
    for (uint32_t p = 1; p <= 65535; p++) {
        uint16_t port = (uint16_t)p;
        enum berth_port_state state = berth_port_state_of(ledger, port);
        fresh.state[port] = (uint8_t)state;
        (void)berth_port_set_add(&fresh.ports[state], port);
        if (state == BERTH_PORT_FREE && !berth_port_set_has(&set.ephemeral, port)) {
            (void)berth_port_set_add(&fresh.plain, port);
        }
    }
    assert_memory_equal(&set, &fresh, sizeof set);
}

static void init__every_port_from_1__is_free_and_plain(void **state)
{
    (void)state;
    assert_as_from_scratch();
    assert_false(berth_port_set_has(&set.plain, 0));
    assert_true(berth_port_set_has(&set.plain, 1));
    assert_true(berth_port_set_has(&set.plain, 65535));
    assert_int_equal(berth_free_set_state(&set, 65535), BERTH_PORT_FREE);
}

static void state__each_kind_alone__gives_its_state(void **state)
{
    static const enum berth_port_state expected[BERTH_CLAIM_KIND_COUNT] = {
        BERTH_PORT_LEASED,  BERTH_PORT_COOLING,  BERTH_PORT_IIS,     BERTH_PORT_IIS,
        BERTH_PORT_TCP,     BERTH_PORT_TCP,      BERTH_PORT_TCP,     BERTH_PORT_TCP,
        BERTH_PORT_HTTPSYS, BERTH_PORT_EXCLUDED, BERTH_PORT_RESERVED};

    (void)state;
    for (int kind = 0; kind < BERTH_CLAIM_KIND_COUNT; kind++) {
        struct berth_claim claim = berth_claim_make(4096, (enum berth_claim_kind)kind);
        unsigned feed = add_feed(berth_claim_source((enum berth_claim_kind)kind), 0);
        assert_ok(berth_ledger_put(ledger, feed, &claim, &err), &err);
        assert_int_equal(berth_free_set_state(&set, 4096), expected[kind]);
        assert_as_from_scratch();
        berth_ledger_remove_feed(ledger, feed);
        assert_int_equal(berth_free_set_state(&set, 4096), BERTH_PORT_FREE);
    }
    assert_as_from_scratch();
}

/* The first that applies: every pair of kinds on one port. */
static void state__two_kinds__is_the_first_that_applies(void **state)
{
    (void)state;
    for (int a = 0; a < BERTH_CLAIM_KIND_COUNT; a++) {
        for (int b = a + 1; b < BERTH_CLAIM_KIND_COUNT; b++) {
            struct berth_claim one = berth_claim_make(80, (enum berth_claim_kind)a);
            struct berth_claim two = berth_claim_make(80, (enum berth_claim_kind)b);
            enum berth_source source_one = berth_claim_source((enum berth_claim_kind)a);
            enum berth_source source_two = berth_claim_source((enum berth_claim_kind)b);
            unsigned feed_one = add_feed(source_one, 0);
            unsigned feed_two = source_one == source_two ? feed_one : add_feed(source_two, 0);
            assert_ok(berth_ledger_put(ledger, feed_one, &one, &err), &err);
            enum berth_port_state alone_one = berth_free_set_state(&set, 80);
            (void)berth_ledger_take(ledger, feed_one, &one);
            assert_ok(berth_ledger_put(ledger, feed_two, &two, &err), &err);
            enum berth_port_state alone_two = berth_free_set_state(&set, 80);
            assert_ok(berth_ledger_put(ledger, feed_one, &one, &err), &err);
            assert_int_equal(berth_free_set_state(&set, 80),
                             alone_one < alone_two ? alone_one : alone_two);
            berth_ledger_remove_feed(ledger, feed_one);
            if (feed_two != feed_one) {
                berth_ledger_remove_feed(ledger, feed_two);
            }
        }
    }
}

static void state__lingering_claim__is_still_its_sources(void **state)
{
    struct berth_claim claim = berth_claim_make(80, BERTH_CLAIM_BINDING);
    unsigned feed = add_feed(BERTH_SOURCE_IIS, 100);

    (void)state;
    berth_ledger_set_ready(ledger, feed, true, 0);
    assert_ok(berth_ledger_apply(ledger, feed, &claim, 1, 0, &err), &err);
    assert_ok(berth_ledger_apply(ledger, feed, NULL, 0, 10, &err), &err);
    assert_int_equal(berth_free_set_state(&set, 80), BERTH_PORT_IIS);
    (void)berth_ledger_expire(ledger, 110);
    assert_int_equal(berth_free_set_state(&set, 80), BERTH_PORT_FREE);
}

static void ephemeral__said_anew__moves_between_plain_and_not(void **state)
{
    static struct berth_port_set ephemeral;
    struct berth_claim claim = berth_claim_make(50000, BERTH_CLAIM_LISTENER);
    unsigned feed = add_feed(BERTH_SOURCE_TCP, 0);

    (void)state;
    assert_ok(berth_ledger_put(ledger, feed, &claim, &err), &err);
    berth_port_set_init(&ephemeral);
    berth_port_set_add_range(&ephemeral, (struct berth_port_range){49152, 65535});
    berth_free_set_set_ephemeral(&set, &ephemeral);
    assert_as_from_scratch();
    assert_false(berth_port_set_has(&set.plain, 49152));
    assert_true(berth_port_set_has(&set.plain, 49151));
    (void)berth_ledger_take(ledger, feed, &claim);
    assert_false(berth_port_set_has(&set.plain, 50000));
    berth_port_set_init(&ephemeral);
    berth_free_set_set_ephemeral(&set, &ephemeral);
    assert_true(berth_port_set_has(&set.plain, 50000));
    assert_as_from_scratch();
}

static void names__of_states__are_those_of_the_counts(void **state)
{
    static const char *const names[] = {"leased",   "iis",      "tcp",     "httpsys",
                                        "excluded", "reserved", "cooling", "free"};

    (void)state;
    assert_int_equal(BERTH_COUNT(names), BERTH_PORT_STATE_COUNT);
    for (int i = 0; i < BERTH_PORT_STATE_COUNT; i++) {
        assert_string_equal(berth_port_state_name((enum berth_port_state)i), names[i]);
    }
}

static uint16_t random_port(struct test_random *random)
{
    static const uint16_t borders[] = {1, 63, 64, 4095, 4096, 65534, 65535};

    return test_random_chance(random, 20)
               ? borders[test_random_in(random, 0, BERTH_COUNT(borders) - 1)]
               : (uint16_t)test_random_in(random, 8000, 8600);
}

static void random__snapshots_and_single_claims__equal_from_scratch(void **state)
{
    static const enum berth_claim_kind kinds[][2] = {
        {BERTH_CLAIM_BINDING, BERTH_CLAIM_FTP_DATA},
        {BERTH_CLAIM_LISTENER, BERTH_CLAIM_TIME_WAIT},
        {BERTH_CLAIM_LEASE, BERTH_CLAIM_COOLING},
        {BERTH_CLAIM_RESERVATION, BERTH_CLAIM_RESERVATION}};
    struct test_random random = test_random_start("free_set");
    struct berth_claim claims[40];
    unsigned feeds[BERTH_COUNT(kinds)];
    uint64_t now_ms = 1;

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(kinds); i++) {
        feeds[i] = add_feed(berth_claim_source(kinds[i][0]), i == 0 ? 50 : 0);
        berth_ledger_set_ready(ledger, feeds[i], true, now_ms);
    }
    for (int round = 0; round < 1500; round++) {
        unsigned f = test_random_in(&random, 0, BERTH_COUNT(kinds) - 1);
        size_t count = test_random_in(&random, 0, BERTH_COUNT(claims));
        for (size_t i = 0; i < count; i++) {
            claims[i] =
                berth_claim_make(random_port(&random), kinds[f][test_random_in(&random, 0, 1)]);
        }
        if (test_random_chance(&random, 40)) {
            assert_ok(berth_ledger_apply(ledger, feeds[f], claims, count, now_ms, &err), &err);
        } else if (count > 0 && test_random_chance(&random, 60)) {
            assert_ok(berth_ledger_put(ledger, feeds[f], &claims[0], &err), &err);
        } else if (count > 0) {
            (void)berth_ledger_take(ledger, feeds[f], &claims[0]);
        }
        now_ms += test_random_in(&random, 0, 20);
        (void)berth_ledger_expire(ledger, now_ms);
        if (round % 50 == 0) {
            assert_as_from_scratch();
        }
    }
    assert_as_from_scratch();
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(init__every_port_from_1__is_free_and_plain),
        TEST(state__each_kind_alone__gives_its_state),
        TEST(state__two_kinds__is_the_first_that_applies),
        TEST(state__lingering_claim__is_still_its_sources),
        TEST(ephemeral__said_anew__moves_between_plain_and_not),
        TEST(names__of_states__are_those_of_the_counts),
        TEST(random__snapshots_and_single_claims__equal_from_scratch),
    };
    return cmocka_run_group_tests_name("allocator.free_set", tests, NULL, NULL);
}
