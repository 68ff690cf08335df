/* SPDX-License-Identifier: MIT */
/* Users and groups of the machine: the contract of a platform's account look-ups. */
#ifndef BERTH_DAEMON_ACCOUNTS_H
#define BERTH_DAEMON_ACCOUNTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Finds a group by name or number.  @return false: none, `out` unchanged
 *  @thread loop  @blocks for the system's account database  @source getgrnam(3) */
bool berth_account_group(const char *name, uint32_t *out);

/** Finds a user by name or number.  @return false: none, `out` unchanged  @source getpwnam(3) */
bool berth_account_user(const char *name, uint32_t *out);

/** Gives the user that this process runs as. */
uint32_t berth_account_own_user(void);

/** Writes a user's name, or "uid N" where there is none. Remembers the latest look-ups, so that a
 *  client that connects again and again costs one.  @return `out` */
char *berth_account_user_name(uint32_t user, char *out, size_t size);

#endif
