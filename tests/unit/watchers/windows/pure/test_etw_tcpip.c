/* SPDX-License-Identifier: MIT */
/* What events of the TCP stack tell, in every layout that the manifests of Windows 10240 to 26100
 * have. */
#include "watchers/windows/etw_tcpip.h"

#include "tests/support/cmocka_all.h"
#include "tests/support/etw_payload.h"

#include <stdio.h>

#define PORT 0xC123
#define STATUS_ADDRESS_ALREADY_ASSOCIATED 0xC0000238u

/* Every layout, and what a good and a failed one come to; COUNT: nothing. */
static const struct {
    uint16_t id;
    uint8_t version;
    size_t size64; /* with an IPv4 address */
    bool with_address;
    enum berth_tcp_event_what good;
    enum berth_tcp_event_what failed;
} layouts[] = {
    {1006, 0, 24, true, BERTH_TCP_EVENT_OTHER, BERTH_TCP_EVENT_OTHER},
    {1006, 1, 32, true, BERTH_TCP_EVENT_OTHER, BERTH_TCP_EVENT_OTHER},
    {1008, 0, 24, true, BERTH_TCP_EVENT_CONNECT, BERTH_TCP_EVENT_OTHER},
    {1008, 1, 32, true, BERTH_TCP_EVENT_CONNECT, BERTH_TCP_EVENT_OTHER},
    {1009, 0, 24, true, BERTH_TCP_EVENT_GONE, BERTH_TCP_EVENT_OTHER},
    {1009, 1, 32, true, BERTH_TCP_EVENT_GONE, BERTH_TCP_EVENT_OTHER},
    {1054, 0, 12, false, BERTH_TCP_EVENT_OTHER, BERTH_TCP_EVENT_WHAT_COUNT},
    {1054, 1, 20, false, BERTH_TCP_EVENT_OTHER, BERTH_TCP_EVENT_WHAT_COUNT},
    {1121, 0, 44, true, BERTH_TCP_EVENT_OTHER, BERTH_TCP_EVENT_OTHER},
    {1121, 1, 52, true, BERTH_TCP_EVENT_OTHER, BERTH_TCP_EVENT_OTHER},
    {1122, 0, 44, true, BERTH_TCP_EVENT_OTHER, BERTH_TCP_EVENT_OTHER},
    {1122, 1, 52, true, BERTH_TCP_EVENT_OTHER, BERTH_TCP_EVENT_OTHER},
    {1123, 0, 44, true, BERTH_TCP_EVENT_LISTEN, BERTH_TCP_EVENT_OTHER},
    {1123, 1, 52, true, BERTH_TCP_EVENT_LISTEN, BERTH_TCP_EVENT_OTHER},
    {1124, 0, 44, true, BERTH_TCP_EVENT_RELEASE, BERTH_TCP_EVENT_OTHER},
    {1124, 1, 52, true, BERTH_TCP_EVENT_RELEASE, BERTH_TCP_EVENT_OTHER},
    {1191, 0, 22, false, BERTH_TCP_EVENT_CONNECT, BERTH_TCP_EVENT_CONNECT},
    {1193, 0, 22, false, BERTH_TCP_EVENT_DISCONNECT, BERTH_TCP_EVENT_DISCONNECT},
    {1194, 0, 22, false, BERTH_TCP_EVENT_CONNECT, BERTH_TCP_EVENT_CONNECT},
    {1519, 0, 28, false, BERTH_TCP_EVENT_OTHER, BERTH_TCP_EVENT_WHAT_COUNT},
};

static const uint8_t pointer_sizes[] = {8, 4};
static const unsigned families[] = {4, 6};

static struct etw_payload_facts facts_of(size_t row, uint8_t pointer_size, unsigned family)
{
    return (struct etw_payload_facts){
        .id = layouts[row].id,
        .version = layouts[row].version,
        .pointer_size = pointer_size,
        .family = family,
        .port = PORT,
        .process_id = 815,
    };
}

