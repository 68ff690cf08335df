/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "posix/as_user.h"

#include "cmocka_all.h"
#include "system_platform.h"

#include <grp.h>
#include <sys/types.h>
#include <unistd.h>

bool as_user_possible(void)
{
    return geteuid() == 0;
}

intptr_t as_user_connect(const char *endpoint, const struct test_identity *who)
{
    gid_t own[64];
    gid_t others[16];
    int own_count = getgroups(64, own);
    gid_t own_group = getegid();

    assert_true(own_count >= 0 && who->more_count <= 16);
    for (size_t i = 0; i < who->more_count; i++) {
        others[i] = (gid_t)who->more_groups[i];
    }
    assert_int_equal(setgroups(who->more_count, others), 0);
    assert_int_equal(setegid((gid_t)who->group), 0);
    assert_int_equal(seteuid((uid_t)who->user), 0);
    intptr_t socket = platform_connect(endpoint);
    assert_int_equal(seteuid(0), 0);
    assert_int_equal(setegid(own_group), 0);
    assert_int_equal(setgroups((size_t)own_count, own), 0);
    assert_true(socket != PLATFORM_NO_SOCKET);
    return socket;
}
