/* SPDX-License-Identifier: MIT */
#include "daemon/service_notify.h"

void berth_service_notify_ready(const char *status)
{
    (void)status;
}

void berth_service_notify_reloading(void)
{
}

void berth_service_notify_stopping(void)
{
}
