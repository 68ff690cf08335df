/* SPDX-License-Identifier: MIT */
#include "rpc.h"

#include "framing.h"

#include <string.h>

struct method_table {
    const struct berth_method *methods;
    size_t count;
};

static const struct berth_method *find_method(const struct method_table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->methods[i].name, name) == 0) {
            return &table->methods[i];
        }
    }
    return NULL;
}

/* An id goes back as it came: a string, a number, or null. */
static void write_id(struct berth_json *json, const json_t *id)
{
    berth_json_key(json, "id");
    if (json_is_integer(id)) {
        berth_json_number(json, json_integer_value(id));
    } else if (json_is_string(id)) {
        berth_json_string(json, json_string_value(id));
    } else if (json_is_real(id)) {
        char number[40];
        size_t length = json_dumpb(id, number, sizeof number, JSON_ENCODE_ANY);
        berth_json_raw(json, number, length <= sizeof number ? length : 0);
    } else {
        berth_json_null(json);
    }
}

static void open_answer(struct berth_json *json, struct berth_text *out, const json_t *id)
{
    berth_json_init(json, out);
    berth_json_open_object(json);
    berth_json_member_string(json, "jsonrpc", "2.0");
    write_id(json, id);
}

static void write_error(struct berth_text *out, const json_t *id, const struct berth_error *error,
                        const struct berth_text *data)
{
    struct berth_json json;

    open_answer(&json, out, id);
    berth_json_key(&json, "error");
    berth_json_open_object(&json);
    berth_json_member_number(&json, "code", berth_code_number(error->code));
    berth_json_member_string(&json, "message", error->detail);
    berth_json_key(&json, "data");
    berth_json_open_object(&json);
    berth_json_member_string(&json, "reason", berth_code_token(error->code));
    if (error->os_code != 0) {
        berth_json_member_number(&json, "os_code", error->os_code);
    }
    if (data != NULL && data->failed == BERTH_OK) {
        berth_text_add(out, berth_text_string(data), data->length);
    }
    berth_json_close_object(&json);
    berth_json_close_object(&json);
    berth_json_close_object(&json);
}

void berth_rpc_write_error(struct berth_text *out, const struct berth_error *error)
{
    write_error(out, NULL, error, NULL);
    berth_text_putc(out, '\n');
}

static enum berth_code run_method(struct berth_call *call, const struct method_table *table,
                                  const json_t *request, struct berth_json *result,
                                  struct berth_error *err)
{
    const char *name = json_string_value(json_object_get(request, "method"));
    const char *version = json_string_value(json_object_get(request, "jsonrpc"));
    json_t *params = json_object_get(request, "params");
    const json_t *id = json_object_get(request, "id");

    if (version == NULL || strcmp(version, "2.0") != 0 || name == NULL ||
        (id != NULL && !json_is_string(id) && !json_is_number(id) && !json_is_null(id))) {
        return berth_fail(
            err, BERTH_INVALID_REQUEST, 0,
            "a request is {\"jsonrpc\":\"2.0\",\"id\":…,\"method\":\"…\",\"params\":{…}}");
    }
    const struct berth_method *method = find_method(table, name);
    if (method == NULL) {
        return berth_fail(err, BERTH_UNKNOWN_METHOD, 0, "there is no method %.80s", name);
    }
    /* JSON-RPC allows an array of parameters by position; Berth has none with more than a name */
    if (params != NULL && json_is_array(params) && json_array_size(params) == 0) {
        params = NULL;
    }
    if (params != NULL && !json_is_object(params)) {
        return berth_fail(err, BERTH_INVALID_PARAMS, 0, "params must be an object");
    }
    if (call->role < method->role) {
        return berth_fail(err, BERTH_DENIED, 0, "%s needs the role %s, and the caller has %s", name,
                          berth_role_name(method->role), berth_role_name(call->role));
    }
    if (id == NULL && method->kind == BERTH_METHOD_TELLS) {
        return BERTH_OK; /* nobody would see what it tells */
    }
    call->acted = call->acted || method->role > BERTH_ROLE_READER;
    return method->run(call, params, result, err);
}

/* Takes memory for a usual answer; false: there is none. */
static bool take_room(struct berth_text *out)
{
    size_t left = out->limit - out->length;

    return berth_text_reserve(out, left < BERTH_ANSWER_ROOM ? left : BERTH_ANSWER_ROOM);
}

/* Cuts `out` back to where an answer began that could not be finished. */
static void cut_back(struct berth_text *out, size_t length)
{
    out->failed = BERTH_OK;
    out->length = length;
    if (out->data != NULL) {
        out->data[length] = '\0';
    }
}

