/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "network.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
/* behind the headers of the C library, which it would collide with */
#include <net/if.h>

static bool raise_loopback(void)
{
    struct ifreq request = {.ifr_name = "lo"};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        return false;
    }
    bool up = ioctl(fd, SIOCGIFFLAGS, &request) == 0;
    request.ifr_flags = (short)(request.ifr_flags | IFF_UP | IFF_RUNNING);
    up = up && ioctl(fd, SIOCSIFFLAGS, &request) == 0;
    (void)close(fd);
    return up;
}

bool bench_own_network(void)
{
    if (unshare(CLONE_NEWNET) != 0) {
        return false;
    }
    if (!raise_loopback()) {
        bench_fail("the loopback interface does not come up: %s", strerror(errno));
    }
    return true;
}

int bench_listen(uint16_t port)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    if (fd < 0) {
        bench_fail("socket: %s", strerror(errno));
    }
    if (bind(fd, (const struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 1024) != 0) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

/* Connects to a listener of this process and takes the connection there. */
static void connect_pair(int listener, const struct sockaddr_in *address, int pair[2])
{
    const struct linger abort_at_close = {.l_onoff = 1, .l_linger = 0};

    pair[0] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (pair[0] < 0 || connect(pair[0], (const struct sockaddr *)address, sizeof *address) != 0) {
        bench_fail("a connection on loopback failed: %s", strerror(errno));
    }
    pair[1] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (pair[1] < 0) {
        bench_fail("accept: %s", strerror(errno));
    }
    (void)setsockopt(pair[0], SOL_SOCKET, SO_LINGER, &abort_at_close, sizeof abort_at_close);
}

/* Opens connections and keeps them until `rope` is closed at its other end. */
static void hold(size_t connections, int ready, int rope)
{
    struct sockaddr_in address;
    socklen_t length = sizeof address;
    char nothing = 0;
    int *fds = bench_memory(2 * connections, sizeof *fds);
    int listener = bench_listen(0);

    if (listener < 0 || getsockname(listener, (struct sockaddr *)&address, &length) != 0) {
        bench_fail("no listener on loopback: %s", strerror(errno));
    }
    for (size_t i = 0; i < connections; i++) {
        connect_pair(listener, &address, &fds[2 * i]);
    }
    (void)close(listener);
    if (write(ready, &nothing, 1) != 1 || read(rope, &nothing, 1) != 0) {
        _exit(1);
    }
    _exit(0);
}

/* Starts a holder and waits until it has its connections. */
static void start_holder(struct bench_crowd *crowd, size_t connections)
{
    int ready[2];
    int rope[2];
    char nothing;

    if (pipe2(ready, O_CLOEXEC) != 0 || pipe2(rope, O_CLOEXEC) != 0) {
        bench_fail("pipe: %s", strerror(errno));
    }
    (void)fflush(stdout);
    pid_t pid = fork();
    if (pid < 0) {
        bench_fail("fork: %s", strerror(errno));
    }
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        (void)close(ready[0]);
        (void)close(rope[1]);
        for (size_t i = 0; i < crowd->count; i++) {
            (void)close(crowd->ropes[i]);
        }
        hold(connections, ready[1], rope[0]);
    }
    (void)close(ready[1]);
    (void)close(rope[0]);
    if (read(ready[0], &nothing, 1) != 1) {
        bench_fail("%zu connections could not be opened", connections);
    }
    (void)close(ready[0]);
    crowd->holders[crowd->count] = pid;
    crowd->ropes[crowd->count++] = rope[1];
}

void bench_crowd_open(struct bench_crowd *crowd, size_t connections)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) != 0) {
        bench_fail("getrlimit: %s", strerror(errno));
    }
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    size_t each = limit.rlim_max < 200 ? 25 : (size_t)(limit.rlim_max - 100) / 2;
    each = each < connections ? each : connections;
    size_t holders = (connections + each - 1) / each;
    crowd->count = 0;
    crowd->holders = bench_memory(holders, sizeof *crowd->holders);
    crowd->ropes = bench_memory(holders, sizeof *crowd->ropes);
    while (connections > 0) {
        size_t some = each < connections ? each : connections;
        start_holder(crowd, some);
        connections -= some;
    }
}

void bench_crowd_close(struct bench_crowd *crowd)
{
    for (size_t i = 0; i < crowd->count; i++) {
        (void)close(crowd->ropes[i]);
    }
    for (size_t i = 0; i < crowd->count; i++) {
        (void)waitpid(crowd->holders[i], NULL, 0);
    }
    free(crowd->holders);
    free(crowd->ropes);
    *crowd = (struct bench_crowd){0};
}
