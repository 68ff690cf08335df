/* SPDX-License-Identifier: MIT */
/* What reaches ReportEventW, which keeps nothing in Wine. */
#include "daemon/windows/system_log.h"

#include "base/windows/wide.h"
#include "cmocka_all.h"
#include "daemon/alert_channel.h"

#include <stdio.h>
#include <stdlib.h>

static struct {
    DWORD open_error;
    DWORD report_error;
    int opened;
    int closed;
    int reports;
    WORD type;
    DWORD id;
    WORD count;
    char strings[BERTH_NOTICE_STRINGS_MAX][BERTH_NOTICE_STRING_SIZE + 16];
} log_calls;

static HANDLE WINAPI fake_register(LPCWSTR server, LPCWSTR source)
{
    assert_null(server);
    assert_int_equal(wcscmp(source, L"Berth"), 0);
    SetLastError(log_calls.open_error);
    log_calls.opened++;
    return log_calls.open_error == 0 ? (HANDLE)&log_calls : NULL;
}

static BOOL WINAPI fake_report(HANDLE log, WORD type, WORD category, DWORD id, PSID user,
                               WORD count, DWORD data_size, LPCWSTR *strings, LPVOID data)
{
    assert_ptr_equal(log, &log_calls);
    assert_true(category == 0 && user == NULL && data_size == 0 && data == NULL);
    log_calls.type = type;
    log_calls.id = id;
    log_calls.count = count;
    for (WORD i = 0; i < count; i++) {
        (void)berth_narrow_into(log_calls.strings[i], sizeof log_calls.strings[i], strings[i]);
    }
    SetLastError(log_calls.report_error);
    log_calls.reports++;
    return log_calls.report_error == 0;
}

static BOOL WINAPI fake_close(HANDLE log)
{
    assert_ptr_equal(log, &log_calls);
    log_calls.closed++;
    return TRUE;
}

/* Reports; gives what came of it. */
static enum berth_code report(enum berth_notice event, const char *const *strings)
{
    static struct berth_error err;

    return berth_system_log_report(event, strings, &err);
}

static const struct berth_windows_log_calls fakes = {fake_register, fake_report, fake_close};

static int setup(void **state)
{
    struct berth_error err;

    (void)state;
    memset(&log_calls, 0, sizeof log_calls);
    berth_windows_log_use(&fakes);
    assert_ok(berth_system_log_open(&err), &err);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    berth_system_log_close();
    berth_windows_log_use(NULL);
    return 0;
}

static void report__each_event__has_its_number_type_and_strings(void **state)
{
    static const WORD types[] = {EVENTLOG_INFORMATION_TYPE, EVENTLOG_WARNING_TYPE,
                                 EVENTLOG_ERROR_TYPE};
    static const DWORD bits[] = {0x40000000, 0x80000000, 0xC0000000};
    const char *strings[] = {"a", "b", "c"};

    (void)state;
    for (int event = 0; event < BERTH_NOTICE_COUNT; event++) {
        const struct berth_notice_info *info = berth_notice_info((enum berth_notice)event);
        assert_int_equal(report((enum berth_notice)event, strings), BERTH_OK);
        assert_int_equal(log_calls.reports, event + 1);
        assert_int_equal(log_calls.type, types[info->severity]);
        assert_int_equal(log_calls.id, bits[info->severity] | info->id);
        assert_int_equal(log_calls.count, info->strings);
        for (unsigned i = 0; i < info->strings; i++) {
            assert_string_equal(log_calls.strings[i], strings[i]);
        }
    }
}

static void report__strings__cannot_forge_lines_or_insertions(void **state)
{
    const char *strings[] = {"D\xC3\xA9ploy\n%1 100% %%2 \xFF"};

    (void)state;
    assert_int_equal(report(BERTH_NOTICE_START_FAILED, strings), BERTH_OK);
    assert_string_equal(log_calls.strings[0], "D\xC3\xA9ploy?% 1 100% %% 2 ?");
}

static void report__longest_strings__are_whole(void **state)
{
    static char longest[BERTH_NOTICE_STRING_SIZE];
    const char *strings[] = {longest, longest, longest};

    (void)state;
    memset(longest, 'x', sizeof longest - 1);
    assert_int_equal(report(BERTH_NOTICE_CONFLICT_ERROR, strings), BERTH_OK);
    assert_true(strlen(log_calls.strings[2]) >= sizeof longest - 3);
}

