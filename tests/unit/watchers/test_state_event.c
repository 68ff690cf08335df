/* SPDX-License-Identifier: MIT */
/* The tracepoint's format and its records, as Linux 6.18 wrote them on x86-64. The format of Linux
 * 4.19 is written after its include/trace/events/sock.h. */
#include "tests/support/cmocka_all.h"
#include "watchers/linux/state_event.h"
#include "watchers/linux/tracefs.h"

#include <stdio.h>
#include <stdlib.h>

#define LINUX_6_18 "events/sock/inet_sock_set_state/format"

/* --- formats -------------------------------------------------------------------------------- */

static char *read_format(const char *name)
{
    char path[512];
    char *text = calloc(1, 16384);

    assert_non_null(text);
    (void)snprintf(path, sizeof path, "%s/tracefs/%s", TEST_DATA, name);
    FILE *file = fopen(path, "rb");
    assert_non_null(file);
    assert_true(fread(text, 1, 16383, file) > 100);
    (void)fclose(file);
    return text;
}

static struct berth_state_layout layout_of(const char *name)
{
    struct berth_state_layout layout = {0};
    struct berth_error err = {0};
    char *text = read_format(name);

    assert_ok(berth_tracepoint_parse(&layout, text, &err), &err);
    free(text);
    return layout;
}

static void expect_field(const struct berth_state_layout *layout, enum berth_state_field field,
                         unsigned offset, unsigned size)
{
    assert_int_equal(layout->fields[field].offset, offset);
    assert_int_equal(layout->fields[field].size, size);
}

static void parse__format_of_linux_6_18__finds_every_field(void **state)
{
    const struct berth_state_layout layout = layout_of(LINUX_6_18);

    (void)state;
    assert_int_equal(layout.id, 2287);
    expect_field(&layout, BERTH_STATE_FIELD_FLAGS, 2, 1);
    expect_field(&layout, BERTH_STATE_FIELD_OLD, 16, 4);
    expect_field(&layout, BERTH_STATE_FIELD_NEW, 20, 4);
    expect_field(&layout, BERTH_STATE_FIELD_SPORT, 24, 2);
    expect_field(&layout, BERTH_STATE_FIELD_FAMILY, 28, 2);
    expect_field(&layout, BERTH_STATE_FIELD_PROTOCOL, 30, 2);
    expect_field(&layout, BERTH_STATE_FIELD_SADDR, 32, 4);
    expect_field(&layout, BERTH_STATE_FIELD_SADDR_V6, 40, 16);
}

static void parse__format_of_linux_4_19__has_a_protocol_of_one_byte(void **state)
{
    const struct berth_state_layout layout = layout_of("linux-4.19.format");

    (void)state;
    assert_int_equal(layout.id, 1304);
    expect_field(&layout, BERTH_STATE_FIELD_PROTOCOL, 30, 1);
    expect_field(&layout, BERTH_STATE_FIELD_SADDR_V6, 39, 16);
}

/* Replaces the first `from` in the format by `to` of the same length, and sees it refused. */
static void expect_refusal(const char *from, const char *to, const char *words)
{
    struct berth_state_layout layout = {.id = 7};
    struct berth_error err = {0};
    char *text = read_format(LINUX_6_18);
    char *at = strstr(text, from);

    assert_non_null(at);
    assert_int_equal(strlen(from), strlen(to));
    memcpy(at, to, strlen(to));
    assert_code(berth_tracepoint_parse(&layout, text, &err), BERTH_MALFORMED);
    assert_non_null(strstr(err.detail, words));
    assert_int_equal(layout.id, 7);
    free(text);
}

static void parse__something_is_missing_or_odd__is_refused_by_name(void **state)
{
    (void)state;
    expect_refusal("ID: 2287", "xx: 2287", "ID");
    expect_refusal("ID: 2287", "ID: 2x87", "ID");
    expect_refusal("__u16 sport;", "__u16 sp0rt;", "sport");
    expect_refusal("int oldstate;\toffset:16;\tsize:4;", "int oldstate;\toffset:16;\tsize:8;",
                   "oldstate");
    expect_refusal("newstate;\toffset:20;", "newstate;\toffset:-1;", "newstate");
    expect_refusal("saddr_v6[16];\toffset:40;", "saddr_v6[16];\toffset:4x;", "saddr_v6");
}

