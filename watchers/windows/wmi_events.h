/* SPDX-License-Identifier: MIT */
/* Events of WMI as hints, on a thread of their own: asked for one by one, since each may fail alone
 * (a namespace that is not installed, a right that is lacking), and asked for anew when WMI has
 * been restarted.
 *
 * It works over a table of calls, so that all but COM itself is tested anywhere: wmi_calls.c has
 * the real one. The thread asks each subscription whether something has come, without waiting, and
 * then rests: what is late by a rest is no worse than what WMI's own polling makes it. It takes no
 * memory from base/memory.h by itself. */
#ifndef BERTH_WATCHERS_WINDOWS_WMI_EVENTS_H
#define BERTH_WATCHERS_WINDOWS_WMI_EVENTS_H

#include "hint_rules.h"

/** The most queries. */
#define BERTH_WMI_QUERIES_MAX 8u

/** An event query, of which each row is a facility. */
struct berth_wmi_query {
    enum berth_hint_facility facility;
    const char *name_space; /* "root\\CIMV2" */
    const char *text;       /* WQL */
    unsigned sources; /* what it may be about: hinted at after it was broken, for what was missed */
};

/** How WMI is asked. All run on the thread of the events, and may block. */
struct berth_wmi_calls {
    /** Makes the thread one that may ask.
     *  @param[out] out  for `leave`  @return BERTH_OK, or why it cannot */
    enum berth_code (*enter)(void **out, struct berth_error *err);
    void (*leave)(void *context);
    /** Asks for events.
     *  @param[out] out  for `unsubscribe`
     *  @return BERTH_OK; BERTH_NOT_FOUND: there is no such namespace or class; BERTH_DENIED;
     *          BERTH_NOT_SUPPORTED, BERTH_IO, BERTH_NO_MEMORY */
    enum berth_code (*subscribe)(void *context, const struct berth_wmi_query *query, void **out,
                                 struct berth_error *err);
    /** Takes the next event, if there is one.
     *  @return BERTH_OK; BERTH_BUSY: none has come; else the subscription is broken */
    enum berth_code (*next)(void *context, void *subscription, struct berth_wmi_event *out,
                            struct berth_error *err);
    void (*unsubscribe)(void *context, void *subscription);
};

/** Where it reports to, on its own thread; never after its close was called. */
struct berth_wmi_sink {
    void (*hint)(void *ctx, enum berth_hint_facility facility, unsigned sources);
    void (*state)(void *ctx, enum berth_hint_facility facility, bool works, const char *reason);
    void *ctx;
};

/** Zero in a number means its default. */
struct berth_wmi_options {
    const struct berth_wmi_calls *calls;   /* must outlive the process */
    const struct berth_wmi_query *queries; /* the same */
    size_t count;                          /* 1 to BERTH_WMI_QUERIES_MAX */
    uint32_t rest_ms;                      /* 500: between two rounds */
    uint32_t retry_first_ms, retry_max_ms; /* 1,000, doubled each time up to 600,000 */
    uint32_t abandon_ms;                   /* 2,000: how long a close waits for the thread */
};

struct berth_wmi_events;

/** Gives the queries that Berth asks: services, processes that end, IIS's sites.
 *  @param[out] count  rows  @return static  @thread the loop's */
const struct berth_wmi_query *berth_wmi_queries(size_t *count);

/** Starts the thread.
 *  @param[out] out   set only on BERTH_OK; for berth_wmi_events_close()
 *  @param[in]  sink  copied
 *  @return BERTH_OK; BERTH_NO_MEMORY; BERTH_INTERNAL, BERTH_IO: no handle or thread is to be had
 *  @thread the loop's  @blocks no  @source Microsoft, IWbemServices::ExecNotificationQuery */
enum berth_code berth_wmi_events_open(struct berth_wmi_events **out, uv_loop_t *loop,
                                      const struct berth_wmi_options *options,
                                      const struct berth_wmi_sink *sink, struct berth_error *err);

/** Ends it. `closed` is called on the loop, later, once the thread has ended; one that does not end
 *  within `abandon_ms`, because WMI does not answer, is left to itself with its memory, and uses
 *  nothing else any more.  @thread the loop's  @blocks no */
void berth_wmi_events_close(struct berth_wmi_events *events, void (*closed)(void *ctx), void *ctx);

#endif
