/* SPDX-License-Identifier: MIT */
/* A bounded queue by which a source of events hands them from its own thread to the loop.
 *
 * A burst is taken out as a whole. What finds no room is counted and told as lost, and what was
 * queued before stays: the watcher then looks at everything. */
#ifndef BERTH_WATCHERS_TCP_EVENT_QUEUE_H
#define BERTH_WATCHERS_TCP_EVENT_QUEUE_H

#include "tcp_events.h"

/** The most events that wait: 64 KiB of them. */
#define BERTH_TCP_EVENT_QUEUE_MAX 1024u

struct berth_tcp_event_queue;

/** Makes an empty queue that reports to a source's sink.
 *  @return BERTH_OK; BERTH_NO_MEMORY, BERTH_INTERNAL: *out is unchanged  @thread the loop's */
enum berth_code berth_tcp_event_queue_open(struct berth_tcp_event_queue **out, uv_loop_t *loop,
                                           const struct berth_tcp_events_sink *sink,
                                           struct berth_error *err);

/** Puts events in and wakes the loop. Those that find no room are lost.
 *  @thread any, until close  @blocks no longer than another one's copying takes */
void berth_tcp_event_queue_put(struct berth_tcp_event_queue *queue,
                               const struct berth_tcp_event *events, size_t count);

/** Says that events were lost before they came here.  @thread any, until close */
void berth_tcp_event_queue_lose(struct berth_tcp_event_queue *queue, uint64_t count);

/** Says how much is told from now on; only the latest word reaches the sink.
 *  @param[in] reason  NULL with FULL only; copied, cut off at 199 bytes  @thread any, until close
 */
void berth_tcp_event_queue_mode(struct berth_tcp_event_queue *queue,
                                enum berth_tcp_events_mode mode, const char *reason);

/** Reports what was put in so far.  @thread the loop's, not from within a report */
void berth_tcp_event_queue_flush(struct berth_tcp_event_queue *queue);

/** Ends it: nothing is reported any more. No other thread may use it from now on.
 *  @param[in] closed  called on the loop once the memory is given back  @thread the loop's */
void berth_tcp_event_queue_close(struct berth_tcp_event_queue *queue, void (*closed)(void *ctx),
                                 void *ctx);

#endif
