/* SPDX-License-Identifier: MIT */
#include "log_file.h"

#include "base/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#define SUFFIX_SIZE 12 /* "." and a number */
#define NOTICE_SIZE 160

struct berth_log_file {
    char *path;
    char *from; /* two paths with room for a suffix: rotation takes no memory */
    char *to;
    uint64_t size_bytes;
    unsigned keep;
    uint64_t (*now_ms)(void *ctx);
    void (*on_trouble)(void *ctx, const char *reason);
    void *ctx;

    uv_mutex_t lock;
    uv_file fd; /* -1: not open */
    uint64_t length;
    uint64_t retry_ms;  /* while there is trouble: nothing is tried before */
    uint64_t rotate_ms; /* the same for moving a full file behind */
    uint64_t lost;      /* in all */
    uint64_t lost_now;  /* not told yet in the file */
    bool trouble;
};

static uint64_t monotonic_ms(void *ctx)
{
    (void)ctx;
    return uv_hrtime() / 1000000;
}

/* ---- the disk: libuv's calls without a loop, which take UTF-8 paths on every platform ---- */

static int open_file(struct berth_log_file *file)
{
    uv_fs_t request;
    int fd = uv_fs_open(NULL, &request, file->path, UV_FS_O_WRONLY | UV_FS_O_APPEND | UV_FS_O_CREAT,
                        0640, NULL);

    uv_fs_req_cleanup(&request);
    if (fd < 0) {
        return fd;
    }
    int status = uv_fs_fstat(NULL, &request, fd, NULL);
    uint64_t length = request.statbuf.st_size;
    uv_fs_req_cleanup(&request);
    if (status < 0) {
        (void)uv_fs_close(NULL, &request, fd, NULL);
        uv_fs_req_cleanup(&request);
        return status;
    }
    file->fd = fd;
    file->length = length;
    return 0;
}

static void close_file(struct berth_log_file *file)
{
    uv_fs_t request;

    if (file->fd >= 0) {
        (void)uv_fs_close(NULL, &request, file->fd, NULL);
        uv_fs_req_cleanup(&request);
        file->fd = -1;
    }
}

/* Cuts the file back to whole lines after a write that the disk took a part of. */
static void cut_back(struct berth_log_file *file)
{
    uv_fs_t request;

    (void)uv_fs_ftruncate(NULL, &request, file->fd, (int64_t)file->length, NULL);
    uv_fs_req_cleanup(&request);
}

static int write_all(struct berth_log_file *file, const char *bytes, size_t length)
{
    uv_buf_t buffer = uv_buf_init((char *)(uintptr_t)bytes, (unsigned)length);
    uv_fs_t request;
    int written = (int)uv_fs_write(NULL, &request, file->fd, &buffer, 1, -1, NULL);

    uv_fs_req_cleanup(&request);
    if (written == (int)length) {
        file->length += length;
        return 0;
    }
    if (written > 0) {
        cut_back(file);
    }
    return written < 0 ? written : UV_ENOSPC;
}

static const char *numbered(const struct berth_log_file *file, char *out, unsigned number)
{
    size_t length = strlen(file->path);

    memcpy(out, file->path, length + 1);
    if (number != 0) {
        (void)snprintf(out + length, SUFFIX_SIZE, ".%u", number);
    }
    return out;
}

static int rename_file(const char *from, const char *to)
{
    uv_fs_t request;
    int status = uv_fs_rename(NULL, &request, from, to, NULL);

    uv_fs_req_cleanup(&request);
    return status == UV_ENOENT ? 0 : status;
}

static int remove_file(const char *path)
{
    uv_fs_t request;
    int status = uv_fs_unlink(NULL, &request, path, NULL);

    uv_fs_req_cleanup(&request);
    return status == UV_ENOENT ? 0 : status;
}

static bool exists(const char *path)
{
    uv_fs_t request;
    int status = uv_fs_stat(NULL, &request, path, NULL);

    uv_fs_req_cleanup(&request);
    return status == 0;
}

/* ---- moving a full file behind ---- */

/* Makes room for x.log.1 by moving the old ones up. Only as far as the first gap: a rotation that
 * was broken off half-way costs no file when it is done again. */
static int shift_old_files(struct berth_log_file *file)
{
    unsigned gap = 1;

    while (gap <= file->keep && exists(numbered(file, file->from, gap))) {
        gap++;
    }
    int status = 0;
    for (unsigned i = file->keep + 1; gap > file->keep && i <= BERTH_LOG_FILE_KEEP_MAX; i++) {
        if (!exists(numbered(file, file->from, i))) {
            break; /* left over from when more were kept */
        }
        (void)remove_file(file->from);
    }
    if (gap > file->keep) {
        gap = file->keep;
        status = remove_file(numbered(file, file->from, gap));
    }
    for (unsigned i = gap; status == 0 && i > 1; i--) {
        status = rename_file(numbered(file, file->from, i - 1), numbered(file, file->to, i));
    }
    return status;
}

static int rotate(struct berth_log_file *file)
{
    int status;

    close_file(file); /* Windows renames no file that somebody has open without sharing it */
    if (file->keep == 0) {
        status = remove_file(file->path);
    } else {
        status = shift_old_files(file);
        if (status == 0) {
            status = rename_file(file->path, numbered(file, file->to, 1));
        }
    }
    int opened = open_file(file);
    return status != 0 ? status : opened;
}

/* ---- trouble ---- */

