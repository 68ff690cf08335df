/* SPDX-License-Identifier: MIT */
/* berthd's command line. */
#ifndef BERTH_DAEMON_OPTIONS_H
#define BERTH_DAEMON_OPTIONS_H

#include "base/error.h"
#include "log.h"

#include <stdbool.h>

struct berth_options {
    const char *config;   /* NULL: the platform's place, if there is a file */
    const char *endpoint; /* NULL: $BERTH_ENDPOINT, else the configuration's */
    const char *state;    /* NULL: the configuration's */
    enum berth_log_level log_level;
    bool service; /* started by the service manager of Windows */
    bool check_config;
    bool version;
    bool help;
};

/** Reads the command line; strings point into argv.
 *  @return BERTH_OK; BERTH_INVALID_PARAMS: names the argument and what is accepted  @thread any */
enum berth_code berth_options_read(struct berth_options *out, int argc, char **argv,
                                   struct berth_error *err);

/** Gives the text of --help. */
const char *berth_options_help(void);

#endif
