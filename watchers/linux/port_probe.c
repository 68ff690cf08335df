/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "watchers/port_probe.h"

#include <errno.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

/* Binds the port on all addresses of a family and lets go of it.  @return 0, or errno */
static int try_bind(int family, uint16_t port, bool shared)
{
    const struct sockaddr_in ip4 = {.sin_family = AF_INET, .sin_port = htons(port)};
    const struct sockaddr_in6 ip6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};
    const struct sockaddr *address =
        family == AF_INET ? (const struct sockaddr *)&ip4 : (const struct sockaddr *)&ip6;
    socklen_t length = family == AF_INET ? sizeof ip4 : sizeof ip6;
    const int on = 1;
    int result = 0;
    int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return errno;
    }
    if ((family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0) ||
        (shared && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0) ||
        bind(fd, address, length) != 0) {
        result = errno;
    }
    (void)close(fd);
    return result;
}

static enum berth_probe_answer probe_family(int family, uint16_t port, int *os_code)
{
    int result = try_bind(family, port, false);

    /* a machine without IPv6, or with it switched off */
    if (result == 0 ||
        (family == AF_INET6 && (result == EAFNOSUPPORT || result == EADDRNOTAVAIL))) {
        return BERTH_PROBE_FREE;
    }
    *os_code = result;
    if (result == EADDRINUSE) {
        return try_bind(family, port, true) == 0 ? BERTH_PROBE_SHARED : BERTH_PROBE_IN_USE;
    }
    return result == EACCES ? BERTH_PROBE_NOT_TOLD : BERTH_PROBE_FAILED;
}

enum berth_probe_answer berth_port_probe(uint16_t port, int *os_code)
{
    static const int families[] = {AF_INET, AF_INET6};
    enum berth_probe_answer worst = BERTH_PROBE_FREE;

    *os_code = 0;
    for (unsigned i = 0; i < BERTH_COUNT(families); i++) {
        int code = 0;
        enum berth_probe_answer answer = probe_family(families[i], port, &code);
        if (answer == BERTH_PROBE_IN_USE) {
            *os_code = code;
            return answer;
        }
        if (answer != BERTH_PROBE_FREE) {
            worst = answer;
            *os_code = code;
        }
    }
    return worst;
}

bool berth_port_probe_by_default(void)
{
    return false;
}
