/* SPDX-License-Identifier: MIT */
/* To be preloaded: a share that hangs. As long as a file FILE.hangs is there, whoever opens FILE
 * waits; FILE.hung says that somebody does. So does who asks for a user's name, for the file that
 * $HANGING_ACCOUNTS names. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <limits.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

static int open_now(const char *path, int flags, unsigned mode)
{
    return (int)syscall(SYS_openat, AT_FDCWD, path, flags, mode);
}

static void wait_while_it_hangs(const char *path)
{
    const struct timespec pause = {.tv_nsec = 5000000};
    char marker[PATH_MAX];

    (void)snprintf(marker, sizeof marker, "%s.hangs", path);
    if (access(marker, F_OK) != 0) {
        return;
    }
    char hung[PATH_MAX];
    (void)snprintf(hung, sizeof hung, "%s.hung", path);
    int fd = open_now(hung, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd >= 0) {
        (void)close(fd);
    }
    while (access(marker, F_OK) == 0) {
        (void)nanosleep(&pause, NULL);
    }
}

/* The mode, where there is one. */
#define MODE_OF(flags, last, mode)                                                                 \
    do {                                                                                           \
        va_list arguments;                                                                         \
        va_start(arguments, last);                                                                 \
        mode = ((flags)&O_CREAT) != 0 ? va_arg(arguments, unsigned) : 0;                           \
        va_end(arguments);                                                                         \
    } while (0)

int open(const char *path, int flags, ...)
{
    unsigned mode;

    MODE_OF(flags, flags, mode);
    wait_while_it_hangs(path);
    return open_now(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
    unsigned mode;

    MODE_OF(flags, flags, mode);
    wait_while_it_hangs(path);
    return open_now(path, flags, mode);
}

int getpwuid_r(uid_t user, struct passwd *entry, char *buffer, size_t size, struct passwd **result)
{
    int (*next)(uid_t, struct passwd *, char *, size_t, struct passwd **);
    void *symbol = dlsym(RTLD_NEXT, "getpwuid_r");
    const char *path = getenv("HANGING_ACCOUNTS");

    if (path != NULL) {
        wait_while_it_hangs(path);
    }
    memcpy(&next, &symbol, sizeof next);
    return next(user, entry, buffer, size, result);
}
