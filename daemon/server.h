/* SPDX-License-Identifier: MIT */
/* The server: takes clients in, reads their requests, answers in order, and keeps each one within
 * its bounds, so that none makes another wait.
 *
 * Bounds: a request is at most BERTH_REQUEST_MAX bytes and must be whole within
 * BERTH_REQUEST_TIME_MS of its first byte; a client that sends nothing for BERTH_IDLE_TIME_MS is
 * closed; one that does not read its answers is not read from once BERTH_UNREAD_MAX bytes wait for
 * it, and closed when it takes none of them for BERTH_REQUEST_TIME_MS. All clients together may
 * leave BERTH_UNREAD_TOTAL_MAX bytes unread; when more are due, connections of the user who leaves
 * most are closed.
 * A batch, which is answered as one, has BERTH_BATCH_TIME_MS for its requests. In one turn of the
 * loop requests are answered for BERTH_TURN_TIME_MS, and one of each client whose bytes are there:
 * what else has come waits for the next turn, each client having its turn before one has another.
 *
 * Where a client's identity shows with its first bytes only, it must send them within
 * BERTH_REQUEST_TIME_MS. BERTH_UNKNOWN_MAX such clients may be connected, beside those that are
 * known: the oldest makes room for one more, so that silent ones keep nobody out.
 *
 * A client is not read from until its user's name is known, or has been waited for long enough;
 * what its connection is called then, it is called to its end. */
#ifndef BERTH_DAEMON_SERVER_H
#define BERTH_DAEMON_SERVER_H

#include "access.h"
#include "account_names.h"
#include "listener.h"
#include "service.h"

#include <uv.h>

#define BERTH_REQUEST_TIME_MS ((uint64_t)10 * 1000)
#define BERTH_TURN_TIME_MS ((uint64_t)2)
#define BERTH_BATCH_TIME_MS ((uint64_t)100)
#define BERTH_IDLE_TIME_MS ((uint64_t)15 * 60 * 1000)
#define BERTH_UNREAD_MAX ((size_t)256 * 1024)
#define BERTH_UNREAD_TOTAL_MAX ((size_t)64 * 1024 * 1024)
#define BERTH_UNKNOWN_MAX 256     /* twice what can come in one turn of the loop */
#define BERTH_ADMIN_CONNECTIONS 8 /* kept for administrators when all others are taken */

struct berth_server;

/** Starts serving.
 *  @param[in] service  what the methods act on; must outlive the server
 *  @param[in] access   who may do what; read at each connection; must outlive the server
 *  @param[in] names    of users, must outlive the server; NULL: clients are called by their ids
 *  @return as berth_listener_open(), and BERTH_NO_MEMORY; on error nothing runs
 *  @thread loop, as all here  @blocks no */
enum berth_code berth_server_open(struct berth_server **out, uv_loop_t *loop, const char *endpoint,
                                  struct berth_service *service, const struct berth_access *access,
                                  struct berth_account_names *names, struct berth_error *err);

/** Tells that `names` may know now what it did not: the `learned` of berth_account_names_options.
 */
void berth_server_name_learned(struct berth_server *server);

/** Tells that the changes up to number `upto` are safe, so that the answers that wait for them can
 *  go out; `failure` (else NULL): nobody knows whether they are, and who waits is told that and
 *  closed, as his change is neither refused nor acknowledged. */
void berth_server_flushed(struct berth_server *server, uint64_t upto,
                          const struct berth_error *failure);

/** Tells that there are new events: subscribers get them within a few milliseconds. */
void berth_server_note_events(struct berth_server *server);

/** Lets the endpoint follow `access`, which changed. Who is connected keeps the role that he has.
 *  @return as berth_listener_set_access() */
enum berth_code berth_server_follow_access(struct berth_server *server, struct berth_error *err);

/** Stops: takes no more clients, answers what has arrived and the first request of who has
 * connected less than a second ago, closes each connection once its answers are written, at the
 * latest after two seconds. `closed` is called then; the server's memory is gone. */
void berth_server_close(struct berth_server *server, void (*closed)(void *ctx), void *ctx);

#endif
