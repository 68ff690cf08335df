/* SPDX-License-Identifier: MIT */
/* The questions of excluded.h to the real system. */
#ifndef BERTH_WATCHERS_WINDOWS_EXCLUDED_CALLS_H
#define BERTH_WATCHERS_WINDOWS_EXCLUDED_CALLS_H

#include "watchers/excluded.h"

/** Makes the calls' context.  @param[out] out  given back by the calls' `close`
 *  @return BERTH_OK; BERTH_NO_MEMORY */
enum berth_code berth_excluded_calls_open(void **out, struct berth_error *err);

extern const struct berth_excluded_calls berth_excluded_calls;

#endif
