/* SPDX-License-Identifier: MIT */
#include "daemon/service_notify.h"

#include "daemon/windows/service_control.h"

void berth_service_notify_ready(const char *status)
{
    (void)status; /* the manager of Windows has no place for it */
    berth__service_control_ready();
}

void berth_service_notify_reloading(void)
{
    /* a running service that reads its configuration is running */
}

void berth_service_notify_stopping(void)
{
    berth__service_control_stopping();
}
