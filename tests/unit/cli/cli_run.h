/* SPDX-License-Identifier: MIT */
/* Runs the command line program inside a test, against a scripted server. */
#ifndef BERTH_TESTS_CLI_RUN_H
#define BERTH_TESTS_CLI_RUN_H

#include "scripted_server.h"

/** What the last run printed. */
extern char *cli_out;
extern char *cli_err;

/** Group fixtures: a folder for the socket, and BERTH_ENDPOINT that names it. */
int cli_run_setup(void **state);
int cli_run_teardown(void **state);

/** Runs `berth` with the words of `line` (parted by blanks; '_' inside a word stands for a blank)
 *  against a server with `count` rules; 0: no server.
 *  @return the exit status */
int cli_run(const char *line, const struct scripted_rule *rules, size_t count);

/** The same for a terminal of `width` columns. */
int cli_run_wide(const char *line, const struct scripted_rule *rules, size_t count, unsigned width);

/** What the server of the last run received. */
const char *cli_received(void);

/** Runs `line` against a server that answers any method with `reply`, and expects the status and
 *  the exact texts on standard output and error. */
void expect_run(const char *line, const char *reply, int status, const char *out, const char *err);

#endif
