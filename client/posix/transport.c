/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "client/transport.h"

#include "base/memory.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

struct berth_transport {
    int fd;
};

const struct berth_transport_words berth_transport_words = {
    .start = "start it with 'systemctl start berthd', or in a terminal with 'berthd'",
    .access =
        "have an administrator put you into the group berth or into <access> in berthd.config",
};

uint64_t berth_transport_now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

static uint64_t remaining_ms(uint64_t deadline_ms)
{
    uint64_t now = berth_transport_now_ms();

    return deadline_ms > now ? deadline_ms - now : 0;
}

static enum berth_code fail_late(struct berth_error *err)
{
    return berth_fail(err, BERTH_BUSY, ETIMEDOUT, "no answer in time");
}

/* connect(2) of a Unix socket waits for a place in the listener's backlog as long as SO_SNDTIMEO
 * says; a non-blocking socket would fail at once and could not be polled for it. */
static void limit_connect(int fd, uint64_t deadline_ms)
{
    uint64_t left = remaining_ms(deadline_ms);
    struct timeval limit = {0};

    if (deadline_ms == BERTH_NO_DEADLINE) {
        return;
    }
    left = left == 0 ? 1 : left;
    limit.tv_sec = (time_t)(left / 1000);
    limit.tv_usec = (suseconds_t)(left % 1000 * 1000);
    (void)setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
}

static enum berth_code fail_connect(struct berth_error *err, int number)
{
    switch (number) {
    case ENOENT:
    case ENOTDIR:
        return berth_fail(err, BERTH_NOT_FOUND, number, "no such socket");
    case ECONNREFUSED:
        return berth_fail(err, BERTH_NOT_FOUND, number, "nobody listens there");
    case EACCES:
    case EPERM:
        return berth_fail(err, BERTH_DENIED, number, "access denied");
    case EAGAIN:
        return fail_late(err);
    default:
        return berth_fail(err, BERTH_IO, number, "%s", strerror(number));
    }
}

static int connect_uninterrupted(int fd, const struct sockaddr_un *address)
{
    int status;

    do {
        status = connect(fd, (const struct sockaddr *)address, sizeof *address);
    } while (status != 0 && errno == EINTR);
    return status;
}

enum berth_code berth_transport_open(struct berth_transport **out, const char *endpoint,
                                     uint64_t deadline_ms, struct berth_error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    struct berth_transport *made = NULL;
    enum berth_code code = BERTH_OK;
    size_t length = strlen(endpoint);

    if (length >= sizeof address.sun_path) {
        return berth_fail(err, BERTH_INVALID_PARAMS, 0,
                          "the path has %zu bytes, a socket's may have %zu", length,
                          sizeof address.sun_path - 1);
    }
    memcpy(address.sun_path, endpoint, length);
    made = berth_alloc(1, sizeof *made);
    if (made == NULL) {
        return berth_fail_memory(err, "a connection");
    }
    made->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (made->fd < 0) {
        code = berth_fail(err, BERTH_IO, errno, "no socket: %s", strerror(errno));
        goto out;
    }
    limit_connect(made->fd, deadline_ms);
    if (connect_uninterrupted(made->fd, &address) != 0) {
        code = fail_connect(err, errno);
        goto out;
    }
    *out = made;
    made = NULL;
out:
    berth_transport_close(made);
    return code;
}

/* Waits until the socket has `events` or was closed. */
static enum berth_code wait_for(int fd, short events, uint64_t deadline_ms, struct berth_error *err)
{
    for (;;) {
        struct pollfd watched = {.fd = fd, .events = events};
        uint64_t left = remaining_ms(deadline_ms);
        int limit = deadline_ms == BERTH_NO_DEADLINE ? -1 : left > INT_MAX ? INT_MAX : (int)left;
        int ready = poll(&watched, 1, limit);
        if (ready > 0) {
            return BERTH_OK;
        }
        if (ready < 0 && errno != EINTR) {
            return berth_fail(err, BERTH_IO, errno, "poll: %s", strerror(errno));
        }
        if (remaining_ms(deadline_ms) == 0) {
            return fail_late(err);
        }
    }
}

enum berth_code berth_transport_send(struct berth_transport *transport, const char *bytes,
                                     size_t length, uint64_t deadline_ms, struct berth_error *err)
{
    size_t sent = 0;

    while (sent < length) {
        ssize_t step =
            send(transport->fd, bytes + sent, length - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (step >= 0) {
            sent += (size_t)step;
        } else if (errno == EAGAIN || errno == EWOULDBLOCK) {
            enum berth_code code = wait_for(transport->fd, POLLOUT, deadline_ms, err);
            if (code != BERTH_OK) {
                return code;
            }
        } else if (errno == EPIPE || errno == ECONNRESET) {
            return berth_fail(err, BERTH_IO, errno, "the daemon closed the connection");
        } else if (errno != EINTR) {
            return berth_fail(err, BERTH_IO, errno, "%s", strerror(errno));
        }
    }
    return BERTH_OK;
}

enum berth_code berth_transport_receive(struct berth_transport *transport, char *buffer,
                                        size_t size, size_t *received, uint64_t deadline_ms,
                                        struct berth_error *err)
{
    for (;;) {
        enum berth_code code = wait_for(transport->fd, POLLIN, deadline_ms, err);
        if (code != BERTH_OK) {
            return code;
        }
        ssize_t got = recv(transport->fd, buffer, size, MSG_DONTWAIT);
        if (got >= 0) {
            *received = (size_t)got;
            return BERTH_OK;
        }
        if (errno == ECONNRESET) {
            /* closed while something of ours was unread: for the caller the same as closed */
            *received = 0;
            return BERTH_OK;
        }
        if (errno != EINTR && errno != EAGAIN && errno != EWOULDBLOCK) {
            return berth_fail(err, BERTH_IO, errno, "%s", strerror(errno));
        }
    }
}

void berth_transport_close(struct berth_transport *transport)
{
    if (transport == NULL) {
        return;
    }
    if (transport->fd >= 0) {
        (void)close(transport->fd);
    }
    berth_free(transport);
}

bool berth_transport_default_endpoint(unsigned index, char *out, size_t size)
{
    const char *runtime = getenv("XDG_RUNTIME_DIR");
    int length = -1;

    if (index == 0) {
        length = snprintf(out, size, "/run/berth/berth.sock");
    } else if (index == 1 && runtime != NULL && runtime[0] == '/') {
        length = snprintf(out, size, "%s/berth.sock", runtime);
    }
    return length >= 0 && (size_t)length < size;
}
