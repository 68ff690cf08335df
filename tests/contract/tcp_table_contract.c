/* SPDX-License-Identifier: MIT */
#include "tcp_table_contract.h"

#include "tests/support/cmocka_all.h"
#include "watchers/tcp_table.h"

#include <time.h>

#define DEADLINE_S 10

static const struct berth_address loopback4 = {.family = BERTH_FAMILY_IPV4,
                                               .bytes = {127, 0, 0, 1}};
static const struct berth_address any4 = {.family = BERTH_FAMILY_IPV4};
static const struct berth_address loopback6 = {.family = BERTH_FAMILY_IPV6, .bytes = {[15] = 1}};
static const struct berth_address any6 = {.family = BERTH_FAMILY_IPV6};

static uint16_t try_act(enum tcp_world_act act, const struct berth_address *address, bool v6_only,
                        uint16_t port)
{
    const struct tcp_world_request request = {
        .act = act, .address = *address, .v6_only = v6_only, .port = port};

    return tcp_world.perform(&request);
}

static uint16_t act_on(enum tcp_world_act act, const struct berth_address *address, uint16_t port)
{
    uint16_t got = try_act(act, address, false, port);

    assert_int_not_equal(got, 0);
    return got;
}

static void skip_where_it_lacks(enum tcp_world_lack what)
{
    if (tcp_world.lacks != NULL && (tcp_world.lacks() & what) != 0) {
        skip();
    }
}

static void read_scopes(struct berth_tcp_table *table, unsigned scopes,
                        struct berth_tcp_claims *out)
{
    struct berth_error err = {0};

    assert_ok(berth_tcp_table_read(table, scopes, out, &err), &err);
}

/* Counts a port's claims of one kind; `first` is the first of them. */
static size_t find_claims(const struct berth_tcp_claims *claims, uint16_t port,
                          enum berth_claim_kind kind, const struct berth_claim **first)
{
    size_t found = 0;

    for (unsigned part = 0; part < BERTH_TCP_PART_COUNT; part++) {
        for (size_t i = 0; i < claims->parts[part].count; i++) {
            const struct berth_claim *claim = &claims->parts[part].claims[i];
            if (claim->port == port && claim->kind == kind) {
                *first = found++ == 0 ? claim : *first;
            }
        }
    }
    return found;
}

/* Reads until the port has so many claims of the kind: the system may take a moment. */
static const struct berth_claim *wait_for_claims(struct berth_tcp_table *table, uint16_t port,
                                                 enum berth_claim_kind kind, size_t expected)
{
    time_t end = time(NULL) + DEADLINE_S;
    const struct berth_claim *first = NULL;
    struct berth_tcp_claims claims;
    size_t found;

    do {
        read_scopes(table, BERTH_TCP_EVERYTHING, &claims);
        found = find_claims(&claims, port, kind, &first);
    } while (found != expected && time(NULL) < end);
    assert_int_equal(found, expected);
    return first;
}

/* The same for one claim of which the process is known: it may take the table some reads. */
static const struct berth_claim *wait_for_holder(struct berth_tcp_table *table, uint16_t port,
                                                 enum berth_claim_kind kind)
{
    time_t end = time(NULL) + DEADLINE_S;
    const struct berth_claim *claim;

    do {
        claim = wait_for_claims(table, port, kind, 1);
    } while (claim->process_id == BERTH_ID_NONE && time(NULL) < end);
    assert_int_equal(claim->process_id, tcp_world.process_id());
    assert_string_equal(claim->holder, tcp_world.image());
    return claim;
}

static int set_up(void **state)
{
    struct berth_tcp_table *table = NULL;
    struct berth_error err = {0};

    tcp_world.set_up();
    assert_ok(berth_tcp_table_open(&table, &err), &err);
    *state = table;
    return 0;
}

static int tear_down(void **state)
{
    berth_tcp_table_close(*state);
    tcp_world.tear_down();
    return 0;
}

