/* SPDX-License-Identifier: MIT */
#include "state_event.h"

#include "sock_diag.h"

#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>

/* common_flags: an interrupt or a soft interrupt was being served (TRACE_FLAG_HARDIRQ, _SOFTIRQ and
 * _NMI in include/linux/trace_events.h). Then the current process is whoever was interrupted. */
#define NOT_IN_PROCESS (0x08u | 0x10u | 0x40u)

static uint32_t read_field(const struct berth_state_layout *layout, enum berth_state_field field,
                           const uint8_t *bytes)
{
    const uint8_t *at = bytes + layout->fields[field].offset;
    uint16_t two;
    uint32_t four;

    switch (layout->fields[field].size) {
    case 1:
        return *at;
    case 2:
        memcpy(&two, at, sizeof two);
        return two;
    default:
        memcpy(&four, at, sizeof four);
        return four;
    }
}

static bool is_mapped(const uint8_t *address)
{
    static const uint8_t prefix[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

    return memcmp(address, prefix, sizeof prefix) == 0;
}

static bool read_address(const struct berth_state_layout *layout, const uint8_t *bytes,
                         struct berth_address *out)
{
    const uint8_t *four = bytes + layout->fields[BERTH_STATE_FIELD_SADDR].offset;
    const uint8_t *six = bytes + layout->fields[BERTH_STATE_FIELD_SADDR_V6].offset;
    uint32_t family = read_field(layout, BERTH_STATE_FIELD_FAMILY, bytes);

    memset(out, 0, sizeof *out);
    if (family == AF_INET) {
        out->family = BERTH_FAMILY_IPV4;
        memcpy(out->bytes, four, 4);
    } else if (family == AF_INET6 && is_mapped(six)) {
        out->family = BERTH_FAMILY_IPV4;
        memcpy(out->bytes, six + 12, 4);
    } else if (family == AF_INET6) {
        out->family = BERTH_FAMILY_IPV6;
        memcpy(out->bytes, six, 16);
    }
    return out->family != BERTH_FAMILY_ALL;
}

static bool fits(const struct berth_state_layout *layout, size_t size)
{
    for (unsigned i = 0; i < BERTH_STATE_FIELD_COUNT; i++) {
        if ((size_t)layout->fields[i].offset + layout->fields[i].size > size) {
            return false;
        }
    }
    return true;
}

bool berth_state_event_decode(const struct berth_state_layout *layout, const void *bytes,
                              size_t size, struct berth_state_change *out)
{
    struct berth_address address;

    if (!fits(layout, size) || !read_address(layout, bytes, &address)) {
        return false;
    }
    *out = (struct berth_state_change){
        .old_state = (int32_t)read_field(layout, BERTH_STATE_FIELD_OLD, bytes),
        .new_state = (int32_t)read_field(layout, BERTH_STATE_FIELD_NEW, bytes),
        .port = (uint16_t)read_field(layout, BERTH_STATE_FIELD_SPORT, bytes),
        .protocol = (uint16_t)read_field(layout, BERTH_STATE_FIELD_PROTOCOL, bytes),
        .in_process = (read_field(layout, BERTH_STATE_FIELD_FLAGS, bytes) & NOT_IN_PROCESS) == 0,
        .address = address,
    };
    return true;
}

/* A connection of our own side begins: with a port if the socket was bound before. */
static enum berth_tcp_event_what beginning(const struct berth_state_change *change)
{
    return change->port != 0 ? BERTH_TCP_EVENT_CONNECT : BERTH_TCP_EVENT_CONNECTING;
}

static enum berth_tcp_event_what closing(const struct berth_state_change *change)
{
    switch (change->old_state) {
    case BERTH_SOCK_LISTEN:
        return BERTH_TCP_EVENT_RELEASE;
    case BERTH_SOCK_CLOSE:
    case BERTH_SOCK_SYN_RECV: /* a child of a listener, which holds the port */
        return BERTH_TCP_EVENT_WHAT_COUNT;
    default:
        return BERTH_TCP_EVENT_DISCONNECT;
    }
}

enum berth_tcp_event_what berth_state_event_what(const struct berth_state_change *change)
{
    if (change->protocol != IPPROTO_TCP) {
        return BERTH_TCP_EVENT_WHAT_COUNT;
    }
    switch (change->new_state) {
    case BERTH_SOCK_LISTEN:
        return BERTH_TCP_EVENT_LISTEN;
    case BERTH_SOCK_CLOSE:
        return closing(change);
    case BERTH_SOCK_SYN_SENT:
        return change->old_state == BERTH_SOCK_CLOSE ? beginning(change)
                                                     : BERTH_TCP_EVENT_WHAT_COUNT;
    case BERTH_SOCK_SYN_RECV:
        if (change->old_state == BERTH_SOCK_LISTEN) {
            return BERTH_TCP_EVENT_ACCEPT; /* the child, which began as its listener's copy */
        }
        /* fall through */ /* both sides began at once */
    case BERTH_SOCK_ESTABLISHED:
        return change->old_state == BERTH_SOCK_SYN_SENT ? BERTH_TCP_EVENT_CONNECT
                                                        : BERTH_TCP_EVENT_WHAT_COUNT;
    default:
        return BERTH_TCP_EVENT_WHAT_COUNT;
    }
}
