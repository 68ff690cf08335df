/* SPDX-License-Identifier: MIT */
#include "temp_dir.h"

#include "cmocka_all.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

#define PATH_UNITS 1024
#define TRIES 5000 /* a millisecond each, until a file that somebody has open is let go of */

static const wchar_t *wide(wchar_t *out, const char *text)
{
    assert_int_not_equal(
        MultiByteToWideChar(CP_UTF8, MB_ERR_INVALID_CHARS, text, -1, out, PATH_UNITS), 0);
    return out;
}

char *temp_dir_make(void)
{
    static unsigned count;
    wchar_t base[PATH_UNITS];
    wchar_t folder[PATH_UNITS];
    char path[PATH_UNITS];
    DWORD length = GetTempPathW(PATH_UNITS, base);

    assert_in_range(length, 1, PATH_UNITS - 64);
    (void)_snwprintf(folder, PATH_UNITS, L"%lsberth-test-%lu-%llu-%u", base, GetCurrentProcessId(),
                     (unsigned long long)GetTickCount64(), ++count);
    assert_true(CreateDirectoryW(folder, NULL));
    assert_int_not_equal(WideCharToMultiByte(CP_UTF8, 0, folder, -1, path, sizeof path, NULL, NULL),
                         0);
    /* as all paths of the tests: so that one may be put into another, and into XML, as it is */
    for (char *at = path; *at != '\0'; at++) {
        *at = *at == '\\' ? '/' : *at;
    }
    return _strdup(path);
}

static void remove_tree(const wchar_t *folder)
{
    wchar_t path[PATH_UNITS];
    WIN32_FIND_DATAW entry;

    (void)_snwprintf(path, PATH_UNITS, L"%ls/*", folder);
    HANDLE search = FindFirstFileW(path, &entry);
    BOOL more = search != INVALID_HANDLE_VALUE;
    while (more) {
        bool link = (entry.dwFileAttributes & FILE_ATTRIBUTE_REPARSE_POINT) != 0;

        (void)_snwprintf(path, PATH_UNITS, L"%ls/%ls", folder, entry.cFileName);
        if ((entry.dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) == 0) {
            (void)SetFileAttributesW(path, FILE_ATTRIBUTE_NORMAL);
            (void)DeleteFileW(path);
        } else if (wcscmp(entry.cFileName, L".") != 0 && wcscmp(entry.cFileName, L"..") != 0) {
            if (!link) {
                remove_tree(path);
            }
            (void)RemoveDirectoryW(path);
        }
        more = FindNextFileW(search, &entry);
    }
    if (search != INVALID_HANDLE_VALUE) {
        (void)FindClose(search);
    }
}

void temp_dir_remove(char *path)
{
    wchar_t folder[PATH_UNITS];

    if (path != NULL) {
        remove_tree(wide(folder, path));
        (void)RemoveDirectoryW(folder);
        free(path);
    }
}

const char *temp_endpoint(const char *dir, const char *name)
{
    static char pipes[4][300];
    static unsigned next;
    const char *slash = strrchr(dir, '/');
    char *pipe = pipes[next++ % 4];

    (void)snprintf(pipe, sizeof pipes[0], "\\\\.\\pipe\\%s-%s", slash != NULL ? slash + 1 : dir,
                   name);
    return pipe;
}

/* Windows moves and replaces nothing that somebody has open, as a watcher has while it reads. */
static void move_wide(const wchar_t *from, const wchar_t *to, DWORD how)
{
    bool moved = MoveFileExW(from, to, how);

    for (unsigned tries = 0; !moved && tries < TRIES; tries++) {
        DWORD os_code = GetLastError();
        assert_true(os_code == ERROR_ACCESS_DENIED || os_code == ERROR_SHARING_VIOLATION);
        Sleep(1);
        moved = MoveFileExW(from, to, how);
    }
    assert_true(moved);
}

void move_path(const char *from, const char *to)
{
    wchar_t wide_from[PATH_UNITS];
    wchar_t wide_to[PATH_UNITS];

    move_wide(wide(wide_from, from), wide(wide_to, to), 0);
}

void replace_file(const char *path, const void *bytes, size_t size)
{
    char temporary[PATH_UNITS];
    wchar_t from[PATH_UNITS];
    wchar_t to[PATH_UNITS];

    (void)snprintf(temporary, sizeof temporary, "%s.new", path);
    write_file(temporary, bytes, size);
    move_wide(wide(from, temporary), wide(to, path), MOVEFILE_REPLACE_EXISTING);
}

/* What was removed keeps its name until the last one who has it open lets go of it; Wine lets
 * others open it meanwhile. */
void remove_file(const char *path)
{
    wchar_t name[PATH_UNITS];
    DWORD attributes = 0;

    assert_true(DeleteFileW(wide(name, path)));
    for (unsigned tries = 0; tries < TRIES; tries++) {
        attributes = GetFileAttributesW(name);
        if (attributes == INVALID_FILE_ATTRIBUTES && GetLastError() == ERROR_FILE_NOT_FOUND) {
            return;
        }
        Sleep(1);
    }
    fail_msg("%s is still there: attributes %lx, error %lu", path, attributes, GetLastError());
}

void add_folder(const char *path)
{
    wchar_t folder[PATH_UNITS];

    assert_true(CreateDirectoryW(wide(folder, path), NULL));
}

/* A privilege that services and tests need not have. */
bool link_folder(const char *to, const char *path)
{
    (void)to;
    (void)path;
    return false;
}

/* The C library's copy of the environment knows no empty values, Windows' own does. */
void set_environment(const char *name, const char *value)
{
    wchar_t name_wide[PATH_UNITS];
    wchar_t value_wide[PATH_UNITS];

    assert_int_equal(_putenv_s(name, value != NULL ? value : ""), 0);
    if (value != NULL && value[0] == '\0') {
        assert_true(SetEnvironmentVariableW(wide(name_wide, name), wide(value_wide, value)));
    }
}
