/* SPDX-License-Identifier: MIT */
#include "daemon/child.h"

#include <signal.h>

unsigned berth_child_flags(void)
{
    return UV_PROCESS_DETACHED; /* setsid(): it leads a group of its own */
}

void berth_child_end(uv_process_t *process)
{
    if (uv_kill(-process->pid, SIGKILL) != 0) {
        (void)uv_process_kill(process, SIGKILL);
    }
}
