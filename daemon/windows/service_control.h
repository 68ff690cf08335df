/* SPDX-License-Identifier: MIT */
/* The service in its own process (the contract is daemon/service_control.h): what it calls, so that
 * a test stands in between, and what service_notify.c tells it. */
#ifndef BERTH_DAEMON_WINDOWS_SERVICE_CONTROL_H
#define BERTH_DAEMON_WINDOWS_SERVICE_CONTROL_H

#include "daemon/service_control.h"

#include <windows.h>

#define BERTH_SERVICE_START_HINT_MS 60000 /* reading a large store takes long */
#define BERTH_SERVICE_STOP_HINT_MS 10000
#define BERTH_SERVICE_CHECKPOINT_MS 1000 /* between two signs of life while stopping */

/** Windows's functions, by the names that they have there. */
struct berth_service_control_calls {
    BOOL(WINAPI *StartServiceCtrlDispatcherW)(const SERVICE_TABLE_ENTRYW *table);
    SERVICE_STATUS_HANDLE(WINAPI *RegisterServiceCtrlHandlerExW)
    (LPCWSTR name, LPHANDLER_FUNCTION_EX handler, LPVOID ctx);
    BOOL(WINAPI *SetServiceStatus)(SERVICE_STATUS_HANDLE service, LPSERVICE_STATUS status);
};

/** Makes berth_service_control_run() call other functions than Windows's; NULL: those again.
 *  @thread main, while it is not running */
void berth_service_control_use(const struct berth_service_control_calls *others);

/** Tells the manager that requests are answered, unless it has asked to stop meanwhile.
 *  Does nothing outside berth_service_control_run(), as the next.  @thread any */
void berth__service_control_ready(void);

/** Tells the manager that the daemon ends.  @thread the loop's */
void berth__service_control_stopping(void);

#endif
