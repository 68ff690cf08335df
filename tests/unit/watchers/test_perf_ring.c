/* SPDX-License-Identifier: MIT */
#include "tests/support/cmocka_all.h"
#include "watchers/linux/perf_ring.h"

#include <linux/perf_event.h>
#include <stdbool.h>
#include <stdlib.h>

#define RING 4096u

struct seen {
    unsigned samples;
    uint64_t lost;
    uint32_t process_ids[64];
    uint64_t times[64];
    size_t sizes[64];
    uint8_t first[64]; /* of each sample's bytes */
    uint8_t last[64];
};

static void take_sample(void *ctx, const struct berth_perf_sample *sample)
{
    struct seen *seen = ctx;
    const uint8_t *bytes = sample->bytes;

    assert_true(seen->samples < 64);
    seen->process_ids[seen->samples] = sample->process_id;
    seen->times[seen->samples] = sample->time_ns;
    seen->sizes[seen->samples] = sample->size;
    if (sample->size != 0) {
        seen->first[seen->samples] = bytes[0];
        seen->last[seen->samples] = bytes[sample->size - 1];
    }
    seen->samples++;
}

static void take_lost(void *ctx, uint64_t count)
{
    struct seen *seen = ctx;

    seen->lost += count;
}

/* A ring of the size of a page, on the heap so that a read past it is seen. */
struct ring {
    uint8_t *data;
    uint64_t tail;
    uint64_t head;
};

static int set_up(void **state)
{
    static struct ring ring;

    ring = (struct ring){.data = calloc(1, RING)};
    *state = &ring;
    return ring.data == NULL;
}

static int tear_down(void **state)
{
    struct ring *ring = *state;

    free(ring->data);
    return 0;
}

static void put(struct ring *ring, const void *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        ring->data[(ring->head + i) % RING] = ((const uint8_t *)bytes)[i];
    }
    ring->head += size;
}

static void put_header(struct ring *ring, uint32_t type, size_t size)
{
    const struct perf_event_header header = {.type = type, .size = (uint16_t)size};

    put(ring, &header, sizeof header);
}

/* A sample with `raw` bytes of record, the n-th one; as the kernel does, filled up to 8. */
static void put_sample(struct ring *ring, uint32_t n, uint32_t raw)
{
    const uint32_t ids[2] = {1000 + n, 2000 + n};
    const uint64_t time_ns = 3000 + n;
    uint8_t bytes[1200];
    size_t size = 8 + 8 + 8 + 4 + raw;

    memset(bytes, (int)n, sizeof bytes);
    put_header(ring, PERF_RECORD_SAMPLE, size);
    put(ring, ids, sizeof ids);
    put(ring, &time_ns, sizeof time_ns);
    put(ring, &raw, sizeof raw);
    put(ring, bytes, raw);
}

static struct seen read_all(struct ring *ring)
{
    struct seen seen = {0};
    const struct berth_perf_sink sink = {take_sample, take_lost, &seen};

    berth_perf_ring_read(ring->data, RING, ring->tail, ring->head, &sink);
    ring->tail = ring->head;
    return seen;
}

static void read__samples__are_given_in_order(void **state)
{
    struct ring *ring = *state;

    put_sample(ring, 1, 76);
    put_sample(ring, 2, 4);
    struct seen seen = read_all(ring);
    assert_int_equal(seen.samples, 2);
    assert_int_equal(seen.lost, 0);
    assert_int_equal(seen.process_ids[0], 1001);
    assert_int_equal(seen.times[0], 3001);
    assert_int_equal(seen.sizes[0], 76);
    assert_int_equal(seen.process_ids[1], 1002);
    assert_int_equal(seen.sizes[1], 4);
}

static void read__nothing__gives_nothing(void **state)
{
    struct seen seen = read_all(*state);

    assert_int_equal(seen.samples, 0);
    assert_int_equal(seen.lost, 0);
}

static void read__records_across_the_end__are_whole(void **state)
{
    struct ring *ring = *state;

    /* at every place that a record can lie at */
    for (uint32_t i = 0; i < 3 * RING / 8; i++) {
        put_sample(ring, i & 0xff, 76);
        struct seen seen = read_all(ring);
        assert_int_equal(seen.samples, 1);
        assert_int_equal(seen.process_ids[0], 1000 + (i & 0xff));
        assert_int_equal(seen.first[0], i & 0xff);
        assert_int_equal(seen.last[0], i & 0xff);
    }
}

