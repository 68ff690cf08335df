/* SPDX-License-Identifier: MIT */
/* What is held follows a lease through its life. */
#include "models/allocator_asks.h"

#include "daemon/port_holds.h"
#include "memory_faults.h"
#include "scripted_hold.h"

#include <stdio.h>

static struct berth_port_holds *holds;

static enum berth_code keep(void *ctx, const struct berth_lease_change *change,
                            struct berth_error *error)
{
    (void)ctx;
    return berth_port_holds_prepare(holds, change, error);
}

static void told(void *ctx, const struct berth_lease *lease, enum berth_lease_event event)
{
    (void)ctx;
    berth_port_holds_follow(holds, lease, event);
}

static int set_up_holds(void **state)
{
    if (set_up(state) != 0 ||
        berth_port_holds_create(&holds, scripted_hold_begin(), &fixture.err) != BERTH_OK) {
        return -1;
    }
    berth_port_holds_demand(holds, true);
    fixture.allocator->options.keep = keep;
    fixture.allocator->options.told = told;
    return 0;
}

static int tear_down_holds(void **state)
{
    int result = tear_down(state);

    berth_port_holds_destroy(holds);
    holds = NULL;
    return scripted_holds.total == 0 ? result : -1;
}

static uint16_t allocate_held(const char *key, const char *holder)
{
    struct berth_allocate_request request = request_of(key);

    request.holder = holder;
    request.hold = true;
    assert_ok(ask(&request, &deploy), &fixture.err);
    return grant.lease->ports[0];
}

static void java_listens(uint16_t port)
{
    struct berth_claim listener = fixture_listener(port, "java");

    report(fixture.tcp, 0, &listener, port != 0 ? 1 : 0);
}

static void life__hold__while_pending_and_lingering_only(void **state)
{
    uint16_t port = allocate_held("web", "process:java");

    (void)state;
    assert_true(scripted_holds_port(port));
    java_listens(port);
    assert_false(scripted_holds_port(port));
    java_listens(0);
    assert_true(scripted_holds_port(port));
    java_listens(port);
    assert_false(scripted_holds_port(port));
    java_listens(0);
    (void)fixture_pass(&fixture, FIXTURE_TTL_MS); /* it has expired */
    assert_string_equal(
        berth_lease_state_name(berth_lease_book_at(&fixture.allocator->book, port)->state),
        "expired");
    assert_false(scripted_holds_port(port));
}

static void life__pending_one_expires__is_let_go(void **state)
{
    uint16_t port = allocate_held("web", "any");

    (void)state;
    (void)fixture_pass(&fixture, FIXTURE_TTL_MS);
    assert_false(scripted_holds_port(port));
}

static void life__lost_port__is_let_go_and_the_new_one_held(void **state)
{
    struct berth_claim nginx = fixture_listener(49000, "nginx");

    (void)state;
    assert_int_equal(allocate_held("web", "process:java"), 49000);
    report(fixture.tcp, 0, &nginx, 1);
    assert_true(scripted_holds_port(49000)); /* its holder is not there */
    assert_int_equal(allocate_held("web", "process:java"), 49001);
    assert_int_equal(grant.lost_port, 49000);
    assert_false(scripted_holds_port(49000));
    assert_true(scripted_holds_port(49001));
}

static void lingering__cannot_be_held_now__is_tried_again(void **state)
{
    uint16_t port = allocate_held("web", "process:java");

    (void)state;
    java_listens(port);
    scripted_holds.outcome[port] = BERTH_PORT_IN_USE; /* its last connections */
    java_listens(0);
    assert_false(scripted_holds_port(port));
    berth_port_holds_retry(holds, fixture.allocator, false);
    assert_false(scripted_holds_port(port));
    scripted_holds.outcome[port] = BERTH_OK;
    berth_port_holds_retry(holds, fixture.allocator, false);
    assert_true(scripted_holds_port(port));
    berth_port_holds_retry(holds, fixture.allocator, false);
    assert_int_equal(scripted_holds.total, 1);
}

static void restart__pending_and_lingering_ones__are_held_again(void **state)
{
    static const enum berth_lease_state states[] = {BERTH_LEASE_PENDING, BERTH_LEASE_ACTIVE,
                                                    BERTH_LEASE_LINGERING, BERTH_LEASE_EXPIRED,
                                                    BERTH_LEASE_PENDING};

    (void)state;
    for (uint16_t i = 0; i < BERTH_COUNT(states); i++) {
        const uint16_t port = (uint16_t)(49000 + i);
        char key[8];
        char id[20];
        (void)snprintf(key, sizeof key, "k%u", i);
        (void)snprintf(id, sizeof id, "%016x", 0x100u + i);
        const struct berth_lease_kept kept = {
            .terms = {.key = key,
                      .generation = "",
                      .holder = "any",
                      .owner = deploy.identity,
                      .ports = &port,
                      .port_count = 1,
                      .ttl_ms = 1000,
                      .hold = i != 4},
            .id = id,
            .state = states[i],
            .granted_unix_ms = 1,
            .ended_unix_ms = 1,
        };
        assert_ok(berth_allocator_restore(fixture.allocator, &kept, fixture.now, &fixture.err),
                  &fixture.err);
    }
    scripted_holds.outcome[49002] = BERTH_PORT_IN_USE;
    berth_port_holds_retry(holds, fixture.allocator, true);
    assert_true(scripted_holds_port(49000));
    assert_int_equal(scripted_holds.total, 1);
    scripted_holds.outcome[49002] = BERTH_OK;
    berth_port_holds_retry(holds, fixture.allocator, false);
    assert_true(scripted_holds_port(49002));
    assert_int_equal(berth_port_holds_count(holds), 2);
}

static void create__no_way_to_hold__is_nothing_and_does_nothing(void **state)
{
    struct berth_port_holds *none = holds;
    struct berth_lease lease = {.hold = true};
    const struct berth_lease_change change = {.lease = &lease};

    (void)state;
    assert_ok(berth_port_holds_create(&none, NULL, &fixture.err), &fixture.err);
    assert_null(none);
    assert_ok(berth_port_holds_prepare(none, &change, &fixture.err), &fixture.err);
    berth_port_holds_undo(none, &change);
    berth_port_holds_follow(none, &lease, BERTH_LEASE_EVENT_GRANTED);
    berth_port_holds_retry(none, fixture.allocator, true);
    assert_int_equal(berth_port_holds_count(none), 0);
    berth_port_holds_destroy(none);
}

static void create__no_memory__is_an_error(void **state)
{
    struct berth_port_holds *none = NULL;
    size_t live;

    (void)state;
    memory_faults_begin(1, false);
    enum berth_code code = berth_port_holds_create(&none, scripted_hold_begin(), &fixture.err);
    assert_true(memory_faults_end(&live));
    assert_code(code, BERTH_NO_MEMORY);
    assert_null(none);
    assert_int_equal(live, 0);
}

#define HOLDS(function) cmocka_unit_test_setup_teardown(function, set_up_holds, tear_down_holds)

int main(void)
{
    const struct CMUnitTest tests[] = {
        HOLDS(life__hold__while_pending_and_lingering_only),
        HOLDS(life__pending_one_expires__is_let_go),
        HOLDS(life__lost_port__is_let_go_and_the_new_one_held),
        HOLDS(lingering__cannot_be_held_now__is_tried_again),
        HOLDS(restart__pending_and_lingering_ones__are_held_again),
        HOLDS(create__no_way_to_hold__is_nothing_and_does_nothing),
        HOLDS(create__no_memory__is_an_error),
    };
    return cmocka_run_group_tests_name("daemon.port_holds", tests, NULL, NULL);
}
