/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "posix/file_limit.h"

#include <sys/resource.h>
#include <sys/types.h>

bool limit_files(long process, size_t bytes)
{
    struct rlimit limit;

    if (prlimit((pid_t)process, RLIMIT_FSIZE, NULL, &limit) != 0) {
        return false;
    }
    limit.rlim_cur = bytes; /* the hard one stays, so that there can be room again */
    return prlimit((pid_t)process, RLIMIT_FSIZE, &limit, NULL) == 0;
}
