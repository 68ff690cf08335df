/* SPDX-License-Identifier: MIT */
/* syslog(3) as berth_system_log_*() uses it: where its service is looked for, so that a test is it.
 */
#ifndef BERTH_DAEMON_LINUX_SYSTEM_LOG_H
#define BERTH_DAEMON_LINUX_SYSTEM_LOG_H

#include "daemon/system_log.h"

/** Looks for the log's service at another socket than /dev/log; NULL: at that again. What is
 *  reported goes by syslog(3) all the same.
 *  @param[in] path  belongs to the caller  @thread main, while nobody reports */
void berth_linux_log_use(const char *path);

#endif
