/* SPDX-License-Identifier: MIT */
#include "exit_status.h"

#include <string.h>

struct reason_row {
    const char *reason;
    enum berth_exit status;
};

static const struct reason_row reason_rows[] = {
    {"pool_exhausted", BERTH_EXIT_NO_FREE_PORT},
    {"port_in_use", BERTH_EXIT_PORT_IN_USE},
    {"not_ready", BERTH_EXIT_NOT_READY},
    {"not_found", BERTH_EXIT_NOT_FOUND},
    {"denied", BERTH_EXIT_DENIED},
    {"invalid_params", BERTH_EXIT_USAGE},
};

enum berth_exit berth_exit_of_reason(const char *reason)
{
    for (unsigned i = 0; i < BERTH_COUNT(reason_rows); i++) {
        if (strcmp(reason_rows[i].reason, reason) == 0) {
            return reason_rows[i].status;
        }
    }
    return BERTH_EXIT_FAILED;
}

enum berth_exit berth_exit_of_call(enum berth_code code)
{
    switch (code) {
    case BERTH_OK:
        return BERTH_EXIT_DONE;
    case BERTH_NOT_FOUND:
    case BERTH_BUSY:
    case BERTH_IO:
        return BERTH_EXIT_NOT_REACHED;
    case BERTH_DENIED:
        return BERTH_EXIT_DENIED;
    case BERTH_INVALID_PARAMS:
        return BERTH_EXIT_USAGE;
    default:
        return BERTH_EXIT_FAILED;
    }
}

const char *berth_reason_of_call(enum berth_code code)
{
    /* a damaged answer is the daemon's fault, not one of the parameters */
    return berth_exit_of_call(code) == BERTH_EXIT_NOT_REACHED ? "not_reached"
           : code == BERTH_MALFORMED                          ? berth_code_token(BERTH_INTERNAL)
                                                              : berth_code_token(code);
}
