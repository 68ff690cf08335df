/* SPDX-License-Identifier: MIT */
#include "file_replace.h"

#include "base/text.h"

#include <fcntl.h>
#include <uv.h>

#define PATH_MAX_BYTES ((size_t)8192)

/* libuv's calls without a loop: they block, and take UTF-8 on every system. */

static int open_new(const char *path)
{
    uv_fs_t request;

    /* what lies there is one of an earlier run's, or a link that is not to be followed */
    (void)uv_fs_unlink(NULL, &request, path, NULL);
    uv_fs_req_cleanup(&request);
    int file =
        uv_fs_open(NULL, &request, path, UV_FS_O_WRONLY | UV_FS_O_CREAT | UV_FS_O_EXCL, 0644, NULL);
    uv_fs_req_cleanup(&request);
    return file;
}

static int write_all(int file, char *bytes, size_t length)
{
    int status = 0;

    for (size_t done = 0; done < length && status >= 0;) {
        uv_fs_t request;
        uv_buf_t buffer = uv_buf_init(bytes + done, (unsigned)(length - done));
        status = uv_fs_write(NULL, &request, file, &buffer, 1, -1, NULL);
        uv_fs_req_cleanup(&request);
        if (status == 0) {
            return UV_ENOSPC;
        }
        done += status > 0 ? (size_t)status : 0;
    }
    return status < 0 ? status : 0;
}

static int close_file(int file)
{
    uv_fs_t request;
    int status = uv_fs_close(NULL, &request, file, NULL);

    uv_fs_req_cleanup(&request);
    return status;
}

static int rename_file(const char *from, const char *to)
{
    uv_fs_t request;
    int status = uv_fs_rename(NULL, &request, from, to, NULL);

    uv_fs_req_cleanup(&request);
    return status;
}

static int replace(const char *path, const char *fresh, char *bytes, size_t length)
{
    uv_fs_t request;
    int file = open_new(fresh);

    if (file < 0) {
        return file;
    }
    int status = write_all(file, bytes, length);
    int closed = close_file(file);
    status = status != 0 ? status : closed;
    if (status == 0) {
        status = rename_file(fresh, path);
    }
    if (status != 0) {
        (void)uv_fs_unlink(NULL, &request, fresh, NULL);
        uv_fs_req_cleanup(&request);
    }
    return status;
}

enum berth_code berth_file_replace(const char *path, char *bytes, size_t length,
                                   struct berth_error *err)
{
    struct berth_text fresh;

    berth_text_init(&fresh, PATH_MAX_BYTES);
    berth_text_printf(&fresh, "%s.new", path);
    if (fresh.failed != BERTH_OK) {
        berth_text_fini(&fresh);
        return berth_fail_memory(err, "a file's name");
    }
    int status = replace(path, berth_text_string(&fresh), bytes, length);
    berth_text_fini(&fresh);
    if (status != 0) {
        return berth_fail(err, BERTH_IO, status, "%s cannot be written: %s", path,
                          uv_strerror(status));
    }
    return BERTH_OK;
}
