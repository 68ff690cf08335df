/* SPDX-License-Identifier: MIT */
#include "watchers/windows/etw_tcpip.h"

#include <string.h>

/* Keywords.  @source the manifest, names without "ut:" */
#define TCPIP_ENDPOINT UINT64_C(0x1)
#define TCPIP_LISTENER UINT64_C(0x2)
#define TCPIP_BIND UINT64_C(0x8)
#define CONNECT_PATH UINT64_C(0x400000000)
#define GLOBAL UINT64_C(0x8000000000)
#define LEVEL_INFORMATION 4

/* Families as Windows numbers them, and the shortest addresses of them. */
#define WINDOWS_INET 2u
#define WINDOWS_INET6 23u
#define SOCKADDR_IN_SIZE 16u
#define SOCKADDR_IN6_SIZE 28u
#define SOCKADDR_MAX 128u /* SOCKADDR_STORAGE */

#define STATUS_SEVERITY 0x80000000u /* warnings and errors */

enum shape { SHAPE_ENDPOINT, SHAPE_LISTENER, SHAPE_PORT, SHAPE_RESERVATION };

enum meaning {
    MEANS_BOUND,
    MEANS_CLOSED,
    MEANS_LISTENS,
    MEANS_UNBOUND,
    MEANS_TAKEN,
    MEANS_GIVEN_BACK,
    MEANS_FAILED,
    MEANS_RESERVED
};

/* A layout: what is before and behind its fixed part differs with the version. */
struct layout {
    uint16_t id;
    uint8_t version;
    uint8_t shape;
    uint8_t meaning;
    uint8_t pointers; /* before the rest */
    uint8_t extra;    /* bytes behind the rest; of RESERVATION: all */
};

static const struct layout layouts[] = {
    {1006, 0, SHAPE_ENDPOINT, MEANS_FAILED, 0, 0},
    {1006, 1, SHAPE_ENDPOINT, MEANS_FAILED, 1, 0},
    {1008, 0, SHAPE_ENDPOINT, MEANS_BOUND, 0, 0},
    {1008, 1, SHAPE_ENDPOINT, MEANS_BOUND, 1, 0},
    {1009, 0, SHAPE_ENDPOINT, MEANS_CLOSED, 0, 0},
    {1009, 1, SHAPE_ENDPOINT, MEANS_CLOSED, 1, 0},
    {1054, 0, SHAPE_RESERVATION, MEANS_RESERVED, 0, 12},
    {1054, 1, SHAPE_RESERVATION, MEANS_RESERVED, 0, 20},
    {1121, 0, SHAPE_LISTENER, MEANS_FAILED, 1, 0},
    {1121, 1, SHAPE_LISTENER, MEANS_FAILED, 1, 8},
    {1122, 0, SHAPE_LISTENER, MEANS_FAILED, 1, 0},
    {1122, 1, SHAPE_LISTENER, MEANS_FAILED, 1, 8},
    {1123, 0, SHAPE_LISTENER, MEANS_LISTENS, 1, 0},
    {1123, 1, SHAPE_LISTENER, MEANS_LISTENS, 1, 8},
    {1124, 0, SHAPE_LISTENER, MEANS_UNBOUND, 1, 0},
    {1124, 1, SHAPE_LISTENER, MEANS_UNBOUND, 1, 8},
    {1191, 0, SHAPE_PORT, MEANS_TAKEN, 2, 0},
    {1193, 0, SHAPE_PORT, MEANS_GIVEN_BACK, 2, 0},
    {1194, 0, SHAPE_PORT, MEANS_TAKEN, 2, 0},
    {1519, 0, SHAPE_RESERVATION, MEANS_RESERVED, 0, 28},
};

/* What an event says, as far as its layout has it. */
struct facts {
    uint16_t port; /* 0: none */
    struct berth_address address;
    uint32_t status;
    uint32_t process_id;
};

