/* SPDX-License-Identifier: MIT */
#include "system_platform.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <windows.h>

#define BUSY_WAIT_MS 20000 /* for an instance of a pipe of which all are taken */
#define KILLED 137         /* what platform_process_wait() says of a killed one */

uint64_t platform_now_us(void)
{
    LARGE_INTEGER now;
    LARGE_INTEGER second;

    (void)QueryPerformanceCounter(&now);
    (void)QueryPerformanceFrequency(&second);
    return (uint64_t)(now.QuadPart / second.QuadPart) * 1000000 +
           (uint64_t)(now.QuadPart % second.QuadPart * 1000000 / second.QuadPart);
}

uint64_t platform_now_ms(void)
{
    return platform_now_us() / 1000;
}

void platform_pause_ms(unsigned ms)
{
    Sleep(ms);
}

/* ---- processes ---- */

struct platform_process {
    HANDLE handle;
    DWORD id;
};

/* Ctrl-C is for all processes of a console; this one goes on. (Ignoring it would be inherited.) */
static BOOL WINAPI pass_over(DWORD event)
{
    return event == CTRL_C_EVENT;
}

/* What is in the job ends with the test program, whose handle is the only one. */
static HANDLE job_of_this_program(void)
{
    static HANDLE job;
    JOBOBJECT_EXTENDED_LIMIT_INFORMATION limits = {
        .BasicLimitInformation = {.LimitFlags = JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE}};

    if (job == NULL) {
        job = CreateJobObjectW(NULL, NULL);
        (void)SetInformationJobObject(job, JobObjectExtendedLimitInformation, &limits,
                                      sizeof limits);
        (void)AllocConsole(); /* by which a process is asked to stop; fails where there is one */
        (void)SetConsoleCtrlHandler(pass_over, TRUE);
    }
    return job;
}

static void quote(char *line, size_t size, const char *argument)
{
    size_t used = strlen(line);

    (void)snprintf(line + used, size - used, "%s\"%s\"", used > 0 ? " " : "", argument);
}

static HANDLE open_inherited(const char *path, DWORD access)
{
    SECURITY_ATTRIBUTES inherited = {sizeof inherited, NULL, TRUE};

    return CreateFileA(path, access, FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE,
                       &inherited, OPEN_ALWAYS, FILE_ATTRIBUTE_NORMAL, NULL);
}

static bool create(const struct platform_start *start, PROCESS_INFORMATION *out)
{
    char line[4096] = "";
    STARTUPINFOA info = {.cb = sizeof info, .dwFlags = STARTF_USESTDHANDLES};

    for (const char *const *argument = start->arguments; *argument != NULL; argument++) {
        quote(line, sizeof line, *argument);
    }
    info.hStdInput = open_inherited("NUL", GENERIC_READ);
    info.hStdOutput = open_inherited(start->output_path, FILE_APPEND_DATA | SYNCHRONIZE);
    info.hStdError = info.hStdOutput;
    BOOL made = CreateProcessA(start->arguments[0], line, NULL, NULL, TRUE, CREATE_SUSPENDED, NULL,
                               NULL, &info, out);
    (void)CloseHandle(info.hStdInput);
    (void)CloseHandle(info.hStdOutput);
    return made != 0;
}

struct platform_process *platform_process_start(const struct platform_start *start)
{
    HANDLE job = job_of_this_program();
    PROCESS_INFORMATION made;

    if (start->user >= 0 || !create(start, &made)) {
        return NULL;
    }
    struct platform_process *process = calloc(1, sizeof *process);
    if (process == NULL) {
        (void)TerminateProcess(made.hProcess, KILLED);
    } else {
        process->handle = made.hProcess;
        process->id = made.dwProcessId;
        (void)AssignProcessToJobObject(job, made.hProcess);
        (void)ResumeThread(made.hThread);
    }
    (void)CloseHandle(made.hThread);
    return process;
}

long platform_process_id(const struct platform_process *process)
{
    return (long)process->id;
}

void platform_process_stop(const struct platform_process *process)
{
    (void)process; /* all that run in this console */
    (void)GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0);
}

bool platform_process_reload(const struct platform_process *process)
{
    (void)process;
    return false;
}

