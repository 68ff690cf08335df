/* SPDX-License-Identifier: MIT */
/* The world of the real table: sockets on loopback, in another process, because a table passes over
 * the sockets of its own process. */
#include <windows.h>

#include "allocator/claim.h"
#include "tests/contract/tcp_table_contract.h"
#include "tests/support/cmocka_all.h"
#include "tests/support/windows/under_wine.h"

#include <wchar.h>

#define PROGRAM L"tcp_world_process.exe"

static PROCESS_INFORMATION process;
static HANDLE requests = INVALID_HANDLE_VALUE; /* to it */
static HANDLE answers = INVALID_HANDLE_VALUE;  /* from it */

/* A pipe of which the process gets one end. */
static void make_pipe(HANDLE *its_end, HANDLE *our_end, bool it_reads)
{
    SECURITY_ATTRIBUTES inherited = {.nLength = sizeof inherited, .bInheritHandle = TRUE};
    HANDLE reader;
    HANDLE writer;

    assert_true(CreatePipe(&reader, &writer, &inherited, 0));
    *its_end = it_reads ? reader : writer;
    *our_end = it_reads ? writer : reader;
    assert_true(SetHandleInformation(*our_end, HANDLE_FLAG_INHERIT, 0));
}

static void set_up(void)
{
    STARTUPINFOW start = {.cb = sizeof start, .dwFlags = STARTF_USESTDHANDLES};
    wchar_t path[1024];
    DWORD length = GetModuleFileNameW(NULL, path, 1024 - 64);

    assert_in_range(length, 1, 1024 - 65);
    wchar_t *name = wcsrchr(path, L'\\');
    assert_non_null(name);
    wcscpy(name + 1, PROGRAM);
    make_pipe(&start.hStdInput, &requests, true);
    make_pipe(&start.hStdOutput, &answers, false);
    start.hStdError = INVALID_HANDLE_VALUE;
    assert_true(CreateProcessW(path, NULL, NULL, NULL, TRUE, CREATE_NO_WINDOW, NULL, NULL, &start,
                               &process));
    assert_true(CloseHandle(start.hStdInput));
    assert_true(CloseHandle(start.hStdOutput));
}

static void tear_down(void)
{
    assert_true(CloseHandle(requests)); /* it ends at the end of its requests */
    assert_int_equal(WaitForSingleObject(process.hProcess, 20000), WAIT_OBJECT_0);
    assert_true(CloseHandle(answers));
    assert_true(CloseHandle(process.hThread));
    assert_true(CloseHandle(process.hProcess));
}

static uint16_t perform(const struct tcp_world_request *request)
{
    uint16_t port = 0;
    DWORD count;

    assert_true(WriteFile(requests, request, sizeof *request, &count, NULL));
    assert_true(ReadFile(answers, &port, sizeof port, &count, NULL));
    assert_int_equal(count, sizeof port);
    /* this table does not tell which sockets of IPv6 take no IPv4 */
    return request->v6_only ? 0 : port;
}

static uint32_t process_id(void)
{
    return process.dwProcessId;
}

static uint32_t user_id(void)
{
    return BERTH_ID_NONE;
}

static const char *image(void)
{
    return "tcp_world_process.exe";
}

/* By trying: Windows' own rules differ from those of Wine, whose sockets are Linux's. */
static unsigned lacks(void)
{
    const struct berth_address any4 = {.family = BERTH_FAMILY_IPV4};
    const struct berth_address loopback4 = {.family = BERTH_FAMILY_IPV4, .bytes = {127, 0, 0, 1}};
    struct tcp_world_request request = {.act = TCP_WORLD_LISTEN, .address = loopback4};
    unsigned missing = 0;

    request.port = perform(&request);
    assert_int_not_equal(request.port, 0);
    missing |= perform(&request) == 0 ? TCP_WORLD_LACKS_TWINS : 0u;
    request.address = any4;
    missing |= perform(&request) == 0 ? TCP_WORLD_LACKS_OVERLAP : 0u;
    request.act = TCP_WORLD_CLOSE;
    (void)perform(&request);
    /* Wine's table leaves them out */
    missing |= under_wine() ? TCP_WORLD_LACKS_TIME_WAIT : 0u;
    return missing;
}

const struct tcp_world tcp_world = {.set_up = set_up,
                                    .tear_down = tear_down,
                                    .perform = perform,
                                    .process_id = process_id,
                                    .user_id = user_id,
                                    .image = image,
                                    .lacks = lacks};
