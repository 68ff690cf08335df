/* SPDX-License-Identifier: MIT */
/* Tests of allocator/allocator: what allocate, next, release, renew and find answer. Time, sources
 * and failing memory: test_allocator_sources.c. */
#include "models/allocator_asks.h"

#include <stdio.h>

/* ---- keys ---- */

static void allocate__new_key__gets_the_lowest_port(void **state)
{
    (void)state;
    assert_int_equal(allocate("shop"), 49000);
    assert_false(grant.reused);
    assert_false(grant.ephemeral);
    assert_string_equal(grant.lease->key, "shop");
    assert_string_equal(grant.lease->generation, "");
    assert_string_equal(grant.lease->id, "0000000000000001");
    assert_string_equal(grant.lease->owner->name, "deploy");
    assert_state(49000, "leased");
    assert_int_equal(allocate("blog"), 49001);
}

static void allocate__same_key_and_generation__gets_the_same_port(void **state)
{
    struct berth_allocate_request request = request_of("shop");

    (void)state;
    (void)allocate("shop");
    uint64_t revision = fixture.allocator->revision;
    (void)fixture_pass(&fixture, 1000);
    assert_int_equal(allocate("shop"), 49000);
    assert_true(grant.reused);
    assert_int_equal(fixture.allocator->revision, revision + 1); /* it is renewed */
    assert_int_equal(fixture.allocator->book.live.count, 1);
    /* guaranteed for ttl from now, however often it is retried */
    assert_int_equal(berth_allocator_expires_unix_ms(fixture.allocator, grant.lease, fixture.now),
                     fixture.now.unix_ms + (int64_t)FIXTURE_TTL_MS);
    request.generation = "2";
    assert_ok(ask(&request, &deploy), &fixture.err);
    assert_false(grant.reused);
    assert_int_equal(grant.lease->ports[0], 49001);
    assert_ok(ask(&request, &deploy), &fixture.err);
    assert_true(grant.reused);
    assert_int_equal(grant.lease->ports[0], 49001);
}

static void allocate__no_key__is_a_lease_of_its_own_each_time(void **state)
{
    (void)state;
    assert_int_equal(allocate(NULL), 49000);
    char key[64];
    (void)snprintf(key, sizeof key, "%s", grant.lease->key);
    assert_int_equal(allocate(NULL), 49001);
    assert_string_not_equal(grant.lease->key, key);
    assert_int_equal(lease_of(key)->ports[0], 49000);
}

static void allocate__key_has_something_else__is_refused(void **state)
{
    struct berth_allocate_request request = request_of("shop");

    (void)state;
    (void)allocate("shop");
    assert_code(ask_for_port("shop", 49005), BERTH_INVALID_PARAMS);
    assert_ok(ask_for_port("shop", 49000), &fixture.err);
    request.wish.count = 2;
    assert_code(ask(&request, &deploy), BERTH_INVALID_PARAMS);
    assert_int_equal(fixture.allocator->book.live.count, 1);
}

static void allocate__key_of_another__is_denied_naming_the_owner(void **state)
{
    struct berth_allocate_request request = request_of("shop");

    (void)state;
    (void)allocate("shop");
    assert_code(ask(&request, &other), BERTH_DENIED);
    assert_string_equal(refusal.owner, "deploy");
    assert_non_null(strstr(fixture.err.detail, "deploy"));
    assert_ok(ask(&request, &root), &fixture.err);
    assert_true(grant.reused);
}

static void allocate__id_taken__is_granted_under_another(void **state)
{
    (void)state;
    (void)allocate("shop");
    fixture.last_id = 0; /* the same random number once more */
    struct berth_allocate_request request = request_of("blog");
    enum berth_code code = ask(&request, &deploy);
    assert_code(code, BERTH_OK);
    assert_string_not_equal(grant.lease->id, lease_of("shop")->id);
}

/* ---- wishes ---- */

