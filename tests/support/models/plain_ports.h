/* SPDX-License-Identifier: MIT */
/* A set of ports as plainly as it can be written: what port_set is compared with. */
#ifndef BERTH_TESTS_PLAIN_PORTS_H
#define BERTH_TESTS_PLAIN_PORTS_H

#include "base/units.h"

#include <stdbool.h>
#include <stdint.h>

struct plain_ports {
    bool in[65536];
};

/** Gives the lowest port of a range that is in; -1: none. {0, 0} is no range. */
static inline int32_t plain_ports_next(const struct plain_ports *set, struct berth_port_range range)
{
    for (int32_t port = range.first; range.last != 0 && port <= range.last; port++) {
        if (set->in[port]) {
            return port;
        }
    }
    return -1;
}

/** Gives the first run of a range.  @return false: none */
static inline bool plain_ports_run(const struct plain_ports *set, struct berth_port_range range,
                                   struct berth_port_range *out)
{
    int32_t first = plain_ports_next(set, range);
    int32_t last = first;

    if (first < 0) {
        return false;
    }
    while (last < range.last && set->in[last + 1]) {
        last++;
    }
    *out = (struct berth_port_range){(uint16_t)first, (uint16_t)last};
    return true;
}

static inline uint32_t plain_ports_count(const struct plain_ports *set,
                                         struct berth_port_range range)
{
    uint32_t count = 0;

    for (int32_t port = range.first; range.last != 0 && port <= range.last; port++) {
        count += set->in[port];
    }
    return count;
}

#endif
