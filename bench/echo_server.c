/* SPDX-License-Identifier: MIT */
/* bench_echo_server ENDPOINT ANSWER_BYTES: what a libuv server costs that does nothing. For each
 * line that comes it writes that many bytes, the last of them a line feed, in the way in which the
 * daemon writes: uv_try_write, from the read callback. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define ANSWER_MAX 16384

struct client {
    uv_pipe_t pipe;
};

static char read_buffer[65536];
static char answer[ANSWER_MAX];
static unsigned answer_bytes;

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    (void)handle;
    (void)suggested;
    *out = uv_buf_init(read_buffer, sizeof read_buffer);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    const char *end = buffer->base + (count > 0 ? count : 0);
    uv_buf_t out = uv_buf_init(answer, answer_bytes);

    for (const char *at = buffer->base; at < end; at++) {
        at = memchr(at, '\n', (size_t)(end - at));
        if (at == NULL) {
            break;
        }
        if (uv_try_write(stream, &out, 1) != (int)answer_bytes) {
            count = -1;
            break;
        }
    }
    if (count < 0) {
        uv_close((uv_handle_t *)stream, on_closed);
    }
}

static void on_connection(uv_stream_t *listener, int status)
{
    struct client *client = status == 0 ? calloc(1, sizeof *client) : NULL;

    if (client == NULL) {
        return;
    }
    (void)uv_pipe_init(listener->loop, &client->pipe, 0);
    client->pipe.data = client;
    if (uv_accept(listener, (uv_stream_t *)&client->pipe) != 0 ||
        uv_read_start((uv_stream_t *)&client->pipe, on_allocate, on_read) != 0) {
        uv_close((uv_handle_t *)&client->pipe, on_closed);
    }
}

int main(int argc, char **argv)
{
    uv_loop_t loop;
    uv_pipe_t listener;
    long bytes = argc == 3 ? strtol(argv[2], NULL, 10) : 0;

    if (bytes < 1 || bytes > ANSWER_MAX) {
        (void)fprintf(stderr, "usage: %s ENDPOINT ANSWER_BYTES (at most %d)\n", argv[0],
                      ANSWER_MAX);
        return 2;
    }
    answer_bytes = (unsigned)bytes;
    memset(answer, 'x', answer_bytes);
    answer[answer_bytes - 1] = '\n';
    if (uv_loop_init(&loop) != 0 || uv_pipe_init(&loop, &listener, 0) != 0 ||
        uv_pipe_bind(&listener, argv[1]) != 0 ||
        uv_listen((uv_stream_t *)&listener, 128, on_connection) != 0) {
        (void)fprintf(stderr, "%s: cannot listen\n", argv[1]);
        return 1;
    }
    return uv_run(&loop, UV_RUN_DEFAULT);
}
