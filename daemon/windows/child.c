/* SPDX-License-Identifier: MIT */
#include "daemon/child.h"

#include "base/compiler.h"
#include "watchers/spawn.h"

#include <signal.h>
#include <windows.h>

/* libuv's own job lets what the program starts break away; one without that limit, nested in it,
 * does not. */
static BOOL limit(HANDLE job, DWORD flags)
{
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION information = {
        .BasicLimitInformation = {.LimitFlags = flags}};

    return SetInformationJobObject(job, JobObjectExtendedLimitInformation, &information,
                                   sizeof information);
}

/* Gives a job with the process in it; NULL: there is none to be had. */
static HANDLE make_job(HANDLE process)
{
    HANDLE job = CreateJobObjectW(NULL, NULL);

    if (job != NULL && (!limit(job, JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE) ||
                        !AssignProcessToJobObject(job, process))) {
        (void)CloseHandle(job);
        job = NULL;
    }
    return job;
}

static void on_exit_cb(uv_process_t *process, int64_t status, int signal)
{
    struct berth_child *child = BERTH_CONTAINER_OF(process, struct berth_child, uv.process);

    child->exited(child, status, signal);
}

int berth_child_start(struct berth_child *child, uv_loop_t *loop,
                      const struct berth_child_options *options, berth_child_exited *exited)
{
    const uv_stdio_flags output = (uv_stdio_flags)(UV_CREATE_PIPE | UV_WRITABLE_PIPE);
    uv_stdio_container_t stdio[] = {
        {.flags = (uv_stdio_flags)(UV_CREATE_PIPE | UV_READABLE_PIPE),
         .data.stream = (uv_stream_t *)options->pipes[0]},
        {.flags = output, .data.stream = (uv_stream_t *)options->pipes[1]},
        {.flags = output, .data.stream = (uv_stream_t *)options->pipes[2]},
    };
    const uv_process_options_t process = {
        .exit_cb = on_exit_cb,
        .file = options->path,
        .args = options->arguments,
        .env = options->environment,
        .flags = UV_PROCESS_WINDOWS_HIDE,
        .stdio_count = 3,
        .stdio = stdio,
    };

    child->exited = exited;
    child->job = NULL;
    int status = berth_spawn(loop, &child->uv.process, &process);
    if (status == 0) {
        child->job = make_job(child->uv.process.process_handle);
    }
    return status;
}

void berth_child_end(struct berth_child *child)
{
    (void)uv_process_kill(&child->uv.process, SIGKILL); /* and libuv knows why it ended */
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
