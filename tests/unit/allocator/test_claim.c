/* SPDX-License-Identifier: MIT */
/* Tests of allocator/claim: what makes claims the same, their order, names. */
#include "cmocka_all.h"

#include "allocator/claim.h"

static void make__port_and_kind__nothing_else_known(void **state)
{
    struct berth_claim claim = berth_claim_make(65535, BERTH_CLAIM_LISTENER);

    (void)state;
    assert_int_equal(claim.port, 65535);
    assert_int_equal(claim.kind, BERTH_CLAIM_LISTENER);
    assert_int_equal(claim.protocol, BERTH_PROTOCOL_NONE);
    assert_int_equal(claim.flags, 0);
    assert_int_equal(claim.address.family, BERTH_FAMILY_ALL);
    assert_int_equal(claim.count, 1);
    assert_int_equal(claim.process_id, BERTH_ID_NONE);
    assert_int_equal(claim.user_id, BERTH_ID_NONE);
    assert_int_equal(claim.until_ms, 0);
    assert_null(claim.holder);
    assert_null(claim.host);
    assert_null(claim.detail);
}

static int sign(int order)
{
    return order < 0 ? -1 : order > 0;
}

/* Each row is greater than the one before, by one thing that makes a claim another. */
static void compare__each_part_of_the_identity__orders(void **state)
{
    struct berth_claim rows[12];
    size_t count = 0;

    (void)state;
    rows[count++] = berth_claim_make(80, BERTH_CLAIM_BINDING);
    rows[count] = rows[count - 1];
    rows[count++].user_id = 5; /* below BERTH_ID_NONE, so this one comes first: swapped below */
    rows[count] = rows[0];
    rows[count++].holder = "";
    rows[count] = rows[0];
    rows[count++].holder = "A";
    rows[count] = rows[0];
    rows[count++].holder = "a";
    rows[count] = rows[0];
    rows[count++].host = "h";
    rows[count] = rows[0];
    rows[count++].address.family = BERTH_FAMILY_IPV4;
    rows[count] = rows[0];
    rows[count++].protocol = BERTH_PROTOCOL_HTTP;
    rows[count++] = berth_claim_make(80, BERTH_CLAIM_LISTENER);
    rows[count++] = berth_claim_make(81, BERTH_CLAIM_BINDING);
    rows[count++] = berth_claim_make(65535, BERTH_CLAIM_LEASE);
    struct berth_claim first = rows[1];
    rows[1] = rows[0];
    rows[0] = first;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            assert_int_equal(sign(berth_claim_compare(&rows[i], &rows[j])), i < j ? -1 : i > j);
        }
    }
}

static void compare__process__orders_below_unknown(void **state)
{
    struct berth_claim a = berth_claim_make(80, BERTH_CLAIM_LISTENER);
    struct berth_claim b = a;

    (void)state;
    a.process_id = 10;
    assert_true(berth_claim_compare(&a, &b) < 0);
    b.process_id = 11;
    assert_true(berth_claim_compare(&a, &b) < 0);
    b.process_id = 9;
    assert_true(berth_claim_compare(&a, &b) > 0);
}

static void compare__equal_strings_at_two_places__are_the_same(void **state)
{
    char one[] = "Shop";
    char two[] = "Shop";
    struct berth_claim a = berth_claim_make(80, BERTH_CLAIM_BINDING);
    struct berth_claim b = a;

    (void)state;
    a.holder = one;
    b.holder = two;
    a.host = two;
    b.host = one;
    assert_int_equal(berth_claim_compare(&a, &b), 0);
}

static void merge__the_same_ones__become_one(void **state)
{
    struct berth_claim claims[5];

    (void)state;
    assert_int_equal(berth_claims_merge(NULL, 0), 0);
    for (unsigned i = 0; i < 5; i++) {
        claims[i] = berth_claim_make(i % 2 == 0 ? 300 : 200, BERTH_CLAIM_LISTENER);
        claims[i].flags = BERTH_CLAIM_V6_ONLY;
    }
    claims[2].flags = 0; /* of the three on port 300 one takes IPv4 too */
    assert_int_equal(berth_claims_merge(claims, 5), 2);
    assert_int_equal(claims[0].port, 200);
    assert_int_equal(claims[0].count, 2);
    assert_int_equal(claims[0].flags, BERTH_CLAIM_V6_ONLY);
    assert_int_equal(claims[1].port, 300);
    assert_int_equal(claims[1].count, 3);
    assert_int_equal(claims[1].flags, 0);
}

