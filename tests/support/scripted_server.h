/* SPDX-License-Identifier: MIT */
/* A stand-in for the daemon at a real endpoint: answers each request by a script. It serves one
 * connection after another. */
#ifndef BERTH_TESTS_SCRIPTED_SERVER_H
#define BERTH_TESTS_SCRIPTED_SERVER_H

#include <stdbool.h>
#include <stddef.h>

/** What is sent for a request. `reply` is sent as it is, "$ID" replaced by the request's id,
 * except: "result …" and "error …" are put into a JSON-RPC answer; "silent" sends nothing; "close"
 * closes the connection; "flood" sends 17 MiB without a line end. */
struct scripted_rule {
    const char *method; /* NULL: any. The first rule that fits is used */
    const char *reply;
    bool close_after;
};

struct scripted_server;

/** Listens at `endpoint` and serves in a thread until scripted_server_stop().
 *  @param[in] rules        `count` of them, which must live as long; no rule fits: "silent"
 *  @param[in] piece_bytes  an answer is sent in pieces of so many bytes, each after the client has
 *                          read the one before; 0: at once
 *  @param[in] greeting     sent when a connection comes, which is then closed; NULL: none
 *  @return NULL: the system refused */
struct scripted_server *scripted_server_start(const char *endpoint,
                                              const struct scripted_rule *rules, size_t count,
                                              size_t piece_bytes, const char *greeting);

/** Copies all lines received so far, each with its '\n', and a NUL; cut off at `size`.
 *  @return `out` */
const char *scripted_server_received(struct scripted_server *server, char *out, size_t size);

/** Stops the thread, removes the endpoint and frees the server. NULL is accepted. */
void scripted_server_stop(struct scripted_server *server);

#endif