static void report__not_open__is_an_error(void **state)
{
    const char *strings[] = {"a", "b", "c"};

    (void)state;
    berth_system_log_close();
    assert_int_equal(log_calls.closed, 1);
    assert_int_equal(report(BERTH_NOTICE_STARTED, strings), BERTH_IO);
    assert_int_equal(log_calls.reports, 0);
}

static void open__refused__is_an_error_and_reports_nothing(void **state)
{
    const char *strings[] = {"a", "b", "c"};
    struct berth_error err;

    (void)state;
    berth_system_log_close();
    log_calls.open_error = RPC_S_SERVER_UNAVAILABLE;
    assert_code(berth_system_log_open(&err), BERTH_IO);
    assert_non_null(strstr(err.detail, "(error 1722)"));
    assert_int_equal(report(BERTH_NOTICE_STARTED, strings), BERTH_IO);
    assert_int_equal(log_calls.reports, 0);
}

static void report__refused__says_so_in_windows_words(void **state)
{
    const char *strings[] = {"a", "b", "c"};
    struct berth_error err;

    (void)state;
    log_calls.report_error = ERROR_LOG_FILE_FULL;
    assert_code(berth_system_log_report(BERTH_NOTICE_STARTED, strings, &err), BERTH_IO);
    assert_non_null(strstr(err.detail, "the Event Log refused an event: "));
    assert_non_null(strstr(err.detail, "(error 1502)"));
    log_calls.report_error = 0;
    assert_ok(berth_system_log_report(BERTH_NOTICE_STARTED, strings, &err), &err);
}

/* The channel of the alerts over it: what of it shows in `status` and in the metrics. */
static void await(struct berth_channel *channel, struct berth_now *now, uint64_t attempts)
{
    for (int tries = 0; channel->state.told + channel->state.failed < attempts; tries++) {
        assert_true(tries < 2000);
        now->ms += 500;
        channel->ops->look(channel, *now);
        uv_sleep(5);
    }
}

static void channel__log_refuses__fails_until_it_takes(void **state)
{
    struct berth_settings settings = {.alerts.system_log = true};
    struct berth_channel_world world = {.loop = NULL};
    struct berth_alert alert = {.notice = BERTH_NOTICE_STARTED, .strings = {"1", "x"}};
    struct berth_now now = {.ms = 100000};
    struct berth_channel *channel;
    struct berth_error err;

    (void)state;
    berth_system_log_close();
    log_calls.open_error = RPC_S_SERVER_UNAVAILABLE;
    assert_ok(berth_channel_system_log.start(&channel, &world, &settings, 0, &err), &err);
    channel->ops = &berth_channel_system_log;
    assert_true(channel->state.failing);
    assert_non_null(strstr(channel->state.reason, "(error 1722)"));
    channel->ops->tell(channel, &alert);
    await(channel, &now, 1);
    assert_true(channel->state.failing);
    assert_non_null(strstr(channel->state.reason, "(error 1722)"));
    assert_int_equal(log_calls.reports, 0);

    log_calls.open_error = 0;
    now.ms += 10000;
    channel->ops->look(channel, now);
    assert_false(channel->state.failing); /* it is open */
    log_calls.report_error = ERROR_LOG_FILE_FULL;
    channel->ops->tell(channel, &alert);
    await(channel, &now, 2);
    assert_true(channel->state.failing);
    assert_non_null(strstr(channel->state.reason, "(error 1502)"));
    assert_int_equal(channel->state.failed, 2);

    log_calls.report_error = 0;
    channel->ops->tell(channel, &alert);
    await(channel, &now, 3);
    assert_false(channel->state.failing);
    assert_int_equal(channel->state.told, 1);
    channel->ops->end(channel);
    channel->ops->stop(channel, BERTH_CHANNEL_STOP_MS);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(report__each_event__has_its_number_type_and_strings),
        CASE(report__strings__cannot_forge_lines_or_insertions),
        CASE(report__longest_strings__are_whole),
        CASE(report__not_open__is_an_error),
        CASE(open__refused__is_an_error_and_reports_nothing),
        CASE(report__refused__says_so_in_windows_words),
        CASE(channel__log_refuses__fails_until_it_takes),
    };
    return cmocka_run_group_tests_name("daemon.windows_system_log", tests, NULL, NULL);
}
