/* SPDX-License-Identifier: MIT */
#include "daemon/windows/service_setup.h"

#include "base/memory.h"
#include "base/windows/fail_system.h"
#include "daemon/windows/service_names.h"

#include <wchar.h>

#define SWITCH L" --service"
#define CONFIG_SIZE 8192 /* the most that QueryServiceConfigW gives */
#define POLL_MS 100
#define RESET_SECONDS (24 * 60 * 60)

/* What opening a service is for; the rights that it takes. */
#define ACCESS_QUERY SERVICE_QUERY_STATUS
#define ACCESS_START (SERVICE_QUERY_STATUS | SERVICE_START)
#define ACCESS_STOP (SERVICE_QUERY_STATUS | SERVICE_STOP)
#define ACCESS_INSTALL                                                                             \
    (ACCESS_START | ACCESS_STOP | SERVICE_QUERY_CONFIG | SERVICE_CHANGE_CONFIG | DELETE)
#define ACCESS_REMOVE (ACCESS_STOP | DELETE)

/* The manager and the service, open. */
struct session {
    const struct berth_service_calls *calls;
    SC_HANDLE manager;
    SC_HANDLE service; /* NULL: it is not installed */
};

static enum berth_code fail_step(struct berth_error *err, DWORD number, const char *step)
{
    if (number == ERROR_ACCESS_DENIED) {
        return berth_fail_system(err, number,
                                 "cannot %s: this takes an administrator, in a window that was "
                                 "opened with 'Run as administrator'",
                                 step);
    }
    return berth_fail_system(err, number, "cannot %s", step);
}

static void close_session(struct session *session)
{
    if (session->service != NULL) {
        (void)session->calls->CloseServiceHandle(session->service);
    }
    if (session->manager != NULL) {
        (void)session->calls->CloseServiceHandle(session->manager);
    }
}

/* Opens both; close_session() is right whatever comes of it. */
static enum berth_code open_session(struct session *session,
                                    const struct berth_service_calls *calls, DWORD manager_access,
                                    DWORD access, struct berth_error *err)
{
    *session = (struct session){.calls = calls};
    session->manager = calls->OpenSCManagerW(NULL, NULL, manager_access);
    if (session->manager == NULL) {
        return fail_step(err, GetLastError(), "open the service manager");
    }
    session->service = calls->OpenServiceW(session->manager, BERTH_SERVICE_NAME, access);
    if (session->service == NULL && GetLastError() != ERROR_SERVICE_DOES_NOT_EXIST) {
        return fail_step(err, GetLastError(), "open the service Berth");
    }
    return BERTH_OK;
}

static enum berth_code require_service(const struct session *session, struct berth_error *err)
{
    if (session->service == NULL) {
        return berth_fail(err, BERTH_NOT_FOUND, ERROR_SERVICE_DOES_NOT_EXIST,
                          "the service Berth is not installed; 'berthd service install' does that");
    }
    return BERTH_OK;
}

/* ---- waiting ---- */

static enum berth_code read_status(const struct session *session, SERVICE_STATUS_PROCESS *out,
                                   struct berth_error *err)
{
    DWORD needed;

    if (!session->calls->QueryServiceStatusEx(session->service, SC_STATUS_PROCESS_INFO, (LPBYTE)out,
                                              sizeof *out, &needed)) {
        return fail_step(err, GetLastError(), "ask how the service is");
    }
    return BERTH_OK;
}

/* Waits while the service is in a state.
 *  @param[out] out  its status then, or after `limit_ms` */
static enum berth_code wait_while(const struct session *session, DWORD state, DWORD limit_ms,
                                  SERVICE_STATUS_PROCESS *out, struct berth_error *err)
{
    ULONGLONG begin = session->calls->GetTickCount64();

    for (;;) {
        enum berth_code code = read_status(session, out, err);
        if (code != BERTH_OK || out->dwCurrentState != state ||
            session->calls->GetTickCount64() - begin >= limit_ms) {
            return code;
        }
        session->calls->Sleep(POLL_MS);
    }
}

static DWORD exit_code_of(const SERVICE_STATUS_PROCESS *status)
{
    return status->dwWin32ExitCode == ERROR_SERVICE_SPECIFIC_ERROR
               ? status->dwServiceSpecificExitCode
               : status->dwWin32ExitCode;
}

/* ---- start and stop ---- */

static enum berth_code start_service(const struct session *session, struct berth_error *err)
{
    SERVICE_STATUS_PROCESS status;

