/* SPDX-License-Identifier: MIT */
/* berth free: tells what is free in the pools. */
#include "commands.h"

#include "field.h"
#include "params.h"
#include "table_output.h"

static const struct berth_option options[] = {
    {"count", NULL, "print how many ports are free", false},
    {"ranges", NULL, "print the free ranges, one a line", false},
    {"list", NULL, "print the free ports, one a line", false},
    {"pool", "P", "of this pool only", false},
    {NULL, NULL, NULL, false},
};

static const struct berth_table_column columns[] = {
    {"POOL", false, true}, {"RANGE", false, false}, {"PORTS", true, false},
    {"FREE", true, false}, {"NEXT", true, false},
};

static void add_range_cell(struct berth_table *table, const json_t *value)
{
    uint16_t range[2] = {0, 0};
    char text[16] = "";

    if (berth_field_range(range, value)) {
        (void)snprintf(text, sizeof text, "%u-%u", (unsigned)range[0], (unsigned)range[1]);
    }
    berth_table_text(table, text);
}

static enum berth_exit show_table(struct berth_cli *cli, const json_t *result)
{
    const json_t *pools = berth_field_array(result, "pools");
    struct berth_table table;

    if (pools == NULL) {
        return berth_cli_fail_answer(cli);
    }
    berth_table_init(&table, columns, BERTH_COUNT(columns));
    for (size_t i = 0; i < json_array_size(pools); i++) {
        const json_t *pool = json_array_get(pools, i);
        berth_table_text(&table, berth_field_string(pool, "name"));
        add_range_cell(&table, json_object_get(pool, "range"));
        berth_table_number(&table, berth_field_number(pool, "total", -1));
        berth_table_number(&table, berth_field_number(pool, "free", -1));
        berth_table_number(&table, berth_field_number(pool, "next", -1));
    }
    berth_table_write(&table, &cli->out, 0, cli->width);
    berth_table_fini(&table);
    return BERTH_EXIT_DONE;
}

static enum berth_exit show_count(struct berth_cli *cli, const json_t *result)
{
    const json_t *pools = berth_field_array(result, "pools");
    long long total = 0;

    if (pools == NULL) {
        return berth_cli_fail_answer(cli);
    }
    for (size_t i = 0; i < json_array_size(pools); i++) {
        long long count = berth_field_number(json_array_get(pools, i), "free", -1);
        if (count < 0 || count > UINT16_MAX) {
            return berth_cli_fail_answer(cli);
        }
        total += count;
    }
    berth_text_printf(&cli->out, "%lld\n", total);
    return BERTH_EXIT_DONE;
}

/* Prints each free range as "A-B" ("A" for one port), or each of its ports. */
static enum berth_exit show_ranges(struct berth_cli *cli, const json_t *result, bool each)
{
    const json_t *pools = berth_field_array(result, "pools");
    uint16_t range[2];

    for (size_t p = 0; p < json_array_size(pools); p++) {
        const json_t *ranges = berth_field_array(json_array_get(pools, p), "ranges");
        for (size_t i = 0; i < json_array_size(ranges); i++) {
            if (!berth_field_range(range, json_array_get(ranges, i))) {
                berth_text_clear(&cli->out);
                return berth_cli_fail_answer(cli);
            }
            for (unsigned port = range[0]; each && port <= range[1]; port++) {
                berth_text_printf(&cli->out, "%u\n", port);
            }
            if (!each) {
                berth_text_printf(&cli->out, range[0] == range[1] ? "%u\n" : "%u-%u\n",
                                  (unsigned)range[0], (unsigned)range[1]);
            }
        }
    }
    return pools != NULL ? BERTH_EXIT_DONE : berth_cli_fail_answer(cli);
}

static enum berth_exit show_as_ranges(struct berth_cli *cli, const json_t *result)
{
    return show_ranges(cli, result, false);
}

static enum berth_exit show_as_list(struct berth_cli *cli, const json_t *result)
{
    return show_ranges(cli, result, true);
}

static enum berth_exit run(struct berth_cli *cli, const struct berth_parsed *parsed)
{
    bool count = berth_parsed_has(parsed, "count");
    bool ranges = berth_parsed_has(parsed, "ranges");
    bool list = berth_parsed_has(parsed, "list");
    struct berth_params params;

    if (count + ranges + list > 1) {
        return berth_cli_usage(cli, "--count, --ranges and --list exclude each other");
    }
    berth_params_init(&params, cli);
    berth_params_string(&params, "pool", "--pool", berth_parsed_value(parsed, "pool"));
    return berth_params_ask(&params, "free",
                            count    ? show_count
                            : ranges ? show_as_ranges
                            : list   ? show_as_list
                                     : show_table);
}

const struct berth_command berth_command_free = {
    .name = "free",
    .summary = "Show what is free in the pools",
    .synopsis = "[--count | --ranges | --list] [--pool P]",
    .options = options,
    .run = run,
};
