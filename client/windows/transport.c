/* SPDX-License-Identifier: MIT */
/* Over a named pipe, with overlapped operations: only those can be given up at a deadline. */
#include "client/transport.h"

#include "base/memory.h"
#include "base/windows/os_text.h"
#include "base/windows/pipe_name.h"
#include "base/windows/wide.h"
#include "client/windows/server_owner.h"

#include <stdio.h>
#include <windows.h>

#define SEND_BYTES_MAX (64u * 1024) /* one operation: a pipe's usual buffer */
#define WAIT_MS_MAX 0x7FFFFFFFu

struct berth_transport {
    HANDLE pipe;
    HANDLE event; /* of the one operation that may be under way */
};

const struct berth_transport_words berth_transport_words = {
    .start = "start it with 'net start Berth' as an administrator, or run berthd.exe in a console",
    .access = "run it 'as administrator', or have an administrator put you into the group berth or "
              "into <access> in berthd.config",
};

uint64_t berth_transport_now_ms(void)
{
    LARGE_INTEGER frequency;
    LARGE_INTEGER now;

    (void)QueryPerformanceFrequency(&frequency);
    (void)QueryPerformanceCounter(&now);
    uint64_t per_second = (uint64_t)frequency.QuadPart;
    uint64_t count = (uint64_t)now.QuadPart;
    return count / per_second * 1000 + count % per_second * 1000 / per_second;
}

/* How long to wait at most in one call. */
static DWORD remaining_ms(uint64_t deadline_ms)
{
    uint64_t now = berth_transport_now_ms();
    uint64_t left = deadline_ms > now ? deadline_ms - now : 0;

    return left > WAIT_MS_MAX ? WAIT_MS_MAX : (DWORD)left;
}

static enum berth_code fail_late(struct berth_error *err)
{
    return berth_fail(err, BERTH_BUSY, ERROR_TIMEOUT, "no answer in time");
}

static enum berth_code fail_system(struct berth_error *err, DWORD number)
{
    char words[200];

    return berth_fail(err, BERTH_IO, (int)number, "%s", berth_os_text(words, sizeof words, number));
}

/* Connecting */

static enum berth_code fail_connect(struct berth_error *err, DWORD number)
{
    switch (number) {
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
        return berth_fail(err, BERTH_NOT_FOUND, (int)number, "no such pipe");
    case ERROR_ACCESS_DENIED:
        return berth_fail(err, BERTH_DENIED, (int)number, "access denied");
    case ERROR_INVALID_NAME:
    case ERROR_BAD_PATHNAME:
        return berth_fail(err, BERTH_INVALID_PARAMS, (int)number, "no pipe can have that name");
    default:
        return fail_system(err, number);
    }
}

/* Waits until an instance of the pipe is free, or the deadline.  @return ERROR_SUCCESS: try again
 */
static DWORD wait_for_instance(const wchar_t *name, uint64_t deadline_ms)
{
    DWORD left = remaining_ms(deadline_ms);

    /* 0 would stand for the server's own idea of a time */
    if (left == 0) {
        return ERROR_SEM_TIMEOUT;
    }
    if (WaitNamedPipeW(name, left)) {
        return ERROR_SUCCESS;
    }
    /* the last instance may be gone: then opening says so; and the time is not up in every case */
    DWORD number = GetLastError();
    bool again = number == ERROR_FILE_NOT_FOUND || number == ERROR_SEM_TIMEOUT;
    return again && remaining_ms(deadline_ms) != 0 ? ERROR_SUCCESS : number;
}

static enum berth_code open_pipe(HANDLE *out, const wchar_t *name, uint64_t deadline_ms,
                                 struct berth_error *err)
{
    for (;;) {
        /* Who serves may look who we are, and do nothing in our name. */
        HANDLE pipe = CreateFileW(
            name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
            FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, NULL);
        DWORD number = GetLastError();

        if (pipe != INVALID_HANDLE_VALUE) {
            *out = pipe;
            return BERTH_OK;
        }
        if (number != ERROR_PIPE_BUSY) {
            return fail_connect(err, number);
        }
        number = wait_for_instance(name, deadline_ms);
        if (number == ERROR_SEM_TIMEOUT || number == ERROR_FILE_NOT_FOUND) {
            return fail_late(err);
        }
        if (number != ERROR_SUCCESS) {
            return fail_system(err, number);
        }
    }
}

static enum berth_code connect_to(struct berth_transport *transport, const wchar_t *name,
                                  uint64_t deadline_ms, struct berth_error *err)
{
    enum berth_code code = open_pipe(&transport->pipe, name, deadline_ms, err);

    if (code != BERTH_OK) {
        return code;
    }
    transport->event = CreateEventW(NULL, TRUE, FALSE, NULL);
    if (transport->event == NULL) {
        return fail_system(err, GetLastError());
    }
    return berth_server_owner_check(transport->pipe, err);
}

