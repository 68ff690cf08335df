/* SPDX-License-Identifier: MIT */
#include "system_platform.h"

#include "base/windows/wide.h"
#include "windows/test_console.h"
#include "windows/under_wine.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#define PATH_UNITS 1024
#define COMMAND_UNITS 8192
#define KILLED_STATUS 137 /* as a shell says it on Unix */
#define SEND_BYTES 65536
#define CLOSE_WAIT_MS 1000
#define NAME_WAIT_MS 10000

uint64_t platform_now_us(void)
{
    LARGE_INTEGER frequency;
    LARGE_INTEGER now;

    (void)QueryPerformanceFrequency(&frequency);
    (void)QueryPerformanceCounter(&now);
    uint64_t per_second = (uint64_t)frequency.QuadPart;
    uint64_t count = (uint64_t)now.QuadPart;
    return count / per_second * 1000000 + count % per_second * 1000000 / per_second;
}

uint64_t platform_now_ms(void)
{
    return platform_now_us() / 1000;
}

void platform_pause_ms(unsigned ms)
{
    Sleep(ms);
}

static const wchar_t *wide(wchar_t *out, const char *text)
{
    if (MultiByteToWideChar(CP_UTF8, 0, text, -1, out, PATH_UNITS) == 0) {
        out[0] = L'\0';
    }
    return out;
}

/* ---- processes ---- */

struct platform_process {
    HANDLE handle;
    DWORD id;
};

/* Whatever is in it ends with this process, which alone has it open. */
static HANDLE job(void)
{
    static HANDLE made;
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {
        .BasicLimitInformation = {.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE}};

    if (made == NULL) {
        made = CreateJobObjectW(NULL, NULL);
        (void)SetInformationJobObject(made, JobObjectExtendedLimitInformation, &limits,
                                      sizeof limits);
    }
    return made;
}

/* Adds an argument in quotes. The tests have none with a quote or a backslash at its end. */
static bool add_argument(wchar_t *command, const char *argument)
{
    wchar_t text[PATH_UNITS];
    size_t used = wcslen(command);
    size_t length = strlen(argument);

    if (strchr(argument, '"') != NULL || (length > 0 && argument[length - 1] == '\\') ||
        used + length + 4 > COMMAND_UNITS) {
        return false;
    }
    (void)_snwprintf(command + used, COMMAND_UNITS - used, L"%ls\"%ls\"", used != 0 ? L" " : L"",
                     wide(text, argument));
    return true;
}

static HANDLE open_for_child(const wchar_t *path, DWORD access, DWORD how)
{
    SECURITY_ATTRIBUTES inherited = {sizeof inherited, NULL, TRUE};

    return CreateFileW(path, access, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                       &inherited, how, FILE_ATTRIBUTE_NORMAL, NULL);
}

static bool spawn(struct platform_process *process, const struct platform_start *start,
                  wchar_t *command)
{
    STARTUPINFOW info = {.cb = sizeof info, .dwFlags = STARTF_USESTDHANDLES};
    PROCESS_INFORMATION made;
    wchar_t path[PATH_UNITS];
    wchar_t output[PATH_UNITS];
    HANDLE nothing = open_for_child(L"NUL", GENERIC_READ, OPEN_EXISTING);

    info.hStdInput = nothing;
    info.hStdOutput = open_for_child(wide(output, start->output_path),
                                     FILE_APPEND_DATA | SYNCHRONIZE, OPEN_ALWAYS);
    info.hStdError = info.hStdOutput;
    bool started =
        info.hStdOutput != INVALID_HANDLE_VALUE &&
        CreateProcessW(wide(path, start->arguments[0]), command, NULL, NULL, TRUE,
                       CREATE_SUSPENDED | CREATE_UNICODE_ENVIRONMENT, NULL, NULL, &info, &made);
    if (started) {
        (void)AssignProcessToJobObject(job(), made.hProcess);
        (void)ResumeThread(made.hThread);
        (void)CloseHandle(made.hThread);
        process->handle = made.hProcess;
        process->id = made.dwProcessId;
    }
    DWORD os_code = GetLastError();
    (void)CloseHandle(nothing);
    (void)CloseHandle(info.hStdOutput);
    SetLastError(os_code);
    return started;
}

struct platform_process *platform_process_start(const struct platform_start *start)
{
    struct platform_process *process = calloc(1, sizeof *process);
    wchar_t *command = calloc(COMMAND_UNITS, sizeof *command);
    bool good = process != NULL && command != NULL && start->user < 0;

