/* SPDX-License-Identifier: MIT */
/* A real-time tracing session (ETW) of Berth's own, kept alive on two threads: one reads it, one
 * looks after it. The loop never waits for Windows.
 *
 * - Its name is held first (etw_calls.h), so that two daemons do not stop each other's session. A
 *   session of that name is then one that a daemon left behind when it was killed: it is stopped,
 *   not read on, since what it kept meanwhile is old, and may have ended at its limit.
 * - Buffers are flushed every BERTH_ETW_FLUSH_MS. By itself Windows does that once a second at
 *   best, and a deployment's next step comes sooner; ten calls a second are not to be noticed. It
 *   is done on the keeping thread, as the call may block.
 * - Losses are told by events in the stream, with each buffer, and when asked: the greatest of the
 *   three counts, since each may tell of the same ones.
 * - Whatever fails, and a session that somebody else stops, is told with its reason, all is given
 *   back, and it is tried again after 1 s, then 2, 4, 8 … times as much, a minute at the most. A
 *   session that lived for that longest pause begins anew with the first.
 *
 * @source Microsoft, StartTraceW, EnableTraceEx2, OpenTraceW, ProcessTrace, ControlTraceW,
 * CloseTrace */
#ifndef BERTH_WATCHERS_WINDOWS_ETW_SESSION_H
#define BERTH_WATCHERS_WINDOWS_ETW_SESSION_H

#include "base/error.h"
#include "watchers/windows/etw_calls.h"

#include <stdbool.h>
#include <uv.h>

#define BERTH_ETW_FLUSH_MS 100u
#define BERTH_ETW_QUERY_EVERY 10u /* flushes to one question for losses */
#define BERTH_ETW_RETRY_MIN_MS 1000u
#define BERTH_ETW_RETRY_MAX_MS 60000u
#define BERTH_ETW_CLOSE_MAX_MS 1000u

#define BERTH_ETW_REQUESTS_MAX 4u
#define BERTH_ETW_NAME_SIZE 64u

/** Where a session reports to. */
struct berth_etw_sink {
    /** Takes an event of one of the providers asked for. It should only copy what it wants.
     *  @thread the reading one, one call of `event` and `lost` at a time */
    void (*event)(void *ctx, const struct berth_etw_event *event);
    /** Says that at least `count` (1 or more) events did not arrive.  @thread one of the two */
    void (*lost)(void *ctx, uint64_t count);
    /** Says that it runs, or why it does not; of several such words between two turns of the loop
     *  only the last one comes.
     *  @param[in] openings  how often it was opened so far: when that is another one than with the
     *                       last word, events may be missing between
     *  @param[in] reason    NULL: it runs; else a sentence, valid during the call
     *  @thread the loop's, never from within open or close */
    void (*state)(void *ctx, uint32_t openings, const char *reason);
    void *ctx;
};

/** In milliseconds; 0: the usual, as above. Tests are in a hurry. */
struct berth_etw_times {
    uint32_t flush;
    uint32_t retry_min;
    uint32_t retry_max;
    uint32_t close_max;
};

struct berth_etw_options {
    const char *name; /* of the session, for this machine; at most 63 ASCII characters */
    const struct berth_etw_request *requests;
    size_t request_count; /* 1 to BERTH_ETW_REQUESTS_MAX, each of another provider */
    struct berth_etw_times times;
};

struct berth_etw_session;

/** Makes a session that is being started. What keeps Windows from giving one is told by `state`.
 *  @param[out] out      set only on BERTH_OK; for berth_etw_session_close()
 *  @param[in]  options, calls, sink  copied with all that they point to, but for contexts
 *  @return BERTH_OK; INVALID_PARAMS: name or requests; NO_MEMORY; INTERNAL: no thread or handle
 *  @thread the loop's  @blocks no */
enum berth_code berth_etw_session_open(struct berth_etw_session **out, uv_loop_t *loop,
                                       const struct berth_etw_options *options,
                                       const struct berth_etw_calls *calls,
                                       const struct berth_etw_sink *sink, struct berth_error *err);

/** Asks something else of the providers, now and whenever it is opened again.
 *  @param[in] requests  as in the options, and of the same providers  @thread any, until close
 *  @blocks no */
void berth_etw_session_request(struct berth_etw_session *session,
                               const struct berth_etw_request *requests, size_t count);

/** Tells whether the providers have been asked for what was requested last. Where the session is
 * not running, they are asked when it is opened.  @thread any, until close  @blocks no */
bool berth_etw_session_has_asked(struct berth_etw_session *session);

/** Gives the session up, as it is of no use, and opens it again after the usual pause.
 *  @param[in] reason  a sentence, told by `state`; copied, cut off at 199 bytes
 *  @thread any, until close  @blocks no */
void berth_etw_session_restart(struct berth_etw_session *session, const char *reason);

/** Ends it. No report comes after this has returned. `closed` is called with `ctx` on the loop,
 *  later, once Windows's session is stopped and all is given back; where Windows takes longer than
 *  BERTH_ETW_CLOSE_MAX_MS the threads are left to themselves, with the session's memory, and end
 *  when it lets them.
 *  @thread the loop's  @blocks no longer than one call of `event` takes */
void berth_etw_session_close(struct berth_etw_session *session, void (*closed)(void *ctx),
                             void *ctx);

#endif
