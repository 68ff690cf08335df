/* SPDX-License-Identifier: MIT */
/* Tests of allocator/adopt: which bindings get a lease, why others do not, and how an adopted lease
 * stands back for its site. */
#include "models/allocator_asks.h"

#include "allocator/adopt.h"
#include "base/memory.h"
#include "memory_faults.h"

#include <stdio.h>

static struct berth_adopt_plan plan;
static unsigned keeps_until_refusal; /* 0: the store refuses nothing */
static char replaced_key[64];        /* of the last change that came in another's place */
static char told[16][64];            /* "lease.adopted KEY" … */
static unsigned told_count;

static enum berth_code keep(void *ctx, const struct berth_lease_change *change,
                            struct berth_error *err)
{
    (void)ctx;
    if (keeps_until_refusal != 0 && --keeps_until_refusal == 0) {
        keeps_until_refusal = 1; /* and all after it */
        return berth_fail(err, BERTH_STORE_FAILED, 0, "no room left");
    }
    if (change->replaced != NULL) {
        (void)snprintf(replaced_key, sizeof replaced_key, "%s", change->replaced->key);
    }
    return BERTH_OK;
}

static void note(void *ctx, const struct berth_lease *lease, enum berth_lease_event event)
{
    (void)ctx;
    assert_true(told_count < BERTH_COUNT(told));
    (void)snprintf(told[told_count++], sizeof told[0], "%s %s", berth_lease_event_name(event),
                   lease->key);
}

static int set_up_adopt(void **state)
{
    int result = set_up(state);

    plan = (struct berth_adopt_plan){.items = NULL};
    keeps_until_refusal = told_count = 0;
    replaced_key[0] = '\0';
    if (result == 0) {
        fixture.allocator->options.keep = keep;
    }
    return result;
}

static int tear_down_adopt(void **state)
{
    berth_adopt_plan_fini(&plan);
    return tear_down(state);
}

static struct berth_claim binding(uint16_t port, enum berth_protocol protocol, const char *site,
                                  const char *host)
{
    struct berth_claim claim = fixture_binding(port, site);

    claim.protocol = (uint8_t)protocol;
    claim.host = host;
    return claim;
}

static void sees(const struct berth_claim *claims, size_t count)
{
    report(fixture.iis, 0, claims, count);
}

static void make_plan(const char *site, const struct berth_caller *caller)
{
    berth_adopt_plan_fini(&plan);
    assert_ok(berth_allocator_plan_adoption(fixture.allocator, site, caller, &plan, &refusal,
                                            &fixture.err),
              &fixture.err);
}

static enum berth_code adopt(const char *site, const struct berth_caller *caller)
{
    make_plan(site, caller);
    return berth_allocator_adopt(fixture.allocator, &plan, caller, fixture.now, &fixture.err);
}

/* Sees that the plan is these lines: "PORT PROTOCOL SITE: key KEY" or "…: reason". */
static void assert_plan(const char *const *expected, size_t count)
{
    for (size_t i = 0; i < plan.count; i++) {
        const struct berth_adoption *item = &plan.items[i];
        char key[BERTH_ADOPTED_KEY_SIZE];
        char reason[400];
        char line[1000];
        bool done = item->verdict == BERTH_ADOPT_DONE;
        (void)snprintf(line, sizeof line, "%u %s %s: %s%s", item->port,
                       berth_protocol_name(item->protocol), item->site, done ? "key " : "",
                       done ? berth_adoption_key(key, sizeof key, item)
                            : berth_adoption_reason(reason, sizeof reason, &plan, item));
        assert_true(i < count);
        assert_string_equal(line, expected[i]);
    }
    assert_int_equal(plan.count, count);
    assert_int_equal(plan.adopted + plan.skipped, count);
}

#define ASSERT_PLAN(...)                                                                           \
    do {                                                                                           \
        static const char *const expected_lines[] = {__VA_ARGS__};                                 \
        assert_plan(expected_lines, BERTH_COUNT(expected_lines));                                  \
    } while (0)

/* ---- what is adopted ---- */

