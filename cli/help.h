/* SPDX-License-Identifier: MIT */
/* Help texts, all made from the table of commands. */
#ifndef BERTH_CLI_HELP_H
#define BERTH_CLI_HELP_H

#include "command.h"

/** Adds what `berth` without arguments says: usage, commands, global options. */
void berth_help_overview(struct berth_text *out);

/** Adds a command's usage, summary, options and notes. */
void berth_help_command(struct berth_text *out, const struct berth_command *command);

#endif
