/* SPDX-License-Identifier: MIT */
/* The metrics: what they say of a known service, that they are of the form that Prometheus reads,
 * and that docs/alerts.md has each of them. */
#include "daemon/metrics_text.h"

#include "cmocka_all.h"
#include "memory_faults.h"
#include "memory_service.h"
#include "temp_dir.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

static struct memory_service *memory;
static struct berth_text text;

static int set_up(void **state)
{
    struct berth_error err;

    (void)state;
    berth_text_init(&text, BERTH_METRICS_MAX);
    return memory_service_make(&memory, &err) == BERTH_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    berth_text_fini(&text);
    memory_service_free(memory);
    return 0;
}

static void write_text(void)
{
    berth_text_clear(&text);
    berth_metrics_write(&text, &memory->service, memory->now);
    assert_int_equal(text.failed, BERTH_OK);
}

static void assert_line(const char *line)
{
    char whole[400];

    (void)snprintf(whole, sizeof whole, "\n%s\n", line);
    if (strstr(berth_text_string(&text), whole) == NULL) {
        fail_msg("no line %s in\n%s", line, berth_text_string(&text));
    }
}

static void ask(const char *line)
{
    struct berth_text out;

    berth_text_init(&out, BERTH_ANSWER_MAX);
    (void)memory_service_answer(memory, BERTH_ROLE_ADMIN, line, strlen(line), &out);
    assert_non_null(strstr(berth_text_string(&out), "\"result\""));
    berth_text_fini(&out);
}

static void metrics__a_known_service__has_its_numbers(void **state)
{
    static const uint16_t ports[] = {49001, 49002, 80};
    struct berth_error err;

    (void)state;
    memory->settings.pools[0].low_ports = 17;
    assert_ok(memory_service_see(memory, ports, 3, &err), &err);
    ask("{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"allocate\",\"params\":{\"key\":\"a\"}}");
    memory->now.ms += 2345;
    memory->service.connections_now = 3;
    memory->service.connections_accepted = 9;
    memory->service.events_lost = 2;
    write_text();
    assert_line("berth_pool_ports{pool=\"default\",state=\"leased\"} 1");
    assert_line("berth_pool_ports{pool=\"default\",state=\"iis\"} 2");
    assert_line("berth_pool_ports{pool=\"default\",state=\"reserved\"} 1");
    assert_line("berth_pool_ports{pool=\"default\",state=\"free\"} 96");
    assert_line("berth_pool_free_ports{pool=\"default\"} 96");
    assert_line("berth_pool_free_ports{pool=\"qa\"} 10");
    assert_line("berth_pool_low_threshold{pool=\"default\"} 17");
    assert_line("berth_leases{state=\"pending\"} 1");
    assert_line("berth_leases{state=\"active\"} 0");
    assert_line("berth_conflicts{kind=\"duplicate_binding\",severity=\"error\"} 0");
    assert_line(
        "berth_source_state{source=\"iis\",name=\"applicationHost.config\",state=\"ready\"} 1");
    assert_line(
        "berth_source_state{source=\"iis\",name=\"applicationHost.config\",state=\"stale\"} 0");
    assert_line("berth_source_age_seconds{source=\"iis\",name=\"applicationHost.config\"} 2.345");
    assert_line("berth_source_claims{source=\"iis\",name=\"applicationHost.config\"} 3");
    assert_line("berth_start_time_seconds 1700000000");
    assert_line("berth_connections 3");
    assert_line("berth_connections_accepted_total 9");
    assert_line("berth_events_lost_total 2");
}

static void metrics__waiting_source__has_no_age(void **state)
{
    (void)state;
    write_text();
    assert_null(strstr(berth_text_string(&text), "\nberth_source_age_seconds{"));
    assert_line(
        "berth_source_state{source=\"iis\",name=\"applicationHost.config\",state=\"waiting\"} 1");
}

static void metrics__histogram__is_cumulative(void **state)
{
    (void)state;
    berth_latency_note(&memory->service.latency, 4000);
    berth_latency_note(&memory->service.latency, 20000);
    berth_latency_note(&memory->service.latency, 20000);
    berth_latency_note(&memory->service.latency, 5000000000);
    write_text();
    assert_line("berth_request_duration_seconds_bucket{le=\"0.000005000\"} 1");
    assert_line("berth_request_duration_seconds_bucket{le=\"0.000010000\"} 1");
    assert_line("berth_request_duration_seconds_bucket{le=\"0.000025000\"} 3");
    assert_line("berth_request_duration_seconds_bucket{le=\"1.000000000\"} 3");
    assert_line("berth_request_duration_seconds_bucket{le=\"+Inf\"} 4");
    assert_line("berth_request_duration_seconds_sum 5.000044000");
    assert_line("berth_request_duration_seconds_count 4");
}

static void metrics__store__shows_when_there_is_one(void **state)
{
    struct berth_store_health health = {.failing = true, .refused = 5};

    (void)state;
    write_text();
    assert_null(strstr(berth_text_string(&text), "berth_store"));
    memory->service.store_health = &health;
    write_text();
    memory->service.store_health = NULL;
    assert_line("berth_store_failing 1");
    assert_line("berth_store_refused_total 5");
}

