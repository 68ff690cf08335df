/* SPDX-License-Identifier: MIT */
#include "daemon/process.h"

#include <fcntl.h>
#include <io.h>
#include <signal.h>
#include <stdlib.h>
#include <uv.h>
#include <windows.h>

/* A service has no standard descriptors. What took one of their numbers would be taken for one:
 * libuv copies such a handle and lets go of the original, which then stays open for good. */
static void fill_standard_descriptors(void)
{
    int fd;

    do {
        fd = _open("NUL", _O_RDWR);
    } while (fd >= 0 && fd <= 2);
    if (fd > 2) {
        (void)_close(fd);
    }
}

void berth_process_prepare(void)
{
    /* by the C library, as libuv asks it and not the system: so not uv_os_setenv() */
    if (getenv("UV_THREADPOOL_SIZE") == NULL) {
        (void)_putenv_s("UV_THREADPOOL_SIZE", BERTH_PROCESS_POOL_THREADS);
    }
    fill_standard_descriptors();
    /* a service has nobody to answer a message box */
    (void)SetErrorMode(SEM_FAILCRITICALERRORS | SEM_NOOPENFILEERRORBOX);
    (void)HeapSetInformation(NULL, HeapEnableTerminationOnCorruption, NULL, 0);
}

enum berth_code berth_process_random(void *out, unsigned size, struct berth_error *err)
{
    int status = uv_random(NULL, NULL, out, size, 0, NULL);

    if (status != 0) {
        return berth_fail(err, BERTH_IO, status, "no random numbers: %s", uv_strerror(status));
    }
    return BERTH_OK;
}

bool berth_process_logs_to_journal(void)
{
    return false;
}

/* libuv's SIGHUP is the end of the console, which the system grants some seconds for. */
const struct berth_process_signal *berth_process_signals(size_t *count)
{
    static const struct berth_process_signal signals[] = {
        {SIGINT, BERTH_SIGNAL_STOP}, {SIGBREAK, BERTH_SIGNAL_STOP}, {SIGHUP, BERTH_SIGNAL_STOP}};

    *count = sizeof signals / sizeof *signals;
    return signals;
}
