/* SPDX-License-Identifier: MIT */
#include "scripted_server.h"

#include "scripted_io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RECEIVED_MAX (4u * 1024 * 1024)
#define LINE_MAX_BYTES (256u * 1024)
#define FLOOD_BYTES (17u * 1024 * 1024)

struct scripted_server {
    const struct scripted_rule *rules;
    size_t rule_count;
    size_t piece_bytes;
    const char *greeting;
    struct scripted_io *io;
    size_t received_length;
    char received[RECEIVED_MAX];
    char line[LINE_MAX_BYTES];
};

static bool send_all(struct scripted_server *server, const char *bytes, size_t length)
{
    if (server->piece_bytes == 0) {
        return scripted_io_send(server->io, bytes, length);
    }
    while (length > 0) {
        size_t step = server->piece_bytes < length ? server->piece_bytes : length;
        if (!scripted_io_send(server->io, bytes, step)) {
            return false;
        }
        bytes += step;
        length -= step;
        scripted_io_wait_drained(server->io);
    }
    return true;
}

static bool send_flood(struct scripted_server *server)
{
    char block[64 * 1024];

    memset(block, 'x', sizeof block);
    for (size_t sent = 0; sent < FLOOD_BYTES; sent += sizeof block) {
        if (!send_all(server, block, sizeof block)) {
            return false;
        }
    }
    return true;
}

/* Sends "BEFORE id AFTER", the three put together. */
static bool send_numbered(struct scripted_server *server, const char *before, size_t before_length,
                          long long id, const char *after)
{
    size_t size = before_length + strlen(after) + 32;
    char *text = malloc(size);

    if (text == NULL) {
        return false;
    }
    int length = snprintf(text, size, "%.*s%lld%s", (int)before_length, before, id, after);
    bool sent = length >= 0 && send_all(server, text, (size_t)length);
    free(text);
    return sent;
}

/* "result {…}" becomes a whole answer. */
static bool send_answer(struct scripted_server *server, const char *reply, long long id)
{
    static const char head[] = "{\"jsonrpc\":\"2.0\",\"id\":";
    int name = (int)strcspn(reply, " ");
    size_t size = strlen(reply) + 16;
    char *rest = malloc(size);

    if (rest == NULL) {
        return false;
    }
    (void)snprintf(rest, size, ",\"%.*s\":%s}\n", name, reply, reply + name + 1);
    bool sent = send_numbered(server, head, sizeof head - 1, id, rest);
    free(rest);
    return sent;
}

static bool send_formed(struct scripted_server *server, const char *reply, long long id)
{
    const char *place = strstr(reply, "$ID");

    if (strncmp(reply, "result ", 7) == 0 || strncmp(reply, "error ", 6) == 0) {
        return send_answer(server, reply, id);
    }
    return place != NULL ? send_numbered(server, reply, (size_t)(place - reply), id, place + 3)
                         : send_all(server, reply, strlen(reply));
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
static bool answer(struct scripted_server *server, const char *line)
{
    long long id = id_of(line);
    bool open = true;

    for (size_t i = 0; i < server->rule_count; i++) {
        const struct scripted_rule *rule = &server->rules[i];
        if (rule->method != NULL && !calls(line, rule->method)) {
            continue;
        }
        if (strcmp(rule->reply, "flood") == 0) {
            open = send_flood(server);
        } else if (strcmp(rule->reply, "close") == 0) {
            open = false;
        } else if (strcmp(rule->reply, "silent") != 0) {
            open = send_formed(server, rule->reply, id);
        }
        open = open && !rule->close_after;
        break;
    }
    return open;
}

static void record(struct scripted_server *server, const char *line, size_t length)
{
    scripted_io_lock(server->io);
    if (server->received_length + length + 1 < RECEIVED_MAX) {
        memcpy(server->received + server->received_length, line, length);
        server->received_length += length;
        server->received[server->received_length] = '\0';
    }
    scripted_io_unlock(server->io);
}

static void serve_connection(struct scripted_server *server)
{
    size_t have = 0;

    for (;;) {
        size_t got = scripted_io_receive(server->io, server->line + have, LINE_MAX_BYTES - have);
        if (got == 0) {
            return;
        }
        have += got;
        char *end = memchr(server->line, '\n', have);
        while (end != NULL) {
            size_t length = (size_t)(end - server->line) + 1;
            record(server, server->line, length);
            *end = '\0';
            if (!answer(server, server->line)) {
                return;
            }
            have -= length;
            memmove(server->line, end + 1, have);
            end = memchr(server->line, '\n', have);
        }
    }
}

static void serve(void *context)
{
    struct scripted_server *server = context;

    while (scripted_io_accept(server->io)) {
        if (server->greeting != NULL) {
            (void)send_all(server, server->greeting, strlen(server->greeting));
        } else {
            serve_connection(server);
        }
        scripted_io_close(server->io);
    }
}

struct scripted_server *scripted_server_start(const char *endpoint,
                                              const struct scripted_rule *rules, size_t count,
                                              size_t piece_bytes, const char *greeting)
{
    struct scripted_server *server = calloc(1, sizeof *server);

    if (server == NULL) {
        return NULL;
    }
    server->rules = rules;
    server->rule_count = count;
    server->piece_bytes = piece_bytes;
    server->greeting = greeting;
    server->io = scripted_io_listen(endpoint);
    if (server->io == NULL || !scripted_io_start(server->io, serve, server)) {
        if (server->io != NULL) {
            scripted_io_stop(server->io);
        }
        free(server);
        return NULL;
    }
    return server;
}

const char *scripted_server_received(struct scripted_server *server, char *out, size_t size)
{
    scripted_io_lock(server->io);
    (void)snprintf(out, size, "%s", server->received);
    scripted_io_unlock(server->io);
    return out;
}

void scripted_server_stop(struct scripted_server *server)
{
    if (server != NULL) {
        scripted_io_stop(server->io);
        free(server);
    }
}
