/* SPDX-License-Identifier: MIT */
/* How Windows is asked for a tracing session: the calls of etw_session.h as a table, so that the
 * session's life is tested on every system. */
#ifndef BERTH_WATCHERS_WINDOWS_ETW_CALLS_H
#define BERTH_WATCHERS_WINDOWS_ETW_CALLS_H

#include "watchers/windows/etw_event.h"

/** Windows's ceiling for the ids of one filter.  @source Microsoft, EVENT_FILTER_EVENT_ID */
#define BERTH_ETW_IDS_MAX 64u

/** What a session wants of a provider. */
struct berth_etw_request {
    enum berth_etw_provider provider;
    uint8_t level;         /* events of this level and below: 2 errors, 4 information, 5 all */
    uint64_t any_keywords; /* events with one of these; 0: all */
    size_t id_count;       /* 0: events of every id */
    uint16_t ids[BERTH_ETW_IDS_MAX];
};

/** Where a trace that is read goes to, on the thread of `process`. */
struct berth_etw_consumer {
    void (*event)(void *ctx, const struct berth_etw_event *event);
    /** A buffer was read.  @param[in] lost  events that did not find room so far, in all */
    void (*buffer)(void *ctx, uint64_t lost);
    void *ctx;
};

/** Each gives 0 or a Win32 code, and may block. `context` is the owner's of the table. */
struct berth_etw_calls {
    /** Takes a session's name for this process; it is free again when the process ends, however
     *  that happens.  @return 183 (ERROR_ALREADY_EXISTS): another process has it */
    uint32_t (*hold)(void *context, const char *name, void **held);
    void (*release)(void *context, void *held);

    /** Starts a real-time session.  @return 183: there is one of that name */
    uint32_t (*start)(void *context, const char *name, uint64_t *session);
    /** Ends a session, for everybody.  @param[in] session  0: the one of that name */
    uint32_t (*stop)(void *context, uint64_t session, const char *name);
    /** Lets a provider write to a session, in place of what was asked of it before. */
    uint32_t (*enable)(void *context, uint64_t session, const struct berth_etw_request *request);
    /** Hands to the consumer what buffers hold, before they are full. */
    uint32_t (*flush)(void *context, uint64_t session);
    /** Tells how many events did not find room so far. */
    uint32_t (*query)(void *context, uint64_t session, uint64_t *lost);

    /** Opens a session for reading.  @param[in] consumer  must outlive `process` */
    uint32_t (*open)(void *context, const char *name, const struct berth_etw_consumer *consumer,
                     uint64_t *trace);
    /** Reads until the session is stopped or the trace closed. */
    uint32_t (*process)(void *context, uint64_t trace);
    void (*close)(void *context, uint64_t trace);
    void *context;
};

/** Gives the calls to the real Windows (windows/etw_calls.c).  @thread any  @blocks no */
struct berth_etw_calls berth_etw_calls_real(void);

#endif
