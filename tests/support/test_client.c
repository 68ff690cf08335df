/* SPDX-License-Identifier: MIT */
#include "test_client.h"

#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>

/* ---- on any thread ---- */

void client_adopt(struct test_client *client, intptr_t socket)
{
    *client = (struct test_client){.socket = socket, .deadline_ms = CLIENT_DEADLINE_MS};
}

bool client_try_open(struct test_client *client, const char *endpoint)
{
    client_adopt(client, platform_connect(endpoint));
    return client->socket != PLATFORM_NO_SOCKET;
}

void client_close(struct test_client *client)
{
    if (client->deadline_ms != 0) {
        platform_close(client->socket);
        free(client->buffer);
        *client = (struct test_client){.socket = PLATFORM_NO_SOCKET};
    }
}

bool client_try_send(struct test_client *client, const void *bytes, size_t size)
{
    const char *at = bytes;

    while (size > 0) {
        long count = platform_write(client->socket, at, size, client->deadline_ms);
        if (count <= 0) {
            return false;
        }
        at += count;
        size -= (size_t)count;
    }
    return true;
}

/* Reads more into the buffer.  @return as platform_read() */
static long read_more(struct test_client *client)
{
    if (client->taken > 0) {
        memmove(client->buffer, client->buffer + client->taken, client->used - client->taken);
        client->used -= client->taken;
        client->taken = 0;
    }
    if (client->capacity - client->used < 65536) {
        size_t capacity = client->capacity * 2 + 131072;
        char *buffer = realloc(client->buffer, capacity);
        if (buffer == NULL) {
            return PLATFORM_FAILED;
        }
        client->buffer = buffer;
        client->capacity = capacity;
    }
    long count = platform_read(client->socket, client->buffer + client->used,
                               client->capacity - client->used, client->deadline_ms);
    client->used += count > 0 ? (size_t)count : 0;
    return count;
}

char *client_try_line(struct test_client *client, size_t *length)
{
    size_t searched = client->taken;

    for (;;) {
        char *end = client->used > searched
                        ? memchr(client->buffer + searched, '\n', client->used - searched)
                        : NULL;
        if (end != NULL) {
            char *line = client->buffer + client->taken;
            *end = '\0';
            *length = (size_t)(end - line);
            client->taken = (size_t)(end - client->buffer) + 1;
            return line;
        }
        searched = client->used - client->taken; /* where it will be when the line moved down */
        if (read_more(client) <= 0) {
            return NULL;
        }
    }
}

/* ---- on the test's thread ---- */

void client_open(struct test_client *client, const char *endpoint)
{
    assert_true(client_try_open(client, endpoint));
}

void client_send(struct test_client *client, const char *text)
{
    assert_true(client_try_send(client, text, strlen(text)));
}

static char *format_text(const char *format, va_list args) BERTH_PRINTF(1, 0);

static char *format_text(const char *format, va_list args)
{
    va_list again;

    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    assert_true(length >= 0);
    char *text = malloc((size_t)length + 1);
    assert_non_null(text);
    (void)vsnprintf(text, (size_t)length + 1, format, args);
    return text;
}

void client_sendf(struct test_client *client, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    char *text = format_text(format, args);
    va_end(args);
    client_send(client, text);
    free(text);
}

json_t *client_answer(struct test_client *client)
{
    json_error_t error;
    size_t length;
    char *line = client_try_line(client, &length);

    if (line == NULL) {
        fail_msg("no answer came; %zu bytes of a line did", client->used - client->taken);
        return NULL;
    }
    json_t *answer = json_loadb(line, length, JSON_REJECT_DUPLICATES, &error);
    if (answer == NULL) {
        fail_msg("the answer is not JSON (%s): %.400s", error.text, line);
    }
    return answer;
}

static json_t *ask(struct test_client *client, const char *method, const char *params, va_list args)
    BERTH_PRINTF(3, 0);

/* Sends a request and gives the whole answer, which must be for it. */
static json_t *ask(struct test_client *client, const char *method, const char *params, va_list args)
{
    char *text = params != NULL ? format_text(params, args) : NULL;

    client->last_id++;
    client_sendf(client, "{\"jsonrpc\":\"2.0\",\"id\":%ld,\"method\":\"%s\"%s%s}\n",
                 client->last_id, method, text != NULL ? ",\"params\":" : "",
                 text != NULL ? text : "");
    free(text);
    json_t *answer = client_answer(client);
    assert_string_equal(json_string_at(answer, "jsonrpc"), "2.0");
    assert_int_equal(json_integer_at(answer, "id"), client->last_id);
    assert_int_equal(json_object_size(answer), 3);
    return answer;
}

json_t *client_call(struct test_client *client, const char *method, const char *params, ...)
{
    va_list args;

    va_start(args, params);
    json_t *answer = ask(client, method, params, args);
    va_end(args);
    json_t *result = json_object_get(answer, "result");
    if (result == NULL) {
        fail_msg("%s was refused: %s", method, json_string_at(answer, "error.message"));
    }
    json_incref(result);
    json_decref(answer);
    return result;
}

