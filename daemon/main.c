/* SPDX-License-Identifier: MIT */
/* berthd: reads its command line, runs the daemon, and tells how it ended. */
#include "base/version.h"
#include "daemon.h"
#include "log.h"
#include "process.h"

#include <jansson.h>
#include <stdio.h>
#include <uv.h>

enum exit_status { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

static int run(const struct berth_options *options)
{
    struct berth_daemon *daemon = NULL;
    struct berth_error err;
    uv_loop_t loop;
    int status = uv_loop_init(&loop);

    if (status != 0) {
        berth_log(BERTH_LOG_ERROR, "no event loop: %s", uv_strerror(status));
        return EXIT_FAILED;
    }
    enum berth_code code = berth_daemon_start(&daemon, &loop, options, &err);
    if (code != BERTH_OK) {
        berth_log(BERTH_LOG_ERROR, "berthd does not start: %s", err.detail);
    }
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    status = uv_loop_close(&loop);
    if (status != 0) {
        berth_log(BERTH_LOG_ERROR, "a handle was left open: %s", uv_strerror(status));
    }
    berth_daemon_destroy(daemon);
    return code == BERTH_OK && status == 0 ? EXIT_DONE : EXIT_FAILED;
}

static int check_config(const struct berth_options *options)
{
    struct berth_error err;

    if (berth_daemon_check_config(options, &err) != BERTH_OK) {
        (void)fprintf(stderr, "berthd: %s\n", err.detail);
        return EXIT_FAILED;
    }
    return EXIT_DONE;
}

int main(int argc, char **argv)
{
    struct berth_options options;
    struct berth_error err;

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
    berth_log_use(NULL, options.log_level, berth_process_logs_to_journal());
    if (options.check_config) {
        return check_config(&options);
    }
    berth_process_prepare();
    json_object_seed(0); /* now, not within the first request */
    return run(&options);
}
