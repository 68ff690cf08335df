/* SPDX-License-Identifier: MIT */
/* Tests of allocator/address: reading, writing (RFC 5952) and ordering addresses. */
#include "cmocka_all.h"

#include "allocator/address.h"

static void parse_ipv4__addresses__are_read(void **state)
{
    static const struct {
        const char *text;
        uint8_t bytes[4];
    } rows[] = {{"0.0.0.0", {0, 0, 0, 0}},
                {"10.0.0.1", {10, 0, 0, 1}},
                {"255.255.255.255", {255, 255, 255, 255}},
                {"192.168.1.20", {192, 168, 1, 20}}};
    static const uint8_t zero[12];

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(rows); i++) {
        struct berth_address address;
        memset(&address, 0xAA, sizeof address);
        assert_true(berth_address_parse_ipv4(&address, rows[i].text));
        assert_int_equal(address.family, BERTH_FAMILY_IPV4);
        assert_memory_equal(address.bytes, rows[i].bytes, 4);
        assert_memory_equal(address.bytes + 4, zero, sizeof zero);
        assert_int_equal(address.scope, 0);
    }
}

static void parse_ipv4__anything_else__leaves_out_alone(void **state)
{
    static const char *const texts[] = {
        "",          "1",         "1.2.3",     "1.2.3.",    "1.2.3.4.",   "1.2.3.4.5",
        "256.1.1.1", "1.1.1.256", "01.2.3.4",  "1.2.3.00",  "1..2.3",     ".1.2.3.4",
        " 1.2.3.4",  "1.2.3.4 ",  "1.2.3.4x",  "0x1.2.3.4", "1.2.3.1234", "-1.2.3.4",
        "1,2,3,4",   "*",         "localhost", "::1",       "1.2.3.4:80", "999.1.1.1"};

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(texts); i++) {
        struct berth_address address = {.family = 99, .scope = 7};
        if (berth_address_parse_ipv4(&address, texts[i])) {
            fail_msg("\"%s\" was read", texts[i]);
        }
        assert_int_equal(address.family, 99);
        assert_int_equal(address.scope, 7);
    }
}

/* What is read, and the form of RFC 5952 in which it is written. */
static void ipv6__read_and_written__is_the_form_of_rfc_5952(void **state)
{
    static const struct {
        const char *text;
        const char *written;
    } rows[] = {
        {"::", "[::]"},
        {"::1", "[::1]"},
        {"1::", "[1::]"},
        {"0:0:0:0:0:0:0:0", "[::]"},
        {"0:0:0:0:0:0:0:1", "[::1]"},
        {"2001:DB8::1", "[2001:db8::1]"},
        {"2001:0db8:0000:0000:0000:0000:0000:0001", "[2001:db8::1]"},
        {"2001:db8:0:1:1:1:1:1", "[2001:db8:0:1:1:1:1:1]"}, /* 4.2.2: no :: for one group */
        {"2001:db8::1:1:1:1:1", "[2001:db8:0:1:1:1:1:1]"},  /* 4.2.2 */
        {"2001:0:0:1:0:0:0:1", "[2001:0:0:1::1]"},          /* 4.2.3: the longest run */
        {"2001:db8:0:0:1:0:0:1", "[2001:db8::1:0:0:1]"},    /* 4.2.3: the first of two */
        {"1:0:0:2:0:0:3:0", "[1::2:0:0:3:0]"},
        {"0:0:1:2:3:4:5:6", "[::1:2:3:4:5:6]"},
        {"1:2:3:4:5:6:0:0", "[1:2:3:4:5:6::]"},
        {"0:1:2:3:4:5:6:7", "[0:1:2:3:4:5:6:7]"},
        {"1:2:3:4:5:6:7:0", "[1:2:3:4:5:6:7:0]"},
        {"1:2:3:4:5:6:7::", "[1:2:3:4:5:6:7:0]"},
        {"::2:3:4:5:6:7:8", "[0:2:3:4:5:6:7:8]"},
        {"1:2:3:4:5:6:7:8", "[1:2:3:4:5:6:7:8]"},
        {"ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff]"},
        {"FE80::abcd", "[fe80::abcd]"},
        {"fe80::1%4", "[fe80::1%4]"},
        {"fe80::1%4294967295", "[fe80::1%4294967295]"},
        {"fe80::1%0", "[fe80::1]"},
        {"fe80::1%eth0", "[fe80::1]"},
        {"fe80::1%4294967296", "[fe80::1]"},
        {"64:ff9b::192.0.2.33", "[64:ff9b::c000:221]"},
        {"1:2:3:4:5:6:1.2.3.4", "[1:2:3:4:5:6:102:304]"},
    };
    char text[BERTH_ADDRESS_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(rows); i++) {
        struct berth_address address;
        if (!berth_address_parse_ipv6(&address, rows[i].text)) {
            fail_msg("\"%s\" was not read", rows[i].text);
        }
        assert_int_equal(address.family, BERTH_FAMILY_IPV6);
        assert_ptr_equal(berth_address_format(text, sizeof text, &address), text);
        assert_string_equal(text, rows[i].written);
    }
}

/* RFC 5952, section 5: where a prefix says that an IPv4 address is inside, it is shown as one. */
static void format__ipv4_mapped__shows_the_ipv4_address(void **state)
{
    struct berth_address address;
    char text[BERTH_ADDRESS_TEXT_MAX];

    (void)state;
    assert_true(berth_address_parse_ipv6(&address, "::ffff:192.0.2.1"));
    assert_string_equal(berth_address_format(text, sizeof text, &address), "[::ffff:192.0.2.1]");
}

