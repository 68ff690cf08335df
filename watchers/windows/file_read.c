/* SPDX-License-Identifier: MIT */
#include "watchers/file_read.h"

#include "base/memory.h"
#include "base/windows/os_text.h"
#include "base/windows/wide.h"

#include <windows.h>

#include <string.h>

#define FRESH_TICKS 20000000LL /* two seconds of 100 ns */
#define TICKS_TO_1970 116444736000000000LL
#define NS_PER_TICK 100
#define READ_BYTES_MAX (16u << 20)
#define TRANSACTIONAL_CONFLICT 6800 /* ERROR_TRANSACTIONAL_CONFLICT, which mingw-w64 lacks */
#define SHARE_ALL (FILE_SHARE_READ | FILE_SHARE_WRITE | FILE_SHARE_DELETE)

static int64_t ticks_of(FILETIME time)
{
    return (int64_t)((uint64_t)time.dwHighDateTime << 32 | time.dwLowDateTime);
}

static struct berth_file_stamp stamp_of(const BY_HANDLE_FILE_INFORMATION *info)
{
    int64_t modified = ticks_of(info->ftLastWriteTime);
    FILETIME now;

    GetSystemTimeAsFileTime(&now);
    return (struct berth_file_stamp){
        .size = (uint64_t)info->nFileSizeHigh << 32 | info->nFileSizeLow,
        .modified_ns = (modified - TICKS_TO_1970) * NS_PER_TICK,
        /* a time in the future says nothing either */
        .fresh = ticks_of(now) - modified < FRESH_TICKS,
    };
}

static enum berth_code fail_with(struct berth_error *err, enum berth_code code, DWORD os_code,
                                 const char *what)
{
    char words[256];

    return berth_fail(err, code, (int)os_code, "%s: %s", what,
                      berth_os_text(words, sizeof words, os_code));
}

/* Who writes a file may keep others out, and IIS writes within a transaction when it can: that
 * passes, and is no damage. A server that cannot be reached is not a file that is missing. */
static enum berth_code fail_last(struct berth_error *err, const char *what)
{
    DWORD os_code = GetLastError();

    switch (os_code) {
    case ERROR_FILE_NOT_FOUND:
    case ERROR_PATH_NOT_FOUND:
        return berth_fail(err, BERTH_NOT_FOUND, (int)os_code, "no such file or folder");
    case ERROR_SHARING_VIOLATION:
    case ERROR_LOCK_VIOLATION:
    case TRANSACTIONAL_CONFLICT:
    case ERROR_DELETE_PENDING:
        return fail_with(err, BERTH_UNSTABLE, os_code, what);
    default:
        return fail_with(err, BERTH_IO, os_code, what);
    }
}

/* A folder is refused with "access denied", which would send people looking for rights. */
static enum berth_code fail_open(const wchar_t *path, struct berth_error *err)
{
    DWORD os_code = GetLastError();
    DWORD attributes =
        os_code == ERROR_ACCESS_DENIED ? GetFileAttributesW(path) : INVALID_FILE_ATTRIBUTES;

    if (attributes != INVALID_FILE_ATTRIBUTES && (attributes & FILE_ATTRIBUTE_DIRECTORY) != 0) {
        return berth_fail(err, BERTH_IO, (int)os_code, "it is a folder");
    }
    SetLastError(os_code);
    return fail_last(err, "it cannot be opened");
}

/* Opens a file, and nothing else: a pipe's server would learn who asks, and no more than that. */
static enum berth_code open_file(HANDLE *out, const char *path, DWORD access,
                                 struct berth_error *err)
{
    wchar_t *wide = berth_wide(path);
    enum berth_code code = BERTH_OK;

    if (wide == NULL) {
        return GetLastError() == ERROR_NO_UNICODE_TRANSLATION
                   ? berth_fail(err, BERTH_MALFORMED, ERROR_NO_UNICODE_TRANSLATION,
                                "its path is not written in UTF-8")
                   : berth_fail_memory(err, "a path");
    }
    *out = CreateFileW(wide, access, SHARE_ALL, NULL, OPEN_EXISTING,
                       FILE_FLAG_SEQUENTIAL_SCAN | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION,
                       NULL);
    if (*out == INVALID_HANDLE_VALUE) {
        code = fail_open(wide, err);
    } else if (GetFileType(*out) != FILE_TYPE_DISK) {
        (void)CloseHandle(*out);
        code = berth_fail(err, BERTH_IO, ERROR_INVALID_HANDLE, "it is not a regular file");
    }
    berth_free(wide);
    return code;
}

