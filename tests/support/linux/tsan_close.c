/* SPDX-License-Identifier: MIT */
/* libuv closes files by the system call itself, which the thread sanitizer does not see: the next
 * file of that number, opened by a thread that has nothing to do with the first one, would look
 * like a race between the two. With this in a program, libuv's closes are seen. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ARGUMENTS 6

typedef long system_call(long number, ...);

long syscall(long number, ...)
{
    long arguments[ARGUMENTS];
    va_list list;

    va_start(list, number);
    for (unsigned i = 0; i < ARGUMENTS; i++) {
        arguments[i] = va_arg(list, long); /* whatever is there, as libc's does */
    }
    va_end(list);
    if (number == SYS_close) {
        return close((int)arguments[0]);
    }
    void *found = dlsym(RTLD_NEXT, "syscall");
    system_call *call = NULL;
    memcpy(&call, &found, sizeof call); /* C has no cast from an object to a function */
    return call(number, arguments[0], arguments[1], arguments[2], arguments[3], arguments[4],
                arguments[5]);
}
