/* SPDX-License-Identifier: MIT */
/* What the server's own files share. */
#ifndef BERTH_DAEMON_SERVER_PRIVATE_H
#define BERTH_DAEMON_SERVER_PRIVATE_H

#include "server.h"

#include "event_log.h"
#include "framing.h"

/** One client. */
struct berth_connection {
    uv_pipe_t pipe;
    struct berth_server *server;
    struct berth_connection *previous;
    struct berth_connection *next;
    struct berth_peer *peer; /* cut off behind its last group; NULL: not known yet */
    bool unknown; /* who it is shows with its first bytes; it does not count as a connection yet */
    bool awaits_name; /* of its user; it is not read from meanwhile */
    enum berth_role role;
    bool any_read; /* something was read on this connection */
    bool closing;  /* uv_close was called */
    bool close_when_written;
    bool reading;
    bool backlog;           /* whole requests wait in `input` for another turn */
    uint64_t backlog_round; /* the round of turns in which that began: its own comes in the next */
    bool acted;             /* one of the requests just answered may have changed something */
    struct berth_subscription subscription;
    uint64_t pushed_round;   /* the round of pushing in which it had its turn */
    uint64_t holds_for;      /* up to which change its answers wait to be safe; 0: for none */
    struct berth_text held;  /* these answers; what was read behind them waits too */
    struct berth_text input; /* what was read and not yet answered: at most a request */
    size_t unwritten;        /* bytes of writes that libuv has not finished */
    size_t queued;           /* of these, what the socket had not taken when last looked at */
    uint64_t accepted_ms;    /* when it was taken in */
    uint64_t read_ms;        /* when bytes last came */
    uint64_t partial_ms;     /* since when a request is incomplete; 0: none is */
    uint64_t stuck_ms;       /* since when the peer takes none of its answers; 0: it does */
};

/** What happens so often that it is not logged each time. */
struct berth_log_pace {
    uint64_t count;   /* since that was last logged */
    uint64_t told_ms; /* when; 0: never */
};

struct berth_server {
    uv_loop_t *loop;
    uint64_t (*clock_ns)(void); /* uv_hrtime(), or a test's own */
    uv_timer_t sweep;           /* looks for connections past their time */
    uv_idle_t backlog;          /* runs while a connection has whole requests waiting */
    uv_prepare_t turn;          /* before the loop hands out what has arrived */
    uv_timer_t gather;          /* runs from an event until it is pushed */
    uv_idle_t push;             /* runs while subscribers wait for their turn */
    uv_check_t quiet;           /* runs while stopping */
    uint64_t push_round;        /* of the subscribers, each of whom has one turn in it */
    bool push_again;            /* there were events during the round: another one follows */
    uint64_t turn_ns;           /* what the requests of this turn of the loop have taken so far */
    uint64_t backlog_round;
    bool backlog_left; /* this round is not finished: some have not had their turn */
    unsigned open_handles;
    struct berth_listener *listener;
    struct berth_service *service;
    const struct berth_access *access;
    struct berth_account_names *names; /* NULL: clients are called by their ids */
    struct berth_connection *first;    /* the latest */
    size_t unknown;                    /* connections of whom it is not known yet who they are */
    struct berth_text output;          /* the answers to what was just read */
    struct berth_text error_data;      /* scratch of the methods */
    bool client_waits;             /* one could not be accepted for lack of memory: tried again */
    size_t unwritten;              /* of all connections that are open */
    size_t unread_max;             /* BERTH_UNREAD_TOTAL_MAX; less in tests */
    struct berth_log_pace refused; /* clients */
    struct berth_log_pace denied;  /* requests */
    uint64_t stop_ms;              /* when closing began; 0: it did not */
    uint64_t quiet_ms;             /* when to look next for connections that can be closed */
    void (*closed)(void *ctx);
    void *ctx;
    char read_buffer[65536]; /* libuv reads into it; used up before the callback returns */
};

/** Takes the client that waits at the listener, if there is room for it. */
void berth__connection_accept(struct berth_server *server);

/** Handles bytes that a client sent: answers each whole request, keeps the rest. */
void berth__connection_take(struct berth_connection *connection, const char *bytes, size_t count);

/** Answers more of what waits in a connection's input. */
void berth__connection_work(struct berth_connection *connection);

/** Tells whether this turn of the loop has time for more than one request of each client. */
static inline bool berth__server_has_time(const struct berth_server *server)
{
    return server->turn_ns < BERTH_TURN_TIME_MS * 1000000;
}

/** Has berth__connection_work() called in the loop's next turn, after others had theirs. */
void berth__server_note_backlog(struct berth_server *server, struct berth_connection *connection);

/** Goes on with a connection that awaits its user's name, if that is there now. */
void berth__connection_try_name(struct berth_connection *connection);

/** Writes the answers that waited for a change, or tells that it failed; goes on with the client.
 */
void berth__connection_let_go(struct berth_connection *connection,
                              const struct berth_error *failure);

/** Closes a connection if it is past one of its times at `now_ms`. */
void berth__connection_check(struct berth_connection *connection, uint64_t now_ms);

/** Writes output: at once if nothing is queued before it. */
void berth__connection_write(struct berth_connection *connection, const struct berth_text *output);

/** Sends a subscriber the events that are due, as far as it takes them (push.c). */
void berth__connection_push(struct berth_connection *connection);

/** Begins a round, in which each subscriber has one turn; where one is under way, the next one
 *  follows it (push.c). */
void berth__push_begin_round(struct berth_server *server);

/** Gives some subscribers their turn.  @return whether others wait for theirs */
bool berth__push_turn(struct berth_server *server);

/** Closes a connection. It is gone when the loop has closed the handle. */
void berth__connection_close(struct berth_connection *connection);

/** Tells that a connection is gone. */
void berth__server_forget(struct berth_server *server, struct berth_connection *connection);

#endif
