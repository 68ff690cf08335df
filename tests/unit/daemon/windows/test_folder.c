/* SPDX-License-Identifier: MIT */
#include "daemon/windows/folder.h"

#include "cmocka_all.h"
#include "daemon/windows/sid.h"
#include "daemon/windows/token.h"
#include "memory_faults.h"
#include "temp_dir.h"
#include "tests/support/windows/dacl.h"

#include <aclapi.h>
#include <stdio.h>

static int setup(void **state)
{
    *state = temp_dir_make();
    return 0;
}

static int teardown(void **state)
{
    temp_dir_remove(*state);
    return 0;
}

static const char *read_folder(const char *path, char *out, size_t size)
{
    HANDLE folder = CreateFileA(path, READ_CONTROL, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                                OPEN_EXISTING, FILE_FLAG_BACKUP_SEMANTICS, NULL);

    assert_true(folder != INVALID_HANDLE_VALUE);
    (void)dacl_read(folder, SE_FILE_OBJECT, out, size);
    (void)CloseHandle(folder);
    return out;
}

static void sddl__each_kind__lets_in_whom_it_names_and_inherits_nothing(void **state)
{
    struct berth_account_id own = {0};
    const struct berth_account_id none = {0};
    char sddl[BERTH_FOLDER_SDDL_SIZE];

    (void)state;
    assert_string_equal(berth_folder_sddl(sddl, &own, &none, false),
                        "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;SY)");
    assert_true(berth_sid_read("S-1-5-80-1-2-3-4-5", &own));
    assert_string_equal(berth_folder_sddl(sddl, &own, &own, false),
                        "O:S-1-5-80-1-2-3-4-5"
                        "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;S-1-5-80-1-2-3-4-5)");
    assert_string_equal(berth_folder_sddl(sddl, &own, &berth_sid_administrators, true),
                        "O:S-1-5-32-544"
                        "D:P(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;FA;;;S-1-5-80-1-2-3-4-5)"
                        "(A;OICI;FRFX;;;BU)");
}

/* 1f01ff: all there is to files; 3: for what will be in it too. Wine makes Unix permissions of a
 * DACL and a DACL of those, in which Administrators are missing; what is there must be right. */
static void make__missing__for_system_administrators_and_the_daemon(void **state)
{
    const char *path = temp_path(*state, "Berth/state");
    const struct berth_account_id own = berth_token_own_account();
    struct berth_error err;
    char expected[512];
    char sid[BERTH_ACCOUNT_TEXT_SIZE];
    char found[2048];

    assert_ok(berth_folder_make_private(path, &err), &err);
    (void)read_folder(path, found, sizeof found);
    (void)snprintf(expected, sizeof expected, "allow 3 1f01ff %s", berth_sid_write(&own, sid));
    assert_non_null(strstr(found, expected));
    for (char *line = strtok(found, "\n"); line != NULL; line = strtok(NULL, "\n")) {
        if (strcmp(line, expected) != 0 && strcmp(line, "protected") != 0 &&
            strcmp(line, "allow 3 1f01ff S-1-5-18") != 0 &&
            strcmp(line, "allow 3 1f01ff S-1-5-32-544") != 0) {
            fail_msg("there is also: %s", line);
        }
    }
}

static void make__already_there__stays_as_it_is(void **state)
{
    const char *path = temp_path(*state, "state");
    struct berth_error err;
    char before[2048];
    char after[2048];

    add_folder(path);
    write_file(temp_path(*state, "state/kept"), "x", 1);
    (void)read_folder(path, before, sizeof before);
    assert_ok(berth_folder_make_private(path, &err), &err);
    assert_string_equal(read_folder(path, after, sizeof after), before);
}

static void make__a_file_is_there__is_an_error_that_names_it(void **state)
{
    const char *path = temp_path(*state, "state");
    struct berth_error err;

    write_file(path, "x", 1);
    assert_code(berth_folder_make_private(path, &err), BERTH_IO);
    assert_non_null(strstr(err.detail, path));
    assert_code(berth_folder_make_private(temp_path(*state, "state/below"), &err), BERTH_IO);
    assert_ok(berth_folder_make_private(temp_path(*state, "a/b/c"), &err), &err);
}

static void make__each_allocation_fails__is_an_error(void **state)
{
    const char *path = temp_path(*state, "state");
    bool failed = true;

    for (size_t n = 1; failed; n++) {
        struct berth_error err;
        size_t live;
        memory_faults_begin(n, false);
        enum berth_code code = berth_folder_make_private(path, &err);
        failed = memory_faults_end(&live);
        assert_int_equal(live, 0);
        assert_code(code, failed ? BERTH_NO_MEMORY : BERTH_OK);
    }
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sddl__each_kind__lets_in_whom_it_names_and_inherits_nothing),
        CASE(make__missing__for_system_administrators_and_the_daemon),
        CASE(make__already_there__stays_as_it_is),
        CASE(make__a_file_is_there__is_an_error_that_names_it),
        CASE(make__each_allocation_fails__is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
