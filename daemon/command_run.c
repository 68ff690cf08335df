/* SPDX-License-Identifier: MIT */
#include "command_run.h"

#include "base/memory.h"
#include "child.h"

#include <string.h>

/* What it left running may hold its output open: that is listened to no longer than so. */
#define LINGER_MS 200

/* One of its outputs. */
struct output {
    uv_pipe_t pipe;
    struct berth_command_run *run;
    char line[BERTH_COMMAND_LINE_MAX + 1];
    size_t length;
    bool any; /* the line has begun, though what came of it may have had no room */
};

struct berth_command_run {
    struct berth_command_options options;
    struct berth_child child;
    uv_timer_t timer; /* the time limit; then the wait for the rest of the output */
    uv_pipe_t input;
    uv_write_t write;
    struct output outputs[2];
    unsigned open_handles;
    size_t lines;
    bool exited;
    struct berth_command_outcome outcome;
    char read_buffer[4096];
};

static void on_closed(uv_handle_t *handle)
{
    struct berth_command_run *run = handle->data;

    if (--run->open_handles > 0) {
        return;
    }
    struct berth_command_options options = run->options;
    struct berth_command_outcome outcome = run->outcome;
    bool started = run->exited;
    berth_child_release(&run->child);
    berth_free(run);
    if (started) {
        berth_free(options.environment);
        berth_free(options.input);
        options.ended(options.ctx, &outcome);
    }
}

static void close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle)) {
        uv_close(handle, on_closed);
    }
}

/* ---- its output ---- */

static void end_line(struct output *output)
{
    struct berth_command_run *run = output->run;

    if (!output->any) {
        return;
    }
    output->line[output->length] = '\0';
    if (run->lines < BERTH_COMMAND_LINES_MAX) {
        run->lines++;
        run->options.line(run->options.ctx, output->line);
    } else {
        run->outcome.lines_left_out++;
    }
    output->length = 0;
    output->any = false;
}

static void take_output(struct output *output, const char *bytes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (bytes[i] == '\n') {
            end_line(output);
        } else if (bytes[i] != '\r') {
            output->any = true;
            if (output->length < BERTH_COMMAND_LINE_MAX) {
                output->line[output->length++] = bytes[i] != '\0' ? bytes[i] : '?';
            }
        }
    }
}

/* Ended, and nothing more to read: all can go. */
static void close_if_done(struct berth_command_run *run)
{
    if (run->exited && uv_is_closing((uv_handle_t *)&run->outputs[0].pipe) &&
        uv_is_closing((uv_handle_t *)&run->outputs[1].pipe)) {
        close_handle((uv_handle_t *)&run->input);
        close_handle((uv_handle_t *)&run->timer);
        close_handle(&run->child.uv.handle);
    }
}

static void close_output(struct output *output)
{
    if (!uv_is_closing((uv_handle_t *)&output->pipe)) {
        end_line(output);
        close_handle((uv_handle_t *)&output->pipe);
    }
    close_if_done(output->run);
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct berth_command_run *run = handle->data;

    (void)suggested;
    *out = uv_buf_init(run->read_buffer, sizeof run->read_buffer);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct berth_command_run *run = stream->data;
    struct output *output = &run->outputs[stream == (uv_stream_t *)&run->outputs[1].pipe];

    if (count > 0) {
        take_output(output, buffer->base, (size_t)count);
    } else if (count < 0) {
        close_output(output);
    }
}

/* ---- its end ---- */

static void on_linger_over(uv_timer_t *timer)
{
    struct berth_command_run *run = timer->data;

    close_output(&run->outputs[0]);
    close_output(&run->outputs[1]);
}

static void on_exited(struct berth_child *child, int64_t status, int signal)
{
    struct berth_command_run *run = BERTH_CONTAINER_OF(child, struct berth_command_run, child);

    run->exited = true;
    run->outcome.status = status;
    run->outcome.signal = signal;
    (void)uv_timer_start(&run->timer, on_linger_over, LINGER_MS, 0);
    close_if_done(run);
}