static void check_listener(struct berth_tcp_table *table, const struct berth_address *address,
                           bool v6_only)
{
    uint16_t port = try_act(TCP_WORLD_LISTEN, address, v6_only, 0);

    if (port == 0) {
        skip(); /* no IPv6 here */
    }
    const struct berth_claim *claim = wait_for_holder(table, port, BERTH_CLAIM_LISTENER);
    assert_int_equal(berth_address_compare(&claim->address, address), 0);
    assert_int_equal(claim->flags, v6_only ? BERTH_CLAIM_V6_ONLY : 0);
    assert_int_equal(claim->protocol, BERTH_PROTOCOL_TCP);
    assert_int_equal(claim->count, 1);
    assert_int_equal(claim->user_id, tcp_world.user_id());
    (void)act_on(TCP_WORLD_CLOSE, address, port);
    (void)wait_for_claims(table, port, BERTH_CLAIM_LISTENER, 0);
}

static void listener__on_loopback__is_listed_until_closed(void **state)
{
    check_listener(*state, &loopback4, false);
}

static void listener__on_all_ipv4__is_listed_until_closed(void **state)
{
    check_listener(*state, &any4, false);
}

static void listener__on_ipv6_loopback__is_listed_until_closed(void **state)
{
    check_listener(*state, &loopback6, false);
}

static void listener__on_all_ipv6__is_listed_until_closed(void **state)
{
    check_listener(*state, &any6, false);
}

static void listener__ipv6_only__says_so(void **state)
{
    check_listener(*state, &any6, true);
}

static void listeners__two_on_one_endpoint__are_one_claim_of_two(void **state)
{
    skip_where_it_lacks(TCP_WORLD_LACKS_TWINS);
    uint16_t port = act_on(TCP_WORLD_LISTEN, &loopback4, 0);

    assert_int_equal(act_on(TCP_WORLD_LISTEN, &loopback4, port), port);
    assert_int_equal(wait_for_claims(*state, port, BERTH_CLAIM_LISTENER, 1)->count, 2);
}

static void listeners__on_two_addresses__are_two_claims(void **state)
{
    skip_where_it_lacks(TCP_WORLD_LACKS_OVERLAP);
    uint16_t port = act_on(TCP_WORLD_LISTEN, &loopback4, 0);

    assert_int_equal(act_on(TCP_WORLD_LISTEN, &any4, port), port);
    (void)wait_for_claims(*state, port, BERTH_CLAIM_LISTENER, 2);
}

static void bound__not_listening__is_listed_until_closed(void **state)
{
    const struct berth_claim *claim;
    uint16_t port;

    if (!berth_tcp_table_capabilities(*state)->lists_bound) {
        assert_string_not_equal(berth_tcp_table_capabilities(*state)->detail, "");
        skip();
    }
    port = act_on(TCP_WORLD_BIND, &loopback4, 0);
    claim = wait_for_holder(*state, port, BERTH_CLAIM_BOUND);
    assert_int_equal(berth_address_compare(&claim->address, &loopback4), 0);
    assert_int_equal(claim->user_id, tcp_world.user_id());
    (void)act_on(TCP_WORLD_CLOSE, &loopback4, port);
    (void)wait_for_claims(*state, port, BERTH_CLAIM_BOUND, 0);
}

static void connections__several_to_one_port__are_one_claim_there_and_one_each_here(void **state)
{
    uint16_t server = act_on(TCP_WORLD_LISTEN, &loopback4, 0);
    uint16_t first = act_on(TCP_WORLD_CONNECT, &loopback4, server);
    uint16_t second = act_on(TCP_WORLD_CONNECT, &loopback4, server);
    const struct berth_claim *claim = wait_for_claims(*state, server, BERTH_CLAIM_CONNECTION, 1);

    assert_int_equal(claim->count, 2);
    assert_int_equal(claim->address.family, BERTH_FAMILY_ALL);
    assert_int_equal(claim->process_id, BERTH_ID_NONE);
    claim = wait_for_claims(*state, first, BERTH_CLAIM_CONNECTION, 1);
    /* other programs may connect to other places from the same port at the same time */
    assert_true(claim->count >= 1);
    assert_true(claim->count > 1 || claim->user_id == tcp_world.user_id());
    (void)wait_for_claims(*state, second, BERTH_CLAIM_CONNECTION, 1);
}