static void allocate__port__gives_exactly_that_or_says_in_use(void **state)
{
    struct berth_claim socket = fixture_listener(49003, "java");

    (void)state;
    assert_ok(ask_for_port("shop", 49004), &fixture.err);
    assert_int_equal(grant.lease->ports[0], 49004);
    report(fixture.tcp, 0, &socket, 1);
    assert_code(ask_for_port("blog", 49003), BERTH_PORT_IN_USE);
    assert_int_equal(refusal.port, 49003);
    assert_string_equal(fixture.err.detail,
                        "port 49003 is in use: java (pid 4242) listens on 0.0.0.0");
    assert_code(ask_for_port("blog", 49004), BERTH_PORT_IN_USE);
    assert_code(ask_for_port("blog", 80), BERTH_OUT_OF_RANGE);
    assert_int_equal(fixture.allocator->book.live.count, 1);
}

/* "None inside the ephemeral range" (policy.h), and `who` says "not given". */
static void allocate__ephemeral_port_of_a_pool_that_never_gives_one__is_refused(void **state)
{
    static struct berth_port_set ephemeral;

    (void)state;
    (void)berth_port_set_add(&ephemeral, 5003);
    berth_allocator_set_ephemeral(fixture.allocator, &ephemeral);
    assert_ok(ask_for_port("shop", 5002), &fixture.err);
    assert_true(ask_for_port("blog", 5003) != BERTH_OK);
}

static void allocate__prefer__is_tried_first(void **state)
{
    struct berth_allocate_request request = request_of("shop");

    (void)state;
    request.wish.prefer = 49007;
    assert_ok(ask(&request, &deploy), &fixture.err);
    assert_int_equal(grant.lease->ports[0], 49007);
    request.key = "blog";
    assert_ok(ask(&request, &deploy), &fixture.err);
    assert_int_equal(grant.lease->ports[0], 49000);
    request.key = "outside";
    request.wish.prefer = 80;
    assert_ok(ask(&request, &deploy), &fixture.err);
    assert_int_equal(grant.lease->ports[0], 49001);
    request.key = "another pool";
    request.wish.prefer = 5000;
    assert_ok(ask(&request, &deploy), &fixture.err);
    assert_int_equal(grant.lease->ports[0], 49002);
}

static void allocate__several__are_one_lease(void **state)
{
    struct berth_allocate_request request = request_of("shop");
    struct berth_lease *lease;

    (void)state;
    (void)allocate("first");
    assert_ok(ask_for_port("second", 49002), &fixture.err);
    request.wish.count = 3;
    request.wish.contiguous = true;
    assert_ok(ask(&request, &deploy), &fixture.err);
    assert_int_equal(grant.lease->ports[0], 49003);
    assert_int_equal(grant.lease->ports[2], 49005);
    request.key = "blog";
    request.wish.contiguous = false;
    assert_ok(ask(&request, &deploy), &fixture.err);
    assert_int_equal(grant.lease->ports[0], 49001);
    assert_int_equal(grant.lease->ports[1], 49006);
    assert_int_equal(grant.lease->ports[2], 49007);
    assert_ok(
        berth_allocator_find(fixture.allocator, NULL, NULL, NULL, 49007, &lease, &fixture.err),
        &fixture.err);
    assert_string_equal(lease->key, "blog");
    release("blog");
    assert_state(49001, "cooling");
    assert_state(49007, "cooling");
}