    if (!session->calls->StartServiceW(session->service, 0, NULL)) {
        DWORD number = GetLastError();
        if (number == ERROR_SERVICE_ALREADY_RUNNING) {
            return BERTH_OK;
        }
        return number == ERROR_SERVICE_LOGON_FAILED
                   ? berth_fail_system(err, number,
                                       "cannot start the service: its account NT SERVICE\\Berth "
                                       "lacks the right to log on as a service, which a group "
                                       "policy has taken from NT SERVICE\\ALL SERVICES")
                   : fail_step(err, number, "start the service");
    }
    enum berth_code code =
        wait_while(session, SERVICE_START_PENDING, BERTH_SERVICE_START_MS, &status, err);
    if (code != BERTH_OK || status.dwCurrentState == SERVICE_RUNNING) {
        return code;
    }
    if (status.dwCurrentState == SERVICE_START_PENDING) {
        return berth_fail(err, BERTH_IO, 0, "the service is still starting after %d s",
                          BERTH_SERVICE_START_MS / 1000);
    }
    return berth_fail(err, BERTH_IO, (int)exit_code_of(&status),
                      "the service ended while it was starting, with status %lu; its log and the "
                      "Event Log say why",
                      exit_code_of(&status));
}

static enum berth_code stop_service(const struct session *session, struct berth_error *err)
{
    SERVICE_STATUS ignored;
    SERVICE_STATUS_PROCESS status;
    enum berth_code code =
        wait_while(session, SERVICE_START_PENDING, BERTH_SERVICE_START_MS, &status, err);

    if (code != BERTH_OK || status.dwCurrentState == SERVICE_STOPPED) {
        return code;
    }
    if (!session->calls->ControlService(session->service, SERVICE_CONTROL_STOP, &ignored)) {
        DWORD number = GetLastError();
        if (number == ERROR_SERVICE_NOT_ACTIVE) {
            return BERTH_OK;
        }
        if (number != ERROR_SERVICE_CANNOT_ACCEPT_CTRL) { /* it stops already, or is shut down */
            return fail_step(err, number, "stop the service");
        }
    }
    code = wait_while(session, SERVICE_RUNNING, BERTH_SERVICE_STOP_MS, &status, err);
    if (code == BERTH_OK) {
        code = wait_while(session, SERVICE_STOP_PENDING, BERTH_SERVICE_STOP_MS, &status, err);
    }
    if (code == BERTH_OK && status.dwCurrentState != SERVICE_STOPPED) {
        code = berth_fail(err, BERTH_IO, 0, "the service has not stopped after %d s",
                          BERTH_SERVICE_STOP_MS / 1000);
    }
    return code;
}

enum berth_code berth_service_start(const struct berth_service_calls *calls,
                                    struct berth_error *err)
{
    struct session session;
    enum berth_code code = open_session(&session, calls, SC_MANAGER_CONNECT, ACCESS_START, err);

    if (code == BERTH_OK) {
        code = require_service(&session, err);
    }
    if (code == BERTH_OK) {
        code = start_service(&session, err);
    }
    close_session(&session);
    return code;
}

enum berth_code berth_service_stop(const struct berth_service_calls *calls, struct berth_error *err)
{
    struct session session;
    enum berth_code code = open_session(&session, calls, SC_MANAGER_CONNECT, ACCESS_STOP, err);

    if (code == BERTH_OK) {
        code = require_service(&session, err);
    }
    if (code == BERTH_OK) {
        code = stop_service(&session, err);
    }
    close_session(&session);
    return code;
}

enum berth_code berth_service_query(const struct berth_service_calls *calls,
                                    struct berth_service_report *out, struct berth_error *err)
{
    struct session session;
    SERVICE_STATUS_PROCESS status = {.dwCurrentState = 0};
    enum berth_code code = open_session(&session, calls, SC_MANAGER_CONNECT, ACCESS_QUERY, err);

    *out = (struct berth_service_report){.state = BERTH_SERVICE_MISSING};
    if (code == BERTH_OK && session.service != NULL) {
        code = read_status(&session, &status, err);
        out->state = status.dwCurrentState == SERVICE_STOPPED   ? BERTH_SERVICE_STOPPED
                     : status.dwCurrentState == SERVICE_RUNNING ? BERTH_SERVICE_RUNNING
                                                                : BERTH_SERVICE_CHANGING;
        out->process_id = status.dwProcessId;
        out->exit_code = exit_code_of(&status);
    }
    close_session(&session);
    return code;
}

/* ---- install ---- */

static bool create(struct session *session, const wchar_t *command_line)
{
    session->service = session->calls->CreateServiceW(
        session->manager, BERTH_SERVICE_NAME, BERTH_SERVICE_DISPLAY_NAME, ACCESS_INSTALL,
        SERVICE_WIN32_OWN_PROCESS, SERVICE_AUTO_START, SERVICE_ERROR_NORMAL, command_line, NULL,
        NULL, NULL, BERTH_SERVICE_ACCOUNT, NULL);
    return session->service != NULL;
}

