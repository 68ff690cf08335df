/* SPDX-License-Identifier: MIT */
/* A folder that only the daemon and administrators may look into. */
#ifndef BERTH_DAEMON_WINDOWS_FOLDER_H
#define BERTH_DAEMON_WINDOWS_FOLDER_H

#include "base/error.h"
#include "daemon/accounts.h"

#include <stdbool.h>

#define BERTH_FOLDER_SDDL_SIZE (2 * BERTH_ACCOUNT_TEXT_SIZE + 128) /* of a buffer for it */

/** Writes the permissions: SYSTEM, Administrators and `own` in full, for what will be in the folder
 *  too; nobody else, or with `readable` BUILTIN\Users to read.
 *  @param[in] owner  to whom it belongs; none: not said
 *  @return `out`  @source [MS-DTYP] 2.5.1, SDDL */
char *berth_folder_sddl(char *out, const struct berth_account_id *own,
                        const struct berth_account_id *owner, bool readable);

/** Makes a folder, and those above it, where they are missing. The folder gets a protected DACL,
 *  that of berth_folder_sddl() for who runs the daemon; those above it are readable besides, and
 *  not writable for others: what lies there is the daemon's configuration. One that exists is left
 *  as it is.
 *  @return BERTH_OK; BERTH_IO: it could not be made, or there is something else of that name;
 *          BERTH_NO_MEMORY  @thread any  @blocks for the disk
 *  @source CreateDirectoryW with SECURITY_ATTRIBUTES: it never exists without them */
enum berth_code berth_folder_make_private(const char *path, struct berth_error *err);

#endif
