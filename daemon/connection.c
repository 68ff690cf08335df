/* SPDX-License-Identifier: MIT */
#include "server_private.h"

#include "base/memory.h"
#include "log.h"

#include <inttypes.h>
#include <string.h>

#define REFUSAL_LOG_MS 10000
#define WRITE_PIECE 65536 /* a pipe tells of a write's progress when all of it is taken */

/* A write that libuv could not finish at once. */
struct pending_write {
    uv_write_t request;
    struct berth_connection *connection;
    size_t length;
    char bytes[];
};

static void resume(struct berth_connection *connection);
static bool settle_identity(struct berth_connection *connection);

/* ---- closing ---- */

static void on_closed(uv_handle_t *handle)
{
    struct berth_connection *connection = handle->data;

    berth__server_forget(connection->server, connection);
    berth_text_fini(&connection->input);
    berth_text_fini(&connection->held);
    berth_free(connection->peer);
    berth_free(connection);
}

void berth__connection_close(struct berth_connection *connection)
{
    if (!connection->closing) {
        connection->closing = true;
        connection->server->unwritten -= connection->unwritten;
        connection->server->service->subscribers_now -= connection->subscription.topics != 0;
        connection->subscription.topics = 0;
        uv_close((uv_handle_t *)&connection->pipe, on_closed);
    }
}

/* Closes once all answers are written. */
static void finish(struct berth_connection *connection)
{
    connection->close_when_written = true;
    (void)uv_read_stop((uv_stream_t *)&connection->pipe);
    connection->reading = false;
    if (connection->unwritten == 0) {
        berth__connection_close(connection);
    }
}

/* ---- writing ---- */

static void written(struct berth_connection *connection, size_t length, int status)
{
    connection->unwritten -= length;
    if (connection->closing) {
        return;
    }
    connection->server->unwritten -= length;
    connection->queued = connection->unwritten;
    connection->stuck_ms = connection->unwritten > 0 ? uv_now(connection->server->loop) : 0;
    if (status != 0 || (connection->close_when_written && connection->unwritten == 0 &&
                        connection->holds_for == 0)) {
        berth__connection_close(connection);
    } else if (connection->unwritten < BERTH_UNREAD_MAX) {
        resume(connection);
        berth__connection_push(connection);
    }
}

static void on_written(uv_write_t *request, int status)
{
    struct pending_write *pending = request->data;

    written(pending->connection, pending->length, status);
    berth_free(pending);
}

/* Gives a peer its user's name, or what stands for it until then.  @return whether that is all */
static bool take_name(const struct berth_connection *connection, struct berth_peer *peer)
{
    struct berth_account_names *names = connection->server->names;

    if (names == NULL) {
        (void)berth_account_nameless(&peer->user, peer->name, sizeof peer->name);
        return true;
    }
    return berth_account_names_get(names, &peer->user, peer->name);
}

static const char *name_of(const struct berth_connection *connection)
{
    return connection->peer != NULL ? connection->peer->name : "a client";
}

static void close_unread(struct berth_connection *connection)
{
    berth_log(BERTH_LOG_WARNING, "no room for the answers that %s does not read: closed",
              name_of(connection));
    berth__connection_close(connection);
}

static bool same_user(const struct berth_connection *a, const struct berth_connection *b)
{
    return a == b || (a->peer != NULL && b->peer != NULL &&
                      berth_account_same(&a->peer->user, &b->peer->user));
}

static size_t unread_by_user_of(const struct berth_connection *one)
{
    size_t sum = 0;

    for (const struct berth_connection *c = one->server->first; c != NULL; c = c->next) {
        sum += !c->closing && c->unwritten > 0 && same_user(c, one) ? c->unwritten : 0;
    }
    return sum;
}

/* Of the user who leaves most unread, finds the connection that does.  @return NULL: none does */
static struct berth_connection *find_greediest(const struct berth_server *server)
{
    struct berth_connection *greediest = NULL;
    size_t most = 0;

    for (struct berth_connection *c = server->first; c != NULL; c = c->next) {
        if (c->closing || c->unwritten == 0) {
            continue;
        }
        if (greediest != NULL && same_user(c, greediest)) {
            greediest = c->unwritten > greediest->unwritten ? c : greediest;
            continue;
        }
        size_t sum = unread_by_user_of(c);
        if (sum > most) {
            most = sum;
            greediest = c;
        }
    }
    return greediest;
}

