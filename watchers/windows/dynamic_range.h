/* SPDX-License-Identifier: MIT */
/* The range from which Windows takes dynamic (ephemeral) ports. Asking takes two processes, so that
 * the answer is kept: the watcher of excluded ranges refreshes it on the thread pool. */
#ifndef BERTH_WATCHERS_WINDOWS_DYNAMIC_RANGE_H
#define BERTH_WATCHERS_WINDOWS_DYNAMIC_RANGE_H

#include "base/error.h"
#include "base/units.h"

/** Asks the system and keeps its answer, or why there is none.
 *  @thread any without a loop under way  @blocks some 100 ms */
void berth_dynamic_range_refresh(void);

/** Gives the kept answer; the first call asks.
 *  @param[out] out  of both families: from the lower first port to the higher last one
 *  @return BERTH_OK; BERTH_IO, BERTH_NOT_FOUND, BERTH_NOT_SUPPORTED, BERTH_MALFORMED,
 *          BERTH_NO_MEMORY  @thread any  @blocks no, but for the first call */
enum berth_code berth_dynamic_range(struct berth_port_range *out, struct berth_error *err);

#endif
