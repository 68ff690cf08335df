/* SPDX-License-Identifier: MIT */
/* Reads the records of a ring buffer of perf_event_open(2). Pure: the caller maps the memory and
 * moves its head and tail.
 * Source: perf_event_open(2), "MMAP layout"; include/uapi/linux/perf_event.h. */
#ifndef BERTH_WATCHERS_LINUX_PERF_RING_H
#define BERTH_WATCHERS_LINUX_PERF_RING_H

#include <stddef.h>
#include <stdint.h>

/** What a record carries: events must be opened with exactly this sample_type, and no
 *  sample_id_all. */
#define BERTH_PERF_SAMPLE_TYPE (PERF_SAMPLE_TID | PERF_SAMPLE_TIME | PERF_SAMPLE_RAW)

/** The longest record that is looked into; a longer one counts as not understood. */
#define BERTH_PERF_RECORD_MAX 1024u

struct berth_perf_sample {
    uint32_t process_id; /* as in the namespace of who opened the event; 0: not in it */
    uint64_t time_ns;
    const void *bytes; /* the tracepoint's record */
    size_t size;
};

struct berth_perf_sink {
    void (*sample)(void *ctx, const struct berth_perf_sample *sample);
    void (*lost)(void *ctx, uint64_t count);
    void *ctx;
};

/** Gives each record between `tail` and `head` to the sink: samples, and how many were lost;
 *  records of other kinds are passed over. One that makes no sense is told as lost; where one ends
 *  before it begins, all that follows is.
 *  @param[in] size  of the ring, a power of 2
 *  @param[in] head, tail  as in the ring's first page: they only grow
 *  @thread any  @blocks no */
void berth_perf_ring_read(const void *data, size_t size, uint64_t tail, uint64_t head,
                          const struct berth_perf_sink *sink);

#endif
