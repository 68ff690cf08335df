/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "scripted_io.h"

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define DRAIN_LIMIT_MS 5000

struct scripted_io {
    int listener;
    int connection;
    int stop[2]; /* a byte in it ends the thread */
    pthread_t thread;
    bool running;
    void (*body)(void *ctx);
    void *ctx;
    pthread_mutex_t lock;
    struct sockaddr_un address;
};

static void *run(void *context)
{
    struct scripted_io *io = context;

    io->body(io->ctx);
    return NULL;
}

static bool open_listener(struct scripted_io *io, const char *path)
{
    io->address.sun_family = AF_UNIX;
    if (strlen(path) >= sizeof io->address.sun_path) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(io->address.sun_path, path, strlen(path));
    io->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return io->listener >= 0 &&
           bind(io->listener, (struct sockaddr *)&io->address, sizeof io->address) == 0 &&
           listen(io->listener, 16) == 0;
}

struct scripted_io *scripted_io_listen(const char *endpoint)
{
    struct scripted_io *io = calloc(1, sizeof *io);

    if (io == NULL) {
        return NULL;
    }
    io->connection = -1;
    (void)pthread_mutex_init(&io->lock, NULL);
    if (!open_listener(io, endpoint) || pipe(io->stop) != 0) {
        free(io);
        return NULL;
    }
    return io;
}

bool scripted_io_start(struct scripted_io *io, void (*body)(void *ctx), void *ctx)
{
    io->body = body;
    io->ctx = ctx;
    io->running = pthread_create(&io->thread, NULL, run, io) == 0;
    return io->running;
}

/* Waits for input on `fd`; false: the server is to stop. */
static bool wait_input(struct scripted_io *io, int fd)
{
    struct pollfd fds[2] = {{.fd = fd, .events = POLLIN}, {.fd = io->stop[0], .events = POLLIN}};

    while (poll(fds, 2, -1) < 0 && errno == EINTR) {
    }
    return fds[1].revents == 0;
}

bool scripted_io_accept(struct scripted_io *io)
{
    while (wait_input(io, io->listener)) {
        io->connection = accept(io->listener, NULL, NULL);
        if (io->connection >= 0) {
            return true;
        }
    }
    return false;
}

size_t scripted_io_receive(struct scripted_io *io, char *bytes, size_t size)
{
    if (!wait_input(io, io->connection)) {
        return 0;
    }
    ssize_t got = recv(io->connection, bytes, size, 0);
    return got > 0 ? (size_t)got : 0;
}

bool scripted_io_send(struct scripted_io *io, const char *bytes, size_t length)
{
    while (length > 0) {
        ssize_t sent = send(io->connection, bytes, length, MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        bytes += sent;
        length -= (size_t)sent;
    }
    return true;
}

void scripted_io_wait_drained(struct scripted_io *io)
{
    int waiting = 1;

    for (int i = 0; i < DRAIN_LIMIT_MS * 10; i++) {
        if (ioctl(io->connection, SIOCOUTQ, &waiting) != 0 || waiting == 0) {
            return;
        }
        (void)nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
    }
}

void scripted_io_close(struct scripted_io *io)
{
    (void)close(io->connection);
    io->connection = -1;
}

void scripted_io_lock(struct scripted_io *io)
{
    (void)pthread_mutex_lock(&io->lock);
}

void scripted_io_unlock(struct scripted_io *io)
{
    (void)pthread_mutex_unlock(&io->lock);
}

void scripted_io_stop(struct scripted_io *io)
{
    (void)!write(io->stop[1], "", 1);
    if (io->running) {
        (void)pthread_join(io->thread, NULL);
    }
    (void)close(io->stop[0]);
    (void)close(io->stop[1]);
    (void)close(io->listener);
    (void)unlink(io->address.sun_path);
    (void)pthread_mutex_destroy(&io->lock);
    free(io);
}
