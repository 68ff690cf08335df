/* SPDX-License-Identifier: MIT */
/* berth status: a report on the daemon, its sources and its pools. */
#include "commands.h"

#include "base/units.h"
#include "field.h"
#include "table_output.h"
#include "text_width.h"

#include <inttypes.h>
#include <string.h>

#define MEBIBYTE 1048576LL

static const struct berth_table_column source_columns[] = {
    {"SOURCE", false, false}, {"STATE", false, false}, {"AGE", true, false},
    {"CLAIMS", true, false},  {"NAME", false, true},
};

static const struct berth_table_column pool_columns[] = {
    {"POOL", false, true}, {"RANGE", false, false}, {"PORTS", true, false},
    {"FREE", true, false}, {"NEXT", true, false},
};

static void add_shown(struct berth_cli *cli, const char *text)
{
    berth_text_add_shown(&cli->out, text != NULL ? text : "?");
}

/* Adds a duration from a member in milliseconds; "?" where there is none. */
static void add_duration(struct berth_text *out, const json_t *object, const char *name)
{
    long long ms = berth_field_number(object, name, -1);
    char text[32];

    berth_text_puts(out, ms < 0 ? "?" : berth_format_duration(text, sizeof text, (uint64_t)ms));
}

static void show_head(struct berth_cli *cli, const json_t *status)
{
    const json_t *configuration = berth_field_object(status, "configuration");
    const char *path = berth_field_string(configuration, "path");

    berth_text_puts(&cli->out, "berthd ");
    add_shown(cli, berth_field_string(status, "version"));
    berth_text_puts(&cli->out, " on ");
    add_shown(cli, berth_field_string(status, "host"));
    berth_text_puts(&cli->out, " (");
    add_shown(cli, berth_field_string(status, "platform"));
    berth_text_puts(&cli->out, "), up ");
    add_duration(&cli->out, status, "uptime_ms");
    berth_text_printf(&cli->out, ", revision %lld\nconfiguration ",
                      berth_field_number(status, "revision", -1));
    if (path == NULL) {
        berth_text_puts(&cli->out, "built-in defaults");
    } else {
        add_shown(cli, path);
        berth_text_puts(&cli->out, ", read ");
        add_shown(cli, berth_field_string(configuration, "loaded_at"));
    }
    berth_text_putc(&cli->out, '\n');
}

static void add_source(struct berth_table *table, const json_t *source)
{
    struct berth_text age;

    berth_text_init(&age, 64);
    if (berth_field_number(source, "age_ms", -1) < 0) {
        berth_text_putc(&age, '-'); /* nothing was delivered yet */
    } else {
        add_duration(&age, source, "age_ms");
    }
    berth_table_text(table, berth_field_string(source, "source"));
    berth_table_text(table, berth_field_string(source, "state"));
    berth_table_text(table, berth_text_string(&age));
    table->cells.failed = age.failed != BERTH_OK ? age.failed : table->cells.failed;
    berth_table_number(table, berth_field_number(source, "claims", -1));
    berth_table_text(table, berth_field_string(source, "name"));
    berth_text_fini(&age);
}

/* "  iis /path: reason" for each source that has something to say. */
static void show_source_words(struct berth_cli *cli, const json_t *source, const char *text)
{
    const char *name = berth_field_string(source, "name");

    if (text == NULL) {
        return;
    }
    berth_text_puts(&cli->out, "  ");
    add_shown(cli, berth_field_string(source, "source"));
    if (name != NULL) {
        berth_text_putc(&cli->out, ' ');
        add_shown(cli, name);
    }
    berth_text_puts(&cli->out, ": ");
    add_shown(cli, text);
    berth_text_putc(&cli->out, '\n');
}

/* "  tcp TCP table: events full, 12 a second, 0 lost, lag 40 µs" of a source that has events. */
static void show_events(struct berth_cli *cli, const json_t *source)
{
    const json_t *events = berth_field_object(source, "events");
    const char *mode = berth_field_string(events, "mode");
    char text[160];

    if (mode != NULL) {
        (void)snprintf(
            text, sizeof text, "events %.16s, %lld a second, %lld lost, lag %lld \xc2\xb5s", mode,
            berth_field_number(events, "per_second", 0), berth_field_number(events, "lost", 0),
            berth_field_number(events, "lag_us", 0));
        show_source_words(cli, source, text);
    }
}

