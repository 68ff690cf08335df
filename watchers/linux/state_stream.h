/* SPDX-License-Identifier: MIT */
/* The stream of socket states: the tracepoint sock:inet_sock_set_state on every CPU that is online,
 * by perf_event_open(2).
 *
 * Each CPU has one ring and two events that write to it: one for what must be known at once, which
 * makes the ring's descriptor readable, and one for what may wait, which does so only once the ring
 * is half full. Both let through what state_event.h asks for.
 * Source: perf_event_open(2); kernel/trace/trace_events_filter.c for the filters. */
#ifndef BERTH_WATCHERS_LINUX_STATE_STREAM_H
#define BERTH_WATCHERS_LINUX_STATE_STREAM_H

#include "perf_ring.h"
#include "tracepoint_format.h"

#include <stdbool.h>
#include <stddef.h>

/** A ring has 128 KiB, room for about 1,200 records, where the kernel lets us lock that much memory
 *  (kernel.perf_event_mlock_kb), and else a half, a quarter … of it. */
#define BERTH_STATE_RING_PAGES 32u
#define BERTH_STATE_CPUS_MAX 1024u

struct berth_state_stream;

/** Opens the stream on all CPUs.
 *  @param[out] out  set only on BERTH_OK; for berth_state_stream_close()
 *  @return BERTH_OK; BERTH_DENIED: that takes CAP_PERFMON; BERTH_IO; BERTH_NO_MEMORY;
 *          BERTH_TOO_LARGE: more CPUs than BERTH_STATE_CPUS_MAX
 *  @thread any  @blocks about 20 µs a CPU */
enum berth_code berth_state_stream_open(struct berth_state_stream **out,
                                        const struct berth_state_layout *layout,
                                        struct berth_error *err);

/** Closes all. NULL is accepted. */
void berth_state_stream_close(struct berth_state_stream *stream);

/** Gives how many rings there are, and the descriptor of one, which is readable when it has
 * something urgent. */
size_t berth_state_stream_count(const struct berth_state_stream *stream);
int berth_state_stream_fd(const struct berth_state_stream *stream, size_t ring);

/** Takes all out that a ring holds.  @thread one at a time  @blocks no */
void berth_state_stream_read(struct berth_state_stream *stream, size_t ring,
                             const struct berth_perf_sink *sink);

/** Tells whether other CPUs are online than when it was opened: then it must be opened anew.
 *  @blocks some µs */
bool berth_state_stream_is_outdated(const struct berth_state_stream *stream);

#endif
