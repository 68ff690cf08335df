/* SPDX-License-Identifier: MIT */
/* The end of what Berth keeps on the machine. */
#ifndef BERTH_DAEMON_WINDOWS_SERVICE_PURGE_H
#define BERTH_DAEMON_WINDOWS_SERVICE_PURGE_H

#include "base/text.h"

#include <stdbool.h>

/** Removes a folder with the files in it. Folders in it, and what cannot be removed, stay and are
 *  noted. A folder that is not there is no reason for a note. Follows no links.
 *  @return true: it is gone  @thread any  @blocks for the disk */
bool berth_service_purge_folder(const char *path, struct berth_text *notes);

#endif
