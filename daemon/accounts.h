/* SPDX-License-Identifier: MIT */
/* Users and groups of the machine: the contract of a platform's account look-ups. */
#ifndef BERTH_DAEMON_ACCOUNTS_H
#define BERTH_DAEMON_ACCOUNTS_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BERTH_ACCOUNT_BYTES_MAX 68  /* SECURITY_MAX_SID_SIZE of Windows */
#define BERTH_ACCOUNT_NAME_SIZE 64  /* of a buffer for a user's name, which is cut off there */
#define BERTH_ACCOUNT_TEXT_SIZE 192 /* of a buffer for any account's text, its NUL included */

/** A user or a group, as the system identifies it: a kind and a number on Linux, a SID on Windows.
 *  What stands in it is the platform's; others compare and hand on. */
struct berth_account_id {
    uint8_t length; /* of `bytes`; 0: none */
    uint8_t bytes[BERTH_ACCOUNT_BYTES_MAX];
};

/** Tells whether two are one account; none is like no other.  @thread any */
bool berth_account_same(const struct berth_account_id *a, const struct berth_account_id *b);

/** Finds a group, or a user, by name, by number (Linux) or by SID (Windows). Names that stand in a
 *  configuration are looked up on the loop, at start and reload only, when somebody waits for just
 *  that.
 *  @return BERTH_OK; BERTH_NOT_FOUND: there is none; BERTH_IO, BERTH_DENIED, BERTH_NO_MEMORY: it
 *          could not be looked up, so that nobody knows whether there is; `err` names it and has
 *          the system's error. On error `out` is unchanged
 *  @thread loop  @blocks for the system's account database, which may be a server's
 *  @source getgrnam(3), getpwnam(3); LookupAccountNameW */
enum berth_code berth_account_find_group(const char *name, struct berth_account_id *out,
                                         struct berth_error *err);
enum berth_code berth_account_find_user(const char *name, struct berth_account_id *out,
                                        struct berth_error *err);

/** Gives as whom this process runs: its user; on Windows its service's own SID where it has one,
 * and none (length 0) where its user is an account that other services share.  @thread any */
struct berth_account_id berth_account_own_user(void);

/** Tells whether a user or group administers the daemon whatever the configuration says: root;
 *  SYSTEM and the group Administrators on Windows.  @thread any */
bool berth_account_is_administrator(const struct berth_account_id *account);

/** Writes what identifies an account for good: "uid:1000", "gid:100", "S-1-5-32-544". It goes into
 *  the store.
 *  @param[out] out  room for BERTH_ACCOUNT_TEXT_SIZE; "" for none  @return `out`  @thread any */
char *berth_account_text(const struct berth_account_id *account, char *out);

/** Reads what berth_account_text() wrote.  @return false: that is no account, `out` is unchanged
 *  @thread any */
bool berth_account_read(const char *text, struct berth_account_id *out);

/** Writes what a user is called who has no name: "uid 1000", or the SID.
 *  @return `out`  @thread any  @blocks no */
char *berth_account_nameless(const struct berth_account_id *user, char *out, size_t size);

/** Looks up a user's name for people. What is shown to clients comes from account_names.h, as this
 *  may take for as long as a directory server likes.
 *  @param[out] out  "alice", "WORK\alice", cut off where it is longer; else what
 *                   berth_account_nameless() writes
 *  @return false: there is none, or it cannot be looked up: where a server is away, no system tells
 *          these apart for sure
 *  @thread any  @blocks for the account database  @source getpwuid(3); LookupAccountSidW */
bool berth_account_look_up_user_name(const struct berth_account_id *user, char *out, size_t size);

#endif
