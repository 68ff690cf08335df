/* SPDX-License-Identifier: MIT */
#include "daemon/child.h"

#include <signal.h>
#include <windows.h>

unsigned berth_child_flags(void)
{
    return UV_PROCESS_WINDOWS_HIDE;
}

/* libuv's own job lets what the program starts break away; one without that limit, nested in it,
 * does not. */
static BOOL limit(HANDLE job, DWORD flags)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION information = {
        .BasicLimitInformation = {.LimitFlags = flags}};

    return SetInformationJobObject(job, JobObjectExtendedLimitInformation, &information,
                                   sizeof information);
}

void berth_child_keep(struct berth_child *child, const uv_process_t *process)
{
    HANDLE job = CreateJobObjectW(NULL, NULL);

    if (job != NULL && (!limit(job, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE) ||
                        !AssignProcessToJobObject(job, process->process_handle))) {
        (void)CloseHandle(job);
        job = NULL;
    }
    child->job = job;
}

void berth_child_end(const struct berth_child *child, uv_process_t *process)
{
    (void)uv_process_kill(process, SIGKILL); /* TerminateProcess, and libuv knows why it ended */
    if (child->job != NULL) {
        (void)TerminateJobObject(child->job, 1);
    }
}

void berth_child_release(struct berth_child *child)
{
    if (child->job != NULL) {
        (void)limit(child->job, 0);
        (void)CloseHandle(child->job);
        child->job = NULL;
    }
}