static bool is_failure(uint16_t id)
{
    return id == 1006 || id == 1121 || id == 1122;
}

static bool is_reservation(uint16_t id)
{
    return id == 1054 || id == 1519;
}

/* Checks one event that is understood. */
static void check(const struct etw_payload_facts *facts, bool with_address,
                  enum berth_tcp_event_what expected, uint16_t port)
{
    struct etw_payload payload;
    struct berth_tcp_event out = {.port = 1};

    etw_payload_build(&payload, facts);
    bool told = berth_etw_tcpip_decode(&payload.event, BERTH_ETW_ORDER_HOST, &out);
    if (expected == BERTH_TCP_EVENT_WHAT_COUNT) {
        assert_false(told);
        assert_int_equal(out.port, 1);
        return;
    }
    if (!told || out.what != expected || out.port != port) {
        fail_msg("%u v%u, pointers of %u, family %u, status %x: what %u, port %u", facts->id,
                 facts->version, facts->pointer_size, facts->family, facts->status, out.what,
                 out.port);
    }
    assert_int_equal(out.time_ns, 42);
    bool names = expected == BERTH_TCP_EVENT_LISTEN || expected == BERTH_TCP_EVENT_RELEASE;
    assert_int_equal(out.process_id, names ? 815 : BERTH_ID_NONE);
    if (!with_address || port == 0) {
        assert_int_equal(out.address.family, BERTH_FAMILY_ALL);
    } else if (facts->family == 4) {
        const struct berth_address expect = {.family = BERTH_FAMILY_IPV4, .bytes = {10, 1, 2, 3}};
        assert_int_equal(berth_address_compare(&out.address, &expect), 0);
    } else {
        const struct berth_address expect = {.family = BERTH_FAMILY_IPV6,
                                             .bytes = {0xFE, 0x80, [14] = 0x12, [15] = 0x34},
                                             .scope = 7};
        assert_int_equal(berth_address_compare(&out.address, &expect), 0);
    }
}

static void decode__every_layout__good_and_failed(void **state)
{
    (void)state;
    for (size_t row = 0; row < BERTH_COUNT(layouts); row++) {
        for (size_t size = 0; size < BERTH_COUNT(pointer_sizes); size++) {
            for (size_t family = 0; family < BERTH_COUNT(families); family++) {
                struct etw_payload_facts facts =
                    facts_of(row, pointer_sizes[size], families[family]);
                bool odd = is_failure(facts.id) || is_reservation(facts.id);
                check(&facts, layouts[row].with_address, layouts[row].good, odd ? 0 : PORT);
                facts.status = 0x103; /* STATUS_PENDING is no failure */
                check(&facts, layouts[row].with_address, layouts[row].good, odd ? 0 : PORT);
                facts.status = STATUS_ADDRESS_ALREADY_ASSOCIATED;
                check(&facts, layouts[row].with_address, layouts[row].failed, PORT);
            }
        }
    }
}

static void layouts__built_here__are_as_long_as_the_manifests_say(void **state)
{
    (void)state;
    for (size_t row = 0; row < BERTH_COUNT(layouts); row++) {
        struct etw_payload payload;
        struct etw_payload_facts facts = facts_of(row, 8, 4);
        etw_payload_build(&payload, &facts);
        assert_int_equal(payload.size, layouts[row].size64);
    }
}

static void decode__pointer_size_not_told__is_worked_out(void **state)
{
    (void)state;
    for (size_t row = 0; row < BERTH_COUNT(layouts); row++) {
        for (size_t size = 0; size < BERTH_COUNT(pointer_sizes); size++) {
            struct etw_payload payload;
            struct berth_tcp_event told;
            struct berth_tcp_event guessed;
            struct etw_payload_facts facts = facts_of(row, pointer_sizes[size], 6);
            etw_payload_build(&payload, &facts);
            assert_true(berth_etw_tcpip_decode(&payload.event, BERTH_ETW_ORDER_HOST, &told));
            payload.event.pointer_size = 0;
            assert_true(berth_etw_tcpip_decode(&payload.event, BERTH_ETW_ORDER_HOST, &guessed));
            assert_int_equal(guessed.what, told.what);
            assert_int_equal(guessed.port, told.port);
            assert_int_equal(guessed.process_id, told.process_id);
        }
    }
}

