/* SPDX-License-Identifier: MIT */
/* Sees whether a tracing session tells what it should: a port of our own is listened on for a
 * moment, and its events must come. It also learns what no document says: in which order of bytes
 * ports are, and whether events carry our process. Pure; times are nanoseconds of one monotonic
 * clock. */
#ifndef BERTH_WATCHERS_WINDOWS_ETW_CALIBRATION_H
#define BERTH_WATCHERS_WINDOWS_ETW_CALIBRATION_H

#include "watchers/windows/etw_tcpip.h"

/** How long events are waited for: buffers are flushed every 100 ms, and by Windows each second. */
#define BERTH_ETW_CALIBRATION_NS UINT64_C(3000000000)

#define BERTH_ETW_CALIBRATION_REASON_SIZE 200u

struct berth_etw_calibration {
    uint16_t port;
    uint32_t process_id; /* ours */
    bool low_volume;
    uint64_t until_ns;     /* UINT64_MAX: the port has not been used yet */
    unsigned told;         /* which events came */
    unsigned orders;       /* in which its port was taken, as bits of enum berth_etw_port_order */
    unsigned own_orders;   /* the same in our own process's context */
    bool process_told;     /* ours, in the data of the listener's event */
    bool bound_in_context; /* ours is the process in whose context the socket was bound */
};

enum berth_etw_verdict {
    BERTH_ETW_PENDING,
    BERTH_ETW_WHOLE,   /* all that was asked for arrives, and is understood */
    BERTH_ETW_PARTIAL, /* some does */
    BERTH_ETW_SILENT   /* nothing does */
};

/** Tells whether a port can be tried: its two bytes differ. */
bool berth_etw_calibration_suits(uint16_t port);

/** Begins, before the port is used.
 *  @param[in] low_volume  what is asked of the provider: berth_etw_tcpip_request() */
void berth_etw_calibration_begin(struct berth_etw_calibration *calibration, uint16_t port,
                                 uint32_t process_id, bool low_volume);

/** Notes that the port was bound, listened on and closed: from now on its events are waited for. */
void berth_etw_calibration_used(struct berth_etw_calibration *calibration, uint64_t now_ns);

/** Notes an event of the session; one about another port changes nothing. */
void berth_etw_calibration_note(struct berth_etw_calibration *calibration,
                                const struct berth_etw_event *event);

/** Judges: WHOLE as soon as all has come, else once the time is over.
 *  @param[out] reason  a sentence with PARTIAL and SILENT, else "" */
enum berth_etw_verdict berth_etw_calibration_judge(const struct berth_etw_calibration *calibration,
                                                   uint64_t now_ns,
                                                   char reason[BERTH_ETW_CALIBRATION_REASON_SIZE]);

/** Tells whether what binds and takes ports carries our process, so that our own can be told from
 *  others'. */
bool berth_etw_calibration_knows_own(const struct berth_etw_calibration *calibration);

/** Gives the order of bytes; UNKNOWN: it was not seen, or both ways, as another socket took the
 *  port with the bytes of ours exchanged. */
enum berth_etw_port_order
berth_etw_calibration_order(const struct berth_etw_calibration *calibration);

#endif