    if (good && !test_console_join()) {
        (void)fprintf(stderr, "no console to start programs in: error %lu\n", GetLastError());
        good = false;
    }
    for (size_t i = 0; good && start->arguments[i] != NULL; i++) {
        good = add_argument(command, start->arguments[i]);
    }
    (void)fflush(NULL);
    if (good && !spawn(process, start, command)) {
        (void)fprintf(stderr, "cannot start %s: error %lu\n", start->arguments[0], GetLastError());
        good = false;
    }
    free(command);
    if (!good) {
        free(process);
        return NULL;
    }
    return process;
}

long platform_process_id(const struct platform_process *process)
{
    return (long)process->id;
}

void platform_process_stop(const struct platform_process *process)
{
    (void)process; /* all of the console: a test has one daemon at a time */
    (void)test_console_interrupt();
}

bool platform_process_reload(const struct platform_process *process)
{
    (void)process;
    return false;
}

typedef LONG(WINAPI *whole_process_fn)(HANDLE process);

/* ntdll has them, undocumented; what is documented works thread by thread. */
static void call_ntdll(const char *name, HANDLE process)
{
    whole_process_fn call =
        (whole_process_fn)(void (*)(void))GetProcAddress(GetModuleHandleW(L"ntdll.dll"), name);

    if (call != NULL) {
        (void)call(process);
    }
}

void platform_words_taken(char *out, size_t size, const struct platform_process *process)
{
    (void)snprintf(out, size, "is served already, by process %ld (", platform_process_id(process));
}

void platform_process_suspend(const struct platform_process *process)
{
    call_ntdll("NtSuspendProcess", process->handle);
}

void platform_process_resume(const struct platform_process *process)
{
    call_ntdll("NtResumeProcess", process->handle);
}

void platform_process_kill(const struct platform_process *process)
{
    (void)TerminateProcess(process->handle, KILLED_STATUS);
}

bool platform_process_wait(struct platform_process *process, unsigned timeout_ms, int *status)
{
    DWORD code;

    if (WaitForSingleObject(process->handle, timeout_ms) != WAIT_OBJECT_0 ||
        !GetExitCodeProcess(process->handle, &code)) {
        return false;
    }
    *status = (int)code;
    return true;
}

void platform_process_free(struct platform_process *process)
{
    if (process != NULL) {
        platform_process_kill(process);
        (void)WaitForSingleObject(process->handle, 10000);
        (void)CloseHandle(process->handle);
        free(process);
    }
}

/* ---- connections ---- */

/* What was given to a socket is sent when there is room, while its owner goes on; so it is here,
 * for one write at a time. */
struct connection {
    HANDLE pipe;
    OVERLAPPED reading;
    OVERLAPPED writing;
    bool write_pending;
    DWORD write_length;
    char outgoing[SEND_BYTES];
};

static struct connection *connection_of(intptr_t socket)
{
    return (struct connection *)socket;
}

static HANDLE open_pipe(const char *endpoint)
{
    wchar_t name[PATH_UNITS];

    (void)wide(name, endpoint);
    for (;;) {
        HANDLE pipe = CreateFileW(
            name, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
            FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION, NULL);
        if (pipe != INVALID_HANDLE_VALUE || GetLastError() != ERROR_PIPE_BUSY ||
            !WaitNamedPipeW(name, 10000)) {
            return pipe;
        }
    }
}

intptr_t platform_connect(const char *endpoint)
{
    HANDLE pipe = open_pipe(endpoint);
    struct connection *made = pipe != INVALID_HANDLE_VALUE ? calloc(1, sizeof *made) : NULL;

    if (made == NULL) {
        return PLATFORM_NO_SOCKET;
    }
    made->pipe = pipe;
    made->reading.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    made->writing.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL);
    return (intptr_t)made;
}

static bool is_closed(DWORD number)
{
    return number == ERROR_BROKEN_PIPE || number == ERROR_PIPE_NOT_CONNECTED ||
           number == ERROR_NO_DATA;
}

