/* SPDX-License-Identifier: MIT */
/* The exit statuses of `berth`: scripts test them, so they never change their meaning. */
#ifndef BERTH_CLI_EXIT_STATUS_H
#define BERTH_CLI_EXIT_STATUS_H

#include "base/error.h"

enum berth_exit {
    BERTH_EXIT_DONE = 0,
    BERTH_EXIT_FAILED = 1,
    BERTH_EXIT_USAGE = 2,
    BERTH_EXIT_NO_FREE_PORT = 3,
    BERTH_EXIT_NOT_REACHED = 4,
    BERTH_EXIT_DENIED = 5,
    BERTH_EXIT_NOT_READY = 6,
    BERTH_EXIT_NOT_FOUND = 7,
    BERTH_EXIT_PORT_IN_USE = 8,
    BERTH_EXIT_CONFLICTS = 9
};

/** Gives the status for a refusal of the daemon by its reason token.
 *  @return BERTH_EXIT_FAILED for a token that has no status of its own or is unknown
 *  @thread any */
enum berth_exit berth_exit_of_reason(const char *reason);

/** Gives the status for a call that failed on this side of the connection. BERTH_NOT_FOUND means
 *  here that no daemon was found.  @thread any */
enum berth_exit berth_exit_of_call(enum berth_code code);

/** Gives the reason token for such a failure, as `--json` prints it: "not_reached" (which only the
 *  client uses), "denied", "internal" …  @return a string constant  @thread any */
const char *berth_reason_of_call(enum berth_code code);

#endif
