/* SPDX-License-Identifier: MIT */
/* The state folder and the store's files as SQLite is about to find them. SQLite would take an
 * empty file, or none at all, for a new database and throw a write-ahead log beside it away; here
 * that is only so where nothing says that there was one. */
#include "store_internal.h"

#include "base/memory.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#define LOG_SUFFIX "-wal"

/* Gives the kind (S_IFMT) and size of a file.  @return 0 or libuv's code */
static int look_at(const char *path, uint64_t *kind, uint64_t *size)
{
    uv_fs_t request;
    int result = uv_fs_stat(NULL, &request, path, NULL);

    *kind = result == 0 ? request.statbuf.st_mode & S_IFMT : 0;
    *size = result == 0 ? request.statbuf.st_size : 0;
    uv_fs_req_cleanup(&request);
    return result;
}

static int make_one(const char *folder)
{
    uv_fs_t request;
    int result = uv_fs_mkdir(NULL, &request, folder, 0700, NULL);

    uv_fs_req_cleanup(&request);
    return result;
}

static bool is_separator(char c)
{
    return c == '/' || c == '\\';
}

/* Makes the folders above `folder`, outermost first; whether that went well shows with the last. */
static void make_parents(char *folder)
{
    for (size_t i = 1; folder[i] != '\0'; i++) {
        if (is_separator(folder[i])) {
            char separator = folder[i];
            folder[i] = '\0';
            (void)make_one(folder);
            folder[i] = separator;
        }
    }
}

enum berth_code berth_store_make_folder(const char *folder, struct berth_error *err)
{
    uint64_t kind;
    uint64_t size;
    int result = look_at(folder, &kind, &size);

    if (result == UV_ENOENT) {
        result = make_one(folder);
        if (result == UV_ENOENT) {
            char *copy = berth_copy(folder);
            if (copy == NULL) {
                return berth_fail_memory(err, "the state folder's name");
            }
            make_parents(copy);
            berth_free(copy);
            result = make_one(folder);
        }
        return result == 0 || result == UV_EEXIST
                   ? BERTH_OK
                   : berth_store_fail_file(folder, result, "making the state folder", err);
    }
    if (result == 0 && kind != S_IFDIR) {
        return berth_store_fail_file(folder, UV_ENOTDIR, "the state folder", err);
    }
    return result == 0 ? BERTH_OK : berth_store_fail_file(folder, result, "the state folder", err);
}

/* Makes an empty file that only its owner can read: SQLite would let everybody. */
static enum berth_code make_file(const char *path, struct berth_error *err)
{
    uv_fs_t request;
    int file = uv_fs_open(NULL, &request, path, UV_FS_O_RDWR | UV_FS_O_CREAT, 0600, NULL);

    uv_fs_req_cleanup(&request);
    if (file < 0) {
        return berth_store_fail_file(path, file, "making the lease store", err);
    }
    (void)uv_fs_close(NULL, &request, file, NULL);
    uv_fs_req_cleanup(&request);
    return BERTH_OK;
}

static enum berth_code log_size(const char *path, uint64_t *size, struct berth_error *err)
{
    size_t length = strlen(path) + sizeof LOG_SUFFIX;
    char *log = berth_alloc(length, 1);
    uint64_t kind;

    if (log == NULL) {
        return berth_fail_memory(err, "the lease store's name");
    }
    (void)snprintf(log, length, "%s" LOG_SUFFIX, path);
    (void)look_at(log, &kind, size);
    berth_free(log);
    return BERTH_OK;
}

/* The database is missing or empty: fine only where there never was one. */
static enum berth_code examine_new(const struct berth_store *store, bool missing,
                                   struct berth_error *err)
{
    struct berth_store_mark mark;
    uint64_t log = 0;

    enum berth_code code = log_size(store->path, &log, err);
    if (code != BERTH_OK) {
        return code;
    }
    if (berth_store_mark_read(store->mark_path, &mark) || log > 0) {
        return berth_store_fail_damaged(
            store, missing ? "the file is gone, its -mark or -wal is there" : "the file is empty",
            err);
    }
    return missing ? make_file(store->path, err) : BERTH_OK;
}

enum berth_code berth_store_examine(const struct berth_store *store, struct berth_error *err)
{
    uint64_t kind;
    uint64_t size;
    int result = look_at(store->path, &kind, &size);

    /* SQLite takes a single byte for nothing, too */
    if (result == UV_ENOENT || (result == 0 && kind == S_IFREG && size <= 1)) {
        return examine_new(store, result == UV_ENOENT, err);
    }
    if (result != 0) {
        return berth_store_fail_file(store->path, result, "the lease store", err);
    }
    if (kind != S_IFREG) {
        return berth_fail(err, BERTH_STORE_FAILED, 0,
                          "the lease store %.180s is %s, not a file: remove it or name another "
                          "state folder",
                          store->path, kind == S_IFDIR ? "a folder" : "something special");
    }
    return BERTH_OK;
}

/* A file's name must be on the disk as well as its content. Where folders cannot be opened
 * (Windows) the file system sees to it. */
static enum berth_code sync_one(const char *folder, struct berth_error *err)
{
    uv_fs_t request;
    int file = uv_fs_open(NULL, &request, folder, UV_FS_O_RDONLY, 0, NULL);

    uv_fs_req_cleanup(&request);
    if (file < 0) {
        return BERTH_OK;
    }
    int result = uv_fs_fsync(NULL, &request, file, NULL);
    uv_fs_req_cleanup(&request);
    (void)uv_fs_close(NULL, &request, file, NULL);
    uv_fs_req_cleanup(&request);
    if (result == UV_EIO || result == UV_ENOSPC) {
        return berth_store_fail_file(folder, result, "making durable", err);
    }
    return BERTH_OK;
}

enum berth_code berth_store_sync_folder(const char *folder, struct berth_error *err)
{
    size_t length = strlen(folder);
    char *parent = berth_alloc(length + 4, 1);

    if (parent == NULL) {
        return berth_fail_memory(err, "the state folder's name");
    }
    (void)snprintf(parent, length + 4, "%s/..", folder);
    enum berth_code code = sync_one(folder, err);
    if (code == BERTH_OK) {
        code = sync_one(parent, err);
    }
    berth_free(parent);
    return code;
}
