/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <stddef.h>
#include <string.h>

struct text_option {
    const char *name;
    const char **out;
};

static const char help[] =
    "usage: berthd [--config FILE] [--endpoint E] [--state DIR] [--check-config]\n"
    "              [--log-level error|warning|info|debug] [--version] [--help]\n"
    "       berthd service install|uninstall|start|stop|status      (Windows)\n"
    "\n"
    "Watches IIS's applicationHost.config and the TCP table and hands out free ports.\n"
    "\n"
    "  --config FILE    the configuration; without it /etc/berth/berthd.config, on Windows\n"
    "                   %ProgramData%\\Berth\\berthd.config, if there is one\n"
    "  --endpoint E     where to listen, instead of the configuration's or the default place\n"
    "  --state DIR      where to keep leases, instead of the configuration's or the default place\n"
    "  --check-config   check the configuration, print what it comes to, and end\n"
    "  --log-level L    how much to log (info)\n"
    "  --service        said by the service manager of Windows only\n"
    "\n"
    "More: the manual pages berthd(8), berthd.config(5) and berth(1); on Windows the folder docs\n"
    "beside berthd.exe.\n";

const char *berth_options_help(void)
{
    return help;
}

static enum berth_code set_level(const char *text, struct berth_options *out,
                                 struct berth_error *err)
{
    if (!berth_log_level_find(text, &out->log_level)) {
        return berth_fail(err, BERTH_INVALID_PARAMS, 0,
                          "--log-level is \"%s\"; error, warning, info or debug is accepted", text);
    }
    return BERTH_OK;
}

static bool set_flag(struct berth_options *out, const char *argument)
{
    if (strcmp(argument, "--check-config") == 0) {
        out->check_config = true;
    } else if (strcmp(argument, "--service") == 0) {
        out->service = true;
    } else if (strcmp(argument, "--version") == 0) {
        out->version = true;
    } else if (strcmp(argument, "--help") == 0 || strcmp(argument, "-h") == 0) {
        out->help = true;
    } else {
        return false;
    }
    return true;
}

/* Tells whether an argument is the named option, as "--name value" or "--name=value". */
static bool take_value(const char *name, int argc, char **argv, int *at, const char **value)
{
    size_t length = strlen(name);
    const char *argument = argv[*at];

    if (strncmp(argument, name, length) != 0 ||
        (argument[length] != '\0' && argument[length] != '=')) {
        return false;
    }
    if (argument[length] == '=') {
        *value = argument + length + 1;
    } else {
        *value = *at + 1 < argc ? argv[++*at] : NULL;
    }
    return true;
}

enum berth_code berth_options_read(struct berth_options *out, int argc, char **argv,
                                   struct berth_error *err)
{
    struct berth_options options = {.log_level = BERTH_LOG_INFO};
    const char *level = NULL;
    const struct text_option texts[] = {{"--config", &options.config},
                                        {"--endpoint", &options.endpoint},
                                        {"--state", &options.state},
                                        {"--log-level", &level}};

    for (int i = 1; i < argc; i++) {
        const char *name = argv[i];
        size_t t = 0;
        if (set_flag(&options, name)) {
            continue;
        }
        while (t < BERTH_COUNT(texts) && !take_value(texts[t].name, argc, argv, &i, texts[t].out)) {
            t++;
        }
        if (t == BERTH_COUNT(texts)) {
            return berth_fail(err, BERTH_INVALID_PARAMS, 0,
                              "there is no option %s; see berthd --help", name);
        }
        if (*texts[t].out == NULL || **texts[t].out == '\0') {
            return berth_fail(err, BERTH_INVALID_PARAMS, 0, "%s needs a value", texts[t].name);
        }
    }
    if (level != NULL && set_level(level, &options, err) != BERTH_OK) {
        return BERTH_INVALID_PARAMS;
    }
    *out = options;
    return BERTH_OK;
}
