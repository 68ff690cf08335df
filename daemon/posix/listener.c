/* SPDX-License-Identifier: MIT */
/* A Unix socket. A lock file beside it tells a dead daemon's socket, which is replaced, from a
 * living one's: the lock goes with the process that holds it, however it ends. */
#include "daemon/listener.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 1024

struct berth_listener {
    uv_pipe_t pipe;
    berth_listener_cb connected;
    void *ctx;
    int lock;
    char *endpoint;
};

static void on_closed(uv_handle_t *handle)
{
    struct berth_listener *listener = handle->data;

    if (listener->lock >= 0) {
        (void)close(listener->lock);
    }
    berth_free(listener->endpoint);
    berth_free(listener);
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct berth_listener *listener = stream->data;

    if (status == 0) {
        listener->connected(listener, listener->ctx);
    }
}

/* Reads the process id that the holder of the lock wrote into it; 0: none. */
static long read_lock_pid(int lock)
{
    char text[32] = "";
    long pid = 0;
    ssize_t length = pread(lock, text, sizeof text - 1, 0);

    for (ssize_t i = 0; i < length && text[i] >= '0' && text[i] <= '9'; i++) {
        pid = pid * 10 + (text[i] - '0');
    }
    return pid;
}

/* Takes the lock file beside the endpoint. It stays there for good: removing it would let two
 * daemons lock two different files of that name. */
static enum berth_code take_lock(struct berth_listener *listener, struct berth_error *err)
{
    char path[sizeof(((struct sockaddr_un *)NULL)->sun_path) + 8];
    char pid[32];

    (void)snprintf(path, sizeof path, "%s.lock", listener->endpoint);
    listener->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
    if (listener->lock < 0) {
        return berth_fail(err, BERTH_IO, errno, "cannot open %s: %s", path, strerror(errno));
    }
    if (flock(listener->lock, LOCK_EX | LOCK_NB) != 0) {
        return berth_fail(err, BERTH_BUSY, errno, "another berthd (pid %ld) serves %s",
                          read_lock_pid(listener->lock), listener->endpoint);
    }
    int length = snprintf(pid, sizeof pid, "%ld\n", (long)getpid());
    if (ftruncate(listener->lock, 0) != 0 || pwrite(listener->lock, pid, (size_t)length, 0) < 0) {
        return berth_fail(err, BERTH_IO, errno, "cannot write %s: %s", path, strerror(errno));
    }
    return BERTH_OK;
}

/* Nobody else holds the lock, so a socket that lies there is a dead daemon's. Anything else stays.
 */
static enum berth_code remove_stale(const char *endpoint, struct berth_error *err)
{
    struct stat info;

    if (lstat(endpoint, &info) != 0) {
        return errno == ENOENT ? BERTH_OK
                               : berth_fail(err, BERTH_IO, errno, "cannot look at %s: %s", endpoint,
                                            strerror(errno));
    }
    if (!S_ISSOCK(info.st_mode)) {
        return berth_fail(err, BERTH_IO, EEXIST, "%s exists and is not a socket: it is left alone",
                          endpoint);
    }
    if (unlink(endpoint) != 0) {
        return berth_fail(err, BERTH_IO, errno, "cannot remove the old socket %s: %s", endpoint,
                          strerror(errno));
    }
    return BERTH_OK;
}

static enum berth_code bind_socket(const char *endpoint, int *out, struct berth_error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0) {
        return berth_fail(err, BERTH_IO, errno, "cannot make a socket: %s", strerror(errno));
    }
    memcpy(address.sun_path, endpoint, strlen(endpoint));
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
        chmod(endpoint, 0666) != 0) {
        (void)berth_fail(err, BERTH_IO, errno, "cannot bind %s: %s", endpoint, strerror(errno));
        (void)close(fd);
        return BERTH_IO;
    }
    *out = fd;
    return BERTH_OK;
}

static enum berth_code start_listening(struct berth_listener *listener, struct berth_error *err)
{
    int fd = -1;
    enum berth_code code = take_lock(listener, err);

    if (code == BERTH_OK) {
        code = remove_stale(listener->endpoint, err);
    }
    if (code == BERTH_OK) {
        code = bind_socket(listener->endpoint, &fd, err);
    }
    if (code != BERTH_OK) {
        return code;
    }
    int status = uv_pipe_open(&listener->pipe, fd);
    if (status != 0) {
        (void)close(fd);
    } else {
        status = uv_listen((uv_stream_t *)&listener->pipe, BACKLOG, on_connection);
    }
    if (status != 0) {
        return berth_fail(err, BERTH_IO, status, "cannot listen at %s: %s", listener->endpoint,
                          uv_strerror(status));
    }
    return BERTH_OK;
}

enum berth_code berth_listener_open(struct berth_listener **out, uv_loop_t *loop,
                                    const char *endpoint, const struct berth_access *access,
                                    berth_listener_cb connected, void *ctx, struct berth_error *err)
{
    const size_t max = sizeof(((struct sockaddr_un *)NULL)->sun_path) - 1;
    struct berth_listener *listener;

    (void)access; /* the socket is open to all: its permissions could not tell groups apart */
    if (strlen(endpoint) > max) {
        return berth_fail(err, BERTH_TOO_LARGE, 0, "the endpoint %s is longer than %zu bytes",
                          endpoint, max);
    }
    listener = berth_alloc(1, sizeof *listener);
    if (listener == NULL) {
        return berth_fail_memory(err, "the listener");
    }
    listener->connected = connected;
    listener->ctx = ctx;
    listener->lock = -1;
    listener->endpoint = berth_copy(endpoint);
    if (listener->endpoint == NULL) {
        berth_free(listener);
        return berth_fail_memory(err, "the listener");
    }
    (void)uv_pipe_init(loop, &listener->pipe, 0);
    listener->pipe.data = listener;
    enum berth_code code = start_listening(listener, err);
    if (code != BERTH_OK) {
        uv_close((uv_handle_t *)&listener->pipe, on_closed);
        return code;
    }
    *out = listener;
    return BERTH_OK;
}

enum berth_code berth_listener_set_access(struct berth_listener *listener,
                                          const struct berth_access *access,
                                          struct berth_error *err)
{
    (void)listener;
    (void)access;
    (void)err;
    return BERTH_OK;
}

size_t berth_listener_most_clients(void)
{
    return SIZE_MAX;
}

enum berth_code berth_listener_accept(struct berth_listener *listener, uv_pipe_t *pipe,
                                      struct berth_error *err)
{
    int status = uv_accept((uv_stream_t *)&listener->pipe, (uv_stream_t *)pipe);

    if (status != 0) {
        return berth_fail(err, BERTH_IO, status, "cannot accept a client: %s", uv_strerror(status));
    }
    return BERTH_OK;
}

/* The loop looks at the socket and then at signals, in this order: nobody waits here any more. */
void berth_listener_drain(struct berth_listener *listener)
{
    (void)listener;
}

void berth_listener_close(struct berth_listener *listener)
{
    if (listener != NULL) {
        (void)unlink(listener->endpoint);
        uv_close((uv_handle_t *)&listener->pipe, on_closed);
    }
}