enum berth_code berth_transport_open(struct berth_transport **out, const char *endpoint,
                                     uint64_t deadline_ms, struct berth_error *err)
{
    char narrow[BERTH_PIPE_NAME_SIZE];
    struct berth_transport *made = NULL;
    wchar_t *name = NULL;
    enum berth_code code = berth_pipe_name(narrow, endpoint, err);

    if (code != BERTH_OK) {
        return code;
    }
    made = berth_alloc(1, sizeof *made);
    if (made == NULL) {
        return berth_fail_memory(err, "a connection");
    }
    made->pipe = INVALID_HANDLE_VALUE;
    name = berth_wide(narrow);
    code = name != NULL ? connect_to(made, name, deadline_ms, err)
                        : berth_fail_memory(err, "a connection");
    if (code == BERTH_OK) {
        *out = made;
        made = NULL;
    }
    berth_free(name);
    berth_transport_close(made);
    return code;
}

/* Sending and receiving */

/* Waits for the operation that was just begun with `overlapped`; one that is not done at the
 * deadline is cancelled, and if it was done in the meantime after all, it counts.
 * @param[in]  begun  what ReadFile or WriteFile gave: FALSE says why in GetLastError()
 * @param[out] moved  bytes sent or received  @return ERROR_OPERATION_ABORTED: too late */
static DWORD finish(struct berth_transport *transport, BOOL begun, OVERLAPPED *overlapped,
                    DWORD *moved, uint64_t deadline_ms)
{
    DWORD waited;

    if (!begun && GetLastError() != ERROR_IO_PENDING) {
        return GetLastError();
    }
    do {
        waited = WaitForSingleObject(transport->event, deadline_ms == BERTH_NO_DEADLINE
                                                           ? INFINITE
                                                           : remaining_ms(deadline_ms));
    } while (waited == WAIT_TIMEOUT && remaining_ms(deadline_ms) != 0);
    if (waited != WAIT_OBJECT_0) {
        (void)CancelIoEx(transport->pipe, overlapped);
    }
    return GetOverlappedResult(transport->pipe, overlapped, moved, TRUE) ? ERROR_SUCCESS
                                                                         : GetLastError();
}

static bool is_closed(DWORD number)
{
    return number == ERROR_BROKEN_PIPE || number == ERROR_NO_DATA ||
           number == ERROR_PIPE_NOT_CONNECTED;
}

enum berth_code berth_transport_send(struct berth_transport *transport, const char *bytes,
                                     size_t length, uint64_t deadline_ms, struct berth_error *err)
{
    while (length > 0) {
        OVERLAPPED overlapped = {.hEvent = transport->event};
        DWORD step = length < SEND_BYTES_MAX ? (DWORD)length : SEND_BYTES_MAX;
        DWORD moved = 0;
        BOOL begun = WriteFile(transport->pipe, bytes, step, NULL, &overlapped);
        DWORD number = finish(transport, begun, &overlapped, &moved, deadline_ms);

        if (number == ERROR_OPERATION_ABORTED) {
            return fail_late(err);
        }
        if (is_closed(number)) {
            return berth_fail(err, BERTH_IO, (int)number, "the daemon closed the connection");
        }
        if (number != ERROR_SUCCESS) {
            return fail_system(err, number);
        }
        bytes += moved;
        length -= moved;
    }
    return BERTH_OK;
}

enum berth_code berth_transport_receive(struct berth_transport *transport, char *buffer,
                                        size_t size, size_t *received, uint64_t deadline_ms,
                                        struct berth_error *err)
{
    for (;;) {
        OVERLAPPED overlapped = {.hEvent = transport->event};
        DWORD room = size < MAXDWORD ? (DWORD)size : MAXDWORD;
        DWORD moved = 0;
        BOOL begun = ReadFile(transport->pipe, buffer, room, NULL, &overlapped);
        DWORD number = finish(transport, begun, &overlapped, &moved, deadline_ms);

        if (number == ERROR_OPERATION_ABORTED) {
            return fail_late(err);
        }
        if (is_closed(number)) {
            *received = 0;
            return BERTH_OK;
        }
        if (number != ERROR_SUCCESS) {
            return fail_system(err, number);
        }
        /* nothing: the peer wrote nothing, which is no end here */
        if (moved > 0) {
            *received = moved;
            return BERTH_OK;
        }
    }
}

void berth_transport_close(struct berth_transport *transport)
{
    if (transport == NULL) {
        return;
    }
    if (transport->pipe != INVALID_HANDLE_VALUE) {
        (void)CloseHandle(transport->pipe);
    }
    if (transport->event != NULL) {
        (void)CloseHandle(transport->event);
    }
    berth_free(transport);
}

bool berth_transport_default_endpoint(unsigned index, char *out, size_t size)
{
    int length = index == 0 ? snprintf(out, size, "%sberth", BERTH_PIPE_PREFIX) : -1;

    return length >= 0 && (size_t)length < size;
}
