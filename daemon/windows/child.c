/* SPDX-License-Identifier: MIT */
#include "daemon/child.h"

#include <signal.h>

unsigned berth_child_flags(void)
{
    return UV_PROCESS_WINDOWS_HIDE;
}

void berth_child_end(uv_process_t *process)
{
    (void)uv_process_kill(process, SIGKILL); /* TerminateProcess */
}
