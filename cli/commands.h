/* SPDX-License-Identifier: MIT */
/* The commands, one in each command_<name>.c. */
#ifndef BERTH_CLI_COMMANDS_H
#define BERTH_CLI_COMMANDS_H

#include "command.h"

extern const struct berth_command berth_command_adopt;
extern const struct berth_command berth_command_allocate;
extern const struct berth_command berth_command_conflicts;
extern const struct berth_command berth_command_free;
extern const struct berth_command berth_command_handover;
extern const struct berth_command berth_command_help;
extern const struct berth_command berth_command_history;
extern const struct berth_command berth_command_import;
extern const struct berth_command berth_command_leases;
extern const struct berth_command berth_command_next;
extern const struct berth_command berth_command_ports;
extern const struct berth_command berth_command_release;
extern const struct berth_command berth_command_reload;
extern const struct berth_command berth_command_renew;
extern const struct berth_command berth_command_status;
extern const struct berth_command berth_command_version;
extern const struct berth_command berth_command_watch;
extern const struct berth_command berth_command_who;

#endif
