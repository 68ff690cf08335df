/* SPDX-License-Identifier: MIT */
/* Runs a program and gives what it prints. */
#ifndef BERTH_WATCHERS_RUN_COMMAND_H
#define BERTH_WATCHERS_RUN_COMMAND_H

#include "base/text.h"

#include <stdint.h>

/** Runs a program to its end, without a shell, a window or input, and takes its standard output;
 * its standard error is thrown away. It is ended when it takes too long or prints too much.
 *  @param[in,out] out         what it printed is added; on error some of it may have been
 *  @param[in]     arguments   the first is the program's absolute path; NULL ends them
 *  @param[in]     timeout_ms  not 0
 *  @return BERTH_OK: it ended with status 0; BERTH_NOT_FOUND: there is no such program; BERTH_IO:
 * it could not be started, or ended otherwise, or had to be ended; BERTH_TOO_LARGE: `out` is full;
 * BERTH_NO_MEMORY
 *  @thread any, with no loop of its own under way (it runs one of its own)  @blocks until it ends
 *  @source libuv, uv_spawn */
enum berth_code berth_run_command(struct berth_text *out, const char *const *arguments,
                                  uint64_t timeout_ms, struct berth_error *err);

#endif
