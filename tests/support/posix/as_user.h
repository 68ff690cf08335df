/* SPDX-License-Identifier: MIT */
/* Connects as somebody else. The system notes a peer's identity when it connects, so it is enough
 * to be another user for that long. */
#ifndef BERTH_TESTS_AS_USER_H
#define BERTH_TESTS_AS_USER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct test_identity {
    unsigned user;
    unsigned group;
    const unsigned *more_groups;
    size_t more_count; /* at most 16 */
};

/** Tells whether this process may be others (it is root). */
bool as_user_possible(void);

/** Connects to an endpoint as somebody. Fails the test if that cannot be.
 *  @return a socket as of platform_connect()  @thread the only one */
intptr_t as_user_connect(const char *endpoint, const struct test_identity *who);

#endif
