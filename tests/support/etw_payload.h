/* SPDX-License-Identifier: MIT */
/* Events of Microsoft-Windows-TCPIP, built field by field as the manifests have them. */
#ifndef BERTH_TESTS_ETW_PAYLOAD_H
#define BERTH_TESTS_ETW_PAYLOAD_H

#include "watchers/windows/etw_tcpip.h"

/** What is put into an event, as far as its layout has room for it. */
struct etw_payload_facts {
    uint16_t id;
    uint8_t version;
    uint8_t pointer_size; /* 4 or 8 */
    unsigned family;      /* 4, 6; 0: an empty address */
    uint16_t port;
    bool swapped;        /* 1191, 1193, 1194: high byte first */
    uint32_t status;     /* 1191, 1193, 1194: WeakReference */
    uint32_t process_id; /* in the data; of 1123 and the like */
};

struct etw_payload {
    uint8_t bytes[256];
    size_t size;
    struct berth_etw_event event; /* its data are the bytes */
};

/** Builds an event. 4711 is the process in whose context it is, and 42 its time. */
void etw_payload_build(struct etw_payload *out, const struct etw_payload_facts *facts);

#endif
