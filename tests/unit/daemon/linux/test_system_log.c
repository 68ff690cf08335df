/* SPDX-License-Identifier: MIT */
/* What reaches syslog(3), which this program has in the C library's place. */
#define _GNU_SOURCE
#include "daemon/linux/system_log.h"

#include "cmocka_all.h"

#include "temp_dir.h"

#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

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

static struct sockaddr_un service = {.sun_family = AF_UNIX};

static int be_the_service(int type)
{
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);

    (void)unlink(service.sun_path);
    assert_int_equal(bind(fd, (const struct sockaddr *)&service, sizeof service), 0);
    if (type == SOCK_STREAM) {
        assert_int_equal(listen(fd, 1), 0);
    }
    return fd;
}

static int use_a_folder(void **state)
{
    char *folder = temp_dir_make();

    *state = folder;
    (void)snprintf(service.sun_path, sizeof service.sun_path, "%s/log", folder);
    berth_linux_log_use(service.sun_path);
    calls = 0;
    opened = 0;
    closed = 0;
    return 0;
}

static int remove_the_folder(void **state)
{
    berth_linux_log_use(NULL);
    temp_dir_remove(*state);
    return 0;
}

static void report__each_event__has_its_priority_and_number(void **state)
{
    static const int priorities[] = {LOG_INFO, LOG_WARNING, LOG_ERR};
    struct berth_error err;
    const char *strings[] = {"a", "b\nc", "%s"};

    (void)state;
    int fd = be_the_service(SOCK_DGRAM);
    assert_ok(berth_system_log_open(&err), &err);
    for (int event = 0; event < BERTH_NOTICE_COUNT; event++) {
        const struct berth_notice_info *info = berth_notice_info((enum berth_notice)event);
        char number[16];
        calls = 0;
        assert_ok(berth_system_log_report((enum berth_notice)event, strings, &err), &err);
        assert_int_equal(calls, 1);
        assert_int_equal(priority, priorities[info->severity]);
        (void)snprintf(number, sizeof number, "[%u] ", info->id);
        assert_memory_equal(text, number, strlen(number));
        assert_null(strchr(text, '\n'));
    }
    berth_system_log_close();
    assert_int_equal(opened, 1);
    assert_int_equal(closed, 1);
    (void)close(fd);
}

/* The C library's function has no way to say so. */
static void report__nobody_is_there__says_so(void **state)
{
    const char *strings[] = {"a", "b", "c"};
    struct berth_error err;
    char expected[200];

    (void)state;
    assert_ok(berth_system_log_open(&err), &err);
    assert_code(berth_system_log_report(BERTH_NOTICE_STARTED, strings, &err), BERTH_IO);
    (void)snprintf(expected, sizeof expected, "no log service at %s: No such file or directory",
                   service.sun_path);
    assert_string_equal(err.detail, expected);
    int fd = be_the_service(SOCK_DGRAM);
    assert_ok(berth_system_log_report(BERTH_NOTICE_STARTED, strings, &err), &err);
    (void)close(fd); /* the file stays, as after the service's end */
    assert_code(berth_system_log_report(BERTH_NOTICE_STARTED, strings, &err), BERTH_IO);
    assert_non_null(strstr(err.detail, "Connection refused"));
    assert_int_equal(calls, 1);
    berth_system_log_close();
}

static void report__service_listens_for_streams__is_left_to_syslog(void **state)
{
    const char *strings[] = {"a", "b", "c"};
    struct berth_error err;

    (void)state;
    int fd = be_the_service(SOCK_STREAM);
    assert_ok(berth_system_log_open(&err), &err);
    assert_ok(berth_system_log_report(BERTH_NOTICE_STARTED, strings, &err), &err);
    assert_int_equal(calls, 1);
    berth_system_log_close();
    (void)close(fd);
}

static void report__not_open__is_an_error(void **state)
{
    const char *strings[] = {"a", "b", "c"};
    struct berth_error err;

    (void)state;
    assert_code(berth_system_log_report(BERTH_NOTICE_STARTED, strings, &err), BERTH_IO);
    assert_int_equal(calls, 0);
}

/* Whoever called it on the loop's thread would wait for the report that hangs. */
static void open__a_report_was_left_behind__leaves_syslog_to_who_reports(void **state)
{
    const char *strings[] = {"a", "b", "c"};
    struct berth_error err;

    (void)state;
    int fd = be_the_service(SOCK_DGRAM);
    assert_ok(berth_system_log_open(&err), &err);
    assert_int_equal(opened, 0);
    assert_ok(berth_system_log_report(BERTH_NOTICE_STARTED, strings, &err), &err);
    assert_int_equal(opened, 1);
    berth_system_log_abandon();
    assert_code(berth_system_log_report(BERTH_NOTICE_STARTED, strings, &err), BERTH_IO);
    assert_ok(berth_system_log_open(&err), &err);
    berth_system_log_close();
    assert_int_equal(opened, 1);
    assert_int_equal(closed, 0);
    assert_ok(berth_system_log_open(&err), &err);
    assert_ok(berth_system_log_report(BERTH_NOTICE_STARTED, strings, &err), &err);
    assert_int_equal(calls, 2);
    berth_system_log_close();
    assert_int_equal(closed, 0);
    (void)close(fd);
}

#define ROW(test) cmocka_unit_test_setup_teardown(test, use_a_folder, remove_the_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        ROW(report__not_open__is_an_error),
        ROW(report__each_event__has_its_priority_and_number),
        ROW(report__nobody_is_there__says_so),
        ROW(report__service_listens_for_streams__is_left_to_syslog),
        ROW(report__not_open__is_an_error),
        /* for good: the last one */
        ROW(open__a_report_was_left_behind__leaves_syslog_to_who_reports),
    };
    return cmocka_run_group_tests_name("daemon.linux_system_log", tests, NULL, NULL);
}
