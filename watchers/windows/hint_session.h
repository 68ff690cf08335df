/* SPDX-License-Identifier: MIT */
/* The tracing session (ETW) of hints: events of http.sys and of IIS's configuration, put into the
 * queue. Works over the calls of etw_calls.h, so that it is tested on every system.
 *
 * Both providers share one session, so both facilities work or fail together. */
#ifndef BERTH_WATCHERS_WINDOWS_HINT_SESSION_H
#define BERTH_WATCHERS_WINDOWS_HINT_SESSION_H

#include "watchers/hint_queue.h"
#include "watchers/windows/etw_session.h"

/** The session's name on this machine. */
#define BERTH_HINT_SESSION_NAME "Berth-Hints"

struct berth_hint_session;

/** Gives what the session asks of its providers.
 *  @param[out] count  how many  @return static  @thread the loop's
 *  @source reference: keywords and ids of both manifests */
const struct berth_etw_request *berth_hint_requests(size_t *count);

/** Opens the session.
 *  @param[out] out    set only on BERTH_OK; for berth_hint_session_close()
 *  @param[in]  calls  copied
 *  @param[in]  times  NULL: the usual ones, with buffers flushed every 250 ms
 *  @param[in]  queue  takes hints and states until the close has ended
 *  @return BERTH_OK; BERTH_NO_MEMORY; BERTH_INTERNAL  @thread the loop's  @blocks no */
enum berth_code berth_hint_session_open(struct berth_hint_session **out, uv_loop_t *loop,
                                        const struct berth_etw_calls *calls,
                                        const struct berth_etw_times *times,
                                        struct berth_hint_queue *queue, struct berth_error *err);

/** Ends it; `closed` is called on the loop, later.  @thread the loop's  @blocks as
 *  berth_etw_session_close() */
void berth_hint_session_close(struct berth_hint_session *session, void (*closed)(void *ctx),
                              void *ctx);

#endif
