/* SPDX-License-Identifier: MIT */
#include "daemon/places.h"

#include "base/memory.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define ROOT_FOLDER "/run/berth"

static enum berth_code copy_joined(char **out, const char *folder, const char *name,
                                   struct berth_error *err)
{
    size_t size = strlen(folder) + strlen(name) + 2;
    char *path = berth_alloc(size, 1);

    if (path == NULL) {
        return berth_fail_memory(err, "a path");
    }
    (void)snprintf(path, size, "%s/%s", folder, name);
    *out = path;
    return BERTH_OK;
}

enum berth_code berth_place_endpoint(char **out, struct berth_error *err)
{
    const char *service = getenv("RUNTIME_DIRECTORY");
    const char *session = getenv("XDG_RUNTIME_DIR");

    if (service != NULL && *service == '/') {
        return copy_joined(out, service, "berth.sock", err);
    }
    if (geteuid() == 0) {
        return copy_joined(out, ROOT_FOLDER, "berth.sock", err);
    }
    if (session != NULL && *session == '/') {
        return copy_joined(out, session, "berth.sock", err);
    }
    return berth_fail(err, BERTH_NOT_FOUND, 0,
                      "no endpoint: neither RUNTIME_DIRECTORY nor XDG_RUNTIME_DIR is set; give one "
                      "with --endpoint");
}

enum berth_code berth_place_state(char **out, struct berth_error *err)
{
    const char *service = getenv("STATE_DIRECTORY");
    const char *state = getenv("XDG_STATE_HOME");
    const char *home = getenv("HOME");

    if (service != NULL && *service == '/' && strchr(service, ':') == NULL) {
        return copy_joined(out, service, "", err);
    }
    if (geteuid() == 0) {
        return copy_joined(out, "/var/lib", "berth", err);
    }
    if (state != NULL && *state == '/') {
        return copy_joined(out, state, "berth", err);
    }
    if (home != NULL && *home == '/') {
        return copy_joined(out, home, ".local/state/berth", err);
    }
    return berth_fail(
        err, BERTH_NOT_FOUND, 0,
        "no place for the leases: neither STATE_DIRECTORY, XDG_STATE_HOME nor HOME is "
        "set; give one with --state");
}

enum berth_code berth_place_settings(char **out, struct berth_error *err)
{
    return copy_joined(out, "/etc/berth", "berthd.config", err);
}

enum berth_code berth_place_iis_config(char **out, bool *lacking, struct berth_error *err)
{
    (void)out;
    *lacking = true;
    return berth_fail(err, BERTH_NOT_FOUND, 0,
                      "no applicationHost.config is configured (<iis config=\"…\"/>)");
}

enum berth_code berth_place_log(char **out, struct berth_error *err)
{
    (void)out;
    return berth_fail(err, BERTH_NOT_FOUND, 0, "the log goes to standard error");
}

enum berth_code berth_place_prepare_endpoint(const char *endpoint, struct berth_error *err)
{
    if (strncmp(endpoint, ROOT_FOLDER "/", sizeof ROOT_FOLDER) != 0) {
        return BERTH_OK;
    }
    if (mkdir(ROOT_FOLDER, 0755) != 0 && errno != EEXIST) {
        return berth_fail(err, BERTH_IO, errno, "cannot make %s: %s", ROOT_FOLDER, strerror(errno));
    }
    return BERTH_OK;
}

enum berth_code berth_place_prepare_state(const char *folder, struct berth_error *err)
{
    (void)folder; /* the store makes it, for its user alone */
    (void)err;
    return BERTH_OK;
}

const char *berth_place_platform(void)
{
    return "linux";
}