static void allocate__nothing_left__says_where_it_looked(void **state)
{
    struct berth_allocate_request request = request_of("shop");
    const struct berth_claim sites[] = {fixture_binding(5001, "A"), fixture_binding(5002, "B")};

    (void)state;
    report(fixture.iis, 0, sites, 2);
    request.wish.pool = "qa";
    request.wish.range = (struct berth_port_range){5001, 5002};
    uint64_t revision = fixture.allocator->revision;
    assert_code(ask(&request, &deploy), BERTH_POOL_EXHAUSTED);
    assert_int_equal(refusal.windows.count, 1);
    assert_int_equal(refusal.windows.at[0].range.first, 5001);
    assert_int_equal(refusal.windows.at[0].range.last, 5002);
    assert_int_equal(berth_allocator_count(fixture.allocator, &refusal.windows, BERTH_PORT_IIS), 2);
    assert_int_equal(berth_allocator_count(fixture.allocator, &refusal.windows, BERTH_PORT_FREE),
                     0);
    assert_int_equal(fixture.allocator->revision, revision);
    request.wish.range = (struct berth_port_range){0, 0};
    request.wish.count = 9;
    assert_code(ask(&request, &deploy), BERTH_POOL_EXHAUSTED);
    assert_int_equal(fixture.allocator->book.live.count, 0);
}

static void allocate__ephemeral__is_given_last_and_said_so(void **state)
{
    static struct berth_port_set ephemeral;
    struct berth_allocate_request request = request_of("shop");

    (void)state;
    berth_port_set_add_range(&ephemeral, (struct berth_port_range){49000, 49008});
    berth_allocator_set_ephemeral(fixture.allocator, &ephemeral);
    assert_int_equal(allocate("first"), 49009);
    assert_false(grant.ephemeral);
    assert_int_equal(allocate("second"), 49000);
    assert_true(grant.ephemeral);
    request.wish.pool = "qa";
    assert_ok(ask(&request, &deploy), &fixture.err);
    assert_false(grant.ephemeral);
}

static void allocate__odd_parameters__are_refused(void **state)
{
    char long_key[BERTH_LEASE_KEY_MAX + 2];
    char long_generation[BERTH_LEASE_GENERATION_MAX + 2];
    char long_holder[BERTH_LEASE_HOLDER_MAX + 2];
    memset(long_key, 'k', sizeof long_key);
    long_key[sizeof long_key - 1] = '\0';
    memset(long_generation, 'g', sizeof long_generation);
    long_generation[sizeof long_generation - 1] = '\0';
    memset(long_holder, 'h', sizeof long_holder);
    memcpy(long_holder, "site:", 5);
    long_holder[sizeof long_holder - 1] = '\0';
    const struct berth_allocate_request requests[] = {
        {.wish = {.count = 1}, .key = ""},
        {.wish = {.count = 1}, .key = "a\nb"},
        {.wish = {.count = 1}, .key = "\xFF"},
        {.wish = {.count = 1}, .key = long_key},
        {.wish = {.count = 1}, .key = "k", .generation = ""},
        {.wish = {.count = 1}, .key = "k", .generation = long_generation},
        {.wish = {.count = 1}, .holder = ""},
        {.wish = {.count = 1}, .holder = "site:"},
        {.wish = {.count = 1}, .holder = "process:"},
        {.wish = {.count = 1}, .holder = "site"},
        {.wish = {.count = 1}, .holder = "Shop"},
        {.wish = {.count = 1}, .holder = "any "},
        {.wish = {.count = 1}, .holder = "site:\x01"},
        {.wish = {.count = 1}, .holder = long_holder},
        {.wish = {.count = 1}, .ttl_ms = 999},
        {.wish = {.count = 1}, .ttl_ms = 365ULL * 86400000 + 1},
        {.wish = {.count = 1}, .ttl_ms = UINT64_MAX},
        {.wish = {.count = 0}},
        {.wish = {.count = BERTH_PORTS_PER_LEASE_MAX + 1}},
        {.wish = {.count = 2, .port = 49000}},
    };

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(requests); i++) {
        if (ask(&requests[i], &deploy) != BERTH_INVALID_PARAMS) {
            fail_msg("request %zu was not refused", i);
        }
    }
    assert_int_equal(fixture.allocator->book.live.count, 0);
    long_key[BERTH_LEASE_KEY_MAX] = '\0';
    long_generation[BERTH_LEASE_GENERATION_MAX] = '\0';
    long_holder[BERTH_LEASE_HOLDER_MAX] = '\0';
    const struct berth_allocate_request longest = {.wish = {.count = 1},
                                                   .key = long_key,
                                                   .generation = long_generation,
                                                   .holder = long_holder,
                                                   .ttl_ms = 365ULL * 86400000};
    assert_ok(ask(&longest, &deploy), &fixture.err);
}

