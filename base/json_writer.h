/* SPDX-License-Identifier: MIT */
/* Writes JSON straight into a text: no tree in between, so that an answer costs its bytes.
 * docs/decisions/0002-json.md says why reading and writing differ. */
#ifndef BERTH_BASE_JSON_WRITER_H
#define BERTH_BASE_JSON_WRITER_H

#include "text.h"

/** A writer over a text. Each call adds the comma that is due; opening and closing must match.
 *  Failures (no memory, limit) stick in the text: check `out->failed` at the end. */
struct berth_json {
    struct berth_text *out;
    bool comma; /* the next value or key at this level needs a comma before it */
};

/** Starts writing at the end of `out`, which must outlive the writer.  @thread any */
void berth_json_init(struct berth_json *json, struct berth_text *out);

/* Values: inside an array, or after berth_json_key(). */
void berth_json_open_object(struct berth_json *json);
void berth_json_close_object(struct berth_json *json);
void berth_json_open_array(struct berth_json *json);
void berth_json_close_array(struct berth_json *json);
/** `value` NULL writes null. Bytes that are not UTF-8 are written as U+FFFD. */
void berth_json_string(struct berth_json *json, const char *value);
void berth_json_number(struct berth_json *json, long long value);
void berth_json_boolean(struct berth_json *json, bool value);
void berth_json_null(struct berth_json *json);
/** Writes `value`, which must be one whole JSON value, as it is. */
void berth_json_raw(struct berth_json *json, const char *value, size_t length);

/** Writes a member's name; `name` must be plain ASCII without quotes (a literal of the code). */
void berth_json_key(struct berth_json *json, const char *name);

/* A member in one call. */
void berth_json_member_string(struct berth_json *json, const char *name, const char *value);
void berth_json_member_number(struct berth_json *json, const char *name, long long value);
void berth_json_member_boolean(struct berth_json *json, const char *name, bool value);

#endif
