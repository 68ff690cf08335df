/* SPDX-License-Identifier: MIT */
/* berth next: tells which port would be given, and takes none. */
#include "commands.h"

#include "field.h"
#include "params.h"

static const struct berth_option options[] = {
    {"pool", "P", "of this pool", false},
    {"range", "A-B", "of these ports", false},
    {"count", "N", "so many, 1 to 64", false},
    {NULL, NULL, NULL, false},
};

static enum berth_exit show(struct berth_cli *cli, const json_t *result)
{
    const json_t *ports = berth_field_array(result, "ports");
    size_t count = json_array_size(ports);
    uint16_t port;

    if (count == 0) {
        return berth_cli_fail_answer(cli);
    }
    for (size_t i = 0; i < count; i++) {
        if (!berth_field_port(&port, json_array_get(ports, i))) {
            berth_text_clear(&cli->out);
            return berth_cli_fail_answer(cli);
        }
        berth_text_printf(&cli->out, "%u\n", (unsigned)port);
    }
    return BERTH_EXIT_DONE;
}

static enum berth_exit run(struct berth_cli *cli, const struct berth_parsed *parsed)
{
    struct berth_params params;

    berth_params_init(&params, cli);
    berth_params_string(&params, "pool", "--pool", berth_parsed_value(parsed, "pool"));
    berth_params_range(&params, "range", "--range", berth_parsed_value(parsed, "range"));
    berth_params_number(&params, "count", "--count", berth_parsed_value(parsed, "count"), 1, 64);
    return berth_params_ask(&params, "next", show);
}

const struct berth_command berth_command_next = {
    .name = "next",
    .summary = "Print the port that would be given next, and take nothing",
    .synopsis = "[--pool P] [--range A-B] [--count N]",
    .options = options,
    .notes = "The port may be gone a moment later: 'berth allocate' is what keeps it.\n",
    .run = run,
};
