/* SPDX-License-Identifier: MIT */
/* berth handover: ends the hold on a lease's port, so that its holder can bind it. */
#include "commands.h"

#include "params.h"

static enum berth_exit show(struct berth_cli *cli, const json_t *result)
{
    (void)result;
    berth_text_puts(&cli->out, "the hold is ended, the lease stays\n");
    return BERTH_EXIT_DONE;
}

static enum berth_exit run(struct berth_cli *cli, const struct berth_parsed *parsed)
{
    struct berth_params params;

    berth_params_init(&params, cli);
    berth_params_string(&params, "lease", "LEASE", parsed->arguments[0]);
    return berth_params_ask(&params, "handover", show);
}

const struct berth_command berth_command_handover = {
    .name = "handover",
    .summary = "End the hold on a lease's port and keep the lease",
    .synopsis = "LEASE",
    .arguments_min = 1,
    .arguments_max = 1,
    .run = run,
};
