/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "state_stream.h"

#include "base/memory.h"
#include "state_event.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

/* More than a record of the tracepoint takes, a note of a loss with it: 104 and 24 bytes. */
#define RECORD_BYTES 256u

struct ring {
    int urgent; /* -1: not open */
    int patient;
    struct perf_event_mmap_page *page; /* NULL: not mapped */
    size_t mapped_bytes;
};

struct berth_state_stream {
    long online; /* CPUs when it was opened */
    size_t page_bytes;
    size_t count;
    struct ring rings[];
};

/* --- one CPU -------------------------------------------------------------------------------- */

static enum berth_code fail_event(struct berth_error *err, int cause)
{
    if (cause == EACCES || cause == EPERM) {
        return berth_fail(err, BERTH_DENIED, cause,
                          "the kernel does not let this process watch the states of sockets "
                          "(CAP_PERFMON is needed)");
    }
    return berth_fail(err, BERTH_IO, cause, "watching the states of sockets: %s", strerror(cause));
}

static int open_event(uint32_t id, int cpu, bool urgent)
{
    struct perf_event_attr attributes = {
        .type = PERF_TYPE_TRACEPOINT,
        .size = sizeof attributes,
        .config = id,
        .sample_period = 1,
        .sample_type = BERTH_PERF_SAMPLE_TYPE,
        .disabled = 1, /* until its filter is set */
        .watermark = !urgent,
        .use_clockid = 1,
        .clockid = CLOCK_MONOTONIC,
    };

    if (urgent) {
        attributes.wakeup_events = 1;
    } else {
        attributes.wakeup_watermark = UINT32_MAX; /* the ring's own counts, a half of it */
    }
    return (int)syscall(SYS_perf_event_open, &attributes, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
}

/* Maps as large a ring as the kernel lets us. */
static bool map_ring(struct ring *ring, size_t page_bytes)
{
    for (size_t pages = BERTH_STATE_RING_PAGES; pages != 0; pages /= 2) {
        size_t bytes = (pages + 1) * page_bytes;
        void *place = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, ring->urgent, 0);
        if (place != MAP_FAILED) {
            ring->page = place;
            ring->mapped_bytes = bytes;
            return true;
        }
        if (errno != EPERM && errno != ENOMEM) {
            break;
        }
    }
    return false;
}

static bool begin(int fd, const char *filter)
{
    return ioctl(fd, PERF_EVENT_IOC_SET_FILTER, filter) == 0 &&
           ioctl(fd, PERF_EVENT_IOC_ENABLE, 0) == 0;
}

static void close_ring(struct ring *ring)
{
    if (ring->patient >= 0) {
        (void)close(ring->patient);
    }
    if (ring->page != NULL) {
        (void)munmap(ring->page, ring->mapped_bytes);
    }
    if (ring->urgent >= 0) {
        (void)close(ring->urgent);
    }
    *ring = (struct ring){.urgent = -1, .patient = -1};
}

/* Opens a CPU's ring; one that is offline leaves it closed. */
static enum berth_code open_ring(struct ring *ring, uint32_t id, int cpu, size_t page_bytes,
                                 struct berth_error *err)
{
    *ring = (struct ring){.urgent = open_event(id, cpu, true), .patient = -1};
    if (ring->urgent < 0) {
        return errno == ENODEV ? BERTH_OK : fail_event(err, errno);
    }
    ring->patient = open_event(id, cpu, false);
    if (ring->patient >= 0 && map_ring(ring, page_bytes) &&
        ioctl(ring->patient, PERF_EVENT_IOC_SET_OUTPUT, ring->urgent) == 0 &&
        begin(ring->urgent, BERTH_STATE_FILTER_URGENT) &&
        begin(ring->patient, BERTH_STATE_FILTER_PATIENT)) {
        return BERTH_OK;
    }
    enum berth_code code = fail_event(err, errno);
    close_ring(ring);
    return code;
}

/* --- all ------------------------------------------------------------------------------------ */

enum berth_code berth_state_stream_open(struct berth_state_stream **out,
                                        const struct berth_state_layout *layout,
                                        struct berth_error *err)
{
    long cpus = sysconf(_SC_NPROCESSORS_CONF);
    struct berth_state_stream *stream;
    enum berth_code code = BERTH_OK;

    if (cpus < 1 || cpus > (long)BERTH_STATE_CPUS_MAX) {
        return berth_fail(err, BERTH_TOO_LARGE, 0, "%ld CPUs; at most %u are watched", cpus,
                          BERTH_STATE_CPUS_MAX);
    }
    stream = berth_alloc(1, sizeof *stream + (size_t)cpus * sizeof stream->rings[0]);
    if (stream == NULL) {
        return berth_fail_memory(err, "the stream of socket states");
    }
    stream->online = sysconf(_SC_NPROCESSORS_ONLN);
    stream->page_bytes = (size_t)sysconf(_SC_PAGESIZE);
    for (int cpu = 0; code == BERTH_OK && cpu < (int)cpus; cpu++) {
        struct ring *ring = &stream->rings[stream->count];
        code = open_ring(ring, layout->id, cpu, stream->page_bytes, err);
        stream->count += code == BERTH_OK && ring->urgent >= 0;
    }
    if (code != BERTH_OK) {
        berth_state_stream_close(stream);
        return code;
    }
    *out = stream;
    return BERTH_OK;
}

void berth_state_stream_close(struct berth_state_stream *stream)
{
    if (stream == NULL) {
        return;
    }
    for (size_t i = 0; i < stream->count; i++) {
        close_ring(&stream->rings[i]);
    }
    berth_free(stream);
}

size_t berth_state_stream_count(const struct berth_state_stream *stream)
{
    return stream->count;
}

int berth_state_stream_fd(const struct berth_state_stream *stream, size_t ring)
{
    return stream->rings[ring].urgent;
}

/* The kernel tells of a loss with the next record that finds room, which may not come for long. A
 * ring without room for another record may have lost some. */
static bool is_full(const struct ring *ring, size_t page_bytes, uint64_t used_bytes)
{
    return used_bytes + RECORD_BYTES > ring->mapped_bytes - page_bytes;
}

void berth_state_stream_read(struct berth_state_stream *stream, size_t ring,
                             const struct berth_perf_sink *sink)
{
    struct perf_event_mmap_page *page = stream->rings[ring].page;
    /* what the kernel wrote before it moved the head is seen after it was read */
    uint64_t head = __atomic_load_n(&page->data_head, __ATOMIC_ACQUIRE);
    uint64_t tail = page->data_tail;

    berth_perf_ring_read((const uint8_t *)page + stream->page_bytes,
                         stream->rings[ring].mapped_bytes - stream->page_bytes, tail, head, sink);
    __atomic_store_n(&page->data_tail, head, __ATOMIC_RELEASE);
    if (is_full(&stream->rings[ring], stream->page_bytes, head - tail)) {
        sink->lost(sink->ctx, 1);
    }
}

bool berth_state_stream_is_outdated(const struct berth_state_stream *stream)
{
    return sysconf(_SC_NPROCESSORS_ONLN) != stream->online;
}
