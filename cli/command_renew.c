/* SPDX-License-Identifier: MIT */
/* berth renew: lets a lease's time begin anew. */
#include "commands.h"

#include "field.h"
#include "params.h"
#include "text_width.h"

static const struct berth_option options[] = {
    {"lease", "L", "the lease of this id", false},
    {"key", "K", "the lease of this key", false},
    {"generation", "G", "of the key, the lease of this generation", false},
    {"ttl", "D", "how long from now, such as 24h", false},
    {NULL, NULL, NULL, false},
};

static enum berth_exit show(struct berth_cli *cli, const json_t *result)
{
    long long port = berth_field_number(result, "port", -1);
    const char *expires_at = berth_field_string(result, "expires_at");

    if (port < 0) {
        return berth_cli_fail_answer(cli);
    }
    berth_text_printf(&cli->out, "renewed port %lld", port);
    if (expires_at != NULL) {
        berth_text_puts(&cli->out, " until ");
        berth_text_add_shown(&cli->out, expires_at);
    }
    berth_text_putc(&cli->out, '\n');
    return BERTH_EXIT_DONE;
}

static enum berth_exit run(struct berth_cli *cli, const struct berth_parsed *parsed)
{
    const char *lease = berth_parsed_value(parsed, "lease");
    const char *key = berth_parsed_value(parsed, "key");
    const char *generation = berth_parsed_value(parsed, "generation");
    struct berth_params params;

    if ((lease != NULL) == (key != NULL)) {
        return berth_cli_usage(cli, "one of --lease and --key is needed");
    }
    if (generation != NULL && key == NULL) {
        return berth_cli_usage(cli, "--generation needs --key");
    }
    berth_params_init(&params, cli);
    berth_params_string(&params, "lease", "--lease", lease);
    berth_params_string(&params, "key", "--key", key);
    berth_params_string(&params, "generation", "--generation", generation);
    berth_params_duration(&params, "ttl", "--ttl", berth_parsed_value(parsed, "ttl"));
    return berth_params_ask(&params, "renew", show);
}

const struct berth_command berth_command_renew = {
    .name = "renew",
    .summary = "Keep a lease for longer",
    .synopsis = "(--lease L | --key K [--generation G]) [--ttl D]",
    .options = options,
    .run = run,
};
