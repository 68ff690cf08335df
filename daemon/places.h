/* SPDX-License-Identifier: MIT */
/* Where things lie on this platform when nobody says otherwise: the contract. */
#ifndef BERTH_DAEMON_PLACES_H
#define BERTH_DAEMON_PLACES_H

#include "base/error.h"

#include <stdbool.h>

/* Each gives a path for berth_free().  @thread any, before others change the environment
 * @return BERTH_OK; BERTH_NOT_FOUND: there is no such place here; BERTH_NO_MEMORY */

/** The endpoint: under systemd $RUNTIME_DIRECTORY/berth.sock, as root /run/berth/berth.sock, else
 *  $XDG_RUNTIME_DIR/berth.sock; on Windows \\.\pipe\berth. */
enum berth_code berth_place_endpoint(char **out, struct berth_error *err);

/** The configuration file: /etc/berth/berthd.config, %ProgramData%\Berth\berthd.config. It need not
 *  exist. */
enum berth_code berth_place_settings(char **out, struct berth_error *err);

/** The folder in which leases are kept: $STATE_DIRECTORY under systemd, as root /var/lib/berth,
 * else $XDG_STATE_HOME/berth or ~/.local/state/berth; %ProgramData%\Berth\state on Windows. */
enum berth_code berth_place_state(char **out, struct berth_error *err);

/** The machine's own applicationHost.config. BERTH_NOT_FOUND where no IIS can be.
 *  @param[out] lacking  this machine provably has no IIS: neither its folder nor its service. What
 *                       cannot be found out counts as being there
 *  @return also BERTH_IO  @blocks for system calls */
enum berth_code berth_place_iis_config(char **out, bool *lacking, struct berth_error *err);

/** The log file of a service that has no standard error: %ProgramData%\Berth\logs\berthd.log on
 *  Windows; BERTH_NOT_FOUND on Linux, where the service manager takes standard error up. */
enum berth_code berth_place_log(char **out, struct berth_error *err);

/** Makes the folder of an endpoint where it is missing and this is its usual place (/run/berth).
 *  @return BERTH_OK; BERTH_IO: it could not be made  @blocks for a system call */
enum berth_code berth_place_prepare_endpoint(const char *endpoint, struct berth_error *err);

/** Makes the folder for the state where it is missing and a folder's usual permissions would let
 *  others than the daemon and administrators look into it (Windows).
 *  @return BERTH_OK, also where it was there, as which it stays; BERTH_IO; BERTH_NO_MEMORY
 *  @blocks for system calls */
enum berth_code berth_place_prepare_state(const char *folder, struct berth_error *err);

/** Gives "linux" or "windows". */
const char *berth_place_platform(void);

#endif