static void assert_only_look(const struct berth_etw_event *event)
{
    struct berth_tcp_event out = {.port = 1};

    if (!berth_etw_tcpip_decode(event, BERTH_ETW_ORDER_HOST, &out) ||
        out.what != BERTH_TCP_EVENT_OTHER || out.port != 0) {
        fail_msg("%u v%u of %zu bytes: what %u, port %u", event->id, event->version, event->size,
                 out.what, out.port);
    }
    assert_int_equal(out.process_id, BERTH_ID_NONE);
    assert_int_equal(out.address.family, BERTH_FAMILY_ALL);
}

static void decode__of_any_other_length__is_only_a_look(void **state)
{
    (void)state;
    for (size_t row = 0; row < BERTH_COUNT(layouts); row++) {
        for (size_t size = 0; size < BERTH_COUNT(pointer_sizes); size++) {
            struct etw_payload payload;
            struct etw_payload_facts facts = facts_of(row, pointer_sizes[size], 4);
            etw_payload_build(&payload, &facts);
            size_t whole = payload.size;
            for (size_t length = 0; length < whole + 12; length++) {
                payload.event.size = length;
                if (length != whole) {
                    assert_only_look(&payload.event);
                }
            }
        }
    }
}

static void decode__unknown_version__is_only_a_look(void **state)
{
    (void)state;
    for (size_t row = 0; row < BERTH_COUNT(layouts); row++) {
        struct etw_payload payload;
        struct etw_payload_facts facts = facts_of(row, 8, 4);
        etw_payload_build(&payload, &facts);
        payload.event.version = 2;
        assert_only_look(&payload.event);
        payload.event.version = 255;
        assert_only_look(&payload.event);
    }
}

static void decode__other_ids_and_providers__is_nothing(void **state)
{
    static const uint16_t ids[] = {0, 1001, 1005, 1007, 1013, 1017, 1192, 1195, 1300, 65535};
    struct etw_payload_facts facts = facts_of(0, 8, 4);
    struct etw_payload payload;
    struct berth_tcp_event out = {.port = 1};

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(ids); i++) {
        facts.id = ids[i];
        etw_payload_build(&payload, &facts);
        assert_false(berth_etw_tcpip_decode(&payload.event, BERTH_ETW_ORDER_HOST, &out));
    }
    facts.id = 1123;
    etw_payload_build(&payload, &facts);
    payload.event.provider = BERTH_ETW_HTTP_SERVICE;
    assert_false(berth_etw_tcpip_decode(&payload.event, BERTH_ETW_ORDER_HOST, &out));
    assert_int_equal(out.port, 1);
}

static void decode__absurd_addresses__is_only_a_look(void **state)
{
    struct etw_payload_facts facts = facts_of(0, 8, 4);
    struct etw_payload payload;

    (void)state;
    facts.id = 1123;
    facts.version = 0;
    etw_payload_build(&payload, &facts);
    payload.bytes[12] = 3; /* a family that is neither */
    assert_only_look(&payload.event);
    payload.bytes[12] = 23; /* IPv6 in the 16 bytes of IPv4 */
    assert_only_look(&payload.event);
    payload.bytes[12] = 2;
    for (size_t i = 0; i < 4; i++) {
        payload.bytes[8 + i] = 0xFF; /* a length of 4 GiB */
    }
    assert_only_look(&payload.event);
    memset(payload.bytes + 8, 0, sizeof payload.bytes - 8);
    payload.bytes[8] = 200; /* longer than any address, and all of it is there */
    payload.bytes[12] = 2;
    payload.bytes[15] = 80;
    payload.event.size = 8 + 4 + 200 + 16;
    assert_only_look(&payload.event);
}

