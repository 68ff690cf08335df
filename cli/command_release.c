/* SPDX-License-Identifier: MIT */
/* berth release: gives ports back. */
#include "commands.h"

#include "field.h"
#include "params.h"

static const struct berth_option options[] = {
    {"lease", "L", "the lease of this id", false},
    {"key", "K", "the lease of this key", false},
    {"generation", "G", "of the key, the lease of this generation", false},
    {"port", "N", "the lease of this port", false},
    {NULL, NULL, NULL, false},
};

static enum berth_exit show(struct berth_cli *cli, const json_t *result)
{
    const json_t *released = berth_field_array(result, "released");
    size_t count = json_array_size(released);

    if (released == NULL) {
        return berth_cli_fail_answer(cli);
    }
    for (size_t i = 0; i < count; i++) {
        berth_text_printf(&cli->out, "released port %lld\n",
                          (long long)json_integer_value(json_array_get(released, i)));
    }
    if (count == 0) {
        berth_text_puts(&cli->out, "there was nothing to release\n");
    }
    return BERTH_EXIT_DONE;
}

static enum berth_exit run(struct berth_cli *cli, const struct berth_parsed *parsed)
{
    const char *lease = berth_parsed_value(parsed, "lease");
    const char *key = berth_parsed_value(parsed, "key");
    const char *generation = berth_parsed_value(parsed, "generation");
    const char *port = berth_parsed_value(parsed, "port");
    struct berth_params params;

    if ((lease != NULL) + (key != NULL) + (port != NULL) != 1) {
        return berth_cli_usage(cli, "one of --lease, --key and --port is needed");
    }
    if (generation != NULL && key == NULL) {
        return berth_cli_usage(cli, "--generation needs --key");
    }
    berth_params_init(&params, cli);
    berth_params_string(&params, "lease", "--lease", lease);
    berth_params_string(&params, "key", "--key", key);
    berth_params_string(&params, "generation", "--generation", generation);
    berth_params_port(&params, "port", "--port", port);
    return berth_params_ask(&params, "release", show);
}

const struct berth_command berth_command_release = {
    .name = "release",
    .summary = "Give back a port",
    .synopsis = "(--lease L | --key K [--generation G] | --port N)",
    .options = options,
    .notes =
        "As with allocate, a key without a generation is a lease of its own: it does not stand\n"
        "for the key's generations, which are released one by one.\n",
    .run = run,
};