static void read__head_beyond_32_bits__is_read(void **state)
{
    struct ring *ring = *state;

    ring->head = ring->tail = ((uint64_t)1 << 40) - 48;
    put_sample(ring, 1, 76);
    assert_int_equal(read_all(ring).samples, 1);
}

static void read__loss__is_told_with_its_number(void **state)
{
    struct ring *ring = *state;
    const uint64_t lost[2] = {99, 12345}; /* which event, how many */
    const uint64_t lost_samples = 5;

    put_header(ring, PERF_RECORD_LOST, 24);
    put(ring, lost, sizeof lost);
    assert_int_equal(read_all(ring).lost, 12345);
    put_header(ring, PERF_RECORD_LOST_SAMPLES, 16);
    put(ring, &lost_samples, sizeof lost_samples);
    put_sample(ring, 1, 76);
    struct seen seen = read_all(ring);
    assert_int_equal(seen.lost, 5);
    assert_int_equal(seen.samples, 1);
}

static void read__other_records__are_passed_over(void **state)
{
    struct ring *ring = *state;
    const uint64_t words[3] = {0};

    put_header(ring, PERF_RECORD_THROTTLE, 32);
    put(ring, words, sizeof words);
    put_sample(ring, 1, 76);
    struct seen seen = read_all(ring);
    assert_int_equal(seen.samples, 1);
    assert_int_equal(seen.lost, 0);
}

static void read__sample_that_claims_more_than_it_has__is_lost(void **state)
{
    struct ring *ring = *state;
    const uint64_t words[2] = {0};
    const uint32_t raw = 5;

    put_header(ring, PERF_RECORD_SAMPLE, 28);
    put(ring, words, sizeof words);
    put(ring, &raw, sizeof raw);
    put_sample(ring, 1, 76);
    struct seen seen = read_all(ring);
    assert_int_equal(seen.lost, 1);
    assert_int_equal(seen.samples, 1);
}

static void read__record_too_long_to_look_into__is_lost_and_skipped(void **state)
{
    struct ring *ring = *state;

    put_sample(ring, 1, 1100);
    put_sample(ring, 2, 76);
    struct seen seen = read_all(ring);
    assert_int_equal(seen.lost, 1);
    assert_int_equal(seen.samples, 1);
    assert_int_equal(seen.process_ids[0], 1002);
}

static void read__record_without_an_end__loses_the_rest(void **state)
{
    static const uint16_t sizes[] = {0, 7, 4000};

    for (size_t i = 0; i < BERTH_COUNT(sizes); i++) {
        struct ring *ring = *state;
        put_sample(ring, 1, 76);
        put_header(ring, PERF_RECORD_SAMPLE, sizes[i]);
        put_sample(ring, 2, 76);
        struct seen seen = read_all(ring);
        assert_int_equal(seen.samples, 1);
        assert_int_equal(seen.lost, 1);
    }
}

static void read__more_than_the_ring_holds__is_lost(void **state)
{
    struct ring *ring = *state;

    put_sample(ring, 1, 76);
    ring->head = ring->tail + RING + 8;
    struct seen seen = read_all(ring);
    assert_int_equal(seen.samples, 0);
    assert_int_equal(seen.lost, 1);
}

int main(void)
{
#define WITH_RING(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        WITH_RING(read__samples__are_given_in_order),
        WITH_RING(read__nothing__gives_nothing),
        WITH_RING(read__records_across_the_end__are_whole),
        WITH_RING(read__head_beyond_32_bits__is_read),
        WITH_RING(read__loss__is_told_with_its_number),
        WITH_RING(read__other_records__are_passed_over),
        WITH_RING(read__sample_that_claims_more_than_it_has__is_lost),
        WITH_RING(read__record_too_long_to_look_into__is_lost_and_skipped),
        WITH_RING(read__record_without_an_end__loses_the_rest),
        WITH_RING(read__more_than_the_ring_holds__is_lost),
    };
#undef WITH_RING
    return cmocka_run_group_tests_name("perf_ring", tests, NULL, NULL);
}
