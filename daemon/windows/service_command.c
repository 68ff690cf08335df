/* SPDX-License-Identifier: MIT */
#include "daemon/service_command.h"

#include "base/memory.h"
#include "base/windows/fail_system.h"
#include "base/windows/wide.h"
#include "daemon/configure.h"
#include "daemon/options.h"
#include "daemon/places.h"
#include "daemon/windows/command_line.h"
#include "daemon/windows/service_names.h"
#include "daemon/windows/service_purge.h"
#include "daemon/windows/service_rights.h"
#include "daemon/windows/service_setup.h"

#include <stdio.h>
#include <string.h>

#define TEXT_MAX 32000 /* of a command line, and of notes */
#define PATH_SIZE 4096 /* in UTF-16 units */
#define ARGUMENTS_MAX 16

enum exit_status {
    EXIT_DONE = 0,
    EXIT_FAILED = 1,
    EXIT_USAGE = 2,
    EXIT_NOT_RUNNING = 3,
    EXIT_NOT_INSTALLED = 4
};

static const char usage[] =
    "usage: berthd service install [--config FILE] [--endpoint E] [--state DIR] [--log-level L]\n"
    "       berthd service uninstall [--purge]\n"
    "       berthd service start | stop | status\n"
    "\n"
    "  install     has Windows start berthd with the machine, as the service Berth, with these\n"
    "              options; brings one that is installed up to this program, and without options\n"
    "              keeps its own. Start it afterwards\n"
    "  uninstall   stops the service and takes it out again; the configuration and the leases "
    "stay\n"
    "  --purge     they go as well\n"
    "  status      exit status 0: it runs, 3: it does not, 4: it is not installed\n";

static const struct berth_service_calls *const calls = &berth_service_calls_windows;

static int fail(const struct berth_error *err)
{
    (void)fprintf(stderr, "berthd: %s\n", err->detail);
    return EXIT_FAILED;
}

static int fail_usage(const char *what, const char *argument)
{
    (void)fprintf(stderr, "berthd: %s%s\n%s", what, argument, usage);
    return EXIT_USAGE;
}

/* ---- where things are ---- */

/* Paths as install and uninstall need them: UTF-8 for people, UTF-16 for Windows. */
struct paths {
    char *settings; /* its folder is the root */
    char *state;
    char *log; /* its folder is the logs' */
    char *iis;
    wchar_t *wide[4]; /* root, state, logs, iis */
    wchar_t program[PATH_SIZE];
};

static void cut_name(char *path)
{
    char *end = strrchr(path, '\\');

    if (end != NULL) {
        *end = '\0';
    }
}

static void fini_paths(struct paths *paths)
{
    berth_free(paths->settings);
    berth_free(paths->state);
    berth_free(paths->log);
    berth_free(paths->iis);
    for (size_t i = 0; i < BERTH_COUNT(paths->wide); i++) {
        berth_free(paths->wide[i]);
    }
}

static enum berth_code widen(struct paths *paths, struct berth_error *err)
{
    const char *const narrow[] = {paths->settings, paths->state, paths->log, paths->iis};

    for (size_t i = 0; i < BERTH_COUNT(narrow); i++) {
        paths->wide[i] = berth_wide(narrow[i]);
        if (paths->wide[i] == NULL) {
            return berth_fail_memory(err, "a path");
        }
    }
    return BERTH_OK;
}

static enum berth_code find_program(struct paths *paths, struct berth_error *err)
{
    DWORD length = GetModuleFileNameW(NULL, paths->program, PATH_SIZE);

    if (length == 0 || length >= PATH_SIZE) {
        return berth_fail_system(err, GetLastError(), "cannot find the program's own path");
    }
    return BERTH_OK;
}

/* @param[in] state  NULL: the platform's place */
static enum berth_code find_paths(struct paths *paths, const char *state, struct berth_error *err)
{
    bool lacking;