static void parse_ipv6__anything_else__leaves_out_alone(void **state)
{
    static const char *const texts[] = {
        "",
        ":",
        ":::",
        "1",
        "1:",
        ":1",
        "1:2:3:4:5:6:7",
        "1:2:3:4:5:6:7:8:9",
        "1:2:3:4:5:6:7:8:",
        ":1:2:3:4:5:6:7:8",
        "1::2::3",
        "::1::",
        "1:::2",
        "12345::",
        "g::",
        "::g",
        "::1 ",
        " ::1",
        "[::1]",
        "1.2.3.4",
        "::1.2.3",
        "::1.2.3.4.5",
        "::1.2.3.256",
        "::1.2.3.4:5",
        "1:2:3:4:5:6:7:1.2.3.4",
        "1.2.3.4::",
        "1:2:3:4:5:6:7::8",
        "::1%",
        "%4",
        "%",
        "::%",
        "::ffff:01.2.3.4",
        "1:2:3:4:5:6:7:",
        "::-1",
        "::0x1",
        "1::2:",
        "*",
        "0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000:0000"};

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(texts); i++) {
        struct berth_address address = {.family = 99, .scope = 7};
        if (berth_address_parse_ipv6(&address, texts[i])) {
            fail_msg("\"%s\" was read", texts[i]);
        }
        assert_int_equal(address.family, 99);
        assert_int_equal(address.scope, 7);
    }
}

/* Reads what it writes, for every pattern of zero and other groups. */
static void ipv6__every_pattern_of_zero_groups__survives_writing_and_reading(void **state)
{
    char text[BERTH_ADDRESS_TEXT_MAX];

    (void)state;
    for (unsigned pattern = 0; pattern < 256; pattern++) {
        struct berth_address address = {.family = BERTH_FAMILY_IPV6, .scope = pattern};
        struct berth_address again;
        for (unsigned group = 0; group < 8; group++) {
            address.bytes[2 * group] = (uint8_t)((pattern >> group & 1) != 0 ? 0xAB : 0);
        }
        (void)berth_address_format(text, sizeof text, &address);
        text[strlen(text) - 1] = '\0';
        assert_true(berth_address_parse_ipv6(&again, text + 1));
        assert_int_equal(berth_address_compare(&address, &again), 0);
    }
}

static void format__all_and_ipv4(void **state)
{
    struct berth_address all = {.family = BERTH_FAMILY_ALL};
    struct berth_address ipv4;
    struct berth_address longest = {.family = BERTH_FAMILY_IPV6, .scope = UINT32_MAX};
    char text[BERTH_ADDRESS_TEXT_MAX];

    (void)state;
    assert_string_equal(berth_address_format(text, sizeof text, &all), "*");
    assert_true(berth_address_parse_ipv4(&ipv4, "203.0.113.255"));
    assert_string_equal(berth_address_format(text, sizeof text, &ipv4), "203.0.113.255");
    memset(longest.bytes, 0xFF, sizeof longest.bytes);
    assert_string_equal(berth_address_format(text, sizeof text, &longest),
                        "[ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff%4294967295]");
}

static struct berth_address address_of(const char *text)
{
    struct berth_address address = {.family = BERTH_FAMILY_ALL};

    if (strcmp(text, "*") != 0 && !berth_address_parse_ipv4(&address, text)) {
        assert_true(berth_address_parse_ipv6(&address, text));
    }
    return address;
}

static void is_wildcard__only_what_stands_for_all(void **state)
{
    static const struct {
        const char *text;
        bool wildcard;
    } rows[] = {{"*", true},    {"0.0.0.0", true},  {"::", true},         {"0.0.0.1", false},
                {"::1", false}, {"1.0.0.0", false}, {"127.0.0.1", false}, {"1::", false}};

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(rows); i++) {
        struct berth_address address = address_of(rows[i].text);
        assert_int_equal(berth_address_is_wildcard(&address), rows[i].wildcard);
    }
}

static void compare__family_bytes_scope__in_this_order(void **state)
{
    static const char *const ascending[] = {"*",  "0.0.0.0", "10.0.0.1",  "10.0.0.2", "128.0.0.0",
                                            "::", "::1",     "fe80::1%1", "fe80::1%2"};

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(ascending); i++) {
        for (size_t j = 0; j < BERTH_COUNT(ascending); j++) {
            struct berth_address a = address_of(ascending[i]);
            struct berth_address b = address_of(ascending[j]);
            int order = berth_address_compare(&a, &b);
            assert_int_equal(order < 0 ? -1 : order > 0, i < j ? -1 : i > j);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse_ipv4__addresses__are_read),
        cmocka_unit_test(parse_ipv4__anything_else__leaves_out_alone),
        cmocka_unit_test(ipv6__read_and_written__is_the_form_of_rfc_5952),
        cmocka_unit_test(format__ipv4_mapped__shows_the_ipv4_address),
        cmocka_unit_test(parse_ipv6__anything_else__leaves_out_alone),
        cmocka_unit_test(ipv6__every_pattern_of_zero_groups__survives_writing_and_reading),
        cmocka_unit_test(format__all_and_ipv4),
        cmocka_unit_test(is_wildcard__only_what_stands_for_all),
        cmocka_unit_test(compare__family_bytes_scope__in_this_order),
    };
    return cmocka_run_group_tests_name("allocator.address", tests, NULL, NULL);
}
