/* SPDX-License-Identifier: MIT */
/* berthd: reads its command line, runs the daemon, and tells how it ended. */
#include "base/version.h"
#include "check_config.h"
#include "daemon.h"
#include "log.h"
#include "log_target.h"
#include "process.h"
#include "service_command.h"
#include "service_control.h"
#include "system_log.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum exit_status { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

/* One daemon on its loop. */
struct run {
    const struct berth_options *options;
    uv_loop_t loop;
    struct berth_daemon *daemon;
};

/* A thread still reads something that hangs, and exit() would wait for it. */
static bool left_behind;

static void report(enum berth_notice event, const char *string)
{
    struct berth_error err;

    /* nobody to tell is no reason to fail, and the daemon's log has it */
    (void)berth_system_log_report(event, &string, &err);
}

static void on_stop(void *ctx)
{
    const struct run *run = ctx;

    berth_log(BERTH_LOG_INFO, "stopping, as the service manager asks");
    berth_daemon_stop(run->daemon);
}

static void on_reload(void *ctx)
{
    const struct run *run = ctx;

    berth_daemon_reload(run->daemon);
}

static enum berth_code start(struct run *run, struct berth_error *err)
{
    const struct berth_service_controls controls = {on_stop, on_reload, run};
    enum berth_code code = berth_service_control_attach(&run->loop, &controls, err);

    if (code == BERTH_OK) {
        code = berth_daemon_start(&run->daemon, &run->loop, run->options, err);
    }
    if (code != BERTH_OK) {
        berth_log(BERTH_LOG_ERROR, "berthd does not start: %s", err->detail);
        report(BERTH_NOTICE_START_FAILED, err->detail);
    }
    return code;
}

/* Gives back what the run had, after the loop has come to its end.  @return false: not all of it */
static bool close_run(struct run *run)
{
    (void)uv_run(&run->loop, UV_RUN_DEFAULT);
    int status = uv_loop_close(&run->loop);
    if (status != 0) {
        berth_log(BERTH_LOG_ERROR, "a handle was left open: %s", uv_strerror(status));
    }
    berth_daemon_destroy(run->daemon);
    return status == 0;
}

static int run_daemon(const struct berth_options *options)
{
    static struct run run; /* what is left behind may use it as long as the process lasts */
    struct berth_error err;
    bool closed = true;
    int status = uv_loop_init(&run.loop);

    run.options = options;
    if (status != 0) {
        berth_log(BERTH_LOG_ERROR, "no event loop: %s", uv_strerror(status));
        return EXIT_FAILED;
    }
    enum berth_code code = start(&run, &err);
    (void)uv_run(&run.loop, UV_RUN_DEFAULT);
    berth_service_control_detach();
    left_behind = !berth_daemon_end(run.daemon);
    if (!left_behind) {
        closed = close_run(&run);
    }
    if (code == BERTH_OK) {
        report(BERTH_NOTICE_STOPPED, BERTH_VERSION);
    }
    return code == BERTH_OK && closed ? EXIT_DONE : EXIT_FAILED;
}

/* ---- as a service ---- */

static void on_log_trouble(const char *reason)
{
    report(BERTH_NOTICE_LOG_LOST, reason);
}

static int service_body(void *ctx)
{
    struct berth_error err;

    /* neither log is worth not running for */
    enum berth_code system_log = berth_system_log_open(&err);
    if (berth_log_target_start(true, on_log_trouble, &err) != BERTH_OK) {
        report(BERTH_NOTICE_LOG_LOST, err.detail);
    } else if (system_log != BERTH_OK) {
        berth_log(BERTH_LOG_WARNING, "%s", err.detail);
    }
    int status = run_daemon(ctx);
    berth_log_target_stop();
    berth_system_log_close();
    return status;
}

static int run_service(struct berth_options *options)
{
    struct berth_error err;
    int status;

    if (berth_service_control_run(service_body, options, &status, &err) != BERTH_OK) {
        (void)fprintf(stderr, "berthd: %s\n", err.detail);
        return EXIT_FAILED;
    }
    return status;
}

/* ---- the command line ---- */

/* Ends the process, when the service manager has been told and the logs are closed. */
static int end(int status)
{
    if (left_behind) {
        (void)fflush(stdout);
        (void)fflush(stderr);
        _Exit(status);
    }
    return status;
}

static int run_as_asked(struct berth_options *options)
{
    berth_log_use(NULL, options->log_level, berth_process_logs_to_journal());
    if (options->check_config) {
        return berth_check_config(options) ? EXIT_DONE : EXIT_FAILED;
    }
    berth_process_prepare();
    json_object_seed(0); /* now, not within the first request */
    if (options->service) {
        return run_service(options);
    }
    int status = run_daemon(options);
    berth_log_target_stop();
    return status;
}

int main(int argc, char **argv)
{
    static struct berth_options options; /* as long as the loop, which may be left behind */
    struct berth_error err;

    if (argc >= 2 && strcmp(argv[1], "service") == 0) {
        return berth_service_command(argc - 2, argv + 2);
    }
    if (berth_options_read(&options, argc, argv, &err) != BERTH_OK) {
        (void)fprintf(stderr, "berthd: %s\n", err.detail);
        return EXIT_USAGE;
    }
    if (options.help) {
        (void)fputs(berth_options_help(), stdout);
        return EXIT_DONE;
    }
    if (options.version) {
        (void)puts("berthd " BERTH_VERSION);
        return EXIT_DONE;
    }
    return end(run_as_asked(&options));
}
