/* SPDX-License-Identifier: MIT */
/* Tests of a lease's life through the allocator: the design's table row by row, what Octopus's IIS
 * step does to a site's bindings, sources that go stale, a store that refuses, what is told. */
#include "models/allocator_asks.h"

#include <stdio.h>

#define TOLD_MAX 64

static char told[TOLD_MAX][64]; /* "lease.granted shop 49000" … */
static unsigned told_count;
static unsigned forgotten_count;
static unsigned keeps_until_refusal; /* 0: the store refuses nothing */

static void note(void *ctx, const struct berth_lease *lease, enum berth_lease_event event)
{
    (void)ctx;
    assert_true(told_count < TOLD_MAX);
    (void)snprintf(told[told_count++], sizeof told[0], "%s %s %u", berth_lease_event_name(event),
                   lease->key, lease->ports[0]);
}

static enum berth_code keep(void *ctx, const struct berth_lease_change *change,
                            struct berth_error *err)
{
    (void)ctx;
    if (keeps_until_refusal == 0 || --keeps_until_refusal > 0) {
        forgotten_count += change->replaced != NULL;
        return BERTH_OK;
    }
    keeps_until_refusal = 1; /* and all after it */
    return berth_fail(err, BERTH_STORE_FAILED, 0, "no room left");
}

static void forget(void *ctx, const struct berth_lease *lease)
{
    (void)ctx;
    (void)lease;
    forgotten_count++;
}

static int set_up_life(void **state)
{
    int result = set_up(state);

    told_count = forgotten_count = keeps_until_refusal = 0;
    if (result == 0) {
        fixture.allocator->options.told = note;
        fixture.allocator->options.keep = keep;
        fixture.allocator->options.forget = forget;
    }
    return result;
}

static void assert_told(const char *const *expected, unsigned count)
{
    for (unsigned i = 0; i < count && i < told_count; i++) {
        assert_string_equal(told[i], expected[i]);
    }
    assert_int_equal(told_count, count);
}

/* Reports the bindings that there are: of site Shop on each port, up to a 0. */
static void shop_binds(uint16_t first, uint16_t second)
{
    const struct berth_claim bindings[] = {fixture_binding(first, "Shop"),
                                           fixture_binding(second, "Shop")};

    report(fixture.iis, 0, bindings, first == 0 ? 0 : second == 0 ? 1 : 2);
}

static void listens(uint16_t port, const char *image)
{
    struct berth_claim listener = fixture_listener(port, image);

    report(fixture.tcp, 0, &listener, 1);
}

static uint16_t allocate_for(const char *key, const char *holder)
{
    struct berth_allocate_request request = request_of(key);

    request.holder = holder;
    assert_ok(ask(&request, &deploy), &fixture.err);
    return grant.lease->ports[0];
}

static enum berth_lease_state state_at(uint16_t port)
{
    const struct berth_lease *lease = berth_lease_book_at(&fixture.allocator->book, port);

    assert_non_null(lease);
    return lease->state;
}

static int64_t ends_in(const char *key)
{
    int64_t ends = berth_allocator_expires_unix_ms(fixture.allocator, lease_of(key), fixture.now);

    return ends < 0 ? -1 : ends - fixture.now.unix_ms;
}

static bool is_live(const char *key, const char *generation)
{
    struct berth_lease *lease;

    return berth_allocator_find(fixture.allocator, NULL, key, generation, 0, &lease,
                                &fixture.err) == BERTH_OK;
}

/* ---- the table ---- */

static void none__allocated__is_pending_for_ttl(void **state)
{
    (void)state;
    assert_int_equal(allocate_for("shop", "site:Shop"), 49000);
    assert_int_equal(state_at(49000), BERTH_LEASE_PENDING);
    assert_true(ends_in("shop") == (int64_t)FIXTURE_TTL_MS);
}

static void pending__binding_of_its_holder__is_active_without_end(void **state)
{
    (void)state;
    (void)allocate_for("shop", "site:SHOP");
    shop_binds(49000, 0);
    assert_int_equal(state_at(49000), BERTH_LEASE_ACTIVE);
    assert_int_equal(ends_in("shop"), -1);
    (void)fixture_pass(&fixture, 10 * FIXTURE_TTL_MS);
    assert_int_equal(state_at(49000), BERTH_LEASE_ACTIVE);
    assert_state(49000, "leased");
}

