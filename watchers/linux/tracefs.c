/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "tracefs.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#define FORMAT_PATH "events/sock/inet_sock_set_state/format"

static enum berth_code fail_open(struct berth_error *err, const char *root, int cause)
{
    switch (cause) {
    case ENOENT:
    case ENOTDIR:
        return berth_fail(err, BERTH_NOT_FOUND, cause,
                          "this kernel's tracing file system is not mounted, or it has no "
                          "tracepoint sock:inet_sock_set_state (Linux 4.16 and later do)");
    case EACCES:
    case EPERM:
        return berth_fail(err, BERTH_DENIED, cause,
                          "%s may not be read (CAP_DAC_READ_SEARCH is needed)", root);
    default:
        return berth_fail(err, BERTH_IO, cause, "%s/%s: %s", root, FORMAT_PATH, strerror(cause));
    }
}

static enum berth_code read_whole(int fd, char *out, size_t size, struct berth_error *err)
{
    size_t length = 0;
    ssize_t got = 1;

    while (got > 0 && length < size) {
        got = read(fd, out + length, size - length);
        if (got < 0 && errno == EINTR) {
            got = 1;
            continue;
        }
        length += got > 0 ? (size_t)got : 0;
    }
    if (got < 0) {
        return berth_fail(err, BERTH_IO, errno, "%s: %s", FORMAT_PATH, strerror(errno));
    }
    if (length == size) {
        return berth_fail(err, BERTH_TOO_LARGE, 0, "%s is longer than %zu bytes", FORMAT_PATH,
                          size - 1);
    }
    out[length] = '\0';
    return BERTH_OK;
}

/* Reads the file below a folder that is open; `root` is its name for people. */
static enum berth_code read_below(int folder, const char *root, char *out, size_t size,
                                  struct berth_error *err)
{
    int fd = openat(folder, FORMAT_PATH, O_RDONLY | O_CLOEXEC);

    if (fd < 0) {
        return fail_open(err, root, errno);
    }
    enum berth_code code = read_whole(fd, out, size, err);
    (void)close(fd);
    return code;
}

static enum berth_code read_root(const char *root, char *out, size_t size, struct berth_error *err)
{
    int folder = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (folder < 0) {
        return fail_open(err, root, errno);
    }
    enum berth_code code = read_below(folder, root, out, size, err);
    (void)close(folder);
    return code;
}

/* A mount that is attached nowhere: it ends with its descriptor.  @return -1: none is to be had */
static int mount_own(void)
{
    int context = fsopen("tracefs", FSOPEN_CLOEXEC);
    int folder = -1;

    if (context < 0) {
        return -1;
    }
    if (fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0) {
        folder =
            fsmount(context, FSMOUNT_CLOEXEC,
                    MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
    }
    (void)close(context);
    return folder;
}

enum berth_code berth_tracefs_read_format(char *out, size_t size, const char *const *roots,
                                          struct berth_error *err)
{
    static const char *const usual[] = {"/sys/kernel/tracing", "/sys/kernel/debug/tracing", NULL};
    enum berth_code code = BERTH_NOT_FOUND;

    for (roots = roots != NULL ? roots : usual; *roots != NULL; roots++) {
        code = read_root(*roots, out, size, err);
        if (code != BERTH_NOT_FOUND) {
            return code;
        }
    }
    int folder = mount_own();
    if (folder < 0) {
        return fail_open(err, "tracefs", ENOENT);
    }
    code = read_below(folder, "tracefs", out, size, err);
    (void)close(folder);
    return code;
}
