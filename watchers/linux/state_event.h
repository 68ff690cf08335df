/* SPDX-License-Identifier: MIT */
/* From a record of the tracepoint sock:inet_sock_set_state to an event. Pure. */
#ifndef BERTH_WATCHERS_LINUX_STATE_EVENT_H
#define BERTH_WATCHERS_LINUX_STATE_EVENT_H

#include "tracepoint_format.h"
#include "watchers/tcp_events.h"

#include <stdbool.h>

/** A change of a socket's state. */
struct berth_state_change {
    int32_t old_state; /* enum berth_sock_diag_state */
    int32_t new_state;
    uint16_t port; /* local; host order; 0: none yet */
    uint16_t protocol;
    bool in_process; /* it happened in the process's own call, not while a packet was handled */
    struct berth_address address; /* local; ::ffff:a.b.c.d is given as the IPv4 address */
};

/** Decodes a record.
 *  @return false: it is too short for the layout, or of a family other than IPv4 and IPv6; `out` is
 *          unchanged  @thread any */
bool berth_state_event_decode(const struct berth_state_layout *layout, const void *bytes,
                              size_t size, struct berth_state_change *out);

/** Gives what a change tells.
 *  @return BERTH_TCP_EVENT_WHAT_COUNT: nothing of interest  @thread any */
enum berth_tcp_event_what berth_state_event_what(const struct berth_state_change *change);

/** What the kernel is asked to tell, in the language of tracepoint filters. The first wakes the
 *  reader, as a port is taken or given up; the second waits for company: what it tells is that an
 *  expensive look may be worthwhile, which is taken at intervals anyway. Together they let through
 *  exactly what berth_state_event_what() takes an interest in. */
#define BERTH_STATE_FILTER_URGENT                                                                  \
    "protocol == 6 && (newstate == 10 || (oldstate == 10 && newstate == 7) || "                    \
    "(oldstate == 2 && (newstate == 1 || newstate == 3)) || "                                      \
    "(oldstate == 7 && newstate == 2 && sport != 0))"
#define BERTH_STATE_FILTER_PATIENT                                                                 \
    "protocol == 6 && ((newstate == 7 && oldstate != 10 && oldstate != 7 && oldstate != 3) || "    \
    "(oldstate == 7 && newstate == 2 && sport == 0) || (oldstate == 10 && newstate == 3))"

#endif
