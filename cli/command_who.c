/* SPDX-License-Identifier: MIT */
/* berth who: tells who has a port. */
#include "commands.h"

#include "claim_text.h"
#include "field.h"
#include "params.h"
#include "table_output.h"
#include "text_width.h"

#define PORTS_MAX 1000u

static const struct berth_table_column columns[] = {
    {"SOURCE", false, false}, {"HOLDER", false, true}, {"DETAIL", false, true}};

static void show_claims(struct berth_cli *cli, const json_t *claims)
{
    struct berth_table table;

    if (json_array_size(claims) == 0) {
        return;
    }
    berth_table_init(&table, columns, BERTH_COUNT(columns));
    for (size_t i = 0; i < json_array_size(claims); i++) {
        berth_claim_add_cells(&table, json_array_get(claims, i));
    }
    berth_table_write(&table, &cli->out, 2, cli->width);
    berth_table_fini(&table);
}

/* Whom to ask, a line each: a line may end with a command that is copied. */
static void show_asked(struct berth_cli *cli, const json_t *sentences)
{
    for (size_t i = 0; i < json_array_size(sentences); i++) {
        const char *sentence = json_string_value(json_array_get(sentences, i));
        berth_text_add_shown(&cli->out, sentence != NULL ? sentence : "");
        berth_text_putc(&cli->out, '\n');
    }
}

static void add_member(struct berth_text *out, const char *before, const char *value)
{
    if (value != NULL && value[0] != '\0') {
        berth_text_puts(out, before);
        berth_text_add_shown(out, value);
    }
}

static void show_lease(struct berth_cli *cli, const json_t *lease)
{
    if (lease == NULL) {
        return;
    }
    add_member(&cli->out, "  lease ", berth_field_string(lease, "lease"));
    add_member(&cli->out, ", ", berth_field_string(lease, "state"));
    add_member(&cli->out, ", key ", berth_field_string(lease, "key"));
    add_member(&cli->out, ", generation ", berth_field_string(lease, "generation"));
    add_member(&cli->out, ", owner ", berth_field_string(lease, "owner"));
    add_member(&cli->out, ", until ", berth_field_string(lease, "expires_at"));
    berth_text_putc(&cli->out, '\n');
}

static enum berth_exit show(struct berth_cli *cli, const json_t *result)
{
    const json_t *conflicts = berth_field_array(result, "conflicts");
    const char *why = berth_field_string(result, "why");

    if (why == NULL) {
        return berth_cli_fail_answer(cli);
    }
    berth_text_add_shown(&cli->out, why);
    berth_text_putc(&cli->out, '\n');
    show_asked(cli, berth_field_array(result, "ask"));
    show_claims(cli, berth_field_array(result, "claims"));
    show_lease(cli, berth_field_object(result, "lease"));
    for (size_t i = 0; i < json_array_size(conflicts); i++) {
        add_member(&cli->out,
                   "  conflict: ", berth_field_string(json_array_get(conflicts, i), "text"));
        berth_text_putc(&cli->out, '\n');
    }
    return BERTH_EXIT_DONE;
}

static enum berth_exit run(struct berth_cli *cli, const struct berth_parsed *parsed)
{
    enum berth_exit status = BERTH_EXIT_DONE;
    struct berth_params params;

    for (size_t i = 0; i < parsed->argument_count && status == BERTH_EXIT_DONE; i++) {
        berth_params_init(&params, cli);
        berth_params_port(&params, "port", "PORT", parsed->arguments[i]);
        status = berth_params_ask(&params, "who", show);
    }
    return status;
}

const struct berth_command berth_command_who = {
    .name = "who",
    .summary = "Tell who has a port, why it is not free, and whom to ask",
    .synopsis = "PORT...",
    .arguments_min = 1,
    .arguments_max = PORTS_MAX,
    .notes = "With --json each port's object stands on a line of its own.\n",
    .run = run,
};