static void parse__field_beyond_any_record__is_refused(void **state)
{
    struct berth_state_layout layout;

    (void)state;
    assert_code(
        berth_tracepoint_parse(
            &layout, "ID: 1\n\tfield:__u16 sport;\toffset:511;\tsize:2;\tsigned:0;\n", NULL),
        BERTH_MALFORMED);
    assert_code(berth_tracepoint_parse(&layout, "", NULL), BERTH_MALFORMED);
}

static void read_format__first_root_that_has_it__is_taken(void **state)
{
    const char *const roots[] = {"/nowhere", TEST_DATA "/iis", TEST_DATA "/tracefs", NULL};
    struct berth_error err = {0};
    char *expected = read_format(LINUX_6_18);
    char text[8192];

    (void)state;
    assert_ok(berth_tracefs_read_format(text, sizeof text, roots, &err), &err);
    assert_string_equal(text, expected);
    assert_code(berth_tracefs_read_format(text, strlen(expected), roots, &err), BERTH_TOO_LARGE);
    free(expected);
}

/* --- records -------------------------------------------------------------------------------- */

#define TO_LOOPBACK                                                                                \
    "7f000001 7f000001 00000000000000000000ffff7f000001 00000000000000000000ffff7f000001 00000000"
#define NO_PEER                                                                                    \
    "7f000001 00000000 00000000000000000000ffff7f000001 00000000000000000000ffff00000000 00000000"

/* bind to 127.0.0.1:49123, listen; connect from 57426; close; connect to 49125, where none is */
static const char listen_record[] = "ef080001 89200000 80dcda028188ffff 07000000 0a000000 e3bf"
                                    "0000 0200 0600" NO_PEER;
static const char connecting_record[] = "ef080001 89200000 00a5da028188ffff 07000000 02000000 "
                                        "0000e3bf 0200 0600" TO_LOOPBACK;
static const char connected_record[] = "ef080001 89200000 00a5da028188ffff 02000000 01000000 "
                                       "52e0e3bf 0200 0600" TO_LOOPBACK;
static const char child_record[] = "ef081003 89200000 c0e5da028188ffff 0a000000 03000000 e3bf"
                                   "52e0 0200 0600" TO_LOOPBACK;
static const char time_wait_record[] = "ef081003 89200000 c0e5da028188ffff 05000000 07000000 "
                                       "e3bf52e0 0200 0600" TO_LOOPBACK;
static const char last_ack_record[] = "ef080001 89200000 00a5da028188ffff 09000000 07000000 52e0"
                                      "e3bf 0200 0600" TO_LOOPBACK;
static const char unlisten_record[] = "ef080001 89200000 80dcda028188ffff 0a000000 07000000 e3bf"
                                      "0000 0200 0600" NO_PEER;
static const char refused_record[] = "ef080001 89200000 00a5da028188ffff 02000000 07000000 8686"
                                     "e5bf 0200 0600" TO_LOOPBACK;

static size_t bytes_of(const char *hex, uint8_t *out)
{
    size_t count = 0;

    while (*hex != '\0') {
        unsigned value;
        if (*hex == ' ') {
            hex++;
            continue;
        }
        assert_int_equal(sscanf(hex, "%2x", &value), 1);
        out[count++] = (uint8_t)value;
        hex += 2;
    }
    return count;
}

static struct berth_state_change change_of(const char *hex)
{
    const struct berth_state_layout layout = layout_of(LINUX_6_18);
    struct berth_state_change change = {0};
    uint8_t bytes[128];
    size_t size = bytes_of(hex, bytes);

    assert_int_equal(size, 76);
    assert_true(berth_state_event_decode(&layout, bytes, size, &change));
    return change;
}

static void expect_event(const char *hex, enum berth_tcp_event_what what, unsigned port)
{
    const struct berth_state_change change = change_of(hex);

    assert_int_equal(berth_state_event_what(&change), what);
    assert_int_equal(change.port, port);
}

static void decode__recorded_life_of_a_listener__is_understood(void **state)
{
    const struct berth_state_change change = change_of(listen_record);

    (void)state;
    assert_int_equal(change.old_state, 7);
    assert_int_equal(change.new_state, 10);
    assert_int_equal(change.protocol, 6);
    assert_true(change.in_process);
    assert_int_equal(change.address.family, BERTH_FAMILY_IPV4);
    assert_memory_equal(change.address.bytes, ((const uint8_t[]){127, 0, 0, 1}), 4);
    expect_event(listen_record, BERTH_TCP_EVENT_LISTEN, 49123);
    expect_event(unlisten_record, BERTH_TCP_EVENT_RELEASE, 49123);
}

