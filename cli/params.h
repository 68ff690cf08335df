/* SPDX-License-Identifier: MIT */
/* Builds a request's parameters from what was typed, and says what is wrong with it. */
#ifndef BERTH_CLI_PARAMS_H
#define BERTH_CLI_PARAMS_H

#include "command.h"

#include <stdint.h>

/** Parameters being built. The first mistake is written as a usage error and sticks; so does
 *  running out of memory, which leaves `object` NULL for berth_client_call() to report. */
struct berth_params {
    struct berth_cli *cli;
    json_t *object;
    enum berth_exit status; /* BERTH_EXIT_DONE or BERTH_EXIT_USAGE */
};

/** Starts with an empty object. End with berth_params_take() or berth_params_ask(). */
void berth_params_init(struct berth_params *params, struct berth_cli *cli);

/* Each adds member `name` from `value`, or nothing when `value` is NULL. `what` is how the command
 * line calls it: "--port", "PORT". */

/** A name: UTF-8 without control characters, not empty. */
void berth_params_string(struct berth_params *params, const char *name, const char *what,
                         const char *value);
/** A port, 1 to 65535. */
void berth_params_port(struct berth_params *params, const char *name, const char *what,
                       const char *value);
/** A whole number, `low` to `high`. */
void berth_params_number(struct berth_params *params, const char *name, const char *what,
                         const char *value, uint64_t low, uint64_t high);
/** A range of ports A-B, as [A, B]. */
void berth_params_range(struct berth_params *params, const char *name, const char *what,
                        const char *value);
/** A duration, as text ("24h"), or a whole number of seconds, as number. */
void berth_params_duration(struct berth_params *params, const char *name, const char *what,
                           const char *value);

/** Adds member `name` with a value of any kind, which is taken over; NULL: no memory. */
void berth_params_set(struct berth_params *params, const char *name, json_t *value);

/** Notes a mistake in the command line. */
void berth_params_wrong(struct berth_params *params, const char *format, ...) BERTH_PRINTF(2, 3);

/** Gives the object away: for berth_cli_call(), which takes NULL for "no memory".
 *  @param[out] object  set only on BERTH_EXIT_DONE  @return `params->status` */
enum berth_exit berth_params_take(struct berth_params *params, json_t **object);

/** berth_params_take() and berth_cli_ask() in one. */
enum berth_exit berth_params_ask(struct berth_params *params, const char *method,
                                 berth_show_cb show);

#endif