static void plan__bindings_of_every_kind__each_with_its_verdict(void **state)
{
    const struct berth_claim claims[] = {
        binding(49001, BERTH_PROTOCOL_HTTP, "Blog", NULL),
        binding(49001, BERTH_PROTOCOL_HTTP, "blog", "b.example"),
        binding(49002, BERTH_PROTOCOL_HTTPS, "Shop", NULL),
        binding(49002, BERTH_PROTOCOL_NET_TCP, "Shop", NULL),
        binding(49003, BERTH_PROTOCOL_HTTP, "Shop", "s.example"),
        binding(49003, BERTH_PROTOCOL_HTTP, "Blog", "b.example"),
        binding(49004, BERTH_PROTOCOL_HTTP, "A:http:80", NULL),
        binding(49000, BERTH_PROTOCOL_HTTP, "Leased", NULL),
        binding(80, BERTH_PROTOCOL_HTTP, "Shop", NULL),
        binding(5000, BERTH_PROTOCOL_FTP, "Files", NULL),
        binding(49006, BERTH_PROTOCOL_HTTP, "Gone", NULL),
    };

    (void)state;
    assert_int_equal(allocate("web"), 49000);
    sees(claims, BERTH_COUNT(claims));
    sees(claims, BERTH_COUNT(claims) - 1);
    make_plan(NULL, &root);
    ASSERT_PLAN("80 http Shop: outside every pool", "5000 ftp Files: key adopted:ftp:5000:Files",
                "49000 http Leased: leased already, to web",
                "49001 http Blog: key adopted:http:49001:Blog",
                "49002 https Shop: key adopted:https:49002:Shop",
                "49002 net.tcp Shop: the site's other protocol on this port has the lease",
                "49003 http Blog: shared: a lease has one holder, and the port is also bound by "
                "site Shop",
                "49003 http Shop: shared: a lease has one holder, and the port is also bound by "
                "site Blog",
                "49004 http A:http:80: key adopted:http:49004:A:http:80",
                "49006 http Gone: lingering: it vanished from its configuration");
    assert_int_equal(fixture.allocator->book.live.count, 1); /* nothing was done */
}

static void plan__one_site__in_any_case_and_no_other(void **state)
{
    const struct berth_claim claims[] = {binding(49001, BERTH_PROTOCOL_HTTP, "Blog", NULL),
                                         binding(49002, BERTH_PROTOCOL_HTTP, "Shop", NULL)};

    (void)state;
    sees(claims, 2);
    make_plan("SHOP", &root);
    ASSERT_PLAN("49002 http Shop: key adopted:http:49002:Shop");
    struct berth_adopt_plan none = {.items = NULL};
    assert_code(berth_allocator_plan_adoption(fixture.allocator, "Shopp", &root, &none, &refusal,
                                              &fixture.err),
                BERTH_NOT_FOUND);
    assert_null(none.items);
}

static void plan__a_source_waits__is_not_ready(void **state)
{
    struct berth_adopt_plan none = {.items = NULL};

    (void)state;
    fixture_state(&fixture, fixture.tcp, BERTH_STATE_WAITING);
    assert_code(berth_allocator_plan_adoption(fixture.allocator, NULL, &root, &none, &refusal,
                                              &fixture.err),
                BERTH_NOT_READY);
    assert_string_equal(refusal.source, "sockets");
}

static void plan__site_name_that_no_holder_has__is_skipped(void **state)
{
    char longest[BERTH_LEASE_HOLDER_MAX];
    char longer[BERTH_LEASE_HOLDER_MAX];

    (void)state;
    memset(longest, 'x', sizeof longest);
    memset(longer, 'y', sizeof longer);
    longest[BERTH_LEASE_HOLDER_MAX - 5] = longer[BERTH_LEASE_HOLDER_MAX - 4] = '\0';
    const struct berth_claim claims[] = {binding(49001, BERTH_PROTOCOL_HTTP, longest, NULL),
                                         binding(49002, BERTH_PROTOCOL_HTTP, longer, NULL)};
    sees(claims, 2);
    assert_ok(adopt(NULL, &root), &fixture.err);
    assert_int_equal(plan.items[0].verdict, BERTH_ADOPT_DONE);
    assert_int_equal(plan.items[1].verdict, BERTH_ADOPT_NAME);
    assert_int_equal(plan.items[0].lease->state, BERTH_LEASE_ACTIVE); /* the whole name counts */
}