static void pending__listener_of_its_holder__is_active(void **state)
{
    (void)state;
    (void)allocate_for("queue", "process:java");
    listens(49000, "node");
    assert_int_equal(state_at(49000), BERTH_LEASE_PENDING);
    listens(49000, "java");
    assert_int_equal(state_at(49000), BERTH_LEASE_ACTIVE);
}

static void pending__connections_alone__stays_pending_and_is_not_lost(void **state)
{
    struct berth_claim connection = berth_claim_make(49000, BERTH_CLAIM_CONNECTION);

    (void)state;
    (void)allocate_for("queue", "any");
    report(fixture.tcp, 1, &connection, 1);
    assert_int_equal(state_at(49000), BERTH_LEASE_PENDING);
    assert_int_equal(allocate_for("queue", "any"), 49000);
    assert_int_equal(grant.lost_port, 0);
    assert_true(grant.reused);
}

static void pending__ttl_passes__expires_and_cools_down_for_its_key(void **state)
{
    (void)state;
    (void)allocate_for("shop", "site:Shop");
    (void)fixture_pass(&fixture, FIXTURE_TTL_MS - 1);
    assert_int_equal(state_at(49000), BERTH_LEASE_PENDING);
    (void)fixture_pass(&fixture, 1);
    assert_int_equal(state_at(49000), BERTH_LEASE_EXPIRED);
    assert_state(49000, "cooling");
    assert_code(ask_for_port("blog", 49000), BERTH_PORT_IN_USE);
    assert_int_equal(allocate_for("shop", "site:Shop"), 49000);
    assert_false(grant.reused);
    assert_int_equal(state_at(49000), BERTH_LEASE_PENDING);
}

static void active__holder_vanishes_late__lingers_for_linger(void **state)
{
    (void)state;
    (void)allocate_for("shop", "site:Shop");
    shop_binds(49000, 0);
    (void)fixture_pass(&fixture, 2 * FIXTURE_TTL_MS);
    shop_binds(0, 0);
    assert_int_equal(state_at(49000), BERTH_LEASE_LINGERING);
    assert_true(ends_in("shop") == (int64_t)FIXTURE_LINGER_MS);
}

static void active__holder_vanishes_early__lingers_for_the_running_ttl(void **state)
{
    (void)state;
    (void)allocate_for("shop", "site:Shop");
    shop_binds(49000, 0);
    (void)fixture_pass(&fixture, 1000);
    shop_binds(0, 0);
    assert_int_equal(state_at(49000), BERTH_LEASE_LINGERING);
    assert_true(ends_in("shop") == (int64_t)FIXTURE_TTL_MS - 1000);
}

static void active__one_of_two_uses_vanishes__stays_active(void **state)
{
    struct berth_allocate_request request = request_of("shop");

    (void)state;
    request.wish.count = 2;
    request.holder = "site:Shop";
    assert_ok(ask(&request, &deploy), &fixture.err);
    shop_binds(49000, 49001);
    shop_binds(49001, 0);
    assert_int_equal(state_at(49000), BERTH_LEASE_ACTIVE);
    shop_binds(0, 0);
    assert_int_equal(state_at(49000), BERTH_LEASE_LINGERING);
}

static void lingering__holder_is_seen_again__is_active(void **state)
{
    (void)state;
    (void)allocate_for("shop", "site:Shop");
    shop_binds(49000, 0);
    shop_binds(0, 0);
    shop_binds(49000, 0);
    assert_int_equal(state_at(49000), BERTH_LEASE_ACTIVE);
    assert_int_equal(ends_in("shop"), -1);
}

static void lingering__time_passes__expires_and_cools_down(void **state)
{
    (void)state;
    (void)allocate_for("shop", "site:Shop");
    shop_binds(49000, 0);
    (void)fixture_pass(&fixture, 2 * FIXTURE_TTL_MS);
    shop_binds(0, 0);
    (void)fixture_pass(&fixture, FIXTURE_LINGER_MS - 1);
    assert_int_equal(state_at(49000), BERTH_LEASE_LINGERING);
    assert_state(49000, "leased");
    (void)fixture_pass(&fixture, 1);
    assert_int_equal(state_at(49000), BERTH_LEASE_EXPIRED);
    assert_state(49000, "cooling");
}