static void on_time_over(uv_timer_t *timer)
{
    struct berth_command_run *run = timer->data;

    run->outcome.timed_out = true;
    berth_child_end(&run->child);
}

void berth_command_end(struct berth_command_run *run)
{
    if (!run->exited) {
        berth_child_end(&run->child);
    }
}

/* ---- its start ---- */

static void on_input_written(uv_write_t *request, int status)
{
    struct berth_command_run *run = request->data;

    (void)status; /* a program need not read what it is given */
    close_handle((uv_handle_t *)&run->input);
}

static void start_talking(struct berth_command_run *run)
{
    uv_buf_t input = uv_buf_init(run->options.input, (unsigned)strlen(run->options.input));

    run->write.data = run;
    if (uv_write(&run->write, (uv_stream_t *)&run->input, &input, 1, on_input_written) != 0) {
        close_handle((uv_handle_t *)&run->input);
    }
    for (int i = 0; i < 2; i++) {
        if (uv_read_start((uv_stream_t *)&run->outputs[i].pipe, on_allocate, on_read) != 0) {
            close_output(&run->outputs[i]);
        }
    }
    (void)uv_timer_start(&run->timer, on_time_over, run->options.timeout_ms, 0);
}

static void init_handles(struct berth_command_run *run, uv_loop_t *loop)
{
    (void)uv_pipe_init(loop, &run->input, 0);
    (void)uv_timer_init(loop, &run->timer);
    run->input.data = run;
    run->timer.data = run;
    run->child.uv.handle.data = run;
    for (int i = 0; i < 2; i++) {
        (void)uv_pipe_init(loop, &run->outputs[i].pipe, 0);
        run->outputs[i].pipe.data = run;
        run->outputs[i].run = run;
    }
    run->open_handles = 5;
}

static void close_all(struct berth_command_run *run)
{
    close_handle((uv_handle_t *)&run->input);
    close_handle((uv_handle_t *)&run->timer);
    close_handle(&run->child.uv.handle);
    close_handle((uv_handle_t *)&run->outputs[0].pipe);
    close_handle((uv_handle_t *)&run->outputs[1].pipe);
}

/* Gives the environment as an array of its strings. */
static char **environment_array(char *environment)
{
    size_t count = 0;

    for (const char *at = environment; *at != '\0'; at += strlen(at) + 1) {
        count++;
    }
    char **array = berth_alloc(count + 1, sizeof *array);
    count = 0;
    for (char *at = environment; array != NULL && *at != '\0'; at += strlen(at) + 1) {
        array[count++] = at;
    }
    return array;
}

static int start_child(struct berth_command_run *run, uv_loop_t *loop, char **environment)
{
    char *arguments[BERTH_COMMAND_ARGUMENTS_MAX + 2] = {run->options.path};

    for (size_t i = 0; i < run->options.argument_count; i++) {
        arguments[i + 1] = run->options.arguments[i];
    }
    const struct berth_child_options options = {
        .path = run->options.path,
        .arguments = arguments,
        .environment = environment,
        .pipes = {&run->input, &run->outputs[0].pipe, &run->outputs[1].pipe},
    };
    return berth_child_start(&run->child, loop, &options, on_exited);
}

enum berth_code berth_command_start(struct berth_command_run **out, uv_loop_t *loop,
                                    const struct berth_command_options *options,
                                    struct berth_error *err)
{
    struct berth_command_run *run = berth_alloc(1, sizeof *run);
    char **environment = environment_array(options->environment);

    if (run == NULL || environment == NULL) {
        berth_free(environment);
        berth_free(run);
        return berth_fail_memory(err, "a command");
    }
    run->options = *options;
    run->outcome.timeout_ms = options->timeout_ms;
    init_handles(run, loop);
    int status = start_child(run, loop, environment);
    berth_free(environment);
    if (status != 0) {
        close_all(run);
        return berth_fail(err, BERTH_IO, status, "%s cannot be started: %s", options->path,
                          uv_strerror(status));
    }
    uv_update_time(loop); /* the time limit begins now, however long the start took */
    start_talking(run);
    *out = run;
    return BERTH_OK;
}