static void plan__more_than_the_quota__only_administrators_get_all(void **state)
{
    struct berth_claim claims[7];

    (void)state;
    for (uint16_t i = 0; i < BERTH_COUNT(claims); i++) {
        claims[i] = binding((uint16_t)(49001 + i), BERTH_PROTOCOL_HTTP, "Shop", NULL);
    }
    (void)allocate("web");
    sees(claims, BERTH_COUNT(claims));
    assert_ok(adopt(NULL, &deploy), &fixture.err);
    assert_int_equal(plan.adopted, 4); /* of 5 */
    assert_int_equal(plan.items[3].verdict, BERTH_ADOPT_DONE);
    for (int i = 4; i < 7; i++) {
        assert_int_equal(plan.items[i].verdict, BERTH_ADOPT_QUOTA);
    }
    assert_ok(adopt(NULL, &root), &fixture.err);
    assert_int_equal(plan.adopted, 3);
}

static void plan__more_than_can_be_listed__counts_the_rest_and_goes_on(void **state)
{
    enum { MANY = BERTH_ADOPT_SKIPPED_MAX + 50 };
    static struct berth_claim claims[2 * MANY + 2];
    static char names[MANY][16];
    size_t count = 0;

    (void)state;
    for (unsigned i = 0; i < MANY; i++) { /* each of them twice on one port, which is in no pool */
        (void)snprintf(names[i], sizeof names[i], "Site %05u", i);
        claims[count++] = binding(80, BERTH_PROTOCOL_HTTP, names[i], "a.example");
        claims[count++] = binding(443, BERTH_PROTOCOL_HTTPS, names[i], "b.example");
    }
    claims[count++] = binding(49001, BERTH_PROTOCOL_HTTP, "Shop", NULL);
    sees(claims, count);
    make_plan(NULL, &root);
    assert_int_equal(plan.skipped, BERTH_ADOPT_SKIPPED_MAX);
    assert_int_equal(plan.omitted, 2 * MANY - BERTH_ADOPT_SKIPPED_MAX);
    assert_int_equal(plan.adopted, 1);
}

/* ---- the deed ---- */

static void adopt__applied__leases_are_active_and_the_callers(void **state)
{
    const struct berth_claim claims[] = {binding(49001, BERTH_PROTOCOL_HTTPS, "Shop", NULL),
                                         binding(49002, BERTH_PROTOCOL_HTTP, "Blog", NULL)};

    (void)state;
    sees(claims, 2);
    fixture.allocator->options.told = note;
    assert_ok(adopt(NULL, &deploy), &fixture.err);
    fixture.allocator->options.told = NULL;
    const struct berth_lease *lease = lease_of("adopted:https:49001:Shop");
    assert_ptr_equal(plan.items[0].lease, lease);
    assert_string_equal(lease->holder, "site:Shop");
    assert_int_equal(lease->protocol, BERTH_PROTOCOL_HTTPS);
    assert_int_equal(lease->state, BERTH_LEASE_ACTIVE);
    assert_string_equal(lease->owner->id, "uid:1000");
    assert_state(49002, "leased");
    static const char *const expected[] = {
        "lease.adopted adopted:https:49001:Shop", "lease.active adopted:https:49001:Shop",
        "lease.adopted adopted:http:49002:Blog", "lease.active adopted:http:49002:Blog"};
    assert_int_equal(told_count, BERTH_COUNT(expected));
    for (size_t i = 0; i < BERTH_COUNT(expected); i++) {
        assert_string_equal(told[i], expected[i]);
    }
    make_plan(NULL, &deploy); /* once more: there is nothing left to do */
    assert_int_equal(plan.adopted, 0);
}

static void adopt__released_before__is_adopted_again_in_its_place(void **state)
{
    const struct berth_claim claim = binding(49001, BERTH_PROTOCOL_HTTP, "Shop", NULL);

    (void)state;
    sees(&claim, 1);
    assert_ok(adopt(NULL, &deploy), &fixture.err);
    release("adopted:http:49001:Shop");
    assert_int_equal(fixture.allocator->book.ended.count, 1);
    assert_ok(adopt(NULL, &deploy), &fixture.err);
    assert_string_equal(replaced_key, "adopted:http:49001:Shop");
    assert_int_equal(fixture.allocator->book.ended.count, 0);
    assert_int_equal(fixture.allocator->book.live.count, 1);
}

