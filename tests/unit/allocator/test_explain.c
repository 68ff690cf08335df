/* SPDX-License-Identifier: MIT */
/* Tests of allocator/explain: what people are told about a port. */
#include "cmocka_all.h"

#include "allocator/explain.h"
#include "models/allocator_fixture.h"

#include <stdio.h>

static struct allocator_fixture fixture;
static struct berth_text text;

static int set_up(void **state)
{
    (void)state;
    berth_text_init(&text, 4096);
    if (fixture_make(&fixture) != BERTH_OK) {
        return -1;
    }
    fixture_ready(&fixture);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    berth_text_fini(&text);
    berth_allocator_destroy(fixture.allocator);
    return 0;
}

static void assert_claim_says(const struct berth_claim *claim, const char *expected)
{
    berth_text_clear(&text);
    berth_explain_claim(&text, claim);
    assert_string_equal(berth_text_string(&text), expected);
}

static void assert_port_says(uint16_t port, const char *expected)
{
    berth_text_clear(&text);
    berth_explain_port(&text, fixture.allocator, port);
    assert_string_equal(berth_text_string(&text), expected);
}

static void report_listeners(const struct berth_claim *claims, size_t count)
{
    assert_ok(berth_allocator_report(fixture.allocator, fixture.tcp, 0, claims, count, fixture.now,
                                     &fixture.err),
              &fixture.err);
}

static void claim__binding__names_site_and_binding(void **state)
{
    struct berth_claim claim = berth_claim_make(443, BERTH_CLAIM_BINDING);

    (void)state;
    claim.holder = "Shop";
    claim.detail = "https *:443:shop.example";
    assert_claim_says(&claim, "site Shop binds it as https *:443:shop.example");
    claim.flags = BERTH_CLAIM_LINGERING;
    assert_claim_says(&claim, "site Shop until lately bound it as https *:443:shop.example");
    claim.flags = BERTH_CLAIM_STOPPED;
    berth_text_clear(&text);
    berth_explain_claim(&text, &claim);
    assert_non_null(strstr(berth_text_string(&text), "shop.example (the site "));
}

static void claim__socket__names_process_as_far_as_known(void **state)
{
    struct berth_claim claim = berth_claim_make(80, BERTH_CLAIM_LISTENER);

    (void)state;
    assert_claim_says(&claim, "an unknown process listens on *");
    claim.user_id = 33;
    assert_claim_says(&claim, "a process of uid 33 listens on *");
    claim.process_id = 77;
    assert_claim_says(&claim, "process (pid 77) listens on *");
    claim.holder = "java";
    assert_true(berth_address_parse_ipv6(&claim.address, "::1"));
    assert_claim_says(&claim, "java (pid 77) listens on [::1]");
    claim.process_id = BERTH_ID_NONE;
    claim.kind = BERTH_CLAIM_BOUND;
    assert_claim_says(&claim, "java has it bound at [::1] and does not listen");
}

static void claim__cooling__says_that_a_lease_has_ended(void **state)
{
    struct berth_claim claim = berth_claim_make(80, BERTH_CLAIM_COOLING);

    (void)state;
    claim.holder = "shop";
    assert_claim_says(&claim,
                      "the lease of the key shop has ended lately, and the port cools down");
}

static void claim__connections__are_counted(void **state)
{
    struct berth_claim claim = berth_claim_make(80, BERTH_CLAIM_CONNECTION);

    (void)state;
    assert_claim_says(&claim, "it is the local port of 1 open connection");
    claim.count = 20000;
    assert_claim_says(&claim, "it is the local port of 20000 open connections");
    claim.kind = BERTH_CLAIM_TIME_WAIT;
    assert_claim_says(&claim, "it is the local port of 20000 just closed connections");
}

static void claim__every_kind__says_something(void **state)
{
    (void)state;
    for (int kind = 0; kind < BERTH_CLAIM_KIND_COUNT; kind++) {
        struct berth_claim claim = berth_claim_make(80, (enum berth_claim_kind)kind);
        claim.holder = "holder";
        claim.detail = "detail";
        berth_text_clear(&text);
        berth_explain_claim(&text, &claim);
        assert_code(text.failed, BERTH_OK);
        assert_true(text.length > 10);
        assert_true(text.data[text.length - 1] != '.');
    }
}