static enum berth_code get_info(BY_HANDLE_FILE_INFORMATION *out, HANDLE file,
                                struct berth_error *err)
{
    if (!GetFileInformationByHandle(file, out)) {
        return fail_last(err, "it cannot be looked at");
    }
    if ((out->dwFileAttributes & FILE_ATTRIBUTE_DIRECTORY) != 0) {
        return berth_fail(err, BERTH_IO, ERROR_DIRECTORY, "it is a folder");
    }
    return BERTH_OK;
}

/* By an open file rather than by its folder's entry, which lags behind while it is written. */
enum berth_code berth_file_stat(struct berth_file_stamp *out, const char *path,
                                struct berth_error *err)
{
    BY_HANDLE_FILE_INFORMATION info;
    HANDLE file = INVALID_HANDLE_VALUE;
    enum berth_code code = open_file(&file, path, FILE_READ_ATTRIBUTES, err);

    if (code != BERTH_OK) {
        return code;
    }
    code = get_info(&info, file, err);
    if (code == BERTH_OK) {
        *out = stamp_of(&info);
    }
    (void)CloseHandle(file);
    return code;
}

/* Reads up to `size` bytes; fewer at the end of the file. */
static enum berth_code read_up_to(HANDLE file, char *bytes, size_t size, size_t *taken,
                                  struct berth_error *err)
{
    *taken = 0;
    while (*taken < size) {
        size_t rest = size - *taken;
        DWORD got = 0;
        if (!ReadFile(file, bytes + *taken, rest < READ_BYTES_MAX ? (DWORD)rest : READ_BYTES_MAX,
                      &got, NULL)) {
            return fail_last(err, "it cannot be read");
        }
        if (got == 0) {
            break;
        }
        *taken += got;
    }
    return BERTH_OK;
}

/* Fills file->bytes from an open file whose state before is `before`. One byte more than expected
 * is asked for, which shows a file that has grown. */
static enum berth_code read_content(struct berth_file *file, HANDLE handle,
                                    const struct berth_file_stamp *before, struct berth_error *err)
{
    BY_HANDLE_FILE_INFORMATION info;
    size_t size = (size_t)before->size;
    size_t taken;

    file->bytes = berth_resize(NULL, size + 1, 1);
    if (file->bytes == NULL) {
        return berth_fail_memory(err, "the file's content");
    }
    enum berth_code code = read_up_to(handle, file->bytes, size + 1, &taken, err);
    if (code == BERTH_OK) {
        code = get_info(&info, handle, err);
    }
    if (code != BERTH_OK) {
        return code;
    }
    file->stamp = stamp_of(&info);
    if (taken != size || file->stamp.size != before->size ||
        file->stamp.modified_ns != before->modified_ns) {
        return berth_fail(err, BERTH_UNSTABLE, 0, "it changed while it was read");
    }
    file->bytes[size] = '\0';
    return BERTH_OK;
}

static enum berth_code check_size(const struct berth_file_stamp *stamp, size_t limit_bytes,
                                  struct berth_error *err)
{
    if (stamp->size == 0) {
        return berth_fail(err, BERTH_MALFORMED, 0, "it is empty");
    }
    if (stamp->size > limit_bytes || stamp->size >= SIZE_MAX) {
        return berth_fail(err, BERTH_TOO_LARGE, 0, "it has %llu bytes; %zu are accepted",
                          (unsigned long long)stamp->size, limit_bytes);
    }
    return BERTH_OK;
}

enum berth_code berth_file_read(struct berth_file *out, const char *path, size_t limit_bytes,
                                struct berth_error *err)
{
    struct berth_file file = {0};
    BY_HANDLE_FILE_INFORMATION info;
    struct berth_file_stamp before = {0};
    HANDLE handle = INVALID_HANDLE_VALUE;
    enum berth_code code = open_file(&handle, path, GENERIC_READ, err);

    if (code != BERTH_OK) {
        return code;
    }
    code = get_info(&info, handle, err);
    if (code == BERTH_OK) {
        before = stamp_of(&info);
        code = check_size(&before, limit_bytes, err);
    }
    if (code == BERTH_OK) {
        code = read_content(&file, handle, &before, err);
    }
    (void)CloseHandle(handle);
    if (code != BERTH_OK) {
        berth_file_fini(&file);
        return code;
    }
    file.hash = berth_file_hash(file.bytes, (size_t)file.stamp.size);
    *out = file;
    return BERTH_OK;
}
