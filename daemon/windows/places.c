/* SPDX-License-Identifier: MIT */
#include "daemon/places.h"

#include "base/memory.h"
#include "base/windows/pipe_name.h"
#include "base/windows/wide.h"
#include "daemon/windows/folder.h"

#include <stdio.h>
#include <uv.h>
#include <windows.h>

#define FOLDER_BYTES 4096
#define INETSRV "inetsrv\\config"
#define IIS_SERVICE L"W3SVC"

/* Joins an environment variable's folder and two names below it. */
static enum berth_code below(char **out, const char *variable, const char *folder, const char *name,
                             struct berth_error *err)
{
    char root[FOLDER_BYTES];
    char path[2 * FOLDER_BYTES];
    size_t size = sizeof root;
    int status = uv_os_getenv(variable, root, &size);

    if (status != 0 || root[0] == '\0') {
        return berth_fail(err, BERTH_NOT_FOUND, status, "the environment variable %s is not set",
                          variable);
    }
    (void)snprintf(path, sizeof path, "%s\\%s\\%s", root, folder, name);
    *out = berth_copy(path);
    return *out != NULL ? BERTH_OK : berth_fail_memory(err, "a path");
}

static enum berth_code below_program_data(char **out, const char *name, struct berth_error *err)
{
    return below(out, "ProgramData", "Berth", name, err);
}

enum berth_code berth_place_endpoint(char **out, struct berth_error *err)
{
    *out = berth_copy(BERTH_PIPE_PREFIX "berth");
    return *out != NULL ? BERTH_OK : berth_fail_memory(err, "a path");
}

enum berth_code berth_place_settings(char **out, struct berth_error *err)
{
    return below_program_data(out, "berthd.config", err);
}

enum berth_code berth_place_state(char **out, struct berth_error *err)
{
    return below_program_data(out, "state", err);
}

enum berth_code berth_place_log(char **out, struct berth_error *err)
{
    return below_program_data(out, "logs\\berthd.log", err);
}

enum berth_code berth_place_prepare_endpoint(const char *endpoint, struct berth_error *err)
{
    (void)endpoint; /* a pipe needs no folder */
    (void)err;
    return BERTH_OK;
}

enum berth_code berth_place_prepare_state(const char *folder, struct berth_error *err)
{
    return berth_folder_make_private(folder, err);
}

const char *berth_place_platform(void)
{
    return "windows";
}

/* ---- IIS ---- */

/* A 32-bit process on a 64-bit system sees other files below System32; Sysnative leads past that.
 */
static const char *system_folder(void)
{
    BOOL redirected = FALSE;

    return IsWow64Process(GetCurrentProcess(), &redirected) && redirected ? "Sysnative"
                                                                          : "System32";
}

/* Only what certainly is not there is missing: all other errors leave it open. */
static bool folder_is_missing(const char *path)
{
    wchar_t *wide = berth_wide(path);
    bool missing = false;

    if (wide != NULL && GetFileAttributesW(wide) == INVALID_FILE_ATTRIBUTES) {
        DWORD number = GetLastError();
        missing = number == ERROR_FILE_NOT_FOUND || number == ERROR_PATH_NOT_FOUND;
    }
    berth_free(wide);
    return missing;
}

static bool service_is_missing(const wchar_t *name)
{
    SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_CONNECT);
    bool missing = false;

    if (manager == NULL) {
        return false;
    }
    SC_HANDLE service = OpenServiceW(manager, name, SERVICE_QUERY_STATUS);
    if (service == NULL) {
        missing = GetLastError() == ERROR_SERVICE_DOES_NOT_EXIST;
    } else {
        (void)CloseServiceHandle(service);
    }
    (void)CloseServiceHandle(manager);
    return missing;
}

enum berth_code berth_place_iis_config(char **out, bool *lacking, struct berth_error *err)
{
    char *folder = NULL;
    enum berth_code code = below(&folder, "SystemRoot", system_folder(), INETSRV, err);

    if (code == BERTH_OK) {
        *lacking = folder_is_missing(folder) && service_is_missing(IIS_SERVICE);
        code = below(out, "SystemRoot", system_folder(), INETSRV "\\applicationHost.config", err);
        berth_free(folder);
    }
    if (code == BERTH_NOT_FOUND) { /* no reason to take IIS for absent */
        code = berth_fail(err, BERTH_IO, 0, "SystemRoot is not set: IIS cannot be looked for");
    }
    return code;
}
