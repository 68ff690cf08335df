/* SPDX-License-Identifier: MIT */
/* What only the kernel's stream of socket states has: other network namespaces, rings that run
 * over, and sockets of our own. */
#define _GNU_SOURCE
#include "tests/support/cmocka_all.h"
#include "watchers/tcp_events.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEADLINE_MS 20000

struct stage {
    uv_loop_t loop;
    uv_timer_t deadline;
    bool late;
    struct berth_tcp_events *source;
    unsigned modes;
    bool full;
    unsigned closed;
    uint64_t lost;
    unsigned counts[BERTH_TCP_EVENT_WHAT_COUNT];
    uint32_t listened[65536]; /* LISTEN events by port */
};

static void take_events(void *ctx, const struct berth_tcp_event *events, size_t count)
{
    struct stage *stage = ctx;

    for (size_t i = 0; i < count; i++) {
        stage->counts[events[i].what]++;
        stage->listened[events[i].port] += events[i].what == BERTH_TCP_EVENT_LISTEN;
    }
}

static void take_lost(void *ctx, uint64_t count)
{
    struct stage *stage = ctx;

    stage->lost += count;
}

static void take_mode(void *ctx, enum berth_tcp_events_mode mode, const char *reason)
{
    struct stage *stage = ctx;

    if (mode != BERTH_TCP_EVENTS_FULL) {
        (void)printf("%s\n", reason);
    }
    stage->modes++;
    stage->full = mode == BERTH_TCP_EVENTS_FULL;
}

static void take_closed(void *ctx)
{
    struct stage *stage = ctx;

    stage->closed++;
}

static void deadline_cb(uv_timer_t *timer)
{
    struct stage *stage = timer->data;

    stage->late = true;
}

static void turn(struct stage *stage)
{
    (void)uv_run(&stage->loop, UV_RUN_ONCE);
    assert_false(stage->late);
}

static int set_up(void **state)
{
    static struct stage stage;
    const struct berth_tcp_events_sink sink = {take_events, take_lost, take_mode, &stage};
    struct berth_error err = {0};

    memset(&stage, 0, sizeof stage);
    assert_int_equal(uv_loop_init(&stage.loop), 0);
    assert_int_equal(uv_timer_init(&stage.loop, &stage.deadline), 0);
    stage.deadline.data = &stage;
    assert_int_equal(uv_timer_start(&stage.deadline, deadline_cb, DEADLINE_MS, 0), 0);
    assert_ok(berth_tcp_events_open(&stage.source, &stage.loop, &sink, &err), &err);
    while (stage.modes == 0) {
        turn(&stage);
    }
    *state = &stage;
    return 0;
}

static int tear_down(void **state)
{
    struct stage *stage = *state;

    berth_tcp_events_close(stage->source, take_closed, stage);
    uv_close((uv_handle_t *)&stage->deadline, NULL);
    (void)uv_run(&stage->loop, UV_RUN_DEFAULT);
    assert_int_equal(stage->closed, 1);
    assert_int_equal(uv_loop_close(&stage->loop), 0);
    return 0;
}

/* --- listeners ------------------------------------------------------------------------------ */

static int listen_on(uint16_t port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    const int on = 1;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    (void)setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (fd >= 0 &&
        (bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 1) != 0)) {
        (void)close(fd);
        return -1;
    }
    return fd;
}

static uint16_t port_of(int fd)
{
    struct sockaddr_in address = {0};
    socklen_t length = sizeof address;

    (void)getsockname(fd, (struct sockaddr *)&address, &length);
    return ntohs(address.sin_port);
}