static void show_sources(struct berth_cli *cli, const json_t *sources)
{
    struct berth_table table;

    berth_text_putc(&cli->out, '\n');
    berth_table_init(&table, source_columns, BERTH_COUNT(source_columns));
    for (size_t i = 0; i < json_array_size(sources); i++) {
        add_source(&table, json_array_get(sources, i));
    }
    berth_table_write(&table, &cli->out, 0, cli->width);
    berth_table_fini(&table);
    for (size_t i = 0; i < json_array_size(sources); i++) {
        const json_t *source = json_array_get(sources, i);
        const json_t *warnings = berth_field_array(source, "warnings");
        show_source_words(cli, source, berth_field_string(source, "reason"));
        show_events(cli, source);
        for (size_t w = 0; w < json_array_size(warnings); w++) {
            show_source_words(cli, source, json_string_value(json_array_get(warnings, w)));
        }
    }
}

/* "  hints by http.sys events: 12 so far", or why there are none. */
static void show_hints(struct berth_cli *cli, const json_t *hints)
{
    for (size_t i = 0; i < json_array_size(hints); i++) {
        const json_t *hint = json_array_get(hints, i);
        const char *reason = berth_field_string(hint, "reason");
        berth_text_puts(&cli->out, "  hints by ");
        add_shown(cli, berth_field_string(hint, "facility"));
        berth_text_puts(&cli->out, ": ");
        if (reason != NULL) {
            add_shown(cli, reason);
        } else {
            berth_text_printf(&cli->out, "%lld so far", berth_field_number(hint, "total", 0));
        }
        berth_text_putc(&cli->out, '\n');
    }
}

static void show_pools(struct berth_cli *cli, const json_t *pools)
{
    struct berth_table table;

    berth_text_putc(&cli->out, '\n');
    berth_table_init(&table, pool_columns, BERTH_COUNT(pool_columns));
    for (size_t i = 0; i < json_array_size(pools); i++) {
        const json_t *pool = json_array_get(pools, i);
        uint16_t range[2] = {0, 0};
        char text[16] = "";
        if (berth_field_range(range, json_object_get(pool, "range"))) {
            (void)snprintf(text, sizeof text, "%u-%u", (unsigned)range[0], (unsigned)range[1]);
        }
        berth_table_text(&table, berth_field_string(pool, "name"));
        berth_table_text(&table, text);
        berth_table_number(&table, berth_field_number(pool, "total", -1));
        berth_table_number(&table, berth_field_number(pool, "free", -1));
        berth_table_number(&table, berth_field_number(pool, "next", -1));
    }
    berth_table_write(&table, &cli->out, 0, cli->width);
    berth_table_fini(&table);
}

/* "title  3 iis, 12 tcp": the members of an object that are numbers other than 0. */
static void show_counts(struct berth_cli *cli, const char *title, const json_t *counts)
{
    const char *name;
    json_t *value;
    unsigned told = 0;

    berth_text_printf(&cli->out, "%-12s", title);
    /* jansson iterates over a tree that it may change; this one is only read */
    for (void *at = json_object_iter((json_t *)(uintptr_t)counts); at != NULL;
         at = json_object_iter_next((json_t *)(uintptr_t)counts, at)) {
        name = json_object_iter_key(at);
        value = json_object_iter_value(at);
        if (json_is_integer(value) && json_integer_value(value) != 0) {
            berth_text_printf(&cli->out, told++ != 0 ? ", %lld " : "%lld ",
                              (long long)json_integer_value(value));
            add_shown(cli, name);
        }
    }
    berth_text_puts(&cli->out, told != 0 ? "\n" : "none\n");
}

