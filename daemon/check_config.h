/* SPDX-License-Identifier: MIT */
/* berthd --check-config: says what a configuration comes to, or what is wrong with it. */
#ifndef BERTH_DAEMON_CHECK_CONFIG_H
#define BERTH_DAEMON_CHECK_CONFIG_H

#include "options.h"

#include <stdbool.h>

/** Checks the configuration that a start with these options would read. Its effective settings are
 *  printed on standard output, with the places of this platform where none is set; each remark
 *  about it on standard error, as "FILE:4: error: …".
 *  @return false: the daemon would not start with it  @thread main
 *  @blocks for reading the file, and for looking at those that it names */
bool berth_check_config(const struct berth_options *options);

#endif
