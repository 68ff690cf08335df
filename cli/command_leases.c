/* SPDX-License-Identifier: MIT */
/* berth leases: lists the leases, or exports them for `berth import`. */
#include "commands.h"

#include "base/memory.h"
#include "field.h"
#include "params.h"
#include "table_output.h"

static const struct berth_option options[] = {
    {"key", "K", "only those of this key", false},
    {"port", "N", "only that of this port", false},
    {"state", "S", "only pending, active, lingering, expired or released ones", false},
    {"export", NULL, "print all as JSON for 'berth import' (administrators)", false},
    {NULL, NULL, NULL, false},
};

static const struct berth_table_column columns[] = {
    {"PORT", true, false},       {"STATE", false, false}, {"KEY", false, true},
    {"GENERATION", false, true}, {"HOLDER", false, true}, {"OWNER", false, true},
    {"EXPIRES", false, false},   {"LEASE", false, false},
};

static void add_lease(struct berth_table *table, const json_t *lease)
{
    berth_table_number(table, berth_field_number(lease, "port", -1));
    berth_table_text(table, berth_field_string(lease, "state"));
    berth_table_text(table, berth_field_string(lease, "key"));
    berth_table_text(table, berth_field_string(lease, "generation"));
    berth_table_text(table, berth_field_string(lease, "holder"));
    berth_table_text(table, berth_field_string(lease, "owner"));
    berth_table_text(table, berth_field_string(lease, "expires_at"));
    berth_table_text(table, berth_field_string(lease, "lease"));
}

static enum berth_exit show(struct berth_cli *cli, const json_t *result)
{
    const json_t *leases = berth_field_array(result, "leases");
    size_t count = json_array_size(leases);
    const json_t **sorted = berth_field_sorted(leases, "port");
    struct berth_table table;

    if (leases == NULL) {
        return berth_cli_fail_answer(cli);
    }
    berth_table_init(&table, columns, BERTH_COUNT(columns));
    for (size_t i = 0; sorted != NULL && i < count; i++) {
        add_lease(&table, sorted[i]);
    }
    if (sorted == NULL && count != 0) {
        cli->out.failed = BERTH_NO_MEMORY;
    }
    berth_table_write(&table, &cli->out, 0, cli->width);
    berth_table_fini(&table);
    berth_free(sorted);
    return BERTH_EXIT_DONE;
}

static enum berth_exit run(struct berth_cli *cli, const struct berth_parsed *parsed)
{
    const char *key = berth_parsed_value(parsed, "key");
    const char *port = berth_parsed_value(parsed, "port");
    const char *state = berth_parsed_value(parsed, "state");
    struct berth_params params;

    if (berth_parsed_has(parsed, "export")) {
        if (key != NULL || port != NULL || state != NULL) {
            return berth_cli_usage(cli, "--export takes all leases: leave the filters out");
        }
        return berth_cli_ask(cli, "export", json_object(), berth_cli_put_json);
    }
    berth_params_init(&params, cli);
    berth_params_string(&params, "key", "--key", key);
    berth_params_port(&params, "port", "--port", port);
    berth_params_string(&params, "state", "--state", state);
    return berth_params_ask(&params, "leases", show);
}

const struct berth_command berth_command_leases = {
    .name = "leases",
    .summary = "List the leases, or export them",
    .synopsis = "[--key K] [--port N] [--state S] [--export]",
    .options = options,
    .run = run,
};