    memset(paths, 0, sizeof *paths);
    enum berth_code code = find_program(paths, err);
    if (code == BERTH_OK) {
        code = berth_place_settings(&paths->settings, err);
    }
    if (code == BERTH_OK) {
        code = berth_place_log(&paths->log, err);
    }
    if (code == BERTH_OK) {
        code = berth_place_iis_config(&paths->iis, &lacking, err);
    }
    if (code == BERTH_OK && state == NULL) {
        code = berth_place_state(&paths->state, err);
    } else if (code == BERTH_OK) {
        paths->state = berth_copy(state);
        code = paths->state != NULL ? BERTH_OK : berth_fail_memory(err, "a path");
    }
    if (code == BERTH_OK) {
        cut_name(paths->settings);
        cut_name(paths->log);
        cut_name(paths->iis);
        code = widen(paths, err);
    }
    return code;
}

static struct berth_service_places places_of(const struct paths *paths)
{
    return (struct berth_service_places){.root = paths->wide[0],
                                         .state = paths->wide[1],
                                         .logs = paths->wide[2],
                                         .iis = paths->wide[3],
                                         .program = paths->program};
}

/* ---- install ---- */

/* A service runs in another folder than the one in which it is installed. */
static enum berth_code make_absolute(const char **path, char **made, struct berth_error *err)
{
    wchar_t full[PATH_SIZE];

    if (*path == NULL) {
        return BERTH_OK;
    }
    wchar_t *wide = berth_wide(*path);
    DWORD length = 0;
    enum berth_code code = BERTH_OK;
    if (wide != NULL) {
        length = GetFullPathNameW(wide, PATH_SIZE, full, NULL);
    }
    if (length == 0 || length >= PATH_SIZE) {
        code = berth_fail_system(err, GetLastError(), "%s is no path", *path);
    } else {
        *made = berth_narrow(full);
        *path = *made;
        code = *made != NULL ? BERTH_OK : berth_fail_memory(err, "a path");
    }
    berth_free(wide);
    return code;
}

static void add_option(struct berth_text *line, const char *name, const char *value)
{
    if (value != NULL) {
        berth_command_line_add(line, name);
        berth_command_line_add(line, value);
    }
}

/* Puts the options into a command line; where there are none at all, "" stays. */
static void put_options(struct berth_text *line, const struct berth_options *options,
                        const char *level)
{
    add_option(line, "--config", options->config);
    add_option(line, "--endpoint", options->endpoint);
    add_option(line, "--state", options->state);
    add_option(line, "--log-level", level);
}

static wchar_t *widen_line(const struct berth_text *line, struct berth_error *err)
{
    wchar_t *wide = line->failed == BERTH_OK ? berth_wide(berth_text_string(line)) : NULL;

    if (wide == NULL) {
        (void)berth_fail(err, line->failed != BERTH_OK ? line->failed : BERTH_NO_MEMORY, 0,
                         "the service's command line cannot be made");
    }
    return wide;
}

/* The command line in two parts, for berth_free(). */
static enum berth_code make_command(const struct paths *paths, const struct berth_options *options,
                                    const char *level, wchar_t **program, wchar_t **rest,
                                    struct berth_error *err)
{
    struct berth_text line;
    char *own = berth_narrow(paths->program);

    if (own == NULL) {
        return berth_fail_memory(err, "the service's command line");
    }
    berth_text_init(&line, TEXT_MAX);
    berth_command_line_add(&line, own);
    *program = widen_line(&line, err);
    size_t length = line.length;
    put_options(&line, options, level);
    *rest = NULL;
    bool given = line.length > length || line.failed != BERTH_OK;
    if (*program != NULL && given) {
        berth_text_clear(&line);
        berth_command_line_add(&line, ""); /* so that a blank comes first; cut off below */
        put_options(&line, options, level);
        *rest = widen_line(&line, err);
        if (*rest != NULL) {
            wmemmove(*rest, *rest + 2, wcslen(*rest) - 1);
        }
    }
    berth_text_fini(&line);
    berth_free(own);
    return *program == NULL || (given && *rest == NULL) ? err->code : BERTH_OK;
}

