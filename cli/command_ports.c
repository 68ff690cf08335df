/* SPDX-License-Identifier: MIT */
/* berth ports: lists every port that has a claim. */
#include "commands.h"

#include "claim_text.h"
#include "field.h"
#include "params.h"
#include "table_output.h"

#include <stdio.h>

static const struct berth_option options[] = {
    {"source", "S", "only claims of lease, iis, tcp, httpsys, excluded or reserved", false},
    {"pool", "P", "only ports of this pool", false},
    {NULL, NULL, NULL, false},
};

static const struct berth_table_column columns[] = {
    {"PORT", true, false},   {"STATE", false, false}, {"SOURCE", false, false},
    {"HOLDER", false, true}, {"DETAIL", false, true},
};

/* Counts the entries from `first` on that are neighbouring ports with the very same claims: a range
 * that is claimed as one. */
static size_t count_run(const json_t *ports, size_t first)
{
    const json_t *start = json_array_get(ports, first);
    const json_t *claims = berth_field_array(start, "claims");
    long long port = berth_field_number(start, "port", -1);
    size_t count = 1;

    while (first + count < json_array_size(ports)) {
        const json_t *next = json_array_get(ports, first + count);
        if (berth_field_number(next, "port", -1) != port + (long long)count ||
            !json_equal(claims, berth_field_array(next, "claims"))) {
            break;
        }
        count++;
    }
    return count;
}

static void add_ports(struct berth_table *table, const json_t *entry, size_t count)
{
    const json_t *claims = berth_field_array(entry, "claims");
    long long port = berth_field_number(entry, "port", -1);
    const char *state = berth_field_string(entry, "state");
    char range[48];

    (void)snprintf(range, sizeof range, "%lld-%lld", port, port + (long long)count - 1);
    for (size_t i = 0; i < json_array_size(claims); i++) {
        if (count > 1) {
            berth_table_text(table, range);
        } else {
            berth_table_number(table, port);
        }
        berth_table_text(table, state);
        berth_claim_add_cells(table, json_array_get(claims, i));
    }
}

static enum berth_exit show(struct berth_cli *cli, const json_t *result)
{
    const json_t *ports = berth_field_array(result, "ports");
    struct berth_table table;

    if (ports == NULL) {
        return berth_cli_fail_answer(cli);
    }
    berth_table_init(&table, columns, BERTH_COUNT(columns));
    for (size_t i = 0; i < json_array_size(ports);) {
        size_t count = count_run(ports, i);
        add_ports(&table, json_array_get(ports, i), count);
        i += count;
    }
    berth_table_write(&table, &cli->out, 0, cli->width);
    berth_table_fini(&table);
    return BERTH_EXIT_DONE;
}

static enum berth_exit run(struct berth_cli *cli, const struct berth_parsed *parsed)
{
    struct berth_params params;

    berth_params_init(&params, cli);
    berth_params_string(&params, "source", "--source", berth_parsed_value(parsed, "source"));
    berth_params_string(&params, "pool", "--pool", berth_parsed_value(parsed, "pool"));
    return berth_params_ask(&params, "ports", show);
}

const struct berth_command berth_command_ports = {
    .name = "ports",
    .summary = "List the ports that are not free, and who has them",
    .synopsis = "[--source S] [--pool P]",
    .options = options,
    .run = run,
};
