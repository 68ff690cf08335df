/* SPDX-License-Identifier: MIT */
/* Installing, starting, stopping and removing the service, at the calls' boundary: what Wine
 * accepts or refuses says nothing about Windows. */
#include "daemon/windows/service_setup.h"

#include "cmocka_all.h"
#include "fake_manager.h"

#define PROGRAM L"\"C:\\Program Files\\Berth\\berthd.exe\""
#define LINE_TEXT "\"C:\\Program Files\\Berth\\berthd.exe\" --service"

static struct berth_text notes;
static struct berth_error err;

static int setup(void **state)
{
    (void)state;
    fake_begin();
    berth_text_init(&notes, 10000);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    berth_text_fini(&notes);
    return 0;
}

static enum berth_code install(struct berth_service_before *before)
{
    return berth_service_install(&fake_calls, PROGRAM, NULL, before, &notes, &err);
}

static void expect_closed(void)
{
    assert_int_equal(fake_count("CloseServiceHandle"), 2);
}

static void expect_settings(void)
{
    assert_true(fake_saw("sid type 1\n")); /* unrestricted */
    assert_true(fake_saw("privileges SeChangeNotifyPrivilege SeImpersonatePrivilege\n"));
    assert_true(fake_saw("description Watches IIS's configuration"));
    assert_true(fake_saw("delayed 1\n"));
    assert_true(fake_saw("preshutdown 30000\n"));
    assert_true(fake_saw("recovery reset 86400: 1 in 1000, 1 in 5000, 1 in 60000\n"));
    assert_true(fake_saw("recovery without a crash 1\n"));
    assert_int_equal(fake_count("ChangeServiceConfig2W"), 7);
}

static void install__new__has_every_setting(void **state)
{
    struct berth_service_before before = {true, true};

    (void)state;
    assert_ok(install(&before), &err);
    assert_false(before.installed || before.running);
    /* own process 0x10, automatic 2, errors are logged 1, the virtual account, no dependencies */
    assert_true(fake_saw("CreateServiceW Berth|Berth port broker|16|2|1|" LINE_TEXT
                         "|NT SERVICE\\Berth\n"));
    expect_settings();
    assert_true(fake.installed);
    assert_int_equal(fake_count("StartServiceW"), 0);
    assert_string_equal(berth_text_string(&notes), "");
    expect_closed();
}

static void install__again_while_running__stops_and_brings_it_up(void **state)
{
    struct berth_service_before before;

    (void)state;
    fake.installed = true;
    fake.state = SERVICE_RUNNING;
    assert_ok(install(&before), &err);
    assert_true(before.installed && before.running);
    assert_int_equal(fake_count("CreateServiceW"), 0);
    assert_true(fake_saw("ChangeServiceConfigW Berth port broker|16|2|1|" LINE_TEXT
                         "|NT SERVICE\\Berth|dependencies=\"\"\n"));
    expect_settings();
    assert_int_equal(fake.state, SERVICE_STOPPED);
    expect_closed();
}

static void install__again_while_stopped__was_not_running(void **state)
{
    struct berth_service_before before;

    (void)state;
    fake.installed = true;
    assert_ok(install(&before), &err);
    assert_true(before.installed);
    assert_false(before.running);
    assert_int_equal(fake_count("ControlService"), 0);
}

/* An upgrade knows nothing of the options that the administrator chose at installation. */
static void install__again_without_options__keeps_the_installed_ones(void **state)
{
    static wchar_t line[] = L"\"D:\\old\\berthd.exe\" --service \"--state\" \"E:\\leases\"";
    struct berth_service_before before;

    (void)state;
    fake.installed = true;
    fake.command_line = line;
    assert_ok(install(&before), &err);
    assert_true(fake_saw("|" LINE_TEXT " \"--state\" \"E:\\leases\"|NT SERVICE\\Berth|"));
    fake_begin();
    fake.installed = true;
    fake.command_line = line;
    assert_ok(
        berth_service_install(&fake_calls, PROGRAM, L" --log-level debug", &before, &notes, &err),
        &err);
    assert_true(fake_saw("|" LINE_TEXT " --log-level debug|NT SERVICE\\Berth|"));
    fake_begin();
    fake.installed = true;
    fake.command_line = line;
    fake_refuse("QueryServiceConfigW", 1, ERROR_INSUFFICIENT_BUFFER);
    assert_code(install(&before), BERTH_IO);
    assert_int_equal(fake_count("ChangeServiceConfigW"), 0);
}

static void install__on_a_system_that_lacks_settings__notes_them(void **state)
{
    struct berth_service_before before;

    (void)state;
    fake.forgets_levels = true;
    assert_ok(install(&before), &err);
    assert_non_null(strstr(berth_text_string(&notes), "the required privileges"));
    assert_non_null(strstr(berth_text_string(&notes), "a SID of its own"));
    assert_null(strstr(berth_text_string(&notes), "the recovery actions"));
    assert_true(fake.installed);
}

