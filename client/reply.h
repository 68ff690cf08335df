/* SPDX-License-Identifier: MIT */
/* Reads one line of the daemon. What a daemon sends is not trusted: each shape is checked. */
#ifndef BERTH_CLIENT_REPLY_H
#define BERTH_CLIENT_REPLY_H

#include "client/berth_client.h"

enum berth_reply_kind {
    BERTH_REPLY_RESULT,      /* `value`: the result, an object */
    BERTH_REPLY_ERROR,       /* `value`: the error object: integer code, string message, and data,
                                which is an object or not there */
    BERTH_REPLY_NOTIFICATION /* `value`: the params of an `event`, an object */
};

struct berth_reply {
    enum berth_reply_kind kind;
    bool has_id; /* false for notifications, and for an error about no request in particular */
    json_int_t id;
    json_t *value; /* owned: json_decref() */
};

/** Reads one line.
 *  @param[out] out  set only on BERTH_OK
 *  @return BERTH_OK · BERTH_MALFORMED: not JSON, or not an answer or notification of JSON-RPC 2.0
 *          in the shapes above · BERTH_NO_MEMORY  @thread any  @blocks no
 *  @source https://www.jsonrpc.org/specification, sections 4.1 and 5 */
enum berth_code berth_reply_parse(struct berth_reply *out, const char *line, size_t length,
                                  struct berth_error *err);

#endif
