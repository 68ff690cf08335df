/* SPDX-License-Identifier: MIT */
/* An allocator with pools, two sources and a clock that tests turn by hand. */
#ifndef BERTH_TESTS_ALLOCATOR_FIXTURE_H
#define BERTH_TESTS_ALLOCATOR_FIXTURE_H

#include "allocator/allocator.h"

#include <string.h>

#define FIXTURE_TTL_MS 86400000ULL
#define FIXTURE_LINGER_MS 600000ULL
#define FIXTURE_COOLDOWN_MS 60000ULL

struct allocator_fixture {
    struct berth_allocator *allocator;
    struct berth_now now;
    unsigned iis;
    unsigned tcp;
    uint64_t last_id;
    struct berth_error err;
};

/** Ids that count up: 1, 2 … */
static inline uint64_t fixture_id(void *ctx)
{
    return ++*(uint64_t *)ctx;
}

/** Makes an allocator: pools default 49000-49009 and qa 5000-5009 (ephemeral never), sources
 *  "sites" (IIS) and "sockets" (TCP), both waiting. */
static inline enum berth_code fixture_make(struct allocator_fixture *fixture)
{
    static const struct berth_pool pools[] = {{"default", {49000, 49009}, false},
                                              {"qa", {5000, 5009}, true}};
    static const char *const feeds[] = {"first", "second"};
    struct berth_allocator_options options = {.ttl_ms = FIXTURE_TTL_MS,
                                              .linger_ms = FIXTURE_LINGER_MS,
                                              .cooldown_ms = FIXTURE_COOLDOWN_MS,
                                              .leases_per_user = 5,
                                              .seed = 4711,
                                              .random = fixture_id,
                                              .ctx = &fixture->last_id};
    enum berth_code code;

    memset(fixture, 0, sizeof *fixture);
    fixture->now = (struct berth_now){5000, 1795398035000};
    code = berth_allocator_create(&fixture->allocator, &options, &fixture->err);
    if (code == BERTH_OK) {
        code = berth_allocator_set_pools(fixture->allocator, pools, 2, &fixture->err);
    }
    if (code == BERTH_OK) {
        code = berth_allocator_add_source(fixture->allocator, BERTH_SOURCE_IIS, "sites", feeds, 1,
                                          fixture->now, &fixture->iis, &fixture->err);
    }
    if (code == BERTH_OK) {
        code = berth_allocator_add_source(fixture->allocator, BERTH_SOURCE_TCP, "sockets", feeds, 2,
                                          fixture->now, &fixture->tcp, &fixture->err);
    }
    return code;
}

static inline void fixture_state(struct allocator_fixture *fixture, unsigned source,
                                 enum berth_source_state state)
{
    (void)berth_allocator_report_state(fixture->allocator, source, state,
                                       state == BERTH_STATE_READY ? NULL : "for a reason",
                                       fixture->now);
}

/** Makes both sources ready. */
static inline void fixture_ready(struct allocator_fixture *fixture)
{
    fixture_state(fixture, fixture->iis, BERTH_STATE_READY);
    fixture_state(fixture, fixture->tcp, BERTH_STATE_READY);
}

/** Lets time pass, and ends what is due.  @return when the next is, in milliseconds from then */
static inline uint64_t fixture_pass(struct allocator_fixture *fixture, uint64_t ms)
{
    fixture->now.ms += ms;
    fixture->now.unix_ms += (int64_t)ms;
    uint64_t next_ms = berth_allocator_tick(fixture->allocator, fixture->now);
    return next_ms == BERTH_NEVER ? BERTH_NEVER : next_ms - fixture->now.ms;
}

static inline struct berth_claim fixture_binding(uint16_t port, const char *site)
{
    struct berth_claim claim = berth_claim_make(port, BERTH_CLAIM_BINDING);

    claim.protocol = BERTH_PROTOCOL_HTTP;
    claim.holder = site;
    return claim;
}

static inline struct berth_claim fixture_listener(uint16_t port, const char *image)
{
    struct berth_claim claim = berth_claim_make(port, BERTH_CLAIM_LISTENER);

    claim.protocol = BERTH_PROTOCOL_TCP;
    claim.holder = image;
    claim.process_id = 4242;
    claim.address.family = BERTH_FAMILY_IPV4;
    return claim;
}

#endif
