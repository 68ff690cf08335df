/* SPDX-License-Identifier: MIT */
#include "berth_client.h"

#include "base/memory.h"
#include "base/native.h"
#include "line_reader.h"
#include "reply.h"
#include "transport.h"

#include <limits.h>
#include <string.h>

#define DEFAULT_ENDPOINTS_MAX 4

struct berth_client {
    struct berth_transport *transport;
    struct berth_line_reader reader;
    char *endpoint;
    json_t *events; /* an array of events that came while an answer was awaited; NULL: none yet */
    json_int_t last_id;
    unsigned timeout_ms;
    bool broken; /* a call failed half-way: what comes next cannot be told apart */
};

static uint64_t deadline_after(unsigned timeout_ms)
{
    return timeout_ms == 0 ? BERTH_NO_DEADLINE : berth_transport_now_ms() + timeout_ms;
}

/* Connecting */

static enum berth_code make_client(struct berth_client **out, const char *endpoint,
                                   unsigned timeout_ms, struct berth_error *err)
{
    struct berth_client *made = berth_alloc(1, sizeof *made);

    if (made == NULL) {
        return berth_fail_memory(err, "a client");
    }
    berth_line_reader_init(&made->reader);
    made->timeout_ms = timeout_ms;
    made->endpoint = berth_copy(endpoint);
    if (made->endpoint == NULL) {
        berth_client_close(made);
        return berth_fail_memory(err, "a client");
    }
    enum berth_code code =
        berth_transport_open(&made->transport, endpoint, deadline_after(timeout_ms), err);
    if (code != BERTH_OK) {
        berth_client_close(made);
        return code;
    }
    *out = made;
    return BERTH_OK;
}

const char *berth_client_access_advice(void)
{
    return berth_transport_words.access;
}

/* Says what is wrong with one place that was tried, and what to do where that is known. */
static enum berth_code explain_failure(const char *endpoint, struct berth_error *err)
{
    struct berth_error cause = *err;

    switch (cause.code) {
    case BERTH_DENIED:
        return berth_fail(err, cause.code, cause.os_code,
                          "access to the daemon at %s is denied; %s", endpoint,
                          berth_transport_words.access);
    case BERTH_BUSY:
        return berth_fail(err, cause.code, cause.os_code,
                          "the daemon at %s did not accept the connection in time", endpoint);
    case BERTH_NO_MEMORY:
        return cause.code;
    default:
        return berth_fail(err, cause.code, cause.os_code, "cannot connect to %s: %s", endpoint,
                          cause.detail);
    }
}

/* "no daemon at A (no such socket) or B (nobody listens there); start it with …" */
static enum berth_code explain_absence(const struct berth_text *tried, struct berth_error *err)
{
    return berth_fail(err, BERTH_NOT_FOUND, err->os_code,
                      "no daemon at %s; %s, or name its endpoint with --endpoint or BERTH_ENDPOINT",
                      berth_text_string(tried), berth_transport_words.start);
}

enum berth_code berth_client_connect_any(struct berth_client **out, const char *const *endpoints,
                                         size_t count, unsigned timeout_ms, struct berth_error *err)
{
    struct berth_error cause = {.code = BERTH_NOT_FOUND};
    struct berth_text tried;
    enum berth_code code = BERTH_NOT_FOUND;

    berth_text_init(&tried, sizeof cause.detail);
    for (size_t i = 0; i < count && code == BERTH_NOT_FOUND; i++) {
        code = make_client(out, endpoints[i], timeout_ms, &cause);
        if (code == BERTH_NOT_FOUND) {
            berth_text_printf(&tried, "%s%s (%s)", i != 0 ? " or " : "", endpoints[i],
                              cause.detail);
        } else if (code != BERTH_OK) {
            code = explain_failure(endpoints[i], &cause);
        }
    }
    if (code == BERTH_NOT_FOUND) {
        code = explain_absence(&tried, &cause);
    }
    berth_text_fini(&tried);
    if (code != BERTH_OK && err != NULL) {
        *err = cause;
    }
    return code;
}

/* Connects to the platform's usual places in turn. */
static enum berth_code connect_usual(struct berth_client **out, unsigned timeout_ms,
                                     struct berth_error *err)
{
    char usual[DEFAULT_ENDPOINTS_MAX][BERTH_ENDPOINT_MAX];
    const char *places[DEFAULT_ENDPOINTS_MAX];
    unsigned count = 0;