/* Every call refused in turn: an error that names the step and the number, and no half of a
 * service. */
static void install__any_call_refused__leaves_none_behind(void **state)
{
    static const struct {
        const char *call;
        unsigned count;
        const char *step;
    } calls[] = {{"OpenSCManagerW", 1, "open the service manager"},
                 {"OpenServiceW", 1, "open the service Berth"},
                 {"CreateServiceW", 1, "create the service"},
                 {"ChangeServiceConfig2W", 7, " of the service"}};
    struct berth_service_before before;

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(calls); i++) {
        for (unsigned at = 1; at <= calls[i].count; at++) {
            fake_begin();
            fake_refuse(calls[i].call, at, ERROR_INVALID_PARAMETER);
            assert_code(install(&before), BERTH_IO);
            assert_non_null(strstr(err.detail, calls[i].step));
            assert_non_null(strstr(err.detail, "(error 87)"));
            assert_false(fake.installed);
            assert_false(before.installed);
        }
    }
}

static void install__again_and_refused__leaves_the_old_one(void **state)
{
    struct berth_service_before before;

    (void)state;
    fake.installed = true;
    fake.state = SERVICE_RUNNING;
    fake_refuse("ChangeServiceConfigW", 1, ERROR_INVALID_PARAMETER);
    assert_code(install(&before), BERTH_IO);
    assert_true(before.installed && before.running);
    assert_true(fake.installed);
    assert_int_equal(fake_count("DeleteService"), 0);
}

static void any_command__no_administrator__says_so(void **state)
{
    struct berth_service_before before;

    (void)state;
    fake_refuse("OpenSCManagerW", 1, ERROR_ACCESS_DENIED);
    assert_code(install(&before), BERTH_DENIED);
    assert_non_null(strstr(err.detail, "Run as administrator"));
    assert_non_null(strstr(err.detail, "(error 5)"));
    fake_begin();
    fake.installed = true;
    fake_refuse("OpenServiceW", 1, ERROR_ACCESS_DENIED);
    assert_code(berth_service_start(&fake_calls, &err), BERTH_DENIED);
    assert_non_null(strstr(err.detail, "Run as administrator"));
    fake_begin();
    fake.installed = true;
    fake_refuse("OpenServiceW", 1, ERROR_ACCESS_DENIED);
    assert_code(berth_service_uninstall(&fake_calls, &notes, &err), BERTH_DENIED);
    assert_true(fake.installed);
}

static void start__stopped__waits_until_it_runs(void **state)
{
    (void)state;
    fake.installed = true;
    assert_ok(berth_service_start(&fake_calls, &err), &err);
    assert_int_equal(fake.state, SERVICE_RUNNING);
    assert_ok(berth_service_start(&fake_calls, &err), &err); /* it runs already */
}

static void start__ends_again__says_with_which_status(void **state)
{
    (void)state;
    fake.installed = true;
    fake.exit_code = 1;
    assert_code(berth_service_start(&fake_calls, &err), BERTH_IO);
    assert_non_null(strstr(err.detail, "with status 1;"));
}

static BOOL WINAPI start_and_stay(SC_HANDLE service, DWORD argc, LPCWSTR *argv)
{
    (void)service;
    (void)argc;
    (void)argv;
    fake.state = SERVICE_START_PENDING;
    return TRUE;
}

static void start__never_ready__gives_up(void **state)
{
    struct berth_service_calls calls = fake_calls;

    (void)state;
    fake.installed = true;
    calls.StartServiceW = start_and_stay;
    assert_code(berth_service_start(&calls, &err), BERTH_IO);
    assert_non_null(strstr(err.detail, "still starting after 90 s"));
    assert_true(fake.now_ms >= BERTH_SERVICE_START_MS);
}

static void start__account_may_not_log_on__says_why(void **state)
{
    (void)state;
    fake.installed = true;
    fake_refuse("StartServiceW", 1, ERROR_SERVICE_LOGON_FAILED);
    assert_code(berth_service_start(&fake_calls, &err), BERTH_IO);
    assert_non_null(strstr(err.detail, "log on as a service"));
}

static void stop__running_or_starting__waits_until_it_has_stopped(void **state)
{
    static const DWORD states[] = {SERVICE_RUNNING, SERVICE_STOP_PENDING, SERVICE_START_PENDING,
                                   SERVICE_STOPPED};

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(states); i++) {
        fake_begin();
        fake.installed = true;
        fake.state = states[i];
        fake.next_state = states[i] == SERVICE_START_PENDING  ? SERVICE_RUNNING
                          : states[i] == SERVICE_STOP_PENDING ? SERVICE_STOPPED
                                                              : 0;
        assert_ok(berth_service_stop(&fake_calls, &err), &err);
        assert_int_equal(fake.state, SERVICE_STOPPED);
    }
}