static void lingering__renewed__ends_no_earlier_than_ttl(void **state)
{
    (void)state;
    (void)allocate_for("shop", "site:Shop");
    shop_binds(49000, 0);
    (void)fixture_pass(&fixture, 2 * FIXTURE_TTL_MS);
    shop_binds(0, 0);
    assert_ok(berth_allocator_renew(fixture.allocator, lease_of("shop"), &deploy, 1000, fixture.now,
                                    &refusal, &fixture.err),
              &fixture.err);
    assert_true(ends_in("shop") == (int64_t)FIXTURE_LINGER_MS);
    assert_int_equal(allocate_for("shop", "site:Shop"), 49000);
    assert_true(ends_in("shop") == (int64_t)FIXTURE_TTL_MS);
}

static void expired__holder_appears__is_active_again(void **state)
{
    (void)state;
    (void)allocate_for("shop", "site:Shop");
    (void)fixture_pass(&fixture, FIXTURE_TTL_MS);
    (void)fixture_pass(&fixture, FIXTURE_COOLDOWN_MS);
    assert_state(49000, "free");
    shop_binds(49000, 0);
    assert_int_equal(state_at(49000), BERTH_LEASE_ACTIVE);
    assert_state(49000, "leased");
    assert_int_equal(fixture.allocator->book.live.count, 1);
    assert_int_equal(fixture.allocator->book.ended.count, 0);
    assert_int_equal(allocate_for("shop", "site:Shop"), 49000);
    assert_true(grant.reused);
}

static void expired__leased_since__does_not_come_back(void **state)
{
    (void)state;
    (void)allocate_for("shop", "site:Shop");
    (void)fixture_pass(&fixture, FIXTURE_TTL_MS);
    (void)fixture_pass(&fixture, FIXTURE_COOLDOWN_MS);
    assert_int_equal(allocate_for("blog", "site:Blog"), 49000);
    shop_binds(49000, 0);
    assert_false(is_live("shop", NULL));
    assert_int_equal(state_at(49000), BERTH_LEASE_PENDING);
    release("blog");
    shop_binds(49000, 49001);
    shop_binds(49000, 0);
    assert_false(is_live("shop", NULL));
}

static void live__released_in_any_state__is_released_and_cools_down(void **state)
{
    (void)state;
    for (int from = BERTH_LEASE_PENDING; from <= BERTH_LEASE_LINGERING; from++) {
        assert_int_equal(allocate_for("shop", "site:Shop"), 49000);
        if (from != BERTH_LEASE_PENDING) {
            shop_binds(49000, 0);
        }
        if (from == BERTH_LEASE_LINGERING) {
            shop_binds(0, 0);
        }
        assert_int_equal(state_at(49000), from);
        assert_code(berth_allocator_release(fixture.allocator, lease_of("shop"), &other,
                                            fixture.now, &refusal, &fixture.err),
                    BERTH_DENIED);
        assert_int_equal(state_at(49000), from);
        assert_ok(berth_allocator_release(fixture.allocator, lease_of("shop"),
                                          from == BERTH_LEASE_ACTIVE ? &root : &deploy, fixture.now,
                                          &refusal, &fixture.err),
                  &fixture.err);
        assert_int_equal(state_at(49000), BERTH_LEASE_RELEASED);
        shop_binds(0, 0);
        (void)fixture_pass(&fixture, FIXTURE_LINGER_MS);
        assert_state(49000, "free");
    }
}

static void released__holder_appears__stays_released(void **state)
{
    (void)state;
    (void)allocate_for("shop", "site:Shop");
    release("shop");
    assert_state(49000, "cooling");
    shop_binds(49000, 0);
    assert_int_equal(state_at(49000), BERTH_LEASE_RELEASED);
    assert_state(49000, "used");
}

/* ---- Octopus's IIS step ---- */

/* It makes the site with a placeholder on port 81, clears its bindings, and adds the real ones, on
 * each deployment: the leased port is nobody else's meanwhile. */
