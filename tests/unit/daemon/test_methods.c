/* SPDX-License-Identifier: MIT */
/* The methods without a daemon around them: on an allocator in memory, with a clock of the test's.
 */
#include "cmocka_all.h"
#include "memory_faults.h"
#include "methods_case.h"

#include <stdio.h>
#include <stdlib.h>

static const uint16_t iis_ports[] = {80, 443, 49001};

static struct memory_service *make_service(void)
{
    struct memory_service *memory;
    struct berth_error err;

    assert_ok(memory_service_make(&memory, &err), &err);
    assert_ok(memory_service_see(memory, iis_ports, 3, &err), &err);
    return memory;
}

static void assert_done(struct memory_service *memory, const char *method, const char *params)
{
    json_decref(method_done(memory, BERTH_ROLE_ADMIN, method, params));
}

static json_int_t number_in(const json_t *object, const char *outer, const char *inner)
{
    const json_t *value = json_object_get(json_object_get(object, outer), inner);

    assert_true(json_is_integer(value));
    return json_integer_value(value);
}

static void roles__each_method__takes_the_one_of_the_table(void **state)
{
    static const struct {
        const char *method;
        enum berth_role role;
    } table[] = {
        {"hello", BERTH_ROLE_NONE},        {"next", BERTH_ROLE_READER},
        {"free", BERTH_ROLE_READER},       {"who", BERTH_ROLE_READER},
        {"ports", BERTH_ROLE_READER},      {"leases", BERTH_ROLE_READER},
        {"status", BERTH_ROLE_READER},     {"allocate", BERTH_ROLE_ALLOCATOR},
        {"release", BERTH_ROLE_ALLOCATOR}, {"renew", BERTH_ROLE_ALLOCATOR},
        {"conflicts", BERTH_ROLE_READER},  {"reload", BERTH_ROLE_ADMIN},
        {"subscribe", BERTH_ROLE_READER},  {"history", BERTH_ROLE_READER},
        {"export", BERTH_ROLE_ADMIN},      {"import", BERTH_ROLE_ADMIN},
        {"adopt", BERTH_ROLE_ALLOCATOR},   {"handover", BERTH_ROLE_ALLOCATOR},
    };
    struct memory_service *memory = make_service();
    size_t count;

    (void)state;
    (void)berth_methods(&count);
    assert_int_equal(count, BERTH_COUNT(table));
    for (size_t i = 0; i < BERTH_COUNT(table); i++) {
        for (int role = BERTH_ROLE_NONE; role <= BERTH_ROLE_ADMIN; role++) {
            json_t *answer = method_ask(memory, (enum berth_role)role, table[i].method, NULL);
            const json_t *data = json_object_get(json_object_get(answer, "error"), "data");
            const char *reason = json_string_value(json_object_get(data, "reason"));
            bool denied = reason != NULL && strcmp(reason, "denied") == 0;
            assert_int_equal(denied, role < (int)table[i].role);
            json_decref(answer);
        }
    }
    memory_service_free(memory);
}

/* Without an id a method runs for its effect only: those that have one must not be passed over. */
static void methods__with_an_effect__are_those_of_the_list(void **state)
{
    static const char effective[] =
        " allocate release renew handover adopt subscribe import reload ";
    size_t count;
    const struct berth_method *methods = berth_methods(&count);

    (void)state;
    for (size_t i = 0; i < count; i++) {
        char word[32];
        (void)snprintf(word, sizeof word, " %s ", methods[i].name);
        if ((methods[i].kind == BERTH_METHOD_ACTS) != (strstr(effective, word) != NULL)) {
            fail_msg("%s", methods[i].name);
        }
    }
}

static void allocate__while_a_source_waits__not_ready_naming_it(void **state)
{
    struct memory_service *memory;
    struct berth_error err;

    (void)state;
    assert_ok(memory_service_make(&memory, &err), &err);
    json_t *error = method_refused(memory, BERTH_ROLE_ADMIN, "allocate", NULL, "not_ready");
    assert_non_null(
        strstr(json_string_value(json_object_get(error, "message")), "applicationHost.config"));
    json_decref(error);
    json_decref(method_refused(memory, BERTH_ROLE_ADMIN, "next", NULL, "not_ready"));
    assert_ok(memory_service_see(memory, NULL, 0, &err), &err);
    assert_done(memory, "allocate", NULL);
    memory_service_free(memory);
}

static void exhausted__counts__add_up_to_the_total(void **state)
{
    struct memory_service *memory = make_service();

    (void)state;
    assert_done(memory, "allocate", "{\"count\":64,\"key\":\"many\"}");
    json_t *error =
        method_refused(memory, BERTH_ROLE_ADMIN, "allocate", "{\"count\":64}", "pool_exhausted");
    const json_t *data = json_object_get(error, "data");
    json_int_t sum = json_integer_value(json_object_get(data, "free"));
    const char *name;
    json_t *value;
    json_object_foreach(json_object_get(data, "counts"), name, value)
    {
        sum += json_integer_value(value);
    }
    assert_int_equal(sum, 100);
    assert_int_equal(json_integer_value(json_object_get(data, "total")), 100);
    assert_int_equal(json_integer_value(json_object_get(data, "not_given")), 0);
    assert_int_equal(number_in(data, "counts", "leased"), 64);
    assert_int_equal(number_in(data, "counts", "iis"), 1);
    assert_int_equal(number_in(data, "counts", "reserved"), 1);
    /* nobody named a pool: the one that was looked in is named all the same */
    assert_string_equal(json_string_value(json_object_get(data, "pool")), "default");
    assert_non_null(strstr(json_string_value(json_object_get(error, "message")),
                           "ports are free in default 49000-49099"));
    json_decref(error);
    memory_service_free(memory);
}

