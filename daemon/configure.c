/* SPDX-License-Identifier: MIT */
#include "configure.h"

#include "base/memory.h"
#include "places.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

/* access(2)'s modes, which Windows's headers lack; there both ask whether the file is there. */
#define FILE_IS_THERE 0
#define FILE_CAN_BE_RUN 1

static void add_warning(struct berth_configuration *configuration, const char *text, size_t length)
{
    char **warnings =
        berth_resize(configuration->warnings, configuration->warning_count + 1, sizeof *warnings);

    if (warnings == NULL) {
        return;
    }
    configuration->warnings = warnings;
    warnings[configuration->warning_count] = berth_copy_n(text, length);
    if (warnings[configuration->warning_count] != NULL) {
        configuration->warning_count++;
    }
}

void berth_configuration_add_warnings(struct berth_configuration *configuration, const char *lines)
{
    while (*lines != '\0') {
        size_t length = strcspn(lines, "\n");
        if (length > 0) {
            add_warning(configuration, lines, length);
        }
        if (length > 0 && !configuration->quiet) {
            berth_log(BERTH_LOG_WARNING, "configuration: %.*s", (int)length, lines);
        }
        lines += length + (lines[length] == '\n');
    }
}

static void log_errors(const char *path, const struct berth_diagnostics *diagnostics)
{
    for (size_t i = 0; i < diagnostics->count; i++) {
        const struct berth_diagnostic *item = &diagnostics->items[i];
        if (item->severity == BERTH_SEVERITY_ERROR) {
            berth_log(BERTH_LOG_ERROR, "%s:%u: %s", path, item->line, item->text);
        }
    }
}

static void keep_warnings(struct berth_configuration *configuration, const char *path,
                          const struct berth_diagnostics *diagnostics)
{
    for (size_t i = 0; i < diagnostics->count; i++) {
        const struct berth_diagnostic *item = &diagnostics->items[i];
        struct berth_text line;
        if (item->severity != BERTH_SEVERITY_WARNING) {
            continue;
        }
        berth_text_init(&line, 2048);
        berth_text_printf(&line, "%s:%u: %s", path, item->line, item->text);
        berth_configuration_add_warnings(configuration, berth_text_string(&line));
        berth_text_fini(&line);
    }
}

/* Where the configuration is: what was asked for, or the usual place. */
static enum berth_code find_path(char **out, const struct berth_options *options,
                                 struct berth_error *err)
{
    if (options->config == NULL) {
        return berth_place_settings(out, err);
    }
    *out = berth_copy(options->config);
    return *out != NULL ? BERTH_OK : berth_fail_memory(err, "a path");
}

/* `remarks`: where they go; NULL: into the log. */
static enum berth_code load(struct berth_configuration *out, const struct berth_options *options,
                            struct berth_text *remarks, struct berth_error *err)
{
    struct berth_configuration configuration = {.quiet = remarks != NULL};
    struct berth_diagnostics diagnostics;
    enum berth_code code = find_path(&configuration.path, options, err);

    if (code != BERTH_OK) {
        return code;
    }
    berth_diagnostics_init(&diagnostics);
    code = berth_settings_load(&configuration.settings, configuration.path, &diagnostics, err);
    if (code == BERTH_NOT_FOUND && options->config == NULL) {
        berth_free(configuration.path);
        configuration.path = NULL;
        code = berth_settings_default(&configuration.settings, err);
    }
    if (remarks != NULL && configuration.path != NULL) {
        berth_diagnostics_write(remarks, configuration.path, &diagnostics);
    }
    if (code == BERTH_OK && configuration.path != NULL) {
        keep_warnings(&configuration, configuration.path, &diagnostics);
    }
    if (code == BERTH_OK) {
        *out = configuration;
    } else {
        if (remarks == NULL) {
            log_errors(configuration.path != NULL ? configuration.path : "configuration",
                       &diagnostics);
        }
        berth_free(configuration.path);
    }
    berth_diagnostics_fini(&diagnostics);
    return code;
}

enum berth_code berth_configuration_load(struct berth_configuration *out,
                                         const struct berth_options *options,
                                         struct berth_error *err)
{
    return load(out, options, NULL, err);
}

enum berth_code berth_configuration_check(struct berth_configuration *out,
                                          const struct berth_options *options,
                                          struct berth_text *remarks, struct berth_error *err)
{
    return load(out, options, remarks, err);
}

static void warn(struct berth_configuration *configuration, const char *format, ...)
    BERTH_PRINTF(2, 3);

static void warn(struct berth_configuration *configuration, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    (void)vsnprintf(text, sizeof text, format, args);
    va_end(args);
    berth_configuration_add_warnings(configuration, text);
}

/* @return libuv's status */
static int look_at(const char *path, int mode)
{
    uv_fs_t request;
    int status = uv_fs_access(NULL, &request, path, mode, NULL);

    uv_fs_req_cleanup(&request);
    return status;
}

static void check_metrics(struct berth_configuration *configuration)
{
    const char *path = configuration->settings.alerts.metrics_path;
    char folder[BERTH_SETTINGS_PATH_MAX + 1];
    size_t length = 0;

    for (size_t i = 0; path != NULL && path[i] != '\0'; i++) {
        length = path[i] == '/' || path[i] == '\\' ? i + 1 : length;
    }
    if (length == 0 || length > BERTH_SETTINGS_PATH_MAX) {
        return;
    }
    memcpy(folder, path, length);
    folder[length] = '\0';
    int status = look_at(folder, FILE_IS_THERE);
    if (status != 0) {
        warn(configuration, "%s: <metrics> path=\"%.200s\": its folder: %s", configuration->path,
             path, uv_strerror(status));
    }
}

void berth_configuration_check_files(struct berth_configuration *configuration)
{
    const struct berth_settings *settings = &configuration->settings;

    for (size_t i = 0; i < settings->alerts.command_count; i++) {
        const struct berth_command_settings *command = &settings->alerts.commands[i];
        int status = look_at(command->path, FILE_CAN_BE_RUN);
        if (status != 0) {
            warn(configuration, "%s:%u: <command> path=\"%.200s\" cannot be run: %s",
                 configuration->path, command->line, command->path, uv_strerror(status));
        }
    }
    check_metrics(configuration);
}

void berth_configuration_fini(struct berth_configuration *configuration)
{
    for (size_t i = 0; i < configuration->warning_count; i++) {
        berth_free(configuration->warnings[i]);
    }
    berth_free(configuration->warnings);
    berth_free(configuration->path);
    berth_settings_fini(&configuration->settings);
    *configuration = (struct berth_configuration){.path = NULL};
}
