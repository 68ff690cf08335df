/* SPDX-License-Identifier: MIT */
/* What only Linux has: SO_REUSEADDR's rules, connections in TIME_WAIT, ports that need a right. */
#define _GNU_SOURCE
#include "tests/support/cmocka_all.h"
#include "watchers/port_probe.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

static int open_bound(uint16_t *port, bool shares)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(*port)};
    socklen_t length = sizeof address;
    const int on = shares;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &length), 0);
    *port = ntohs(address.sin_port);
    return fd;
}

/* Leaves a connection in TIME_WAIT behind whose local port, on the side that closed first, is the
 * server's. */
static uint16_t leave_time_wait(bool shares)
{
    uint16_t port = 0;
    int listener = open_bound(&port, shares);
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    char byte;

    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(connect(client, (const struct sockaddr *)&address, sizeof address), 0);
    int server = accept(listener, NULL, NULL);
    assert_true(server >= 0);
    assert_int_equal(close(server), 0);
    assert_int_equal(read(client, &byte, 1), 0); /* the server's end has come */
    assert_int_equal(close(client), 0);
    assert_int_equal(close(listener), 0);
    return port;
}

static void probe__bound_by_one_who_shares_nothing__is_in_use(void **state)
{
    uint16_t port = 0;
    int os_code;
    int fd = open_bound(&port, false);

    (void)state;
    assert_int_equal(berth_port_probe(port, &os_code), BERTH_PROBE_IN_USE);
    assert_int_equal(os_code, EADDRINUSE);
    assert_int_equal(close(fd), 0);
}

static void probe__bound_by_one_who_shares__is_shared(void **state)
{
    uint16_t port = 0;
    int os_code;
    int fd = open_bound(&port, true);

    (void)state;
    assert_int_equal(berth_port_probe(port, &os_code), BERTH_PROBE_SHARED);
    assert_int_equal(os_code, EADDRINUSE);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(berth_port_probe(port, &os_code), BERTH_PROBE_IN_USE);
    assert_int_equal(close(fd), 0);
}

/* A server with SO_REUSEADDR could start there at once: nothing is said to be in use. */
static void probe__connections_in_time_wait_of_a_usual_server__is_shared(void **state)
{
    uint16_t port = leave_time_wait(true);
    int os_code;

    (void)state;
    assert_int_equal(berth_port_probe(port, &os_code), BERTH_PROBE_SHARED);
    int fd = open_bound(&port, true);
    assert_int_equal(listen(fd, 1), 0);
    assert_int_equal(close(fd), 0);
}

static void probe__below_the_ports_for_all__is_not_told(void **state)
{
    int status = 0;
    pid_t child;

    (void)state;
    if (geteuid() != 0) {
        skip(); /* the child needs a user without rights to become */
    }
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        int os_code = 0;
        /* 65534: nobody. Where all ports are for all (a container's setting) the answer is FREE */
        enum berth_probe_answer answer =
            setresgid(65534, 65534, 65534) == 0 && setresuid(65534, 65534, 65534) == 0
                ? berth_port_probe(1, &os_code)
                : BERTH_PROBE_FAILED;
        _exit(answer == BERTH_PROBE_NOT_TOLD && os_code == EACCES ? 0
              : answer == BERTH_PROBE_FREE                        ? 1
                                                                  : 2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 1) {
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(probe__bound_by_one_who_shares_nothing__is_in_use),
        cmocka_unit_test(probe__bound_by_one_who_shares__is_shared),
        cmocka_unit_test(probe__connections_in_time_wait_of_a_usual_server__is_shared),
        cmocka_unit_test(probe__below_the_ports_for_all__is_not_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
