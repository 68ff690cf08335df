/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "daemon/system_log.h"

#include <syslog.h>

static bool is_open;

enum berth_code berth_system_log_open(struct berth_error *err)
{
    (void)err;
    openlog("berthd", LOG_PID | LOG_NDELAY, LOG_DAEMON);
    is_open = true;
    return BERTH_OK;
}

void berth_system_log_report(enum berth_notice event, const char *const *strings)
{
    static const int priorities[] = {[BERTH_NOTICE_SEVERITY_INFO] = LOG_INFO,
                                     [BERTH_NOTICE_SEVERITY_WARNING] = LOG_WARNING,
                                     [BERTH_NOTICE_SEVERITY_ERROR] = LOG_ERR};
    const struct berth_notice_info *info = berth_notice_info(event);
    char text[BERTH_NOTICE_TEXT_SIZE];

    if (is_open) {
        syslog(priorities[info->severity], "[%u] %s", info->id,
               berth_notice_text(text, event, strings));
    }
}

void berth_system_log_close(void)
{
    if (is_open) {
        closelog();
        is_open = false;
    }
}
