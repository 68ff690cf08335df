/* SPDX-License-Identifier: MIT */
#include "daemon_process.h"

#include "cmocka_all.h"
#include "temp_dir.h"

#include <stdio.h>
#include <stdlib.h>

#define PAUSE_MS 1 /* between two looks at a condition */
#define SANITIZER "ASAN_OPTIONS"

/* ---- making and ending ---- */

int daemon_setup(void **state)
{
    struct daemon_process *daemon = calloc(1, sizeof *daemon);

    if (daemon == NULL) {
        return -1;
    }
    daemon->folder = temp_dir_make();
    daemon->run_as = -1;
    platform_open_folder_to_all(daemon->folder);
    (void)snprintf(daemon->endpoint, sizeof daemon->endpoint, "%s",
                   temp_endpoint(daemon->folder, "berth.sock"));
    (void)snprintf(daemon->config, sizeof daemon->config, "%s/berthd.config", daemon->folder);
    (void)snprintf(daemon->iis, sizeof daemon->iis, "%s/applicationHost.config", daemon->folder);
    (void)snprintf(daemon->state, sizeof daemon->state, "%s/state", daemon->folder);
    (void)snprintf(daemon->log, sizeof daemon->log, "%s/log", daemon->folder);
    *state = daemon;
    return 0;
}

int daemon_teardown(void **state)
{
    struct daemon_process *daemon = *state;

    platform_process_free(daemon->process);
    temp_dir_remove(daemon->folder);
    free(daemon);
    return 0;
}

void daemon_configure(struct daemon_process *daemon, const char *elements)
{
    FILE *file = fopen(daemon->config, "wb");

    assert_non_null(file);
    (void)fputs("<berth>", file);
    while (*elements != '\0') {
        size_t length = strcspn(elements, "%");
        (void)fwrite(elements, 1, length, file);
        elements += length;
        if (strncmp(elements, "%s", 2) == 0) {
            (void)fputs(daemon->iis, file);
            elements += 2;
        } else if (*elements == '%') {
            (void)fputc(*elements++, file);
        }
    }
    (void)fputs("</berth>\n", file);
    assert_int_equal(fclose(file), 0);
}

static struct platform_process *spawn(const struct daemon_process *daemon, const char *output,
                                      const char *const *arguments)
{
    const char *all[16] = {BERTHD_PATH};
    const struct platform_start start = {.arguments = all,
                                         .output_path = output,
                                         .user = daemon->run_as,
                                         .file_bytes_max = daemon->file_bytes_max};
    size_t count = 1;

    for (; *arguments != NULL; arguments++) {
        assert_true(count < 15);
        all[count++] = *arguments;
    }
    struct platform_process *process = platform_process_start(&start);
    assert_non_null(process);
    return process;
}

void daemon_launch(struct daemon_process *daemon)
{
    const char *const arguments[] = {"--endpoint",  daemon->endpoint, "--state",
                                     daemon->state, "--log-level",    "debug",
                                     "--config",    daemon->config,   NULL};
    const char *const without[] = {"--endpoint",  daemon->endpoint, "--state", daemon->state,
                                   "--log-level", "debug",          NULL};

    const char *own = getenv(SANITIZER);
    char kept[500];
    char measured[600];

    (void)snprintf(kept, sizeof kept, "%s", own != NULL ? own : "");
    (void)snprintf(measured, sizeof measured, "%s:quarantine_size_mb=4", kept); /* of 256 */
    set_environment(SANITIZER, daemon->is_measured ? measured : kept);
    platform_process_free(daemon->process);
    daemon->process = spawn(daemon, daemon->log, daemon->config[0] != '\0' ? arguments : without);
    set_environment(SANITIZER, kept);
}

int daemon_run(struct daemon_process *daemon, const char *const *arguments, char **output)
{
    char path[400];
    int status;
    size_t size;

    (void)snprintf(path, sizeof path, "%s/output", daemon->folder);
    (void)remove(path);
    struct platform_process *process = spawn(daemon, path, arguments);
    bool ended = platform_process_wait(process, DAEMON_STOP_MS, &status);
    platform_process_free(process);
    assert_true(ended);
    *output = read_whole_file(path, &size);
    return status;
}

