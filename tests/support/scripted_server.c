/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "scripted_server.h"

#include <errno.h>
#include <linux/sockios.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define RECEIVED_MAX (4u * 1024 * 1024)
#define LINE_MAX_BYTES (256u * 1024)
#define FLOOD_BYTES (17u * 1024 * 1024)
#define DRAIN_LIMIT_MS 5000

struct scripted_server {
    const struct scripted_rule *rules;
    size_t rule_count;
    size_t piece_bytes;
    const char *greeting;
    int listener;
    int stop[2]; /* a byte in it ends the thread */
    pthread_t thread;
    struct sockaddr_un address;
    pthread_mutex_t lock;
    size_t received_length;
    char received[RECEIVED_MAX];
    char line[LINE_MAX_BYTES];
};

/* Waits for input on `fd`; false: the server is to stop. */
static bool wait_input(struct scripted_server *server, int fd)
{
    struct pollfd fds[2] = {{.fd = fd, .events = POLLIN},
                            {.fd = server->stop[0], .events = POLLIN}};

    while (poll(fds, 2, -1) < 0 && errno == EINTR) {
    }
    return fds[1].revents == 0;
}

/* Waits until the peer has read everything; gives up after a while, the test then says why. */
static void wait_drained(int fd)
{
    int waiting = 1;

    for (int i = 0; i < DRAIN_LIMIT_MS * 10; i++) {
        if (ioctl(fd, SIOCOUTQ, &waiting) != 0 || waiting == 0) {
            return;
        }
        (void)nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
    }
}

static bool send_all(struct scripted_server *server, int fd, const char *bytes, size_t length)
{
    while (length > 0) {
        size_t step =
            server->piece_bytes != 0 && server->piece_bytes < length ? server->piece_bytes : length;
        ssize_t sent = send(fd, bytes, step, MSG_NOSIGNAL);
        if (sent <= 0) {
            return false;
        }
        bytes += sent;
        length -= (size_t)sent;
        if (server->piece_bytes != 0) {
            wait_drained(fd);
        }
    }
    return true;
}

static bool send_flood(struct scripted_server *server, int fd)
{
    char block[64 * 1024];

    memset(block, 'x', sizeof block);
    for (size_t sent = 0; sent < FLOOD_BYTES; sent += sizeof block) {
        if (!send_all(server, fd, block, sizeof block)) {
            return false;
        }
    }
    return true;
}

static bool send_formed(struct scripted_server *server, int fd, const char *reply, long long id)
{
    char *text = NULL;
    const char *place = strstr(reply, "$ID");
    int length;

    if (strncmp(reply, "result ", 7) == 0) {
        length =
            asprintf(&text, "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"result\":%s}\n", id, reply + 7);
    } else if (strncmp(reply, "error ", 6) == 0) {
        length = asprintf(&text, "{\"jsonrpc\":\"2.0\",\"id\":%lld,\"error\":%s}\n", id, reply + 6);
    } else if (place != NULL) {
        length = asprintf(&text, "%.*s%lld%s", (int)(place - reply), reply, id, place + 3);
    } else {
        length = asprintf(&text, "%s", reply);
    }
    bool sent = length >= 0 && send_all(server, fd, text, (size_t)length);
    free(text);
    return sent;
}

/* Tells whether a request line calls a method. The line is searched, not parsed: the tests make the
 * JSON library fail while this runs in its thread. */
static bool calls(const char *line, const char *method)
{
    static const char member[] = "\"method\":\"";
    const char *at = strstr(line, member);
    size_t length = strlen(method);

    return at != NULL && strncmp(at + sizeof member - 1, method, length) == 0 &&
           at[sizeof member - 1 + length] == '"';
}

static long long id_of(const char *line)
{
    static const char member[] = "\"id\":";
    const char *at = strstr(line, member);

    return at != NULL ? strtoll(at + sizeof member - 1, NULL, 10) : 0;
}

