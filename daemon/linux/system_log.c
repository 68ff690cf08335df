/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "daemon/system_log.h"

#include <stdatomic.h>
#include <syslog.h>

static atomic_uint opens; /* reports come from a thread that may be left behind */

enum berth_code berth_system_log_open(struct berth_error *err)
{
    (void)err;
    if (opens++ == 0) {
        openlog("berthd", LOG_PID | LOG_NDELAY, LOG_DAEMON);
    }
    return BERTH_OK;
}

void berth_system_log_report(enum berth_notice event, const char *const *strings)
{
    static const int priorities[] = {[BERTH_NOTICE_SEVERITY_INFO] = LOG_INFO,
                                     [BERTH_NOTICE_SEVERITY_WARNING] = LOG_WARNING,
                                     [BERTH_NOTICE_SEVERITY_ERROR] = LOG_ERR};
    const struct berth_notice_info *info = berth_notice_info(event);
    char text[BERTH_NOTICE_TEXT_SIZE];

    if (opens > 0) {
        syslog(priorities[info->severity], "[%u] %s", info->id,
               berth_notice_text(text, event, strings));
    }
}

void berth_system_log_close(void)
{
    if (opens > 0 && --opens == 0) {
        closelog();
    }
}

void berth_system_log_abandon(void)
{
    opens = 0; /* the C library's lock is held as long as the report hangs */
}
