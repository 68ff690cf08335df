/* SPDX-License-Identifier: MIT */
/* SIDs: what a berth_account_id holds on Windows, and their text. No Windows call in here, so that
 * it is tested everywhere. */
#ifndef BERTH_DAEMON_WINDOWS_SID_H
#define BERTH_DAEMON_WINDOWS_SID_H

#include "daemon/accounts.h"

/* Accounts that every Windows has. @source [MS-DTYP] 2.4.2.4 */
extern const struct berth_account_id berth_sid_owner_rights;        /* S-1-3-4 */
extern const struct berth_account_id berth_sid_anonymous;           /* S-1-5-7 */
extern const struct berth_account_id berth_sid_authenticated_users; /* S-1-5-11 */
extern const struct berth_account_id berth_sid_system;              /* S-1-5-18 */
extern const struct berth_account_id berth_sid_local_service;       /* S-1-5-19 */
extern const struct berth_account_id berth_sid_network_service;     /* S-1-5-20 */
extern const struct berth_account_id berth_sid_administrators;      /* S-1-5-32-544 */

/** Takes a SID over from its binary form.
 *  @return false: the bytes are no whole SID, `out` is unchanged  @thread any
 *  @source [MS-DTYP] 2.4.2.2: revision 1, a count of at most 15, an authority of 6 bytes, highest
 *          first, and as many sub-authorities of 4 bytes, lowest first */
bool berth_sid_take(const void *bytes, size_t length, struct berth_account_id *out);

/** Reads a SID's text, "S-1-5-32-544": decimal numbers, or the authority as 0x and hexadecimal.
 *  @return false: it is none, `out` is unchanged  @thread any  @source [MS-DTYP] 2.4.2.1 */
bool berth_sid_read(const char *text, struct berth_account_id *out);

/** Writes a SID's text as Windows does.
 *  @param[out] out  room for BERTH_ACCOUNT_TEXT_SIZE; "" for what is no SID  @return `out` */
char *berth_sid_write(const struct berth_account_id *sid, char *out);

/** Tells whether it is a service's own SID: NT SERVICE\NAME, not that of all services. */
bool berth_sid_is_service(const struct berth_account_id *sid);

#endif