static void lose(struct berth_log_file *file, const char *what, int status)
{
    char reason[NOTICE_SIZE];

    file->lost++;
    file->lost_now++;
    if (file->trouble) {
        return;
    }
    file->trouble = true;
    if (file->on_trouble != NULL) {
        (void)snprintf(reason, sizeof reason, "%s: %s", what, uv_strerror(status));
        file->on_trouble(file->ctx, reason);
    }
}

static int tell_lost(struct berth_log_file *file)
{
    char notice[NOTICE_SIZE];

    if (file->lost_now == 0) {
        return 0;
    }
    int length = snprintf(notice, sizeof notice,
                          "[%" PRIu64 " lines are missing here: the file could not be written]\n",
                          file->lost_now);
    int status = write_all(file, notice, (size_t)length);
    if (status == 0) {
        file->lost_now = 0;
    }
    return status;
}

/* ---- contract ---- */

static int make_folder(const char *path)
{
    const char *end = path + strlen(path);

    while (end > path && end[-1] != '/' && end[-1] != '\\') {
        end--;
    }
    char *folder = berth_copy_n(path, end > path ? (size_t)(end - path - 1) : 0);
    uv_fs_t request;

    if (folder == NULL) {
        return UV_ENOMEM;
    }
    if (*folder != '\0') {
        /* what comes of it, opening the file will tell */
        (void)uv_fs_mkdir(NULL, &request, folder, 0750, NULL);
        uv_fs_req_cleanup(&request);
    }
    berth_free(folder);
    return 0;
}

static enum berth_code prepare(struct berth_log_file *file,
                               const struct berth_log_file_options *options,
                               struct berth_error *err)
{
    size_t size = strlen(options->path) + SUFFIX_SIZE;

    file->path = berth_copy(options->path);
    file->from = berth_alloc(size, 1);
    file->to = berth_alloc(size, 1);
    if (file->path == NULL || file->from == NULL || file->to == NULL) {
        return berth_fail_memory(err, "the log file");
    }
    file->size_bytes = options->size_bytes;
    file->keep = options->keep;
    file->now_ms = options->now_ms != NULL ? options->now_ms : monotonic_ms;
    file->on_trouble = options->on_trouble;
    file->ctx = options->ctx;
    int status = make_folder(options->path);
    if (status == 0) {
        status = open_file(file);
    }
    if (status != 0) {
        return berth_fail(err, status == UV_ENOMEM ? BERTH_NO_MEMORY : BERTH_IO, status,
                          "cannot open the log file %s: %s", options->path, uv_strerror(status));
    }
    return BERTH_OK;
}

static void release(struct berth_log_file *file)
{
    close_file(file);
    berth_free(file->path);
    berth_free(file->from);
    berth_free(file->to);
    berth_free(file);
}

enum berth_code berth_log_file_open(struct berth_log_file **out,
                                    const struct berth_log_file_options *options,
                                    struct berth_error *err)
{
    struct berth_log_file *file = berth_alloc(1, sizeof *file);

    if (file == NULL) {
        return berth_fail_memory(err, "the log file");
    }
    file->fd = -1;
    enum berth_code code = prepare(file, options, err);
    if (code == BERTH_OK && uv_mutex_init(&file->lock) != 0) {
        code = berth_fail(err, BERTH_IO, 0, "no lock for the log file");
    }
    if (code != BERTH_OK) {
        release(file);
        return code;
    }
    *out = file;
    return BERTH_OK;
}

/* Moves the file behind when the line would take it past its bound; not again at once after a
 * failure. What comes of it shows in the file's length. */
static int move_when_full(struct berth_log_file *file, size_t length, uint64_t now)
{
    if (file->length == 0 || file->length + length <= file->size_bytes || now < file->rotate_ms) {
        return 0;
    }
    int status = rotate(file);
    file->rotate_ms = status == 0 ? 0 : now + BERTH_LOG_FILE_RETRY_MS;
    return status;
}

/* Opens a file that failed and moves one that is full.  @return false: the line is lost, noted */
static bool make_ready(struct berth_log_file *file, size_t length, uint64_t now)
{
    if (file->trouble && now < file->retry_ms) {
        lose(file, "not tried", 0);
        return false;
    }
    int status = file->fd >= 0 ? 0 : open_file(file);
    if (status == 0) {
        status = move_when_full(file, length, now);
    }
    if (file->fd < 0) {
        lose(file, "it cannot be opened", status);
        return false;
    }
    if (file->length != 0 && file->length + length > 2 * file->size_bytes) {
        lose(file, "it is full and cannot be moved", status != 0 ? status : UV_EBUSY);
        return false;
    }
    return true;
}

void berth_log_file_write(struct berth_log_file *file, const char *line, size_t length)
{
    uv_mutex_lock(&file->lock);
    uint64_t now = file->now_ms(file->ctx);
    bool written = make_ready(file, length, now);

    if (written) {
        int status = tell_lost(file);
        status = status == 0 ? write_all(file, line, length) : status;
        if (status != 0) {
            close_file(file); /* opened anew: a network drive that is back needs that */
            lose(file, "it cannot be written", status);
            written = false;
        }
    }
    if (written) {
        file->trouble = false;
    } else if (now >= file->retry_ms) {
        file->retry_ms = now + BERTH_LOG_FILE_RETRY_MS;
    }
    uv_mutex_unlock(&file->lock);
}

uint64_t berth_log_file_lost(struct berth_log_file *file)
{
    uv_mutex_lock(&file->lock);
    uint64_t lost = file->lost;
    uv_mutex_unlock(&file->lock);
    return lost;
}

void berth_log_file_close(struct berth_log_file *file)
{
    if (file != NULL) {
        uv_mutex_destroy(&file->lock);
        release(file);
    }
}
