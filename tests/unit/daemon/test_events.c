/* SPDX-License-Identifier: MIT */
/* Tests of daemon/events and of `subscribe`: what each event says, to whom. */
#include "daemon/events.h"

#include "cmocka_all.h"
#include "memory_faults.h"
#include "memory_service.h"

#include <stdio.h>

static struct memory_service *memory;

static int set_up(void **state)
{
    struct berth_error err;

    (void)state;
    if (memory_service_make(&memory, &err) != BERTH_OK) {
        return -1;
    }
    return memory_service_see(memory, NULL, 0, &err) == BERTH_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    memory_service_free(memory);
    return 0;
}

/* The whole answer to a request, for json_decref(). */
static json_t *ask(const char *method, const char *params)
{
    struct berth_text out;
    char line[1000];
    int length =
        snprintf(line, sizeof line,
                 "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"%s\",\"params\":%s}", method, params);

    berth_text_init(&out, BERTH_ANSWER_MAX);
    (void)memory_service_answer(memory, BERTH_ROLE_ADMIN, line, (size_t)length, &out);
    json_t *answer = json_loadb(out.data, out.length, JSON_REJECT_DUPLICATES, NULL);
    berth_text_fini(&out);
    assert_non_null(answer);
    return answer;
}

static void done(const char *method, const char *params)
{
    json_t *answer = ask(method, params);

    if (json_object_get(answer, "result") == NULL) {
        fail_msg("%s: %s", method,
                 json_string_value(json_object_get(json_object_get(answer, "error"), "message")));
    }
    json_decref(answer);
}

static void refused(const char *method, const char *params, const char *reason, const char *says)
{
    json_t *answer = ask(method, params);
    const json_t *error = json_object_get(answer, "error");

    assert_string_equal(
        json_string_value(json_object_get(json_object_get(error, "data"), "reason")), reason);
    if (strstr(json_string_value(json_object_get(error, "message")), says) == NULL) {
        fail_msg("%s", json_string_value(json_object_get(error, "message")));
    }
    json_decref(answer);
}

/* Writes the events that are due, "type port state" each, and checks what all have. */
static void assert_events(const char *expected)
{
    char text[2000] = "";
    size_t used = 0;
    const struct berth_event *event;
    uint64_t last = 0;

    while ((event = berth_event_log_next(memory->events.log, &memory->subscription)) != NULL) {
        struct berth_text line;
        berth_text_init(&line, 65536);
        berth_events_write(&line, event);
        assert_true(line.data[line.length - 1] == '\n');
        json_t *whole = json_loadb(line.data, line.length, JSON_REJECT_DUPLICATES, NULL);
        const json_t *params = json_object_get(whole, "params");
        assert_string_equal(json_string_value(json_object_get(whole, "method")), "event");
        assert_null(json_object_get(whole, "id"));
        assert_int_equal(json_integer_value(json_object_get(params, "revision")), event->revision);
        assert_true(event->revision > last);
        last = event->revision;
        assert_string_equal(json_string_value(json_object_get(params, "topic")),
                            berth_topic_name(event->topic));
        assert_string_equal(json_string_value(json_object_get(params, "time")),
                            "2023-11-14T22:13:20.000Z");
        const char *state = json_string_value(json_object_get(params, "state"));
        used += (size_t)snprintf(text + used, sizeof text - used, "%s %d%s%s\n",
                                 json_string_value(json_object_get(params, "type")),
                                 (int)json_integer_value(json_object_get(params, "port")),
                                 state != NULL ? " " : "", state != NULL ? state : "");
        json_decref(whole);
        berth_text_fini(&line);
    }
    assert_string_equal(text, expected);
}