static void iis_step__five_deployments__port_stays_with_its_key(void **state)
{
    static const unsigned pauses_s[] = {1, 15, 60, 299, 300};

    (void)state;
    for (size_t run = 0; run < BERTH_COUNT(pauses_s); run++) {
        assert_int_equal(allocate_for("shop", "site:Shop"), 49000);
        assert_int_equal(grant.reused, run > 0);
        if (run == 0) {
            shop_binds(81, 0);
            (void)fixture_pass(&fixture, pauses_s[run] * 1000);
        }
        shop_binds(0, 0);
        for (unsigned s = 0; s < pauses_s[run]; s++) {
            (void)fixture_pass(&fixture, 1000);
            assert_state(49000, "leased");
        }
        assert_code(ask_for_port("blog", 49000), BERTH_PORT_IN_USE);
        assert_int_equal(allocate_for("shop", "site:Shop"), 49000);
        assert_true(grant.reused);
        shop_binds(49000, 0);
        assert_int_equal(state_at(49000), BERTH_LEASE_ACTIVE);
        (void)fixture_pass(&fixture, 7 * FIXTURE_TTL_MS); /* until the next deployment */
    }
    assert_int_equal(fixture.allocator->book.live.count, 1);
}

static void iis_step__site_without_lease__port_stays_with_the_site(void **state)
{
    struct berth_allocate_request request = request_of("shop");

    (void)state;
    for (unsigned run = 0; run < 5; run++) {
        shop_binds(49003, 0);
        (void)fixture_pass(&fixture, FIXTURE_TTL_MS);
        shop_binds(0, 0);
        (void)fixture_pass(&fixture, 300000);
        assert_state(49003, "used");
        assert_code(ask_for_port("blog", 49003), BERTH_PORT_IN_USE);
    }
    request.holder = "site:shop";
    request.wish.port = 49003;
    assert_ok(ask(&request, &deploy), &fixture.err);
    release("shop");
    (void)fixture_pass(&fixture, FIXTURE_LINGER_MS);
    assert_state(49003, "free");
}

/* ---- clocks and sources ---- */

static void stale__lingering_and_pending__do_not_end(void **state)
{
    (void)state;
    (void)allocate_for("shop", "site:Shop");
    shop_binds(49000, 0);
    (void)fixture_pass(&fixture, FIXTURE_TTL_MS);
    (void)allocate_for("blog", "site:Blog");
    shop_binds(0, 0);
    for (unsigned i = 0; i < 2; i++) {
        fixture_state(&fixture, i == 0 ? fixture.iis : fixture.tcp, BERTH_STATE_STALE);
        (void)fixture_pass(&fixture, 100 * FIXTURE_TTL_MS);
        fixture_state(&fixture, i == 0 ? fixture.iis : fixture.tcp, BERTH_STATE_READY);
        assert_int_equal(state_at(49000), BERTH_LEASE_LINGERING);
        assert_int_equal(state_at(49001), BERTH_LEASE_PENDING);
    }
    assert_true(ends_in("shop") == (int64_t)FIXTURE_LINGER_MS);
    assert_true(ends_in("blog") == (int64_t)FIXTURE_TTL_MS);
    (void)fixture_pass(&fixture, FIXTURE_LINGER_MS);
    assert_int_equal(state_at(49000), BERTH_LEASE_EXPIRED);
}

static void stale__gone_meanwhile__lingers_only_from_then_on(void **state)
{
    (void)state;
    (void)allocate_for("shop", "site:Shop");
    shop_binds(49000, 0);
    (void)fixture_pass(&fixture, FIXTURE_TTL_MS);
    fixture_state(&fixture, fixture.iis, BERTH_STATE_STALE);
    (void)fixture_pass(&fixture, 100 * FIXTURE_TTL_MS);
    assert_int_equal(state_at(49000), BERTH_LEASE_ACTIVE);
    shop_binds(0, 0);
    fixture_state(&fixture, fixture.iis, BERTH_STATE_READY);
    assert_int_equal(state_at(49000), BERTH_LEASE_LINGERING);
    assert_true(ends_in("shop") == (int64_t)FIXTURE_LINGER_MS);
}

