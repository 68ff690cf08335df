/* SPDX-License-Identifier: MIT */
/* The real system: its default watchers come up, its facts are read, and a URL that another program
 * registers with http.sys is seen with whoever listens for it. On Wine some of that is not there;
 * then it must be said. */
#include <windows.h>
#include <winsock2.h>
#include <ws2tcpip.h>

#include "tests/support/cmocka_all.h"
#include "tests/unit/watchers/watch_case.h"
#include "watchers/default_watchers.h"
#include "watchers/host_facts.h"
#include "watchers/port_probe.h"
#include "watchers/tcp_table.h"
#include "watchers/windows/netsh.h"

#include <stdlib.h>
#include <wchar.h>

#define SERVER L"http_server_process.exe"
#define SERVER_DEADLINE_MS 20000
#define GONE_STEP_MS 20

/* ---- another program that registers a URL ---- */

struct server {
    PROCESS_INFORMATION process;
    HANDLE input; /* of the process: closed, it ends */
    HANDLE output;
    uint16_t port;
};

static uint16_t free_port(void)
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    int length = (int)sizeof address;
    WSADATA data;

    assert_int_equal(WSAStartup(MAKEWORD(2, 2), &data), 0);
    SOCKET handle = socket(AF_INET, SOCK_STREAM, IPPROTO_TCP);
    assert_true(handle != INVALID_SOCKET);
    assert_int_equal(bind(handle, (struct sockaddr *)&address, length), 0);
    assert_int_equal(getsockname(handle, (struct sockaddr *)&address, &length), 0);
    assert_int_equal(closesocket(handle), 0);
    return ntohs(address.sin_port);
}

/* Starts it, and waits for its first line. */
static bool start_server(struct server *server)
{
    SECURITY_ATTRIBUTES inherited = {.nLength = sizeof inherited, .bInheritHandle = TRUE};
    STARTUPINFOW start = {.cb = sizeof start, .dwFlags = STARTF_USESTDHANDLES};
    wchar_t path[1024];
    wchar_t command[1100];
    char line[64] = "";
    DWORD got = 0;

    server->port = free_port();
    assert_in_range(GetModuleFileNameW(NULL, path, 1024 - 64), 1, 1024 - 65);
    wcscpy(wcsrchr(path, L'\\') + 1, SERVER);
    (void)_snwprintf(command, 1100, L"\"%ls\" %u", path, (unsigned)server->port);
    assert_true(CreatePipe(&start.hStdInput, &server->input, &inherited, 0));
    assert_true(CreatePipe(&server->output, &start.hStdOutput, &inherited, 0));
    assert_true(SetHandleInformation(server->input, HANDLE_FLAG_INHERIT, 0));
    assert_true(SetHandleInformation(server->output, HANDLE_FLAG_INHERIT, 0));
    start.hStdError = INVALID_HANDLE_VALUE;
    assert_true(CreateProcessW(path, command, NULL, NULL, TRUE, CREATE_NO_WINDOW, NULL, NULL,
                               &start, &server->process));
    assert_true(CloseHandle(start.hStdInput));
    assert_true(CloseHandle(start.hStdOutput));
    assert_true(ReadFile(server->output, line, sizeof line - 1, &got, NULL));
    return strncmp(line, "ready", 5) == 0;
}

static void end_server(struct server *server)
{
    if (server->input != NULL) {
        assert_true(CloseHandle(server->input));
        assert_int_equal(WaitForSingleObject(server->process.hProcess, SERVER_DEADLINE_MS),
                         WAIT_OBJECT_0);
        assert_true(CloseHandle(server->output));
        assert_true(CloseHandle(server->process.hThread));
        assert_true(CloseHandle(server->process.hProcess));
    }
    *server = (struct server){.port = server->port};
}

static const struct berth_claim *find_listener(struct berth_tcp_table *table, uint16_t port)
{
    struct berth_tcp_claims claims;
    struct berth_error err;

    assert_ok(berth_tcp_table_read(table, BERTH_TCP_LISTENERS, &claims, &err), &err);
    for (size_t i = 0; i < claims.parts[BERTH_TCP_PART_LISTENERS].count; i++) {
        const struct berth_claim *claim = &claims.parts[BERTH_TCP_PART_LISTENERS].claims[i];
        if (claim->port == port) {
            return claim;
        }
    }
    return NULL;
}

