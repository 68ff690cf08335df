/* SPDX-License-Identifier: MIT */
#include "server_private.h"

#include "base/memory.h"
#include "log.h"

#define SWEEP_MS 1000
#define STOP_QUIET_MS 50   /* between two looks for connections that have nothing more to do */
#define STOP_FIRST_MS 1000 /* so long after connecting a client's first request is waited for */
#define STOP_MAX_MS 2000

static void sweep(struct berth_server *server)
{
    struct berth_connection *next;

    if (server->client_waits) {
        berth__connection_accept(server);
    }
    for (struct berth_connection *c = server->first; c != NULL; c = next) {
        next = c->next;
        berth__connection_check(c, uv_now(server->loop));
    }
}

/* Tells whether a connection may be closed without leaving a request of its client unanswered. Who
 * has just connected is about to ask, and may have done so: its bytes can be later than the event
 * that told of it. */
static bool has_nothing_to_do(const struct berth_connection *connection, uint64_t now_ms)
{
    bool is_new = !connection->any_read && now_ms < connection->accepted_ms + STOP_FIRST_MS;

    return connection->unwritten == 0 && !connection->backlog && connection->holds_for == 0 &&
           !connection->awaits_name && !is_new;
}

/* While stopping: closes what has nothing more to do, or everything when the time is up. */
static void sweep_stopping(struct berth_server *server)
{
    uint64_t now_ms = uv_now(server->loop);
    bool time_is_up = now_ms >= server->stop_ms + STOP_MAX_MS;
    struct berth_connection *next;

    for (struct berth_connection *c = server->first; c != NULL; c = next) {
        next = c->next;
        if (time_is_up || has_nothing_to_do(c, now_ms)) {
            berth__connection_close(c);
        }
    }
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct berth_server *server = handle->data;
    void (*closed)(void *ctx) = server->closed;
    void *ctx = server->ctx;

    if (--server->open_handles > 0) {
        return;
    }
    berth_text_fini(&server->output);
    berth_text_fini(&server->error_data);
    berth_free(server);
    if (closed != NULL) {
        closed(ctx);
    }
}

static void close_handles(struct berth_server *server)
{
    uv_close((uv_handle_t *)&server->sweep, on_handle_closed);
    uv_close((uv_handle_t *)&server->backlog, on_handle_closed);
    uv_close((uv_handle_t *)&server->turn, on_handle_closed);
    uv_close((uv_handle_t *)&server->gather, on_handle_closed);
    uv_close((uv_handle_t *)&server->push, on_handle_closed);
    uv_close((uv_handle_t *)&server->quiet, on_handle_closed);
}

/* When no connection is left, the server's own handles go. */
static void close_if_done(struct berth_server *server)
{
    if (server->stop_ms != 0 && server->first == NULL &&
        !uv_is_closing((uv_handle_t *)&server->sweep)) {
        close_handles(server);
    }
}

void berth_server_flushed(struct berth_server *server, uint64_t upto,
                          const struct berth_error *failure)
{
    struct berth_connection *next;

    for (struct berth_connection *c = server->first; c != NULL; c = next) {
        next = c->next;
        if (c->holds_for != 0 && c->holds_for <= upto) {
            berth__connection_let_go(c, failure);
        }
    }
}

void berth_server_name_learned(struct berth_server *server)
{
    struct berth_connection *next;

    for (struct berth_connection *c = server->first; c != NULL; c = next) {
        next = c->next;
        berth__connection_try_name(c);
    }
}

static void on_backlog(uv_idle_t *handle);

/* A turn for the connections that have requests waiting, as many as there is time for. Who gets
 * none has it before any of the others gets a second one. */
static void work_off_backlog(struct berth_server *server)
{
    struct berth_connection *next;
    bool others = false; /* have requests waiting still */

    (void)uv_idle_stop(&server->backlog);
    server->turn_ns = 0;
    server->backlog_round += !server->backlog_left;
    server->backlog_left = false;
    for (struct berth_connection *c = server->first; c != NULL && !server->backlog_left; c = next) {
        next = c->next;
        if (!c->backlog) {
            continue;
        }
        if (c->backlog_round == server->backlog_round) {
            others = true; /* in the next round */
        } else if (berth__server_has_time(server)) {
            berth__connection_work(c);
        } else {
            server->backlog_left = true;
        }
    }
    if (others || server->backlog_left) {
        (void)uv_idle_start(&server->backlog, on_backlog);
    }
}

