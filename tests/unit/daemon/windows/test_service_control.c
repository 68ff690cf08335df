/* SPDX-License-Identifier: MIT */
/* The service's own side against a service manager of the test's: what it is told, in which order,
 * and how its controls reach the loop. */
#include "daemon/windows/service_control.h"

#include "cmocka_all.h"
#include "daemon/service_notify.h"

#include <stdbool.h>
#include <stdio.h>

#define STATUSES_MAX 64

static struct {
    SERVICE_STATUS statuses[STATUSES_MAX];
    size_t count;
    LPHANDLER_FUNCTION_EX handler;
    DWORD dispatcher_error; /* 0: it works */
    DWORD register_error;
} manager;

static SERVICE_STATUS_HANDLE WINAPI fake_register(LPCWSTR name, LPHANDLER_FUNCTION_EX handler,
                                                  LPVOID ctx)
{
    (void)ctx;
    assert_int_equal(wcscmp(name, L"Berth"), 0);
    manager.handler = handler;
    SetLastError(manager.register_error);
    return manager.register_error == 0 ? (SERVICE_STATUS_HANDLE)&manager : NULL;
}

static BOOL WINAPI fake_set_status(SERVICE_STATUS_HANDLE service, LPSERVICE_STATUS status)
{
    assert_ptr_equal(service, &manager);
    assert_true(manager.count < STATUSES_MAX);
    manager.statuses[manager.count++] = *status;
    return TRUE;
}

struct main_call {
    LPSERVICE_MAIN_FUNCTIONW function;
};

static DWORD WINAPI main_thread(LPVOID arg)
{
    struct main_call *call = arg;

    call->function(0, NULL);
    return 0;
}

/* As the real one: ServiceMain on a thread of its own, back when the service has stopped. */
static BOOL WINAPI fake_dispatcher(const SERVICE_TABLE_ENTRYW *table)
{
    struct main_call call = {table[0].lpServiceProc};

    if (manager.dispatcher_error != 0) {
        SetLastError(manager.dispatcher_error);
        return FALSE;
    }
    assert_null(table[1].lpServiceName);
    HANDLE thread = CreateThread(NULL, 0, main_thread, &call, 0, NULL);
    assert_non_null(thread);
    assert_int_equal(WaitForSingleObject(thread, INFINITE), WAIT_OBJECT_0);
    (void)CloseHandle(thread);
    return TRUE;
}

static const struct berth_service_control_calls fakes = {fake_dispatcher, fake_register,
                                                         fake_set_status};

static int setup(void **state)
{
    (void)state;
    memset(&manager, 0, sizeof manager);
    berth_service_control_use(&fakes);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    berth_service_control_use(NULL);
    return 0;
}

static DWORD control(DWORD code)
{
    return manager.handler(code, 0, NULL, NULL);
}

/* ---- a daemon of the test's ---- */

struct daemon {
    uv_loop_t loop;
    uv_timer_t alive; /* what a daemon has open */
    bool notify;
    DWORD first_control;  /* sent before it listens; 0: none */
    DWORD second_control; /* sent by another thread once it runs */
    unsigned stops;
    unsigned reloads;
    int result;
};

static void on_stop(void *ctx)
{
    struct daemon *daemon = ctx;

    daemon->stops++;
    berth_service_notify_stopping();
    uv_close((uv_handle_t *)&daemon->alive, NULL);
}

static void on_reload(void *ctx)
{
    struct daemon *daemon = ctx;

    daemon->reloads++;
    assert_int_equal(control(SERVICE_CONTROL_STOP), NO_ERROR);
}

static void on_alive(uv_timer_t *timer)
{
    (void)timer;
    fail_msg("the control did not reach the loop");
}

static void send_control(void *arg)
{
    const struct daemon *daemon = arg;

    assert_int_equal(control(daemon->second_control), NO_ERROR);
}