/* Answers a NUL-terminated line; false: close the connection. */
static bool answer(struct scripted_server *server, int fd, const char *line)
{
    long long id = id_of(line);
    bool open = true;

    for (size_t i = 0; i < server->rule_count; i++) {
        const struct scripted_rule *rule = &server->rules[i];
        if (rule->method != NULL && !calls(line, rule->method)) {
            continue;
        }
        if (strcmp(rule->reply, "flood") == 0) {
            open = send_flood(server, fd);
        } else if (strcmp(rule->reply, "close") == 0) {
            open = false;
        } else if (strcmp(rule->reply, "silent") != 0) {
            open = send_formed(server, fd, rule->reply, id);
        }
        open = open && !rule->close_after;
        break;
    }
    return open;
}

static void record(struct scripted_server *server, const char *line, size_t length)
{
    (void)pthread_mutex_lock(&server->lock);
    if (server->received_length + length + 1 < RECEIVED_MAX) {
        memcpy(server->received + server->received_length, line, length);
        server->received_length += length;
        server->received[server->received_length] = '\0';
    }
    (void)pthread_mutex_unlock(&server->lock);
}

static void serve_connection(struct scripted_server *server, int fd)
{
    size_t have = 0;

    while (wait_input(server, fd)) {
        ssize_t got = recv(fd, server->line + have, LINE_MAX_BYTES - have, 0);
        if (got <= 0) {
            return;
        }
        have += (size_t)got;
        char *end = memchr(server->line, '\n', have);
        while (end != NULL) {
            size_t length = (size_t)(end - server->line) + 1;
            record(server, server->line, length);
            *end = '\0';
            if (!answer(server, fd, server->line)) {
                return;
            }
            have -= length;
            memmove(server->line, end + 1, have);
            end = memchr(server->line, '\n', have);
        }
    }
}

static void *serve(void *context)
{
    struct scripted_server *server = context;

    while (wait_input(server, server->listener)) {
        int fd = accept(server->listener, NULL, NULL);
        if (fd < 0) {
            continue;
        }
        if (server->greeting != NULL) {
            (void)send_all(server, fd, server->greeting, strlen(server->greeting));
        } else {
            serve_connection(server, fd);
        }
        (void)close(fd);
    }
    return NULL;
}

static bool open_listener(struct scripted_server *server, const char *path)
{
    server->address.sun_family = AF_UNIX;
    if (strlen(path) >= sizeof server->address.sun_path) {
        errno = ENAMETOOLONG;
        return false;
    }
    memcpy(server->address.sun_path, path, strlen(path));
    server->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    return server->listener >= 0 &&
           bind(server->listener, (struct sockaddr *)&server->address, sizeof server->address) ==
               0 &&
           listen(server->listener, 16) == 0;
}

struct scripted_server *scripted_server_start(const char *path, const struct scripted_rule *rules,
                                              size_t count, size_t piece_bytes,
                                              const char *greeting)
{
    struct scripted_server *server = calloc(1, sizeof *server);

    if (server == NULL) {
        return NULL;
    }
    server->rules = rules;
    server->rule_count = count;
    server->piece_bytes = piece_bytes;
    server->greeting = greeting;
    (void)pthread_mutex_init(&server->lock, NULL);
    if (!open_listener(server, path) || pipe(server->stop) != 0 ||
        pthread_create(&server->thread, NULL, serve, server) != 0) {
        free(server);
        return NULL;
    }
    return server;
}

const char *scripted_server_received(struct scripted_server *server, char *out, size_t size)
{
    (void)pthread_mutex_lock(&server->lock);
    (void)snprintf(out, size, "%s", server->received);
    (void)pthread_mutex_unlock(&server->lock);
    return out;
}

void scripted_server_stop(struct scripted_server *server)
{
    if (server == NULL) {
        return;
    }
    (void)!write(server->stop[1], "", 1);
    (void)pthread_join(server->thread, NULL);
    (void)close(server->stop[0]);
    (void)close(server->stop[1]);
    (void)close(server->listener);
    (void)unlink(server->address.sun_path);
    (void)pthread_mutex_destroy(&server->lock);
    free(server);
}
