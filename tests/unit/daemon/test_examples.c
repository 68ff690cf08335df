/* SPDX-License-Identifier: MIT */
/* The examples for Prometheus and Grafana against what berthd writes: each metric, label and value
 * of a label in an expression, a legend or a text is there. A metric that is renamed fails here. */
#include "base/memory.h"
#include "cmocka_all.h"
#include "daemon/alerts.h"
#include "daemon/metrics_text.h"
#include "memory_service.h"
#include "temp_dir.h"

#include <ctype.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#define EXAMPLES TEST_SOURCE_ROOT "/config/examples/"
#define NAMES_MAX 20

static struct berth_text metrics;
static char *folder;

/* ---- the metrics of a daemon that has all there is ---- */

static void add_channels(struct memory_service *memory)
{
    struct berth_command_settings *command = berth_alloc(1, sizeof *command);

    assert_non_null(command);
    command->path = berth_copy("/ops/on-alert");
    command->timeout_ms = 1000;
    memory->settings.alerts.commands = command;
    memory->settings.alerts.command_count = 1;
}

static int write_metrics(void **state)
{
    static const uint16_t ports[] = {49001};
    struct berth_store_health health = {.failing = false};
    struct memory_service *memory;
    struct berth_error err;
    uv_loop_t loop;

    (void)state;
    berth_text_init(&metrics, BERTH_METRICS_MAX);
    folder = temp_dir_make();
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_ok(memory_service_make(&memory, &err), &err);
    assert_ok(memory_service_see(memory, ports, 1, &err), &err);
    memory->service.store_health = &health;
    add_channels(memory);
    assert_ok(berth_alerts_create(&memory->service.alerts, &loop, &memory->service, &err), &err);
    berth_alerts_apply(memory->service.alerts, memory->now);
    berth_metrics_write(&metrics, &memory->service, memory->now);
    assert_int_equal(metrics.failed, BERTH_OK);
    berth_alerts_stop(memory->service.alerts);
    berth_alerts_destroy(memory->service.alerts);
    memory->service.alerts = NULL;
    memory->service.store_health = NULL;
    memory_service_free(memory);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    return uv_loop_close(&loop);
}

static int forget_metrics(void **state)
{
    (void)state;
    berth_text_fini(&metrics);
    temp_dir_remove(folder);
    return 0;
}

/* Finds a line that begins with the metric; `part` NULL: any. */
static bool has_sample(const char *metric, const char *part)
{
    size_t length = strlen(metric);
    const char *line = berth_text_string(&metrics);

    for (; line != NULL && *line != '\0'; line = strchr(line, '\n'), line += line != NULL) {
        const char *end = strchr(line, '\n');
        const char *found = part != NULL ? strstr(line, part) : line;
        if (strncmp(line, metric, length) == 0 && (line[length] == '{' || line[length] == ' ') &&
            found != NULL && found < end) {
            return true;
        }
    }
    return false;
}

static bool has_label(const char *metric, const char *label)
{
    char first[100];
    char later[100];

    (void)snprintf(first, sizeof first, "{%s=\"", label);
    (void)snprintf(later, sizeof later, ",%s=\"", label);
    return strcmp(label, "instance") == 0 || has_sample(metric, first) || has_sample(metric, later);
}

/* ---- expressions ---- */

struct expression {
    const char *text;
    char names[NAMES_MAX][64]; /* metrics of Berth in it */
    size_t count;
};

static bool is_word(const char *word)
{
    static const char *const words[] = {"sum",
                                        "max",
                                        "increase",
                                        "rate",
                                        "histogram_quantile",
                                        "by",
                                        "or",
                                        "and",
                                        "time",
                                        "instance",
                                        "node_textfile_mtime_seconds",
                                        "label_values",
                                        "m",
                                        "h",
                                        "file",
                                        "s",
                                        "windows_textfile_mtime_seconds"};

    for (size_t i = 0; i < BERTH_COUNT(words); i++) {
        if (strcmp(words[i], word) == 0) {
            return true;
        }
    }
    return false;
}

static bool any_has_label(const struct expression *expression, const char *label)
{
    for (size_t i = 0; i < expression->count; i++) {
        if (has_label(expression->names[i], label)) {
            return true;
        }
    }
    return false;
}

static const char *take_word(char out[64], const char *at)
{
    size_t length = 0;

    while (isalnum((unsigned char)at[length]) || at[length] == '_' || at[length] == ':') {
        assert_true(length < 63);
        out[length] = at[length];
        length++;
    }
    out[length] = '\0';
    return at + length;
}