/* Who asks need not be who has taken the room: a user's many connections, each of which reads a
 * little now and then, must not have the others closed. */
static void make_room(struct berth_server *server, size_t length)
{
    while (server->unwritten + length > server->unread_max) {
        struct berth_connection *greediest = find_greediest(server);
        if (greediest == NULL) {
            return;
        }
        close_unread(greediest);
    }
}

/* Hands to libuv what the socket did not take at once. */
static void write_later(struct berth_connection *connection, const char *bytes, size_t length)
{
    make_room(connection->server, length);
    if (connection->closing) {
        return;
    }
    struct pending_write *pending = berth_resize(NULL, sizeof *pending + length, 1);
    if (pending == NULL) {
        close_unread(connection);
        return;
    }
    memcpy(pending->bytes, bytes, length);
    pending->request.data = pending;
    pending->connection = connection;
    pending->length = length;
    uv_buf_t buffer = uv_buf_init(pending->bytes, (unsigned)length);
    if (uv_write(&pending->request, (uv_stream_t *)&connection->pipe, &buffer, 1, on_written) !=
        0) {
        berth_free(pending);
        berth__connection_close(connection);
        return;
    }
    if (connection->unwritten == 0) {
        connection->stuck_ms = uv_now(connection->server->loop);
    }
    connection->unwritten += length;
    connection->server->unwritten += length;
    connection->queued += length;
}

/* Writes the answers: at once if nothing is queued before them. */
void berth__connection_write(struct berth_connection *connection, const struct berth_text *output)
{
    size_t done = 0;

    if (output->length == 0 || connection->closing) {
        return;
    }
    if (connection->unwritten == 0) {
        uv_buf_t buffer = uv_buf_init(output->data, (unsigned)output->length);
        int status = uv_try_write((uv_stream_t *)&connection->pipe, &buffer, 1);
        if (status < 0 && status != UV_EAGAIN) {
            berth__connection_close(connection);
            return;
        }
        done = status > 0 ? (size_t)status : 0;
    }
    while (done < output->length && !connection->closing) {
        size_t rest = output->length - done;
        size_t piece = rest < WRITE_PIECE ? rest : WRITE_PIECE;
        write_later(connection, output->data + done, piece);
        done += piece;
    }
}

/* ---- requests ---- */

/* A flood of refusals must not become a flood of lines: tells whether one is due, and counts those
 * that are not. */
static bool log_is_due(struct berth_log_pace *pace, uint64_t now_ms)
{
    pace->count++;
    if (pace->told_ms != 0 && now_ms < pace->told_ms + REFUSAL_LOG_MS) {
        return false;
    }
    pace->told_ms = now_ms;
    return true;
}

/* A request and the connection that it came over. */
struct connection_call {
    struct berth_call call;
    const struct berth_connection *connection;
    uint64_t started_ns;
};

static bool is_late(struct berth_call *call)
{
    const struct connection_call *here = BERTH_CONTAINER_OF(call, struct connection_call, call);
    uint64_t now_ns = here->connection->server->clock_ns();

    return now_ns - here->started_ns >= BERTH_BATCH_TIME_MS * 1000000;
}

static void log_denied(struct berth_call *call, const char *method, const struct berth_error *error)
{
    const struct connection_call *here = BERTH_CONTAINER_OF(call, struct connection_call, call);
    struct berth_server *server = here->connection->server;
    const struct berth_peer *peer = here->connection->peer;

    if (log_is_due(&server->denied, uv_now(server->loop))) {
        berth_log(BERTH_LOG_WARNING,
                  "%" PRIu64 " request(s) denied, the last one: %s (pid %" PRIu32 "), %s: %s",
                  server->denied.count, peer->name, peer->process_id, method, error->detail);
        server->denied.count = 0;
    }
}

