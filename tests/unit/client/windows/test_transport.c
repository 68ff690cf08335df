/* SPDX-License-Identifier: MIT */
/* The named pipe transport: what connecting, sending and receiving say when things are not as they
 * should. */
#include "client/transport.h"
#include "cmocka_all.h"
#include "temp_folder.h"
#include "windows/own_security.h"
#include "windows/under_wine.h"

#include <windows.h>

static HANDLE make_pipe(const char *name)
{
    SECURITY_ATTRIBUTES security = {sizeof security, own_security(), FALSE};
    HANDLE pipe =
        CreateNamedPipeA(name, PIPE_ACCESS_DUPLEX, PIPE_TYPE_BYTE, 1, 4096, 4096, 0, &security);

    (void)LocalFree(security.lpSecurityDescriptor);
    assert_true(pipe != INVALID_HANDLE_VALUE);
    return pipe;
}

/* A pipe's server side and the transport that is connected to it. */
static struct berth_transport *connect_to(const char *name, HANDLE *server)
{
    struct berth_transport *transport = NULL;
    struct berth_error err;

    *server = make_pipe(name);
    assert_ok(berth_transport_open(&transport, name, BERTH_NO_DEADLINE, &err), &err);
    return transport;
}

static void put(HANDLE pipe, const char *bytes, DWORD length)
{
    DWORD moved;

    assert_true(WriteFile(pipe, bytes, length, &moved, NULL));
    assert_int_equal(moved, length);
}

static void transport_open__no_pipe__is_not_found(void **state)
{
    struct berth_transport *transport = NULL;
    struct berth_error err;

    (void)state;
    assert_code(
        berth_transport_open(&transport, temp_endpoint(folder, "none"), BERTH_NO_DEADLINE, &err),
        BERTH_NOT_FOUND);
    assert_string_equal(err.detail, "no such pipe");
    assert_null(transport);
}

static void transport_open__another_machine__is_refused(void **state)
{
    struct berth_transport *transport = NULL;
    struct berth_error err;

    (void)state;
    assert_code(
        berth_transport_open(&transport, "\\\\server\\pipe\\berth", BERTH_NO_DEADLINE, &err),
        BERTH_INVALID_PARAMS);
    assert_non_null(strstr(err.detail, "no pipe of this machine"));
    assert_null(transport);
}

static void transport_open__short_name__is_the_pipe(void **state)
{
    const char *whole = temp_endpoint(folder, "short");
    HANDLE server = make_pipe(whole);
    struct berth_transport *transport = NULL;
    struct berth_error err;

    (void)state;
    assert_ok(berth_transport_open(&transport, strrchr(whole, '\\') + 1, BERTH_NO_DEADLINE, &err),
              &err);
    berth_transport_close(transport);
    (void)CloseHandle(server);
}

static void transport_open__all_instances_taken__is_busy_at_the_deadline(void **state)
{
    const char *name = temp_endpoint(folder, "full");
    struct berth_transport *second = NULL;
    struct berth_error err;
    HANDLE server;

    (void)state;
    struct berth_transport *first = connect_to(name, &server);
    enum berth_code code = berth_transport_open(&second, name, berth_transport_now_ms() + 50, &err);
    assert_code(code, BERTH_BUSY);
    assert_code(berth_transport_open(&second, name, 0, &err), BERTH_BUSY);
    assert_null(second);
    berth_transport_close(first);
    (void)CloseHandle(server);
}

static DWORD WINAPI serve_the_next(void *server)
{
    (void)DisconnectNamedPipe(server);
    return ConnectNamedPipe(server, NULL) || GetLastError() == ERROR_PIPE_CONNECTED ? 0 : 1;
}

static void transport_open__instance_comes_free__takes_it(void **state)
{
    const char *name = temp_endpoint(folder, "later");
    struct berth_transport *second = NULL;
    struct berth_error err;
    DWORD status = 99;
    HANDLE server;

    (void)state;
    struct berth_transport *first = connect_to(name, &server);
    HANDLE thread = CreateThread(NULL, 0, serve_the_next, server, 0, NULL);
    assert_non_null(thread);
    assert_ok(berth_transport_open(&second, name, berth_transport_now_ms() + 20000, &err), &err);
    assert_int_equal(WaitForSingleObject(thread, 20000), WAIT_OBJECT_0);
    assert_true(GetExitCodeThread(thread, &status));
    assert_int_equal(status, 0);
    (void)CloseHandle(thread);
    berth_transport_close(first);
    berth_transport_close(second);
    (void)CloseHandle(server);
}

static void transport_send__peer_reads_nothing__is_busy_at_the_deadline(void **state)
{
    static char block[4 * 1024 * 1024];
    struct berth_error err;
    HANDLE server;

    (void)state;
    struct berth_transport *transport = connect_to(temp_endpoint(folder, "deaf"), &server);
    assert_code(
        berth_transport_send(transport, block, sizeof block, berth_transport_now_ms() + 50, &err),
        BERTH_BUSY);
    berth_transport_close(transport);
    (void)CloseHandle(server);
}