static uint32_t number_at(const uint8_t *at)
{
    return at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static uint16_t short_at(const uint8_t *at)
{
    return (uint16_t)(at[0] | at[1] << 8);
}

static uint16_t network_short_at(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

/* Reads a SOCKADDR; an empty one is none.  @return false: it is neither IPv4 nor IPv6, or short */
static bool read_address(const uint8_t *at, size_t size, struct facts *out)
{
    if (size == 0) {
        return true;
    }
    if (size < SOCKADDR_IN_SIZE) {
        return false;
    }
    out->port = network_short_at(at + 2);
    if (short_at(at) == WINDOWS_INET) {
        out->address.family = BERTH_FAMILY_IPV4;
        memcpy(out->address.bytes, at + 4, 4);
        return true;
    }
    if (short_at(at) != WINDOWS_INET6 || size < SOCKADDR_IN6_SIZE) {
        return false;
    }
    out->address.family = BERTH_FAMILY_IPV6;
    memcpy(out->address.bytes, at + 8, 16);
    /* Windows gives some zone with other addresses too, where it means nothing */
    if (at[8] == 0xFE && (at[9] & 0xC0) == 0x80) {
        out->address.scope = number_at(at + 24);
    }
    return true;
}

/* Reads an endpoint's or a listener's facts; all of the data must be what the layout says. */
static bool read_socket(const struct layout *layout, const struct berth_etw_event *event,
                        size_t pointer_size, struct facts *out)
{
    size_t at = layout->pointers * pointer_size;
    size_t tail = (layout->shape == SHAPE_LISTENER ? 16u : 4u) + layout->extra;

    if (event->size < at + 4) {
        return false;
    }
    size_t length = number_at(event->data + at);
    at += 4;
    if (length > SOCKADDR_MAX || event->size != at + length + tail ||
        !read_address(event->data + at, length, out)) {
        return false;
    }
    at += length;
    out->status = number_at(event->data + at);
    if (layout->shape == SHAPE_LISTENER) {
        out->process_id = number_at(event->data + at + 4);
    }
    return true;
}

static bool read_port(const struct layout *layout, const struct berth_etw_event *event,
                      size_t pointer_size, enum berth_etw_port_order order, struct facts *out)
{
    if (event->size != layout->pointers * pointer_size + 2 + 4) {
        return false;
    }
    const uint8_t *at = event->data + pointer_size;
    out->port = order == BERTH_ETW_ORDER_NETWORK ? network_short_at(at) : short_at(at);
    return true;
}

static bool read_reservation(const struct layout *layout, const struct berth_etw_event *event,
                             struct facts *out)
{
    if (event->size != layout->extra) {
        return false;
    }
    out->status = number_at(event->data + 4);
    return true;
}

static bool read_facts(const struct layout *layout, const struct berth_etw_event *event,
                       size_t pointer_size, enum berth_etw_port_order order, struct facts *out)
{
    *out = (struct facts){.process_id = BERTH_ID_NONE};
    switch ((enum shape)layout->shape) {
    case SHAPE_ENDPOINT:
    case SHAPE_LISTENER:
        return read_socket(layout, event, pointer_size, out);
    case SHAPE_PORT:
        return read_port(layout, event, pointer_size, order, out);
    default:
        return read_reservation(layout, event, out);
    }
}

/* Where the size of pointers is not told, the data must fit one of the two and not the other. */
static bool read_any_size(const struct layout *layout, const struct berth_etw_event *event,
                          enum berth_etw_port_order order, struct facts *out)
{
    struct facts narrow;

    if (layout->pointers == 0) {
        return read_facts(layout, event, 0, order, out);
    }
    if (event->pointer_size == 4 || event->pointer_size == 8) {
        return read_facts(layout, event, event->pointer_size, order, out);
    }
    bool is_wide = read_facts(layout, event, 8, order, out);
    bool is_narrow = read_facts(layout, event, 4, order, &narrow);
    if (is_narrow && !is_wide) {
        *out = narrow;
    }
    return is_wide != is_narrow;
}

static const struct layout *find_layout(uint16_t id, uint8_t version, bool *known_id)
{
    *known_id = false;
    for (size_t i = 0; i < BERTH_COUNT(layouts); i++) {
        *known_id = *known_id || layouts[i].id == id;
        if (layouts[i].id == id && layouts[i].version == version) {
            return &layouts[i];
        }
    }
    return NULL;
}

/* What an understood event comes to.  @return COUNT: nothing; OTHER without a port: no sense */
static enum berth_tcp_event_what weigh(enum meaning meaning, enum berth_etw_port_order order,
                                       struct facts *facts)
{
    bool failed = facts->status >= STATUS_SEVERITY;
    bool taken_or_given = meaning == MEANS_TAKEN || meaning == MEANS_GIVEN_BACK;

    if (taken_or_given && order == BERTH_ETW_ORDER_UNKNOWN) {
        facts->port = 0;
        return BERTH_TCP_EVENT_OTHER;
    }
    if (meaning == MEANS_FAILED || meaning == MEANS_RESERVED) {
        if (failed == (meaning == MEANS_RESERVED)) {
            facts->port = 0; /* a failure that succeeded is none that can be understood */
        }
        return failed && meaning == MEANS_RESERVED ? BERTH_TCP_EVENT_WHAT_COUNT
                                                   : BERTH_TCP_EVENT_OTHER;
    }
    if (facts->port == 0) {
        return meaning == MEANS_CLOSED || meaning == MEANS_GIVEN_BACK ? BERTH_TCP_EVENT_WHAT_COUNT
                                                                      : BERTH_TCP_EVENT_OTHER;
    }
    if (failed) {
        return BERTH_TCP_EVENT_OTHER;
    }
    switch (meaning) {
    case MEANS_LISTENS:
        return BERTH_TCP_EVENT_LISTEN;
    case MEANS_UNBOUND:
        return BERTH_TCP_EVENT_RELEASE;
    case MEANS_CLOSED:
        return BERTH_TCP_EVENT_GONE;
    case MEANS_GIVEN_BACK:
        return BERTH_TCP_EVENT_DISCONNECT;
    default:
        return BERTH_TCP_EVENT_CONNECT;
    }
}

bool berth_etw_tcpip_decode(const struct berth_etw_event *event, enum berth_etw_port_order order,
                            struct berth_tcp_event *out)
{
    struct facts facts;
    bool known_id;
    const struct layout *layout = find_layout(event->id, event->version, &known_id);
    enum berth_tcp_event_what what = BERTH_TCP_EVENT_OTHER;

    if (event->provider != BERTH_ETW_TCPIP || !known_id) {
        return false;
    }
    if (layout != NULL && read_any_size(layout, event, order, &facts)) {
        what = weigh((enum meaning)layout->meaning, order, &facts);
    } else {
        facts = (struct facts){.process_id = BERTH_ID_NONE};
    }
    if (what == BERTH_TCP_EVENT_WHAT_COUNT) {
        return false;
    }
    if (facts.port == 0) {
        facts = (struct facts){.process_id = BERTH_ID_NONE};
    }
    *out = (struct berth_tcp_event){
        .port = facts.port,
        .what = (uint8_t)what,
        .address = facts.address,
        .process_id = what == BERTH_TCP_EVENT_OTHER ? BERTH_ID_NONE : facts.process_id,
        .time_ns = event->time_ns,
    };
    return true;
}

const struct berth_etw_request *berth_etw_tcpip_request(bool low_volume)
{
    static const struct berth_etw_request full = {
        .provider = BERTH_ETW_TCPIP,
        .level = LEVEL_INFORMATION,
        .any_keywords = TCPIP_BIND | TCPIP_LISTENER | CONNECT_PATH | TCPIP_ENDPOINT | GLOBAL,
        .id_count = 12,
        .ids = {1006, 1008, 1009, 1054, 1121, 1122, 1123, 1124, 1191, 1193, 1194, 1519},
    };
    static const struct berth_etw_request low = {
        .provider = BERTH_ETW_TCPIP,
        .level = LEVEL_INFORMATION,
        .any_keywords = TCPIP_BIND | TCPIP_LISTENER | GLOBAL,
        .id_count = 8,
        .ids = {1006, 1008, 1054, 1121, 1122, 1123, 1124, 1519},
    };

    return low_volume ? &low : &full;
}
