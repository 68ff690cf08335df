/* SPDX-License-Identifier: MIT */
/* The configuration from a file, with the process's environment. */
#include "settings.h"

#include "watchers/file_read.h"

#include <uv.h>

/* Adds an environment variable. libuv converts from UTF-16 where the platform has that. */
static bool add_environment(void *context, const char *name, struct berth_text *out)
{
    char probe[1];
    size_t size = sizeof probe;
    int result = uv_os_getenv(name, probe, &size);

    (void)context;
    if (result == 0) {
        return true; /* it is there, and empty */
    }
    if (result != UV_ENOBUFS) {
        return false;
    }
    /* `size` counts the NUL now, for which a text has room beyond what is reserved */
    if (!berth_text_reserve(out, size - 1)) {
        return true;
    }
    if (uv_os_getenv(name, out->data + out->length, &size) != 0) {
        out->data[out->length] = '\0';
        return false;
    }
    out->length += size;
    return true;
}

enum berth_code berth_settings_load(struct berth_settings *out, const char *path,
                                    struct berth_diagnostics *diagnostics, struct berth_error *err)
{
    static const struct berth_variables environment = {add_environment, NULL};
    struct berth_file file;

    enum berth_code code = berth_file_read(&file, path, BERTH_SETTINGS_FILE_MAX, err);
    if (code == BERTH_MALFORMED) { /* empty: a remark as any other */
        return berth_settings_parse(out, "", 0, path, &environment, diagnostics, err);
    }
    if (code != BERTH_OK) {
        berth_error_prefix(err, "%s", path);
        return code;
    }
    code = berth_settings_parse(out, file.bytes, (size_t)file.stamp.size, path, &environment,
                                diagnostics, err);
    berth_file_fini(&file);
    return code;
}