static enum berth_code install_with(const struct paths *paths, const wchar_t *program,
                                    const wchar_t *options, struct berth_text *notes,
                                    struct berth_error *err)
{
    const struct berth_service_places places = places_of(paths);
    struct berth_service_before before;
    enum berth_code code = berth_service_install(calls, program, options, &before, notes, err);

    if (code == BERTH_OK) {
        code = berth_service_rights_give(calls, &places, notes, err);
    }
    if (code != BERTH_OK && !before.installed) {
        /* as it was before; what cannot be taken back is less than what went wrong */
        (void)berth_service_rights_take(calls, &places, NULL);
        (void)berth_service_uninstall(calls, notes, NULL);
    }
    if (before.running) {
        /* after a failure too: the old settings are better than no service */
        enum berth_code started = berth_service_start(calls, code == BERTH_OK ? err : NULL);
        code = code == BERTH_OK ? started : code;
    }
    return code;
}

static enum berth_code install_as(const struct berth_options *options, const char *level,
                                  struct berth_text *notes, struct berth_error *err)
{
    struct berth_configuration configuration;
    struct paths paths = {.settings = NULL};
    /* what the service would not start with is told now, to whoever is here to read it */
    enum berth_code code = berth_configuration_load(&configuration, options, err);

    if (code != BERTH_OK) {
        return code;
    }
    code = find_paths(&paths,
                      options->state != NULL ? options->state : configuration.settings.state, err);
    if (code == BERTH_OK) {
        wchar_t *program = NULL;
        wchar_t *rest = NULL;
        code = make_command(&paths, options, level, &program, &rest, err);
        if (code == BERTH_OK) {
            code = install_with(&paths, program, rest, notes, err);
        }
        berth_free(program);
        berth_free(rest);
    }
    fini_paths(&paths);
    berth_configuration_fini(&configuration);
    return code;
}

/* The options as berthd itself reads them; those that make no sense for a service are refused. */
static enum berth_code read_options(struct berth_options *options, const char **level, int argc,
                                    char **argv, struct berth_error *err)
{
    static char name[] = "berthd";
    char *line[ARGUMENTS_MAX + 1] = {name};

    if (argc >= ARGUMENTS_MAX) {
        return berth_fail(err, BERTH_INVALID_PARAMS, 0, "there are too many arguments");
    }
    for (int i = 0; i < argc; i++) {
        line[i + 1] = argv[i];
        if (strncmp(argv[i], "--log-level=", 12) == 0) {
            *level = argv[i] + 12;
        } else if (strcmp(argv[i], "--log-level") == 0 && i + 1 < argc) {
            *level = argv[i + 1];
        }
    }
    enum berth_code code = berth_options_read(options, argc + 1, line, err);
    if (code == BERTH_OK &&
        (options->check_config || options->version || options->help || options->service)) {
        code = berth_fail(err, BERTH_INVALID_PARAMS, 0,
                          "accepted are --config, --endpoint, --state and --log-level");
    }
    return code;
}

static void print_notes(const struct berth_text *notes)
{
    if (notes->length != 0) {
        (void)fprintf(stderr, "%s", berth_text_string(notes));
    }
}

static int install(int argc, char **argv)
{
    struct berth_options options = {.config = NULL};
    struct berth_error err;
    struct berth_text notes;
    const char *level = NULL;
    char *config = NULL;
    char *state = NULL;

    if (read_options(&options, &level, argc, argv, &err) != BERTH_OK) {
        return fail_usage(err.detail, "");
    }
    berth_text_init(&notes, TEXT_MAX);
    enum berth_code code = make_absolute(&options.config, &config, &err);
    if (code == BERTH_OK) {
        code = make_absolute(&options.state, &state, &err);
    }
    if (code == BERTH_OK) {
        code = install_as(&options, level, &notes, &err);
    }
    print_notes(&notes);
    berth_text_fini(&notes);
    berth_free(config);
    berth_free(state);
    if (code != BERTH_OK) {
        return fail(&err);
    }
    (void)puts("the service Berth is installed");
    return EXIT_DONE;
}

/* ---- uninstall ---- */

