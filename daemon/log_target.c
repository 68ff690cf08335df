/* SPDX-License-Identifier: MIT */
#include "log_target.h"

#include "base/memory.h"
#include "log.h"
#include "log_file.h"
#include "places.h"

static struct {
    struct berth_log_file *file; /* NULL: standard error */
    char *default_path;          /* NULL: standard error is the default */
    berth_log_target_trouble *trouble;
} target;

static void write_line(void *ctx, const char *line, size_t length)
{
    berth_log_file_write(ctx, line, length);
}

static void on_trouble(void *ctx, const char *reason)
{
    (void)ctx;
    target.trouble(reason);
}

static void use(struct berth_log_file *file)
{
    berth_log_use_sink(file != NULL ? write_line : NULL, file);
    berth_log_file_close(target.file);
    target.file = file;
}

static enum berth_code open_file(const char *path, uint64_t size_bytes, unsigned keep,
                                 struct berth_error *err)
{
    struct berth_log_file *file;
    const struct berth_log_file_options options = {
        .path = path,
        .size_bytes = size_bytes,
        .keep = keep,
        .on_trouble = target.trouble != NULL ? on_trouble : NULL,
    };
    enum berth_code code = berth_log_file_open(&file, &options, err);

    if (code == BERTH_OK) {
        use(file);
    }
    return code;
}

enum berth_code berth_log_target_start(bool service, berth_log_target_trouble *trouble,
                                       struct berth_error *err)
{
    target.trouble = trouble;
    if (!service) {
        return BERTH_OK;
    }
    enum berth_code code = berth_place_log(&target.default_path, err);
    if (code == BERTH_NOT_FOUND) {
        return BERTH_OK;
    }
    if (code == BERTH_OK) {
        code = open_file(target.default_path, BERTH_LOG_FILE_SIZE, BERTH_LOG_FILE_KEEP, err);
    }
    return code;
}

enum berth_code berth_log_target_apply(const struct berth_settings *settings,
                                       struct berth_error *err)
{
    const char *path = settings->log.path != NULL ? settings->log.path : target.default_path;

    if (path == NULL) {
        use(NULL);
        return BERTH_OK;
    }
    return open_file(path, settings->log.size_bytes, settings->log.keep, err);
}

void berth_log_target_stop(void)
{
    use(NULL);
    berth_free(target.default_path);
    target.default_path = NULL;
    target.trouble = NULL;
}
