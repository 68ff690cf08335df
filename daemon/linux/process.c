/* SPDX-License-Identifier: MIT */
#include "daemon/process.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>

void berth_process_prepare(void)
{
    struct rlimit limit;

    (void)setenv("UV_THREADPOOL_SIZE", BERTH_PROCESS_POOL_THREADS, 0);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN);
    /* The thread pool reads large files now and then: with an arena for each thread, and thresholds
     * that grow with the largest block ever freed, glibc would keep several times what is in use.
     */
    (void)mallopt(M_ARENA_MAX, 1);
    (void)mallopt(M_MMAP_THRESHOLD, 128 * 1024);
    (void)mallopt(M_TRIM_THRESHOLD, 128 * 1024);
    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &limit);
    }
}

enum berth_code berth_process_random(void *out, unsigned size, struct berth_error *err)
{
    if (getrandom(out, size, 0) != (ssize_t)size) {
        return berth_fail(err, BERTH_IO, errno, "no random numbers: %s", strerror(errno));
    }
    return BERTH_OK;
}

bool berth_process_logs_to_journal(void)
{
    return getenv("JOURNAL_STREAM") != NULL;
}

const struct berth_process_signal *berth_process_signals(size_t *count)
{
    static const struct berth_process_signal signals[] = {
        {SIGTERM, BERTH_SIGNAL_STOP}, {SIGINT, BERTH_SIGNAL_STOP}, {SIGHUP, BERTH_SIGNAL_RELOAD}};

    *count = BERTH_COUNT(signals);
    return signals;
}
