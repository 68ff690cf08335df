/* SPDX-License-Identifier: MIT */
/* Says in a sentence what a conflict is, for people. */
#ifndef BERTH_ALLOCATOR_CONFLICT_TEXT_H
#define BERTH_ALLOCATOR_CONFLICT_TEXT_H

#include "base/text.h"
#include "conflict_rules.h"

/** Adds a sentence: "Sites Shop and Shop copy both bind http *:8080: (IIS starts only one of
 *  them)." What a text cannot take shows in `out->failed`.  @thread any  @blocks no */
void berth_conflict_explain(struct berth_text *out, const struct berth_conflict *conflict);

#endif
