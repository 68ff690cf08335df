/* SPDX-License-Identifier: MIT */
/* The Unix socket transport: what connecting and sending says when things are not as they should.
 */
#define _GNU_SOURCE
#include "cmocka_all.h"

#include "client/transport.h"
#include "temp_folder.h"

#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int listen_at(const char *path, int backlog)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);

    assert_true(fd >= 0);
    memcpy(address.sun_path, path, strlen(path));
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, backlog), 0);
    return fd;
}

static void transport_open__no_file__is_not_found(void **state)
{
    struct berth_transport *transport = NULL;
    struct berth_error err;

    (void)state;
    assert_code(
        berth_transport_open(&transport, temp_path(folder, "none"), BERTH_NO_DEADLINE, &err),
        BERTH_NOT_FOUND);
    assert_string_equal(err.detail, "no such socket");
    assert_null(transport);
}

static void transport_open__dead_socket_file__is_not_found_and_says_so(void **state)
{
    struct berth_transport *transport = NULL;
    const char *path = temp_path(folder, "dead");
    struct berth_error err;

    (void)state;
    (void)close(listen_at(path, 1));
    assert_code(berth_transport_open(&transport, path, BERTH_NO_DEADLINE, &err), BERTH_NOT_FOUND);
    assert_string_equal(err.detail, "nobody listens there");
}

static void transport_open__path_too_long__is_refused_with_both_lengths(void **state)
{
    struct berth_transport *transport = NULL;
    char path[109];
    struct berth_error err;

    (void)state;
    memset(path, 'a', 108);
    path[108] = '\0';
    assert_code(berth_transport_open(&transport, path, BERTH_NO_DEADLINE, &err),
                BERTH_INVALID_PARAMS);
    assert_string_equal(err.detail, "the path has 108 bytes, a socket's may have 107");
}

static void transport_open__backlog_full__is_busy_at_the_deadline(void **state)
{
    const char *path = temp_path(folder, "full");
    int listener = listen_at(path, 0);
    struct berth_transport *first = NULL;
    struct berth_transport *second = NULL;
    struct berth_error err;

    (void)state;
    assert_ok(berth_transport_open(&first, path, BERTH_NO_DEADLINE, &err), &err);
    enum berth_code code = berth_transport_open(&second, path, berth_transport_now_ms() + 50, &err);
    assert_code(code, BERTH_BUSY);
    berth_transport_close(first);
    (void)close(listener);
}

/* Permissions do not bind root: the attempt is made by a child without its rights. */
static void transport_open__no_permission__is_denied(void **state)
{
    const char *path = temp_path(folder, "locked");
    int listener = listen_at(path, 1);
    int status = 0;

    (void)state;
    assert_int_equal(chmod(path, 0600), 0);
    assert_int_equal(chmod(folder, 0755), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct berth_transport *transport = NULL;
        if (getuid() != 0 || setuid(65534) != 0) {
            _exit(getuid() != 0 ? 77 : 1);
        }
        _exit((int)berth_transport_open(&transport, path, BERTH_NO_DEADLINE, NULL));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    (void)close(listener);
    assert_true(WIFEXITED(status));
    if (WEXITSTATUS(status) == 77) {
        skip();
    }
    assert_int_equal(WEXITSTATUS(status), BERTH_DENIED);
}

static void transport_send__peer_reads_nothing__is_busy_at_the_deadline(void **state)
{
    static char block[4 * 1024 * 1024];
    const char *path = temp_path(folder, "deaf");
    int listener = listen_at(path, 1);
    struct berth_transport *transport = NULL;
    struct berth_error err;

    (void)state;
    assert_ok(berth_transport_open(&transport, path, BERTH_NO_DEADLINE, &err), &err);
    assert_code(
        berth_transport_send(transport, block, sizeof block, berth_transport_now_ms() + 50, &err),
        BERTH_BUSY);
    berth_transport_close(transport);
    (void)close(listener);
}

static void transport_send__peer_gone__is_io_without_a_signal(void **state)
{
    const char *path = temp_path(folder, "gone");
    int listener = listen_at(path, 1);
    struct berth_transport *transport = NULL;
    struct berth_error err;

    (void)state;
    assert_ok(berth_transport_open(&transport, path, BERTH_NO_DEADLINE, &err), &err);
    (void)close(accept(listener, NULL, NULL));
    assert_code(berth_transport_send(transport, "x", 1, BERTH_NO_DEADLINE, &err), BERTH_IO);
    assert_string_equal(err.detail, "the daemon closed the connection");
    berth_transport_close(transport);
    (void)close(listener);
}

static void default_endpoints__follow_the_runtime_folder(void **state)
{
    char place[BERTH_ENDPOINT_MAX];

    (void)state;
    set_environment("XDG_RUNTIME_DIR", "/run/user/1000");
    assert_true(berth_transport_default_endpoint(0, place, sizeof place));
    assert_string_equal(place, "/run/berth/berth.sock");
    assert_true(berth_transport_default_endpoint(1, place, sizeof place));
    assert_string_equal(place, "/run/user/1000/berth.sock");
    assert_false(berth_transport_default_endpoint(2, place, sizeof place));
    set_environment("XDG_RUNTIME_DIR", "not/absolute");
    assert_false(berth_transport_default_endpoint(1, place, sizeof place));
    set_environment("XDG_RUNTIME_DIR", NULL);
    assert_false(berth_transport_default_endpoint(1, place, sizeof place));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transport_open__no_file__is_not_found),
        cmocka_unit_test(transport_open__dead_socket_file__is_not_found_and_says_so),
        cmocka_unit_test(transport_open__path_too_long__is_refused_with_both_lengths),
        cmocka_unit_test(transport_open__backlog_full__is_busy_at_the_deadline),
        cmocka_unit_test(transport_open__no_permission__is_denied),
        cmocka_unit_test(transport_send__peer_reads_nothing__is_busy_at_the_deadline),
        cmocka_unit_test(transport_send__peer_gone__is_io_without_a_signal),
        cmocka_unit_test(default_endpoints__follow_the_runtime_folder),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
