/* SPDX-License-Identifier: MIT */
/* Finds the configuration, reads it, and tells the log what it says of itself. */
#ifndef BERTH_DAEMON_CONFIGURE_H
#define BERTH_DAEMON_CONFIGURE_H

#include "options.h"
#include "settings.h"

/** A configuration as read. */
struct berth_configuration {
    struct berth_settings settings;
    char *path;      /* NULL: there is no file, these are the defaults */
    char **warnings; /* for `status` */
    size_t warning_count;
    bool quiet; /* warnings are kept, and not logged */
};

/** Reads the file that the options name, or the one in the platform's place, or takes the defaults
 *  where there is none there. Its remarks go to the log.
 *  @param[out] out  set only on BERTH_OK; for berth_configuration_fini()
 *  @return BERTH_OK; as berth_settings_load(), the remarks being logged already
 *  @thread loop  @blocks for reading the file */
enum berth_code berth_configuration_load(struct berth_configuration *out,
                                         const struct berth_options *options,
                                         struct berth_error *err);

/** The same, with the remarks in `remarks`, as berth_diagnostics_write() writes them, instead of
 * the log; nor are later warnings logged. */
enum berth_code berth_configuration_check(struct berth_configuration *out,
                                          const struct berth_options *options,
                                          struct berth_text *remarks, struct berth_error *err);

/** Adds a warning for each program of an alert that cannot be run, and where the metrics' folder is
 *  not there. Not done at start and reload: a share that hangs would hang these.
 *  @thread any  @blocks for looking at files */
void berth_configuration_check_files(struct berth_configuration *configuration);

/** Gives the memory back. All zero is accepted. */
void berth_configuration_fini(struct berth_configuration *configuration);

/** Adds warnings, one for each line of `lines`. Those that memory is lacking for are lost. */
void berth_configuration_add_warnings(struct berth_configuration *configuration, const char *lines);

#endif