static void adopt__the_store_refuses__the_rest_fail_and_nothing_is_half_done(void **state)
{
    const struct berth_claim claims[] = {binding(49001, BERTH_PROTOCOL_HTTP, "Shop", NULL),
                                         binding(49002, BERTH_PROTOCOL_HTTP, "Shop", NULL),
                                         binding(49003, BERTH_PROTOCOL_HTTP, "Shop", NULL)};

    (void)state;
    sees(claims, 3);
    keeps_until_refusal = 1;
    assert_code(adopt(NULL, &deploy), BERTH_STORE_FAILED);
    assert_int_equal(fixture.allocator->book.live.count, 0);
    assert_state(49001, "used");
    keeps_until_refusal = 3; /* granted, active, then no more */
    assert_ok(adopt(NULL, &deploy), &fixture.err);
    ASSERT_PLAN("49001 http Shop: key adopted:http:49001:Shop", "49002 http Shop: no room left",
                "49003 http Shop: no room left");
    assert_int_equal(fixture.allocator->book.live.count, 1);
    assert_state(49002, "used");
}

static void adopt__each_allocation_fails__done_or_not_and_no_leak(void **state)
{
    const struct berth_claim claims[] = {binding(49001, BERTH_PROTOCOL_HTTP, "Shop", NULL),
                                         binding(49002, BERTH_PROTOCOL_HTTP, "Blog", NULL)};
    bool failed = true;

    (void)state;
    sees(claims, 2);
    for (size_t n = 1; failed; n++) {
        struct berth_adopt_plan some = {.items = NULL};
        size_t live;
        memory_faults_begin(n, false);
        enum berth_code code = berth_allocator_plan_adoption(fixture.allocator, NULL, &deploy,
                                                             &some, &refusal, &fixture.err);
        if (code == BERTH_OK) {
            code =
                berth_allocator_adopt(fixture.allocator, &some, &deploy, fixture.now, &fixture.err);
        }
        failed = memory_faults_end(&live);
        size_t count = fixture.allocator->book.live.count;
        assert_int_equal(count, code == BERTH_OK ? some.adopted : 0);
        assert_int_equal(code == BERTH_OK && some.adopted == 2, !failed);
        berth_adopt_plan_fini(&some);
        while (fixture.allocator->book.live.first != NULL) {
            assert_ok(berth_allocator_release(fixture.allocator, fixture.allocator->book.live.first,
                                              &deploy, fixture.now, &refusal, &fixture.err),
                      &fixture.err);
        }
        while (fixture.allocator->book.ended.first != NULL) {
            berth_lease_book_remove(&fixture.allocator->book, fixture.allocator->book.ended.first);
        }
        assert_state(49001, "used");
        assert_state(49002, "used");
    }
}

static void reason__of_every_verdict__is_a_text(void **state)
{
    struct berth_adoption item = {.site = "Shop", .port = 1};
    char reason[400];

    (void)state;
    (void)berth_fail(&plan.failure, BERTH_STORE_FAILED, 0, "no room left");
    for (int v = BERTH_ADOPT_DONE; v < BERTH_ADOPT_VERDICT_COUNT; v++) {
        item.verdict = (enum berth_adopt_verdict)v;
        (void)berth_adoption_reason(reason, sizeof reason, &plan, &item);
        assert_int_equal(reason[0] == '\0', v == BERTH_ADOPT_DONE);
    }
}

/* ---- an adopted lease stands back for its site ---- */

static struct berth_allocate_request site_request(const char *key, const char *holder)
{
    struct berth_allocate_request request = request_of(key);

    request.holder = holder;
    return request;
}

static void key__of_an_adopted_lease__nobody_else_may_choose(void **state)
{
    struct berth_allocate_request request = request_of("adopted:http:49001:Shop");

    (void)state;
    assert_code(ask(&request, &root), BERTH_INVALID_PARAMS);
    request.key = "adopted:";
    assert_code(ask(&request, &root), BERTH_INVALID_PARAMS);
    request.key = "adopted";
    assert_ok(ask(&request, &root), &fixture.err);
}

