/* SPDX-License-Identifier: MIT */
/* allocate with a hold, and handover, on ports that are held as the test says. */
#include "methods_case.h"
#include "scripted_hold.h"

static struct memory_service *memory;
static struct berth_error err;

static int set_up(void **state)
{
    const uint16_t none[] = {0};

    (void)state;
    if (memory_service_make(&memory, &err) != BERTH_OK ||
        berth_port_holds_create(&memory->service.holds, scripted_hold_begin(), &err) != BERTH_OK) {
        return -1;
    }
    return memory_service_see(memory, none, 0, &err) == BERTH_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    memory_service_free(memory);
    return scripted_holds.total == 0 ? 0 : -1; /* all are let go at the end */
}

/* Allocates for a key with a hold; gives the port. */
static uint16_t allocate(const char *params)
{
    json_t *result = method_done(memory, BERTH_ROLE_ALLOCATOR, "allocate", params);
    uint16_t port = (uint16_t)json_integer_value(json_object_get(result, "port"));

    assert_true(json_is_true(json_object_get(result, "hold")));
    json_decref(result);
    return port;
}

static void refuse(const char *params, const char *reason, uint16_t port)
{
    json_t *error = method_refused(memory, BERTH_ROLE_ALLOCATOR, "allocate", params, reason);
    const json_t *data = json_object_get(error, "data");

    if (port != 0) {
        assert_int_equal(json_integer_value(json_object_get(data, "port")), port);
    }
    json_decref(error);
}

static const struct berth_lease *lease_at(uint16_t port)
{
    const struct berth_lease *lease = berth_lease_book_at(&memory->service.allocator->book, port);

    assert_non_null(lease);
    return lease;
}

#define HOLD "{\"key\":\"web\",\"holder\":\"process:java\",\"hold\":true}"

static void allocate__hold__holds_every_port_until_the_release(void **state)
{
    (void)state;
    assert_int_equal(allocate("{\"key\":\"web\",\"holder\":\"any\",\"hold\":true,\"count\":3}"),
                     49000);
    for (uint16_t port = 49000; port < 49003; port++) {
        assert_true(scripted_holds_port(port));
    }
    assert_int_equal(allocate("{\"key\":\"web\",\"holder\":\"any\",\"hold\":true,\"count\":3}"),
                     49000); /* once more: once held */
    assert_int_equal(scripted_holds.total, 3);
    json_decref(method_done(memory, BERTH_ROLE_ALLOCATOR, "release", "{\"key\":\"web\"}"));
    assert_int_equal(scripted_holds.total, 0);
}

static void allocate__hold_with_a_site_or_no_holder__is_refused(void **state)
{
    (void)state;
    refuse("{\"key\":\"web\",\"hold\":true}", "invalid_params", 0);
    refuse("{\"key\":\"web\",\"hold\":true,\"holder\":\"site:Shop\"}", "invalid_params", 0);
    assert_int_equal(memory->service.allocator->book.live.count, 0);
    assert_int_equal(scripted_holds.total, 0);
}

static void allocate__a_port_that_cannot_be_held__is_passed_by(void **state)
{
    (void)state;
    scripted_holds.outcome[49000] = scripted_holds.outcome[49001] = BERTH_PORT_IN_USE;
    assert_int_equal(allocate(HOLD), 49002);
    assert_int_equal(scripted_holds.total, 1);
    assert_null(berth_lease_book_at(&memory->service.allocator->book, 49000));
    /* without a hold it may be given still: nobody knows of anything against it */
    json_t *other = method_done(memory, BERTH_ROLE_ALLOCATOR, "allocate", "{\"key\":\"other\"}");
    assert_int_equal(json_integer_value(json_object_get(other, "port")), 49000);
    json_decref(other);
}

static void allocate__several_of_which_one_cannot_be_held__holds_others_or_none(void **state)
{
    (void)state;
    scripted_holds.outcome[49003] = BERTH_PORT_IN_USE;
    assert_int_equal(allocate("{\"key\":\"web\",\"holder\":\"any\",\"hold\":true,\"count\":5,"
                              "\"contiguous\":true,\"range\":[49001,49099]}"),
                     49006); /* 49005 is reserved */
    assert_int_equal(scripted_holds.total, 5);
    refuse("{\"key\":\"api\",\"holder\":\"any\",\"hold\":true,\"count\":4,\"range\":[49001,49004]}",
           "port_in_use", 49003);
    assert_int_equal(scripted_holds.total, 5);
    assert_int_equal(memory->service.allocator->book.live.count, 1);
}

