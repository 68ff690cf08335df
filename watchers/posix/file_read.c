/* SPDX-License-Identifier: MIT */
#define _POSIX_C_SOURCE 200809L
#include "watchers/file_read.h"

#include "base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#define FRESH_NS 2000000000LL

static int64_t nanoseconds(struct timespec time)
{
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static struct berth_file_stamp stamp_of(const struct stat *info)
{
    struct timespec now = {0};
    struct berth_file_stamp stamp = {
        .size = (uint64_t)info->st_size,
        .modified_ns = nanoseconds(info->st_mtim),
    };

    /* a time in the future says nothing either */
    (void)clock_gettime(CLOCK_REALTIME, &now);
    stamp.fresh = nanoseconds(now) - stamp.modified_ns < FRESH_NS;
    return stamp;
}

static enum berth_code fail_errno(struct berth_error *err, const char *what)
{
    int os_code = errno;
    char words[128] = "";

    (void)uv_strerror_r(-os_code, words, sizeof words); /* libuv's codes are -errno here */
    if (os_code == ENOENT || os_code == ENOTDIR) {
        return berth_fail(err, BERTH_NOT_FOUND, os_code, "no such file or folder");
    }
    return berth_fail(err, BERTH_IO, os_code, "%s: %s", what, words);
}

static enum berth_code check_regular(const struct stat *info, struct berth_error *err)
{
    if (S_ISREG(info->st_mode)) {
        return BERTH_OK;
    }
    return berth_fail(err, BERTH_IO, S_ISDIR(info->st_mode) ? EISDIR : EINVAL,
                      S_ISDIR(info->st_mode) ? "it is a folder" : "it is not a regular file");
}

enum berth_code berth_file_stat(struct berth_file_stamp *out, const char *path,
                                struct berth_error *err)
{
    struct stat info;
    enum berth_code code;

    if (stat(path, &info) != 0) {
        return fail_errno(err, "it cannot be looked at");
    }
    code = check_regular(&info, err);
    if (code == BERTH_OK) {
        *out = stamp_of(&info);
    }
    return code;
}

/* Reads up to `size` bytes; fewer at the end of the file. -1: errno says why. */
static ssize_t read_up_to(int fd, char *bytes, size_t size)
{
    size_t taken = 0;

    while (taken < size) {
        ssize_t got = read(fd, bytes + taken, size - taken);
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            return -1;
        }
        if (got == 0) {
            break;
        }
        taken += (size_t)got;
    }
    return (ssize_t)taken;
}

/* Fills file->bytes from an open file whose state before is `before`. One byte more than expected
 * is asked for, which shows a file that has grown. */
static enum berth_code read_content(struct berth_file *file, int fd, const struct stat *before,
                                    struct berth_error *err)
{
    struct stat after;
    size_t size = (size_t)before->st_size;

    file->bytes = berth_resize(NULL, size + 1, 1);
    if (file->bytes == NULL) {
        return berth_fail_memory(err, "the file's content");
    }
    ssize_t got = read_up_to(fd, file->bytes, size + 1);
    if (got < 0 || fstat(fd, &after) != 0) {
        return fail_errno(err, "it cannot be read");
    }
    if ((size_t)got != size || after.st_size != before->st_size ||
        nanoseconds(after.st_mtim) != nanoseconds(before->st_mtim)) {
        return berth_fail(err, BERTH_UNSTABLE, 0, "it changed while it was read");
    }
    file->bytes[size] = '\0';
    file->stamp = stamp_of(&after);
    return BERTH_OK;
}

static enum berth_code check_size(const struct stat *info, size_t limit_bytes,
                                  struct berth_error *err)
{
    if (info->st_size == 0) {
        return berth_fail(err, BERTH_MALFORMED, 0, "it is empty");
    }
    if ((uint64_t)info->st_size > limit_bytes || (uint64_t)info->st_size >= SIZE_MAX) {
        return berth_fail(err, BERTH_TOO_LARGE, 0, "it has %lld bytes; %zu are accepted",
                          (long long)info->st_size, limit_bytes);
    }
    return BERTH_OK;
}

enum berth_code berth_file_read(struct berth_file *out, const char *path, size_t limit_bytes,
                                struct berth_error *err)
{
    struct berth_file file = {0};
    struct stat before;
    enum berth_code code;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

    if (fd < 0) {
        return fail_errno(err, "it cannot be opened");
    }
    if (fstat(fd, &before) != 0) {
        code = fail_errno(err, "it cannot be looked at");
        goto out;
    }
    code = check_regular(&before, err);
    if (code == BERTH_OK) {
        code = check_size(&before, limit_bytes, err);
    }
    if (code == BERTH_OK) {
        code = read_content(&file, fd, &before, err);
    }
    if (code == BERTH_OK) {
        file.hash = berth_file_hash(file.bytes, (size_t)file.stamp.size);
        *out = file;
        file.bytes = NULL;
    }

out:
    berth_free(file.bytes);
    (void)close(fd);
    return code;
}