    while (count < DEFAULT_ENDPOINTS_MAX &&
           berth_transport_default_endpoint(count, usual[count], sizeof usual[count])) {
        places[count] = usual[count];
        count++;
    }
    return berth_client_connect_any(out, places, count, timeout_ms, err);
}

enum berth_code berth_client_connect(struct berth_client **out, const char *endpoint,
                                     unsigned timeout_ms, struct berth_error *err)
{
    char *named = NULL;
    enum berth_code code;

    if (endpoint == NULL) {
        if (!berth_environment(&named, "BERTH_ENDPOINT")) {
            return berth_fail_memory(err, "BERTH_ENDPOINT");
        }
        endpoint = named != NULL && named[0] != '\0' ? named : NULL;
    }
    code = endpoint != NULL ? berth_client_connect_any(out, &endpoint, 1, timeout_ms, err)
                            : connect_usual(out, timeout_ms, err);
    berth_free(named);
    return code;
}

const char *berth_client_endpoint(const struct berth_client *client)
{
    return client->endpoint;
}

void berth_client_close(struct berth_client *client)
{
    if (client == NULL) {
        return;
    }
    berth_transport_close(client->transport);
    berth_line_reader_fini(&client->reader);
    json_decref(client->events);
    berth_free(client->endpoint);
    berth_free(client);
}

/* Calling */

void berth_remote_error_fini(struct berth_remote_error *remote)
{
    json_decref(remote->object);
    *remote = (struct berth_remote_error){0};
}

static enum berth_code code_of_reason(const char *reason)
{
    for (unsigned i = BERTH_OK + 1; i < BERTH_CODE_COUNT; i++) {
        if (strcmp(berth_code_token((enum berth_code)i), reason) == 0) {
            return (enum berth_code)i;
        }
    }
    return BERTH_INTERNAL;
}

/* Takes over `object`, whose shape berth_reply_parse() has checked. */
static enum berth_code take_remote_error(struct berth_remote_error *remote, json_t *object,
                                         struct berth_error *err)
{
    json_int_t number = json_integer_value(json_object_get(object, "code"));
    const char *reason;

    remote->object = object;
    remote->number = number < INT_MIN || number > INT_MAX ? 0 : (int)number;
    remote->message = json_string_value(json_object_get(object, "message"));
    remote->data = json_object_get(object, "data");
    reason = json_string_value(json_object_get(remote->data, "reason"));
    remote->reason = reason != NULL ? reason : berth_code_token(BERTH_INTERNAL);
    return berth_fail(err, code_of_reason(remote->reason), 0, "%s", remote->message);
}

static int add_dumped(const char *bytes, size_t length, void *text)
{
    struct berth_text *line = text;

    berth_text_add(line, bytes, length);
    return line->failed == BERTH_OK ? 0 : -1;
}

/* Writes the request as a line, in one piece so that the daemon wakes once. `params` stays the
 * caller's. */
static enum berth_code write_request(struct berth_text *line, json_int_t id, const char *method,
                                     json_t *params, struct berth_error *err)
{
    json_t *request = json_pack("{s:s, s:I, s:s}", "jsonrpc", "2.0", "id", id, "method", method);
    bool built = request != NULL;

    if (built && json_object_size(params) != 0) {
        built = json_object_set(request, "params", params) == 0;
    }
    built = built && json_dump_callback(request, add_dumped, line, JSON_COMPACT) == 0;
    berth_text_putc(line, '\n');
    json_decref(request);
    if (line->failed == BERTH_TOO_LARGE) {
        return berth_fail(err, BERTH_TOO_LARGE, 0, "the request has more than %zu MiB",
                          BERTH_CLIENT_LINE_MAX >> 20);
    }
    return built && line->failed == BERTH_OK ? BERTH_OK : berth_fail_memory(err, "a request");
}

static enum berth_code read_reply(struct berth_client *client, struct berth_reply *reply,
                                  uint64_t deadline_ms, struct berth_error *err)
{
    const char *line;
    size_t length;
    enum berth_code code = berth_line_reader_next(&client->reader, client->transport, deadline_ms,
                                                  &line, &length, err);

    return code == BERTH_OK ? berth_reply_parse(reply, line, length, err) : code;
}

