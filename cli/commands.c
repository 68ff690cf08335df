/* SPDX-License-Identifier: MIT */
#include "commands.h"

#include "suggest.h"

#include <string.h>

const struct berth_command *const berth_commands[] = {
    &berth_command_allocate,
    &berth_command_release,
    &berth_command_renew,
    &berth_command_next,
    &berth_command_free,
    &berth_command_who,
    &berth_command_ports,
    &berth_command_leases,
    &berth_command_conflicts,
    &berth_command_history,
    &berth_command_adopt,
    &berth_command_import,
    &berth_command_handover,
    &berth_command_status,
    &berth_command_watch,
    &berth_command_reload,
    &berth_command_version,
    &berth_command_help,
    NULL,
};

const struct berth_option berth_global_options[] = {
    {"endpoint", "E", "the daemon's endpoint (else $BERTH_ENDPOINT, then the usual places)", false},
    {"json", NULL, "print the result or error object as JSON", false},
    {"timeout", "S", "seconds (or a duration such as 250ms) to wait for an answer; 10", false},
    {"help", NULL, "tell about the command", false},
    {"version", NULL, "print the program's version", false},
    {NULL, NULL, NULL, false},
};

const struct berth_command *berth_command_find(const char *name)
{
    for (size_t i = 0; berth_commands[i] != NULL; i++) {
        if (strcmp(berth_commands[i]->name, name) == 0) {
            return berth_commands[i];
        }
    }
    return NULL;
}

enum berth_exit berth_command_unknown(struct berth_cli *cli, const char *name)
{
    struct berth_suggestion best;

    berth_suggestion_init(&best, name, strlen(name));
    for (size_t i = 0; berth_commands[i] != NULL; i++) {
        berth_suggestion_offer(&best, berth_commands[i]->name);
    }
    if (best.name != NULL) {
        return berth_cli_usage(cli, "there is no command '%.100s'; did you mean '%s'?", name,
                               best.name);
    }
    return berth_cli_usage(cli, "there is no command '%.100s'", name);
}
