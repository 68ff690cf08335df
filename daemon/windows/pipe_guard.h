/* SPDX-License-Identifier: MIT */
/* One daemon a pipe: who holds the name, and who else does. */
#ifndef BERTH_DAEMON_WINDOWS_PIPE_GUARD_H
#define BERTH_DAEMON_WINDOWS_PIPE_GUARD_H

#include "base/error.h"

#include <wchar.h>
#include <windows.h>

/** Takes a machine-wide mutex that stands for a pipe's name, so that of two daemons only one goes
 *  on to make the pipe, whatever the session or account they run in.
 *  @param[in]  pipe   the pipe's whole name
 *  @param[in]  shown  the same in UTF-8, for the error
 *  @param[out] out    for CloseHandle(); it goes with the process too
 *  @return BERTH_OK; BERTH_BUSY: another process has it, which the text names where it can be
 *          found out; BERTH_IO; BERTH_NO_MEMORY
 *  @thread any  @blocks for system calls  @source CreateMutexW, the Global\ namespace */
enum berth_code berth_pipe_guard(const wchar_t *pipe, const char *shown, HANDLE *out,
                                 struct berth_error *err);

/** Fills an error about a pipe whose name another process has: its process id, image and account,
 *  as far as the system tells. Connects to that process anonymously, so that it learns nothing of
 *  us.  @return BERTH_BUSY
 *  @source GetNamedPipeServerProcessId, SECURITY_ANONYMOUS */
enum berth_code berth_pipe_fail_taken(const wchar_t *pipe, const char *shown,
                                      struct berth_error *err);

#endif
