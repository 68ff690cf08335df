/* SPDX-License-Identifier: MIT */
#include "params.h"

#include "base/units.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <stdarg.h>

void berth_params_init(struct berth_params *params, struct berth_cli *cli)
{
    *params = (struct berth_params){.cli = cli, .object = json_object()};
}

void berth_params_wrong(struct berth_params *params, const char *format, ...)
{
    char sentence[400];
    va_list args;

    if (params->status != BERTH_EXIT_DONE) {
        return;
    }
    va_start(args, format);
    (void)vsnprintf(sentence, sizeof sentence, format, args);
    va_end(args);
    params->status = berth_cli_usage(params->cli, "%s", sentence);
}

void berth_params_set(struct berth_params *params, const char *name, json_t *value)
{
    if (json_object_set_new(params->object, name, value) != 0) {
        json_decref(params->object);
        params->object = NULL;
    }
}

void berth_params_string(struct berth_params *params, const char *name, const char *what,
                         const char *value)
{
    if (value == NULL) {
        return;
    }
    if (value[0] == '\0') {
        berth_params_wrong(params, "%s: it is empty", what);
    } else if (!berth_utf8_is_name(value)) {
        berth_params_wrong(params, "%s: it is not UTF-8 or has control characters", what);
    } else {
        berth_params_set(params, name, json_string(value));
    }
}

void berth_params_port(struct berth_params *params, const char *name, const char *what,
                       const char *value)
{
    uint16_t port;

    if (value == NULL) {
        return;
    }
    if (berth_parse_port(&port, value)) {
        berth_params_set(params, name, json_integer(port));
    } else {
        berth_params_wrong(params, "%s: '%.100s' is not a port (1 to 65535)", what, value);
    }
}

void berth_params_number(struct berth_params *params, const char *name, const char *what,
                         const char *value, uint64_t low, uint64_t high)
{
    uint64_t number;

    if (value == NULL) {
        return;
    }
    if (berth_parse_number(&number, value, low, high)) {
        berth_params_set(params, name, json_integer((json_int_t)number));
    } else {
        berth_params_wrong(params, "%s: '%.100s' is not a number from %" PRIu64 " to %" PRIu64,
                           what, value, low, high);
    }
}

void berth_params_range(struct berth_params *params, const char *name, const char *what,
                        const char *value)
{
    struct berth_port_range range;

    if (value == NULL) {
        return;
    }
    if (berth_parse_port_range(&range, value)) {
        berth_params_set(params, name, json_pack("[i,i]", range.first, range.last));
    } else {
        berth_params_wrong(params, "%s: '%.100s' is not a range of ports like 49000-49999", what,
                           value);
    }
}

void berth_params_duration(struct berth_params *params, const char *name, const char *what,
                           const char *value)
{
    uint64_t number;

    if (value == NULL) {
        return;
    }
    if (berth_parse_number(&number, value, 0, BERTH_DURATION_MAX_MS / 1000)) {
        berth_params_set(params, name, json_integer((json_int_t)number));
    } else if (berth_parse_duration(&number, value)) {
        berth_params_set(params, name, json_string(value));
    } else {
        berth_params_wrong(params, "%s: '%.100s' is not a duration like 90s, 15m or 24h", what,
                           value);
    }
}

enum berth_exit berth_params_take(struct berth_params *params, json_t **object)
{
    if (params->status == BERTH_EXIT_DONE) {
        *object = params->object;
    } else {
        json_decref(params->object);
    }
    params->object = NULL;
    return params->status;
}

enum berth_exit berth_params_ask(struct berth_params *params, const char *method,
                                 berth_show_cb show)
{
    json_t *object = NULL;
    enum berth_exit status = berth_params_take(params, &object);

    return status == BERTH_EXIT_DONE ? berth_cli_ask(params->cli, method, object, show) : status;
}
