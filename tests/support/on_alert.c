/* SPDX-License-Identifier: MIT */
/* A command for <alerts> that tests run on both systems:
 *   on_alert tell FILE WORD…   writes what it is given into FILE.TYPE, TYPE being the event's: its
 *                              words, environment and input
 *   on_alert hang PORT         starts itself as below and goes on for long
 *   on_alert listen PORT       listens on 127.0.0.1 and goes on for long
 *   on_alert fail              says so and ends with status 3 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#define LONG_MS 300000

static int tell_all(int argc, char **argv)
{
    static const char *const names[] = {"TYPE", "ID",       "SEVERITY", "PORT",
                                        "KIND", "REVISION", "TIME",     "TEXT"};
    char value[4096];
    char input[65536];
    char path[5000];
    size_t value_size = sizeof value;

    if (uv_os_getenv("BERTH_EVENT_TYPE", value, &value_size) != 0) {
        return 1;
    }
    (void)snprintf(path, sizeof path, "%s.%s", argv[2], value);
    FILE *file = fopen(path, "wb");
    if (file == NULL) {
        return 1;
    }
    for (int i = 3; i < argc; i++) {
        (void)fprintf(file, "word [%s]\n", argv[i]);
    }
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char name[64];
        size_t size = sizeof value;
        (void)snprintf(name, sizeof name, "BERTH_EVENT_%s", names[i]);
        (void)fprintf(file, "%s [%s]\n", names[i],
                      uv_os_getenv(name, value, &size) == 0 ? value : "(none)");
    }
    size_t length = fread(input, 1, sizeof input - 1, stdin);
    input[length] = '\0';
    (void)fprintf(file, "input [%s]\n", input);
    (void)printf("told it\n");
    (void)fprintf(stderr, "and said so\n");
    return fclose(file) == 0 ? 0 : 1;
}

static void on_time_over(uv_timer_t *timer)
{
    (void)timer;
    exit(1); /* the test that began it has been gone for long */
}

static int run_long(uv_loop_t *loop)
{
    static uv_timer_t timer;

    (void)uv_timer_init(loop, &timer);
    (void)uv_timer_start(&timer, on_time_over, LONG_MS, 0);
    return uv_run(loop, UV_RUN_DEFAULT);
}

static int hang(const char *self, char *port)
{
    char program[1024];
    char listen_word[] = "listen";
    char *arguments[] = {program, listen_word, port, NULL};
    uv_process_options_t options = {.file = program, .args = arguments};
    uv_process_t child;

    (void)snprintf(program, sizeof program, "%s", self);
    if (strstr(self, ".exe") != NULL) {
        options.flags = UV_PROCESS_DETACHED; /* or libuv's own job ends it with this one */
    }
    if (uv_spawn(uv_default_loop(), &child, &options) != 0) {
        return 1;
    }
    return run_long(uv_default_loop());
}

static void on_connection(uv_stream_t *stream, int status)
{
    (void)stream;
    (void)status;
}

static int listen_on(const char *port)
{
    struct sockaddr_in address;
    uv_tcp_t socket;

    if (uv_ip4_addr("127.0.0.1", (int)strtol(port, NULL, 10), &address) != 0 ||
        uv_tcp_init(uv_default_loop(), &socket) != 0 ||
        uv_tcp_bind(&socket, (const struct sockaddr *)&address, 0) != 0 ||
        uv_listen((uv_stream_t *)&socket, 8, on_connection) != 0) {
        return 1;
    }
    return run_long(uv_default_loop());
}

int main(int argc, char **argv)
{
    if (argc >= 3 && strcmp(argv[1], "tell") == 0) {
        return tell_all(argc, argv);
    }
    if (argc == 3 && strcmp(argv[1], "hang") == 0) {
        return hang(argv[0], argv[2]);
    }
    if (argc == 3 && strcmp(argv[1], "listen") == 0) {
        return listen_on(argv[2]);
    }
    (void)printf("no luck today\n");
    return 3;
}
