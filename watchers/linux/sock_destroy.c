/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "sock_destroy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define SECOND_NS 1000000000u

/* --- decoding ------------------------------------------------------------------------------- */

static bool decode_notice(const uint8_t *bytes, size_t size, struct berth_tcp_event *out)
{
    struct inet_diag_msg notice;

    if (size < sizeof notice) {
        return false;
    }
    memcpy(&notice, bytes, sizeof notice);
    if ((notice.idiag_family != AF_INET && notice.idiag_family != AF_INET6) ||
        notice.id.idiag_sport == 0) {
        return false;
    }
    *out = (struct berth_tcp_event){
        .port = ntohs(notice.id.idiag_sport),
        .what = notice.id.idiag_dport != 0 ? BERTH_TCP_EVENT_DISCONNECT : BERTH_TCP_EVENT_GONE,
        .process_id = BERTH_ID_NONE,
    };
    return true;
}

size_t berth_sock_destroy_decode(const void *bytes, size_t size, struct berth_tcp_event *out,
                                 size_t room)
{
    const uint8_t *at = bytes;
    size_t count = 0;

    while (count < room && size >= NLMSG_HDRLEN) {
        struct nlmsghdr header;
        memcpy(&header, at, sizeof header);
        if (header.nlmsg_len < NLMSG_HDRLEN || header.nlmsg_len > size) {
            break;
        }
        if (header.nlmsg_type == SOCK_DIAG_BY_FAMILY &&
            decode_notice(at + NLMSG_HDRLEN, header.nlmsg_len - NLMSG_HDRLEN, &out[count])) {
            count++;
        }
        size_t step = NLMSG_ALIGN(header.nlmsg_len);
        if (step >= size) {
            break;
        }
        at += step;
        size -= step;
    }
    return count;
}

/* --- the kernel ----------------------------------------------------------------------------- */

static uint32_t group_bit(unsigned group)
{
    return 1u << (group - 1u);
}

enum berth_code berth_sock_destroy_open(int *out, struct berth_error *err)
{
    const struct sockaddr_nl address = {.nl_family = AF_NETLINK,
                                        .nl_groups = group_bit(SKNLGRP_INET_TCP_DESTROY) |
                                                     group_bit(SKNLGRP_INET6_TCP_DESTROY)};
    int fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_SOCK_DIAG);

    if (fd < 0 || bind(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        enum berth_code code =
            berth_fail(err, BERTH_IO, errno, "no notices of closed sockets: %s", strerror(errno));
        if (fd >= 0) {
            (void)close(fd);
        }
        return code;
    }
    *out = fd;
    return BERTH_OK;
}

enum berth_code berth_sock_destroy_receive(int fd, void *buffer, size_t capacity, size_t *size,
                                           struct berth_error *err)
{
    struct sockaddr_nl from = {0};
    socklen_t from_size = sizeof from;
    ssize_t got;

    do {
        got = recvfrom(fd, buffer, capacity, MSG_DONTWAIT, (struct sockaddr *)&from, &from_size);
    } while (got < 0 && errno == EINTR);
    if (got >= 0) {
        /* other processes may send to this socket too; only the kernel is believed */
        *size = from.nl_pid == 0 ? (size_t)got : 0;
        return BERTH_OK;
    }
    if (errno == EAGAIN || errno == EWOULDBLOCK) {
        return BERTH_BUSY;
    }
    enum berth_code code = errno == ENOBUFS ? BERTH_UNSTABLE : BERTH_IO;
    return berth_fail(err, code, errno, "notices of closed sockets: %s", strerror(errno));
}

/* --- pace ----------------------------------------------------------------------------------- */

bool berth_destroy_pace_note(struct berth_destroy_pace *pace, uint64_t now_ns)
{
    if (pace->count == 0 || now_ns - pace->second_ns >= SECOND_NS) {
        pace->second_ns = now_ns;
        pace->count = 0;
    }
    pace->count++;
    if (pace->count > BERTH_DESTROY_PER_SECOND_MAX) {
        pace->count = 0;
        pace->rest_until_ns = now_ns + BERTH_DESTROY_REST_NS;
        return false;
    }
    return true;
}

bool berth_destroy_pace_rests(struct berth_destroy_pace *pace, uint64_t now_ns)
{
    if (pace->rest_until_ns != 0 && now_ns >= pace->rest_until_ns) {
        pace->rest_until_ns = 0;
    }
    return pace->rest_until_ns != 0;
}