static void next__free_ports__are_told_and_not_taken(void **state)
{
    struct berth_wish wish = {.count = 2};
    uint16_t ports[2];

    (void)state;
    uint64_t revision = fixture.allocator->revision;
    for (int i = 0; i < 2; i++) {
        assert_ok(berth_allocator_next(fixture.allocator, &wish, ports, &refusal, &fixture.err),
                  &fixture.err);
        assert_int_equal(ports[0], 49000);
        assert_int_equal(ports[1], 49001);
    }
    assert_int_equal(fixture.allocator->revision, revision);
    wish.pool = "none";
    assert_code(berth_allocator_next(fixture.allocator, &wish, ports, &refusal, &fixture.err),
                BERTH_NOT_FOUND);
}

static void reserved__ports__are_not_given_until_taken_back(void **state)
{
    struct berth_claim claim = berth_claim_make(49000, BERTH_CLAIM_RESERVATION);
    struct berth_claim bad = berth_claim_make(0, BERTH_CLAIM_RESERVATION);

    (void)state;
    claim.holder = "monitoring agents";
    assert_ok(berth_allocator_set_reserved(fixture.allocator, &claim, 1, fixture.now, &fixture.err),
              &fixture.err);
    assert_state(49000, "reserved");
    assert_int_equal(allocate("shop"), 49001);
    assert_code(berth_allocator_set_reserved(fixture.allocator, &bad, 1, fixture.now, &fixture.err),
                BERTH_INVALID_PARAMS);
    assert_state(49000, "reserved");
    assert_ok(berth_allocator_set_reserved(fixture.allocator, NULL, 0, fixture.now, &fixture.err),
              &fixture.err);
    assert_int_equal(allocate("blog"), 49000);
}

/* ---- quotas and owners ---- */

static void quota__reached__only_administrators_get_more(void **state)
{
    struct berth_allocate_request request = request_of(NULL);

    (void)state;
    for (int i = 0; i < 5; i++) {
        (void)allocate(NULL);
    }
    assert_code(ask(&request, &deploy), BERTH_LIMIT_REACHED);
    assert_int_equal(fixture.allocator->book.live.count, 5);
    assert_ok(ask(&request, &other), &fixture.err);
    struct berth_caller administrator = deploy;
    administrator.administrator = true;
    assert_ok(ask(&request, &administrator), &fixture.err);
}

static void quota__key_has_a_lease__is_given_it_all_the_same(void **state)
{
    (void)state;
    (void)allocate("shop");
    for (int i = 0; i < 4; i++) {
        (void)allocate(NULL);
    }
    assert_int_equal(allocate("shop"), 49000);
    release("shop");
    assert_int_equal(allocate("blog"), 49005); /* 49000 cools down */
}

static bool in_deployers(const void *ctx, const char *group)
{
    (void)ctx;
    return strcmp(group, "gid:77") == 0;
}

static void release_and_renew__by_a_fellow_member__are_the_owners_right(void **state)
{
    struct berth_caller owner = deploy;
    struct berth_caller fellow = other;
    struct berth_allocate_request request = request_of("shop");

    (void)state;
    owner.identity.group = "gid:77";
    fellow.in_group = in_deployers;
    assert_ok(ask(&request, &owner), &fixture.err);
    assert_code(ask(&request, &other), BERTH_DENIED);
    assert_ok(ask(&request, &fellow), &fixture.err);
    assert_string_equal(lease_of("shop")->owner->name, "deploy"); /* it stays the owner's */
    assert_ok(berth_allocator_release(fixture.allocator, lease_of("shop"), &fellow, fixture.now,
                                      &refusal, &fixture.err),
              &fixture.err);
    /* who was let in by no group shares with nobody */
    owner.identity.group = NULL;
    request = request_of("blog");
    assert_ok(ask(&request, &owner), &fixture.err);
    assert_code(ask(&request, &fellow), BERTH_DENIED);
}

