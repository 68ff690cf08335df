/* SPDX-License-Identifier: MIT */
#include "daemon/windows/service_purge.h"

#include "base/memory.h"

#include <stdio.h>
#include <string.h>
#include <uv.h>

static void remove_file(const char *folder, const char *name, struct berth_text *notes)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = berth_alloc(size, 1);
    uv_fs_t request;

    if (path == NULL) {
        return; /* the folder stays, which is noted */
    }
    (void)snprintf(path, size, "%s\\%s", folder, name);
    int status = uv_fs_unlink(NULL, &request, path, NULL);
    if (status != 0) {
        berth_text_printf(notes, "%s stays: %s\n", path, uv_strerror(status));
    }
    uv_fs_req_cleanup(&request);
    berth_free(path);
}

bool berth_service_purge_folder(const char *path, struct berth_text *notes)
{
    uv_fs_t request;
    uv_dirent_t entry;
    int status = uv_fs_lstat(NULL, &request, path, NULL);
    bool folder = status == 0 && (request.statbuf.st_mode & S_IFMT) == S_IFDIR;

    uv_fs_req_cleanup(&request);
    if (folder && uv_fs_scandir(NULL, &request, path, 0, NULL) >= 0) {
        while (uv_fs_scandir_next(&request, &entry) == 0) {
            if (entry.type != UV_DIRENT_DIR) {
                remove_file(path, entry.name, notes);
            }
        }
        uv_fs_req_cleanup(&request);
    }
    if (status == 0) {
        status = folder ? uv_fs_rmdir(NULL, &request, path, NULL) : UV_ENOTDIR;
        if (folder) {
            uv_fs_req_cleanup(&request);
        }
    }
    if (status != 0 && status != UV_ENOENT) {
        berth_text_printf(notes, "%s stays: %s\n", path, uv_strerror(status));
    }
    return status == 0 || status == UV_ENOENT;
}