/* As after a restart: a lease that was active comes into the book before its sources are heard. */
static void sources__all_current__every_lease_is_looked_at(void **state)
{
    struct berth_lease *shop;
    struct berth_lease *blog;

    (void)state;
    shop_binds(49000, 0);
    fixture_state(&fixture, fixture.tcp, BERTH_STATE_STALE);
    const uint16_t ports[] = {49000, 49001};
    struct berth_lease_terms terms = {.key = "shop",
                                      .generation = "",
                                      .owner = {.id = "uid:1000", .name = "deploy"},
                                      .ports = &ports[0],
                                      .port_count = 1,
                                      .ttl_ms = 1000};
    assert_ok(berth_lease_book_add(&fixture.allocator->book, &terms, 1, 0, 1, &shop, &fixture.err),
              &fixture.err);
    terms.key = "blog";
    terms.ports = &ports[1];
    assert_ok(berth_lease_book_add(&fixture.allocator->book, &terms, 2, 0, 1, &blog, &fixture.err),
              &fixture.err);
    assert_true(
        berth_lease_book_move(&fixture.allocator->book, blog, BERTH_LEASE_HOLDER_SEEN, 0, 0));
    assert_int_equal(shop->state, BERTH_LEASE_PENDING);
    fixture_state(&fixture, fixture.tcp, BERTH_STATE_READY);
    assert_int_equal(shop->state, BERTH_LEASE_ACTIVE);
    assert_int_equal(blog->state, BERTH_LEASE_LINGERING);
    const char *const expected[] = {"lease.active shop 49000", "lease.lingering blog 49001"};
    assert_told(expected, BERTH_COUNT(expected));
}

static void source__removed__its_holders_are_gone(void **state)
{
    (void)state;
    (void)allocate_for("queue", "process:java");
    listens(49000, "java");
    berth_allocator_remove_source(fixture.allocator, fixture.tcp, fixture.now);
    assert_int_equal(state_at(49000), BERTH_LEASE_LINGERING);
}

/* ---- the same port again ---- */

static void key__had_ports__gets_them_again(void **state)
{
    (void)state;
    (void)allocate("blog");
    assert_int_equal(allocate_for("shop", "site:Shop"), 49001);
    release("shop");
    release("blog");
    (void)fixture_pass(&fixture, FIXTURE_COOLDOWN_MS);
    assert_int_equal(allocate_for("shop", "site:Shop"), 49001);
    assert_false(grant.reused);
    assert_int_equal(fixture.allocator->book.ended.count, 1);
    assert_int_equal(forgotten_count, 1);
    shop_binds(49001, 0);
    release("shop");
    assert_int_equal(allocate_for("shop", "site:Shop"), 49001); /* its own site is there */
    assert_int_equal(state_at(49001), BERTH_LEASE_ACTIVE);
}

static void key__had_ports_and_asks_otherwise__gets_others(void **state)
{
    struct berth_allocate_request request = request_of("shop");

    (void)state;
    (void)allocate("blog");
    assert_int_equal(allocate_for("shop", NULL), 49001);
    release("shop");
    release("blog");
    (void)fixture_pass(&fixture, FIXTURE_COOLDOWN_MS);
    request.wish.prefer = 49004;
    assert_ok(ask(&request, &deploy), &fixture.err);
    assert_int_equal(grant.lease->ports[0], 49004);
    release("shop");
    (void)fixture_pass(&fixture, FIXTURE_COOLDOWN_MS);
    request.wish = (struct berth_wish){.count = 2};
    assert_ok(ask(&request, &deploy), &fixture.err);
    assert_int_equal(grant.lease->ports[0], 49000);
    release("shop");
    (void)fixture_pass(&fixture, FIXTURE_COOLDOWN_MS);
    listens(49001, "java");
    assert_ok(ask(&request, &deploy), &fixture.err); /* one of the two is taken */
    assert_int_equal(grant.lease->ports[0], 49000);
    assert_int_equal(grant.lease->ports[1], 49002);
}

static void key__had_scattered_ports_and_asks_for_neighbours__gets_neighbours(void **state)
{
    struct berth_allocate_request request = request_of("shop");

    (void)state;
    listens(49001, "java");
    request.wish.count = 2;
    assert_ok(ask(&request, &deploy), &fixture.err);
    assert_int_equal(grant.lease->ports[1], 49002);
    release("shop");
    (void)fixture_pass(&fixture, FIXTURE_COOLDOWN_MS);
    request.wish.contiguous = true;
    assert_ok(ask(&request, &deploy), &fixture.err);
    assert_int_equal(grant.lease->ports[1], grant.lease->ports[0] + 1);
}

/* ---- lost ---- */

