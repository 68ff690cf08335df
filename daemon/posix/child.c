/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "daemon/child.h"

#include "base/compiler.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

/* The ends of its standard streams: the program's, and the daemon's. */
struct ends {
    uv_file theirs[3];
    uv_file ours[3];
};

static void close_all(uv_file files[3])
{
    for (int i = 0; i < 3; i++) {
        if (files[i] >= 0) {
            (void)close(files[i]);
        }
    }
}

/* Away from 0 to 2, should the daemon have been started without some of them: there the ends would
 * be replaced before they are used.  @return a status */
static int move_up(uv_file *file)
{
    if (*file > STDERR_FILENO) {
        return 0;
    }
    int moved = fcntl(*file, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    if (moved < 0) {
        return uv_translate_sys_error(errno);
    }
    (void)close(*file);
    *file = moved;
    return 0;
}

static int make_pipes(struct ends *ends)
{
    *ends = (struct ends){{-1, -1, -1}, {-1, -1, -1}};
    for (int i = 0; i < 3; i++) {
        uv_file pair[2];
        int reads = i == 0; /* the program does */
        int status = uv_pipe(pair, reads ? 0 : UV_NONBLOCK_PIPE, reads ? UV_NONBLOCK_PIPE : 0);
        if (status != 0) {
            return status;
        }
        ends->theirs[i] = pair[reads ? 0 : 1];
        ends->ours[i] = pair[reads ? 1 : 0];
        status = move_up(&ends->theirs[i]);
        if (status == 0) {
            status = move_up(&ends->ours[i]); /* libuv closes none of these */
        }
        if (status != 0) {
            return status;
        }
    }
    return 0;
}

static int open_pipes(struct ends *ends, uv_pipe_t *const pipes[3])
{
    for (int i = 0; i < 3; i++) {
        int status = uv_pipe_open(pipes[i], ends->ours[i]);
        if (status != 0) {
            return status;
        }
        ends->ours[i] = -1;
    }
    return 0;
}

/* Signals as a program expects them, whatever the daemon does with its own. */
static int prepare(posix_spawnattr_t *attributes, posix_spawn_file_actions_t *actions,
                   const struct ends *ends)
{
    sigset_t none;
    sigset_t all;

    (void)sigemptyset(&none);
    (void)sigfillset(&all);
    (void)sigdelset(&all, SIGKILL);
    (void)sigdelset(&all, SIGSTOP);
    int error = posix_spawnattr_setsigmask(attributes, &none);
    if (error == 0) {
        error = posix_spawnattr_setsigdefault(attributes, &all);
    }
    if (error == 0) {
        error = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK |
                                                         POSIX_SPAWN_SETSIGDEF);
    }
    for (int i = 0; i < 3 && error == 0; i++) {
        error = posix_spawn_file_actions_adddup2(actions, ends->theirs[i], i);
    }
    return error;
}

static int spawn(struct berth_child *child, const struct berth_child_options *options,
                 const struct ends *ends)
{
    posix_spawnattr_t attributes;
    posix_spawn_file_actions_t actions;
    int error = posix_spawnattr_init(&attributes);

    if (error != 0) {
        return error;
    }
    error = posix_spawn_file_actions_init(&actions);
    if (error == 0) {
        error = prepare(&attributes, &actions, ends);
        if (error == 0) {
            error = posix_spawn(&child->pid, options->path, &actions, &attributes,
                                options->arguments, options->environment);
        }
        (void)posix_spawn_file_actions_destroy(&actions);
    }
    (void)posix_spawnattr_destroy(&attributes);
    return error;
}

/* Some child ended: this one? */
static void on_signal(uv_signal_t *handle, int number)
{
    struct berth_child *child = BERTH_CONTAINER_OF(handle, struct berth_child, uv.signal);
    int status;

    (void)number;
    if (child->pid == 0 || waitpid(child->pid, &status, WNOHANG) != child->pid) {
        return;
    }
    child->pid = 0;
    (void)uv_signal_stop(handle);
    child->exited(child, WIFEXITED(status) ? WEXITSTATUS(status) : 0,
                  WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

int berth_child_start(struct berth_child *child, uv_loop_t *loop,
                      const struct berth_child_options *options, berth_child_exited *exited)
{
    struct ends ends;

    child->exited = exited;
    child->pid = 0;
    (void)uv_signal_init(loop, &child->uv.signal); /* the loop has what it takes */
    int status = make_pipes(&ends);
    if (status == 0) {
        status = open_pipes(&ends, options->pipes);
    }
    if (status == 0) { /* before it can end */
        status = uv_signal_start(&child->uv.signal, on_signal, SIGCHLD);
    }
    if (status == 0) {
        int error = spawn(child, options, &ends);
        status = error != 0 ? uv_translate_sys_error(error) : 0;
    }
    close_all(ends.theirs);
    close_all(ends.ours);
    if (status != 0) {
        child->pid = 0;
    }
    return status;
}

void berth_child_end(struct berth_child *child)
{
    if (child->pid != 0 && kill(-child->pid, SIGKILL) != 0) {
        (void)kill(child->pid, SIGKILL);
    }
}

void berth_child_release(struct berth_child *child)
{
    (void)child;
}