static void answer_line(struct berth_connection *connection, const char *line, size_t length)
{
    struct berth_server *server = connection->server;
    struct connection_call here = {
        .call = {.service = server->service,
                 .peer = connection->peer,
                 .role = connection->role,
                 .error_data = &server->error_data,
                 .subscription = &connection->subscription,
                 .denied = log_denied,
                 .is_late = is_late},
        .connection = connection,
        .started_ns = server->clock_ns(),
    };
    size_t count;
    const struct berth_method *methods = berth_methods(&count);

    if (length == 0) {
        return;
    }
    enum berth_rpc_outcome outcome =
        berth_rpc_answer(&here.call, methods, count, line, length, &server->output);
    uint64_t took_ns = server->clock_ns() - here.started_ns;
    server->turn_ns += took_ns;
    berth_latency_note(&server->service->latency, took_ns);
    if (outcome == BERTH_RPC_CLOSE || server->output.failed != BERTH_OK) {
        connection->close_when_written = true;
    }
    connection->acted = connection->acted || here.call.acted;
}

static void refuse_line(struct berth_connection *connection, enum berth_code code,
                        const char *sentence)
{
    struct berth_error error;

    (void)berth_fail(&error, code, 0, "%s", sentence);
    berth_rpc_write_error(&connection->server->output, &error);
    connection->close_when_written = true;
}

/* Answers the whole requests at the start of `bytes` until the turn's time is used up, or so much
 * output is due that the client has to read first. Gives how many bytes that took. */
static size_t answer_lines(struct berth_connection *connection, const char *bytes, size_t count)
{
    struct berth_text *output = &connection->server->output;
    size_t at = 0;
    const char *line;
    size_t length;
    size_t used;

    while (!connection->close_when_written &&
           output->length + connection->unwritten < BERTH_UNREAD_MAX &&
           (at == 0 || berth__server_has_time(connection->server)) &&
           berth_frame_next(bytes + at, count - at, !connection->any_read, &line, &length, &used)) {
        if (length > BERTH_REQUEST_MAX) {
            refuse_line(connection, BERTH_TOO_LARGE,
                        "the request is larger than 64 KiB; the connection is closed");
        } else {
            answer_line(connection, line, length);
        }
        connection->any_read = true;
        at += used;
    }
    return at;
}

static bool has_whole_line(const struct berth_text *input)
{
    return input->length > 0 && memchr(input->data, '\n', input->length) != NULL;
}

/* Answers what can be answered of the kept input followed by new bytes, and keeps the rest. Tells
 * whether there was a whole request. */
static bool answer_input(struct berth_connection *connection, const char *bytes, size_t count)
{
    struct berth_text *input = &connection->input;
    size_t used;

    berth_text_clear(&connection->server->output);
    if (input->length == 0) {
        used = answer_lines(connection, bytes, count);
        berth_text_add(input, bytes + used, count - used);
    } else {
        berth_text_add(input, bytes, count);
        used = answer_lines(connection, input->data, input->length);
        memmove(input->data, input->data + used, input->length - used);
        input->length -= used;
    }
    if (input->failed != BERTH_OK) {
        refuse_line(connection, input->failed, "no room for the request; the connection is closed");
    }
    if (input->length > BERTH_REQUEST_MAX && !has_whole_line(input)) {
        refuse_line(connection, BERTH_TOO_LARGE,
                    "the request is larger than 64 KiB; the connection is closed");
    }
    return used > 0;
}

/* Gives input memory back that a large request left behind. */
static void trim_input(struct berth_text *input)
{
    if (input->length == 0 && input->capacity > 4096) {
        berth_text_fini(input);
    }
}

/* Keeps the answers back until what they tell is safe. Nothing is read meanwhile. */
static void hold_output(struct berth_connection *connection, const struct berth_text *output)
{
    berth_text_add(&connection->held, output->data, output->length);
    (void)uv_read_stop((uv_stream_t *)&connection->pipe);
    connection->reading = false;
}

/* Keeps what was read for when the client's name is there; no room is told then. */
static void keep_input(struct berth_connection *connection, const char *bytes, size_t count)
{
    berth_text_add(&connection->input, bytes, count);
    (void)uv_read_stop((uv_stream_t *)&connection->pipe);
    connection->reading = false;
}

