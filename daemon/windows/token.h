/* SPDX-License-Identifier: MIT */
/* What an access token says: whose it is, and of which groups. */
#ifndef BERTH_DAEMON_WINDOWS_TOKEN_H
#define BERTH_DAEMON_WINDOWS_TOKEN_H

#include "daemon/accounts.h"

#include <windows.h>

/** Gives the user of a token.
 *  @return false: the system does not say (GetLastError()), `out` is unchanged  @thread any
 *  @blocks no  @source GetTokenInformation, TokenUser */
bool berth_token_user(HANDLE token, struct berth_account_id *out);

/** Gives the groups that count for access: those enabled, and not those for denying only, so that
 *  an administrator who is not elevated is none.
 *  @param[in]  wanted  SE_GROUP_… attributes that each must have besides; 0: none
 *  @param[out] out  room for `max`; more are cut off  @param[out] count  how many there are in it
 *  @return false: the system does not say, or no memory (GetLastError()); `count` is 0
 *  @source GetTokenInformation, TokenGroups; SE_GROUP_ENABLED, SE_GROUP_USE_FOR_DENY_ONLY */
bool berth_token_groups(HANDLE token, DWORD wanted, struct berth_account_id *out, size_t max,
                        uint32_t *count);

/** Gives as whom this process serves: its service's own SID (NT SERVICE\NAME) where it has one,
 *  else its user.
 *  @return an id of length 0 where the system does not say, or no memory (GetLastError()): no other
 *          account is named instead  @thread any */
struct berth_account_id berth_token_own_account(void);

/** Gives to whom what this process makes is to belong: its service, or the Administrators where it
 *  is one, or its user. Who connects to a pipe knows by that whose it is.
 *  @return one to whom the system lets it belong; an id of length 0 as berth_token_own_account()
 *  @thread any  @source SE_GROUP_OWNER; SERVICE_SID_INFO */
struct berth_account_id berth_token_own_owner(void);

#endif