static int run_daemon(void *ctx)
{
    struct daemon *daemon = ctx;
    const struct berth_service_controls controls = {on_stop, on_reload, daemon};
    struct berth_error err;
    uv_thread_t other;

    assert_int_equal(uv_loop_init(&daemon->loop), 0);
    if (daemon->first_control != 0) {
        assert_int_equal(control(daemon->first_control), NO_ERROR);
    }
    assert_ok(berth_service_control_attach(&daemon->loop, &controls, &err), &err);
    assert_int_equal(uv_timer_init(&daemon->loop, &daemon->alive), 0);
    if (daemon->notify) {
        assert_int_equal(uv_timer_start(&daemon->alive, on_alive, 20000, 0), 0);
        berth_service_notify_ready("serving");
    }
    if (daemon->second_control != 0) {
        assert_int_equal(uv_thread_create(&other, send_control, daemon), 0);
    }
    (void)uv_run(&daemon->loop, UV_RUN_DEFAULT);
    if (daemon->second_control != 0) {
        assert_int_equal(uv_thread_join(&other), 0);
    }
    berth_service_control_detach();
    if (!uv_is_closing((uv_handle_t *)&daemon->alive)) {
        uv_close((uv_handle_t *)&daemon->alive, NULL);
    }
    (void)uv_run(&daemon->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&daemon->loop), 0);
    return daemon->result;
}

static void expect_states(const DWORD *expected, size_t count)
{
    size_t at = 0;

    for (size_t i = 0; i < manager.count; i++) {
        const SERVICE_STATUS *status = &manager.statuses[i];
        if (i > 0 && manager.statuses[i - 1].dwCurrentState == status->dwCurrentState) {
            assert_int_equal(status->dwCheckPoint, manager.statuses[i - 1].dwCheckPoint + 1);
            continue;
        }
        assert_true(at < count);
        assert_int_equal(status->dwCurrentState, expected[at++]);
        bool pending = status->dwCurrentState == SERVICE_START_PENDING ||
                       status->dwCurrentState == SERVICE_STOP_PENDING;
        assert_int_equal(status->dwCheckPoint, pending ? 1 : 0);
        assert_int_equal(status->dwWaitHint != 0, pending);
    }
    assert_int_equal(at, count);
    for (size_t i = 0; i < manager.count; i++) {
        const SERVICE_STATUS *status = &manager.statuses[i];
        DWORD accepted =
            SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_PRESHUTDOWN | SERVICE_ACCEPT_PARAMCHANGE;
        assert_int_equal(status->dwServiceType, SERVICE_WIN32_OWN_PROCESS);
        assert_int_equal(status->dwControlsAccepted,
                         status->dwCurrentState == SERVICE_RUNNING ? accepted : 0);
    }
}

static void run_and_stop(DWORD control_code)
{
    static const DWORD expected[] = {SERVICE_START_PENDING, SERVICE_RUNNING, SERVICE_STOP_PENDING,
                                     SERVICE_STOPPED};
    struct daemon daemon = {.notify = true, .second_control = control_code};
    struct berth_error err;
    int status = 7;

    assert_ok(berth_service_control_run(run_daemon, &daemon, &status, &err), &err);
    assert_int_equal(status, 0);
    assert_int_equal(daemon.stops, 1);
    expect_states(expected, BERTH_COUNT(expected));
    assert_int_equal(manager.statuses[manager.count - 1].dwWin32ExitCode, NO_ERROR);
}

static void run__stopped_by_another_thread__tells_each_state(void **state)
{
    (void)state;
    run_and_stop(SERVICE_CONTROL_STOP);
}

static void run__preshutdown__stops(void **state)
{
    (void)state;
    run_and_stop(SERVICE_CONTROL_PRESHUTDOWN);
}

/* The stop comes while the daemon reads its configuration: never RUNNING, and stopped all the same.
 */
static void run__stopped_while_starting__never_says_running(void **state)
{
    static const DWORD expected[] = {SERVICE_START_PENDING, SERVICE_STOP_PENDING, SERVICE_STOPPED};
    struct daemon daemon = {.notify = true, .first_control = SERVICE_CONTROL_STOP};
    struct berth_error err;
    int status = 7;

    (void)state;
    assert_ok(berth_service_control_run(run_daemon, &daemon, &status, &err), &err);
    assert_int_equal(daemon.stops, 1);
    expect_states(expected, BERTH_COUNT(expected));
}

static void run__paramchange__reloads_and_goes_on(void **state)
{
    struct daemon daemon = {.notify = true, .second_control = SERVICE_CONTROL_PARAMCHANGE};
    struct berth_error err;
    int status = 7;

    (void)state;
    assert_ok(berth_service_control_run(run_daemon, &daemon, &status, &err), &err);
    assert_int_equal(daemon.reloads, 1);
    assert_int_equal(daemon.stops, 1); /* by the reload's own control */
}

