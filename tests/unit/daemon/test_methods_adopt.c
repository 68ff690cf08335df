/* SPDX-License-Identifier: MIT */
/* adopt: what it answers. What is adopted and why has tests of its own, of allocator/adopt. */
#include "memory_faults.h"
#include "methods_case.h"

static struct memory_service *memory;
static struct berth_error err;

static struct berth_claim binding(uint16_t port, const char *site)
{
    struct berth_claim claim = berth_claim_make(port, BERTH_CLAIM_BINDING);

    claim.protocol = BERTH_PROTOCOL_HTTP;
    claim.holder = site;
    return claim;
}

static enum berth_code see(const struct berth_claim *claims, size_t count)
{
    enum berth_code code = berth_allocator_report(memory->service.allocator, memory->iis, 0, claims,
                                                  count, memory->now, &err);

    (void)berth_allocator_report_state(memory->service.allocator, memory->iis, BERTH_STATE_READY,
                                       NULL, memory->now);
    return code;
}

static int set_up(void **state)
{
    const struct berth_claim claims[] = {binding(80, "Shop"), binding(49001, "Shop"),
                                         binding(49002, "Blog")};

    (void)state;
    return memory_service_make(&memory, &err) == BERTH_OK && see(claims, 3) == BERTH_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    memory_service_free(memory);
    return 0;
}

static const json_t *entry(const json_t *result, const char *list, size_t number)
{
    return json_array_get(json_object_get(result, list), number);
}

static const char *text_of(const json_t *object, const char *name)
{
    return json_string_value(json_object_get(object, name));
}

static size_t live_count(void)
{
    return memory->service.allocator->book.live.count;
}

static void adopt__nothing_said__shows_and_does_nothing(void **state)
{
    json_t *result = method_done(memory, BERTH_ROLE_ALLOCATOR, "adopt", "{}");

    (void)state;
    assert_int_equal(json_array_size(json_object_get(result, "adopted")), 2);
    const json_t *shop = entry(result, "adopted", 0);
    assert_string_equal(text_of(shop, "site"), "Shop");
    assert_int_equal(json_integer_value(json_object_get(shop, "port")), 49001);
    assert_string_equal(text_of(shop, "protocol"), "http");
    assert_string_equal(text_of(shop, "key"), "adopted:http:49001:Shop");
    assert_null(json_object_get(shop, "lease"));
    assert_int_equal(json_array_size(json_object_get(result, "skipped")), 1);
    assert_string_equal(text_of(entry(result, "skipped", 0), "reason"), "outside every pool");
    assert_null(json_object_get(result, "omitted"));
    json_decref(result);
    assert_int_equal(live_count(), 0);
}

static void adopt__applied__tells_the_same_and_the_leases(void **state)
{
    json_t *plan = method_done(memory, BERTH_ROLE_ALLOCATOR, "adopt", "{\"dry_run\":true}");
    json_t *result = method_done(memory, BERTH_ROLE_ALLOCATOR, "adopt", "{\"dry_run\":false}");
    struct berth_lease *lease;

    (void)state;
    assert_true(json_equal(json_object_get(plan, "skipped"), json_object_get(result, "skipped")));
    for (size_t i = 0; i < 2; i++) {
        const json_t *done = entry(result, "adopted", i);
        assert_string_equal(text_of(done, "key"), text_of(entry(plan, "adopted", i), "key"));
        assert_ok(berth_allocator_find(memory->service.allocator, text_of(done, "lease"), NULL,
                                       NULL, 0, &lease, &err),
                  &err);
        assert_string_equal(lease->key, text_of(done, "key"));
        assert_int_equal(lease->state, BERTH_LEASE_ACTIVE);
        assert_string_equal(lease->owner->name, "alice");
    }
    json_decref(plan);
    json_decref(result);
    result = method_done(memory, BERTH_ROLE_ALLOCATOR, "adopt", "{\"dry_run\":false}");
    assert_int_equal(json_array_size(json_object_get(result, "adopted")), 0);
    assert_string_equal(text_of(entry(result, "skipped", 1), "reason"),
                        "leased already, to adopted:http:49001:Shop");
    json_decref(result);
}