/* Runs `work` in a child and waits for its end.  @return its exit status */
static int in_a_child(int (*work)(uint16_t port), uint16_t port)
{
    int status = -1;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        _exit(work(port));
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static int listen_once(uint16_t port)
{
    int fd = listen_on(port);

    if (fd >= 0) {
        (void)close(fd);
    }
    return fd >= 0 ? 0 : 1;
}

static int raise_loopback(void)
{
    struct ifreq request = {.ifr_name = "lo"};
    int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

    request.ifr_flags = IFF_UP | IFF_RUNNING;
    int result = ioctl(fd, SIOCSIFFLAGS, &request);
    (void)close(fd);
    return result;
}

/* Listens in another network, for as long as a look at the process takes and no shorter: the
 * parent ends it. */
static int listen_elsewhere(uint16_t port)
{
    if (unshare(CLONE_NEWNET) != 0 || raise_loopback() != 0) {
        return 77;
    }
    return listen_on(port) >= 0 ? 0 : 1;
}

/* Listens many times on one port, more often than the rings have room for. */
static int listen_often(uint16_t port)
{
    for (unsigned i = 0; i < 5000; i++) {
        if (listen_once(port) != 0) {
            return 1;
        }
    }
    return 0;
}

/* A port on which nothing listens, as far as that can be. */
static uint16_t unused_port(void)
{
    int fd = listen_on(0);

    assert_true(fd >= 0);
    uint16_t port = port_of(fd);
    (void)close(fd);
    return port;
}

/* Waits for a LISTEN event of a process like us, so that what came before it was read too. */
static void await_marker(struct stage *stage)
{
    uint16_t port = unused_port();

    assert_int_equal(in_a_child(listen_once, port), 0);
    while (stage->listened[port] == 0) {
        turn(stage);
    }
}

/* --- tests ---------------------------------------------------------------------------------- */

static void listen__in_another_network__makes_only_look(void **state)
{
    struct stage *stage = *state;
    uint16_t port = unused_port();
    int ready[2];
    char result = 1;

    if (!stage->full) {
        skip();
    }
    assert_int_equal(pipe(ready), 0);
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
        result = (char)listen_elsewhere(port);
        (void)!write(ready[1], &result, 1);
        for (;;) {
            (void)pause();
        }
    }
    assert_int_equal(read(ready[0], &result, 1), 1);
    unsigned others = stage->counts[BERTH_TCP_EVENT_OTHER];
    if (result == 0) {
        /* its process is still there to be asked */
        while (stage->counts[BERTH_TCP_EVENT_OTHER] == others) {
            turn(stage);
        }
    }
    (void)kill(pid, SIGKILL);
    (void)waitpid(pid, NULL, 0);
    (void)close(ready[0]);
    (void)close(ready[1]);
    if (result == 77) {
        (void)printf("a network of its own takes CAP_SYS_ADMIN\n");
        skip();
    }
    assert_int_equal(result, 0);
    assert_int_equal(stage->listened[port], 0);
}

static void listen__of_our_own__is_not_told(void **state)
{
    struct stage *stage = *state;

    if (!stage->full) {
        skip();
    }
    uint16_t port = unused_port(); /* which takes a listener */
    await_marker(stage);
    assert_int_equal(stage->listened[port], 0);
}

static void rings__run_over_while_nobody_reads__loss_is_told_and_reading_goes_on(void **state)
{
    struct stage *stage = *state;
    uint16_t port = unused_port();

    if (!stage->full) {
        skip();
    }
    assert_int_equal(in_a_child(listen_often, port), 0);
    while (stage->lost == 0) {
        turn(stage);
    }
    await_marker(stage);
    (void)printf("%u of 10000 records arrived, %llu or more were told lost\n",
                 stage->counts[BERTH_TCP_EVENT_LISTEN] + stage->counts[BERTH_TCP_EVENT_RELEASE],
                 (unsigned long long)stage->lost);
    assert_true(stage->listened[port] > 0);
    await_marker(stage);
}

static int bind_any(void)
{
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static void close_bound(unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        (void)close(bind_any());
    }
}

/* What was bound and never listened ends by a notice only, and those rest after a storm. */
static void notices__too_many_at_once__are_followed_by_a_look_when_they_are_read_again(void **state)
{
    struct stage *stage = *state;
    const unsigned *counts = stage->counts;

    unsigned others = counts[BERTH_TCP_EVENT_OTHER];
    while (counts[BERTH_TCP_EVENT_OTHER] == others) {
        close_bound(50); /* for fewer than that there is room */
        turn(stage);
    }
    unsigned gone = counts[BERTH_TCP_EVENT_GONE];
    while (counts[BERTH_TCP_EVENT_GONE] == gone) {
        close_bound(1);
        turn(stage);
    }
}

int main(void)
{
#define STAGED(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        STAGED(listen__in_another_network__makes_only_look),
        STAGED(listen__of_our_own__is_not_told),
        STAGED(rings__run_over_while_nobody_reads__loss_is_told_and_reading_goes_on),
        STAGED(notices__too_many_at_once__are_followed_by_a_look_when_they_are_read_again),
    };
#undef STAGED
    return cmocka_run_group_tests_name("tcp_events_linux", tests, NULL, NULL);
}
