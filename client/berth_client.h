/* SPDX-License-Identifier: MIT */
/* The C client of the daemon: blocking calls with a deadline, one connection, no threads of its
 * own. docs/protocol.md describes methods, parameters and results. */
#ifndef BERTH_CLIENT_BERTH_CLIENT_H
#define BERTH_CLIENT_BERTH_CLIENT_H

#include "base/error.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/** One connection to a daemon. It has one user at a time; any thread may be it. */
struct berth_client;

/** What the daemon said when it refused. The strings and `data` lie inside `object`. */
struct berth_remote_error {
    json_t *object;      /* owned: the whole error object; NULL: the daemon refused nothing */
    int number;          /* the JSON-RPC code */
    const char *reason;  /* the token of `data.reason`; "internal" where the daemon gave none */
    const char *message; /* a sentence */
    const json_t *data;  /* an object; NULL: none */
};

/** Releases what a failed call left in `remote` and empties it. An empty one ({0}) is accepted. */
void berth_remote_error_fini(struct berth_remote_error *remote);

/** Connects to a daemon.
 *  @param[out] out         set only on BERTH_OK; close with berth_client_close()
 *  @param[in]  endpoint    the only place to try. NULL: $BERTH_ENDPOINT if it is set and not empty,
 *                          else the platform's usual places in turn; one where nobody listens is
 *                          passed over, one that denies access is not
 *  @param[in]  timeout_ms  for connecting, and later for each call; 0: no limit
 *  @return BERTH_OK · BERTH_NOT_FOUND: nobody listens at any of the places · BERTH_DENIED ·
 *          BERTH_BUSY: no answer in time · BERTH_INVALID_PARAMS: no possible endpoint · BERTH_IO ·
 *          BERTH_NO_MEMORY. `err->detail` names the places tried and what to do.
 *  @thread any, while nobody changes the environment  @blocks up to `timeout_ms` for each place */
enum berth_code berth_client_connect(struct berth_client **out, const char *endpoint,
                                     unsigned timeout_ms, struct berth_error *err);

/** The same, over a list of places instead of the usual ones. */
enum berth_code berth_client_connect_any(struct berth_client **out, const char *const *endpoints,
                                         size_t count, unsigned timeout_ms,
                                         struct berth_error *err);

/** Gives the endpoint that the client is connected to; lives as long as the client. */
const char *berth_client_endpoint(const struct berth_client *client);

/** Calls a method and waits for its answer.
 *  @param[in]  params  an object, taken over whatever happens; an empty one is not sent. NULL
 *                      stands for one that could not be built: BERTH_NO_MEMORY
 *  @param[out] result  set only on BERTH_OK: an object, for json_decref()
 *  @param[out] remote  what it held is not released; filled when the daemon refused, else emptied;
 *                      always give it to berth_remote_error_fini()
 *  @return BERTH_OK · the daemon refused (`remote->object` is set): the code of its reason,
 *          BERTH_INTERNAL for a token that this client does not know, `err->detail` is its message
 *          · else the call itself failed: BERTH_BUSY: no answer in time · BERTH_IO: the connection
 *          ended · BERTH_MALFORMED, BERTH_TOO_LARGE: the answer is not one · BERTH_NO_MEMORY.
 *          After a failure of the call itself answers can no longer be told apart: each later call
 *          gives BERTH_IO, close the client. Only a request that was not sent, for want of memory
 *          or because it has more than 16 MiB (BERTH_TOO_LARGE), leaves the client usable.
 *  @thread any, one at a time  @blocks up to the client's timeout */
enum berth_code berth_client_call(struct berth_client *client, const char *method, json_t *params,
                                  json_t **result, struct berth_remote_error *remote,
                                  struct berth_error *err);

/** Gives the next event after a `subscribe`; events that came during a call are given first.
 *  @param[out] event       set only on BERTH_OK: an object, for json_decref()
 *  @param[in]  timeout_ms  0: no limit
 *  @return BERTH_OK · BERTH_BUSY: none came in time, ask again · BERTH_IO: the connection ended ·
 *          BERTH_MALFORMED, BERTH_TOO_LARGE: what came is no event · BERTH_NO_MEMORY
 *  @thread any, one at a time  @blocks up to `timeout_ms` */
enum berth_code berth_client_next_event(struct berth_client *client, json_t **event,
                                        unsigned timeout_ms, struct berth_error *err);

/** Gives what a person can do here who was denied access or a role: half a sentence, as "have an
 *  administrator put you into …".  @return a string constant  @thread any */
const char *berth_client_access_advice(void);

/** How many events may come during one call before it is given up with BERTH_TOO_LARGE. */
#define BERTH_CLIENT_EVENTS_MAX 4096u

/** Closes the connection. NULL is accepted.  @thread any  @blocks no */
void berth_client_close(struct berth_client *client);

#endif
