/* SPDX-License-Identifier: MIT */
/* Who may do what where no configuration says so: the contract; each platform has its rules. */
#ifndef BERTH_DAEMON_DEFAULT_ACCESS_H
#define BERTH_DAEMON_DEFAULT_ACCESS_H

#include "settings.h"

/** A rule before it is copied into settings. */
struct berth_default_rule {
    enum berth_role role;
    enum berth_subject subject;
    const char *name;
};

/** Gives the rules: local users read; members of the group `berth`, where there is one, allocate.
 *  Who administers the machine needs none.  @return constants  @thread any */
const struct berth_default_rule *berth_default_access(size_t *count);

#endif
