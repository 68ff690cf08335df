/* SPDX-License-Identifier: MIT */
/* A folder that only the daemon and administrators may look into. */
#ifndef BERTH_DAEMON_WINDOWS_FOLDER_H
#define BERTH_DAEMON_WINDOWS_FOLDER_H

#include "base/error.h"
#include "daemon/accounts.h"

#define BERTH_FOLDER_SDDL_SIZE (BERTH_ACCOUNT_TEXT_SIZE + 96) /* of a buffer for it */

/** Writes the permissions: SYSTEM, Administrators and `own` in full, nobody else, for what will be
 *  in the folder too.  @return `out`  @source [MS-DTYP] 2.5.1, SDDL */
char *berth_folder_sddl(char *out, const struct berth_account_id *own);

/** Makes a folder, and those above it, where they are missing. The folder gets a protected DACL,
 *  that of berth_folder_sddl() for who runs the daemon. One that exists is left as it is; those
 *  above are made as the system makes any.
 *  @return BERTH_OK; BERTH_IO: it could not be made, or there is something else of that name;
 *          BERTH_NO_MEMORY  @thread any  @blocks for the disk
 *  @source CreateDirectoryW with SECURITY_ATTRIBUTES: it never exists without them */
enum berth_code berth_folder_make_private(const char *path, struct berth_error *err);

#endif
