/* SPDX-License-Identifier: MIT */
#include "host_facts.h"

#include <stddef.h>

void berth_host_facts_make(struct berth_host_facts *out, struct berth_port_range ephemeral_range,
                           const struct berth_port_set *reserved)
{
    uint16_t port;

    out->ephemeral_range = ephemeral_range;
    out->http_sys = false;
    out->listen_count = 0;
    berth_port_set_init(&out->ephemeral);
    berth_port_set_init(&out->reserved);
    berth_port_set_add_range(&out->ephemeral, ephemeral_range);
    if (reserved == NULL) {
        return;
    }
    out->reserved = *reserved;
    while (berth_port_set_next(reserved, ephemeral_range, &port)) {
        (void)berth_port_set_remove(&out->ephemeral, port);
        if (port == ephemeral_range.last) {
            break;
        }
        ephemeral_range.first = (uint16_t)(port + 1);
    }
}

void berth_host_facts_default(struct berth_host_facts *out)
{
    berth_host_facts_make(out, (struct berth_port_range){49152, 65535}, NULL);
}
