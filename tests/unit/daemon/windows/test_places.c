/* SPDX-License-Identifier: MIT */
#include "daemon/places.h"

#include "base/memory.h"
#include "cmocka_all.h"
#include "temp_dir.h"

#include <stdio.h>
#include <windows.h>

static void assert_place(enum berth_code (*place)(char **out, struct berth_error *err),
                         const char *expected)
{
    struct berth_error err;
    char *path = NULL;

    assert_ok(place(&path, &err), &err);
    assert_string_equal(path, expected);
    berth_free(path);
}

static void places__each__is_the_documented_one(void **state)
{
    (void)state;
    assert_true(SetEnvironmentVariableW(L"ProgramData", L"D:\\Daten \x00FC"));
    assert_place(berth_place_endpoint, "\\\\.\\pipe\\berth");
    assert_place(berth_place_settings, "D:\\Daten \xC3\xBC\\Berth\\berthd.config");
    assert_place(berth_place_state, "D:\\Daten \xC3\xBC\\Berth\\state");
    assert_string_equal(berth_place_platform(), "windows");
}

static void places__no_program_data__is_not_found(void **state)
{
    struct berth_error err;
    char *path = NULL;

    (void)state;
    set_environment("ProgramData", NULL);
    assert_code(berth_place_settings(&path, &err), BERTH_NOT_FOUND);
    assert_code(berth_place_state(&path, &err), BERTH_NOT_FOUND);
    assert_non_null(strstr(err.detail, "ProgramData"));
}

/* ---- IIS: a Windows folder of the test's own ---- */

static int setup(void **state)
{
    char *folder = temp_dir_make();

    add_folder(temp_path(folder, "System32"));
    set_environment("SystemRoot", folder);
    *state = folder;
    return 0;
}

static int teardown(void **state)
{
    temp_dir_remove(*state);
    return 0;
}

static bool is_lacking(const char *folder)
{
    struct berth_error err;
    bool lacking = false;
    char *path = NULL;
    char expected[1024];

    assert_ok(berth_place_iis_config(&path, &lacking, &err), &err);
    (void)snprintf(expected, sizeof expected,
                   "%s\\System32\\inetsrv\\config\\applicationHost.config", folder);
    assert_string_equal(path, expected);
    berth_free(path);
    return lacking;
}

static void iis__neither_folder_nor_service__is_lacking(void **state)
{
    assert_true(is_lacking(*state));
}

static void iis__its_folder_is_there__is_not(void **state)
{
    add_folder(temp_path(*state, "System32/inetsrv"));
    assert_true(is_lacking(*state));
    add_folder(temp_path(*state, "System32/inetsrv/config"));
    assert_false(is_lacking(*state)); /* whatever is in it */
}

static void iis__its_service_is_there__is_not(void **state)
{
    SC_HANDLE manager = OpenSCManagerW(NULL, NULL, SC_MANAGER_ALL_ACCESS);

    assert_non_null(manager);
    SC_HANDLE service = CreateServiceW(
        manager, L"W3SVC", L"W3SVC", SERVICE_ALL_ACCESS, SERVICE_WIN32_OWN_PROCESS,
        SERVICE_DEMAND_START, SERVICE_ERROR_NORMAL, L"C:\\none.exe", NULL, NULL, NULL, NULL, NULL);
    if (service == NULL) { /* a machine with IIS, or not an administrator */
        (void)CloseServiceHandle(manager);
        skip();
    }
    bool lacking = is_lacking(*state);
    assert_true(DeleteService(service));
    (void)CloseServiceHandle(service);
    (void)CloseServiceHandle(manager);
    assert_false(lacking);
}

static void iis__no_windows_folder_named__is_an_error_and_not_absence(void **state)
{
    struct berth_error err;
    bool lacking = false;
    char *path = NULL;

    (void)state;
    set_environment("SystemRoot", NULL);
    assert_code(berth_place_iis_config(&path, &lacking, &err), BERTH_IO);
    assert_false(lacking);
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places__each__is_the_documented_one),
        cmocka_unit_test(places__no_program_data__is_not_found),
        CASE(iis__neither_folder_nor_service__is_lacking),
        CASE(iis__its_folder_is_there__is_not),
        CASE(iis__its_service_is_there__is_not),
        CASE(iis__no_windows_folder_named__is_an_error_and_not_absence),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
