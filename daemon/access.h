/* SPDX-License-Identifier: MIT */
/* Which role a peer has: the configured rules, resolved to the system's ids once, then compared. */
#ifndef BERTH_DAEMON_ACCESS_H
#define BERTH_DAEMON_ACCESS_H

#include "peer.h"
#include "settings.h"

#include <stdbool.h>
#include <stddef.h>

/** A rule whose name was looked up. */
struct berth_access_entry {
    enum berth_role role;
    enum berth_subject subject;
    struct berth_account_id account; /* not for EVERYONE */
};

struct berth_access {
    struct berth_access_entry *entries;
    size_t count;
    struct berth_account_id own_user; /* who runs the daemon may administer it; a service's own SID
                                         on Windows, which is a group of its token */
    struct berth_text warnings;       /* one a line: names that the system does not know, or could
                                         not look up */
};

/** Makes the rules of some settings comparable.
 *  A name that the system does not know, or cannot look up now, gives a warning that says which,
 *  and grants nothing.
 *  @param[out] out  set only on BERTH_OK; for berth_access_fini()
 *  @param[in] path  the file that the settings are of, for warnings; may be NULL for the defaults
 *  @return BERTH_OK; BERTH_NO_MEMORY  @thread loop  @blocks for the look-up of names */
enum berth_code berth_access_resolve(struct berth_access *out,
                                     const struct berth_settings *settings, const char *path,
                                     struct berth_error *err);

/** Gives the memory back. All zero is accepted. */
void berth_access_fini(struct berth_access *access);

/** Gives the highest role that any rule gives a peer. Who administers the machine, and the daemon's
 *  own user, are administrators whatever the rules say.
 *  @param[out] through  the group of the first rule that gives this role; none: a rule for a user
 *                       or for everyone did, or no rule
 *  @thread any  @blocks no */
enum berth_role berth_access_role(const struct berth_access *access, const struct berth_peer *peer,
                                  struct berth_account_id *through);

#endif