static void a_lease__from_grant_to_release__is_told_in_order(void **state)
{
    static const uint16_t shop[] = {49000};
    struct berth_error err;

    (void)state;
    done("subscribe", "{}");
    done("allocate", "{\"key\":\"shop\",\"holder\":\"site:Shop \\\"1\\\"\"}");
    assert_ok(memory_service_see(memory, shop, 1, &err), &err);
    assert_ok(memory_service_see(memory, NULL, 0, &err), &err);
    done("release", "{\"key\":\"shop\"}");
    memory->now.ms += 60000; /* the cool-down, and ten minutes' lingering goes on */
    assert_events("port.used 49000 leased\n"
                  "lease.granted 49000 pending\n"
                  "lease.active 49000 active\n"
                  "lease.lingering 49000 lingering\n"
                  "lease.released 49000 released\n");
    memory->now.ms += 600000;
    (void)berth_allocator_tick(memory->service.allocator, memory->now);
    assert_events("port.freed 49000 free\n");
}

static void nobody_follows__changes_cost_nothing_and_are_said_to_be_missing(void **state)
{
    uint64_t revision = memory->service.allocator->revision;
    char params[64];

    (void)state;
    done("allocate", "{\"key\":\"shop\"}");
    assert_null(memory->events.text.data); /* nothing was ever written out */
    (void)snprintf(params, sizeof params, "{\"since\":%llu}", (unsigned long long)revision);
    done("subscribe", params);
    assert_true(memory->subscription.lost);
    (void)berth_event_log_skip(memory->events.log, &memory->subscription, revision);
    done("allocate", "{\"key\":\"blog\"}");
    assert_events("port.used 49001 leased\n"
                  "lease.granted 49001 pending\n");
    /* the same holds for who was told a revision */
    memory->events.followed_ms = 0;
    done("leases", "{}");
    assert_true(memory->events.followed_ms == memory->now.ms);
    /* for a while after the last one was there events are kept for the one that comes back */
    memory->now.ms += BERTH_EVENTS_FOLLOWED_MS - 1;
    done("allocate", "{\"key\":\"wiki\"}");
    assert_events("port.used 49002 leased\n"
                  "lease.granted 49002 pending\n");
    memory->now.ms += 1;
    done("allocate", "{\"key\":\"mail\"}");
    assert_events("");
    assert_true(memory->subscription.lost);
}

static void ports__of_no_pool__are_not_told(void **state)
{
    static const uint16_t ports[] = {80, 21000};
    struct berth_error err;

    (void)state;
    done("subscribe", "{\"topics\":[\"ports\"]}");
    assert_ok(memory_service_see(memory, ports, 2, &err), &err);
    assert_events("port.used 21000 used\n");
}

static void topics__only_the_wanted_ones_come(void **state)
{
    uint64_t since = memory->service.allocator->revision;

    (void)state;
    done("subscribe", "{\"topics\":[\"leases\",\"pools\"]}");
    done("allocate", "{\"key\":\"shop\"}");
    assert_events("lease.granted 49000 pending\n");
    char params[64]; /* another wish: in its place */
    (void)snprintf(params, sizeof params, "{\"topics\":[\"ports\"],\"since\":%llu}",
                   (unsigned long long)since);
    done("subscribe", params);
    assert_int_equal(memory->service.subscribers_now, 1);
    assert_events("port.used 49000 leased\n");
}

static void sources__state_changes__are_told_with_the_reason(void **state)
{
    struct berth_sources *sources = &memory->service.allocator->sources;

    (void)state;
    done("subscribe", "{\"topics\":[\"sources\"]}");
    (void)berth_allocator_report_state(memory->service.allocator, memory->iis, BERTH_STATE_STALE,
                                       "line 3 is damaged", memory->now);
    berth_events_source(&memory->events, &sources->at[memory->iis], memory->now);
    const struct berth_event *event =
        berth_event_log_next(memory->events.log, &memory->subscription);
    assert_non_null(strstr(event->text, "\"type\":\"source.stale\",\"source\":\"iis\""));
    assert_non_null(strstr(event->text, "\"reason\":\"line 3 is damaged\""));
}