/* Writes what there is, and ends or goes on. */
static void go_on(struct berth_connection *connection, const struct berth_text *output)
{
    bool last = connection->close_when_written;

    berth__connection_write(connection, output);
    if (connection->closing) {
        return;
    }
    if (last) {
        finish(connection);
        return;
    }
    resume(connection);
    if (connection->subscription.topics != 0) {
        berth_server_note_events(connection->server);
    }
}

void berth__connection_let_go(struct berth_connection *connection,
                              const struct berth_error *failure)
{
    struct berth_text *held = &connection->held;

    connection->holds_for = 0;
    if (failure != NULL || held->failed != BERTH_OK) {
        struct berth_error error;
        (void)berth_fail(&error, BERTH_STORE_FAILED, failure != NULL ? failure->os_code : 0,
                         "the change was made, but whether it would survive a power failure is not "
                         "known: ask again (%s)",
                         failure != NULL ? failure->detail : "no memory for the answer");
        berth_text_clear(held);
        berth_rpc_write_error(held, &error);
        connection->close_when_written = true;
    }
    go_on(connection, held);
    berth_text_fini(held);
}

void berth__connection_take(struct berth_connection *connection, const char *bytes, size_t count)
{
    struct berth_server *server = connection->server;
    struct berth_service *service = server->service;
    uint64_t now_ms = uv_now(server->loop);

    if (connection->unknown && !settle_identity(connection)) {
        return;
    }
    if (count > 0) {
        connection->read_ms = now_ms;
    }
    if (connection->awaits_name) { /* it was settled just now who it is */
        keep_input(connection, bytes, count);
        return;
    }
    connection->acted = false;
    bool answered = answer_input(connection, bytes, count);
    if (connection->input.length == 0) {
        connection->partial_ms = 0;
    } else if (answered || connection->partial_ms == 0) {
        connection->partial_ms = now_ms;
    }
    trim_input(&connection->input);
    /* also where nothing changed: "you have it already" acknowledges a change of before */
    if (connection->acted) {
        connection->holds_for = service->flush(service);
    }
    if (connection->holds_for != 0) {
        hold_output(connection, &server->output);
        return;
    }
    go_on(connection, &server->output);
    if (server->output.capacity > sizeof server->read_buffer) {
        berth_text_fini(&server->output); /* a large answer's memory is not kept */
    }
}

void berth__connection_try_name(struct berth_connection *connection)
{
    if (connection->closing || !connection->awaits_name) {
        return;
    }
    connection->awaits_name = !take_name(connection, connection->peer);
    if (!connection->awaits_name) {
        berth__connection_take(connection, "", 0);
    }
}

void berth__connection_work(struct berth_connection *connection)
{
    connection->backlog = false;
    if (!connection->closing && !connection->close_when_written && connection->holds_for == 0) {
        berth__connection_take(connection, "", 0);
    }
}

/* ---- reading ---- */

static void on_allocate(uv_handle_t *handle, size_t suggested, uv_buf_t *out)
{
    struct berth_connection *connection = handle->data;

    (void)suggested;
    *out = uv_buf_init(connection->server->read_buffer, sizeof connection->server->read_buffer);
}

static void on_read(uv_stream_t *stream, ssize_t count, const uv_buf_t *buffer)
{
    struct berth_connection *connection = stream->data;

    if (count > 0) {
        berth__connection_take(connection, buffer->base, (size_t)count);
    } else if (count == UV_EOF && connection->unwritten > 0) {
        finish(connection); /* a client that shut down its writing side may still read */
    } else if (count < 0) {
        berth__connection_close(connection);
    }
}

/* Goes on with a client: with the requests that it sent already, else with reading, unless it has
 * to read its answers first. */
static void resume(struct berth_connection *connection)
{
    uv_stream_t *stream = (uv_stream_t *)&connection->pipe;
    bool waits = has_whole_line(&connection->input);

    if (connection->closing || connection->awaits_name || connection->holds_for != 0 ||
        connection->close_when_written) {
        return;
    }
    if (connection->unwritten >= BERTH_UNREAD_MAX || waits) {
        (void)uv_read_stop(stream);
        connection->reading = false;
    } else if (!connection->reading) {
        connection->reading = uv_read_start(stream, on_allocate, on_read) == 0;
        if (connection->partial_ms != 0) {
            connection->partial_ms = uv_now(connection->server->loop); /* ours was the delay */
        }
    }
    if (connection->unwritten < BERTH_UNREAD_MAX && waits) {
        berth__server_note_backlog(connection->server, connection);
    }
}

