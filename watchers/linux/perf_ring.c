/* SPDX-License-Identifier: MIT */
#include "perf_ring.h"

#include <linux/perf_event.h>
#include <stdbool.h>
#include <string.h>

/* The ring begins anew where it ends; so does a record that lies across. */
static void copy_out(void *out, const uint8_t *data, size_t size, uint64_t at, size_t length)
{
    size_t start = (size_t)(at & (size - 1));
    size_t first = size - start < length ? size - start : length;

    memcpy(out, data + start, first);
    memcpy((uint8_t *)out + first, data, length - first);
}

/* In front of the tracepoint's record, by BERTH_PERF_SAMPLE_TYPE: the header, process and thread,
 * the time, and how long the record is. */
#define PROCESS_OFFSET 8u
#define TIME_OFFSET 16u
#define SIZE_OFFSET 24u
#define RAW_OFFSET 28u

static bool read_sample(const uint8_t *record, size_t size, struct berth_perf_sample *out)
{
    uint32_t raw_size;

    if (size < RAW_OFFSET) {
        return false;
    }
    memcpy(&raw_size, record + SIZE_OFFSET, sizeof raw_size);
    if (raw_size > size - RAW_OFFSET) {
        return false;
    }
    memcpy(&out->process_id, record + PROCESS_OFFSET, sizeof out->process_id);
    memcpy(&out->time_ns, record + TIME_OFFSET, sizeof out->time_ns);
    out->bytes = record + RAW_OFFSET;
    out->size = raw_size;
    return true;
}

/* How many a record of this kind says were lost: LOST has an id in front, LOST_SAMPLES has not. */
static uint64_t read_lost(const uint8_t *record, size_t size, uint32_t type)
{
    size_t at = type == PERF_RECORD_LOST ? 16 : 8;
    uint64_t count = 0;

    if (size >= at + sizeof count) {
        memcpy(&count, record + at, sizeof count);
    }
    return count != 0 ? count : 1;
}

static void read_record(const uint8_t *record, size_t size, uint32_t type,
                        const struct berth_perf_sink *sink)
{
    struct berth_perf_sample sample;

    switch (type) {
    case PERF_RECORD_SAMPLE:
        if (read_sample(record, size, &sample)) {
            sink->sample(sink->ctx, &sample);
        } else {
            sink->lost(sink->ctx, 1);
        }
        break;
    case PERF_RECORD_LOST:
    case PERF_RECORD_LOST_SAMPLES:
        sink->lost(sink->ctx, read_lost(record, size, type));
        break;
    default:
        break;
    }
}

void berth_perf_ring_read(const void *data, size_t size, uint64_t tail, uint64_t head,
                          const struct berth_perf_sink *sink)
{
    uint64_t record[BERTH_PERF_RECORD_MAX / sizeof(uint64_t)];

    if (head - tail > size) {
        sink->lost(sink->ctx, 1);
        return;
    }
    while (tail != head) {
        struct perf_event_header header;
        if (head - tail < sizeof header) {
            sink->lost(sink->ctx, 1);
            return;
        }
        copy_out(&header, data, size, tail, sizeof header);
        if (header.size < sizeof header || header.size > head - tail) {
            sink->lost(sink->ctx, 1);
            return;
        }
        if (header.size <= sizeof record) {
            copy_out(record, data, size, tail, header.size);
            read_record((const uint8_t *)record, header.size, header.type, sink);
        } else {
            sink->lost(sink->ctx, 1);
        }
        tail += header.size;
    }
}