static void release_and_renew__of_another__are_denied(void **state)
{
    (void)state;
    (void)allocate("shop");
    assert_code(berth_allocator_release(fixture.allocator, lease_of("shop"), &other, fixture.now,
                                        &refusal, &fixture.err),
                BERTH_DENIED);
    assert_string_equal(refusal.owner, "deploy");
    assert_code(berth_allocator_renew(fixture.allocator, lease_of("shop"), &other, 0, fixture.now,
                                      &refusal, &fixture.err),
                BERTH_DENIED);
    assert_state(49000, "leased");
    assert_ok(berth_allocator_renew(fixture.allocator, lease_of("shop"), &root, 0, fixture.now,
                                    &refusal, &fixture.err),
              &fixture.err);
    assert_ok(berth_allocator_release(fixture.allocator, lease_of("shop"), &root, fixture.now,
                                      &refusal, &fixture.err),
              &fixture.err);
    assert_state(49000, "cooling");
}

static void find__nothing_there__is_not_found(void **state)
{
    struct berth_lease *lease = NULL;
    struct berth_claim socket = fixture_listener(49000, "java");

    (void)state;
    report(fixture.tcp, 0, &socket, 1);
    assert_code(berth_allocator_find(fixture.allocator, "0000000000000001", NULL, NULL, 0, &lease,
                                     &fixture.err),
                BERTH_NOT_FOUND);
    assert_code(berth_allocator_find(fixture.allocator, NULL, "shop", "1", 0, &lease, &fixture.err),
                BERTH_NOT_FOUND);
    assert_code(
        berth_allocator_find(fixture.allocator, NULL, NULL, NULL, 49000, &lease, &fixture.err),
        BERTH_NOT_FOUND);
    assert_null(lease);
    assert_int_equal(allocate("shop"), 49001);
    release("shop");
    assert_code(
        berth_allocator_find(fixture.allocator, NULL, NULL, NULL, 49001, &lease, &fixture.err),
        BERTH_NOT_FOUND);
}

/* ---- generations ---- */

static uint16_t allocate_generation(const char *key, const char *generation, unsigned keep_count,
                                    const struct berth_caller *caller)
{
    struct berth_allocate_request request = request_of(key);

    request.generation = generation;
    request.keep = keep_count;
    assert_ok(ask(&request, caller), &fixture.err);
    return grant.lease->ports[0];
}

static bool is_live(const char *key, const char *generation)
{
    struct berth_lease *lease;

    return berth_allocator_find(fixture.allocator, NULL, key, generation, 0, &lease,
                                &fixture.err) == BERTH_OK;
}

static void keep__more_generations__releases_the_oldest(void **state)
{
    (void)state;
    (void)allocate("shop"); /* no generation: not counted */
    for (char generation[] = "1"; generation[0] <= '4'; generation[0]++) {
        fixture.now.unix_ms++;
        (void)allocate_generation("shop", generation, 2, &deploy);
    }
    assert_false(is_live("shop", "1"));
    assert_false(is_live("shop", "2"));
    assert_true(is_live("shop", "3"));
    assert_true(is_live("shop", "4"));
    assert_true(is_live("shop", NULL));
}

static void keep__wall_clock_stands_or_steps_back__never_releases_the_new_one(void **state)
{
    (void)state;
    for (char generation[] = "1"; generation[0] <= '8'; generation[0]++) {
        fixture.now.unix_ms -= generation[0] % 2 == 0 ? 3600000 : 0;
        (void)allocate_generation("shop", generation, 1, &deploy);
        assert_int_equal(grant.lease->state, BERTH_LEASE_PENDING);
        assert_true(is_live("shop", generation));
        assert_int_equal(fixture.allocator->book.live.count, 1);
    }
}