static bool change(const struct session *session, const wchar_t *command_line)
{
    return session->calls->ChangeServiceConfigW(
               session->service, SERVICE_WIN32_OWN_PROCESS, SERVICE_AUTO_START,
               SERVICE_ERROR_NORMAL, command_line, NULL, NULL, L"", BERTH_SERVICE_ACCOUNT, NULL,
               BERTH_SERVICE_DISPLAY_NAME) != FALSE;
}

/* One of the settings behind ChangeServiceConfig2W. Windows Server 2016 and later know them all. */
static enum berth_code set(const struct session *session, DWORD level, void *info, const char *what,
                           struct berth_text *notes, struct berth_error *err)
{
    if (session->calls->ChangeServiceConfig2W(session->service, level, info)) {
        return BERTH_OK;
    }
    DWORD number = GetLastError();
    if (number != ERROR_INVALID_LEVEL) {
        return berth_fail_system(err, number, "cannot set %s of the service", what);
    }
    berth_text_printf(notes, "this system does not know %s of a service: not set\n", what);
    return BERTH_OK;
}

/* Restarted after a failure: at once, soon, then once a minute, whether it crashed or ended with an
 * error. A day without one begins anew. */
static enum berth_code set_recovery(const struct session *session, struct berth_text *notes,
                                    struct berth_error *err)
{
    SC_ACTION actions[] = {
        {SC_ACTION_RESTART, 1000}, {SC_ACTION_RESTART, 5000}, {SC_ACTION_RESTART, 60000}};
    SERVICE_FAILURE_ACTIONSW recovery = {
        .dwResetPeriod = RESET_SECONDS, .cActions = 3, .lpsaActions = actions};
    SERVICE_FAILURE_ACTIONS_FLAG flag = {.fFailureActionsOnNonCrashFailures = TRUE};
    enum berth_code code =
        set(session, SERVICE_CONFIG_FAILURE_ACTIONS, &recovery, "the recovery actions", notes, err);

    if (code == BERTH_OK) {
        code = set(session, SERVICE_CONFIG_FAILURE_ACTIONS_FLAG, &flag,
                   "recovery after an error that is no crash", notes, err);
    }
    return code;
}

/* As few rights as it needs: SeChangeNotifyPrivilege to come through folders that it may not read,
 * SeImpersonatePrivilege to see who its clients are. */
static enum berth_code set_identity(const struct session *session, struct berth_text *notes,
                                    struct berth_error *err)
{
    static wchar_t privileges[] = L"SeChangeNotifyPrivilege\0SeImpersonatePrivilege\0";
    SERVICE_SID_INFO sid = {.dwServiceSidType = SERVICE_SID_TYPE_UNRESTRICTED};
    SERVICE_REQUIRED_PRIVILEGES_INFOW required = {.pmszRequiredPrivileges = privileges};
    enum berth_code code =
        set(session, SERVICE_CONFIG_SERVICE_SID_INFO, &sid, "a SID of its own", notes, err);

    if (code == BERTH_OK) {
        code = set(session, SERVICE_CONFIG_REQUIRED_PRIVILEGES_INFO, &required,
                   "the required privileges", notes, err);
    }
    return code;
}

static enum berth_code set_all(const struct session *session, struct berth_text *notes,
                               struct berth_error *err)
{
    static wchar_t text[] = BERTH_SERVICE_DESCRIPTION;
    SERVICE_DESCRIPTIONW description = {.lpDescription = text};
    SERVICE_DELAYED_AUTO_START_INFO delayed = {.fDelayedAutostart = TRUE};
    SERVICE_PRESHUTDOWN_INFO preshutdown = {.dwPreshutdownTimeout = BERTH_SERVICE_PRESHUTDOWN_MS};
    enum berth_code code = set_identity(session, notes, err);

    if (code == BERTH_OK) {
        code =
            set(session, SERVICE_CONFIG_DESCRIPTION, &description, "the description", notes, err);
    }
    if (code == BERTH_OK) {
        code = set(session, SERVICE_CONFIG_DELAYED_AUTO_START_INFO, &delayed, "the delayed start",
                   notes, err);
    }
    if (code == BERTH_OK) {
        code = set(session, SERVICE_CONFIG_PRESHUTDOWN_INFO, &preshutdown,
                   "the time before a shutdown", notes, err);
    }
    if (code == BERTH_OK) {
        code = set_recovery(session, notes, err);
    }
    return code;
}

/* What the service is to be run with. */
struct command {
    const wchar_t *program;
    const wchar_t *options; /* NULL: as before */
};

/* Gives the options of the installed service: what follows SWITCH in its command line.
 * @param[out] out  for berth_free(); "" where it has none */
static enum berth_code read_options(const struct session *session, wchar_t **out,
                                    struct berth_error *err)
{
    union {
        QUERY_SERVICE_CONFIGW config;
        BYTE bytes[CONFIG_SIZE];
    } *buffer = berth_alloc(1, sizeof *buffer);
    DWORD needed;