json_t *client_refused(struct test_client *client, const char *reason, const char *method,
                       const char *params, ...)
{
    va_list args;

    va_start(args, params);
    json_t *answer = ask(client, method, params, args);
    va_end(args);
    json_t *error = json_object_get(answer, "error");
    if (error == NULL) {
        fail_msg("%s was not refused, but should be for %s", method, reason);
    }
    assert_string_equal(json_string_at(error, "data.reason"), reason);
    assert_true(strlen(json_string_at(error, "message")) > 0);
    json_incref(error);
    json_decref(answer);
    return error;
}

void client_expect_closed(struct test_client *client)
{
    assert_int_equal(client->used - client->taken, 0);
    long count = read_more(client);
    /* closing with unread input is a reset on some systems */
    assert_true(count == 0 || count == PLATFORM_FAILED);
}

void client_expect_silence(struct test_client *client)
{
    json_t *hello = client_call(client, "hello", NULL);

    json_decref(hello);
    assert_int_equal(client->used - client->taken, 0);
}

/* ---- reading answers ---- */

static json_t *find(const json_t *root, const char *path)
{
    const json_t *at = root;

    while (at != NULL && *path != '\0') {
        char name[64];
        size_t length = strcspn(path, ".");
        assert_true(length < sizeof name);
        memcpy(name, path, length);
        name[length] = '\0';
        at = json_is_array(at) ? json_array_get(at, (size_t)strtoul(name, NULL, 10))
                               : json_object_get(at, name);
        path += length + (path[length] == '.');
    }
    return (json_t *)(uintptr_t)at;
}

json_t *json_at(const json_t *root, const char *path)
{
    json_t *found = find(root, path);

    if (found == NULL) {
        char *text = json_dumps(root, JSON_ENCODE_ANY | JSON_COMPACT);
        (void)fprintf(stderr, "%.2000s\n", text != NULL ? text : "?");
        free(text);
        fail_msg("there is no %s in the answer above", path);
    }
    return found;
}

long long json_integer_at(const json_t *root, const char *path)
{
    const json_t *value = json_at(root, path);

    if (!json_is_integer(value)) {
        fail_msg("%s is not an integer", path);
    }
    return json_integer_value(value);
}

const char *json_string_at(const json_t *root, const char *path)
{
    const json_t *value = json_at(root, path);

    if (!json_is_string(value)) {
        fail_msg("%s is not a string", path);
    }
    return json_string_value(value);
}

bool json_has(const json_t *root, const char *path)
{
    return find(root, path) != NULL;
}

void assert_error_answer(const json_t *answer, const char *id, int code, const char *reason)
{
    char *shown = json_dumps(json_at(answer, "id"), JSON_ENCODE_ANY);

    assert_non_null(shown);
    assert_string_equal(shown, id != NULL ? id : "null");
    free(shown);
    assert_string_equal(json_string_at(answer, "jsonrpc"), "2.0");
    assert_false(json_has(answer, "result"));
    assert_string_equal(json_string_at(answer, "error.data.reason"), reason);
    assert_int_equal(json_integer_at(answer, "error.code"), code);
    assert_true(strlen(json_string_at(answer, "error.message")) > 0);
}

/* Gives the constant of a list that equals `text`. */
static const char *constant_of(const char *text, const char *const *list)
{
    while (*list != NULL && strcmp(*list, text) != 0) {
        list++;
    }
    if (*list == NULL) {
        fail_msg("%s is no known state", text);
    }
    return *list;
}

const char *client_port_state(struct test_client *client, unsigned port)
{
    static const char *const states[] = {"leased",  "used", "excluded", "reserved",
                                         "cooling", "free", "outside",  NULL};
    json_t *who = client_call(client, "who", "{\"port\":%u}", port);
    const char *state = constant_of(json_string_at(who, "state"), states);

    json_decref(who);
    return state;
}

bool client_port_is_free(struct test_client *client, unsigned port)
{
    return strcmp(client_port_state(client, port), "free") == 0;
}

static char *copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = malloc(size);

    assert_non_null(copy);
    return memcpy(copy, text, size);
}

static bool ends_with(const char *text, const char *end)
{
    size_t length = strlen(text);

    return length >= strlen(end) && strcmp(text + length - strlen(end), end) == 0;
}

const char *client_source_state(struct test_client *client, const char *name, char **reason)
{
    static const char *const states[] = {"waiting", "ready", "stale", "degraded", "absent", NULL};
    json_t *status = client_call(client, "status", NULL);
    const json_t *sources = json_at(status, "sources");
    const char *state = NULL;

    for (size_t i = 0; i < json_array_size(sources) && state == NULL; i++) {
        const json_t *source = json_array_get(sources, i);
        if (ends_with(json_string_at(source, "name"), name)) {
            const char *why = json_string_value(json_object_get(source, "reason"));
            state = constant_of(json_string_at(source, "state"), states);
            if (reason != NULL) {
                *reason = why != NULL ? copy_text(why) : NULL;
            }
        }
    }
    json_decref(status);
    if (state == NULL) {
        fail_msg("there is no source %s", name);
    }
    return state;
}