static void on_backlog(uv_idle_t *handle)
{
    work_off_backlog(handle->data);
}

static void on_turn(uv_prepare_t *handle)
{
    struct berth_server *server = handle->data;

    server->turn_ns = 0;
}

void berth__server_note_backlog(struct berth_server *server, struct berth_connection *connection)
{
    if (!connection->backlog) {
        connection->backlog = true;
        connection->backlog_round = server->backlog_round;
    }
    (void)uv_idle_start(&server->backlog, on_backlog);
}

static void on_sweep(uv_timer_t *timer)
{
    struct berth_server *server = timer->data;

    /* while stopping, its turn only wakes the loop */
    if (server->stop_ms == 0) {
        sweep(server);
    }
}

/* While stopping, right after the loop has handed out all that arrived: a timer's turn comes before
 * that, and after a pause of this process it would close clients whose requests are there. */
static void look_whether_quiet(struct berth_server *server)
{
    if (uv_now(server->loop) >= server->quiet_ms) {
        server->quiet_ms = uv_now(server->loop) + STOP_QUIET_MS;
        sweep_stopping(server);
        close_if_done(server);
    }
}

static void on_quiet(uv_check_t *check)
{
    look_whether_quiet(check->data);
}

static void on_connected(struct berth_listener *listener, void *ctx)
{
    (void)listener;
    berth__connection_accept(ctx);
}

void berth__server_forget(struct berth_server *server, struct berth_connection *connection)
{
    if (connection->previous != NULL) {
        connection->previous->next = connection->next;
    } else {
        server->first = connection->next;
    }
    if (connection->next != NULL) {
        connection->next->previous = connection->previous;
    }
    server->service->connections_now--;
    server->unknown -= connection->unknown;
    close_if_done(server);
}

enum berth_code berth_server_open(struct berth_server **out, uv_loop_t *loop, const char *endpoint,
                                  struct berth_service *service, const struct berth_access *access,
                                  struct berth_account_names *names, struct berth_error *err)
{
    struct berth_server *server = berth_alloc(1, sizeof *server);

    if (server == NULL) {
        return berth_fail_memory(err, "the server");
    }
    server->loop = loop;
    server->clock_ns = uv_hrtime;
    server->unread_max = BERTH_UNREAD_TOTAL_MAX;
    server->service = service;
    server->access = access;
    server->names = names;
    berth_text_init(&server->output, BERTH_ANSWER_MAX);
    berth_text_init(&server->error_data, BERTH_ANSWER_MAX);
    (void)uv_timer_init(loop, &server->sweep);
    (void)uv_idle_init(loop, &server->backlog);
    (void)uv_prepare_init(loop, &server->turn);
    (void)uv_timer_init(loop, &server->gather);
    (void)uv_idle_init(loop, &server->push);
    (void)uv_check_init(loop, &server->quiet);
    server->sweep.data = server;
    server->backlog.data = server;
    server->turn.data = server;
    server->gather.data = server;
    server->push.data = server;
    server->quiet.data = server;
    server->open_handles = 6;
    enum berth_code code =
        berth_listener_open(&server->listener, loop, endpoint, access, on_connected, server, err);
    if (code == BERTH_OK) {
        (void)uv_timer_start(&server->sweep, on_sweep, SWEEP_MS, SWEEP_MS);
        (void)uv_prepare_start(&server->turn, on_turn);
        *out = server;
    } else {
        close_handles(server);
    }
    return code;
}

enum berth_code berth_server_follow_access(struct berth_server *server, struct berth_error *err)
{
    return berth_listener_set_access(server->listener, server->access, err);
}

void berth_server_close(struct berth_server *server, void (*closed)(void *ctx), void *ctx)
{
    server->closed = closed;
    server->ctx = ctx;
    server->stop_ms = uv_now(server->loop);
    server->quiet_ms = server->stop_ms + STOP_QUIET_MS;
    berth_listener_drain(server->listener);
    berth_listener_close(server->listener);
    server->listener = NULL;
    (void)uv_timer_start(&server->sweep, on_sweep, STOP_QUIET_MS, STOP_QUIET_MS);
    (void)uv_check_start(&server->quiet, on_quiet);
}
