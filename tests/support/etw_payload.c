/* SPDX-License-Identifier: MIT */
#include "tests/support/etw_payload.h"

#include <string.h>

static void put(struct etw_payload *out, uint64_t value, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        out->bytes[out->size++] = (uint8_t)(value >> 8 * i);
    }
}

static void put_bytes(struct etw_payload *out, const uint8_t *bytes, size_t size)
{
    memcpy(out->bytes + out->size, bytes, size);
    out->size += size;
}

static void put_pointer(struct etw_payload *out, const struct etw_payload_facts *facts)
{
    put(out, UINT64_C(0xFFFFE00102030405), facts->pointer_size);
}

/* AddressLength u32, Address: sockaddr_in or sockaddr_in6. */
static void put_address(struct etw_payload *out, const struct etw_payload_facts *facts)
{
    static const uint8_t ipv4[] = {10, 1, 2, 3};
    static const uint8_t ipv6[16] = {0xFE, 0x80, [14] = 0x12, [15] = 0x34};

    put(out, facts->family == 4 ? 16 : facts->family == 6 ? 28 : 0, 4);
    if (facts->family == 0) {
        return;
    }
    put(out, facts->family == 4 ? 2 : 23, 2);
    put(out, facts->port >> 8, 1);
    put(out, facts->port & 0xFF, 1);
    if (facts->family == 4) {
        put_bytes(out, ipv4, sizeof ipv4);
        put(out, 0, 8);
    } else {
        put(out, 0, 4); /* flow */
        put_bytes(out, ipv6, sizeof ipv6);
        put(out, 7, 4); /* zone */
    }
}

/* From version 1 on: Endpoint Ptr; LocalAddressLength, LocalAddress, Status u32. */
static void put_endpoint(struct etw_payload *out, const struct etw_payload_facts *facts)
{
    if (facts->version >= 1) {
        put_pointer(out, facts);
    }
    put_address(out, facts);
    put(out, facts->status, 4);
}

/* Listener Ptr, AddressLength, SocketAddress, Status, ProcessId, CompartmentId, AddressFamily u32;
 * from version 1 on: ProcessStartKey u64. */
static void put_listener(struct etw_payload *out, const struct etw_payload_facts *facts)
{
    put_pointer(out, facts);
    put_address(out, facts);
    put(out, facts->status, 4);
    put(out, facts->process_id, 4);
    put(out, 1, 4);
    put(out, facts->family == 6 ? 23 : 2, 4);
    if (facts->version >= 1) {
        put(out, UINT64_C(0x1234567812345678), 8);
    }
}

/* PortAcquirer Ptr, PortNumber u16, WeakReference u32, OriginalAcquirer Ptr. */
static void put_port(struct etw_payload *out, const struct etw_payload_facts *facts)
{
    uint16_t swapped = (uint16_t)(facts->port << 8 | facts->port >> 8);

    put_pointer(out, facts);
    put(out, facts->swapped ? swapped : facts->port, 2);
    put(out, facts->status, 4);
    put_pointer(out, facts);
}

/* 1054: ProcessId, Status u32, StartPort, NumberOfPorts u16, from version 1 on ProcessStartKey u64.
 * 1519: ProcessId, Status, ReservationType, IPTransportProtocol u32, StartPort, NumberOfPorts u16,
 * ProcessSequenceNumber u64. */
static void put_reservation(struct etw_payload *out, const struct etw_payload_facts *facts)
{
    put(out, facts->process_id, 4);
    put(out, facts->status, 4);
    if (facts->id == 1519) {
        put(out, 1, 4);
        put(out, 6, 4);
    }
    put(out, facts->port, 2);
    put(out, 10, 2);
    if (facts->id == 1519 || facts->version >= 1) {
        put(out, UINT64_C(0x1234567812345678), 8);
    }
}

void etw_payload_build(struct etw_payload *out, const struct etw_payload_facts *facts)
{
    memset(out, 0, sizeof *out);
    switch (facts->id) {
    case 1006:
    case 1008:
    case 1009:
        put_endpoint(out, facts);
        break;
    case 1191:
    case 1193:
    case 1194:
        put_port(out, facts);
        break;
    case 1054:
    case 1519:
        put_reservation(out, facts);
        break;
    default:
        put_listener(out, facts);
        break;
    }
    out->event = (struct berth_etw_event){
        .provider = BERTH_ETW_TCPIP,
        .version = facts->version,
        .pointer_size = facts->pointer_size,
        .id = facts->id,
        .process_id = 4711,
        .time_ns = 42,
        .data = out->bytes,
        .size = out->size,
    };
}