static void port__unclaimed__is_free_or_outside(void **state)
{
    static struct berth_port_set ephemeral;

    (void)state;
    assert_port_says(49000, "Port 49000 is free, in pool default.");
    assert_port_says(80, "Nothing claims port 80, but it lies in no pool.");
    berth_port_set_add_range(&ephemeral, (struct berth_port_range){5005, 65535});
    berth_allocator_set_ephemeral(fixture.allocator, &ephemeral);
    assert_port_says(49000, "Port 49000 is free, in pool default; given last, as it lies in the "
                            "ephemeral range.");
    assert_port_says(5009, "Port 5009 is free, in pool qa; not given, as it lies in the ephemeral "
                           "range.");
    assert_port_says(5004, "Port 5004 is free, in pool qa.");
}

static void port__claims__are_joined_in_order(void **state)
{
    struct berth_claim socket = fixture_listener(80, "w3wp");
    struct berth_claim site = fixture_binding(80, "Shop");

    (void)state;
    site.detail = "http *:80:";
    report_listeners(&socket, 1);
    assert_ok(berth_allocator_report(fixture.allocator, fixture.iis, 0, &site, 1, fixture.now,
                                     &fixture.err),
              &fixture.err);
    assert_port_says(80, "Port 80 is not free: site Shop binds it as http *:80:; w3wp (pid 4242) "
                         "listens on 0.0.0.0.");
}

static void port__many_claims__names_five_and_counts_the_rest(void **state)
{
    enum { CLAIMS = 7 };
    struct berth_claim claims[CLAIMS];
    char names[CLAIMS][8];

    (void)state;
    for (int i = 0; i < CLAIMS; i++) {
        (void)snprintf(names[i], sizeof names[i], "p%d", i);
        claims[i] = berth_claim_make(80, BERTH_CLAIM_LISTENER);
        claims[i].holder = names[i];
    }
    report_listeners(claims, CLAIMS);
    assert_port_says(80, "Port 80 is not free: p0 listens on *; p1 listens on *; p2 listens on *; "
                         "p3 listens on *; p4 listens on *; and 2 more.");
    report_listeners(claims, 5);
    assert_port_says(80, "Port 80 is not free: p0 listens on *; p1 listens on *; p2 listens on *; "
                         "p3 listens on *; p4 listens on *.");
}

static void state__each__is_named_as_who_does(void **state)
{
    static const struct {
        enum berth_claim_kind kind;
        const char *name;
    } rows[] = {{BERTH_CLAIM_LEASE, "leased"},
                {BERTH_CLAIM_COOLING, "cooling"},
                {BERTH_CLAIM_BINDING, "used"},
                {BERTH_CLAIM_FTP_DATA, "used"},
                {BERTH_CLAIM_LISTENER, "used"},
                {BERTH_CLAIM_TIME_WAIT, "used"},
                {BERTH_CLAIM_URL, "used"},
                {BERTH_CLAIM_EXCLUSION, "excluded"},
                {BERTH_CLAIM_RESERVATION, "reserved"}};

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(rows); i++) {
        const struct berth_feed_options options = {berth_claim_source(rows[i].kind), "feed", 0};
        struct berth_claim claim = berth_claim_make(49001, rows[i].kind);
        unsigned feed;
        assert_ok(berth_ledger_add_feed(fixture.allocator->ledger, &options, &feed, &fixture.err),
                  &fixture.err);
        assert_ok(berth_ledger_put(fixture.allocator->ledger, feed, &claim, &fixture.err),
                  &fixture.err);
        assert_string_equal(berth_explain_state(fixture.allocator, 49001), rows[i].name);
        berth_ledger_remove_feed(fixture.allocator->ledger, feed);
    }
    assert_string_equal(berth_explain_state(fixture.allocator, 49001), "free");
    assert_string_equal(berth_explain_state(fixture.allocator, 80), "outside");
    assert_string_equal(berth_explain_state(fixture.allocator, 65535), "outside");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(claim__binding__names_site_and_binding),
        TEST(claim__socket__names_process_as_far_as_known),
        TEST(claim__connections__are_counted),
        TEST(claim__cooling__says_that_a_lease_has_ended),
        TEST(claim__every_kind__says_something),
        TEST(port__unclaimed__is_free_or_outside),
        TEST(port__claims__are_joined_in_order),
        TEST(port__many_claims__names_five_and_counts_the_rest),
        TEST(state__each__is_named_as_who_does),
    };
    return cmocka_run_group_tests_name("allocator.explain", tests, NULL, NULL);
}