static void keep__generation_of_another_owner__is_not_released(void **state)
{
    struct berth_allocate_request request = request_of("shop");

    (void)state;
    (void)allocate_generation("shop", "1", 0, &deploy);
    fixture.now.unix_ms++;
    request.generation = "2";
    request.keep = 1;
    (void)ask(&request, &other); /* given or denied */
    assert_true(is_live("shop", "1"));
}

static void keep__oldest_generation_of_another_owner__releases_the_oldest_own_ones(void **state)
{
    (void)state;
    (void)allocate_generation("shop", "0", 0, &other);
    for (char generation[] = "1"; generation[0] <= '4'; generation[0]++) {
        (void)allocate_generation("shop", generation, 2, &deploy);
    }
    assert_true(is_live("shop", "0"));
    assert_false(is_live("shop", "1"));
    assert_false(is_live("shop", "2"));
    assert_true(is_live("shop", "3"));
    assert_true(is_live("shop", "4"));
}

static void keep__newer_generations_of_another_owner__count_and_stay(void **state)
{
    (void)state;
    (void)allocate_generation("shop", "1", 0, &deploy);
    (void)allocate_generation("shop", "2", 0, &other);
    (void)allocate_generation("shop", "3", 2, &deploy);
    assert_false(is_live("shop", "1"));
    assert_true(is_live("shop", "2"));
    assert_true(is_live("shop", "3"));
    (void)allocate_generation("shop", "4", 0, &other);
    (void)allocate_generation("shop", "5", 1, &deploy);
    assert_false(is_live("shop", "3"));
    assert_true(is_live("shop", "4"));
    assert_true(is_live("shop", "5")); /* never the new one */
}

static void keep__without_key_or_generation__is_refused(void **state)
{
    struct berth_allocate_request request = request_of("shop");

    (void)state;
    request.keep = 1;
    assert_code(ask(&request, &deploy), BERTH_INVALID_PARAMS);
    request.generation = "1";
    request.key = NULL;
    assert_code(ask(&request, &deploy), BERTH_INVALID_PARAMS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(allocate__new_key__gets_the_lowest_port),
        TEST(allocate__same_key_and_generation__gets_the_same_port),
        TEST(allocate__no_key__is_a_lease_of_its_own_each_time),
        TEST(allocate__key_has_something_else__is_refused),
        TEST(allocate__key_of_another__is_denied_naming_the_owner),
        TEST(allocate__id_taken__is_granted_under_another),
        TEST(allocate__port__gives_exactly_that_or_says_in_use),
        TEST(allocate__ephemeral_port_of_a_pool_that_never_gives_one__is_refused),
        TEST(allocate__prefer__is_tried_first),
        TEST(allocate__several__are_one_lease),
        TEST(allocate__nothing_left__says_where_it_looked),
        TEST(allocate__ephemeral__is_given_last_and_said_so),
        TEST(allocate__odd_parameters__are_refused),
        TEST(next__free_ports__are_told_and_not_taken),
        TEST(reserved__ports__are_not_given_until_taken_back),
        TEST(quota__reached__only_administrators_get_more),
        TEST(quota__key_has_a_lease__is_given_it_all_the_same),
        TEST(release_and_renew__by_a_fellow_member__are_the_owners_right),
        TEST(release_and_renew__of_another__are_denied),
        TEST(find__nothing_there__is_not_found),
        TEST(keep__more_generations__releases_the_oldest),
        TEST(keep__wall_clock_stands_or_steps_back__never_releases_the_new_one),
        TEST(keep__generation_of_another_owner__is_not_released),
        TEST(keep__oldest_generation_of_another_owner__releases_the_oldest_own_ones),
        TEST(keep__newer_generations_of_another_owner__count_and_stay),
        TEST(keep__without_key_or_generation__is_refused),
    };
    return cmocka_run_group_tests_name("allocator.allocator", tests, NULL, NULL);
}