static void labels__quotes_backslashes_and_line_ends__are_escaped(void **state)
{
    char *name = memory->service.allocator->sources.at[memory->iis].name;

    (void)state;
    (void)snprintf(name, strlen(name) + 1, "C:\\\"\n");
    write_text();
    assert_non_null(strstr(berth_text_string(&text), "name=\"C:\\\\\\\"\\n\""));
}

/* ---- the form, read strictly ---- */

static const char *skip_name(const char *at)
{
    assert_true(isalpha((unsigned char)*at) || *at == '_' || *at == ':');
    while (isalnum((unsigned char)*at) || *at == '_' || *at == ':') {
        at++;
    }
    return at;
}

static const char *skip_labels(const char *at)
{
    do {
        at = skip_name(at + 1);
        assert_memory_equal(at, "=\"", 2);
        for (at += 2; *at != '"'; at++) {
            assert_true(*at != '\0' && *at != '\n');
            if (*at == '\\') {
                at++;
                assert_non_null(strchr("\\\"n", *at));
            }
        }
        at++;
    } while (*at == ',');
    assert_int_equal(*at, '}');
    return at + 1;
}

/* Checks one sample; puts its metric's name into `name`. */
static void check_sample(const char *line, char *name, size_t size)
{
    const char *at = skip_name(line);
    char *end;

    (void)snprintf(name, size, "%.*s", (int)(at - line), line);
    at = *at == '{' ? skip_labels(at) : at;
    assert_int_equal(*at, ' ');
    double value = strtod(at + 1, &end);
    assert_true(end != at + 1 && *end == '\0' && value >= 0 && value <= 1e18);
}

/* Each metric: HELP, TYPE, then its samples together, none twice; counters end with _total. */
static void metrics__form__is_what_prometheus_reads(void **state)
{
    static const uint16_t ports[] = {49001};
    struct berth_store_health health = {.failing = false};
    struct berth_error err;
    char metric[100] = "";
    char type[20] = "";
    char seen[8000] = "\n";
    char lines[40000] = "\n";

    (void)state;
    assert_ok(memory_service_see(memory, ports, 1, &err), &err);
    memory->service.store_health = &health;
    write_text();
    memory->service.store_health = NULL;
    assert_int_equal(text.data[text.length - 1], '\n');
    for (char *line = strtok(text.data, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        char name[100];
        char wanted[120];
        if (strncmp(line, "# HELP ", 7) == 0) {
            assert_int_equal(sscanf(line, "# HELP %99s", metric), 1);
            (void)snprintf(wanted, sizeof wanted, "\n%s\n", metric);
            assert_null(strstr(seen, wanted));
            (void)snprintf(seen + strlen(seen), sizeof seen - strlen(seen), "%s\n", metric);
        } else if (strncmp(line, "# TYPE ", 7) == 0) {
            assert_int_equal(sscanf(line, "# TYPE %99s %19s", name, type), 2);
            assert_string_equal(name, metric);
            assert_true((strcmp(type, "counter") == 0) == (strstr(name, "_total") != NULL));
        } else {
            check_sample(line, name, sizeof name);
            assert_memory_equal(name, metric, strlen(metric));
            assert_true(strcmp(type, "histogram") == 0 || strcmp(name, metric) == 0);
            size_t identity = (size_t)(strrchr(line, ' ') - line);
            char *found = strstr(lines, line);
            assert_true(found == NULL || found[identity] != ' ');
            (void)snprintf(lines + strlen(lines), sizeof lines - strlen(lines), "%s\n", line);
        }
    }
}

static void metrics__each__is_in_the_documentation(void **state)
{
    struct berth_store_health health = {.failing = false};
    size_t size;
    char *page = read_whole_file(TEST_SOURCE_ROOT "/docs/alerts.md", &size);
    unsigned count = 0;

    (void)state;
    memory->service.store_health = &health;
    write_text();
    memory->service.store_health = NULL;
    for (const char *at = strstr(text.data, "# TYPE "); at != NULL;
         at = strstr(at + 1, "# TYPE ")) {
        char name[100];
        char quoted[104];
        assert_int_equal(sscanf(at, "# TYPE %99s", name), 1);
        (void)snprintf(quoted, sizeof quoted, "`%s`", name);
        if (strstr(page, quoted) == NULL) {
            fail_msg("docs/alerts.md has no %s", quoted);
        }
        count++;
    }
    assert_true(count > 15);
    free(page);
}

static void metrics__no_memory__shows_in_the_text(void **state)
{
    size_t live;

    (void)state;
    memory_faults_begin(1, true);
    berth_metrics_write(&text, &memory->service, memory->now);
    assert_true(memory_faults_end(&live));
    assert_int_equal(text.failed, BERTH_NO_MEMORY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(metrics__a_known_service__has_its_numbers, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(metrics__waiting_source__has_no_age, set_up, tear_down),
        cmocka_unit_test_setup_teardown(metrics__histogram__is_cumulative, set_up, tear_down),
        cmocka_unit_test_setup_teardown(metrics__store__shows_when_there_is_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(labels__quotes_backslashes_and_line_ends__are_escaped,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(metrics__form__is_what_prometheus_reads, set_up, tear_down),
        cmocka_unit_test_setup_teardown(metrics__each__is_in_the_documentation, set_up, tear_down),
        cmocka_unit_test_setup_teardown(metrics__no_memory__shows_in_the_text, set_up, tear_down),
    };
    return cmocka_run_group_tests_name("daemon.metrics_text", tests, NULL, NULL);
}
