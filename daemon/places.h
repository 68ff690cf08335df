/* SPDX-License-Identifier: MIT */
/* Where things lie on this platform when nobody says otherwise: the contract. */
#ifndef BERTH_DAEMON_PLACES_H
#define BERTH_DAEMON_PLACES_H

#include "base/error.h"

/* Each gives a path for berth_free().  @thread any, before others change the environment
 * @return BERTH_OK; BERTH_NOT_FOUND: there is no such place here; BERTH_NO_MEMORY */

/** The endpoint: under systemd $RUNTIME_DIRECTORY/berth.sock, as root /run/berth/berth.sock, else
 *  $XDG_RUNTIME_DIR/berth.sock. */
enum berth_code berth_place_endpoint(char **out, struct berth_error *err);

/** The configuration file: /etc/berth/berthd.config. It need not exist. */
enum berth_code berth_place_settings(char **out, struct berth_error *err);

/** The folder for what outlasts the process: under systemd $STATE_DIRECTORY, as root
 * /var/lib/berth, else $XDG_STATE_HOME/berth or ~/.local/state/berth. It need not exist. */
enum berth_code berth_place_state(char **out, struct berth_error *err);

/** The machine's own applicationHost.config. BERTH_NOT_FOUND where there is no IIS to have one. */
enum berth_code berth_place_iis_config(char **out, struct berth_error *err);

/** Makes the folder of an endpoint where it is missing and this is its usual place (/run/berth).
 *  @return BERTH_OK; BERTH_IO: it could not be made  @blocks for a system call */
enum berth_code berth_place_prepare_endpoint(const char *endpoint, struct berth_error *err);

/** Gives "linux" or "windows". */
const char *berth_place_platform(void);

#endif
