/* SPDX-License-Identifier: MIT */
/* The world of the real table: sockets on loopback, in a child process, because a table passes over
 * the sockets of its own process. */
#define _GNU_SOURCE
#include "tests/contract/tcp_world_sockets.h"
#include "tests/support/cmocka_all.h"

#include <netinet/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t child;
static int channel = -1; /* to the child: a request there, a port back */

/* --- in the child --------------------------------------------------------------------------- */

static socklen_t make_address(struct sockaddr_storage *out, const struct berth_address *address,
                              uint16_t port)
{
    memset(out, 0, sizeof *out);
    if (address->family == BERTH_FAMILY_IPV4) {
        struct sockaddr_in *ip4 = (struct sockaddr_in *)out;
        ip4->sin_family = AF_INET;
        ip4->sin_port = htons(port);
        memcpy(&ip4->sin_addr, address->bytes, 4);
        return sizeof *ip4;
    }
    struct sockaddr_in6 *ip6 = (struct sockaddr_in6 *)out;
    ip6->sin6_family = AF_INET6;
    ip6->sin6_port = htons(port);
    memcpy(&ip6->sin6_addr, address->bytes, 16);
    return sizeof *ip6;
}

uint16_t tcp_world_local_port(intptr_t fd)
{
    struct sockaddr_storage address;
    socklen_t length = sizeof address;

    if (getsockname((int)fd, (struct sockaddr *)&address, &length) != 0) {
        return 0;
    }
    return ntohs(address.ss_family == AF_INET ? ((struct sockaddr_in *)&address)->sin_port
                                              : ((struct sockaddr_in6 *)&address)->sin6_port);
}

intptr_t tcp_world_bind(const struct tcp_world_request *request, bool listening)
{
    struct sockaddr_storage address;
    socklen_t length = make_address(&address, &request->address, request->port);
    const int on = 1;
    const int v6_only = request->v6_only;
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return TCP_WORLD_NO_SOCKET;
    }
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (address.ss_family == AF_INET6) {
        (void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6_only, sizeof v6_only);
    }
    if (bind(fd, (struct sockaddr *)&address, length) != 0 || (listening && listen(fd, 8) != 0)) {
        (void)close(fd);
        return TCP_WORLD_NO_SOCKET;
    }
    return fd;
}

intptr_t tcp_world_connect(const struct tcp_world_request *request)
{
    struct sockaddr_storage address;
    socklen_t length = make_address(&address, &request->address, request->port);
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd >= 0 && connect(fd, (struct sockaddr *)&address, length) != 0) {
        (void)close(fd);
        return TCP_WORLD_NO_SOCKET;
    }
    return fd;
}

intptr_t tcp_world_accept(intptr_t listener)
{
    return accept((int)listener, NULL, NULL);
}

void tcp_world_await_end(intptr_t fd)
{
    char byte;

    (void)read((int)fd, &byte, 1);
}

void tcp_world_close(intptr_t fd)
{
    (void)close((int)fd);
}

static void serve(int fd)
{
    struct tcp_world_request request;

    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (read(fd, &request, sizeof request) == (ssize_t)sizeof request) {
        uint16_t port = tcp_world_serve(&request);
        if (write(fd, &port, sizeof port) != (ssize_t)sizeof port) {
            break;
        }
    }
    _exit(0);
}

/* --- in the test ---------------------------------------------------------------------------- */

static void set_up(void)
{
    int ends[2];

    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)close(ends[0]);
        serve(ends[1]);
    }
    (void)close(ends[1]);
    channel = ends[0];
}

static void tear_down(void)
{
    (void)close(channel); /* the child ends at the end of its requests */
    (void)waitpid(child, NULL, 0);
}

static uint16_t perform(const struct tcp_world_request *request)
{
    struct tcp_world_request sent;
    uint16_t port = 0;

    memset(&sent, 0, sizeof sent); /* its padding travels too */
    sent.act = request->act;
    sent.address.family = request->address.family;
    memcpy(sent.address.bytes, request->address.bytes, sizeof sent.address.bytes);
    sent.v6_only = request->v6_only;
    sent.port = request->port;
    assert_int_equal(write(channel, &sent, sizeof sent), sizeof sent);
    assert_int_equal(read(channel, &port, sizeof port), sizeof port);
    return port;
}

static uint32_t process_id(void)
{
    return (uint32_t)child;
}

static uint32_t user_id(void)
{
    return geteuid();
}

/* Asked of the child: a test that runs within valgrind is told another program than others see. */
static const char *image(void)
{
    static char path[4096];
    char link[40];

    (void)snprintf(link, sizeof link, "/proc/%ld/exe", (long)child);
    ssize_t length = readlink(link, path, sizeof path - 1);

    assert_true(length > 0);
    path[length] = '\0';
    const char *slash = strrchr(path, '/');
    return slash != NULL ? slash + 1 : path;
}

const struct tcp_world tcp_world = {.set_up = set_up,
                                    .tear_down = tear_down,
                                    .perform = perform,
                                    .process_id = process_id,
                                    .user_id = user_id,
                                    .image = image};
