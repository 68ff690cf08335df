/* SPDX-License-Identifier: MIT */
/* A request's way through the endpoint and back, against a bare libuv pipe that answers as many
 * bytes: the one benchmark that runs on Windows too (in Wine: docs/windows.md). The daemon runs
 * already; the echo is a thread of this program.
 *   bench_pipe ECHO-ENDPOINT DAEMON-ENDPOINT COUNT */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define ANSWER_BYTES 80

static const char request[] = "{\"jsonrpc\":\"2.0\",\"id\":1,\"method\":\"next\"}\n";
static char answer[ANSWER_BYTES];

struct echo {
    const char *endpoint;
    uv_loop_t loop;
    uv_pipe_t listener;
    uv_pipe_t client;
    uv_async_t stop;
    uv_sem_t listens;
    uv_thread_t thread;
    int status;
    char buffer[4096];
};

/* ---- the echo ---- */

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct echo *echo = handle->data;

    (void)suggested;
    *out = uv_buf_init(echo->buffer, sizeof echo->buffer);
}

static void on_written(uv_write_t *written, int status)
{
    (void)status;
    free(written);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    uv_buf_t out = uv_buf_init(answer, sizeof answer);

    if (count <= 0 || buffer->base[count - 1] != '\n' ||
        uv_try_write(stream, &out, 1) == (int)sizeof answer) {
        return;
    }
    uv_write_t *written = malloc(sizeof *written); /* Windows tries nothing at once on pipes */
    if (written != NULL && uv_write(written, stream, &out, 1, on_written) != 0) {
        free(written);
    }
}

static void on_connected(uv_stream_t *listener, int status)
{
    struct echo *echo = listener->data;

    if (status == 0 && uv_accept(listener, (uv_stream_t *)&echo->client) == 0) {
        (void)uv_read_start((uv_stream_t *)&echo->client, on_allocate, on_read);
    }
}

static void on_stop(uv_async_t *handle)
{
    struct echo *echo = handle->data;

    uv_close((uv_handle_t *)&echo->listener, NULL);
    uv_close((uv_handle_t *)&echo->client, NULL);
    uv_close((uv_handle_t *)&echo->stop, NULL);
}

static void run_echo(void *arg)
{
    struct echo *echo = arg;

    (void)uv_loop_init(&echo->loop);
    (void)uv_pipe_init(&echo->loop, &echo->listener, 0);
    (void)uv_pipe_init(&echo->loop, &echo->client, 0);
    (void)uv_async_init(&echo->loop, &echo->stop, on_stop);
    echo->listener.data = echo->client.data = echo->stop.data = echo;
    echo->status = uv_pipe_bind(&echo->listener, echo->endpoint);
    if (echo->status == 0) {
        echo->status = uv_listen((uv_stream_t *)&echo->listener, 1, on_connected);
    }
    uv_sem_post(&echo->listens);
    (void)uv_run(&echo->loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&echo->loop);
}

/* ---- measuring ---- */

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* A client with one request in flight. */
struct client {
    uv_pipe_t pipe;
    uv_connect_t connect;
    uv_write_t write;
    uint64_t start_ns;
    uint64_t *samples;
    size_t count;
    size_t done;
    int status;
    char buffer[4096];
};

static void end(struct client *client, int status)
{
    client->status = status;
    uv_close((uv_handle_t *)&client->pipe, NULL);
}

static void ask(struct client *client)
{
    static char bytes[sizeof request - 1];
    uv_buf_t buffer = uv_buf_init(bytes, sizeof bytes);

    memcpy(bytes, request, sizeof bytes);
    client->start_ns = uv_hrtime();
    int status = uv_write(&client->write, (uv_stream_t *)&client->pipe, &buffer, 1, NULL);
    if (status != 0) {
        end(client, status);
    }
}

static void on_answer_room(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct client *client = handle->data;

    (void)suggested;
    *out = uv_buf_init(client->buffer, sizeof client->buffer);
}

static void on_answer(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct client *client = stream->data;

    if (count < 0) {
        end(client, (int)count);
    } else if (count > 0 && buffer->base[count - 1] == '\n') {
        client->samples[client->done++] = uv_hrtime() - client->start_ns;
        if (client->done < client->count) {
            ask(client);
        } else {
            end(client, 0);
        }
    }
}

static void on_client_connected(uv_connect_t *connect, int status)
{
    struct client *client = connect->data;

    if (status == 0) {
        status = uv_read_start((uv_stream_t *)&client->pipe, on_answer_room, on_answer);
    }
    if (status != 0) {
        end(client, status);
    } else {
        ask(client);
    }
}

/* Prints p50 and p99 of `count` round trips.  @return p50 in nanoseconds; 0: it failed */
static uint64_t measure(const char *name, const char *endpoint, size_t count)
{
    static struct client client;
    uv_loop_t loop;

    client = (struct client){.samples = calloc(count, sizeof(uint64_t)), .count = count};
    if (client.samples == NULL || uv_loop_init(&loop) != 0) {
        free(client.samples);
        return 0;
    }
    (void)uv_pipe_init(&loop, &client.pipe, 0);
    client.pipe.data = client.connect.data = &client;
    uv_pipe_connect(&client.connect, &client.pipe, endpoint, on_client_connected);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    (void)uv_loop_close(&loop);
    uint64_t p50 = 0;
    if (client.done == count) {
        qsort(client.samples, count, sizeof *client.samples, compare);
        p50 = client.samples[count / 2];
        (void)printf("%s: p50 %.1f us, p99 %.1f us\n", name, (double)p50 / 1000,
                     (double)client.samples[count * 99 / 100] / 1000);
    } else {
        (void)fprintf(stderr, "bench_pipe: %s: %s\n", endpoint, uv_strerror(client.status));
    }
    free(client.samples);
    return p50;
}

int main(int argc, char **argv)
{
    static struct echo echo;
    size_t count = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;

    if (count == 0) {
        (void)fputs("usage: bench_pipe ECHO-ENDPOINT DAEMON-ENDPOINT COUNT\n", stderr);
        return 2;
    }
    memset(answer, 'x', sizeof answer);
    answer[sizeof answer - 1] = '\n';
    echo.endpoint = argv[1];
    (void)uv_sem_init(&echo.listens, 0);
    (void)uv_thread_create(&echo.thread, run_echo, &echo);
    uv_sem_wait(&echo.listens);
    uint64_t reference = echo.status == 0 ? measure("echo", argv[1], count) : 0;
    uint64_t measured = reference != 0 ? measure("next", argv[2], count) : 0;
    if (measured != 0) {
        (void)printf("ratio of p50: %.2f\n", (double)measured / (double)reference);
    }
    (void)uv_async_send(&echo.stop);
    (void)uv_thread_join(&echo.thread);
    uv_sem_destroy(&echo.listens);
    return measured != 0 ? 0 : 1;
}