/* Takes over `event`. */
static enum berth_code keep_event(struct berth_client *client, json_t *event,
                                  struct berth_error *err)
{
    if (client->events == NULL) {
        client->events = json_array();
    }
    if (json_array_size(client->events) >= BERTH_CLIENT_EVENTS_MAX) {
        json_decref(event);
        return berth_fail(err, BERTH_TOO_LARGE, 0, "more than %u events came before the answer",
                          BERTH_CLIENT_EVENTS_MAX);
    }
    if (json_array_append_new(client->events, event) != 0) {
        return berth_fail_memory(err, "an event");
    }
    return BERTH_OK;
}

/* Reads until the answer comes. An error without an id is about this request: it is the only one
 * under way, or the connection itself was refused. */
static enum berth_code await_answer(struct berth_client *client, struct berth_reply *reply,
                                    uint64_t deadline_ms, struct berth_error *err)
{
    for (;;) {
        enum berth_code code = read_reply(client, reply, deadline_ms, err);
        if (code != BERTH_OK) {
            return code;
        }
        if (reply->kind == BERTH_REPLY_NOTIFICATION) {
            code = keep_event(client, reply->value, err);
            if (code != BERTH_OK) {
                return code;
            }
        } else if (!reply->has_id || reply->id == client->last_id) {
            return BERTH_OK;
        } else {
            json_decref(reply->value);
            return berth_fail(err, BERTH_MALFORMED, 0,
                              "the daemon's answer is not understood: it answers another request");
        }
    }
}

static enum berth_code exchange(struct berth_client *client, const struct berth_text *line,
                                struct berth_reply *reply, struct berth_error *err)
{
    uint64_t deadline_ms = deadline_after(client->timeout_ms);
    struct berth_error parting;
    enum berth_code code =
        berth_transport_send(client->transport, line->data, line->length, deadline_ms, err);

    if (code == BERTH_OK) {
        return await_answer(client, reply, deadline_ms, err);
    }
    /* a daemon that refuses a connection says why and closes: its words may be waiting */
    if (code == BERTH_IO && await_answer(client, reply, deadline_ms, &parting) == BERTH_OK) {
        return BERTH_OK;
    }
    return code;
}

static enum berth_code break_client(struct berth_client *client, enum berth_code code,
                                    struct berth_error *err)
{
    client->broken = true;
    if (code == BERTH_BUSY) {
        return berth_fail(err, BERTH_BUSY, 0, "the daemon at %s did not answer within %u ms",
                          client->endpoint, client->timeout_ms);
    }
    return code;
}

enum berth_code berth_client_call(struct berth_client *client, const char *method, json_t *params,
                                  json_t **result, struct berth_remote_error *remote,
                                  struct berth_error *err)
{
    struct berth_reply reply;
    struct berth_text line;
    enum berth_code code;

    *remote = (struct berth_remote_error){0};
    berth_text_init(&line, BERTH_CLIENT_LINE_MAX);
    if (client->broken) {
        code = berth_fail(err, BERTH_IO, 0, "the connection to %s is no longer usable",
                          client->endpoint);
        goto out;
    }
    code = params != NULL ? write_request(&line, client->last_id + 1, method, params, err)
                          : berth_fail_memory(err, "a request");
    if (code != BERTH_OK) {
        goto out;
    }
    client->last_id++;
    code = exchange(client, &line, &reply, err);
    if (code != BERTH_OK) {
        code = break_client(client, code, err);
    } else if (reply.kind == BERTH_REPLY_ERROR) {
        client->broken = !reply.has_id;
        code = take_remote_error(remote, reply.value, err);
    } else {
        *result = reply.value;
    }
out:
    berth_text_fini(&line);
    json_decref(params);
    return code;
}

enum berth_code berth_client_next_event(struct berth_client *client, json_t **event,
                                        unsigned timeout_ms, struct berth_error *err)
{
    struct berth_reply reply;

    if (json_array_size(client->events) != 0) {
        *event = json_incref(json_array_get(client->events, 0));
        (void)json_array_remove(client->events, 0);
        return BERTH_OK;
    }
    enum berth_code code = read_reply(client, &reply, deadline_after(timeout_ms), err);
    if (code != BERTH_OK) {
        client->broken = client->broken || code != BERTH_BUSY;
        return code;
    }
    if (reply.kind != BERTH_REPLY_NOTIFICATION) {
        json_decref(reply.value);
        client->broken = true;
        return berth_fail(err, BERTH_MALFORMED, 0, "the daemon sent something other than an event");
    }
    *event = reply.value;
    return BERTH_OK;
}
