/* SPDX-License-Identifier: MIT */
/* Reads a method's parameters by a table, strictly: an unknown name or a wrong type is an error
 * that names it and says what is accepted. */
#ifndef BERTH_DAEMON_PARAMS_H
#define BERTH_DAEMON_PARAMS_H

#include "base/error.h"
#include "base/units.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum berth_param_type {
    BERTH_PARAM_STRING,   /* const char *: the parameters' own, no NUL inside */
    BERTH_PARAM_PORT,     /* uint16_t: 1 to 65535 */
    BERTH_PARAM_RANGE,    /* struct berth_port_range: [first, last] */
    BERTH_PARAM_COUNT,    /* unsigned: 1 to 65535 */
    BERTH_PARAM_PORTS,    /* unsigned: 1 to BERTH_PORTS_PER_LEASE_MAX */
    BERTH_PARAM_BOOLEAN,  /* bool */
    BERTH_PARAM_DURATION, /* uint64_t, milliseconds: "24h", or a number of seconds */
    BERTH_PARAM_OBJECT,   /* json_t *: an object, borrowed */
    BERTH_PARAM_ARRAY,    /* json_t *: an array, borrowed */
    BERTH_PARAM_REVISION  /* uint64_t: 0 and up */
};

struct berth_param {
    const char *name;
    enum berth_param_type type;
    void *out; /* where it goes; unchanged when the parameter is missing or null */
};

/** Reads parameters.
 *  @param[in] params  an object, or NULL: none were given. What is read points into it
 *  @return BERTH_OK; BERTH_INVALID_PARAMS: outputs may be set in part  @thread any  @blocks no */
enum berth_code berth_params_read(json_t *params, const struct berth_param *table, size_t count,
                                  struct berth_error *err);

/** Checks a parameter that is one of a few words.
 *  @param[in] value  NULL: it was not given, which is right
 *  @param[in] words  `count` of them, as the error is to list them
 *  @return BERTH_OK; BERTH_INVALID_PARAMS, naming the value and the words  @thread any  @blocks no
 */
enum berth_code berth_params_one_of(const char *name, const char *value, const char *const *words,
                                    size_t count, struct berth_error *err);

#endif
