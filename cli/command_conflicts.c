/* SPDX-License-Identifier: MIT */
/* berth conflicts: lists claims that cannot work together. */
#include "commands.h"

#include "base/memory.h"
#include "field.h"
#include "table_output.h"

static const struct berth_option options[] = {
    {"check", NULL, "exit with status 9 if there are any", false},
    {NULL, NULL, NULL, false},
};

static const struct berth_table_column columns[] = {
    {"PORT", true, false},   {"SEVERITY", false, false}, {"KIND", false, false},
    {"SINCE", false, false}, {"TEXT", false, true},
};

static void add_conflict(struct berth_table *table, const json_t *conflict)
{
    berth_table_number(table, berth_field_number(conflict, "port", -1));
    berth_table_text(table, berth_field_string(conflict, "severity"));
    berth_table_text(table, berth_field_string(conflict, "kind"));
    berth_table_text(table, berth_field_string(conflict, "opened_at"));
    berth_table_text(table, berth_field_string(conflict, "text"));
}

static void show(struct berth_cli *cli, const json_t *conflicts)
{
    size_t count = json_array_size(conflicts);
    const json_t **sorted = berth_field_sorted(conflicts, "port");
    struct berth_table table;

    if (count == 0) {
        berth_text_puts(&cli->out, "no conflicts\n");
        return;
    }
    if (sorted == NULL) {
        cli->out.failed = BERTH_NO_MEMORY;
        return;
    }
    berth_table_init(&table, columns, BERTH_COUNT(columns));
    for (size_t i = 0; i < count; i++) {
        add_conflict(&table, sorted[i]);
    }
    berth_table_write(&table, &cli->out, 0, cli->width);
    berth_table_fini(&table);
    berth_free(sorted);
}

static enum berth_exit run(struct berth_cli *cli, const struct berth_parsed *parsed)
{
    json_t *result;
    enum berth_exit status = berth_cli_call(cli, "conflicts", json_object(), &result);

    if (status != BERTH_EXIT_DONE) {
        return status;
    }
    const json_t *conflicts = berth_field_array(result, "conflicts");
    if (conflicts == NULL) {
        status = berth_cli_fail_answer(cli);
    } else if (cli->json) {
        status = berth_cli_put_json(cli, result);
    } else {
        show(cli, conflicts);
    }
    if (status == BERTH_EXIT_DONE && berth_parsed_has(parsed, "check") &&
        json_array_size(conflicts) != 0) {
        status = BERTH_EXIT_CONFLICTS;
    }
    json_decref(result);
    return status;
}

const struct berth_command berth_command_conflicts = {
    .name = "conflicts",
    .summary = "List claims that cannot work together",
    .synopsis = "[--check]",
    .options = options,
    .run = run,
};
