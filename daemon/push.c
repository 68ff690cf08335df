/* SPDX-License-Identifier: MIT */
/* Sends events to the connections that subscribed to them: shortly after they happen, so that a
 * burst goes out in few writes, and to a few of them a turn, so that requests need not wait. */
#include "server_private.h"

#include "events.h"

#define GATHER_MS 2
#define BYTES_A_TURN ((size_t)64 * 1024) /* of one subscriber */
#define SUBSCRIBERS_A_TURN 8

/* A subscriber takes more while the socket has taken the events before. */
static bool has_room(const struct berth_connection *connection)
{
    return connection->subscription.topics != 0 && !connection->closing &&
           !connection->close_when_written && connection->holds_for == 0 &&
           connection->unwritten < BYTES_A_TURN;
}

/* Writes the events that are due. Gives whether there are more. */
static bool write_due(struct berth_connection *connection, struct berth_text *out)
{
    struct berth_service *service = connection->server->service;
    struct berth_subscription *subscription = &connection->subscription;
    const struct berth_event_log *log = service->events->log;
    const struct berth_event *event;

    while (out->length < BYTES_A_TURN) {
        event = berth_event_log_next(log, subscription);
        if (event != NULL) {
            berth_events_write(out, event);
        } else if (subscription->lost) {
            uint64_t revision = service->allocator->revision;
            uint64_t had = berth_event_log_skip(log, subscription, revision);
            service->events_lost++;
            berth_events_write_lost(out, had, revision, service->now(service));
        } else {
            return false;
        }
    }
    return true;
}

void berth__connection_push(struct berth_connection *connection)
{
    struct berth_server *server = connection->server;

    if (!has_room(connection)) {
        return; /* it goes on when the socket has taken what is under way */
    }
    const struct berth_subscription before = connection->subscription;
    berth_text_clear(&server->output);
    bool more = write_due(connection, &server->output);
    if (server->output.failed != BERTH_OK) {
        /* a line that is there in part would be worse than none: it is tried again from there, and
         * what the log has dropped by then is told as lost */
        connection->subscription = before;
        berth_text_clear(&server->output);
        more = true;
    }
    berth__connection_write(connection, &server->output);
    if (more) {
        berth_server_note_events(server);
    }
}

/* ---- turns ---- */

bool berth__push_turn(struct berth_server *server)
{
    unsigned served = 0;
    struct berth_connection *next;

    for (struct berth_connection *c = server->first; c != NULL; c = next) {
        next = c->next;
        if (c->subscription.topics == 0 || c->pushed_round == server->push_round) {
            continue;
        }
        if (served++ == SUBSCRIBERS_A_TURN) {
            return true; /* the others in the next turn */
        }
        c->pushed_round = server->push_round;
        berth__connection_push(c);
    }
    if (server->push_again) {
        server->push_again = false;
        server->push_round++;
        return true;
    }
    return false;
}

static void on_turn(uv_idle_t *handle)
{
    if (!berth__push_turn(handle->data)) {
        (void)uv_idle_stop(handle);
    }
}

void berth__push_begin_round(struct berth_server *server)
{
    if (uv_is_active((const uv_handle_t *)&server->push)) {
        server->push_again = true; /* or those at the end would never have their turn */
    } else {
        server->push_round++;
        (void)uv_idle_start(&server->push, on_turn);
    }
}

static void on_gathered(uv_timer_t *timer)
{
    berth__push_begin_round(timer->data);
}

void berth_server_note_events(struct berth_server *server)
{
    if (server->service->subscribers_now > 0 && server->stop_ms == 0 &&
        !uv_is_active((const uv_handle_t *)&server->gather)) {
        (void)uv_timer_start(&server->gather, on_gathered, GATHER_MS, 0);
    }
}
