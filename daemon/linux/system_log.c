/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "daemon/linux/system_log.h"

#include <errno.h>
#include <paths.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

/* The C library has one lock for all of syslog(3), and a report that hangs holds it. So its
 * functions are called by who reports, who may wait; the main thread calls none of them once a
 * report was left behind. */
static atomic_uint opens;
static atomic_bool ready;     /* openlog() was called */
static atomic_bool abandoned; /* a report may hang, from now on */
static const char *service_path = _PATH_LOG;

void berth_linux_log_use(const char *path)
{
    service_path = path != NULL ? path : _PATH_LOG;
}

enum berth_code berth_system_log_open(struct berth_error *err)
{
    (void)err;
    opens++;
    return BERTH_OK;
}

/* syslog(3) says of no failure: so it is asked before whether anybody is there. */
static enum berth_code check_service(struct berth_error *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    int failure = 0;

    (void)snprintf(address.sun_path, sizeof address.sun_path, "%s", service_path);
    if (fd < 0 || connect(fd, (const struct sockaddr *)&address, sizeof address) != 0) {
        failure = errno;
    }
    if (fd >= 0) {
        (void)close(fd);
    }
    if (failure == 0 || failure == EPROTOTYPE) { /* a stream: syslog(3) knows these too */
        return BERTH_OK;
    }
    return berth_fail(err, BERTH_IO, failure, "no log service at %s: %s", service_path,
                      strerror(failure));
}

enum berth_code berth_system_log_report(enum berth_notice event, const char *const *strings,
                                        struct berth_error *err)
{
    static const int priorities[] = {[BERTH_NOTICE_SEVERITY_INFO] = LOG_INFO,
                                     [BERTH_NOTICE_SEVERITY_WARNING] = LOG_WARNING,
                                     [BERTH_NOTICE_SEVERITY_ERROR] = LOG_ERR};
    const struct berth_notice_info *info = berth_notice_info(event);
    char text[BERTH_NOTICE_TEXT_SIZE];

    if (opens == 0) {
        return berth_fail(err, BERTH_IO, 0, "the system's log is not open");
    }
    enum berth_code code = check_service(err);
    if (code == BERTH_OK) {
        if (!ready) {
            openlog("berthd", LOG_PID | LOG_NDELAY, LOG_DAEMON);
            ready = true;
        }
        syslog(priorities[info->severity], "[%u] %s", info->id,
               berth_notice_text(text, event, strings));
    }
    return code;
}

void berth_system_log_close(void)
{
    if (opens > 0 && --opens == 0 && ready && !abandoned) {
        closelog();
        ready = false;
    }
}

void berth_system_log_abandon(void)
{
    opens = 0;
    abandoned = true;
}