static void compare__what_may_change__does_not_matter(void **state)
{
    struct berth_claim a = berth_claim_make(80, BERTH_CLAIM_BINDING);
    struct berth_claim b = a;

    (void)state;
    b.flags = BERTH_CLAIM_STOPPED;
    b.count = 7;
    b.until_ms = 99;
    b.detail = "http *:80:";
    b.feed = 3;
    assert_int_equal(berth_claim_compare(&a, &b), 0);
}

static void same_content__each_part__is_looked_at(void **state)
{
    struct berth_claim a = berth_claim_make(80, BERTH_CLAIM_BINDING);
    struct berth_claim b = a;

    (void)state;
    a.detail = "x";
    assert_false(berth_claim_same_content(&a, &b));
    b.detail = "x";
    assert_true(berth_claim_same_content(&a, &b));
    b.flags = BERTH_CLAIM_SNI;
    assert_false(berth_claim_same_content(&a, &b));
    b.flags = 0;
    b.count = 2;
    assert_false(berth_claim_same_content(&a, &b));
    b.count = 1;
    b.until_ms = 1;
    assert_false(berth_claim_same_content(&a, &b));
    b.until_ms = 0;
    b.feed = 9;
    b.port = 81;
    assert_true(berth_claim_same_content(&a, &b));
}

static void source__of_each_kind__is_the_documented_one(void **state)
{
    static const enum berth_source expected[BERTH_CLAIM_KIND_COUNT] = {
        BERTH_SOURCE_LEASE,   BERTH_SOURCE_LEASE,    BERTH_SOURCE_IIS,     BERTH_SOURCE_IIS,
        BERTH_SOURCE_TCP,     BERTH_SOURCE_TCP,      BERTH_SOURCE_TCP,     BERTH_SOURCE_TCP,
        BERTH_SOURCE_HTTPSYS, BERTH_SOURCE_EXCLUDED, BERTH_SOURCE_RESERVED};

    (void)state;
    for (int kind = 0; kind < BERTH_CLAIM_KIND_COUNT; kind++) {
        assert_int_equal(berth_claim_source((enum berth_claim_kind)kind), expected[kind]);
    }
}

static void names__of_sources_and_kinds__are_those_of_the_protocol(void **state)
{
    static const char *const sources[] = {"lease", "iis", "tcp", "httpsys", "excluded", "reserved"};
    static const char *const kinds[] = {"lease",    "cooling",   "binding",    "ftp_data",
                                        "listener", "bound",     "connection", "time_wait",
                                        "url",      "exclusion", "reservation"};

    (void)state;
    assert_int_equal(BERTH_COUNT(sources), BERTH_SOURCE_COUNT);
    assert_int_equal(BERTH_COUNT(kinds), BERTH_CLAIM_KIND_COUNT);
    for (int i = 0; i < BERTH_SOURCE_COUNT; i++) {
        assert_string_equal(berth_source_name((enum berth_source)i), sources[i]);
    }
    for (int i = 0; i < BERTH_CLAIM_KIND_COUNT; i++) {
        assert_string_equal(berth_claim_kind_name((enum berth_claim_kind)i), kinds[i]);
    }
}

static void protocol__name_in_any_case__is_found(void **state)
{
    static const char *const shouted[] = {"NONE", "TCP",     "HTTP", "HTTPS",
                                          "FTP",  "Net.Tcp", "oTHER"};

    (void)state;
    assert_int_equal(BERTH_COUNT(shouted), BERTH_PROTOCOL_COUNT);
    for (int i = 0; i < BERTH_PROTOCOL_COUNT; i++) {
        assert_int_equal(berth_protocol_find(berth_protocol_name((enum berth_protocol)i)), i);
        assert_int_equal(berth_protocol_find(shouted[i]), i);
    }
}

static void protocol__other_names__are_not_found(void **state)
{
    static const char *const names[] = {"", "htt", "httpss", "http ", "net.pipe", "nettcp", "*"};

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(names); i++) {
        assert_int_equal(berth_protocol_find(names[i]), BERTH_PROTOCOL_COUNT);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(make__port_and_kind__nothing_else_known),
        cmocka_unit_test(compare__each_part_of_the_identity__orders),
        cmocka_unit_test(compare__process__orders_below_unknown),
        cmocka_unit_test(compare__equal_strings_at_two_places__are_the_same),
        cmocka_unit_test(compare__what_may_change__does_not_matter),
        cmocka_unit_test(merge__the_same_ones__become_one),
        cmocka_unit_test(same_content__each_part__is_looked_at),
        cmocka_unit_test(source__of_each_kind__is_the_documented_one),
        cmocka_unit_test(names__of_sources_and_kinds__are_those_of_the_protocol),
        cmocka_unit_test(protocol__name_in_any_case__is_found),
        cmocka_unit_test(protocol__other_names__are_not_found),
    };
    return cmocka_run_group_tests_name("allocator.claim", tests, NULL, NULL);
}