static void time_wait__is_a_claim_without_a_user(void **state)
{
    skip_where_it_lacks(TCP_WORLD_LACKS_TIME_WAIT);
    uint16_t server = act_on(TCP_WORLD_LISTEN, &loopback4, 0);
    uint16_t client = act_on(TCP_WORLD_TIME_WAIT, &loopback4, server);
    const struct berth_claim *claim = wait_for_claims(*state, client, BERTH_CLAIM_TIME_WAIT, 1);

    assert_true(claim->count >= 1); /* as above */
    assert_int_equal(claim->user_id, BERTH_ID_NONE);
    (void)wait_for_claims(*state, client, BERTH_CLAIM_CONNECTION, 0);
}

static void read__of_one_scope__leaves_the_others_empty(void **state)
{
    uint16_t server = act_on(TCP_WORLD_LISTEN, &loopback4, 0);
    struct berth_tcp_claims claims;

    (void)act_on(TCP_WORLD_CONNECT, &loopback4, server);
    for (unsigned part = 0; part < BERTH_TCP_PART_COUNT; part++) {
        read_scopes(*state, 1u << part, &claims);
        for (unsigned other = 0; other < BERTH_TCP_PART_COUNT; other++) {
            assert_true(other == part || claims.parts[other].count == 0);
        }
    }
    read_scopes(*state, BERTH_TCP_LISTENERS, &claims);
    assert_true(claims.parts[BERTH_TCP_PART_LISTENERS].count >= 1);
    read_scopes(*state, BERTH_TCP_CONNECTIONS, &claims);
    assert_true(claims.parts[BERTH_TCP_PART_CONNECTIONS].count >= 2);
}

static void read__lists__are_in_order_and_of_their_kinds(void **state)
{
    static const unsigned kinds[BERTH_TCP_PART_COUNT] = {
        [BERTH_TCP_PART_LISTENERS] = 1u << BERTH_CLAIM_LISTENER,
        [BERTH_TCP_PART_BOUND] = 1u << BERTH_CLAIM_BOUND,
        [BERTH_TCP_PART_CONNECTIONS] = 1u << BERTH_CLAIM_CONNECTION | 1u << BERTH_CLAIM_TIME_WAIT,
    };
    uint16_t server = act_on(TCP_WORLD_LISTEN, &loopback4, 0);
    struct berth_tcp_claims claims;

    (void)try_act(TCP_WORLD_LISTEN, &any4, false, server);
    (void)act_on(TCP_WORLD_LISTEN, &loopback4, 0);
    (void)act_on(TCP_WORLD_BIND, &loopback4, 0);
    (void)act_on(TCP_WORLD_CONNECT, &loopback4, server);
    (void)act_on(TCP_WORLD_TIME_WAIT, &loopback4, server);
    read_scopes(*state, BERTH_TCP_EVERYTHING, &claims);
    for (unsigned part = 0; part < BERTH_TCP_PART_COUNT; part++) {
        const struct berth_tcp_list *list = &claims.parts[part];
        for (size_t i = 0; i < list->count; i++) {
            assert_true((kinds[part] & 1u << list->claims[i].kind) != 0);
            assert_int_not_equal(list->claims[i].port, 0);
            assert_true(i == 0 || berth_claim_compare(&list->claims[i - 1], &list->claims[i]) < 0);
        }
    }
}

int tcp_table_contract_run(void)
{
#define WITH_TABLE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_TABLE(listener__on_loopback__is_listed_until_closed),
        WITH_TABLE(listener__on_all_ipv4__is_listed_until_closed),
        WITH_TABLE(listener__on_ipv6_loopback__is_listed_until_closed),
        WITH_TABLE(listener__on_all_ipv6__is_listed_until_closed),
        WITH_TABLE(listener__ipv6_only__says_so),
        WITH_TABLE(listeners__two_on_one_endpoint__are_one_claim_of_two),
        WITH_TABLE(listeners__on_two_addresses__are_two_claims),
        WITH_TABLE(bound__not_listening__is_listed_until_closed),
        WITH_TABLE(connections__several_to_one_port__are_one_claim_there_and_one_each_here),
        WITH_TABLE(time_wait__is_a_claim_without_a_user),
        WITH_TABLE(read__of_one_scope__leaves_the_others_empty),
        WITH_TABLE(read__lists__are_in_order_and_of_their_kinds),
    };
#undef WITH_TABLE
    return cmocka_run_group_tests_name("tcp_table_contract", tests, NULL, NULL);
}
