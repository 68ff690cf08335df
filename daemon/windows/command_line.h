/* SPDX-License-Identifier: MIT */
/* Command lines as Windows hands them to a program: one text, which the program takes apart. */
#ifndef BERTH_DAEMON_WINDOWS_COMMAND_LINE_H
#define BERTH_DAEMON_WINDOWS_COMMAND_LINE_H

#include "base/text.h"

/** Adds an argument, in quotation marks, so that a program of the C library finds it whole.
 *  @source "Parsing C++ command-line arguments": backslashes count only before a quotation mark */
void berth_command_line_add(struct berth_text *line, const char *argument);

#endif
