/* SPDX-License-Identifier: MIT */
/* What the tests of the allocator share: the fixture, callers, and short ways to ask it. */
#ifndef BERTH_TESTS_ALLOCATOR_ASKS_H
#define BERTH_TESTS_ALLOCATOR_ASKS_H

#include "cmocka_all.h"

#include "allocator/explain.h"
#include "models/allocator_fixture.h"

static struct allocator_fixture fixture;
static struct berth_refusal refusal;
static struct berth_grant grant;

static const struct berth_caller deploy = {.identity = {.id = "uid:1000", .name = "deploy"}};
static const struct berth_caller other = {.identity = {.id = "uid:1001", .name = "other"}};
static const struct berth_caller root = {.identity = {.id = "uid:0", .name = "root"},
                                         .administrator = true};

static inline int set_up(void **state)
{
    (void)state;
    memset(&refusal, 0, sizeof refusal);
    memset(&grant, 0, sizeof grant);
    if (fixture_make(&fixture) != BERTH_OK) {
        return -1;
    }
    fixture_ready(&fixture);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    berth_allocator_destroy(fixture.allocator);
    return 0;
}

static inline struct berth_allocate_request request_of(const char *key)
{
    return (struct berth_allocate_request){.wish = {.count = 1}, .key = key};
}

static inline enum berth_code ask(const struct berth_allocate_request *request,
                                  const struct berth_caller *caller)
{
    return berth_allocator_allocate(fixture.allocator, request, caller, fixture.now, &grant,
                                    &refusal, &fixture.err);
}

/* Allocates one port for a key; gives it. */
static inline uint16_t allocate(const char *key)
{
    struct berth_allocate_request request = request_of(key);

    assert_ok(ask(&request, &deploy), &fixture.err);
    return grant.lease->ports[0];
}

static inline enum berth_code ask_for_port(const char *key, uint16_t port)
{
    struct berth_allocate_request request = request_of(key);

    request.wish.port = port;
    return ask(&request, &deploy);
}

static inline struct berth_lease *lease_of(const char *key)
{
    struct berth_lease *lease = NULL;

    assert_ok(berth_allocator_find(fixture.allocator, NULL, key, NULL, 0, &lease, &fixture.err),
              &fixture.err);
    return lease;
}

static inline void release(const char *key)
{
    assert_ok(berth_allocator_release(fixture.allocator, lease_of(key), &deploy, fixture.now,
                                      &refusal, &fixture.err),
              &fixture.err);
}

static inline void report(unsigned source, unsigned feed, const struct berth_claim *claims,
                          size_t count)
{
    assert_ok(berth_allocator_report(fixture.allocator, source, feed, claims, count, fixture.now,
                                     &fixture.err),
              &fixture.err);
}

static inline void assert_state(uint16_t port, const char *expected)
{
    assert_string_equal(berth_explain_state(fixture.allocator, port), expected);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

#endif