/* ---- accepting ---- */

/* Tells whether there is room for one more connection of this peer; else says why not. */
static enum berth_code check_limits(const struct berth_server *server,
                                    const struct berth_connection *fresh, struct berth_error *err)
{
    const struct berth_settings *settings = server->service->settings;
    const size_t most = berth_listener_most_clients();
    const bool configured = settings->limits.connections <= most;
    const size_t top = configured ? settings->limits.connections : most;
    size_t limit = top;
    size_t same_user = 0;

    if (fresh->role != BERTH_ROLE_ADMIN) {
        limit = limit > BERTH_ADMIN_CONNECTIONS ? limit - BERTH_ADMIN_CONNECTIONS : 1;
        for (const struct berth_connection *c = server->first; c != NULL; c = c->next) {
            same_user += c != fresh && c->peer != NULL &&
                         berth_account_same(&c->peer->user, &fresh->peer->user);
        }
    }
    /* neither itself nor those who have not said yet who they are */
    size_t others = server->service->connections_now - 1 - server->unknown;
    if (others >= limit) {
        return berth_fail(err, BERTH_LIMIT_REACHED, 0,
                          configured
                              ? "there are %zu connections; the limit is connections=\"%zu\" "
                                "in the configuration"
                              : "there are %zu connections; %zu are possible on this system",
                          others, top);
    }
    if (same_user >= settings->limits.per_user) {
        return berth_fail(err, BERTH_LIMIT_REACHED, 0,
                          "%s has %zu connections; the limit is perUser=\"%" PRIu32
                          "\" in the configuration",
                          fresh->peer->name, same_user, settings->limits.per_user);
    }
    return BERTH_OK;
}

static void link_connection(struct berth_server *server, struct berth_connection *connection)
{
    connection->next = server->first;
    if (server->first != NULL) {
        server->first->previous = connection;
    }
    server->first = connection;
    server->service->connections_now++;
}

/* Finds out who it is, and what that may do. A peer has few groups as a rule: room for the others
 * is not kept. */
static enum berth_code identify(struct berth_connection *connection, struct berth_error *err)
{
    struct berth_peer peer;
    struct berth_account_id through;
    enum berth_code code = berth_peer_of(&connection->pipe, &peer, err);

    if (code != BERTH_OK) {
        return code;
    }
    connection->role = berth_access_role(connection->server->access, &peer, &through);
    (void)berth_account_text(&through, peer.through);
    connection->awaits_name = !take_name(connection, &peer);
    connection->peer = berth_alloc(1, berth_peer_size(&peer));
    if (connection->peer == NULL) {
        return berth_fail_memory(err, "a peer");
    }
    memcpy(connection->peer, &peer, berth_peer_size(&peer));
    return BERTH_OK;
}

static void log_refusal(struct berth_server *server, const struct berth_error *err)
{
    if (log_is_due(&server->refused, uv_now(server->loop))) {
        berth_log(BERTH_LOG_WARNING, "%" PRIu64 " client(s) refused, the last one: %s",
                  server->refused.count, err->detail);
        server->refused.count = 0;
    }
}

/* Ends a connection that was not admitted; says why where that is for the client to know. */
static void turn_away(struct berth_connection *connection, enum berth_code code,
                      const struct berth_error *err)
{
    struct berth_server *server = connection->server;

    connection->awaits_name = false;
    log_refusal(server, err);
    if (code != BERTH_LIMIT_REACHED && code != BERTH_DENIED) {
        berth__connection_close(connection);
        return;
    }
    berth_text_clear(&server->output);
    berth_rpc_write_error(&server->output, err);
    berth__connection_write(connection, &server->output);
    finish(connection);
}

/* Finds out who it is, and whether there is room. */
static enum berth_code admit(struct berth_connection *connection, struct berth_error *err)
{
    enum berth_code code = identify(connection, err);

    return code == BERTH_OK ? check_limits(connection->server, connection, err) : code;
}

static struct berth_connection *oldest_unknown(const struct berth_server *server)
{
    struct berth_connection *oldest = NULL;

