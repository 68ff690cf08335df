/* SPDX-License-Identifier: MIT */
/* Whose pipe it is. Any user may make a pipe of a name that nobody has at the moment; what is asked
 * there would be answered by him. */
#ifndef BERTH_CLIENT_WINDOWS_SERVER_OWNER_H
#define BERTH_CLIENT_WINDOWS_SERVER_OWNER_H

#include "base/error.h"

#include <stdbool.h>
#include <windows.h>

/** Checks that a connected pipe belongs to whom a daemon's may: the system, the administrators,
 *  Berth's service, or the user that this program runs as.
 *  @return BERTH_OK · BERTH_IO: it belongs to somebody else, who is named, or the system does not
 *          tell  @thread any  @blocks for the owner's name, when it is a stranger
 *  @source GetSecurityInfo; a user can give what he makes to himself and to groups of his that are
 *          marked as owners, but not to others */
enum berth_code berth_server_owner_check(HANDLE pipe, struct berth_error *err);

/** Tells whether an owner is one of those. `own`: the SID of the user that this program runs as. */
bool berth_server_owner_is_trusted(PSID owner, PSID own);

#endif
