/* SPDX-License-Identifier: MIT */
/* Any bytes as an event of the TCP stack: two bytes of its id, one of its version, one of the size
 * of pointers and the order of a port's bytes; the rest is its data. */
#include "watchers/windows/etw_calibration.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct berth_tcp_event *event)
{
    const struct berth_address none = {.family = BERTH_FAMILY_ALL};

    if (event->what >= BERTH_TCP_EVENT_WHAT_COUNT || event->what == BERTH_TCP_EVENT_CONNECTING) {
        abort();
    }
    if (event->port == 0 &&
        (event->what != BERTH_TCP_EVENT_OTHER || event->process_id != BERTH_ID_NONE ||
         berth_address_compare(&event->address, &none) != 0)) {
        abort();
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t pointer_sizes[] = {8, 4, 0, 0};
    struct berth_etw_calibration calibration;
    char reason[BERTH_ETW_CALIBRATION_REASON_SIZE];
    struct berth_tcp_event told;

    if (size < 4) {
        return 0;
    }
    const struct berth_etw_event event = {
        .provider = BERTH_ETW_TCPIP,
        .id = (uint16_t)(data[0] | data[1] << 8),
        .version = data[2],
        .pointer_size = pointer_sizes[data[3] & 3],
        .data = data + 4,
        .size = size - 4,
    };
    if (berth_etw_tcpip_decode(&event, (enum berth_etw_port_order)((data[3] >> 2) % 3), &told)) {
        check(&told);
    }
    berth_etw_calibration_begin(&calibration, 0x1234, 1, (data[3] & 0x80) != 0);
    berth_etw_calibration_used(&calibration, 0);
    berth_etw_calibration_note(&calibration, &event);
    if (berth_etw_calibration_judge(&calibration, UINT64_MAX, reason) == BERTH_ETW_PENDING) {
        abort();
    }
    return 0;
}
