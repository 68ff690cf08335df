/* SPDX-License-Identifier: MIT */
/* Holding a port with sockets that are bound and do not listen.
 *
 * Linux lets a second socket bind an address and port if both have SO_REUSEADDR and the first is
 * not in the state LISTEN (ip(7), inet_csk_bind_conflict), whoever owns the two; and it lets that
 * second one listen, as the first does not. What looks for a port by itself, connect() and a bind
 * to port 0, passes a port by that a socket was bound to. */
#include "daemon/port_hold.h"

#include "base/compiler.h"

#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static const int families[BERTH_PORT_HOLD_SOCKETS] = {AF_INET, AF_INET6};

static enum berth_code fail(struct berth_error *err, uint16_t port, int family, int number)
{
    const char *name = family == AF_INET ? "IPv4" : "IPv6";

    switch (number) {
    case EADDRINUSE:
        return berth_fail(err, BERTH_PORT_IN_USE, number,
                          "port %u cannot be held: a socket that is not known yet has it (%s)",
                          port, name);
    case EMFILE:
    case ENFILE:
        return berth_fail(err, BERTH_LIMIT_REACHED, number,
                          "port %u cannot be held: no descriptor is left: %s", port,
                          strerror(number));
    case EACCES:
    case EPERM:
        return berth_fail(err, BERTH_NOT_SUPPORTED, number,
                          "port %u cannot be held: berthd may not bind it, which takes "
                          "CAP_NET_BIND_SERVICE below net.ipv4.ip_unprivileged_port_start",
                          port);
    default:
        return berth_fail(err, BERTH_IO, number, "port %u cannot be held (%s): %s", port, name,
                          strerror(number));
    }
}

static int bind_to(int fd, int family, uint16_t port)
{
    const struct sockaddr_in four = {.sin_family = AF_INET, .sin_port = htons(port)};
    const struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

    return family == AF_INET ? bind(fd, (const struct sockaddr *)&four, sizeof four)
                             : bind(fd, (const struct sockaddr *)&six, sizeof six);
}

/* Binds a socket to all addresses of a family. *out stays -1 where there is no IPv6. */
static enum berth_code open_one(uint16_t port, int family, int *out, struct berth_error *err)
{
    const int on = 1;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0) {
        return family == AF_INET6 && errno == EAFNOSUPPORT ? BERTH_OK
                                                           : fail(err, port, family, errno);
    }
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0) ||
        bind_to(fd, family, port) != 0) {
        int number = errno;
        (void)close(fd);
        return family == AF_INET6 && number == EADDRNOTAVAIL ? BERTH_OK
                                                             : fail(err, port, family, number);
    }
    *out = fd;
    return BERTH_OK;
}

static void close_hold(struct berth_port_hold *hold)
{
    for (int i = 0; i < BERTH_PORT_HOLD_SOCKETS; i++) {
        if (hold->sockets[i] >= 0) {
            (void)close(hold->sockets[i]);
        }
        hold->sockets[i] = -1;
    }
}

static enum berth_code open_hold(uint16_t port, struct berth_port_hold *out,
                                 struct berth_error *err)
{
    struct berth_port_hold hold = {{-1, -1}};
    enum berth_code code = BERTH_OK;

    for (int i = 0; i < BERTH_PORT_HOLD_SOCKETS && code == BERTH_OK; i++) {
        code = open_one(port, families[i], &hold.sockets[i], err);
    }
    if (code != BERTH_OK) {
        close_hold(&hold);
        return code;
    }
    *out = hold;
    return BERTH_OK;
}

const struct berth_port_hold_system *berth_port_hold_system(void)
{
    static const struct berth_port_hold_system system = {open_hold, close_hold};

    return &system;
}
