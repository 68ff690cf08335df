/* SPDX-License-Identifier: MIT */
#define _XOPEN_SOURCE 700
#include "system_platform.h"

#include "posix/die_with_parent.h"
#include "posix/file_limit.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

uint64_t platform_now_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t platform_now_ms(void)
{
    return platform_now_us() / 1000;
}

void platform_pause_ms(unsigned ms)
{
    struct timespec time = {ms / 1000, (long)(ms % 1000) * 1000000};

    (void)nanosleep(&time, NULL);
}

/* ---- processes ---- */

struct platform_process {
    pid_t id;
    bool ended;
    int status;
};

static void become(const struct platform_start *start, pid_t parent)
{
    int output = open(start->output_path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);

    if (output < 0 || nothing < 0 || dup2(nothing, 0) < 0 || dup2(output, 1) < 0 ||
        dup2(output, 2) < 0) {
        _exit(126);
    }
    if (start->user >= 0 && (setgid((gid_t)start->user) != 0 || setuid((uid_t)start->user) != 0)) {
        _exit(126);
    }
    if (start->file_bytes_max != 0 && !limit_files((long)getpid(), start->file_bytes_max)) {
        _exit(126);
    }
    die_with_parent((long)parent);
    (void)execv(start->arguments[0], (char *const *)(uintptr_t)start->arguments);
    _exit(127);
}

struct platform_process *platform_process_start(const struct platform_start *start)
{
    struct platform_process *process = calloc(1, sizeof *process);
    pid_t parent = getpid();

    if (process == NULL) {
        return NULL;
    }
    (void)fflush(NULL);
    process->id = fork();
    if (process->id == 0) {
        become(start, parent);
    }
    if (process->id < 0) {
        free(process);
        return NULL;
    }
    return process;
}

long platform_process_id(const struct platform_process *process)
{
    return (long)process->id;
}

/* A process that was waited for has no id any more: another may have got it. */
static void send_signal(const struct platform_process *process, int number)
{
    if (!process->ended) {
        (void)kill(process->id, number);
    }
}

void platform_process_stop(const struct platform_process *process)
{
    send_signal(process, SIGTERM);
}

bool platform_process_reload(const struct platform_process *process)
{
    send_signal(process, SIGHUP);
    return true;
}

void platform_words_taken(char *out, size_t size, const struct platform_process *process)
{
    (void)snprintf(out, size, "another berthd (pid %ld)", platform_process_id(process));
}

void platform_process_suspend(const struct platform_process *process)
{
    int status;

    send_signal(process, SIGSTOP);
    if (!process->ended) {
        (void)waitpid(process->id, &status, WUNTRACED);
    }
}

void platform_process_resume(const struct platform_process *process)
{
    send_signal(process, SIGCONT);
}

void platform_process_kill(const struct platform_process *process)
{
    send_signal(process, SIGKILL);
}

bool platform_process_limit_files(const struct platform_process *process, size_t file_bytes_max)
{
    return limit_files((long)process->id, file_bytes_max);
}

bool platform_process_wait(struct platform_process *process, unsigned timeout_ms, int *status)
{
    uint64_t end_ms = platform_now_ms() + timeout_ms;
    int raw;

    while (!process->ended) {
        if (waitpid(process->id, &raw, WNOHANG) == process->id) {
            process->ended = true;
            process->status = WIFEXITED(raw) ? WEXITSTATUS(raw) : 128 + WTERMSIG(raw);
        } else if (platform_now_ms() >= end_ms) {
            return false;
        } else {
            platform_pause_ms(1);
        }
    }
    *status = process->status;
    return true;
}

void platform_process_free(struct platform_process *process)
{
    int status;

    if (process != NULL) {
        platform_process_kill(process);
        (void)platform_process_wait(process, 10000, &status);
        free(process);
    }
}

/* ---- connections ---- */

intptr_t platform_connect(const char *endpoint)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd;

    if (strlen(endpoint) >= sizeof address.sun_path) {
        return PLATFORM_NO_SOCKET;
    }
    memcpy(address.sun_path, endpoint, strlen(endpoint));
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0) {
        return PLATFORM_NO_SOCKET;
    }
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    if (connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        (void)close(fd);
        return PLATFORM_NO_SOCKET;
    }
    (void)fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

/* Waits until a socket is ready.  @return false: not within the time */
static bool await(intptr_t socket, short events, uint64_t end_ms)
{
    struct pollfd entry = {.fd = (int)socket, .events = events};
    uint64_t now_ms = platform_now_ms();
    int wait_ms = end_ms > now_ms ? (int)(end_ms - now_ms) : 0;

    return poll(&entry, 1, wait_ms) != 0 || platform_now_ms() < end_ms;
}

long platform_read(intptr_t socket, void *bytes, size_t size, unsigned timeout_ms)
{
    uint64_t end_ms = platform_now_ms() + timeout_ms;

    for (;;) {
        ssize_t count = recv((int)socket, bytes, size, 0);
        if (count >= 0) {
            return (long)count;
        }
        if (errno != EAGAIN && errno != EINTR) {
            return PLATFORM_FAILED;
        }
        if (!await(socket, POLLIN, end_ms)) {
            return PLATFORM_TIMEOUT;
        }
    }
}

long platform_write(intptr_t socket, const void *bytes, size_t size, unsigned timeout_ms)
{
    uint64_t end_ms = platform_now_ms() + timeout_ms;

    for (;;) {
        ssize_t count = send((int)socket, bytes, size, MSG_NOSIGNAL);
        if (count >= 0) {
            return (long)count;
        }
        if (errno != EAGAIN && errno != EINTR) {
            return PLATFORM_FAILED;
        }
        if (!await(socket, POLLOUT, end_ms)) {
            return PLATFORM_TIMEOUT;
        }
    }
}

bool platform_close_writing(intptr_t socket)
{
    return shutdown((int)socket, SHUT_WR) == 0;
}

void platform_close(intptr_t socket)
{
    if (socket != PLATFORM_NO_SOCKET) {
        (void)close((int)socket);
    }
}

/* ---- files ---- */

void platform_open_folder_to_all(const char *path)
{
    (void)chmod(path, 0777);
}

void platform_make_unreadable(const char *path)
{
    (void)chmod(path, 0);
}

bool platform_make_folder(const char *path)
{
    return mkdir(path, 0777) == 0;
}

bool platform_remove_folder(const char *path)
{
    return rmdir(path) == 0;
}

bool platform_is_administrator(void)
{
    return geteuid() == 0;
}

void *platform_rewrite_begin(const char *path)
{
    FILE *file = fopen(path, "wb");

    if (file != NULL) {
        (void)setvbuf(file, NULL, _IONBF, 0);
    }
    return file;
}

bool platform_rewrite_add(void *file, const void *bytes, size_t size)
{
    return fwrite(bytes, 1, size, file) == size;
}

void platform_rewrite_end(void *file)
{
    (void)fclose(file);
}

size_t platform_raise_descriptor_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        return 256;
    }
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    (void)getrlimit(RLIMIT_NOFILE, &limit);
    return (size_t)limit.rlim_cur;
}

bool platform_is_emulated(void)
{
    return false;
}