static enum berth_code uninstall_at(const struct paths *paths, bool purge, struct berth_text *notes,
                                    struct berth_error *err)
{
    const struct berth_service_places places = places_of(paths);
    /* while the service is there still, Windows knows its account by name */
    enum berth_code code = berth_service_stop(calls, err);

    if (code != BERTH_OK && code != BERTH_NOT_FOUND) {
        return code;
    }
    code = berth_service_rights_take(calls, &places, err);
    enum berth_code removed = berth_service_uninstall(calls, notes, code == BERTH_OK ? err : NULL);
    code = code == BERTH_OK ? removed : code;
    if (code == BERTH_OK && purge) {
        (void)berth_service_purge_folder(paths->state, notes);
        (void)berth_service_purge_folder(paths->log, notes);
        (void)berth_service_purge_folder(paths->settings, notes);
    }
    return code;
}

static int uninstall(int argc, char **argv)
{
    struct paths paths;
    struct berth_error err;
    struct berth_text notes;
    bool purge = argc == 1 && strcmp(argv[0], "--purge") == 0;

    if (argc > 1 || (argc == 1 && !purge)) {
        return fail_usage("accepted is --purge, not ", argv[argc - 1]);
    }
    berth_text_init(&notes, TEXT_MAX);
    enum berth_code code = find_paths(&paths, NULL, &err);
    if (code == BERTH_OK) {
        code = uninstall_at(&paths, purge, &notes, &err);
    }
    print_notes(&notes);
    berth_text_fini(&notes);
    fini_paths(&paths);
    if (code != BERTH_OK) {
        return fail(&err);
    }
    (void)puts("the service Berth is uninstalled");
    return EXIT_DONE;
}

/* ---- start, stop, status ---- */

static int start(int argc, char **argv)
{
    struct berth_error err;

    (void)argc;
    (void)argv;
    if (berth_service_start(calls, &err) != BERTH_OK) {
        return fail(&err);
    }
    (void)puts("the service Berth runs");
    return EXIT_DONE;
}

static int stop(int argc, char **argv)
{
    struct berth_error err;

    (void)argc;
    (void)argv;
    if (berth_service_stop(calls, &err) != BERTH_OK) {
        return fail(&err);
    }
    (void)puts("the service Berth is stopped");
    return EXIT_DONE;
}

static int status(int argc, char **argv)
{
    struct berth_service_report report;
    struct berth_error err;

    (void)argc;
    (void)argv;
    if (berth_service_query(calls, &report, &err) != BERTH_OK) {
        return fail(&err);
    }
    switch (report.state) {
    case BERTH_SERVICE_RUNNING:
        (void)printf("the service Berth runs, process %lu\n", report.process_id);
        return EXIT_DONE;
    case BERTH_SERVICE_CHANGING:
        (void)printf("the service Berth is starting or stopping, process %lu\n", report.process_id);
        return EXIT_NOT_RUNNING;
    case BERTH_SERVICE_STOPPED:
        (void)printf("the service Berth is stopped, last exit status %lu\n", report.exit_code);
        return EXIT_NOT_RUNNING;
    case BERTH_SERVICE_MISSING:
        break;
    }
    (void)puts("the service Berth is not installed");
    return EXIT_NOT_INSTALLED;
}

int berth_service_command(int argc, char **argv)
{
    static const struct {
        const char *name;
        bool takes_arguments;
        int (*run)(int argc, char **argv);
    } commands[] = {{"install", true, install},
                    {"uninstall", true, uninstall},
                    {"start", false, start},
                    {"stop", false, stop},
                    {"status", false, status}};

    if (argc < 1) {
        return fail_usage("which? install, uninstall, start, stop or status", "");
    }
    for (size_t i = 0; i < BERTH_COUNT(commands); i++) {
        if (strcmp(argv[0], commands[i].name) == 0) {
            return argc > 1 && !commands[i].takes_arguments
                       ? fail_usage("no argument is accepted, not ", argv[1])
                       : commands[i].run(argc - 1, argv + 1);
        }
    }
    return fail_usage("there is no command service ", argv[0]);
}