static void pending__taken_by_another__next_allocate_gives_another_port(void **state)
{
    (void)state;
    (void)allocate_for("shop", "site:Shop");
    listens(49000, "java");
    assert_int_equal(state_at(49000), BERTH_LEASE_PENDING);
    assert_int_equal(allocate_for("shop", "site:Shop"), 49001);
    assert_int_equal(grant.lost_port, 49000);
    assert_false(grant.reused);
    assert_state(49000, "used");
    assert_int_equal(allocate_for("shop", "site:Shop"), 49001);
    assert_int_equal(grant.lost_port, 0);
    assert_true(grant.reused);
    assert_int_equal(fixture.allocator->book.live.count, 1);
}

static void active_or_lingering__another_is_there_too__is_not_lost(void **state)
{
    (void)state;
    (void)allocate_for("shop", "site:Shop");
    listens(49000, "System");
    shop_binds(49000, 0);
    assert_int_equal(allocate_for("shop", "site:Shop"), 49000);
    shop_binds(0, 0);
    assert_int_equal(state_at(49000), BERTH_LEASE_LINGERING);
    assert_int_equal(allocate_for("shop", "site:Shop"), 49000);
    assert_int_equal(grant.lost_port, 0);
}

static void lost__no_other_port_is_free__nothing_changes(void **state)
{
    struct berth_allocate_request request = request_of("shop");

    (void)state;
    request.wish.range = (struct berth_port_range){49000, 49000};
    request.holder = "site:Shop";
    assert_ok(ask(&request, &deploy), &fixture.err);
    listens(49000, "java");
    assert_code(ask(&request, &deploy), BERTH_POOL_EXHAUSTED);
    assert_true(is_live("shop", NULL));
    assert_int_equal(state_at(49000), BERTH_LEASE_PENDING);
    assert_state(49000, "leased");
    request.wish.range = (struct berth_port_range){49000, 49009};
    assert_ok(ask(&request, &deploy), &fixture.err);
    assert_int_equal(grant.lost_port, 49000);
}

/* ---- adoption ---- */

static void adoption__new_key_of_a_site__gets_the_port_it_has(void **state)
{
    struct berth_claim bindings[] = {fixture_binding(49005, "Shop"), fixture_binding(49003, "Blog"),
                                     fixture_binding(49007, "Shop"), fixture_binding(80, "Shop")};
    struct berth_allocate_request request = request_of("shop");

    (void)state;
    bindings[0].protocol = BERTH_PROTOCOL_HTTPS;
    report(fixture.iis, 0, bindings, BERTH_COUNT(bindings));
    request.holder = "site:shop";
    request.protocol = BERTH_PROTOCOL_HTTP;
    assert_ok(ask(&request, &deploy), &fixture.err);
    assert_true(grant.adopted);
    assert_int_equal(grant.lease->ports[0], 49007);
    assert_int_equal(grant.lease->state, BERTH_LEASE_ACTIVE);
    const char *const expected[] = {"lease.adopted shop 49007", "lease.active shop 49007"};
    assert_told(expected, BERTH_COUNT(expected));
    request.key = "shop-tls";
    request.protocol = BERTH_PROTOCOL_NONE; /* any */
    assert_ok(ask(&request, &deploy), &fixture.err);
    assert_int_equal(grant.lease->ports[0], 49005);
    request.key = "shop-third"; /* no port of it is left */
    assert_ok(ask(&request, &deploy), &fixture.err);
    assert_false(grant.adopted);
    assert_int_equal(grant.lease->ports[0], 49000);
}

static void adoption__anything_that_speaks_against_it__does_not_adopt(void **state)
{
    struct berth_allocate_request requests[5];

    (void)state;
    shop_binds(49005, 0);
    for (unsigned i = 0; i < BERTH_COUNT(requests); i++) {
        requests[i] = request_of("shop");
        requests[i].holder = "site:Shop";
    }
    requests[0].generation = "1";
    requests[1].wish.prefer = 49001;
    requests[2].wish.count = 2;
    requests[3].holder = NULL;
    requests[4].key = NULL;
    for (unsigned i = 0; i < BERTH_COUNT(requests); i++) {
        char key[8];
        (void)snprintf(key, sizeof key, "k%u", i);
        requests[i].key = requests[i].key != NULL ? key : NULL;
        assert_ok(ask(&requests[i], &root), &fixture.err);
        assert_false(grant.adopted);
        assert_int_not_equal(grant.lease->ports[0], 49005);
    }
}