static void limit_of_leases__reached__says_which_and_how_many(void **state)
{
    struct memory_service *memory = make_service();

    (void)state;
    for (int i = 0; i < 50; i++) {
        json_t *answer = method_ask(memory, BERTH_ROLE_ALLOCATOR, "allocate", NULL);
        assert_non_null(json_object_get(answer, "result"));
        json_decref(answer);
    }
    json_t *error = method_refused(memory, BERTH_ROLE_ALLOCATOR, "allocate", NULL, "limit_reached");
    const json_t *data = json_object_get(error, "data");
    const char *limit = json_string_value(json_object_get(data, "limit"));
    assert_non_null(limit);
    assert_string_equal(limit, "leasesPerUser");
    assert_int_equal(json_integer_value(json_object_get(data, "value")), 50);
    json_decref(error);
    assert_done(memory, "allocate", NULL); /* administrators are exempt */
    memory_service_free(memory);
}

static void hold__where_the_system_cannot__is_not_supported(void **state)
{
    struct memory_service *memory = make_service();

    (void)state;
    json_decref(method_refused(memory, BERTH_ROLE_ADMIN, "allocate",
                               "{\"hold\":true,\"holder\":\"any\"}", "not_supported"));
    json_decref(
        method_refused(memory, BERTH_ROLE_ADMIN, "allocate", "{\"keep\":3}", "invalid_params"));
    assert_done(memory, "allocate", "{\"hold\":false}");
    memory_service_free(memory);
}

static void renew__without_ttl_and_with__moves_the_end_only_outwards(void **state)
{
    struct memory_service *memory = make_service();
    char last[40] = "";
    static const char *const params[] = {"{\"key\":\"k\",\"ttl\":\"1h\"}", "{\"key\":\"k\"}",
                                         "{\"key\":\"k\",\"ttl\":\"1s\"}",
                                         "{\"key\":\"k\",\"ttl\":\"48h\"}"};

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(params); i++) {
        json_t *answer =
            method_ask(memory, BERTH_ROLE_ADMIN, i == 0 ? "allocate" : "renew", params[i]);
        const char *end =
            json_string_value(json_object_get(json_object_get(answer, "result"), "expires_at"));
        assert_non_null(end);
        assert_true(strcmp(end, last) >= 0);
        (void)snprintf(last, sizeof last, "%s", end);
        json_decref(answer);
    }
    assert_string_equal(last, "2023-11-16T22:13:20.000Z");
    memory_service_free(memory);
}

static void reload__refused__gives_the_reason(void **state)
{
    struct memory_service *memory = make_service();

    (void)state;
    assert_done(memory, "reload", NULL);
    memory->reload_outcome = BERTH_MALFORMED;
    json_t *error = method_refused(memory, BERTH_ROLE_ADMIN, "reload", NULL, "invalid_params");
    assert_non_null(strstr(json_string_value(json_object_get(error, "message")), ":3:"));
    json_decref(error);
    assert_int_equal(memory->reloads, 2);
    memory_service_free(memory);
}

static void who__in_words__quotes_what_people_named(void **state)
{
    struct memory_service *memory = make_service();
    json_t *answer = method_ask(memory, BERTH_ROLE_READER, "who", "{\"port\":49001}");
    const json_t *result = json_object_get(answer, "result");

    (void)state;
    assert_string_equal(json_string_value(json_object_get(result, "state")), "used");
    assert_non_null(
        strstr(json_string_value(json_object_get(result, "why")), "site Shop \"1\" binds it"));
    json_decref(answer);
    memory_service_free(memory);
}

static size_t two_hints(struct berth_service *service, struct berth_hint_view out[BERTH_HINTS_MAX])
{
    (void)service;
    out[0] = (struct berth_hint_view){.name = "http.sys events", .total = 12};
    out[1] = (struct berth_hint_view){.name = "WMI services", .reason = "it failed"};
    return 2;
}

static size_t no_hints(struct berth_service *service, struct berth_hint_view out[BERTH_HINTS_MAX])
{
    (void)service;
    (void)out;
    return 0;
}

