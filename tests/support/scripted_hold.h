/* SPDX-License-Identifier: MIT */
/* Port holds without an operating system: which ports can be held is the test's to say. */
#ifndef BERTH_TESTS_SCRIPTED_HOLD_H
#define BERTH_TESTS_SCRIPTED_HOLD_H

#include "daemon/port_hold.h"

#include <stdbool.h>
#include <string.h>

static struct {
    enum berth_code outcome[65536]; /* by port; BERTH_OK: it can be held */
    unsigned open[65536];           /* how often it is held now */
    unsigned total;
} scripted_holds;

static inline enum berth_code scripted_hold_open(uint16_t port, struct berth_port_hold *out,
                                                 struct berth_error *err)
{
    if (scripted_holds.outcome[port] != BERTH_OK) {
        return berth_fail(err, scripted_holds.outcome[port], 0, "port %u cannot be held", port);
    }
    scripted_holds.open[port]++;
    scripted_holds.total++;
    *out = (struct berth_port_hold){{port, -1}};
    return BERTH_OK;
}

static inline void scripted_hold_close(struct berth_port_hold *hold)
{
    scripted_holds.open[hold->sockets[0]]--;
    scripted_holds.total--;
}

/** Forgets everything, and gives the way to hold ports. */
static inline const struct berth_port_hold_system *scripted_hold_begin(void)
{
    static const struct berth_port_hold_system system = {scripted_hold_open, scripted_hold_close};

    memset(&scripted_holds, 0, sizeof scripted_holds);
    return &system;
}

static inline bool scripted_holds_port(uint16_t port)
{
    return scripted_holds.open[port] == 1;
}

#endif