    for (struct berth_connection *c = server->first; c != NULL; c = c->next) {
        oldest = c->unknown && !c->closing ? c : oldest;
    }
    return oldest;
}

/* Waits for the client's first bytes, which tell who it is. */
static void await_identity(struct berth_connection *connection)
{
    struct berth_server *server = connection->server;
    struct berth_connection *oldest =
        server->unknown >= BERTH_UNKNOWN_MAX ? oldest_unknown(server) : NULL;

    if (oldest != NULL) {
        berth__connection_close(oldest);
    }
    connection->unknown = true;
    server->unknown++;
    resume(connection);
}

/* The first bytes are here. Tells whether the client was admitted; nothing was answered before. */
static bool settle_identity(struct berth_connection *connection)
{
    struct berth_error err;

    connection->unknown = false;
    connection->server->unknown--;
    enum berth_code code = admit(connection, &err);
    if (code != BERTH_OK) {
        turn_away(connection, code, &err);
    }
    return code == BERTH_OK;
}

void berth__connection_accept(struct berth_server *server)
{
    struct berth_connection *connection = berth_alloc(1, sizeof *connection);
    struct berth_error err;

    /* the listener waits with the next client until this one is accepted */
    server->client_waits = connection == NULL;
    if (connection == NULL) {
        berth_log(BERTH_LOG_WARNING, "a client was not accepted yet: out of memory");
        return;
    }
    (void)uv_pipe_init(server->loop, &connection->pipe, 0);
    connection->pipe.data = connection;
    connection->server = server;
    connection->accepted_ms = uv_now(server->loop);
    connection->read_ms = connection->accepted_ms;
    /* what comes while an answer waits to be read is at most one read more than a request */
    berth_text_init(&connection->held, BERTH_ANSWER_MAX);
    berth_text_init(&connection->input, 2 * BERTH_REQUEST_MAX + sizeof server->read_buffer);
    link_connection(server, connection);
    server->service->connections_accepted++;
    enum berth_code code = berth_listener_accept(server->listener, &connection->pipe, &err);
    if (code == BERTH_OK) {
        code = admit(connection, &err);
    }
    if (code == BERTH_NOT_READY) {
        await_identity(connection);
    } else if (code != BERTH_OK) {
        turn_away(connection, code, &err);
    } else {
        resume(connection);
    }
}

/* ---- times ---- */

static bool passed(uint64_t since_ms, uint64_t time_ms, uint64_t now_ms)
{
    return since_ms != 0 && now_ms >= since_ms + time_ms;
}

/* A client that reads slowly is not stuck. */
static void note_progress(struct berth_connection *connection, uint64_t now_ms)
{
    size_t queued = uv_stream_get_write_queue_size((const uv_stream_t *)&connection->pipe);

    if (connection->stuck_ms != 0 && queued < connection->queued) {
        connection->stuck_ms = now_ms;
    }
    connection->queued = queued;
}

void berth__connection_check(struct berth_connection *connection, uint64_t now_ms)
{
    if (connection->closing) {
        return;
    }
    note_progress(connection, now_ms);
    if (connection->unknown) {
        if (passed(connection->read_ms, BERTH_REQUEST_TIME_MS, now_ms)) {
            berth__connection_close(connection);
        }
    } else if (passed(connection->stuck_ms, BERTH_REQUEST_TIME_MS, now_ms)) {
        berth_log(BERTH_LOG_INFO, "%s (pid %" PRIu32 ") does not read its answers: closed",
                  name_of(connection), connection->peer != NULL ? connection->peer->process_id : 0);
        berth__connection_close(connection);
    } else if (connection->reading &&
               passed(connection->partial_ms, BERTH_REQUEST_TIME_MS, now_ms)) {
        berth_text_clear(&connection->server->output);
        refuse_line(connection, BERTH_INVALID_REQUEST,
                    "the request was not complete within 10 s; the connection is closed");
        berth__connection_write(connection, &connection->server->output);
        finish(connection);
    } else if (connection->subscription.topics == 0 && /* these are here to listen */
               passed(connection->read_ms, BERTH_IDLE_TIME_MS, now_ms)) {
        berth__connection_close(connection);
    }
}
