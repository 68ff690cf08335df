/* SPDX-License-Identifier: MIT */
/* A named pipe with one instance for the current connection and one that waits for the next: so the
 * name is there at all times. */
#include "scripted_io.h"

#include "windows/own_security.h"

#include <stdint.h>
#include <stdlib.h>
#include <windows.h>

#define NAME_UNITS 256
#define BUFFER_BYTES 65536

struct scripted_io {
    HANDLE waiting;    /* an instance to which nobody has connected yet */
    HANDLE connection; /* the current one */
    HANDLE stop;       /* an event that ends all waits */
    HANDLE done;       /* the event of the operation under way */
    HANDLE thread;
    void (*body)(void *ctx);
    void *ctx;
    CRITICAL_SECTION lock;
    wchar_t name[NAME_UNITS];
};

static DWORD WINAPI run(void *context)
{
    struct scripted_io *io = context;

    io->body(io->ctx);
    return 0;
}

static HANDLE make_instance(const wchar_t *name)
{
    SECURITY_ATTRIBUTES security = {sizeof security, own_security(), FALSE};
    HANDLE made = CreateNamedPipeW(name, PIPE_ACCESS_DUPLEX | FILE_FLAG_OVERLAPPED,
                                   PIPE_TYPE_BYTE | PIPE_READMODE_BYTE | PIPE_REJECT_REMOTE_CLIENTS,
                                   PIPE_UNLIMITED_INSTANCES, BUFFER_BYTES, BUFFER_BYTES, 0,
                                   security.lpSecurityDescriptor != NULL ? &security : NULL);

    (void)LocalFree(security.lpSecurityDescriptor);
    return made;
}

struct scripted_io *scripted_io_listen(const char *endpoint)
{
    struct scripted_io *io = calloc(1, sizeof *io);

    if (io == NULL || MultiByteToWideChar(CP_UTF8, 0, endpoint, -1, io->name, NAME_UNITS) == 0) {
        free(io);
        return NULL;
    }
    io->connection = INVALID_HANDLE_VALUE;
    io->waiting = make_instance(io->name);
    if (io->waiting == INVALID_HANDLE_VALUE) {
        free(io);
        return NULL;
    }
    io->stop = CreateEventW(NULL, TRUE, FALSE, NULL);
    io->done = CreateEventW(NULL, TRUE, FALSE, NULL);
    InitializeCriticalSection(&io->lock);
    return io;
}

bool scripted_io_start(struct scripted_io *io, void (*body)(void *ctx), void *ctx)
{
    io->body = body;
    io->ctx = ctx;
    io->thread = CreateThread(NULL, 0, run, io, 0, NULL);
    return io->thread != NULL;
}

/* Waits for an operation that was begun on `pipe`.  @return false: it failed, or stop */
static bool finish(struct scripted_io *io, HANDLE pipe, OVERLAPPED *overlapped, DWORD *moved)
{
    HANDLE events[2] = {io->stop, io->done};

    if (WaitForMultipleObjects(2, events, FALSE, INFINITE) == WAIT_OBJECT_0) {
        (void)CancelIoEx(pipe, overlapped);
        (void)GetOverlappedResult(pipe, overlapped, moved, TRUE);
        return false;
    }
    return GetOverlappedResult(pipe, overlapped, moved, TRUE) != 0;
}

bool scripted_io_accept(struct scripted_io *io)
{
    OVERLAPPED overlapped = {.hEvent = io->done};
    DWORD moved;
    bool connected = ConnectNamedPipe(io->waiting, &overlapped) ||
                     GetLastError() == ERROR_PIPE_CONNECTED ||
                     /* it came and left: there may be something of it to read */
                     GetLastError() == ERROR_NO_DATA;

    if (!connected &&
        (GetLastError() != ERROR_IO_PENDING || !finish(io, io->waiting, &overlapped, &moved))) {
        return false;
    }
    io->connection = io->waiting;
    io->waiting = make_instance(io->name);
    return true;
}

size_t scripted_io_receive(struct scripted_io *io, char *bytes, size_t size)
{
    OVERLAPPED overlapped = {.hEvent = io->done};
    DWORD moved = 0;

    if (!ReadFile(io->connection, bytes, (DWORD)size, NULL, &overlapped) &&
        GetLastError() != ERROR_IO_PENDING) {
        return 0;
    }
    return finish(io, io->connection, &overlapped, &moved) ? moved : 0;
}

bool scripted_io_send(struct scripted_io *io, const char *bytes, size_t length)
{
    while (length > 0) {
        OVERLAPPED overlapped = {.hEvent = io->done};
        DWORD step = length < BUFFER_BYTES ? (DWORD)length : BUFFER_BYTES;
        DWORD moved = 0;

        if ((!WriteFile(io->connection, bytes, step, NULL, &overlapped) &&
             GetLastError() != ERROR_IO_PENDING) ||
            !finish(io, io->connection, &overlapped, &moved)) {
            return false;
        }
        bytes += moved;
        length -= moved;
    }
    return true;
}

/* ends too when the peer closes */
void scripted_io_wait_drained(struct scripted_io *io)
{
    (void)FlushFileBuffers(io->connection);
}

void scripted_io_close(struct scripted_io *io)
{
    (void)CloseHandle(io->connection);
    io->connection = INVALID_HANDLE_VALUE;
}

void scripted_io_lock(struct scripted_io *io)
{
    EnterCriticalSection(&io->lock);
}

void scripted_io_unlock(struct scripted_io *io)
{
    LeaveCriticalSection(&io->lock);
}

void scripted_io_stop(struct scripted_io *io)
{
    (void)SetEvent(io->stop);
    if (io->thread != NULL) {
        (void)WaitForSingleObject(io->thread, INFINITE);
        (void)CloseHandle(io->thread);
    }
    (void)CloseHandle(io->waiting);
    (void)CloseHandle(io->stop);
    (void)CloseHandle(io->done);
    DeleteCriticalSection(&io->lock);
    free(io);
}
