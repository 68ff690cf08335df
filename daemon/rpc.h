/* SPDX-License-Identifier: MIT */
/* JSON-RPC 2.0: a line in, a line out. Knows requests, batches, notifications and errors; what the
 * methods do is theirs. */
#ifndef BERTH_DAEMON_RPC_H
#define BERTH_DAEMON_RPC_H

#include "base/error.h"
#include "base/json_writer.h"
#include "settings.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#define BERTH_ANSWER_MAX ((size_t)16 * 1024 * 1024) /* bytes of one answer */
#define BERTH_ANSWER_ROOM                                                                          \
    ((size_t)16 * 1024) /* taken before a method runs: what it changes, it tells */
#define BERTH_BATCH_MAX ((size_t)1024 * 1024) /* bytes after which a batch's rest is refused */

struct berth_subscription;

/** A request on its way: what a method gets besides its parameters. */
struct berth_call {
    void *service;                           /* the methods' own: whom they act for */
    const void *peer;                        /* who asks; passed through */
    enum berth_role role;                    /* what the caller may do */
    struct berth_subscription *subscription; /* of the connection; passed through; NULL: none */
    struct berth_text *error_data;           /* members to add to an error's data: ,"port":80 … */
    /** Is told of an attempt that was denied. NULL is accepted. */
    void (*denied)(struct berth_call *call, const char *method, const struct berth_error *error);
    /** Tells whether the call has taken so long that the rest of a batch is refused. NULL: never.
     */
    bool (*is_late)(struct berth_call *call);
    bool acted; /* set once a method runs that takes more than a reader: it may change things, or
                   confirm a change of before */
};

/** Does what a method is for and writes its result, one JSON value.
 *  @param[in] params  an object, or NULL: none were given
 *  @return BERTH_OK; an error: what was written to `result` is discarded */
typedef enum berth_code (*berth_method_fn)(struct berth_call *call, json_t *params,
                                           struct berth_json *result, struct berth_error *err);

/** What a method is good for where nobody gets its answer. */
enum berth_method_kind {
    BERTH_METHOD_ACTS,
    BERTH_METHOD_TELLS /* for nothing: it is not run then */
};

struct berth_method {
    const char *name;
    enum berth_role role; /* what it takes */
    berth_method_fn run;
    enum berth_method_kind kind;
};

/** What becomes of the connection after a line. */
enum berth_rpc_outcome {
    BERTH_RPC_GO_ON,
    BERTH_RPC_CLOSE /* the peer broke a limit: close once the answer is written */
};

/** Answers a line: adds the answer and a line end to `out`, or nothing for a notification, which
 *  runs only what has an effect besides its answer.
 *  Whatever the line holds, there is a defined answer; an answer that memory or
 *  BERTH_ANSWER_MAX lack room for becomes an error answer.
 *  @param[in] methods  `count` of them, in any order
 *  @thread loop  @blocks no  @source https://www.jsonrpc.org/specification */
enum berth_rpc_outcome berth_rpc_answer(struct berth_call *call, const struct berth_method *methods,
                                        size_t count, const char *line, size_t length,
                                        struct berth_text *out);

/** Adds an error answer with id null and a line end, for what never became a request. */
void berth_rpc_write_error(struct berth_text *out, const struct berth_error *error);

#endif
