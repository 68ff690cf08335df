/* SPDX-License-Identifier: MIT */
/* The Event Log as berth_system_log_*() uses it: what it calls, so that a test stands in between.
 * (Wine's Event Log says success and keeps nothing.) */
#ifndef BERTH_DAEMON_WINDOWS_SYSTEM_LOG_H
#define BERTH_DAEMON_WINDOWS_SYSTEM_LOG_H

#include "daemon/system_log.h"

#include <windows.h>

#define BERTH_LOG_SOURCE L"Berth"

/** Windows's functions, by the names that they have there. */
struct berth_windows_log_calls {
    HANDLE(WINAPI *RegisterEventSourceW)(LPCWSTR server, LPCWSTR source);
    BOOL(WINAPI *ReportEventW)
    (HANDLE log, WORD type, WORD category, DWORD id, PSID user, WORD string_count, DWORD data_size,
     LPCWSTR *strings, LPVOID data);
    BOOL(WINAPI *DeregisterEventSource)(HANDLE log);
};

/** Makes the system log call other functions than Windows's; NULL: those again.
 *  @thread main, while the log is not open */
void berth_windows_log_use(const struct berth_windows_log_calls *others);

/** Gives the number that an event has in the message file and for ReportEventW: its id below the
 *  severity.  @thread any  @source the layout of message ids in winerror.h */
DWORD berth_windows_log_id(const struct berth_notice_info *info);

#endif