static void transport_send__peer_gone__is_io(void **state)
{
    struct berth_error err;
    HANDLE server;

    (void)state;
    struct berth_transport *transport = connect_to(temp_endpoint(folder, "gone"), &server);
    (void)CloseHandle(server);
    assert_code(berth_transport_send(transport, "x", 1, BERTH_NO_DEADLINE, &err), BERTH_IO);
    assert_string_equal(err.detail, "the daemon closed the connection");
    berth_transport_close(transport);
}

static void transport_receive__late_answer__is_busy_and_comes_the_next_time(void **state)
{
    struct berth_error err;
    char bytes[8];
    size_t received = 99;
    HANDLE server;

    (void)state;
    struct berth_transport *transport = connect_to(temp_endpoint(folder, "late"), &server);
    assert_code(berth_transport_receive(transport, bytes, sizeof bytes, &received,
                                        berth_transport_now_ms() + 50, &err),
                BERTH_BUSY);
    put(server, "late", 4);
    /* what is there already is given, whatever the deadline */
    assert_ok(
        berth_transport_receive(transport, bytes, sizeof bytes, &received, BERTH_NO_DEADLINE, &err),
        &err);
    assert_int_equal(received, 4);
    assert_memory_equal(bytes, "late", 4);
    berth_transport_close(transport);
    (void)CloseHandle(server);
}

static void transport_receive__peer_closed__gives_the_rest_then_the_end(void **state)
{
    struct berth_error err;
    char bytes[8];
    size_t received = 99;
    HANDLE server;

    (void)state;
    struct berth_transport *transport = connect_to(temp_endpoint(folder, "rest"), &server);
    put(server, "rest", 4);
    (void)CloseHandle(server);
    assert_ok(berth_transport_receive(transport, bytes, 3, &received, BERTH_NO_DEADLINE, &err),
              &err);
    assert_int_equal(received, 3);
    assert_ok(berth_transport_receive(transport, bytes, 3, &received, BERTH_NO_DEADLINE, &err),
              &err);
    assert_int_equal(received, 1);
    assert_ok(berth_transport_receive(transport, bytes, 3, &received, BERTH_NO_DEADLINE, &err),
              &err);
    assert_int_equal(received, 0);
    berth_transport_close(transport);
}

/* The least that a server may know of its client, and may do for it: look, not act. */
static void transport_open__server_impersonates__may_only_identify(void **state)
{
    SECURITY_IMPERSONATION_LEVEL level = SecurityDelegation;
    struct berth_error err;
    DWORD size;
    DWORD moved;
    HANDLE server;
    HANDLE token;
    char byte;

    (void)state;
    struct berth_transport *transport = connect_to(temp_endpoint(folder, "level"), &server);
    assert_ok(berth_transport_send(transport, "x", 1, BERTH_NO_DEADLINE, &err), &err);
    assert_true(ReadFile(server, &byte, 1, &moved, NULL));
    assert_true(ImpersonateNamedPipeClient(server));
    BOOL opened = OpenThreadToken(GetCurrentThread(), TOKEN_QUERY, TRUE, &token);
    assert_true(RevertToSelf());
    assert_true(opened);
    assert_true(GetTokenInformation(token, TokenImpersonationLevel, &level, sizeof level, &size));
    (void)CloseHandle(token);
    berth_transport_close(transport);
    (void)CloseHandle(server);
    if (level != SecurityIdentification) {
        skip_under_wine("it passes the level that a client allows over");
    }
    assert_int_equal(level, SecurityIdentification);
}

static void default_endpoints__are_one_pipe(void **state)
{
    char place[BERTH_ENDPOINT_MAX];

    (void)state;
    assert_true(berth_transport_default_endpoint(0, place, sizeof place));
    assert_string_equal(place, "\\\\.\\pipe\\berth");
    assert_false(berth_transport_default_endpoint(1, place, sizeof place));
    assert_false(berth_transport_default_endpoint(0, place, 10));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(transport_open__no_pipe__is_not_found),
        cmocka_unit_test(transport_open__another_machine__is_refused),
        cmocka_unit_test(transport_open__short_name__is_the_pipe),
        cmocka_unit_test(transport_open__all_instances_taken__is_busy_at_the_deadline),
        cmocka_unit_test(transport_open__instance_comes_free__takes_it),
        cmocka_unit_test(transport_send__peer_reads_nothing__is_busy_at_the_deadline),
        cmocka_unit_test(transport_send__peer_gone__is_io),
        cmocka_unit_test(transport_receive__late_answer__is_busy_and_comes_the_next_time),
        cmocka_unit_test(transport_receive__peer_closed__gives_the_rest_then_the_end),
        cmocka_unit_test(transport_open__server_impersonates__may_only_identify),
        cmocka_unit_test(default_endpoints__are_one_pipe),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