/* ---- waiting ---- */

uint64_t daemon_await(bool (*holds)(void *ctx), void *ctx, unsigned timeout_ms)
{
    uint64_t start_us = platform_now_us();

    for (;;) {
        if (holds(ctx)) {
            return platform_now_us() - start_us;
        }
        if (platform_now_us() - start_us > (uint64_t)timeout_ms * 1000) {
            return UINT64_MAX;
        }
        platform_pause_ms(PAUSE_MS);
    }
}

/* Fails the test if the daemon has ended or takes too long, after printing its log. */
static void await_or_fail(struct daemon_process *daemon, bool (*holds)(void *ctx), const char *what)
{
    uint64_t end_ms = platform_now_ms() + DAEMON_START_MS;
    int status;

    while (!holds(daemon)) {
        bool ended = platform_process_wait(daemon->process, 0, &status);
        if (ended || platform_now_ms() > end_ms) {
            daemon_print_log(daemon);
            fail_msg("berthd %s: %s", ended ? "ended" : "is late", what);
        }
        platform_pause_ms(PAUSE_MS);
    }
}

static bool is_connectable(void *ctx)
{
    const struct daemon_process *daemon = ctx;
    intptr_t socket = platform_connect(daemon->endpoint);

    platform_close(socket);
    return socket != PLATFORM_NO_SOCKET;
}

void daemon_await_endpoint(struct daemon_process *daemon)
{
    await_or_fail(daemon, is_connectable, "its endpoint is not there");
}

static bool is_ready(void *ctx)
{
    const struct daemon_process *daemon = ctx;
    struct test_client client;
    bool ready = true;

    if (!client_try_open(&client, daemon->endpoint)) {
        return false;
    }
    json_t *status = client_call(&client, "status", NULL);
    const json_t *sources = json_at(status, "sources");
    for (size_t i = 0; i < json_array_size(sources); i++) {
        ready &= strcmp(json_string_at(json_array_get(sources, i), "state"), "waiting") != 0;
    }
    json_decref(status);
    client_close(&client);
    return ready;
}

void daemon_await_ready(struct daemon_process *daemon)
{
    await_or_fail(daemon, is_ready, "a source is waiting");
}

void daemon_start(struct daemon_process *daemon, const char *elements)
{
    daemon_configure(daemon, elements);
    daemon_launch(daemon);
    daemon_await_ready(daemon);
}

int daemon_await_end(struct daemon_process *daemon)
{
    int status;

    if (!platform_process_wait(daemon->process, DAEMON_STOP_MS, &status)) {
        daemon_print_log(daemon);
        fail_msg("berthd did not stop");
    }
    return status;
}

void daemon_stop(struct daemon_process *daemon)
{
    platform_process_stop(daemon->process);
    int status = daemon_await_end(daemon);
    if (status != 0 || daemon_log_has(daemon, "a handle was left open") ||
        !daemon_log_has(daemon, "stopped")) {
        daemon_print_log(daemon);
        fail_msg("berthd ended with status %d", status);
    }
}

void daemon_kill(struct daemon_process *daemon)
{
    platform_process_kill(daemon->process);
    (void)daemon_await_end(daemon);
}

/* ---- the log ---- */

bool daemon_log_has(const struct daemon_process *daemon, const char *text)
{
    size_t size;
    char *log = read_whole_file(daemon->log, &size);
    bool found = strstr(log, text) != NULL;

    free(log);
    return found;
}

void daemon_await_log(const struct daemon_process *daemon, const char *text)
{
    uint64_t end_ms = platform_now_ms() + DAEMON_START_MS;

    while (!daemon_log_has(daemon, text)) {
        if (platform_now_ms() > end_ms) {
            daemon_print_log(daemon);
            fail_msg("the log does not say: %s", text);
        }
        platform_pause_ms(PAUSE_MS);
    }
}

void daemon_print_log(const struct daemon_process *daemon)
{
    size_t size;
    char *log = read_whole_file(daemon->log, &size);

    (void)fprintf(stderr, "---- berthd's log ----\n%s----\n", log);
    free(log);
}
