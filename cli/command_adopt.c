/* SPDX-License-Identifier: MIT */
/* berth adopt: makes leases for sites that have their ports already. */
#include "commands.h"

#include "field.h"
#include "params.h"
#include "table_output.h"

static const struct berth_option options[] = {
    {"site", "S", "only this site", false},
    {"apply", NULL, "do it; without it only what would be done is shown", false},
    {NULL, NULL, NULL, false},
};

static const struct berth_table_column columns[] = {
    {"PORT", true, false}, {"ACTION", false, false}, {"SITE", false, true},
    {"KEY", false, true},  {"REASON", false, true},
};

static void add_rows(struct berth_table *table, const json_t *entries, const char *action)
{
    for (size_t i = 0; i < json_array_size(entries); i++) {
        const json_t *entry = json_array_get(entries, i);
        berth_table_number(table, berth_field_number(entry, "port", -1));
        berth_table_text(table, action);
        berth_table_text(table, berth_field_string(entry, "site"));
        berth_table_text(table, berth_field_string(entry, "key"));
        berth_table_text(table, berth_field_string(entry, "reason"));
    }
}

static enum berth_exit show_with(struct berth_cli *cli, const json_t *result, const char *action)
{
    const json_t *adopted = berth_field_array(result, "adopted");
    const json_t *skipped = berth_field_array(result, "skipped");
    struct berth_table table;

    if (adopted == NULL || skipped == NULL) {
        return berth_cli_fail_answer(cli);
    }
    berth_table_init(&table, columns, BERTH_COUNT(columns));
    add_rows(&table, adopted, action);
    add_rows(&table, skipped, "skipped");
    berth_table_write(&table, &cli->out, 0, cli->width);
    berth_table_fini(&table);
    long long omitted = berth_field_number(result, "omitted", 0);
    if (omitted > 0) {
        berth_text_printf(&cli->out, "%lld more are skipped and not listed\n", omitted);
    }
    return BERTH_EXIT_DONE;
}

static enum berth_exit show_plan(struct berth_cli *cli, const json_t *result)
{
    enum berth_exit status = show_with(cli, result, "would adopt");

    if (status == BERTH_EXIT_DONE) {
        berth_text_puts(&cli->out, "nothing was changed; --apply does it\n");
    }
    return status;
}

static enum berth_exit show_done(struct berth_cli *cli, const json_t *result)
{
    return show_with(cli, result, "adopted");
}

static enum berth_exit run(struct berth_cli *cli, const struct berth_parsed *parsed)
{
    bool apply = berth_parsed_has(parsed, "apply");
    struct berth_params params;

    berth_params_init(&params, cli);
    berth_params_string(&params, "site", "--site", berth_parsed_value(parsed, "site"));
    berth_params_set(&params, "dry_run", json_boolean(!apply));
    return berth_params_ask(&params, "adopt", apply ? show_done : show_plan);
}

const struct berth_command berth_command_adopt = {
    .name = "adopt",
    .summary = "Make leases for sites that have their ports already",
    .synopsis = "[--site S] [--apply]",
    .options = options,
    .run = run,
};