/* One value or several, "a|b": each is there, except what Grafana fills in. */
static void check_values(const char *metric, const char *label, const char *values, size_t length)
{
    const char *at = values;
    const char *end = values + length;

    while (at < end && *at != '$') {
        size_t one = strcspn(at, "|\"");
        char sample[200];
        (void)snprintf(sample, sizeof sample, "%s=\"%.*s\"", label, (int)one, at);
        if (!has_sample(metric, sample)) {
            fail_msg("%s has no %s", metric, sample);
        }
        at += one + 1;
    }
}

/* From the brace on.  @return what comes after the other one */
static const char *check_selector(const char *metric, const char *at)
{
    bool ours = strncmp(metric, "berth_", 6) == 0;

    do {
        char label[64];
        at = take_word(label, at + 1);
        at += strspn(at, "=!~");
        assert_int_equal(*at, '"');
        const char *value = at + 1;
        for (at = value; *at != '"'; at++) {
            assert_true(*at != '\0');
        }
        if (ours && !has_label(metric, label)) {
            fail_msg("%s has no label %s", metric, label);
        }
        if (ours && strcmp(label, "instance") != 0) {
            check_values(metric, label, value, (size_t)(at - value));
        }
        at++;
    } while (*at == ',');
    assert_int_equal(*at, '}');
    return at + 1;
}

static const char *check_word(struct expression *expression, const char *at)
{
    char word[64];

    at = take_word(word, at);
    if (strncmp(word, "berth_", 6) == 0) {
        if (!has_sample(word, NULL)) {
            fail_msg("berthd writes no %s, which stands in %s", word, expression->text);
        }
        assert_true(expression->count < NAMES_MAX);
        (void)snprintf(expression->names[expression->count++], 64, "%s", word);
    }
    return *at == '{' ? check_selector(word, at) : at;
}

/* Words that are neither a metric of Berth nor known ones must be labels of its metrics. */
static void check_expression(struct expression *expression, const char *text)
{
    *expression = (struct expression){.text = text};
    for (const char *at = text; *at != '\0';) {
        bool begins = isalpha((unsigned char)*at) || *at == '_';
        at = begins ? check_word(expression, at) : at + 1;
    }
    for (const char *at = text; *at != '\0';) {
        char word[64];
        if (*at == '{') { /* was looked at */
            at = strchr(at, '}');
        } else if (!isalpha((unsigned char)*at)) {
            at++;
        } else {
            at = take_word(word, at);
            if (strncmp(word, "berth_", 6) != 0 && !is_word(word) &&
                !any_has_label(expression, word)) {
                fail_msg("what is %s in %s?", word, text);
            }
        }
    }
}

/* "{{ $labels.kind }}" of Prometheus, "{{kind}}" of Grafana */
static void check_template(const struct expression *expression, const char *text)
{
    for (const char *at = strstr(text, "{{"); at != NULL; at = strstr(at, "{{")) {
        char word[64];
        at += 2 + strspn(at + 2, " ");
        bool label = strncmp(at, "$labels.", 8) == 0;
        bool value = strncmp(at, "$value", 6) == 0;
        (void)take_word(word, label ? at + 8 : at);
        if (!value && !any_has_label(expression, word)) {
            fail_msg("%s has no label %s for: %s", expression->text, word, text);
        }
        /* what the expression groups by is all that is left of the labels */
        const char *by = strstr(expression->text, "by (");
        const char *found = by != NULL ? strstr(by, word) : NULL;
        if (!value && by != NULL && (found == NULL || found > strchr(by, ')'))) {
            fail_msg("%s takes the label %s away", expression->text, word);
        }
    }
}

/* ---- Grafana ---- */

static void check_target(const json_t *target)
{
    struct expression expression;
    const char *text = json_string_value(json_object_get(target, "expr"));

    assert_non_null(text);
    check_expression(&expression, text);
    assert_true(expression.count > 0);
    check_template(&expression, json_string_value(json_object_get(target, "legendFormat")));
}

static void dashboard__each_expression__is_of_what_berthd_writes(void **state)
{
    json_t *dashboard =
        json_load_file(EXAMPLES "grafana-dashboard.json", JSON_REJECT_DUPLICATES, NULL);
    size_t targets = 0;
    size_t index;
    size_t inner;
    json_t *panel;
    json_t *target;

    (void)state;
    assert_non_null(dashboard);
    json_array_foreach(json_object_get(dashboard, "panels"), index, panel)
    {
        assert_int_equal(json_integer_value(json_object_get(panel, "id")), index + 1);
        assert_non_null(json_string_value(json_object_get(panel, "title")));
        assert_int_equal(json_object_size(json_object_get(panel, "gridPos")), 4);
        json_array_foreach(json_object_get(panel, "targets"), inner, target)
        {
            check_target(target);
            targets++;
        }
    }
    assert_true(targets >= 12);
    json_array_foreach(json_object_get(json_object_get(dashboard, "templating"), "list"), index,
                       panel)
    {
        const char *query = json_string_value(json_object_get(panel, "query"));
        struct expression expression;
        if (strcmp(query, "prometheus") != 0) {
            check_expression(&expression, query);
            assert_int_equal(expression.count, 1);
        }
    }
    json_decref(dashboard);
}

