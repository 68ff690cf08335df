/* SPDX-License-Identifier: MIT */
#include "daemon/child.h"

#include <signal.h>

unsigned berth_child_flags(void)
{
    return UV_PROCESS_DETACHED; /* setsid(): it leads a group of its own */
}

void berth_child_keep(struct berth_child *child, const uv_process_t *process)
{
    (void)process; /* the group is there already */
    child->job = NULL;
}

void berth_child_end(const struct berth_child *child, uv_process_t *process)
{
    (void)child;
    if (uv_kill(-process->pid, SIGKILL) != 0) {
        (void)uv_process_kill(process, SIGKILL);
    }
}

void berth_child_release(struct berth_child *child)
{
    (void)child;
}