static void stop__never_stops__gives_up(void **state)
{
    (void)state;
    fake.installed = true;
    fake.state = SERVICE_STOP_PENDING;
    fake_refuse("ControlService", 1, ERROR_SERVICE_CANNOT_ACCEPT_CTRL);
    assert_code(berth_service_stop(&fake_calls, &err), BERTH_IO);
    assert_non_null(strstr(err.detail, "has not stopped after 60 s"));
}

static void start_and_stop__not_installed__say_so(void **state)
{
    (void)state;
    assert_code(berth_service_start(&fake_calls, &err), BERTH_NOT_FOUND);
    assert_non_null(strstr(err.detail, "berthd service install"));
    assert_code(berth_service_stop(&fake_calls, &err), BERTH_NOT_FOUND);
}

static void uninstall__running__stops_first(void **state)
{
    (void)state;
    fake.installed = true;
    fake.state = SERVICE_RUNNING;
    assert_ok(berth_service_uninstall(&fake_calls, &notes, &err), &err);
    assert_int_equal(fake.state, SERVICE_STOPPED);
    assert_false(fake.installed);
    const char *stopped = strstr(fake.calls, "ControlService");
    assert_true(stopped != NULL && stopped < strstr(fake.calls, "DeleteService"));
    expect_closed();
}

static void uninstall__not_there__is_noted(void **state)
{
    (void)state;
    assert_ok(berth_service_uninstall(&fake_calls, &notes, &err), &err);
    assert_string_equal(berth_text_string(&notes), "the service Berth was not installed\n");
}

static void uninstall__marked_already__is_done(void **state)
{
    (void)state;
    fake.installed = true;
    fake_refuse("DeleteService", 1, ERROR_SERVICE_MARKED_FOR_DELETE);
    assert_ok(berth_service_uninstall(&fake_calls, &notes, &err), &err);
    fake_begin();
    fake.installed = true;
    fake_refuse("DeleteService", 1, ERROR_ACCESS_DENIED);
    assert_code(berth_service_uninstall(&fake_calls, &notes, &err), BERTH_DENIED);
}

static void query__each_state(void **state)
{
    static const struct {
        DWORD state;
        enum berth_service_state expected;
    } rows[] = {{SERVICE_STOPPED, BERTH_SERVICE_STOPPED},
                {SERVICE_RUNNING, BERTH_SERVICE_RUNNING},
                {SERVICE_START_PENDING, BERTH_SERVICE_CHANGING},
                {SERVICE_STOP_PENDING, BERTH_SERVICE_CHANGING}};
    struct berth_service_report report;

    (void)state;
    assert_ok(berth_service_query(&fake_calls, &report, &err), &err);
    assert_int_equal(report.state, BERTH_SERVICE_MISSING);
    for (size_t i = 0; i < BERTH_COUNT(rows); i++) {
        fake_begin();
        fake.installed = true;
        fake.state = rows[i].state;
        fake.exit_code = 5;
        assert_ok(berth_service_query(&fake_calls, &report, &err), &err);
        assert_int_equal(report.state, rows[i].expected);
        assert_int_equal(report.process_id, rows[i].state == SERVICE_STOPPED ? 0 : 4711);
        assert_int_equal(report.exit_code, rows[i].state == SERVICE_STOPPED ? 5 : 0);
    }
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(install__new__has_every_setting),
        CASE(install__again_while_running__stops_and_brings_it_up),
        CASE(install__again_while_stopped__was_not_running),
        CASE(install__again_without_options__keeps_the_installed_ones),
        CASE(install__on_a_system_that_lacks_settings__notes_them),
        CASE(install__any_call_refused__leaves_none_behind),
        CASE(install__again_and_refused__leaves_the_old_one),
        CASE(any_command__no_administrator__says_so),
        CASE(start__stopped__waits_until_it_runs),
        CASE(start__ends_again__says_with_which_status),
        CASE(start__never_ready__gives_up),
        CASE(start__account_may_not_log_on__says_why),
        CASE(stop__running_or_starting__waits_until_it_has_stopped),
        CASE(stop__never_stops__gives_up),
        CASE(start_and_stop__not_installed__say_so),
        CASE(uninstall__running__stops_first),
        CASE(uninstall__not_there__is_noted),
        CASE(uninstall__marked_already__is_done),
        CASE(query__each_state),
    };
    return cmocka_run_group_tests_name("daemon.service_setup", tests, NULL, NULL);
}
