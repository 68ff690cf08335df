/* SPDX-License-Identifier: MIT */
/* What only Windows has: locks that keep others out, pipes and devices by name, times of FILETIME.
 */
#include "cmocka_all.h"
#include "temp_folder.h"
#include "watchers/file_read.h"

#include <stdio.h>
#include <windows.h>

/* Tells whether locks keep readers out here: Wine's do not. */
static bool has_locks(const char *path)
{
    char byte;
    DWORD got;
    HANDLE handle = CreateFileA(path, GENERIC_READ, FILE_SHARE_READ | FILE_SHARE_WRITE, NULL,
                                OPEN_EXISTING, 0, NULL);

    assert_true(handle != INVALID_HANDLE_VALUE);
    assert_int_not_equal(SetFilePointer(handle, 2, NULL, FILE_BEGIN), INVALID_SET_FILE_POINTER);
    bool has = !ReadFile(handle, &byte, 1, &got, NULL);
    assert_true(CloseHandle(handle));
    return has;
}

/* Opens a file as another program would. */
static HANDLE open_as(const char *path, DWORD access, DWORD share)
{
    HANDLE handle = CreateFileA(path, access, share, NULL, OPEN_ALWAYS, 0, NULL);

    assert_true(handle != INVALID_HANDLE_VALUE);
    return handle;
}

static void read__an_old_file__is_not_fresh(void **unused)
{
    /* 2001-09-09 01:46:40 and 500 ns */
    const uint64_t ticks = 116444736000000000u + 10000000000000005u;
    const FILETIME time = {(DWORD)ticks, (DWORD)(ticks >> 32)};
    struct berth_file_stamp stamp;
    const char *path = temp_path(folder, "f");

    (void)unused;
    write_file(path, "x", 1);
    HANDLE handle = open_as(path, FILE_WRITE_ATTRIBUTES, FILE_SHARE_READ);
    assert_true(SetFileTime(handle, NULL, NULL, &time));
    assert_true(CloseHandle(handle));
    assert_code(berth_file_stat(&stamp, path, NULL), BERTH_OK);
    assert_false(stamp.fresh);
    assert_true(stamp.modified_ns == 1000000000000000500);
}

static void read__held_by_one_who_shares_nothing__is_unstable_until_let_go(void **unused)
{
    struct berth_file file;
    struct berth_file_stamp stamp;
    struct berth_error err;
    const char *path = temp_path(folder, "f");

    (void)unused;
    write_file(path, "x", 1);
    HANDLE handle = open_as(path, GENERIC_READ | GENERIC_WRITE, 0);
    assert_code(berth_file_read(&file, path, 9, &err), BERTH_UNSTABLE);
    assert_int_equal(err.os_code, ERROR_SHARING_VIOLATION);
    /* its attributes may be asked for all the same */
    assert_ok(berth_file_stat(&stamp, path, &err), &err);
    assert_true(CloseHandle(handle));
    assert_ok(berth_file_read(&file, path, 9, &err), &err);
    berth_file_fini(&file);
}

static void read__a_locked_part__is_unstable(void **unused)
{
    struct berth_file file;
    struct berth_error err;
    const char *path = temp_path(folder, "f");

    (void)unused;
    write_file(path, "0123456789", 10);
    HANDLE handle = open_as(path, GENERIC_READ | GENERIC_WRITE, FILE_SHARE_READ | FILE_SHARE_WRITE);
    assert_true(LockFile(handle, 2, 0, 3, 0));
    if (!has_locks(path)) {
        assert_true(CloseHandle(handle));
        skip();
    }
    assert_code(berth_file_read(&file, path, 99, &err), BERTH_UNSTABLE);
    assert_int_equal(err.os_code, ERROR_LOCK_VIOLATION);
    assert_true(UnlockFile(handle, 2, 0, 3, 0));
    assert_true(CloseHandle(handle));
    assert_ok(berth_file_read(&file, path, 99, &err), &err);
    berth_file_fini(&file);
}

static void read__while_others_write__does_not_keep_them_out(void **unused)
{
    struct berth_file file;
    struct berth_error err;
    const char *path = temp_path(folder, "f");
    const DWORD all = FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE;

    (void)unused;
    write_file(path, "x", 1);
    HANDLE handle = open_as(path, GENERIC_READ | GENERIC_WRITE | DELETE, all);
    assert_ok(berth_file_read(&file, path, 9, &err), &err);
    berth_file_fini(&file);
    assert_true(CloseHandle(handle));
}

static void read__a_pipe_or_device__is_refused(void **unused)
{
    static const char name[] = "\\\\.\\pipe\\berth-test-file-read";
    struct berth_file file;
    struct berth_error err;
    HANDLE pipe = CreateNamedPipeA(name, PIPE_ACCESS_DUPLEX, PIPE_TYPE_BYTE, 1, 64, 64, 0, NULL);

    (void)unused;
    assert_true(pipe != INVALID_HANDLE_VALUE);
    assert_code(berth_file_read(&file, name, 9, &err), BERTH_IO);
    assert_string_equal(err.detail, "it is not a regular file");
    assert_true(CloseHandle(pipe));
    assert_code(berth_file_read(&file, "NUL", 9, &err), BERTH_IO);
}

static void read__a_path_that_is_no_utf8__is_malformed(void **unused)
{
    struct berth_file file;
    struct berth_error err;

    (void)unused;
    assert_code(berth_file_read(&file, "C:\\\xff\xfe", 9, &err), BERTH_MALFORMED);
}

static void read__names_in_any_case_and_script__are_found(void **unused)
{
    static const wchar_t name[] = L"\x00c4\x65e5.config"; /* A with a diaeresis, the sun */
    wchar_t path[MAX_PATH];
    struct berth_file file;
    struct berth_error err;

    (void)unused;
    assert_true(MultiByteToWideChar(CP_UTF8, 0, folder, -1, path, MAX_PATH - 32) > 0);
    wcscat(wcscat(path, L"/"), name);
    HANDLE handle = CreateFileW(path, GENERIC_WRITE, 0, NULL, CREATE_NEW, 0, NULL);
    assert_true(handle != INVALID_HANDLE_VALUE);
    DWORD written;
    assert_true(WriteFile(handle, "x", 1, &written, NULL));
    assert_true(CloseHandle(handle));
    assert_ok(berth_file_read(&file, temp_path(folder, "\xc3\x84\xe6\x97\xa5.CONFIG"), 9, &err),
              &err);
    berth_file_fini(&file);
}

int main(void)
{
#define IN_FOLDER(test) cmocka_unit_test_setup_teardown(test, make_folder, remove_folder)
    const struct CMUnitTest tests[] = {
        IN_FOLDER(read__an_old_file__is_not_fresh),
        IN_FOLDER(read__held_by_one_who_shares_nothing__is_unstable_until_let_go),
        IN_FOLDER(read__a_locked_part__is_unstable),
        IN_FOLDER(read__while_others_write__does_not_keep_them_out),
        IN_FOLDER(read__a_pipe_or_device__is_refused),
        IN_FOLDER(read__a_path_that_is_no_utf8__is_malformed),
        IN_FOLDER(read__names_in_any_case_and_script__are_found),
    };
#undef IN_FOLDER
    return cmocka_run_group_tests(tests, NULL, NULL);
}
