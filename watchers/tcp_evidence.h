/* SPDX-License-Identifier: MIT */
/* What events have shown since connections were read last: whether a port that a listener has just
 * left can be known to be unused without reading all connections again. Pure; times are nanoseconds
 * of one monotonic clock.
 *
 * It takes a source that tells of everything (tcp_events.h, berth_tcp_events_drain()). A port is
 * proven unused when
 * - the last reading of connections showed none on it, and no event has spoken of one since that
 *   reading began, nor was anything lost;
 * - no bound socket was seen on it when those were read last;
 * - every listener on it that has ended is gone for good: one that shutdown(2) ended is bound
 * still. A socket that was bound since bound sockets were read last, and never listened, is known
 * as late as such sockets always are. */
#ifndef BERTH_WATCHERS_TCP_EVIDENCE_H
#define BERTH_WATCHERS_TCP_EVIDENCE_H

#include "allocator/port_set.h"
#include "tcp_events.h"
#include "tcp_table.h"

/** Listeners that end at about the same time, and how long one may take to be gone. */
#define BERTH_TCP_ENDS_MAX 64u
#define BERTH_TCP_END_PATIENCE_NS 8000000u

/** After so long the earlier ends of a port's listeners are forgotten: one that is bound still has
 *  been seen as such, and one of another network namespace is never told to be gone. */
#define BERTH_TCP_END_MEMORY_NS 1000000000u

/** The listeners of a port that have ended. */
struct berth_tcp_end {
    uint16_t port;
    uint32_t ended;
    uint32_t gone;
    uint64_t since_ns; /* the latest end */
};

/** Zeroed: nothing is proven. */
struct berth_tcp_evidence {
    bool sure;                       /* all was told since connections were read */
    bool sure_meanwhile;             /* the same since the present reading began */
    bool ends_told;                  /* that a listener is gone for good is told */
    struct berth_port_set spoken_of; /* ports of connections, since connections were read */
    struct berth_port_set meanwhile; /* since the present reading began */
    struct berth_tcp_end ends[BERTH_TCP_ENDS_MAX]; /* the oldest is overwritten */
    size_t next_end;
};

/** Whether a port that no listener is seen on any more is unused. */
enum berth_tcp_proof {
    BERTH_TCP_UNUSED,
    BERTH_TCP_PENDING, /* but for a listener that should be gone at any moment */
    BERTH_TCP_UNPROVEN
};

/** Notes an event.  @thread any  @blocks no (as all functions here) */
void berth_tcp_evidence_event(struct berth_tcp_evidence *evidence,
                              const struct berth_tcp_event *event, uint64_t now_ns);

/** Notes that something was not told, or may not have been. */
void berth_tcp_evidence_lost(struct berth_tcp_evidence *evidence);

/** Notes that a reading begins. */
void berth_tcp_evidence_begin(struct berth_tcp_evidence *evidence);

/** Notes that it has ended, and that all that was told until now has been noted.
 *  @param[in] connections  it has shown all connections
 *  @param[in] told         what the source left nothing out of: a sum of enum berth_tcp_told */
void berth_tcp_evidence_end(struct berth_tcp_evidence *evidence, bool connections, unsigned told);

/** Gives the ports that no connection and no bound socket is known on: bits as in a port set.
 *  @param[in] known  the ports of each part as it was read last */
void berth_tcp_evidence_provable(const struct berth_tcp_evidence *evidence,
                                 const struct berth_port_set known[BERTH_TCP_PART_COUNT],
                                 uint64_t out[BERTH_PORT_SET_WORDS]);

/** Tells what is known of one of those that no listener is seen on any more. */
enum berth_tcp_proof berth_tcp_evidence_of(const struct berth_tcp_evidence *evidence, uint16_t port,
                                           uint64_t now_ns);

#endif