static void allocate__the_port_asked_for_cannot_be_held__in_use_and_nothing_changed(void **state)
{
    (void)state;
    scripted_holds.outcome[49007] = BERTH_PORT_IN_USE;
    refuse("{\"key\":\"web\",\"holder\":\"any\",\"hold\":true,\"port\":49007}", "port_in_use",
           49007);
    assert_int_equal(memory->service.allocator->book.live.count, 0);
    assert_int_equal(memory->service.allocator->book.ended.count, 0);
    assert_true(
        berth_port_set_has(&memory->service.allocator->free_set.ports[BERTH_PORT_FREE], 49007));
}

static void allocate__too_many_that_cannot_be_held__names_the_first(void **state)
{
    (void)state;
    for (unsigned port = 49000; port < 49100; port++) {
        scripted_holds.outcome[port] = BERTH_PORT_IN_USE;
    }
    refuse(HOLD, "port_in_use", 49000);
    refuse("{\"holder\":\"any\",\"hold\":true,\"range\":[49098,49099]}", "port_in_use", 49098);
    assert_int_equal(memory->service.allocator->book.live.count, 0);
}

static void allocate__the_system_refuses__nothing_changed(void **state)
{
    (void)state;
    scripted_holds.outcome[49000] = BERTH_NOT_SUPPORTED;
    refuse(HOLD, "not_supported", 0);
    scripted_holds.outcome[49000] = BERTH_IO;
    refuse(HOLD, "internal", 0);
    scripted_holds.outcome[49000] = BERTH_OK;
    memory->keep_outcome = BERTH_STORE_FAILED;
    refuse(HOLD, "store_failed", 0);
    assert_int_equal(memory->service.allocator->book.live.count, 0);
    assert_int_equal(scripted_holds.total, 0);
}

static void allocate__as_many_as_can_be_held__limit_reached(void **state)
{
    char params[100];
    unsigned held = 0;

    (void)state;
    const struct berth_pool pool = {"default", {40000, 49999}, false};
    assert_ok(berth_allocator_set_pools(memory->service.allocator, &pool, 1, &err), &err);
    for (; held < BERTH_HELD_PORTS_MAX; held += 64) {
        (void)snprintf(params, sizeof params,
                       "{\"key\":\"k%u\",\"holder\":\"any\",\"hold\":true,\"count\":64}", held);
        (void)allocate(params);
    }
    json_t *error = method_refused(memory, BERTH_ROLE_ALLOCATOR, "allocate", HOLD, "limit_reached");
    const json_t *data = json_object_get(error, "data");
    assert_string_equal(json_string_value(json_object_get(data, "limit")), "heldPorts");
    assert_int_equal(json_integer_value(json_object_get(data, "value")), BERTH_HELD_PORTS_MAX);
    json_decref(error);
    assert_int_equal(scripted_holds.total, BERTH_HELD_PORTS_MAX);
    json_decref(method_done(memory, BERTH_ROLE_ALLOCATOR, "release", "{\"key\":\"k0\"}"));
    (void)allocate(HOLD);
}

static void handover__ends_the_hold_and_keeps_the_lease(void **state)
{
    char params[60];
    uint16_t port = allocate(HOLD);

    (void)state;
    (void)snprintf(params, sizeof params, "{\"lease\":\"%s\"}", lease_at(port)->id);
    memory->keep_outcome = BERTH_STORE_FAILED;
    json_decref(method_refused(memory, BERTH_ROLE_ALLOCATOR, "handover", params, "store_failed"));
    assert_true(scripted_holds_port(port));
    memory->keep_outcome = BERTH_OK;
    for (int i = 0; i < 2; i++) { /* the second time there is nothing to do */
        json_t *lease = method_done(memory, BERTH_ROLE_ALLOCATOR, "handover", params);
        assert_int_equal(json_integer_value(json_object_get(lease, "port")), port);
        assert_null(json_object_get(lease, "hold"));
        json_decref(lease);
        assert_false(scripted_holds_port(port));
    }
    /* a step that is tried again does not take the port from its holder */
    json_decref(method_done(memory, BERTH_ROLE_ALLOCATOR, "allocate", HOLD));
    assert_false(scripted_holds_port(port));
    assert_int_equal(lease_at(port)->state, BERTH_LEASE_PENDING);
}

