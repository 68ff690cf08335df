/* SPDX-License-Identifier: MIT */
#include "iis_watch_plan.h"

#include "base/memory.h"

#include <string.h>
#include <uv.h>

static bool is_separator(char c)
{
    return c == '/' || c == '\\';
}

/* The length of "\\server\share" that a path begins with: above that there is nothing to watch.
 * 0: it begins otherwise. */
static size_t share_length(const char *path)
{
    if (!is_separator(path[0]) || !is_separator(path[1])) {
        return 0;
    }
    size_t server = strcspn(path + 2, "/\\");
    if (server == 0 || path[2 + server] == '\0') {
        return 0;
    }
    size_t share = strcspn(path + 2 + server + 1, "/\\");
    return share != 0 ? 2 + server + 1 + share : 0;
}

/* Cuts a path's last part off. What cannot be cut further is a root or a share, or becomes ".". */
static void cut_last_part(char *path)
{
    size_t length = strlen(path);
    size_t share = share_length(path);

    while (length > 0 && is_separator(path[length - 1])) {
        length--;
    }
    while (length > 0 && !is_separator(path[length - 1])) {
        length--;
    }
    /* the separator goes too, but for that of a root: "/" or "C:\" */
    while (length > 1 && is_separator(path[length - 1]) && path[length - 2] != ':') {
        length--;
    }
    if (length == 0) {
        path[length++] = '.';
    }
    if (length < share) {
        length = share; /* the folder of a share is the share */
    }
    path[length] = '\0';
}

/* Looks at a path. 0: it is a folder; UV_ENOTDIR: it is something else; or what stat says. */
static int look_at_folder(struct berth_iis_folder *folder)
{
    uv_fs_t request;
    int result = uv_fs_stat(NULL, &request, folder->path, NULL);

    if (result == 0) {
        /* S_IFMT and S_IFDIR have these values on every system that libuv knows */
        result = (request.statbuf.st_mode & 0170000) == 0040000 ? 0 : UV_ENOTDIR;
        folder->device = request.statbuf.st_dev;
        folder->inode = request.statbuf.st_ino;
    }
    uv_fs_req_cleanup(&request);
    return result;
}

bool berth_iis_folder_is_same(const struct berth_iis_folder *a, const struct berth_iis_folder *b)
{
    return a->device == b->device && a->inode == b->inode && strcmp(a->path, b->path) == 0;
}

bool berth_iis_folder_is_missing(const char *file)
{
    struct berth_iis_folder folder = {.path = berth_copy(file)};

    if (folder.path == NULL || *file == '\0') {
        berth_free(folder.path);
        return false;
    }
    cut_last_part(folder.path);
    int result = look_at_folder(&folder);
    berth_free(folder.path);
    return result == UV_ENOENT || result == UV_ENOTDIR;
}

enum berth_code berth_iis_watch_plan_add(struct berth_iis_watch_plan *plan, const char *file,
                                         struct berth_error *err)
{
    struct berth_iis_folder folder = {.path = *file != '\0' ? berth_copy(file) : berth_copy("x")};
    size_t before;

    if (folder.path == NULL) {
        return berth_fail_memory(err, "a path");
    }
    do {
        before = strlen(folder.path);
        cut_last_part(folder.path);
    } while (look_at_folder(&folder) != 0 && strlen(folder.path) < before);
    for (size_t i = 0; i < plan->count; i++) {
        if (berth_iis_folder_is_same(&plan->folders[i], &folder)) {
            berth_free(folder.path);
            return BERTH_OK;
        }
    }
    if (plan->count == BERTH_IIS_FOLDERS_MAX) {
        berth_free(folder.path);
        return BERTH_OK;
    }
    plan->folders[plan->count++] = folder;
    return BERTH_OK;
}

void berth_iis_watch_plan_fini(struct berth_iis_watch_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++) {
        berth_free(plan->folders[i].path);
    }
    *plan = (struct berth_iis_watch_plan){0};
}
