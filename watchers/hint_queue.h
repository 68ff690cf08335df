/* SPDX-License-Identifier: MIT */
/* Carries hints from any thread to the loop. What waits is a bit for each source and a state for
 * each facility, so that nothing can overflow and a burst is one call. */
#ifndef BERTH_WATCHERS_HINT_QUEUE_H
#define BERTH_WATCHERS_HINT_QUEUE_H

#include "source_hints.h"

struct berth_hint_queue;

/** Makes an empty queue that reports to a sink.
 *  @param[in] sink  copied
 *  @return BERTH_OK; BERTH_NO_MEMORY, BERTH_INTERNAL: *out is unchanged  @thread the loop's */
enum berth_code berth_hint_queue_open(struct berth_hint_queue **out, uv_loop_t *loop,
                                      const struct berth_source_hints_sink *sink,
                                      struct berth_error *err);

/** Puts a hint in and wakes the loop.  @param[in] sources  a sum of BERTH_HINT_BIT(), not 0
 *  @thread any, until close  @blocks no longer than another one's putting takes */
void berth_hint_queue_put(struct berth_hint_queue *queue, enum berth_hint_facility facility,
                          unsigned sources);

/** Says whether a facility works. Only the latest word reaches the sink, and only if it is another
 *  than the one before.
 *  @param[in] reason  NULL where it works; copied, cut off at 239 bytes  @thread any, until close
 */
void berth_hint_queue_state(struct berth_hint_queue *queue, enum berth_hint_facility facility,
                            bool works, const char *reason);

/** Tells how a facility does, as the sink was told.  @thread the loop's */
void berth_hint_queue_status(const struct berth_hint_queue *queue,
                             enum berth_hint_facility facility, struct berth_hint_status *out);

/** Lets nothing be reported any more; other threads may go on to use it until close.  @thread the
 *  loop's */
void berth_hint_queue_silence(struct berth_hint_queue *queue);

/** Ends it: nothing is reported any more. No other thread may use it from now on.
 *  @param[in] closed  called on the loop once the memory is given back  @thread the loop's */
void berth_hint_queue_close(struct berth_hint_queue *queue, void (*closed)(void *ctx), void *ctx);

#endif
