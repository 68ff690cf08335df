/* SPDX-License-Identifier: MIT */
#include "run_command.h"

#include "spawn.h"

#include <inttypes.h>
#include <signal.h>
#include <uv.h>

#define READ_BYTES 16384
#define ARGUMENTS_MAX 16

struct run {
    uv_loop_t loop;
    uv_process_t process;
    uv_pipe_t pipe;
    uv_timer_t timer;
    struct berth_text *out;
    char buffer[READ_BYTES];
    bool exited;
    bool late;
    int64_t status;
    int signal;
    int read_result; /* 0, or why the output could not be read */
};

static void end_program(struct run *run)
{
    if (!run->exited) {
        (void)uv_process_kill(&run->process, SIGKILL);
    }
}

static void close_handle(uv_handle_t *handle, void *unused)
{
    (void)unused;
    if (!uv_is_closing(handle)) {
        uv_close(handle, NULL);
    }
}

/* Both the program's end and the end of its output are waited for: either may come first. */
static void close_when_over(struct run *run)
{
    if (run->exited && uv_is_closing((uv_handle_t *)&run->pipe)) {
        close_handle((uv_handle_t *)&run->timer, NULL);
    }
}

static void on_exit_cb(uv_process_t *process, int64_t status, int signal)
{
    struct run *run = process->data;

    run->exited = true;
    run->status = status;
    run->signal = signal;
    close_handle((uv_handle_t *)process, NULL);
    close_when_over(run);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buffer)
{
    struct run *run = handle->data;

    (void)suggested;
    *buffer = uv_buf_init(run->buffer, sizeof run->buffer);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct run *run = stream->data;

    if (count > 0) {
        berth_text_add(run->out, buffer->base, (size_t)count);
    }
    if (count >= 0 && run->out->failed == BERTH_OK) {
        return;
    }
    if (count < 0 && count != UV_EOF) {
        run->read_result = (int)count;
    }
    if (run->out->failed != BERTH_OK) {
        end_program(run);
    }
    close_handle((uv_handle_t *)stream, NULL);
    close_when_over(run);
}

/* What the program has started may hold its output open for ever: that is closed too. */
static void on_late(uv_timer_t *timer)
{
    struct run *run = timer->data;

    run->late = true;
    end_program(run);
    close_handle((uv_handle_t *)&run->pipe, NULL);
    close_when_over(run);
}

static int spawn(struct run *run, const char *const *arguments)
{
    char *copies[ARGUMENTS_MAX + 1] = {NULL};
    uv_stdio_container_t stdio[] = {
        {.flags = UV_IGNORE},
        {.flags = UV_CREATE_PIPE | UV_WRITABLE_PIPE, .data.stream = (uv_stream_t *)&run->pipe},
        {.flags = UV_IGNORE},
    };
    uv_process_options_t options = {
        .exit_cb = on_exit_cb,
        .file = arguments[0],
        .args = copies,
        .stdio_count = 3,
        .stdio = stdio,
        .flags = UV_PROCESS_WINDOWS_HIDE,
    };

    for (size_t i = 0; i < ARGUMENTS_MAX && arguments[i] != NULL; i++) {
        copies[i] = (char *)(uintptr_t)arguments[i]; /* libuv does not write to them */
    }
    return berth_spawn(&run->loop, &run->process, &options);
}

static enum berth_code outcome(const struct run *run, const char *program, uint64_t timeout_ms,
                               struct berth_error *err)
{
    if (run->out->failed == BERTH_NO_MEMORY) {
        return berth_fail_memory(err, "a program's output");
    }
    if (run->out->failed != BERTH_OK) {
        return berth_fail(err, BERTH_TOO_LARGE, 0, "%s printed more than %zu bytes", program,
                          run->out->limit);
    }
    if (run->late) {
        return berth_fail(err, BERTH_IO, UV_ETIMEDOUT, "%s did not end within %" PRIu64 " ms",
                          program, timeout_ms);
    }
    if (run->read_result != 0) {
        return berth_fail(err, BERTH_IO, run->read_result, "the output of %s: %s", program,
                          uv_strerror(run->read_result));
    }
    if (run->status != 0 || run->signal != 0) {
        return berth_fail(err, BERTH_IO, 0, "%s ended with status %" PRId64 ", signal %d", program,
                          run->status, run->signal);
    }
    return BERTH_OK;
}

static enum berth_code run_spawned(struct run *run, const char *const *arguments,
                                   uint64_t timeout_ms, struct berth_error *err)
{
    int result = spawn(run, arguments);

    if (result == 0) {
        result = uv_read_start((uv_stream_t *)&run->pipe, on_alloc, on_read);
        if (result != 0) {
            end_program(run);
            run->read_result = result;
            close_handle((uv_handle_t *)&run->pipe, NULL);
        }
        (void)uv_timer_start(&run->timer, on_late, timeout_ms, 0);
        (void)uv_run(&run->loop, UV_RUN_DEFAULT);
        return outcome(run, arguments[0], timeout_ms, err);
    }
    return berth_fail(err, result == UV_ENOENT ? BERTH_NOT_FOUND : BERTH_IO, result,
                      "%s cannot be started: %s", arguments[0], uv_strerror(result));
}

enum berth_code berth_run_command(struct berth_text *out, const char *const *arguments,
                                  uint64_t timeout_ms, struct berth_error *err)
{
    struct run run = {.out = out};
    int result = uv_loop_init(&run.loop);

    if (result != 0) {
        return berth_fail(err, BERTH_IO, result, "no loop for %s: %s", arguments[0],
                          uv_strerror(result));
    }
    (void)uv_timer_init(&run.loop, &run.timer);
    (void)uv_pipe_init(&run.loop, &run.pipe, 0);
    run.process.data = &run;
    run.pipe.data = &run;
    run.timer.data = &run;
    enum berth_code code = run_spawned(&run, arguments, timeout_ms, err);
    uv_walk(&run.loop, close_handle, NULL);
    (void)uv_run(&run.loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&run.loop);
    return code;
}