long platform_read(intptr_t socket, void *bytes, size_t size, unsigned timeout_ms)
{
    struct connection *connection = connection_of(socket);
    uint64_t end_ms = platform_now_ms() + timeout_ms;
    DWORD moved = 0;

    while (socket != PLATFORM_NO_SOCKET) {
        uint64_t now_ms = platform_now_ms();
        if (!ReadFile(connection->pipe, bytes, (DWORD)size, NULL, &connection->reading) &&
            GetLastError() != ERROR_IO_PENDING) {
            return is_closed(GetLastError()) ? 0 : PLATFORM_FAILED;
        }
        if (WaitForSingleObject(connection->reading.hEvent,
                                end_ms > now_ms ? (DWORD)(end_ms - now_ms) : 0) != WAIT_OBJECT_0) {
            (void)CancelIoEx(connection->pipe, &connection->reading);
        }
        if (GetOverlappedResult(connection->pipe, &connection->reading, &moved, TRUE)) {
            if (moved > 0) {
                return (long)moved;
            }
        } else if (GetLastError() == ERROR_OPERATION_ABORTED) {
            return PLATFORM_TIMEOUT;
        } else {
            return is_closed(GetLastError()) ? 0 : PLATFORM_FAILED;
        }
    }
    return PLATFORM_FAILED;
}

/* Waits for the write under way.  @return 0: it is done */
static long finish_write(struct connection *connection, unsigned timeout_ms)
{
    DWORD moved;

    if (!connection->write_pending) {
        return 0;
    }
    if (WaitForSingleObject(connection->writing.hEvent, timeout_ms) != WAIT_OBJECT_0) {
        return PLATFORM_TIMEOUT;
    }
    connection->write_pending = false;
    return GetOverlappedResult(connection->pipe, &connection->writing, &moved, FALSE)
               ? 0
               : PLATFORM_FAILED;
}

long platform_write(intptr_t socket, const void *bytes, size_t size, unsigned timeout_ms)
{
    struct connection *connection = connection_of(socket);
    long status =
        socket != PLATFORM_NO_SOCKET ? finish_write(connection, timeout_ms) : PLATFORM_FAILED;

    if (status != 0) {
        return status;
    }
    connection->write_length = size < SEND_BYTES ? (DWORD)size : SEND_BYTES;
    memcpy(connection->outgoing, bytes, connection->write_length);
    if (!WriteFile(connection->pipe, connection->outgoing, connection->write_length, NULL,
                   &connection->writing) &&
        GetLastError() != ERROR_IO_PENDING) {
        return PLATFORM_FAILED;
    }
    connection->write_pending = true;
    return (long)connection->write_length;
}

bool platform_close_writing(intptr_t socket)
{
    (void)socket;
    return false;
}

void platform_close(intptr_t socket)
{
    struct connection *connection = connection_of(socket);
    DWORD moved;

    if (socket == PLATFORM_NO_SOCKET) {
        return;
    }
    if (finish_write(connection, CLOSE_WAIT_MS) == PLATFORM_TIMEOUT) {
        (void)CancelIoEx(connection->pipe, &connection->writing);
        (void)GetOverlappedResult(connection->pipe, &connection->writing, &moved, TRUE);
    }
    (void)CloseHandle(connection->pipe);
    (void)CloseHandle(connection->reading.hEvent);
    (void)CloseHandle(connection->writing.hEvent);
    free(connection);
}

/* ---- files ---- */

void platform_open_folder_to_all(const char *path)
{
    (void)path; /* nobody else uses it: nothing is started as another user here */
}

void platform_make_unreadable(const char *path)
{
    (void)path;
}

/* A file that was removed keeps its name until the last one who has it open lets go of it. */
bool platform_make_folder(const char *path)
{
    uint64_t end_ms = platform_now_ms() + NAME_WAIT_MS;
    wchar_t folder[PATH_UNITS];

    (void)wide(folder, path);
    while (!CreateDirectoryW(folder, NULL)) {
        if (GetLastError() != ERROR_ACCESS_DENIED || platform_now_ms() >= end_ms) {
            return false;
        }
        Sleep(1);
    }
    return true;
}

bool platform_remove_folder(const char *path)
{
    wchar_t folder[PATH_UNITS];

    return RemoveDirectoryW(wide(folder, path));
}

/* who could start programs as others, which takes their passwords here */
bool platform_is_administrator(void)
{
    return false;
}

void *platform_rewrite_begin(const char *path)
{
    wchar_t name[PATH_UNITS];
    HANDLE file = CreateFileW(wide(name, path), GENERIC_WRITE,
                              FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE, NULL,
                              CREATE_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);

    return file != INVALID_HANDLE_VALUE ? file : NULL;
}

bool platform_rewrite_add(void *file, const void *bytes, size_t size)
{
    DWORD moved;

    return WriteFile(file, bytes, (DWORD)size, &moved, NULL) && moved == size;
}

void platform_rewrite_end(void *file)
{
    (void)CloseHandle(file);
}

size_t platform_raise_descriptor_limit(void)
{
    return 16384; /* handles have no limit that a test comes near */
}

bool platform_is_emulated(void)
{
    return under_wine();
}
