/* SPDX-License-Identifier: MIT */
/* Expands %variables% in a value of the configuration, in the way of Windows, on every platform. */
#ifndef BERTH_DAEMON_EXPAND_H
#define BERTH_DAEMON_EXPAND_H

#include "base/error.h"
#include "base/text.h"

#include <stdbool.h>

/** Where the values of variables come from. Passed in, so that tests need no environment. */
struct berth_variables {
    /** Adds the value of the variable `name` to `out`. A failure to add it sticks in `out`.
     *  @return false: there is no such variable, and `out` is as it was */
    bool (*add)(void *context, const char *name, struct berth_text *out);
    void *context;
};

#define BERTH_VARIABLE_NAME_MAX 255 /* bytes of a variable's name */

/** Adds `text` to `out` with each %NAME% replaced by the variable's value and each %% by one
 *  percent sign. Values are taken as they are: a % within them is not looked at again.
 *  @param[in,out] out  its limit is the ceiling of the result
 *  @return BERTH_OK; BERTH_NOT_FOUND: no such variable, or its value is empty (which would quietly
 *          make another path of "%ROOT%/x"); BERTH_MALFORMED: a % without its second one, or a name
 *          over BERTH_VARIABLE_NAME_MAX; BERTH_TOO_LARGE; BERTH_NO_MEMORY. After an error `out`
 *          holds what came before the place in question.
 *  @thread any  @blocks no  @source ExpandEnvironmentStrings (Windows), which differs in leaving an
 *          unknown variable as it is, and in having no %% */
enum berth_code berth_expand(struct berth_text *out, const char *text,
                             const struct berth_variables *variables, struct berth_error *err);

#endif