static void url__registered_by_another_program__has_a_listener_that_goes_with_it(void **state)
{
    struct berth_tcp_table *table = NULL;
    struct server server = {.port = 0};
    struct berth_error err;
    int os_code;

    (void)state;
    assert_ok(berth_tcp_table_open(&table, &err), &err);
    if (!start_server(&server)) {
        end_server(&server);
        berth_tcp_table_close(table);
        skip(); /* not an administrator */
    }
    const struct berth_claim *claim = find_listener(table, server.port);
    assert_non_null(claim);
    /* whoever registered it is not whoever listens */
    assert_int_not_equal(claim->process_id, server.process.dwProcessId);
    assert_int_not_equal(claim->process_id, BERTH_ID_NONE);
    assert_non_null(claim->holder);
    assert_string_equal(claim->holder, claim->process_id == 4 ? "http.sys" : "winedevice.exe");
    enum berth_probe_answer answer = berth_port_probe(server.port, &os_code);
    assert_true(answer == BERTH_PROBE_IN_USE || answer == BERTH_PROBE_FORBIDDEN);
    end_server(&server);
    for (int tries = 0; find_listener(table, server.port) != NULL; tries++) {
        assert_true(tries < SERVER_DEADLINE_MS / GONE_STEP_MS);
        Sleep(GONE_STEP_MS);
    }
    berth_tcp_table_close(table);
}

/* ---- default watchers ---- */

static void default_watchers__each__come_up_or_say_what_is_missing(void **state)
{
    size_t count = 0;
    const struct berth_default_watcher *rows = berth_default_watchers(&count);

    (void)state;
    assert_int_equal(count, 2);
    for (size_t i = 0; i < count; i++) {
        struct berth_watcher *watcher = NULL;
        struct watch_case stage;
        struct berth_error err;

        watch_case_open(&stage);
        assert_ok(rows[i].create(&watcher, &stage.loop, &err), &err);
        assert_int_equal(watcher->ops->source, rows[i].source);
        watch_case_start(&stage, watcher);
        print_message("%s: %s %s\n%s", rows[i].name, berth_source_state_name(stage.state),
                      stage.reason, stage.claims);
        /* never waiting: a machine whose netsh tells nothing must still give ports */
        assert_true(stage.state == BERTH_STATE_READY || stage.state == BERTH_STATE_DEGRADED);
        assert_int_equal(stage.snapshots, 1);
        watch_case_look(&stage);
        watch_case_close(&stage);
    }
}

/* ---- facts ---- */

static void facts__with_or_without_netsh__are_those_of_windows(void **state)
{
    struct berth_host_facts *facts = calloc(1, sizeof *facts);
    struct berth_error err;

    (void)state;
    assert_non_null(facts);
    enum berth_code code = berth_host_facts_read(facts, &err);
    assert_true(code == BERTH_OK || code == BERTH_NOT_SUPPORTED);
    assert_true(facts->http_sys);
    assert_in_range(facts->ephemeral_range.first, 1025, 65535);
    assert_true(facts->ephemeral_range.last >= facts->ephemeral_range.first);
    free(facts);
}

static void netsh__run_again__is_found_in_the_system_folder(void **state)
{
    static const char *const words[] = {"interface", "ipv4", "show", "dynamicport", "tcp", NULL};
    struct berth_text text;
    struct berth_error err;

    (void)state;
    for (int i = 0; i < 2; i++) {
        berth_text_init(&text, 100000);
        assert_ok(berth_netsh(&text, words, &err), &err);
        berth_text_fini(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(url__registered_by_another_program__has_a_listener_that_goes_with_it),
        cmocka_unit_test(default_watchers__each__come_up_or_say_what_is_missing),
        cmocka_unit_test(facts__with_or_without_netsh__are_those_of_windows),
        cmocka_unit_test(netsh__run_again__is_found_in_the_system_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