static void cooldown__of_a_site_that_stays__another_key_adopts_and_both_end(void **state)
{
    (void)state;
    (void)allocate_for("shop", "site:Shop");
    shop_binds(49000, 0);
    release("shop");
    (void)fixture_pass(&fixture, 1000);
    assert_int_equal(allocate_for("apex", "site:Shop"), 49000);
    assert_true(grant.adopted);
    release("apex");
    fixture.allocator->options.linger_ms = 0;
    shop_binds(0, 0);
    (void)fixture_pass(&fixture, FIXTURE_COOLDOWN_MS - 1000);
    (void)fixture_pass(&fixture, 1000);
    (void)fixture_pass(&fixture, FIXTURE_LINGER_MS);
    assert_state(49000, "free");
}

/* ---- the store ---- */

static void store__refuses__allocate_and_release_change_nothing(void **state)
{
    struct berth_allocate_request request = request_of("shop");

    (void)state;
    keeps_until_refusal = 1;
    assert_code(ask(&request, &deploy), BERTH_STORE_FAILED);
    assert_state(49000, "free");
    assert_int_equal(fixture.allocator->book.live.count, 0);
    assert_int_equal(fixture.allocator->book.ended.count, 0);
    assert_int_equal(told_count, 0);
    keeps_until_refusal = 0;
    (void)allocate_for("shop", "site:Shop");
    told_count = 0;
    keeps_until_refusal = 1;
    assert_code(berth_allocator_release(fixture.allocator, lease_of("shop"), &deploy, fixture.now,
                                        &refusal, &fixture.err),
                BERTH_STORE_FAILED);
    assert_int_equal(state_at(49000), BERTH_LEASE_PENDING);
    assert_state(49000, "leased");
    listens(49000, "java");
    request.holder = "site:Shop";
    assert_code(ask(&request, &deploy), BERTH_STORE_FAILED); /* it is lost, and stays so */
    assert_int_equal(state_at(49000), BERTH_LEASE_PENDING);
    assert_int_equal(told_count, 0);
    assert_int_equal(forgotten_count, 0);
    keeps_until_refusal = 2; /* the new one is kept, the old one's end is not */
    assert_ok(ask(&request, &deploy), &fixture.err);
    assert_state(49000, "used");
}

static void store__refuses_an_allocation__an_expired_lease_may_still_come_back(void **state)
{
    (void)state;
    (void)allocate_for("shop", "site:Shop");
    (void)fixture_pass(&fixture, FIXTURE_TTL_MS);
    (void)fixture_pass(&fixture, FIXTURE_COOLDOWN_MS);
    keeps_until_refusal = 1;
    assert_code(ask_for_port("blog", 49000), BERTH_STORE_FAILED);
    keeps_until_refusal = 0;
    shop_binds(49000, 0);
    assert_true(is_live("shop", NULL));
}

static void store__refuses_what_nobody_asked_for__it_happens_all_the_same(void **state)
{
    (void)state;
    (void)allocate_for("shop", "site:Shop");
    keeps_until_refusal = 1;
    shop_binds(49000, 0);
    assert_int_equal(state_at(49000), BERTH_LEASE_ACTIVE);
    shop_binds(0, 0);
    assert_int_equal(state_at(49000), BERTH_LEASE_LINGERING);
    (void)fixture_pass(&fixture, FIXTURE_TTL_MS);
    assert_int_equal(state_at(49000), BERTH_LEASE_EXPIRED);
}

/* ---- what is told ---- */

static void told__a_whole_life__is_in_order(void **state)
{
    static const char *const expected[] = {
        "lease.granted shop 49000",   "lease.renewed shop 49000",   "lease.active shop 49000",
        "lease.renewed shop 49000",   "lease.lingering shop 49000", "lease.active shop 49000",
        "lease.lingering shop 49000", "lease.expired shop 49000",   "lease.active shop 49000",
        "lease.released shop 49000"};

    (void)state;
    (void)allocate_for("shop", "site:Shop");
    (void)allocate_for("shop", "site:Shop");
    shop_binds(49000, 0);
    assert_ok(berth_allocator_renew(fixture.allocator, lease_of("shop"), &deploy, 0, fixture.now,
                                    &refusal, &fixture.err),
              &fixture.err);
    shop_binds(0, 0);
    shop_binds(49000, 0);
    shop_binds(49000, 0); /* the same again is no event */
    shop_binds(0, 0);
    (void)fixture_pass(&fixture, FIXTURE_TTL_MS);
    shop_binds(49000, 0);
    release("shop");
    shop_binds(0, 0);
    assert_told(expected, BERTH_COUNT(expected));
}

