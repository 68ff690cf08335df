/* SPDX-License-Identifier: MIT */
/* Any bytes as what the kernel tells of sockets. The first byte says as what: a tracepoint's
 * format, a ring of records of it, or a notice of a destroyed socket. */
#include "watchers/linux/perf_ring.h"
#include "watchers/linux/sock_destroy.h"
#include "watchers/linux/state_event.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As Linux 6.18 has it on x86-64. */
static const struct berth_state_layout usual = {
    2287, {{2, 1}, {16, 4}, {20, 4}, {24, 2}, {28, 2}, {30, 2}, {32, 4}, {40, 16}}};

static void try_format(const uint8_t *data, size_t size)
{
    struct berth_state_layout layout;
    struct berth_state_change change;
    struct berth_error err = {0};
    char *text = malloc(size + 1);

    if (text == NULL) {
        abort();
    }
    memcpy(text, data, size);
    text[size] = '\0';
    if (berth_tracepoint_parse(&layout, text, &err) == BERTH_OK) {
        /* whatever it says, a record of any length can be looked at */
        (void)berth_state_event_decode(&layout, data, size, &change);
        for (unsigned i = 0; i < BERTH_STATE_FIELD_COUNT; i++) {
            if (layout.fields[i].size == 0 ||
                layout.fields[i].offset + layout.fields[i].size > BERTH_STATE_RECORD_MAX) {
                abort();
            }
        }
    } else if (err.detail[0] == '\0') {
        abort();
    }
    free(text);
}

struct counts {
    size_t samples;
    uint64_t lost;
};

static void take_sample(void *ctx, const struct berth_perf_sample *sample)
{
    struct counts *counts = ctx;
    struct berth_state_change change;

    counts->samples++;
    if (berth_state_event_decode(&usual, sample->bytes, sample->size, &change) &&
        berth_state_event_what(&change) > BERTH_TCP_EVENT_WHAT_COUNT) {
        abort();
    }
}

static void take_lost(void *ctx, uint64_t count)
{
    struct counts *counts = ctx;

    if (count == 0) {
        abort();
    }
    counts->lost += count;
}

#define RING 1024u

/* Two bytes say where the ring begins and ends, the rest is what it holds. */
static void try_ring(const uint8_t *data, size_t size)
{
    struct counts counts = {0};
    const struct berth_perf_sink sink = {take_sample, take_lost, &counts};
    uint8_t *ring = calloc(1, RING);

    if (ring == NULL || size < 2) {
        free(ring);
        return;
    }
    uint64_t tail = (uint64_t)data[0] * 8;
    uint64_t head = tail + (uint64_t)data[1] * 8;
    memcpy(ring, data + 2, size - 2 < RING ? size - 2 : RING);
    berth_perf_ring_read(ring, RING, tail, head, &sink);
    if (counts.samples > RING / 28) { /* the least that a sample takes */
        abort();
    }
    free(ring);
}

static void try_notice(const uint8_t *data, size_t size)
{
    struct berth_tcp_event events[4];
    size_t count = berth_sock_destroy_decode(data, size, events, BERTH_COUNT(events));

    if (count > BERTH_COUNT(events) || count > size / 88) {
        abort();
    }
    for (size_t i = 0; i < count; i++) {
        if (events[i].port == 0) {
            abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0) {
        return 0;
    }
    switch (data[0] % 3) {
    case 0:
        try_format(data + 1, size - 1);
        break;
    case 1:
        try_ring(data + 1, size - 1);
        break;
    default:
        try_notice(data + 1, size - 1);
        break;
    }
    return 0;
}