/* ---- Prometheus ---- */

/* The rules as they are laid out: one key a line, at its depth. promtool reads the file, too, where
 * there is one (posix/test_promtool.c). */
struct rules {
    struct expression expression; /* of the rule that is read */
    char expr[400];
    bool has_severity;
    bool has_summary;
    size_t count;
};

static void end_rule(struct rules *rules)
{
    if (rules->count > 0) {
        assert_true(rules->expr[0] != '\0' && rules->has_severity && rules->has_summary);
    }
    rules->expr[0] = '\0';
    rules->has_severity = false;
    rules->has_summary = false;
}

static const char *after(const char *line, const char *key)
{
    size_t length = strlen(key);

    return strncmp(line, key, length) == 0 ? line + length : NULL;
}

static void read_line(struct rules *rules, const char *line)
{
    const char *value;

    if (after(line, "      - alert: Berth") != NULL) {
        end_rule(rules);
        rules->count++;
    } else if ((value = after(line, "        expr: ")) != NULL) {
        (void)snprintf(rules->expr, sizeof rules->expr, "%s", value);
        check_expression(&rules->expression, rules->expr);
    } else if ((value = after(line, "        labels: { severity: ")) != NULL) {
        rules->has_severity = true;
        assert_true(strcmp(value, "critical }") == 0 || strcmp(value, "warning }") == 0);
    } else if ((value = after(line, "          summary: ")) != NULL ||
               (value = after(line, "          description: ")) != NULL) {
        rules->has_summary = true;
        assert_true(value[0] == '"' && value[strlen(value) - 1] == '"');
        if (strstr(rules->expr, "node_textfile") == NULL) {
            check_template(&rules->expression, value);
        }
    } else if ((value = after(line, "        for: ")) != NULL) {
        assert_true(value[strlen(value) - 1] == 'm' && strspn(value, "0123456789") > 0);
    } else if (strcmp(line, "        annotations:") != 0 && line[strspn(line, " ")] != '#' &&
               strcmp(line, "groups:") != 0 && strcmp(line, "  - name: berth") != 0 &&
               strcmp(line, "    rules:") != 0) {
        fail_msg("what is: %s", line);
    }
}

static void rules__each__is_of_what_berthd_writes(void **state)
{
    struct rules rules = {.count = 0};
    size_t size;
    char *text = read_whole_file(EXAMPLES "prometheus-rules.yml", &size);

    (void)state;
    for (char *line = strtok(text, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        read_line(&rules, line);
    }
    end_rule(&rules);
    assert_int_equal(rules.count, 9);
    free(text);
}

/* A daemon that has died shows by the age of its file, which each exporter tells in its own way. */
static void rules__old_file__is_told_by_the_exporters_of_both_systems(void **state)
{
    size_t size;
    char *text = read_whole_file(EXAMPLES "prometheus-rules.yml", &size);
    const char *rule = strstr(text, "- alert: BerthMetricsOld\n");

    (void)state;
    assert_non_null(rule);
    assert_non_null(strstr(rule, "node_textfile_mtime_seconds{file=~"));
    assert_non_null(strstr(rule, "windows_textfile_mtime_seconds{file=~"));
    free(text);
}

/* The documentation names rules and files that there are. */
static void documentation__names__are_there(void **state)
{
    size_t size;
    char *page = read_whole_file(TEST_SOURCE_ROOT "/docs/alerts.md", &size);
    char *rules = read_whole_file(EXAMPLES "prometheus-rules.yml", &size);

    (void)state;
    for (const char *at = strstr(page, "`Berth"); at != NULL; at = strstr(at + 1, "`Berth")) {
        char name[64];
        char line[100];
        (void)take_word(name, at + 1);
        (void)snprintf(line, sizeof line, "- alert: %s\n", name);
        if (strstr(name, "Berth ") == NULL && name[5] != '\0' && strstr(rules, line) == NULL) {
            fail_msg("there is no rule %s", name);
        }
    }
    free(rules);
    free(page);
}

/* With a file's name it writes the metrics there, for promtool (posix/promtool.sh). */
int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(dashboard__each_expression__is_of_what_berthd_writes),
        cmocka_unit_test(rules__each__is_of_what_berthd_writes),
        cmocka_unit_test(rules__old_file__is_told_by_the_exporters_of_both_systems),
        cmocka_unit_test(documentation__names__are_there),
    };
    if (argc == 2) {
        (void)write_metrics(NULL);
        write_file(argv[1], metrics.data, metrics.length);
        return forget_metrics(NULL);
    }
    return cmocka_run_group_tests_name("daemon.examples", tests, write_metrics, forget_metrics);
}
