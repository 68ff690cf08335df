/* SPDX-License-Identifier: MIT */
/* A client of berthd that is as plain as can be: lines out, lines in, with deadlines. It owes
 * nothing to client/, so that the two cannot share a mistake. */
#ifndef BERTH_TESTS_TEST_CLIENT_H
#define BERTH_TESTS_TEST_CLIENT_H

#include "base/compiler.h"
#include "system_platform.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define CLIENT_DEADLINE_MS 20000 /* of every read and write, unless set otherwise */

struct test_client {
    intptr_t socket;
    char *buffer; /* `used` bytes that were read, of which `taken` were given out */
    size_t used;
    size_t taken;
    size_t capacity;
    unsigned deadline_ms;
    long last_id;
};

/* ---- on any thread: they do not fail the test ---- */

/** Makes a client of a socket, which it owns. */
void client_adopt(struct test_client *client, intptr_t socket);

/** Connects.  @return false: nobody answers there */
bool client_try_open(struct test_client *client, const char *endpoint);

/** Closes. A zeroed client is accepted. */
void client_close(struct test_client *client);

/** Sends bytes.  @return false: not all of them went within the deadline */
bool client_try_send(struct test_client *client, const void *bytes, size_t size);

/** Gives the next line without its end, NUL-terminated, valid until the next call; NULL: none came
 *  within the deadline, or the other side closed. */
char *client_try_line(struct test_client *client, size_t *length);

/* ---- on the test's thread: they fail the test when they do not succeed ---- */

void client_open(struct test_client *client, const char *endpoint);
void client_send(struct test_client *client, const char *text);

/** Sends what printf would write. */
void client_sendf(struct test_client *client, const char *format, ...) BERTH_PRINTF(2, 3);

/** Gives the next line as JSON, strictly read; for json_decref(). */
json_t *client_answer(struct test_client *client);

/** Sends a request and gives its answer's result, for json_decref().
 *  @param[in] params  JSON as printf would write it, or NULL */
json_t *client_call(struct test_client *client, const char *method, const char *params, ...)
    BERTH_PRINTF(3, 4);

/** Sends a request that must be refused for `reason`; gives the error object, for json_decref(). */
json_t *client_refused(struct test_client *client, const char *reason, const char *method,
                       const char *params, ...) BERTH_PRINTF(4, 5);

/** Sees that the other side closes, and sends nothing before that. */
void client_expect_closed(struct test_client *client);

/** Sees that nothing comes as long as another request takes: what was sent before was silent. */
void client_expect_silence(struct test_client *client);

/* ---- reading answers ---- */

/** Gives what a path such as "pools.0.range.1" leads to; fails the test if there is nothing. */
json_t *json_at(const json_t *root, const char *path);
long long json_integer_at(const json_t *root, const char *path);
const char *json_string_at(const json_t *root, const char *path);
bool json_has(const json_t *root, const char *path);

/** Sees that an answer is an error with this code and reason and a sentence, for this id (JSON;
 *  NULL: null). */
void assert_error_answer(const json_t *answer, const char *id, int code, const char *reason);

/** Gives the state of a port, as `who` says it: one of its constants. */
const char *client_port_state(struct test_client *client, unsigned port);

/** Tells whether a port is free, asking with `who`. */
bool client_port_is_free(struct test_client *client, unsigned port);

/** Gives the state of the source whose name ends with `name`, as a constant, and its reason if
 *  wanted (for free(); NULL if it has none). */
const char *client_source_state(struct test_client *client, const char *name, char **reason);

#endif
