/* SPDX-License-Identifier: MIT */
/* Two threads: the dispatcher's, on which the manager's controls come and must be answered at once,
 * and that of ServiceMain, on which the loop runs. What they share is behind `lock`; the way from
 * the one to the other is uv_async_send, the only call of libuv that another thread may make. */
#include "daemon/windows/service_control.h"

#include "base/windows/fail_system.h"
#include "daemon/windows/service_names.h"

#include <stdbool.h>

static const struct berth_service_control_calls windows_calls = {
    StartServiceCtrlDispatcherW, RegisterServiceCtrlHandlerExW, SetServiceStatus};

static const struct berth_service_control_calls *calls = &windows_calls;

static struct {
    int (*body)(void *ctx);
    void *ctx;
    int result;
    DWORD register_error; /* of RegisterServiceCtrlHandlerExW */

    SRWLOCK lock;
    SERVICE_STATUS_HANDLE handle; /* NULL: not within ServiceMain */
    SERVICE_STATUS status;
    bool stop_asked;
    bool reload_asked;
    bool attached; /* `wake` may be sent to */

    uv_async_t wake; /* the loop's, as all that follows */
    uv_timer_t checkpoint;
    struct berth_service_controls controls;
} service = {.lock = SRWLOCK_INIT};

void berth_service_control_use(const struct berth_service_control_calls *others)
{
    calls = others != NULL ? others : &windows_calls;
}

/* ---- telling the manager; the lock is held ---- */

static void report(DWORD state, DWORD hint_ms)
{
    SERVICE_STATUS *status = &service.status;
    bool pending = state == SERVICE_START_PENDING || state == SERVICE_STOP_PENDING;

    status->dwCheckPoint = !pending                          ? 0
                           : status->dwCurrentState == state ? status->dwCheckPoint + 1
                                                             : 1;
    status->dwCurrentState = state;
    status->dwWaitHint = hint_ms;
    /* pre-shutdown instead of shutdown: the store is closed while the disks are there for certain
     */
    status->dwControlsAccepted =
        state == SERVICE_RUNNING
            ? SERVICE_ACCEPT_STOP | SERVICE_ACCEPT_PRESHUTDOWN | SERVICE_ACCEPT_PARAMCHANGE
            : 0;
    if (service.handle != NULL) {
        (void)calls->SetServiceStatus(service.handle, status);
    }
}

static void report_stopped(int result)
{
    /* a status other than 0 makes the recovery actions take place */
    service.status.dwWin32ExitCode = result == 0 ? NO_ERROR : ERROR_SERVICE_SPECIFIC_ERROR;
    service.status.dwServiceSpecificExitCode = (DWORD)result;
    report(SERVICE_STOPPED, 0);
    service.handle = NULL; /* the process may be ended from now on */
}

/* ---- the dispatcher's thread ---- */

static void wake_loop(void)
{
    if (service.attached) {
        (void)uv_async_send(&service.wake);
    }
}

static DWORD WINAPI on_control(DWORD control, DWORD type, LPVOID data, LPVOID ctx)
{
    DWORD answer = NO_ERROR;

    (void)type;
    (void)data;
    (void)ctx;
    AcquireSRWLockExclusive(&service.lock);
    switch (control) {
    case SERVICE_CONTROL_STOP:
    case SERVICE_CONTROL_PRESHUTDOWN:
        if (service.status.dwCurrentState != SERVICE_STOPPED) {
            service.stop_asked = true;
            report(SERVICE_STOP_PENDING, BERTH_SERVICE_STOP_HINT_MS);
            wake_loop();
        }
        break;
    case SERVICE_CONTROL_PARAMCHANGE:
        service.reload_asked = true;
        wake_loop();
        break;
    case SERVICE_CONTROL_INTERROGATE:
        break; /* the manager knows what was reported last */
    default:
        answer = ERROR_CALL_NOT_IMPLEMENTED;
        break;
    }
    ReleaseSRWLockExclusive(&service.lock);
    return answer;
}

/* ---- the thread of ServiceMain ---- */

static void WINAPI service_main(DWORD argc, LPWSTR *argv)
{
    (void)argc;
    (void)argv;
    SERVICE_STATUS_HANDLE handle =
        calls->RegisterServiceCtrlHandlerExW(BERTH_SERVICE_NAME, on_control, NULL);
    if (handle == NULL) {
        service.register_error = GetLastError();
        return;
    }
    AcquireSRWLockExclusive(&service.lock);
    service.handle = handle;
    report(SERVICE_START_PENDING, BERTH_SERVICE_START_HINT_MS);
    ReleaseSRWLockExclusive(&service.lock);
    int result = service.body(service.ctx);
    AcquireSRWLockExclusive(&service.lock);
    service.result = result;
    report_stopped(result);
    ReleaseSRWLockExclusive(&service.lock);
}