static void conflicts__opened_and_closed__have_one_id(void **state)
{
    struct berth_conflict_entry entry = {
        .conflict = {.id = 0xabc, .kind = BERTH_CONFLICT_LEASE_TAKEN, .port = 49000},
        .text = "port 49000 is leased and taken"};

    (void)state;
    done("subscribe", "{\"topics\":[\"conflicts\"]}");
    berth_events_conflict(&memory->events, &entry, true, memory->now);
    memory->service.allocator->revision++;
    berth_events_conflict(&memory->events, &entry, false, memory->now);
    for (int i = 0; i < 2; i++) {
        const struct berth_event *event =
            berth_event_log_next(memory->events.log, &memory->subscription);
        assert_non_null(
            strstr(event->text, i == 0 ? "\"conflict.opened\"" : "\"conflict.closed\""));
        assert_non_null(
            strstr(event->text, "\"id\":\"0000000000000abc\",\"kind\":\"lease_taken\""));
        assert_non_null(strstr(event->text, "\"text\":\"port 49000 is leased and taken\""));
    }
}

static void lost__says_from_where_to_where(void **state)
{
    struct berth_text line;

    (void)state;
    berth_text_init(&line, 65536);
    berth_events_write_lost(&line, 7, 99, memory->now);
    assert_string_equal(berth_text_string(&line),
                        "{\"jsonrpc\":\"2.0\",\"method\":\"event\",\"params\":{\"revision\":99,"
                        "\"time\":\"2023-11-14T22:13:20.000Z\",\"topic\":\"events\","
                        "\"type\":\"events.lost\",\"after\":7}}\n");
    berth_text_fini(&line);
}

static void subscribe__what_it_does_not_know__is_refused(void **state)
{
    (void)state;
    refused("subscribe", "{\"topics\":[\"leases\",\"weather\"]}", "invalid_params", "weather");
    refused("subscribe", "{\"topics\":[]}", "invalid_params", "leave it out");
    refused("subscribe", "{\"topics\":[1]}", "invalid_params", "what is no string");
    refused("subscribe", "{\"topics\":\"leases\"}", "invalid_params", "an array is accepted");
    refused("subscribe", "{\"since\":-1}", "invalid_params", "a whole number from 0");
    assert_int_equal(memory->subscription.topics, 0);
    memory->settings.limits.subscribers = 0;
    refused("subscribe", "{}", "limit_reached", "subscribers=\"0\"");
    assert_int_equal(memory->service.subscribers_now, 0);
}

static void events__each_allocation_fails__are_lost_and_said_so(void **state)
{
    bool failed = true;

    (void)state;
    for (size_t n = 1; failed; n++) {
        size_t live;
        done("subscribe", "{\"topics\":[\"leases\"]}");
        berth_text_fini(&memory->events.text); /* its memory is kept otherwise */
        memory->service.allocator->revision++;
        done("allocate", "{\"key\":\"shop\"}");
        while (berth_event_log_next(memory->events.log, &memory->subscription) != NULL) {
        }
        struct berth_lease *lease =
            berth_lease_book_find(&memory->service.allocator->book, "shop", "");
        berth_text_fini(&memory->events.text);
        memory->service.allocator->revision++;
        memory_faults_begin(n, false);
        berth_events_lease(&memory->events, lease, BERTH_LEASE_EVENT_RENEWED, memory->now);
        failed = memory_faults_end(&live);
        bool got = berth_event_log_next(memory->events.log, &memory->subscription) != NULL;
        assert_true(got == !failed);
        assert_true(memory->subscription.lost == failed);
    }
}

#define CASE(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_lease__from_grant_to_release__is_told_in_order),
        CASE(nobody_follows__changes_cost_nothing_and_are_said_to_be_missing),
        CASE(ports__of_no_pool__are_not_told),
        CASE(topics__only_the_wanted_ones_come),
        CASE(sources__state_changes__are_told_with_the_reason),
        CASE(conflicts__opened_and_closed__have_one_id),
        CASE(lost__says_from_where_to_where),
        CASE(subscribe__what_it_does_not_know__is_refused),
        CASE(events__each_allocation_fails__are_lost_and_said_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