static void decode__without_address_or_port__is_what_it_can_be(void **state)
{
    static const struct {
        uint16_t id;
        enum berth_tcp_event_what what;
    } rows[] = {
        {1008, BERTH_TCP_EVENT_OTHER},
        {1009, BERTH_TCP_EVENT_WHAT_COUNT}, /* a socket that never had a port */
        {1123, BERTH_TCP_EVENT_OTHER},
        {1124, BERTH_TCP_EVENT_OTHER},
        {1191, BERTH_TCP_EVENT_OTHER},
        {1193, BERTH_TCP_EVENT_WHAT_COUNT},
    };

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(rows); i++) {
        for (unsigned family = 0; family <= 4; family += 4) {
            const struct etw_payload_facts facts = {
                .id = rows[i].id, .pointer_size = 8, .family = family};
            check(&facts, false, rows[i].what, 0);
        }
    }
}

static void decode__byte_order__as_it_was_learned(void **state)
{
    static const uint16_t ids[] = {1191, 1193, 1194};

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(ids); i++) {
        const struct etw_payload_facts facts = {
            .id = ids[i], .pointer_size = 8, .port = PORT, .swapped = true};
        struct etw_payload payload;
        struct berth_tcp_event out;
        etw_payload_build(&payload, &facts);
        assert_true(berth_etw_tcpip_decode(&payload.event, BERTH_ETW_ORDER_NETWORK, &out));
        assert_int_equal(out.port, PORT);
        assert_true(berth_etw_tcpip_decode(&payload.event, BERTH_ETW_ORDER_HOST, &out));
        assert_int_equal(out.port, 0x23C1);
        assert_true(berth_etw_tcpip_decode(&payload.event, BERTH_ETW_ORDER_UNKNOWN, &out));
        assert_int_equal(out.port, 0);
        assert_int_equal(out.what, BERTH_TCP_EVENT_OTHER);
    }
}

static bool asks_for(const struct berth_etw_request *request, uint16_t id)
{
    for (size_t i = 0; i < request->id_count; i++) {
        if (request->ids[i] == id) {
            return true;
        }
    }
    return false;
}

static void request__full_and_low__asks_for_what_is_understood(void **state)
{
    const struct berth_etw_request *full = berth_etw_tcpip_request(false);
    const struct berth_etw_request *low = berth_etw_tcpip_request(true);

    (void)state;
    assert_int_equal(full->any_keywords, UINT64_C(0x840000000B));
    assert_int_equal(low->any_keywords, UINT64_C(0x800000000A));
    assert_int_equal(full->level, 4);
    assert_int_equal(low->level, 4);
    for (size_t row = 0; row < BERTH_COUNT(layouts); row++) {
        uint16_t id = layouts[row].id;
        assert_true(asks_for(full, id));
        assert_int_equal(asks_for(low, id), id != 1009 && (id < 1191 || id > 1194));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decode__every_layout__good_and_failed),
        cmocka_unit_test(layouts__built_here__are_as_long_as_the_manifests_say),
        cmocka_unit_test(decode__pointer_size_not_told__is_worked_out),
        cmocka_unit_test(decode__of_any_other_length__is_only_a_look),
        cmocka_unit_test(decode__unknown_version__is_only_a_look),
        cmocka_unit_test(decode__other_ids_and_providers__is_nothing),
        cmocka_unit_test(decode__absurd_addresses__is_only_a_look),
        cmocka_unit_test(decode__without_address_or_port__is_what_it_can_be),
        cmocka_unit_test(decode__byte_order__as_it_was_learned),
        cmocka_unit_test(request__full_and_low__asks_for_what_is_understood),
    };
    return cmocka_run_group_tests_name("etw_tcpip", tests, NULL, NULL);
}