static void adopt__a_site__or_one_that_is_not_there(void **state)
{
    (void)state;
    json_t *result =
        method_done(memory, BERTH_ROLE_ALLOCATOR, "adopt", "{\"site\":\"blog\",\"dry_run\":false}");
    assert_int_equal(json_array_size(json_object_get(result, "adopted")), 1);
    assert_int_equal(json_array_size(json_object_get(result, "skipped")), 0);
    json_decref(result);
    json_decref(
        method_refused(memory, BERTH_ROLE_ALLOCATOR, "adopt", "{\"site\":\"Bl\"}", "not_found"));
    json_decref(method_refused(memory, BERTH_ROLE_ALLOCATOR, "adopt", "{\"sites\":\"Bl\"}",
                               "invalid_params"));
    assert_int_equal(live_count(), 1);
}

static void adopt__the_store_refuses__is_its_error(void **state)
{
    (void)state;
    memory->keep_outcome = BERTH_STORE_FAILED;
    json_decref(method_refused(memory, BERTH_ROLE_ALLOCATOR, "adopt", "{\"dry_run\":false}",
                               "store_failed"));
    assert_int_equal(live_count(), 0);
}

static void adopt__no_room_for_the_answer__nothing_is_adopted(void **state)
{
    static const char line[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"adopt\","
                               "\"params\":{\"dry_run\":false}}";
    static char names[400][64];
    static struct berth_claim claims[400];
    struct berth_text out;

    (void)state;
    for (unsigned i = 0; i < BERTH_COUNT(claims); i++) {
        (void)snprintf(names[i], sizeof names[i], "%050u", i);
        claims[i] = binding(80, names[i]);
    }
    claims[0].port = 49001;
    assert_ok(see(claims, BERTH_COUNT(claims)), &err);
    berth_text_init(&out, 20000);
    (void)memory_service_answer(memory, BERTH_ROLE_ADMIN, line, sizeof line - 1, &out);
    assert_non_null(strstr(berth_text_string(&out), "too_large"));
    assert_int_equal(live_count(), 0);
    berth_text_fini(&out);
}

/* Whenever memory runs out: an error and no lease, or an answer that tells of each one. */
static void adopt__each_allocation_fails__what_is_done_is_told(void **state)
{
    static const char line[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"adopt\","
                               "\"params\":{\"dry_run\":false}}";
    bool failed = true;

    for (size_t n = 1; failed; n++) {
        struct berth_text out;
        size_t live;
        berth_text_init(&out, BERTH_ANSWER_MAX);
        memory_faults_begin(n, false);
        (void)memory_service_answer(memory, BERTH_ROLE_ADMIN, line, sizeof line - 1, &out);
        failed = memory_faults_end(&live);
        json_t *answer =
            out.length != 0 ? json_loadb(out.data, out.length, JSON_REJECT_DUPLICATES, NULL) : NULL;
        const json_t *result = json_object_get(answer, "result");
        assert_int_equal(json_array_size(json_object_get(result, "adopted")), live_count());
        json_decref(answer);
        berth_text_fini(&out);
        assert_int_equal(tear_down(state), 0);
        assert_int_equal(set_up(state), 0);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(adopt__nothing_said__shows_and_does_nothing),
        TEST(adopt__applied__tells_the_same_and_the_leases),
        TEST(adopt__a_site__or_one_that_is_not_there),
        TEST(adopt__the_store_refuses__is_its_error),
        TEST(adopt__no_room_for_the_answer__nothing_is_adopted),
        TEST(adopt__each_allocation_fails__what_is_done_is_told),
    };
    return cmocka_run_group_tests_name("daemon.methods_adopt", tests, NULL, NULL);
}
