/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "posix/die_with_parent.h"

#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

void die_with_parent(long parent)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if ((long)getppid() != parent) {
        _exit(125);
    }
}