    if (buffer == NULL) {
        return berth_fail_memory(err, "the service's settings");
    }
    enum berth_code code = BERTH_OK;
    if (session->calls->QueryServiceConfigW(session->service, &buffer->config, sizeof *buffer,
                                            &needed)) {
        const wchar_t *line = buffer->config.lpBinaryPathName;
        const wchar_t *found = line != NULL ? wcsstr(line, SWITCH) : NULL;
        found = found != NULL ? found + wcslen(SWITCH) : L"";
        size_t size = wcslen(found) + 1;
        *out = berth_alloc(size, sizeof **out);
        if (*out != NULL) {
            wmemcpy(*out, found, size);
        }
        code = *out != NULL ? BERTH_OK : berth_fail_memory(err, "the service's options");
    } else {
        code = fail_step(err, GetLastError(), "read the service's settings");
    }
    berth_free(buffer);
    return code;
}

static wchar_t *join(const wchar_t *program, const wchar_t *options)
{
    size_t size = wcslen(program) + wcslen(SWITCH) + wcslen(options) + 1;
    wchar_t *line = berth_alloc(size, sizeof *line);

    if (line != NULL) {
        (void)wcscpy_s(line, size, program);
        (void)wcscat_s(line, size, SWITCH);
        (void)wcscat_s(line, size, options);
    }
    return line;
}

static enum berth_code install_new(struct session *session, const struct command *command,
                                   struct berth_text *notes, struct berth_error *err)
{
    wchar_t *line = join(command->program, command->options != NULL ? command->options : L"");
    enum berth_code code = line == NULL ? berth_fail_memory(err, "the service's command line")
                           : !create(session, line)
                               ? fail_step(err, GetLastError(), "create the service")
                               : set_all(session, notes, err);

    if (code != BERTH_OK && session->service != NULL) {
        (void)session->calls->DeleteService(session->service);
    }
    berth_free(line);
    return code;
}

static enum berth_code change_to(const struct session *session, const struct command *command,
                                 struct berth_error *err)
{
    wchar_t *kept = NULL;
    wchar_t *line = NULL;
    enum berth_code code = command->options == NULL ? read_options(session, &kept, err) : BERTH_OK;

    if (code == BERTH_OK) {
        line = join(command->program, kept != NULL ? kept : command->options);
        code = line == NULL ? berth_fail_memory(err, "the service's command line") : BERTH_OK;
    }
    if (code == BERTH_OK && !change(session, line)) {
        code = fail_step(err, GetLastError(), "change the service");
    }
    berth_free(kept);
    berth_free(line);
    return code;
}

static enum berth_code install_again(const struct session *session, const struct command *command,
                                     bool *was_running, struct berth_text *notes,
                                     struct berth_error *err)
{
    SERVICE_STATUS_PROCESS before;
    enum berth_code code = read_status(session, &before, err);

    if (code != BERTH_OK) {
        return code;
    }
    *was_running = before.dwCurrentState != SERVICE_STOPPED;
    code = stop_service(session, err);
    if (code == BERTH_OK) {
        code = change_to(session, command, err);
    }
    if (code == BERTH_OK) {
        code = set_all(session, notes, err);
    }
    return code;
}

enum berth_code berth_service_install(const struct berth_service_calls *calls,
                                      const wchar_t *program, const wchar_t *options,
                                      struct berth_service_before *before, struct berth_text *notes,
                                      struct berth_error *err)
{
    const struct command command = {program, options};
    struct session session;
    enum berth_code code = open_session(
        &session, calls, SC_MANAGER_CONNECT | SC_MANAGER_CREATE_SERVICE, ACCESS_INSTALL, err);

    *before = (struct berth_service_before){.installed = session.service != NULL};
    if (code == BERTH_OK) {
        code = before->installed ? install_again(&session, &command, &before->running, notes, err)
                                 : install_new(&session, &command, notes, err);
    }
    close_session(&session);
    return code;
}

enum berth_code berth_service_uninstall(const struct berth_service_calls *calls,
                                        struct berth_text *notes, struct berth_error *err)
{
    struct session session;
    enum berth_code code = open_session(&session, calls, SC_MANAGER_CONNECT, ACCESS_REMOVE, err);

    if (code == BERTH_OK && session.service == NULL) {
        berth_text_puts(notes, "the service Berth was not installed\n");
    } else if (code == BERTH_OK) {
        code = stop_service(&session, err);
        if (code == BERTH_OK && !calls->DeleteService(session.service) &&
            GetLastError() != ERROR_SERVICE_MARKED_FOR_DELETE) {
            code = fail_step(err, GetLastError(), "remove the service");
        }
    }
    close_session(&session);
    return code;
}
