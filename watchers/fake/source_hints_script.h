/* SPDX-License-Identifier: MIT */
/* The script of the fake hints: what they tell, and whether there are any.
 *
 * There is one script in a program, and at most one of its hints is open. All functions may be
 * called from any thread; what they tell arrives by way of the queue (hint_queue.h). */
#ifndef BERTH_WATCHERS_FAKE_SOURCE_HINTS_SCRIPT_H
#define BERTH_WATCHERS_FAKE_SOURCE_HINTS_SCRIPT_H

#include "watchers/source_hints.h"

/** Starts anew: hints can be opened, and each wanted facility works. With none open. */
void berth_fake_hints_reset(void);

/** Lets openings fail from now on; BERTH_OK: no longer. */
void berth_fake_hints_refuse(enum berth_code code, const char *reason);

/** Says whether a facility works from now on. Nothing happens while no hints are open. */
void berth_fake_hints_state(enum berth_hint_facility facility, bool works, const char *reason);

/** Gives a hint.  @param[in] sources  a sum of BERTH_HINT_BIT(). Nothing happens while no hints are
 *  open */
void berth_fake_hints_tell(enum berth_hint_facility facility, unsigned sources);

/** Gives the groups that the open hints were wanted for; BERTH_HINTS_NONE: none is open. */
unsigned berth_fake_hints_open_groups(void);

#endif
