/* SPDX-License-Identifier: MIT */
/* A lease keeper with a real loop, a real store and a real allocator. */
#ifndef BERTH_TESTS_LEASE_KEEPER_CASE_H
#define BERTH_TESTS_LEASE_KEEPER_CASE_H

#include "daemon/clock.h"
#include "daemon/lease_keeper.h"
#include "daemon/log.h"
#include "daemon/store_internal.h"
#include "memory_faults.h"
#include "models/allocator_asks.h"
#include "store_disk.h"
#include "temp_dir.h"

#define DEADLINE_MS 20000
#define TOLD_MAX 16

/* What `flushed` told. */
struct told {
    unsigned count;
    uint64_t upto[TOLD_MAX];
    bool failed[TOLD_MAX];
    char detail[480];
};

static uv_loop_t loop;
static char *folder;
static struct berth_lease_keeper *keeper;
static struct told told;

static inline enum berth_code keep_change(void *ctx, const struct berth_lease_change *change,
                                          struct berth_error *err)
{
    (void)ctx;
    return berth_lease_keeper_keep(keeper, change, err);
}

static inline void forget_lease(void *ctx, const struct berth_lease *lease)
{
    (void)ctx;
    berth_lease_keeper_forget(keeper, lease);
}

static inline void on_flushed(void *ctx, uint64_t upto, const struct berth_error *failure)
{
    assert_ptr_equal(ctx, &told);
    assert_true(told.count < TOLD_MAX);
    told.upto[told.count] = upto;
    told.failed[told.count++] = failure != NULL;
    (void)snprintf(told.detail, sizeof told.detail, "%s", failure != NULL ? failure->detail : "");
}

/* Lets the keeper's handles go, and everything else with them. */
static inline void world_close(void)
{
    berth_lease_keeper_close(keeper);
    keeper = NULL;
    assert_int_equal(uv_run(&loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&loop), 0);
    berth_allocator_destroy(fixture.allocator);
    fixture.allocator = NULL;
}

/* What a start does. On an error everything is closed again. */
static inline enum berth_code world_try_open(enum berth_durability durability)
{
    const struct berth_lease_keeper_options options = {
        .store = {.folder = folder, .durability = durability, .history_ms = 86400000},
        .flushed = on_flushed,
        .ctx = &told,
        .retry_ms = 20,
    };

    memset(&told, 0, sizeof told);
    assert_int_equal(uv_loop_init(&loop), 0);
    enum berth_code code = fixture_make(&fixture);
    if (code == BERTH_OK) {
        fixture.now = berth_clock_now();
        fixture.allocator->options.keep = keep_change;
        fixture.allocator->options.forget = forget_lease;
        code = berth_lease_keeper_open(&keeper, &loop, &options, &fixture.err);
    }
    if (code == BERTH_OK) {
        /* the ids of a start are other ones */
        fixture.last_id = (uint64_t)fixture.now.unix_ms << 16 ^ uv_hrtime();
        code = berth_lease_keeper_load(keeper, fixture.allocator, &fixture.err);
    }
    if (code == BERTH_OK) {
        fixture_ready(&fixture);
    } else {
        world_close();
    }
    return code;
}

static inline void world_open(enum berth_durability durability)
{
    assert_ok(world_try_open(durability), &fixture.err);
}

static inline void world_reopen(void)
{
    world_close();
    world_open(BERTH_DURABILITY_COMMIT);
}

static inline int set_up_folder(void **state)
{
    (void)state;
    folder = temp_dir_make();
    memset(&refusal, 0, sizeof refusal);
    return 0;
}

static inline int tear_down_folder(void **state)
{
    (void)state;
    temp_dir_remove(folder);
    return 0;
}

/* Lets the loop run until `count` flushes were told. */
static inline void await_told(unsigned count)
{
    uint64_t end_ms = uv_hrtime() / 1000000 + DEADLINE_MS;

    while (told.count < count) {
        assert_true(uv_hrtime() / 1000000 < end_ms);
        (void)uv_run(&loop, UV_RUN_ONCE); /* the upkeep's timer wakes it at least every second */
    }
}

static inline enum berth_code try_allocate(const char *key)
{
    struct berth_allocate_request request = request_of(key);

    return ask(&request, &root);
}

static inline enum berth_code try_release(const char *key)
{
    return berth_allocator_release(fixture.allocator, lease_of(key), &root, fixture.now, &refusal,
                                   &fixture.err);
}

static inline enum berth_code try_renew(const char *key, uint64_t ttl_ms)
{
    return berth_allocator_renew(fixture.allocator, lease_of(key), &root, ttl_ms, fixture.now,
                                 &refusal, &fixture.err);
}

static inline size_t live_count(void)
{
    return fixture.allocator->book.live.count;
}

static inline size_t ended_count(void)
{
    return fixture.allocator->book.ended.count;
}

#endif