static void yield__new_key_of_the_site__gets_the_port_whoever_adopted_it(void **state)
{
    const struct berth_claim claims[] = {binding(49005, BERTH_PROTOCOL_HTTP, "Shop", NULL),
                                         binding(49006, BERTH_PROTOCOL_HTTPS, "Shop", NULL)};
    struct berth_allocate_request request = site_request("shop/production", "site:SHOP");

    (void)state;
    sees(claims, 2);
    assert_ok(adopt(NULL, &root), &fixture.err);
    request.protocol = BERTH_PROTOCOL_HTTPS;
    fixture.allocator->options.told = note;
    assert_ok(ask(&request, &deploy), &fixture.err);
    fixture.allocator->options.told = NULL;
    assert_true(grant.adopted);
    assert_int_equal(grant.lease->ports[0], 49006);
    assert_int_equal(grant.lease->state, BERTH_LEASE_ACTIVE);
    assert_string_equal(grant.lease->owner->id, "uid:1000");
    assert_string_equal(replaced_key, "adopted:https:49006:Shop");
    assert_string_equal(told[0], "lease.adopted shop/production");
    assert_string_equal(told[1], "lease.released adopted:https:49006:Shop");
    assert_string_equal(told[2], "lease.active shop/production");
    assert_int_equal(told_count, 3);
    assert_int_equal(fixture.allocator->book.live.count, 2);
    assert_int_equal(fixture.allocator->book.ended.count, 0);
    assert_ptr_equal(berth_lease_book_at(&fixture.allocator->book, 49006), grant.lease);
    assert_ok(ask(&request, &deploy), &fixture.err); /* and again, as steps are tried again */
    assert_true(grant.reused);
    assert_int_equal(grant.lease->ports[0], 49006);
    request.key = "shop/other"; /* it stands back once */
    assert_ok(ask(&request, &deploy), &fixture.err);
    assert_false(grant.adopted);
}

static void yield__any_other_request__does_not_get_the_port(void **state)
{
    const struct berth_claim claim = binding(49005, BERTH_PROTOCOL_HTTP, "Shop", NULL);
    struct berth_allocate_request requests[7];

    (void)state;
    fixture.allocator->options.cooldown_ms = 0;
    sees(&claim, 1);
    assert_ok(adopt(NULL, &root), &fixture.err);
    for (unsigned i = 0; i < BERTH_COUNT(requests); i++) {
        requests[i] = site_request("shop", "site:Shop");
    }
    requests[0].generation = "1";
    requests[1].wish.count = 2;
    requests[2].holder = "site:Blog";
    requests[3].holder = "any";
    requests[4].protocol = BERTH_PROTOCOL_HTTPS;
    requests[5].wish.range = (struct berth_port_range){49000, 49004};
    requests[6].wish.pool = "qa";
    for (unsigned i = 0; i < BERTH_COUNT(requests); i++) {
        char key[8];
        (void)snprintf(key, sizeof key, "k%u", i);
        requests[i].key = key;
        assert_ok(ask(&requests[i], &root), &fixture.err);
        assert_false(grant.adopted);
        assert_int_not_equal(grant.lease->ports[0], 49005);
        assert_ok(berth_allocator_release(
                      fixture.allocator,
                      berth_lease_book_at(&fixture.allocator->book, grant.lease->ports[0]), &root,
                      fixture.now, &refusal, &fixture.err),
                  &fixture.err);
    }
    assert_int_equal(lease_of("adopted:http:49005:Shop")->ports[0], 49005);
}

static void yield__with_unleased_bindings__is_as_if_nothing_were_adopted(void **state)
{
    const struct berth_claim claims[] = {binding(49004, BERTH_PROTOCOL_HTTP, "Shop", NULL),
                                         binding(49006, BERTH_PROTOCOL_HTTP, "Shop", NULL)};
    struct berth_allocate_request request = site_request("first", "site:Shop");

    (void)state;
    sees(&claims[0], 1);
    assert_ok(adopt(NULL, &root), &fixture.err);
    sees(claims, 2);
    assert_ok(ask(&request, &deploy), &fixture.err);
    assert_int_equal(grant.lease->ports[0], 49004); /* the lowest */
    request.key = "second";
    assert_ok(ask(&request, &deploy), &fixture.err);
    assert_true(grant.adopted);
    assert_int_equal(grant.lease->ports[0], 49006);
}

static void yield__the_store_refuses__the_adopted_lease_stays(void **state)
{
    const struct berth_claim claim = binding(49005, BERTH_PROTOCOL_HTTP, "Shop", NULL);
    struct berth_allocate_request request = site_request("shop", "site:Shop");

    (void)state;
    sees(&claim, 1);
    assert_ok(adopt(NULL, &root), &fixture.err);
    keeps_until_refusal = 1;
    assert_code(ask(&request, &deploy), BERTH_STORE_FAILED);
    assert_ptr_equal(berth_lease_book_at(&fixture.allocator->book, 49005),
                     lease_of("adopted:http:49005:Shop"));
    assert_int_equal(fixture.allocator->book.live.count, 1);
    keeps_until_refusal = 0;
    assert_ok(ask(&request, &deploy), &fixture.err);
    assert_int_equal(grant.lease->ports[0], 49005);
}

