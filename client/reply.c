/* SPDX-License-Identifier: MIT */
#include "reply.h"

#include <string.h>

static enum berth_code fail_shape(struct berth_error *err, const char *what)
{
    return berth_fail(err, BERTH_MALFORMED, 0, "the daemon's answer is not understood: %s", what);
}

/* jansson names no reason where an allocation failed outside its scanner. */
static enum berth_code fail_parse(const json_error_t *found, struct berth_error *err)
{
    enum json_error_code why = json_error_code(found);

    if (why == json_error_out_of_memory || found->text[0] == '\0') {
        return berth_fail_memory(err, "the daemon's answer");
    }
    return fail_shape(err, "it is not JSON");
}

static bool is_error_object(const json_t *error)
{
    const json_t *data = json_object_get(error, "data");

    return json_is_integer(json_object_get(error, "code")) &&
           json_is_string(json_object_get(error, "message")) &&
           (data == NULL || json_is_object(data));
}

static enum berth_code read_id(struct berth_reply *reply, const json_t *id, struct berth_error *err)
{
    if (json_is_integer(id)) {
        reply->has_id = true;
        reply->id = json_integer_value(id);
        return BERTH_OK;
    }
    if (json_is_null(id) && reply->kind == BERTH_REPLY_ERROR) {
        return BERTH_OK;
    }
    return fail_shape(err, "its id is missing or of a wrong kind");
}

static enum berth_code read_answer(struct berth_reply *reply, const json_t *root,
                                   struct berth_error *err)
{
    json_t *result = json_object_get(root, "result");
    json_t *error = json_object_get(root, "error");

    if ((result != NULL) == (error != NULL)) {
        return fail_shape(err, "it has neither a result nor an error, or both");
    }
    if (result != NULL && !json_is_object(result)) {
        return fail_shape(err, "its result is not an object");
    }
    if (error != NULL && !is_error_object(error)) {
        return fail_shape(err, "its error has a wrong form");
    }
    reply->kind = result != NULL ? BERTH_REPLY_RESULT : BERTH_REPLY_ERROR;
    reply->value = result != NULL ? result : error;
    return read_id(reply, json_object_get(root, "id"), err);
}

static enum berth_code read_notification(struct berth_reply *reply, const json_t *root,
                                         struct berth_error *err)
{
    const char *method = json_string_value(json_object_get(root, "method"));
    json_t *params = json_object_get(root, "params");

    if (method == NULL || strcmp(method, "event") != 0 || !json_is_object(params) ||
        json_object_get(root, "id") != NULL) {
        return fail_shape(err, "it is neither an answer nor an event");
    }
    reply->kind = BERTH_REPLY_NOTIFICATION;
    reply->value = params;
    return BERTH_OK;
}

enum berth_code berth_reply_parse(struct berth_reply *out, const char *line, size_t length,
                                  struct berth_error *err)
{
    struct berth_reply reply = {0};
    json_error_t found = {.text = ""}; /* jansson leaves parts of it as they are */
    enum berth_code code;
    json_t *root = json_loadb(line, length, JSON_REJECT_DUPLICATES, &found);

    if (root == NULL) {
        return fail_parse(&found, err);
    }
    const char *version = json_string_value(json_object_get(root, "jsonrpc"));
    if (version == NULL || strcmp(version, "2.0") != 0) {
        code = fail_shape(err, "it is not JSON-RPC 2.0");
    } else if (json_object_get(root, "method") != NULL) {
        code = read_notification(&reply, root, err);
    } else {
        code = read_answer(&reply, root, err);
    }
    if (code == BERTH_OK) {
        (void)json_incref(reply.value);
        *out = reply;
    }
    json_decref(root);
    return code;
}
