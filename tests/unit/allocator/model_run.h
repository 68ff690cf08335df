/* SPDX-License-Identifier: MIT */
/* A run of random operations: the real allocator, the plain one beside it, and how they compare. */
#ifndef BERTH_TESTS_MODEL_RUN_H
#define BERTH_TESTS_MODEL_RUN_H

#include "cmocka_all.h"
#include "models/allocator_model_give.h"
#include "models/kept_leases.h"
#include "models/test_random.h"

#define WORLD_MAX 48

static const struct berth_pool pools_one[] = {
    {"high", {65520, 65535}, false}, {"default", {4080, 4110}, false}, {"qa", {60, 90}, true}};
static const struct berth_pool pools_two[] = {{"late", {4111, 4130}, true},
                                              {"early", {4090, 4110}, false}};
#define FRESH_KEYS_MAX 4000 /* keys that ask once: a site that is there already keeps its port */

static const char *const sites[] = {"Shop", "Blog", "Intranet", "shop"};
static const char *const images[] = {"java", "node", "w3wp", NULL};
static const char *const keys[] = {"web", "api", "db", "mail", "cms", "erp"};
static const char *const generations[] = {"1", "2", "3", "4", "5"};
static const char *const holders[] = {NULL, NULL, "site:SHOP", "site:blog", "process:java", "any"};

/* `ctx` is the name of the only group that a caller is in, or NULL */
static bool in_group(const void *ctx, const char *group)
{
    return ctx != NULL && strcmp(ctx, group) == 0;
}

static const struct berth_caller callers[] = {
    {{"uid:1", "one", "gid:5"}, false, in_group, "gid:5"},
    {{"uid:2", "two", NULL}, false, in_group, NULL},
    {{"uid:3", "three", NULL}, false, in_group, "gid:5"},
    {{"uid:0", "root", NULL}, true, in_group, NULL},
    {{"uid:2", "two", "gid:6"}, false, in_group, "gid:6"}, /* once more, let in otherwise */
};

/* What there is to see at the moment, feed by feed. */
struct world {
    struct berth_claim claims[WORLD_MAX];
    size_t count;
};

static struct run {
    struct test_random random;
    struct berth_allocator *real;
    struct allocator_model model;
    struct world worlds[MODEL_FEEDS];
    unsigned sources[2]; /* the real one's numbers */
    struct berth_now now;
    uint64_t next_ms; /* what the last tick said */
    bool tick_due;    /* time passed without a tick */
    uint16_t look[512];
    size_t look_count; /* the ports of all pools, ascending */
    uint64_t operation;
    const char *what;                    /* the operation, for messages */
    uint64_t outcomes[BERTH_CODE_COUNT]; /* of allocate */
    uint64_t adopted;
    uint64_t yielded;     /* of these, in the place of an adopted lease */
    uint64_t plans;       /* of adoption */
    uint64_t made_leases; /* by them */
    uint64_t verdicts[BERTH_ADOPT_VERDICT_COUNT];
    uint64_t lost;
    uint64_t remembered;
    uint64_t kept; /* allocations that released older generations */
    uint64_t restarts;
    uint64_t restarts_with_leases;
    unsigned fresh_keys;
    char fresh_key[16];
    bool store_fails;
    uint64_t trace; /* of all that was seen so far: the same for a seed on every system */
} run;

static struct kept_leases store; /* what a restart finds */
static struct berth_error err;

static unsigned in(unsigned low, unsigned high)
{
    return test_random_in(&run.random, low, high);
}

static bool chance(unsigned percent)
{
    return test_random_chance(&run.random, percent);
}

static uint64_t next_id(void *ctx)
{
    return test_random_next(ctx);
}

static enum berth_code keep_lease(void *ctx, const struct berth_lease_change *change,
                                  struct berth_error *error)
{
    (void)ctx;
    if (run.store_fails) {
        return berth_fail(error, BERTH_STORE_FAILED, 0, "no room left");
    }
    kept_put(&store, change);
    return BERTH_OK;
}

static void forget_lease(void *ctx, const struct berth_lease *lease)
{
    (void)ctx;
    kept_remove(&store, lease);
}

#define EXPECT_EQUAL(real, model)                                                                  \
    do {                                                                                           \
        unsigned long long expect_real = (unsigned long long)(real);                               \
        unsigned long long expect_model = (unsigned long long)(model);                             \
        if (expect_real != expect_model) {                                                         \
            fail_msg("operation %llu, %s: %s is %llu, by the model %llu",                          \
                     (unsigned long long)run.operation, run.what, #real, expect_real,              \
                     expect_model);                                                                \
        }                                                                                          \
    } while (0)

static void expect_code(enum berth_code real, enum berth_code model)
{
    if (real != model) {
        fail_msg("operation %llu, %s: %s (%s), by the model %s", (unsigned long long)run.operation,
                 run.what, berth_test_code_symbol(real), err.detail, berth_test_code_symbol(model));
    }
}

/* ---- comparing ---- */

static void compare_states(void)
{
    const struct berth_free_set *real = &run.real->free_set;

    model_work_out_states(&run.model);
    if (memcmp(real->state, run.model.state, sizeof real->state) == 0) {
        return;
    }
    for (uint32_t port = 1; port <= 65535; port++) {
        if (real->state[port] != run.model.state[port]) {
            fail_msg("operation %llu, %s: port %u is %s, by the model %s",
                     (unsigned long long)run.operation, run.what, (unsigned)port,
                     berth_port_state_name(berth_free_set_state(real, (uint16_t)port)),
                     berth_port_state_name((enum berth_port_state)run.model.state[port]));
        }
    }
}

