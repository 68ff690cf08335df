/* SPDX-License-Identifier: MIT */
/* berth history: tells what happened to a port or a key. */
#include "commands.h"

#include "base/units.h"
#include "field.h"
#include "params.h"
#include "table_output.h"

static const struct berth_table_column columns[] = {
    {"TIME", false, false}, {"EVENT", false, false},     {"PORT", true, false},
    {"KEY", false, true},   {"GENERATION", false, true}, {"BY", false, true},
};

static const struct berth_option options[] = {
    {"limit", "N", "at most so many entries, the newest (100)", false},
    {NULL, NULL, NULL, false},
};

static enum berth_exit show(struct berth_cli *cli, const json_t *result)
{
    const json_t *entries = berth_field_array(result, "entries");
    struct berth_table table;

    if (entries == NULL) {
        return berth_cli_fail_answer(cli);
    }
    berth_table_init(&table, columns, BERTH_COUNT(columns));
    for (size_t i = 0; i < json_array_size(entries); i++) {
        const json_t *entry = json_array_get(entries, i);
        berth_table_text(&table, berth_field_string(entry, "time"));
        berth_table_text(&table, berth_field_string(entry, "event"));
        berth_table_number(&table, berth_field_number(entry, "port", -1));
        berth_table_text(&table, berth_field_string(entry, "key"));
        berth_table_text(&table, berth_field_string(entry, "generation"));
        berth_table_text(&table, berth_field_string(entry, "by"));
    }
    berth_table_write(&table, &cli->out, 0, cli->width);
    berth_table_fini(&table);
    return BERTH_EXIT_DONE;
}

static enum berth_exit run(struct berth_cli *cli, const struct berth_parsed *parsed)
{
    const char *subject = berth_parsed_argument(parsed, 0);
    struct berth_params params;
    uint16_t port;

    berth_params_init(&params, cli);
    if (berth_parse_port(&port, subject)) {
        berth_params_port(&params, "port", "PORT", subject);
    } else {
        berth_params_string(&params, "key", "KEY", subject);
    }
    berth_params_number(&params, "limit", "--limit", berth_parsed_value(parsed, "limit"), 1, 10000);
    return berth_params_ask(&params, "history", show);
}

const struct berth_command berth_command_history = {
    .name = "history",
    .summary = "Tell what happened to a port or a key",
    .synopsis = "(PORT | KEY) [--limit N]",
    .options = options,
    .arguments_min = 1,
    .arguments_max = 1,
    .notes = "A number from 1 to 65535 is a port.\n",
    .run = run,
};