/* A daemon that does not start: the manager gets its status, which makes recovery take place. */
static void run__failed__stops_with_its_status(void **state)
{
    static const DWORD expected[] = {SERVICE_START_PENDING, SERVICE_STOPPED};
    struct daemon daemon = {.notify = false, .result = 3};
    struct berth_error err;
    int status = 7;

    (void)state;
    assert_ok(berth_service_control_run(run_daemon, &daemon, &status, &err), &err);
    assert_int_equal(status, 3);
    expect_states(expected, BERTH_COUNT(expected));
    const SERVICE_STATUS *last = &manager.statuses[manager.count - 1];
    assert_int_equal(last->dwWin32ExitCode, ERROR_SERVICE_SPECIFIC_ERROR);
    assert_int_equal(last->dwServiceSpecificExitCode, 3);
}

static int ask_controls(void *ctx)
{
    (void)ctx;
    assert_int_equal(control(SERVICE_CONTROL_INTERROGATE), NO_ERROR);
    assert_int_equal(control(SERVICE_CONTROL_PAUSE), ERROR_CALL_NOT_IMPLEMENTED);
    assert_int_equal(control(200), ERROR_CALL_NOT_IMPLEMENTED);
    return 0;
}

static void control__others__are_answered_and_change_nothing(void **state)
{
    static const DWORD expected[] = {SERVICE_START_PENDING, SERVICE_STOPPED};
    struct berth_error err;
    int status = 7;

    (void)state;
    assert_ok(berth_service_control_run(ask_controls, NULL, &status, &err), &err);
    expect_states(expected, BERTH_COUNT(expected));
}

static int never(void *ctx)
{
    (void)ctx;
    fail_msg("the daemon was run");
    return 0;
}

static void run__not_started_by_the_manager__says_what_to_do(void **state)
{
    struct berth_error err;
    int status = 7;

    (void)state;
    manager.dispatcher_error = ERROR_FAILED_SERVICE_CONTROLLER_CONNECT;
    assert_code(berth_service_control_run(never, NULL, &status, &err), BERTH_NOT_SUPPORTED);
    assert_non_null(strstr(err.detail, "berthd service install"));
    assert_int_equal(status, 7);
    manager.dispatcher_error = ERROR_SERVICE_ALREADY_RUNNING;
    assert_code(berth_service_control_run(never, NULL, &status, &err), BERTH_IO);
    assert_non_null(strstr(err.detail, "(error 1056)"));
}

static void run__handler_refused__is_an_error(void **state)
{
    struct berth_error err;
    int status = 7;

    (void)state;
    manager.register_error = ERROR_SERVICE_DOES_NOT_EXIST;
    assert_code(berth_service_control_run(never, NULL, &status, &err), BERTH_IO);
    assert_int_equal(err.os_code, ERROR_SERVICE_DOES_NOT_EXIST);
    assert_int_equal(manager.count, 0);
}

/* In a console nothing of it is there, and nothing of it disturbs. */
static void attach__outside_of_a_service__does_nothing(void **state)
{
    const struct berth_service_controls controls = {on_stop, on_reload, NULL};
    struct berth_error err;
    uv_loop_t loop;

    (void)state;
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_ok(berth_service_control_attach(&loop, &controls, &err), &err);
    berth_service_notify_ready("serving");
    berth_service_notify_stopping();
    berth_service_control_detach();
    assert_int_equal(uv_loop_close(&loop), 0);
    assert_int_equal(manager.count, 0);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(run__stopped_by_another_thread__tells_each_state),
        CASE(run__preshutdown__stops),
        CASE(run__stopped_while_starting__never_says_running),
        CASE(run__paramchange__reloads_and_goes_on),
        CASE(run__failed__stops_with_its_status),
        CASE(control__others__are_answered_and_change_nothing),
        CASE(run__not_started_by_the_manager__says_what_to_do),
        CASE(run__handler_refused__is_an_error),
        CASE(attach__outside_of_a_service__does_nothing),
    };
    return cmocka_run_group_tests_name("daemon.service_control", tests, NULL, NULL);
}