static void compare_counts(void)
{
    const struct berth_port_range all = {1, 65535};

    for (int s = 0; s < BERTH_PORT_STATE_COUNT; s++) {
        EXPECT_EQUAL(berth_port_set_count(&run.real->free_set.ports[s], all), run.model.counts[s]);
    }
    for (size_t i = 0; i < run.model.pool_count; i++) {
        struct berth_windows windows = {.count = 1};
        windows.at[0].range = run.model.pools[i].range;
        uint32_t count = 0;
        for (uint32_t p = windows.at[0].range.first; p <= windows.at[0].range.last; p++) {
            count += run.model.state[p] == BERTH_PORT_FREE;
        }
        EXPECT_EQUAL(berth_allocator_count(run.real, &windows, BERTH_PORT_FREE), count);
    }
    EXPECT_EQUAL(run.real->book.live.count, run.model.lease_count);
    EXPECT_EQUAL(run.real->book.ended.count, run.model.ended_count);
    for (size_t i = 0; i < BERTH_COUNT(callers); i++) {
        EXPECT_EQUAL(berth_lease_book_count_of(&run.real->book, callers[i].identity.id),
                     model_leases_of(&run.model, callers[i].identity.id));
    }
}

static void compare_feeds(void)
{
    const struct berth_source_entry *entries = run.real->sources.at;
    const unsigned feeds[MODEL_FEEDS] = {entries[run.sources[0]].feeds[0],
                                         entries[run.sources[1]].feeds[0],
                                         entries[run.sources[1]].feeds[1], run.real->reserved_feed};

    for (int f = 0; f < MODEL_FEEDS; f++) {
        EXPECT_EQUAL(berth_ledger_feed_count(run.real->ledger, feeds[f]),
                     model_feed_count(&run.model, (enum model_feed)f));
    }
}

static void compare_lives(void)
{
    for (size_t i = 0; i < run.model.lease_count; i++) {
        const struct model_lease *mine = &run.model.leases[i];
        const struct berth_lease *lease = berth_lease_book_find_id(&run.real->book, mine->id);
        if (lease == NULL || lease->state != mine->state) {
            fail_msg("operation %llu, %s: the lease of %s %s on %u is %s, by the model %s",
                     (unsigned long long)run.operation, run.what, mine->key, mine->generation,
                     mine->ports[0], lease != NULL ? berth_lease_state_name(lease->state) : "gone",
                     berth_lease_state_name(mine->state));
        }
    }
}

/* One lease at a time: its ports, its end, and that it is found in every way. */
static void compare_a_lease(void)
{
    struct berth_lease *lease;

    if (run.model.lease_count == 0) {
        return;
    }
    const struct model_lease *mine = &run.model.leases[in(0, (unsigned)run.model.lease_count - 1)];
    expect_code(berth_allocator_find(run.real, mine->id, NULL, NULL, 0, &lease, &err), BERTH_OK);
    EXPECT_EQUAL(lease->port_count, mine->port_count);
    EXPECT_EQUAL(memcmp(lease->ports, mine->ports, mine->port_count * sizeof(uint16_t)), 0);
    int64_t ends_unix_ms = berth_allocator_expires_unix_ms(run.real, lease, run.now);
    if (mine->ends_ms == BERTH_NEVER) {
        EXPECT_EQUAL(ends_unix_ms, -1);
    } else {
        uint64_t left_ms =
            mine->ends_ms > run.model.lease_clock_ms ? mine->ends_ms - run.model.lease_clock_ms : 0;
        EXPECT_EQUAL(ends_unix_ms - run.now.unix_ms, left_ms);
    }
    struct berth_lease *again = NULL;
    uint16_t port = mine->ports[in(0, mine->port_count - 1)];
    expect_code(berth_allocator_find(run.real, NULL, NULL, NULL, port, &again, &err), BERTH_OK);
    EXPECT_EQUAL(again == lease, true);
    expect_code(
        berth_allocator_find(run.real, NULL, lease->key, lease->generation, 0, &again, &err),
        BERTH_OK);
    EXPECT_EQUAL(again == lease, true);
}

/* FNV-1a. */
static void add_to_trace(const void *bytes, size_t size)
{
    const unsigned char *at = bytes;

    for (size_t i = 0; i < size; i++) {
        run.trace = (run.trace ^ at[i]) * 0x100000001B3u;
    }
}

/* The state of each port that is looked at, each lease's id and ports, and what was said last. */
static void trace(void)
{
    for (size_t i = 0; i < run.look_count; i++) {
        add_to_trace(&run.real->free_set.state[run.look[i]], 1);
    }
    for (size_t i = 0; i < run.model.lease_count; i++) {
        const struct model_lease *lease = &run.model.leases[i];
        add_to_trace(lease->id, strlen(lease->id));
        for (size_t p = 0; p < lease->port_count; p++) {
            const unsigned char port[2] = {(unsigned char)(lease->ports[p] >> 8),
                                           (unsigned char)(lease->ports[p] & 0xFF)};
            add_to_trace(port, sizeof port);
        }
    }
    add_to_trace(err.detail, strlen(err.detail));
}

static void compare_all(void)
{
    trace();
    compare_states();
    compare_counts();
    compare_feeds();
    compare_lives();
    compare_a_lease();
}

#endif