/* Calls NtSuspendProcess or NtResumeProcess, which have no documented counterpart. */
static void call_ntdll(const char *name, HANDLE handle)
{
    typedef LONG(NTAPI * process_call)(HANDLE);
    union {
        FARPROC address;
        process_call call;
    } found = {.address = GetProcAddress(GetModuleHandleW(L"ntdll.dll"), name)};

    if (found.address != NULL) {
        (void)found.call(handle);
    }
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
    (void)TerminateProcess(process->handle, KILLED);
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
    int status;

    if (process != NULL) {
        platform_process_kill(process);
        (void)platform_process_wait(process, 10000, &status);
        (void)CloseHandle(process->handle);
        free(process);
    }
}

/* ---- connections ---- */

void platform_endpoint(const char *folder, char *out, size_t size)
{
    const char *name = strrchr(folder, '/');

    (void)snprintf(out, size, "\\\\.\\pipe\\%s", name != NULL ? name + 1 : folder);
}

intptr_t platform_connect(const char *endpoint)
{
    HANDLE pipe;

    do {
        pipe = CreateFileA(endpoint, GENERIC_READ | GENERIC_WRITE, 0, NULL, OPEN_EXISTING,
                           FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION,
                           NULL);
    } while (pipe == INVALID_HANDLE_VALUE && GetLastError() == ERROR_PIPE_BUSY &&
             WaitNamedPipeA(endpoint, BUSY_WAIT_MS));
    return pipe != INVALID_HANDLE_VALUE ? (intptr_t)pipe : PLATFORM_NO_SOCKET;
}

/* Waits for an operation that was begun, and cancels it when the time is up. */
static long finish(HANDLE pipe, OVERLAPPED *operation, BOOL done, unsigned timeout_ms)
{
    DWORD number = done ? ERROR_SUCCESS : GetLastError();
    DWORD count = 0;
    bool late = false;

    if (number == ERROR_IO_PENDING || number == ERROR_SUCCESS) {
        if (WaitForSingleObject(operation->hEvent, timeout_ms) != WAIT_OBJECT_0) {
            late = true;
            (void)CancelIoEx(pipe, operation);
        }
        number =
            GetOverlappedResult(pipe, operation, &count, TRUE) ? ERROR_SUCCESS : GetLastError();
    }
    (void)CloseHandle(operation->hEvent);
    switch (number) {
    case ERROR_SUCCESS:
        return (long)count;
    case ERROR_BROKEN_PIPE:
    case ERROR_PIPE_NOT_CONNECTED:
        return 0;
    default:
        return late ? PLATFORM_TIMEOUT : PLATFORM_FAILED;
    }
}

long platform_read(intptr_t socket, void *bytes, size_t size, unsigned timeout_ms)
{
    OVERLAPPED operation = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    BOOL done = ReadFile((HANDLE)socket, bytes, (DWORD)size, NULL, &operation);

    return finish((HANDLE)socket, &operation, done, timeout_ms);
}

long platform_write(intptr_t socket, const void *bytes, size_t size, unsigned timeout_ms)
{
    OVERLAPPED operation = {.hEvent = CreateEventW(NULL, TRUE, FALSE, NULL)};
    BOOL done = WriteFile((HANDLE)socket, bytes, (DWORD)size, NULL, &operation);
    long count = finish((HANDLE)socket, &operation, done, timeout_ms);

    return count == 0 ? PLATFORM_FAILED : count;
}

bool platform_close_writing(intptr_t socket)
{
    (void)socket;
    return false;
}

void platform_close(intptr_t socket)
{
    if (socket != PLATFORM_NO_SOCKET) {
        (void)CloseHandle((HANDLE)socket);
    }
}

/* ---- files ---- */

void platform_open_folder_to_all(const char *path)
{
    (void)path;
}

void platform_make_unreadable(const char *path)
{
    (void)path;
}

bool platform_make_folder(const char *path)
{
    return CreateDirectoryA(path, NULL) != 0;
}

bool platform_remove_folder(const char *path)
{
    return RemoveDirectoryA(path) != 0;
}

bool platform_is_administrator(void)
{
    return false; /* not one who may start programs as others */
}

void *platform_rewrite_begin(const char *path)
{
    HANDLE file = CreateFileA(path, GENERIC_WRITE, FILE_SHARE_READ, NULL, CREATE_ALWAYS,
                              FILE_ATTRIBUTE_NORMAL, NULL);

    return file != INVALID_HANDLE_VALUE ? file : NULL;
}

bool platform_rewrite_add(void *file, const void *bytes, size_t size)
{
    DWORD count;

    return WriteFile(file, bytes, (DWORD)size, &count, NULL) && count == size;
}

void platform_rewrite_end(void *file)
{
    (void)CloseHandle(file);
}

size_t platform_raise_descriptor_limit(void)
{
    return 16384; /* handles are not counted */
}
