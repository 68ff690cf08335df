/* SPDX-License-Identifier: MIT */
/* IMPLEMENTATION NOTES
 * 1. A process cannot join a pseudo console itself, it can only start others in it. So one is
 *    started, cmd.exe, which waits for input that never comes; its console can be joined.
 * 2. Ctrl-C goes to everybody in the console. Ctrl-Break could go to one group of processes, but
 *    Wine ends those without asking them. */
#include "windows/test_console.h"

#include <stdlib.h>
#include <windows.h>

#define ATTEMPTS 2000
#define ATTEMPT_MS 5
#define WIDTH 80
#define HEIGHT 25
#define PSEUDO_CONSOLE_ATTRIBUTE                                                                   \
    0x20016 /* PROC_THREAD_ATTRIBUTE_PSEUDOCONSOLE, which mingw lacks */

typedef HRESULT(WINAPI *create_console_fn)(COORD size, HANDLE input, HANDLE output, DWORD flags,
                                           void **out);

static PROCESS_INFORMATION anchor;
static HANDLE ends[4]; /* of the console's two pipes; open as long as the process */

/* Takes what the console paints, as it stands still when nobody does. */
static DWORD WINAPI drain(void *unused)
{
    char bytes[4096];
    DWORD moved;

    (void)unused;
    while (ReadFile(ends[2], bytes, sizeof bytes, &moved, NULL)) {
    }
    return 0;
}

static bool create_console(void **out)
{
    create_console_fn create = (create_console_fn)(void (*)(void))GetProcAddress(
        GetModuleHandleW(L"kernel32.dll"), "CreatePseudoConsole");
    const COORD size = {WIDTH, HEIGHT};

    return create != NULL && CreatePipe(&ends[0], &ends[1], NULL, 0) &&
           CreatePipe(&ends[2], &ends[3], NULL, 0) &&
           SUCCEEDED(create(size, ends[0], ends[3], 0, out));
}

static bool start_anchor(void *console)
{
    /* NULL handles: it gets those of its console, and not this process's in Wine either */
    STARTUPINFOEXW start = {.StartupInfo = {.cb = sizeof start, .dwFlags = STARTF_USESTDHANDLES}};
    wchar_t command[] = L"cmd.exe";
    SIZE_T size = 0;
    bool started = false;

    (void)InitializeProcThreadAttributeList(NULL, 1, 0, &size);
    start.lpAttributeList = malloc(size);
    if (start.lpAttributeList != NULL &&
        InitializeProcThreadAttributeList(start.lpAttributeList, 1, 0, &size)) {
        started = UpdateProcThreadAttribute(start.lpAttributeList, 0, PSEUDO_CONSOLE_ATTRIBUTE,
                                            console, sizeof console, NULL, NULL) &&
                  CreateProcessW(NULL, command, NULL, NULL, FALSE, EXTENDED_STARTUPINFO_PRESENT,
                                 NULL, NULL, &start.StartupInfo, &anchor);
        DeleteProcThreadAttributeList(start.lpAttributeList);
    }
    free(start.lpAttributeList);
    return started;
}

static void end_anchor(void)
{
    (void)TerminateProcess(anchor.hProcess, 0);
}

bool test_console_join(void)
{
    static bool joined;
    void *console = NULL;

    if (joined || !create_console(&console) || !start_anchor(console)) {
        return joined;
    }
    (void)atexit(end_anchor);
    (void)CreateThread(NULL, 0, drain, NULL, 0, NULL);
    (void)FreeConsole();
    for (int i = 0; i < ATTEMPTS && !joined; i++) {
        joined = AttachConsole(anchor.dwProcessId);
        if (!joined) {
            Sleep(ATTEMPT_MS); /* its console comes a moment after the process */
        }
    }
    return joined;
}

static BOOL WINAPI ignore(DWORD event)
{
    return event == CTRL_C_EVENT;
}

bool test_console_interrupt(void)
{
    static bool deaf;

    deaf = deaf || SetConsoleCtrlHandler(ignore, TRUE);
    return deaf && GenerateConsoleCtrlEvent(CTRL_C_EVENT, 0);
}