static void status__hints__are_each_facility(void **state)
{
    struct memory_service *memory = make_service();
    json_t *expected =
        json_loads("[{\"facility\":\"http.sys events\",\"works\":true,\"total\":12},"
                   "{\"facility\":\"WMI services\",\"works\":false,\"reason\":\"it failed\","
                   "\"total\":0}]",
                   0, NULL);

    (void)state;
    memory->service.hints = two_hints;
    json_t *answer = method_ask(memory, BERTH_ROLE_READER, "status", NULL);
    assert_true(json_equal(json_object_get(json_object_get(answer, "result"), "hints"), expected));
    json_decref(answer);
    memory->service.hints = no_hints;
    answer = method_ask(memory, BERTH_ROLE_READER, "status", NULL);
    const json_t *hints = json_object_get(json_object_get(answer, "result"), "hints");
    assert_true(json_is_array(hints));
    assert_int_equal(json_array_size(hints), 0);
    json_decref(answer);
    json_decref(expected);
    memory_service_free(memory);
}

static void status__store_failing__is_among_the_warnings(void **state)
{
    struct memory_service *memory = make_service();
    struct berth_store_health health = {.failing = true, .since_unix_ms = 1};

    (void)state;
    (void)berth_fail(&health.error, BERTH_STORE_FAILED, 0, "the disk is full");
    memory->service.store_health = &health;
    json_t *answer = method_ask(memory, BERTH_ROLE_READER, "status", NULL);
    const json_t *warnings = json_object_get(json_object_get(answer, "result"), "warnings");
    const char *first = json_string_value(json_array_get(warnings, 0));
    assert_non_null(first);
    assert_string_equal(first, "leases cannot be changed: the disk is full");
    json_decref(answer);
    memory_service_free(memory);
}

/* Every method, each allocation of Berth's own failing in turn: an answer, and the books still
 * agree. (Leaks are for the sanitizer to tell.) */
static void methods__each_allocation_fails__answered_and_the_books_agree(void **state)
{
    static const char *const lines[] = {
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"hello\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"next\",\"params\":{\"count\":5}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"free\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"who\",\"params\":{\"port\":49001}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"ports\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"leases\"}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"status\"}",
        ("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"allocate\",\"params\":{\"key\":\"new\","
         "\"count\":3,\"holder\":\"any\",\"meta\":{\"a\":1}}}"),
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"allocate\",\"params\":{\"port\":49001}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"renew\",\"params\":{\"key\":\"old\"}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"release\",\"params\":{\"key\":\"old\"}}",
        "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"adopt\",\"params\":{\"dry_run\":false}}",
    };

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(lines); i++) {
        bool failed = true;
        for (size_t n = 1; failed; n++) {
            struct berth_text out;
            size_t live;
            struct memory_service *memory = make_service();
            assert_done(memory, "allocate", "{\"key\":\"old\"}");
            berth_text_init(&out, BERTH_ANSWER_MAX);
            memory_faults_begin(n, false);
            (void)memory_service_answer(memory, BERTH_ROLE_ADMIN, lines[i], strlen(lines[i]), &out);
            failed = memory_faults_end(&live); /* blocks older than _begin went too: no count */
            if (out.failed == BERTH_OK) {
                json_t *answer = json_loadb(out.data, out.length, 0, NULL);
                assert_non_null(answer);
                /* done, or as if it had never been asked */
                if (json_object_get(answer, "error") != NULL && failed) {
                    assert_int_equal(memory->service.allocator->book.live.count, 1);
                }
                json_decref(answer);
            }
            assert_done(memory, "status", NULL);
            assert_done(memory, "allocate", "{\"key\":\"new\",\"count\":3}");
            berth_text_fini(&out);
            memory_service_free(memory);
        }
    }
}

static void service__each_allocation_fails__is_an_error_without_a_leak(void **state)
{
    bool failed = true;

    (void)state;
    for (size_t n = 1; failed; n++) {
        struct memory_service *memory = NULL;
        struct berth_error err;
        size_t live;
        memory_faults_begin(n, false);
        enum berth_code code = memory_service_make(&memory, &err);
        if (code == BERTH_OK) {
            code = memory_service_see(memory, iis_ports, 3, &err);
            memory_service_free(memory);
        }
        failed = memory_faults_end(&live);
        assert_int_equal(live, 0);
        assert_code(code, failed ? BERTH_NO_MEMORY : BERTH_OK);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(roles__each_method__takes_the_one_of_the_table),
        cmocka_unit_test(methods__with_an_effect__are_those_of_the_list),
        cmocka_unit_test(allocate__while_a_source_waits__not_ready_naming_it),
        cmocka_unit_test(exhausted__counts__add_up_to_the_total),
        cmocka_unit_test(limit_of_leases__reached__says_which_and_how_many),
        cmocka_unit_test(hold__where_the_system_cannot__is_not_supported),
        cmocka_unit_test(status__store_failing__is_among_the_warnings),
        cmocka_unit_test(status__hints__are_each_facility),
        cmocka_unit_test(renew__without_ttl_and_with__moves_the_end_only_outwards),
        cmocka_unit_test(reload__refused__gives_the_reason),
        cmocka_unit_test(who__in_words__quotes_what_people_named),
        cmocka_unit_test(methods__each_allocation_fails__answered_and_the_books_agree),
        cmocka_unit_test(service__each_allocation_fails__is_an_error_without_a_leak),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