static void decode__recorded_connections__are_understood(void **state)
{
    (void)state;
    expect_event(connecting_record, BERTH_TCP_EVENT_CONNECTING, 0);
    expect_event(connected_record, BERTH_TCP_EVENT_CONNECT, 57426);
    expect_event(last_ack_record, BERTH_TCP_EVENT_DISCONNECT, 57426);
    expect_event(time_wait_record, BERTH_TCP_EVENT_DISCONNECT, 49123);
    expect_event(refused_record, BERTH_TCP_EVENT_DISCONNECT, 34438);
    expect_event(child_record, BERTH_TCP_EVENT_ACCEPT, 49123);
    assert_true(change_of(connected_record).in_process);
    assert_false(change_of(time_wait_record).in_process); /* a soft interrupt's */
}

static void decode__too_short_or_of_another_family__is_passed_over(void **state)
{
    const struct berth_state_layout layout = layout_of(LINUX_6_18);
    struct berth_state_change change = {.port = 7};
    uint8_t bytes[128];
    size_t size = bytes_of(listen_record, bytes);

    (void)state;
    for (size_t i = 0; i < 56; i++) { /* the last field that counts ends at 56 */
        assert_false(berth_state_event_decode(&layout, bytes, i, &change));
    }
    assert_true(berth_state_event_decode(&layout, bytes, 56, &change));
    change.port = 7;
    bytes[28] = 1; /* AF_UNIX */
    assert_false(berth_state_event_decode(&layout, bytes, size, &change));
    assert_int_equal(change.port, 7);
}

static void decode__ipv6__mapped_is_ipv4(void **state)
{
    const struct berth_state_layout layout = layout_of(LINUX_6_18);
    struct berth_state_change change = {0};
    uint8_t bytes[128];
    size_t size = bytes_of(listen_record, bytes);

    (void)state;
    bytes[28] = 10; /* AF_INET6 */
    assert_true(berth_state_event_decode(&layout, bytes, size, &change));
    assert_int_equal(change.address.family, BERTH_FAMILY_IPV4);
    bytes[50] = 0;
    assert_true(berth_state_event_decode(&layout, bytes, size, &change));
    assert_int_equal(change.address.family, BERTH_FAMILY_IPV6);
    assert_int_equal(change.address.bytes[15], 1);
}

/* --- filters -------------------------------------------------------------------------------- */

/* What BERTH_STATE_FILTER_URGENT and _PATIENT say, spelled out a second time. */
static bool is_urgent(int old, int new, unsigned port)
{
    return new == 10 || (old == 10 && new == 7) || (old == 2 && (new == 1 || new == 3)) ||
           (old == 7 && new == 2 && port != 0);
}

static bool is_patient(int old, int new, unsigned port)
{
    return (new == 7 && old != 10 && old != 7 && old != 3) || (old == 7 && new == 2 && port == 0) ||
           (old == 10 && new == 3);
}

static void what__every_change__is_of_interest_where_a_filter_lets_it_through(void **state)
{
    (void)state;
    for (int old = 0; old < 14; old++) {
        for (int new = 0; new < 14; new ++) {
            for (uint16_t port = 0; port < 2; port++) {
                struct berth_state_change change = {
                    .old_state = old, .new_state = new, .port = port, .protocol = 6};
                bool of_interest = berth_state_event_what(&change) != BERTH_TCP_EVENT_WHAT_COUNT;
                assert_false(is_urgent(old, new, port) && is_patient(old, new, port));
                assert_int_equal(of_interest,
                                 is_urgent(old, new, port) || is_patient(old, new, port));
                change.protocol = 132;
                assert_int_equal(berth_state_event_what(&change), BERTH_TCP_EVENT_WHAT_COUNT);
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parse__format_of_linux_6_18__finds_every_field),
        cmocka_unit_test(parse__format_of_linux_4_19__has_a_protocol_of_one_byte),
        cmocka_unit_test(parse__something_is_missing_or_odd__is_refused_by_name),
        cmocka_unit_test(parse__field_beyond_any_record__is_refused),
        cmocka_unit_test(read_format__first_root_that_has_it__is_taken),
        cmocka_unit_test(decode__recorded_life_of_a_listener__is_understood),
        cmocka_unit_test(decode__recorded_connections__are_understood),
        cmocka_unit_test(decode__too_short_or_of_another_family__is_passed_over),
        cmocka_unit_test(decode__ipv6__mapped_is_ipv4),
        cmocka_unit_test(what__every_change__is_of_interest_where_a_filter_lets_it_through),
    };
    return cmocka_run_group_tests_name("state_event", tests, NULL, NULL);
}
