/* SPDX-License-Identifier: MIT */
#include "params.h"

#include "allocator/policy.h"
#include "base/text.h"

#include <string.h>

static enum berth_code wrong(const struct berth_param *param, const json_t *value,
                             const char *accepted, struct berth_error *err)
{
    char *shown = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    enum berth_code code = berth_fail(err, BERTH_INVALID_PARAMS, 0, "%s is %.80s; %s is accepted",
                                      param->name, shown != NULL ? shown : "wrong", accepted);

    free(shown);
    return code;
}

static bool to_port(const json_t *value, uint16_t *out)
{
    json_int_t number = json_integer_value(value);

    if (!json_is_integer(value) || number < 1 || number > 65535) {
        return false;
    }
    *out = (uint16_t)number;
    return true;
}

static enum berth_code read_string(const struct berth_param *param, json_t *value,
                                   struct berth_error *err)
{
    const char *text = json_string_value(value);

    if (text == NULL || strlen(text) != json_string_length(value)) {
        return wrong(param, value, "a string without NUL characters", err);
    }
    *(const char **)param->out = text;
    return BERTH_OK;
}

static enum berth_code read_range(const struct berth_param *param, json_t *value,
                                  struct berth_error *err)
{
    struct berth_port_range range;

    if (json_array_size(value) != 2 || !to_port(json_array_get(value, 0), &range.first) ||
        !to_port(json_array_get(value, 1), &range.last) || range.first > range.last) {
        return wrong(param, value, "[first, last] with 1 <= first <= last <= 65535", err);
    }
    *(struct berth_port_range *)param->out = range;
    return BERTH_OK;
}

static enum berth_code read_duration(const struct berth_param *param, json_t *value,
                                     struct berth_error *err)
{
    uint64_t *out = param->out;
    json_int_t seconds = json_integer_value(value);

    if (json_is_integer(value) && seconds > 0 &&
        (uint64_t)seconds <= BERTH_DURATION_MAX_MS / 1000) {
        *out = (uint64_t)seconds * 1000;
        return BERTH_OK;
    }
    if (json_is_string(value) && berth_parse_duration(out, json_string_value(value)) && *out > 0) {
        return BERTH_OK;
    }
    return wrong(param, value,
                 "a duration like \"90s\", \"15m\" or \"24h\", or a number of seconds", err);
}

/* A value of a JSON type as it is. */
static enum berth_code read_json(const struct berth_param *param, json_t *value, bool fits,
                                 const char *accepted, struct berth_error *err)
{
    if (!fits) {
        return wrong(param, value, accepted, err);
    }
    *(json_t **)param->out = value;
    return BERTH_OK;
}

static enum berth_code read_revision(const struct berth_param *param, json_t *value,
                                     struct berth_error *err)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0) {
        return wrong(param, value, "a revision: a whole number from 0", err);
    }
    *(uint64_t *)param->out = (uint64_t)json_integer_value(value);
    return BERTH_OK;
}

/* A number of something, 1 to `most`. */
static enum berth_code read_count(const struct berth_param *param, json_t *value, unsigned most,
                                  struct berth_error *err)
{
    char accepted[64];
    uint16_t number;

    if (!to_port(value, &number) || number > most) {
        (void)snprintf(accepted, sizeof accepted, "a whole number from 1 to %u", most);
        return wrong(param, value, accepted, err);
    }
    *(unsigned *)param->out = number;
    return BERTH_OK;
}

static enum berth_code read_one(const struct berth_param *param, json_t *value,
                                struct berth_error *err)
{
    switch (param->type) {
    case BERTH_PARAM_STRING:
        return read_string(param, value, err);
    case BERTH_PARAM_PORT:
        if (!to_port(value, param->out)) {
            return wrong(param, value, "a port from 1 to 65535", err);
        }
        return BERTH_OK;
    case BERTH_PARAM_RANGE:
        return read_range(param, value, err);
    case BERTH_PARAM_COUNT:
        return read_count(param, value, 65535, err);
    case BERTH_PARAM_PORTS:
        return read_count(param, value, BERTH_PORTS_PER_LEASE_MAX, err);
    case BERTH_PARAM_BOOLEAN:
        if (!json_is_boolean(value)) {
            return wrong(param, value, "true or false", err);
        }
        *(bool *)param->out = json_is_true(value);
        return BERTH_OK;
    case BERTH_PARAM_DURATION:
        return read_duration(param, value, err);
    case BERTH_PARAM_ARRAY:
        return read_json(param, value, json_is_array(value), "an array", err);
    case BERTH_PARAM_REVISION:
        return read_revision(param, value, err);
    case BERTH_PARAM_OBJECT:
        break;
    }
    return read_json(param, value, json_is_object(value), "an object", err);
}

static enum berth_code unknown(const char *name, const struct berth_param *table, size_t count,
                               struct berth_error *err)
{
    char names[256] = "";
    size_t used = 0;

    for (size_t i = 0; i < count && used < sizeof names; i++) {
        used += (size_t)snprintf(names + used, sizeof names - used, "%s%s", i > 0 ? ", " : "",
                                 table[i].name);
    }
    return berth_fail(err, BERTH_INVALID_PARAMS, 0, "there is no parameter %.80s; accepted: %s",
                      name, count > 0 ? names : "none");
}

enum berth_code berth_params_read(json_t *params, const struct berth_param *table, size_t count,
                                  struct berth_error *err)
{
    const char *name;
    json_t *value;

    if (params == NULL) {
        return BERTH_OK;
    }
    json_object_foreach(params, name, value)
    {
        size_t i = 0;
        while (i < count && strcmp(table[i].name, name) != 0) {
            i++;
        }
        if (i == count) {
            return unknown(name, table, count, err);
        }
        enum berth_code code = json_is_null(value) ? BERTH_OK : read_one(&table[i], value, err);
        if (code != BERTH_OK) {
            return code;
        }
    }
    return BERTH_OK;
}

enum berth_code berth_params_one_of(const char *name, const char *value, const char *const *words,
                                    size_t count, struct berth_error *err)
{
    char list[256] = "";
    size_t used = 0;

    for (size_t i = 0; value != NULL && i < count; i++) {
        if (strcmp(value, words[i]) == 0) {
            return BERTH_OK;
        }
    }
    if (value == NULL) {
        return BERTH_OK;
    }
    for (size_t i = 0; i < count && used < sizeof list; i++) {
        const char *before = i == 0 ? "" : i + 1 < count ? ", " : " or ";
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", before, words[i]);
    }
    return berth_fail(err, BERTH_INVALID_PARAMS, 0, "%s is \"%.40s\"; %s is accepted", name, value,
                      list);
}
