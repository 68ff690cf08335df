/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "tests/support/cmocka_all.h"
#include "watchers/linux/sock_destroy.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define S 1000000000u

struct notice {
    struct nlmsghdr header;
    struct inet_diag_msg body;
};

static struct notice make_notice(uint8_t family, uint16_t sport, uint16_t dport)
{
    struct notice notice;

    memset(&notice, 0, sizeof notice);
    notice.header.nlmsg_len = sizeof notice;
    notice.header.nlmsg_type = SOCK_DIAG_BY_FAMILY;
    notice.body.idiag_family = family;
    notice.body.idiag_state = 7;
    notice.body.id.idiag_sport = htons(sport);
    notice.body.id.idiag_dport = htons(dport);
    return notice;
}

/* Decodes a copy on the heap, to see a read past its end. */
static size_t decode(const void *bytes, size_t size, struct berth_tcp_event *out, size_t room)
{
    void *exact = malloc(size != 0 ? size : 1);

    assert_non_null(exact);
    memcpy(exact, bytes, size);
    size_t count = berth_sock_destroy_decode(exact, size, out, room);
    free(exact);
    return count;
}

static void decode__socket_without_a_peer__is_a_release(void **state)
{
    const struct notice notice = make_notice(AF_INET, 49123, 0);
    struct berth_tcp_event event = {0};

    (void)state;
    assert_int_equal(decode(&notice, sizeof notice, &event, 1), 1);
    assert_int_equal(event.what, BERTH_TCP_EVENT_GONE);
    assert_int_equal(event.port, 49123);
    assert_int_equal(event.process_id, BERTH_ID_NONE);
}

static void decode__socket_with_a_peer__is_a_disconnect(void **state)
{
    const struct notice notice = make_notice(AF_INET6, 49123, 443);
    struct berth_tcp_event event = {0};

    (void)state;
    assert_int_equal(decode(&notice, sizeof notice, &event, 1), 1);
    assert_int_equal(event.what, BERTH_TCP_EVENT_DISCONNECT);
}

static void decode__several__are_all_given_as_far_as_there_is_room(void **state)
{
    const struct notice notices[3] = {make_notice(AF_INET, 1, 0), make_notice(AF_INET, 0, 0),
                                      make_notice(AF_INET6, 3, 0)};
    struct berth_tcp_event events[3] = {{0}};

    (void)state;
    assert_int_equal(decode(notices, sizeof notices, events, 3), 2);
    assert_int_equal(events[0].port, 1);
    assert_int_equal(events[1].port, 3);
    assert_int_equal(decode(notices, sizeof notices, events, 1), 1);
}

static void decode__what_makes_no_sense__is_passed_over(void **state)
{
    struct notice notice = make_notice(AF_UNIX, 1, 0);
    struct berth_tcp_event event;

    (void)state;
    assert_int_equal(decode(&notice, sizeof notice, &event, 1), 0);
    notice = make_notice(AF_INET, 1, 0);
    for (size_t size = 0; size < sizeof notice; size++) {
        assert_int_equal(decode(&notice, size, &event, 1), 0);
    }
    notice.header.nlmsg_len = 8;
    assert_int_equal(decode(&notice, sizeof notice, &event, 1), 0);
    notice.header.nlmsg_len = sizeof notice + 1;
    assert_int_equal(decode(&notice, sizeof notice, &event, 1), 0);
    notice = make_notice(AF_INET, 1, 0);
    notice.header.nlmsg_type = NLMSG_DONE;
    assert_int_equal(decode(&notice, sizeof notice, &event, 1), 0);
}

static void pace__more_than_bearable_in_a_second__begins_a_rest(void **state)
{
    struct berth_destroy_pace pace = {0};

    (void)state;
    for (unsigned i = 0; i < BERTH_DESTROY_PER_SECOND_MAX; i++) {
        assert_true(berth_destroy_pace_note(&pace, 5 * (uint64_t)S + i));
    }
    assert_false(berth_destroy_pace_rests(&pace, 6 * (uint64_t)S - 1));
    assert_false(berth_destroy_pace_note(&pace, 6 * (uint64_t)S - 1));
    assert_true(berth_destroy_pace_rests(&pace, 6 * (uint64_t)S));
    assert_true(berth_destroy_pace_rests(&pace, 6 * (uint64_t)S + BERTH_DESTROY_REST_NS - 2));
    assert_false(berth_destroy_pace_rests(&pace, 6 * (uint64_t)S + BERTH_DESTROY_REST_NS));
}

static void pace__spread_over_seconds__goes_on(void **state)
{
    struct berth_destroy_pace pace = {0};

    (void)state;
    for (uint64_t i = 0; i < 5000; i++) {
        assert_true(berth_destroy_pace_note(&pace, S + i * (S / 400)));
    }
}

/* Closes a socket that was bound and never listened, and waits for the kernel's word of it. */
static void receive__bound_socket_is_closed__is_told_its_port(void **state)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    struct berth_error err = {0};
    uint8_t datagram[BERTH_DESTROY_DATAGRAM_MAX];
    bool seen = false;
    int notices = -1;

    (void)state;
    if (berth_sock_destroy_open(&notices, &err) != BERTH_OK) {
        (void)printf("%s\n", err.detail);
        skip();
    }
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, length), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    (void)close(fd);
    for (unsigned tries = 0; !seen && tries < 100000; tries++) {
        struct berth_tcp_event events[8];
        size_t size = 0;
        enum berth_code code =
            berth_sock_destroy_receive(notices, datagram, sizeof datagram, &size, &err);
        if (code == BERTH_BUSY) {
            struct pollfd wait = {.fd = notices, .events = POLLIN};
            assert_int_equal(poll(&wait, 1, 20000), 1);
            continue;
        }
        assert_ok(code, &err);
        size_t count = berth_sock_destroy_decode(datagram, size, events, 8);
        for (size_t i = 0; i < count; i++) {
            seen = seen || (events[i].port == ntohs(address.sin_port) &&
                            events[i].what == BERTH_TCP_EVENT_GONE);
        }
    }
    assert_true(seen);
    (void)close(notices);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(decode__socket_without_a_peer__is_a_release),
        cmocka_unit_test(decode__socket_with_a_peer__is_a_disconnect),
        cmocka_unit_test(decode__several__are_all_given_as_far_as_there_is_room),
        cmocka_unit_test(decode__what_makes_no_sense__is_passed_over),
        cmocka_unit_test(pace__more_than_bearable_in_a_second__begins_a_rest),
        cmocka_unit_test(pace__spread_over_seconds__goes_on),
        cmocka_unit_test(receive__bound_socket_is_closed__is_told_its_port),
    };
    return cmocka_run_group_tests_name("sock_destroy", tests, NULL, NULL);
}