static enum berth_code fail_dispatch(DWORD number, struct berth_error *err)
{
    if (number == ERROR_FAILED_SERVICE_CONTROLLER_CONNECT) {
        return berth_fail(err, BERTH_NOT_SUPPORTED, (int)number,
                          "--service is for the service manager, which did not start this process; "
                          "'berthd service install' makes it do so, and without --service berthd "
                          "runs in this console");
    }
    return berth_fail_system(err, number, "cannot run as a service");
}

enum berth_code berth_service_control_run(int (*body)(void *ctx), void *ctx, int *status,
                                          struct berth_error *err)
{
    static wchar_t name[] = BERTH_SERVICE_NAME;
    const SERVICE_TABLE_ENTRYW table[] = {{name, service_main}, {NULL, NULL}};

    service.body = body;
    service.ctx = ctx;
    service.result = 1;
    service.register_error = 0;
    service.stop_asked = false;
    service.reload_asked = false;
    service.status = (SERVICE_STATUS){.dwServiceType = SERVICE_WIN32_OWN_PROCESS,
                                      .dwCurrentState = SERVICE_START_PENDING};
    if (!calls->StartServiceCtrlDispatcherW(table)) {
        return fail_dispatch(GetLastError(), err);
    }
    if (service.register_error != 0) {
        return berth_fail_system(err, service.register_error,
                                 "the service manager takes no handler");
    }
    *status = service.result;
    return BERTH_OK;
}

/* ---- the loop ---- */

static void on_checkpoint(uv_timer_t *timer)
{
    (void)timer;
    AcquireSRWLockExclusive(&service.lock);
    if (service.status.dwCurrentState == SERVICE_STOP_PENDING) {
        report(SERVICE_STOP_PENDING, BERTH_SERVICE_STOP_HINT_MS);
    }
    ReleaseSRWLockExclusive(&service.lock);
}

static void on_wake(uv_async_t *async)
{
    (void)async;
    AcquireSRWLockExclusive(&service.lock);
    bool stop = service.stop_asked;
    bool reload = service.reload_asked;
    service.stop_asked = false;
    service.reload_asked = false;
    ReleaseSRWLockExclusive(&service.lock);
    if (stop) {
        (void)uv_timer_start(&service.checkpoint, on_checkpoint, BERTH_SERVICE_CHECKPOINT_MS,
                             BERTH_SERVICE_CHECKPOINT_MS);
        service.controls.stop(service.controls.ctx);
    } else if (reload) {
        service.controls.reload(service.controls.ctx);
    }
}

enum berth_code berth_service_control_attach(uv_loop_t *loop,
                                             const struct berth_service_controls *controls,
                                             struct berth_error *err)
{
    if (service.handle == NULL) {
        return BERTH_OK;
    }
    int status = uv_async_init(loop, &service.wake, on_wake);
    if (status != 0) {
        return berth_fail(err, BERTH_IO, status, "the service manager cannot be listened to: %s",
                          uv_strerror(status));
    }
    (void)uv_timer_init(loop, &service.checkpoint);
    uv_unref((uv_handle_t *)&service.wake);
    uv_unref((uv_handle_t *)&service.checkpoint);
    service.controls = *controls;
    AcquireSRWLockExclusive(&service.lock);
    service.attached = true;
    if (service.stop_asked || service.reload_asked) {
        wake_loop();
    }
    ReleaseSRWLockExclusive(&service.lock);
    return BERTH_OK;
}

void berth_service_control_detach(void)
{
    AcquireSRWLockExclusive(&service.lock);
    bool attached = service.attached;
    service.attached = false;
    ReleaseSRWLockExclusive(&service.lock);
    if (attached) {
        uv_close((uv_handle_t *)&service.wake, NULL);
        uv_close((uv_handle_t *)&service.checkpoint, NULL);
    }
}

void berth__service_control_ready(void)
{
    AcquireSRWLockExclusive(&service.lock);
    if (service.handle != NULL && service.status.dwCurrentState == SERVICE_START_PENDING) {
        report(SERVICE_RUNNING, 0);
    }
    ReleaseSRWLockExclusive(&service.lock);
}

void berth__service_control_stopping(void)
{
    AcquireSRWLockExclusive(&service.lock);
    if (service.handle != NULL) {
        report(SERVICE_STOP_PENDING, BERTH_SERVICE_STOP_HINT_MS);
    }
    ReleaseSRWLockExclusive(&service.lock);
}
