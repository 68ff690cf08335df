/* SPDX-License-Identifier: MIT */
/* The event source of Windows (watchers/tcp_events.h), but for the calls to Windows: a tracing
 * session, what its events mean, and whether they come.
 *
 * Each opening of the session is tried first (etw_calibration.h), on the thread pool. Until that is
 * judged its events go nowhere: once the mode is told, everything is looked at anyway. What comes
 * of it:
 * - all arrives: `full`, or `low-volume` while a busy machine has too many (etw_volume.h), after
 *   which full is tried anew;
 * - some does: `partial`, with what is missing, and tried again every minute. Where the process in
 *   whose context a port is taken is not told, our own probes cannot be told from others' sockets:
 *   a port that is taken is only a reason to look then;
 * - nothing does: the session is given up and opened again later; `none` until then;
 * - no port of loopback can be opened: `partial`, as the order of a port's bytes stays unknown.
 *
 * Events of our own process are left out. Events are decoded on the session's thread and queued. */
#ifndef BERTH_WATCHERS_WINDOWS_ETW_TCP_SOURCE_H
#define BERTH_WATCHERS_WINDOWS_ETW_TCP_SOURCE_H

#include "watchers/tcp_events.h"
#include "watchers/windows/etw_session.h"

#define BERTH_ETW_TCP_NAME "Berth-TCPIP"

/** How a port is tried; both on the thread pool, with `context`. */
struct berth_etw_trial_calls {
    /** Finds a port of loopback that nothing has and berth_etw_calibration_suits().
     *  @return 0: there is none */
    uint16_t (*choose)(void *context);
    /** Binds it, listens and closes it again.  @return false: it could not be done */
    bool (*use)(void *context, uint16_t port);
    void *context;
    uint32_t process_id; /* ours */
};

struct berth_etw_tcp_options {
    struct berth_etw_calls session;
    struct berth_etw_trial_calls trial;
    struct berth_etw_times times;
    uint64_t (*now_ns)(void); /* NULL: uv_hrtime. Tests are in a hurry */
    uint32_t tick_ms;         /* 0: the usual */
};

struct berth_etw_tcp_source;

/** Does as berth_tcp_events_open() says. */
enum berth_code berth_etw_tcp_source_open(struct berth_etw_tcp_source **out, uv_loop_t *loop,
                                          const struct berth_tcp_events_sink *sink,
                                          const struct berth_etw_tcp_options *options,
                                          struct berth_error *err);

/** Does as berth_tcp_events_drain() says, but for the answer, which would be 0: events lie in
 *  Windows's buffers, and of accepted connections nothing is told. */
void berth_etw_tcp_source_drain(struct berth_etw_tcp_source *source);

/** Does as berth_tcp_events_close() says. */
void berth_etw_tcp_source_close(struct berth_etw_tcp_source *source, void (*closed)(void *ctx),
                                void *ctx);

#endif