static void handover__not_ones_own_or_none__is_refused(void **state)
{
    char params[60];
    uint16_t port = allocate(HOLD);

    (void)state;
    (void)snprintf(params, sizeof params, "{\"lease\":\"%s\"}", lease_at(port)->id);
    (void)snprintf(memory->peer.id, sizeof memory->peer.id, "uid:2000");
    json_t *error = method_refused(memory, BERTH_ROLE_ALLOCATOR, "handover", params, "denied");
    assert_string_equal(json_string_value(json_object_get(json_object_get(error, "data"), "owner")),
                        "alice");
    json_decref(error);
    assert_true(scripted_holds_port(port));
    json_decref(method_done(memory, BERTH_ROLE_ADMIN, "handover", params));
    assert_false(scripted_holds_port(port));
    json_decref(method_refused(memory, BERTH_ROLE_ADMIN, "handover", "{}", "invalid_params"));
    json_decref(method_refused(memory, BERTH_ROLE_ADMIN, "handover",
                               "{\"lease\":\"0000000000000000\"}", "not_found"));
}

/* Imports a lease on 49001 whose ports are to be held. */
static void import_held(const char *state, const char *id)
{
    char params[400];

    (void)snprintf(params, sizeof params,
                   "{\"leases\":[{\"lease\":\"%s\",\"key\":\"web %s\",\"state\":\"%s\",\"ports\":"
                   "[49001],\"holder\":\"any\",\"ttl_ms\":5000,\"hold\":true,\"owner\":{\"id\":"
                   "\"uid:1\",\"name\":\"bob\"},\"granted_unix_ms\":1}]}",
                   id, state, state);
    json_t *result = method_done(memory, BERTH_ROLE_ADMIN, "import", params);
    assert_int_equal(json_array_size(json_object_get(result, "skipped")), 0);
    json_decref(result);
}

/* What comes from elsewhere is not refused because its port cannot be held just now. */
static void import__with_a_hold__is_held_where_that_can_be(void **state)
{
    (void)state;
    import_held("expired", "00000000000000e1");
    assert_int_equal(scripted_holds.total, 0);
    scripted_holds.outcome[49001] = BERTH_PORT_IN_USE;
    import_held("pending", "00000000000000e2");
    assert_int_equal(scripted_holds.total, 0);
    scripted_holds.outcome[49001] = BERTH_OK;
    berth_port_holds_retry(memory->service.holds, memory->service.allocator, false);
    assert_true(scripted_holds_port(49001));
    json_decref(method_refused(
        memory, BERTH_ROLE_ADMIN, "import",
        "{\"leases\":[{\"lease\":\"00000000000000e3\",\"key\":\"site\",\"state\":\"pending\","
        "\"ports\":[49002],\"holder\":\"site:Shop\",\"ttl_ms\":5000,\"hold\":true,"
        "\"owner\":{\"id\":\"uid:1\",\"name\":\"bob\"},\"granted_unix_ms\":1}]}",
        "invalid_params"));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(allocate__hold__holds_every_port_until_the_release),
        TEST(allocate__hold_with_a_site_or_no_holder__is_refused),
        TEST(allocate__a_port_that_cannot_be_held__is_passed_by),
        TEST(allocate__several_of_which_one_cannot_be_held__holds_others_or_none),
        TEST(allocate__the_port_asked_for_cannot_be_held__in_use_and_nothing_changed),
        TEST(allocate__too_many_that_cannot_be_held__names_the_first),
        TEST(allocate__the_system_refuses__nothing_changed),
        TEST(allocate__as_many_as_can_be_held__limit_reached),
        TEST(handover__ends_the_hold_and_keeps_the_lease),
        TEST(handover__not_ones_own_or_none__is_refused),
        TEST(import__with_a_hold__is_held_where_that_can_be),
    };
    return cmocka_run_group_tests_name("daemon.methods_hold", tests, NULL, NULL);
}
