/* SPDX-License-Identifier: MIT */
/* `berthd service …`: puts the daemon under the service manager of Windows, and takes it out. */
#ifndef BERTH_DAEMON_SERVICE_COMMAND_H
#define BERTH_DAEMON_SERVICE_COMMAND_H

/** Carries the command out and prints what came of it, errors on standard error.
 *  @param[in] argv  what follows "service" on the command line
 *  @return the process's exit status: 0 done, 1 failed or not supported here, 2 usage; of `status`:
 *          0 running, 3 not running, 4 not installed
 *  @thread main  @blocks until the service has done what was asked, or has had the time for it */
int berth_service_command(int argc, char **argv);

#endif
