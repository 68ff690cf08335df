/* SPDX-License-Identifier: MIT */
/* Accounts from numbers, for the platform's own files. */
#ifndef BERTH_DAEMON_POSIX_ACCOUNTS_POSIX_H
#define BERTH_DAEMON_POSIX_ACCOUNTS_POSIX_H

#include "daemon/accounts.h"

#include <sys/types.h>

/** Gives a user's, or a group's, account.  @thread any */
struct berth_account_id berth_posix_user(uid_t user);
struct berth_account_id berth_posix_group(gid_t group);

#endif