static void anonymous__released__is_forgotten(void **state)
{
    struct berth_allocate_request request = request_of(NULL);

    (void)state;
    assert_ok(ask(&request, &deploy), &fixture.err);
    struct berth_lease *lease = berth_lease_book_at(&fixture.allocator->book, 49000);
    assert_true(lease->anonymous);
    assert_ok(berth_allocator_release(fixture.allocator, lease, &deploy, fixture.now, &refusal,
                                      &fixture.err),
              &fixture.err);
    assert_int_equal(fixture.allocator->book.ended.count, 0);
    assert_int_equal(forgotten_count, 1);
    assert_null(berth_lease_book_at(&fixture.allocator->book, 49000));
}

/* Whoever reads the key that was made up can ask with it. */
static void anonymous__lost_and_asked_for_by_its_key__gets_another_port(void **state)
{
    struct berth_allocate_request request = request_of(NULL);
    char key[64];

    (void)state;
    request.holder = "site:Shop";
    assert_ok(ask(&request, &deploy), &fixture.err);
    (void)snprintf(key, sizeof key, "%s", grant.lease->key);
    listens(49000, "java");
    request.key = key;
    assert_ok(ask(&request, &deploy), &fixture.err);
    assert_int_equal(grant.lost_port, 49000);
    assert_int_equal(grant.lease->ports[0], 49001);
}

#define LIFE(function) cmocka_unit_test_setup_teardown(function, set_up_life, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        LIFE(none__allocated__is_pending_for_ttl),
        LIFE(pending__binding_of_its_holder__is_active_without_end),
        LIFE(pending__listener_of_its_holder__is_active),
        LIFE(pending__connections_alone__stays_pending_and_is_not_lost),
        LIFE(pending__ttl_passes__expires_and_cools_down_for_its_key),
        LIFE(active__holder_vanishes_late__lingers_for_linger),
        LIFE(active__holder_vanishes_early__lingers_for_the_running_ttl),
        LIFE(active__one_of_two_uses_vanishes__stays_active),
        LIFE(lingering__holder_is_seen_again__is_active),
        LIFE(lingering__time_passes__expires_and_cools_down),
        LIFE(lingering__renewed__ends_no_earlier_than_ttl),
        LIFE(expired__holder_appears__is_active_again),
        LIFE(expired__leased_since__does_not_come_back),
        LIFE(live__released_in_any_state__is_released_and_cools_down),
        LIFE(released__holder_appears__stays_released),
        LIFE(iis_step__five_deployments__port_stays_with_its_key),
        LIFE(iis_step__site_without_lease__port_stays_with_the_site),
        LIFE(stale__lingering_and_pending__do_not_end),
        LIFE(stale__gone_meanwhile__lingers_only_from_then_on),
        LIFE(sources__all_current__every_lease_is_looked_at),
        LIFE(source__removed__its_holders_are_gone),
        LIFE(key__had_ports__gets_them_again),
        LIFE(key__had_ports_and_asks_otherwise__gets_others),
        LIFE(key__had_scattered_ports_and_asks_for_neighbours__gets_neighbours),
        LIFE(pending__taken_by_another__next_allocate_gives_another_port),
        LIFE(active_or_lingering__another_is_there_too__is_not_lost),
        LIFE(lost__no_other_port_is_free__nothing_changes),
        LIFE(adoption__new_key_of_a_site__gets_the_port_it_has),
        LIFE(adoption__anything_that_speaks_against_it__does_not_adopt),
        LIFE(cooldown__of_a_site_that_stays__another_key_adopts_and_both_end),
        LIFE(store__refuses__allocate_and_release_change_nothing),
        LIFE(store__refuses_an_allocation__an_expired_lease_may_still_come_back),
        LIFE(store__refuses_what_nobody_asked_for__it_happens_all_the_same),
        LIFE(told__a_whole_life__is_in_order),
        LIFE(anonymous__released__is_forgotten),
        LIFE(anonymous__lost_and_asked_for_by_its_key__gets_another_port),
    };
    return cmocka_run_group_tests_name("allocator.lease_life", tests, NULL, NULL);
}