/* "store       ok, durability commit" */
static void show_store(struct berth_cli *cli, const json_t *store)
{
    const char *state = berth_field_string(store, "state");
    long long refused = berth_field_number(store, "refused", 0);

    if (state == NULL) {
        return;
    }
    berth_text_printf(&cli->out, "%-12s", "store");
    if (strcmp(state, "none") == 0) {
        berth_text_puts(&cli->out, "none: leases end with the daemon");
    } else {
        add_shown(cli, state);
        berth_text_puts(&cli->out, ", durability ");
        add_shown(cli, berth_field_string(store, "durability"));
    }
    if (refused > 0) {
        berth_text_printf(&cli->out, ", %lld change%s refused", refused, refused == 1 ? "" : "s");
    }
    if (strcmp(state, "failing") == 0) {
        berth_text_puts(&cli->out, ", since ");
        add_shown(cli, berth_field_string(store, "since"));
    }
    berth_text_putc(&cli->out, '\n');
}

static void show_conflicts(struct berth_cli *cli, long long count)
{
    if (count == 0) {
        berth_text_printf(&cli->out, "%-12snone\n", "conflicts");
    } else if (count > 0) {
        berth_text_printf(&cli->out, "%-12s%lld open ('berth conflicts')\n", "conflicts", count);
    }
}

static void show_ephemeral(struct berth_cli *cli, const json_t *ephemeral)
{
    const json_t *reserved = berth_field_array(ephemeral, "reserved");
    uint16_t range[2];

    if (!berth_field_range(range, json_object_get(ephemeral, "range"))) {
        return;
    }
    berth_text_printf(&cli->out, "%-12s%u-%u", "ephemeral", (unsigned)range[0], (unsigned)range[1]);
    for (size_t i = 0; i < json_array_size(reserved); i++) {
        if (berth_field_range(range, json_array_get(reserved, i))) {
            berth_text_printf(&cli->out, "%s%u-%u", i == 0 ? ", except " : " ", (unsigned)range[0],
                              (unsigned)range[1]);
        }
    }
    berth_text_putc(&cli->out, '\n');
}

static void show_load(struct berth_cli *cli, const json_t *status)
{
    const json_t *connections = berth_field_object(status, "connections");
    long long bytes =
        berth_field_number(berth_field_object(status, "memory"), "resident_bytes", -1);

    if (connections != NULL) {
        berth_text_printf(&cli->out, "%-12s%lld now, %lld accepted, at most %lld\n", "connections",
                          berth_field_number(connections, "now", -1),
                          berth_field_number(connections, "accepted", -1),
                          berth_field_number(connections, "limit", -1));
    }
    if (bytes >= 0) {
        long long tenths = bytes / (MEBIBYTE / 10);
        berth_text_printf(&cli->out, "%-12s%lld.%lld MiB\n", "memory", tenths / 10, tenths % 10);
    }
}

static enum berth_exit show(struct berth_cli *cli, const json_t *status)
{
    const json_t *warnings = berth_field_array(status, "warnings");

    if (berth_field_string(status, "version") == NULL) {
        return berth_cli_fail_answer(cli);
    }
    show_head(cli, status);
    show_sources(cli, berth_field_array(status, "sources"));
    show_hints(cli, berth_field_array(status, "hints"));
    show_pools(cli, berth_field_array(status, "pools"));
    berth_text_putc(&cli->out, '\n');
    show_counts(cli, "ports", berth_field_object(status, "ports"));
    show_counts(cli, "leases", berth_field_object(status, "leases"));
    show_store(cli, berth_field_object(status, "store"));
    show_conflicts(cli, berth_field_number(status, "conflicts", -1));
    show_ephemeral(cli, berth_field_object(status, "ephemeral"));
    show_load(cli, status);
    for (size_t i = 0; i < json_array_size(warnings); i++) {
        berth_text_puts(&cli->out, i == 0 ? "\nwarning: " : "warning: ");
        add_shown(cli, json_string_value(json_array_get(warnings, i)));
        berth_text_putc(&cli->out, '\n');
    }
    return BERTH_EXIT_DONE;
}

static enum berth_exit run(struct berth_cli *cli, const struct berth_parsed *parsed)
{
    (void)parsed;
    return berth_cli_ask(cli, "status", json_object(), show);
}

const struct berth_command berth_command_status = {
    .name = "status",
    .summary = "Report on the daemon, its sources and its pools",
    .synopsis = "",
    .run = run,
};
