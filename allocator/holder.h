/* SPDX-License-Identifier: MIT */
/* Who is meant to use a leased port: "site:NAME", "process:IMAGE", "any", or none said (NULL),
 * which means a binding of IIS. */
#ifndef BERTH_ALLOCATOR_HOLDER_H
#define BERTH_ALLOCATOR_HOLDER_H

#include "base/error.h"
#include "claim.h"

#include <stdbool.h>

/** Checks a holder's form.  @return BERTH_OK; BERTH_INVALID_PARAMS says what is accepted */
enum berth_code berth_holder_check(const char *holder, struct berth_error *err);

/** Gives the site that a holder names; NULL: it names none. */
const char *berth_holder_site(const char *holder);

/** Compares names as IIS does its sites': letters of ASCII in any case. */
bool berth_holder_same_name(const char *a, const char *b);

/** Tells whether a claim is its holder's use of the port: a binding or listener of its own that
 * does not linger. */
bool berth_holder_uses(const char *holder, const struct berth_claim *claim);

/** Tells whether a claim is somebody else's use of the port: a binding or listener that does not
 *  linger. Connections are not a use, nor are reservations. */
bool berth_holder_is_displaced_by(const char *holder, const struct berth_claim *claim);

#endif