static void yield__quota_full_of_ones_own_adopted_leases__is_not_one_more(void **state)
{
    struct berth_claim claims[6];
    struct berth_allocate_request request = site_request("shop", "site:Shop");

    (void)state;
    for (uint16_t i = 0; i < BERTH_COUNT(claims); i++) {
        claims[i] = binding((uint16_t)(49001 + i), BERTH_PROTOCOL_HTTP, "Shop", NULL);
    }
    sees(claims, 5);
    assert_ok(adopt(NULL, &deploy), &fixture.err);
    assert_ok(ask(&request, &deploy), &fixture.err);
    assert_int_equal(grant.lease->ports[0], 49001);
    assert_int_equal(berth_lease_book_count_of(&fixture.allocator->book, "uid:1000"), 5);
    for (int i = 0; i < 4; i++) {
        char key[8];
        (void)snprintf(key, sizeof key, "o%d", i);
        request.key = key;
        assert_ok(ask(&request, &other), &fixture.err);
    }
    sees(claims, 6);
    request.key = "more"; /* an unleased one is one more: deploy has 1, other 4 */
    assert_ok(ask(&request, &other), &fixture.err);
    request.key = "too-many";
    assert_code(ask(&request, &other), BERTH_LIMIT_REACHED);
}

/* ---- hand over ---- */

static void hand_over__of_a_hold__is_kept_and_told_once(void **state)
{
    struct berth_allocate_request request = site_request("web", "any");

    (void)state;
    request.hold = true;
    assert_ok(ask(&request, &deploy), &fixture.err);
    struct berth_lease *lease = lease_of("web");
    assert_code(berth_allocator_hand_over(fixture.allocator, lease, &other, fixture.now, &refusal,
                                          &fixture.err),
                BERTH_DENIED);
    assert_string_equal(refusal.owner, "deploy");
    keeps_until_refusal = 1;
    assert_code(berth_allocator_hand_over(fixture.allocator, lease, &deploy, fixture.now, &refusal,
                                          &fixture.err),
                BERTH_STORE_FAILED);
    assert_true(lease->hold);
    keeps_until_refusal = 0;
    fixture.allocator->options.told = note;
    for (int i = 0; i < 2; i++) {
        assert_ok(berth_allocator_hand_over(fixture.allocator, lease, &deploy, fixture.now,
                                            &refusal, &fixture.err),
                  &fixture.err);
        assert_false(lease->hold);
    }
    assert_int_equal(told_count, 1);
    assert_string_equal(told[0], "lease.handed_over web");
    assert_int_equal(lease->state, BERTH_LEASE_PENDING);
}

#define ADOPT(function) cmocka_unit_test_setup_teardown(function, set_up_adopt, tear_down_adopt)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ADOPT(plan__bindings_of_every_kind__each_with_its_verdict),
        ADOPT(plan__one_site__in_any_case_and_no_other),
        ADOPT(plan__a_source_waits__is_not_ready),
        ADOPT(plan__site_name_that_no_holder_has__is_skipped),
        ADOPT(plan__more_than_the_quota__only_administrators_get_all),
        ADOPT(plan__more_than_can_be_listed__counts_the_rest_and_goes_on),
        ADOPT(adopt__applied__leases_are_active_and_the_callers),
        ADOPT(adopt__released_before__is_adopted_again_in_its_place),
        ADOPT(adopt__the_store_refuses__the_rest_fail_and_nothing_is_half_done),
        ADOPT(adopt__each_allocation_fails__done_or_not_and_no_leak),
        ADOPT(reason__of_every_verdict__is_a_text),
        ADOPT(key__of_an_adopted_lease__nobody_else_may_choose),
        ADOPT(yield__new_key_of_the_site__gets_the_port_whoever_adopted_it),
        ADOPT(yield__any_other_request__does_not_get_the_port),
        ADOPT(yield__with_unleased_bindings__is_as_if_nothing_were_adopted),
        ADOPT(yield__the_store_refuses__the_adopted_lease_stays),
        ADOPT(yield__quota_full_of_ones_own_adopted_leases__is_not_one_more),
        ADOPT(hand_over__of_a_hold__is_kept_and_told_once),
    };
    return cmocka_run_group_tests_name("allocator.adopt", tests, NULL, NULL);
}