/* Writes the answer to one request, or nothing if it is a notification. */
static void answer_one(struct berth_call *call, const struct method_table *table,
                       const json_t *request, struct berth_text *out)
{
    const json_t *id = json_object_get(request, "id");
    bool notification = json_is_object(request) && id == NULL;
    size_t start = out->length;
    struct berth_error error = {0};
    struct berth_json json;

    berth_text_clear(call->error_data);
    /* a change that is made but cannot be told would be worse than none */
    enum berth_code code = take_room(out) ? BERTH_OK : berth_fail_memory(&error, "the answer");
    if (code == BERTH_OK) {
        open_answer(&json, out, id);
        berth_json_key(&json, "result");
        code = run_method(call, table, request, &json, &error);
    }
    if (code == BERTH_OK) {
        berth_json_close_object(&json);
        if (out->failed != BERTH_OK) {
            code = berth_fail(&error, out->failed, 0, "the answer has no room: %s",
                              berth_code_text(out->failed));
        }
    }
    if (code == BERTH_DENIED && call->denied != NULL) {
        call->denied(call, json_string_value(json_object_get(request, "method")), &error);
    }
    if (code != BERTH_OK) {
        cut_back(out, start);
        write_error(out, id, &error, call->error_data);
    }
    if (notification && code != BERTH_INVALID_REQUEST) {
        cut_back(out, start);
    }
}

static void refuse_element(const json_t *request, enum berth_code code, const char *why,
                           struct berth_text *out)
{
    struct berth_error error;

    (void)berth_fail(&error, code, 0, "%s: ask again by itself", why);
    if (!json_is_object(request) || json_object_get(request, "id") != NULL) {
        write_error(out, json_object_get(request, "id"), &error, NULL);
    }
}

/* A batch is answered as one: so that it keeps nobody waiting, only so much of it is carried out,
 * and its first request in any case. */
static void answer_element(struct berth_call *call, const struct method_table *table,
                           const json_t *batch, size_t number, size_t start, struct berth_text *out)
{
    const json_t *request = json_array_get(batch, number);

    if (out->length - start >= BERTH_BATCH_MAX) {
        refuse_element(request, BERTH_TOO_LARGE,
                       "the answers before this one have filled the batch", out);
    } else if (number > 0 && call->is_late != NULL && call->is_late(call)) {
        refuse_element(request, BERTH_BUSY,
                       "the requests before this one have used the batch's time", out);
    } else {
        answer_one(call, table, request, out);
    }
}

/* Answers a whole batch with one error. */
static void refuse_batch(struct berth_text *out, size_t start)
{
    struct berth_error error;

    (void)berth_fail_memory(&error, "the answers to a batch");
    cut_back(out, start);
    write_error(out, NULL, &error, NULL);
}

static void answer_batch(struct berth_call *call, const struct method_table *table,
                         const json_t *batch, struct berth_text *out)
{
    size_t start = out->length;
    bool any = false;

    /* room for a bracket or comma, so that one is never missing */
    if (!take_room(out)) {
        refuse_batch(out, start);
        return;
    }
    berth_text_putc(out, '[');
    for (size_t i = 0; i < json_array_size(batch); i++) {
        size_t before = out->length;
        if (any) {
            berth_text_putc(out, ',');
        }
        if (out->failed != BERTH_OK) {
            refuse_batch(out, start);
            return;
        }
        size_t value = out->length;
        answer_element(call, table, batch, i, start, out);
        if (out->length == value) {
            cut_back(out, before);
        } else {
            any = true;
        }
    }
    if (any) {
        berth_text_putc(out, ']');
    } else {
        cut_back(out, start);
    }
    if (out->failed != BERTH_OK) {
        refuse_batch(out, start);
    }
}

static enum berth_code parse_line(const char *line, size_t length, json_t **out,
                                  struct berth_error *err)
{
    json_error_t where;

    if (!berth_frame_depth_ok(line, length)) {
        return berth_fail(err, BERTH_TOO_LARGE, 0,
                          "the request nests deeper than %d arrays and objects; the connection is "
                          "closed",
                          BERTH_REQUEST_DEPTH_MAX);
    }
    *out = json_loadb(line, length, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &where);
    if (*out != NULL) {
        return BERTH_OK;
    }
    if (json_error_code(&where) == json_error_out_of_memory) {
        return berth_fail_memory(err, "the request");
    }
    return berth_fail(err, BERTH_PARSE_ERROR, 0, "not JSON, at character %d: %s", where.column,
                      where.text);
}

enum berth_rpc_outcome berth_rpc_answer(struct berth_call *call, const struct berth_method *methods,
                                        size_t count, const char *line, size_t length,
                                        struct berth_text *out)
{
    const struct method_table table = {methods, count};
    struct berth_error error;
    json_t *request = NULL;
    size_t start = out->length;
    enum berth_code code = parse_line(line, length, &request, &error);

    if (code != BERTH_OK) {
        berth_rpc_write_error(out, &error);
        return code == BERTH_TOO_LARGE ? BERTH_RPC_CLOSE : BERTH_RPC_GO_ON;
    }
    if (json_is_array(request) && json_array_size(request) > 0) {
        answer_batch(call, &table, request, out);
    } else {
        answer_one(call, &table, request, out);
    }
    json_decref(request);
    if (out->length > start) {
        berth_text_putc(out, '\n');
    }
    return BERTH_RPC_GO_ON;
}
