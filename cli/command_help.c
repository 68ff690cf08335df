/* SPDX-License-Identifier: MIT */
/* berth help: tells about the program or a command. */
#include "commands.h"

#include "help.h"

static enum berth_exit run(struct berth_cli *cli, const struct berth_parsed *parsed)
{
    const char *name = berth_parsed_argument(parsed, 0);
    const struct berth_command *command = name != NULL ? berth_command_find(name) : NULL;

    if (name == NULL) {
        berth_help_overview(&cli->out);
        return BERTH_EXIT_DONE;
    }
    if (command == NULL) {
        return berth_command_unknown(cli, name);
    }
    berth_help_command(&cli->out, command);
    return BERTH_EXIT_DONE;
}

const struct berth_command berth_command_help = {
    .name = "help",
    .summary = "Tell about a command",
    .synopsis = "[COMMAND]",
    .arguments_max = 1,
    .run = run,
};
