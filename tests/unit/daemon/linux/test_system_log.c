/* SPDX-License-Identifier: MIT */
/* What reaches syslog(3), which this program has in the C library's place. */
#define _GNU_SOURCE
#include "daemon/system_log.h"

#include "cmocka_all.h"

#include <stdio.h>
#include <syslog.h>

static int opened;
static int closed;
static int calls;
static int priority;
static char text[BERTH_NOTICE_TEXT_SIZE + 32];

void openlog(const char *ident, int option, int facility)
{
    assert_string_equal(ident, "berthd");
    assert_int_equal(option & LOG_PID, LOG_PID);
    assert_int_equal(facility, LOG_DAEMON);
    opened++;
}

void syslog(int pri, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    priority = pri;
    calls++;
}

void closelog(void)
{
    closed++;
}

static void report__each_event__has_its_priority_and_number(void **state)
{
    static const int priorities[] = {LOG_INFO, LOG_WARNING, LOG_ERR};
    struct berth_error err;
    const char *strings[] = {"a", "b\nc", "%s"};

    (void)state;
    assert_ok(berth_system_log_open(&err), &err);
    for (int event = 0; event < BERTH_NOTICE_COUNT; event++) {
        const struct berth_notice_info *info = berth_notice_info((enum berth_notice)event);
        char number[16];
        calls = 0;
        berth_system_log_report((enum berth_notice)event, strings);
        assert_int_equal(calls, 1);
        assert_int_equal(priority, priorities[info->severity]);
        (void)snprintf(number, sizeof number, "[%u] ", info->id);
        assert_memory_equal(text, number, strlen(number));
        assert_null(strchr(text, '\n'));
    }
    berth_system_log_close();
    assert_int_equal(opened, 1);
    assert_int_equal(closed, 1);
}

static void report__not_open__does_nothing(void **state)
{
    const char *strings[] = {"a", "b", "c"};

    (void)state;
    calls = 0;
    berth_system_log_report(BERTH_NOTICE_STARTED, strings);
    assert_int_equal(calls, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(report__not_open__does_nothing),
        cmocka_unit_test(report__each_event__has_its_priority_and_number),
        cmocka_unit_test(report__not_open__does_nothing),
    };
    return cmocka_run_group_tests_name("daemon.linux_system_log", tests, NULL, NULL);
}
