/* SPDX-License-Identifier: MIT */
/* Events of the protocol as people read them. */
#ifndef BERTH_CLI_EVENT_TEXT_H
#define BERTH_CLI_EVENT_TEXT_H

#include "base/text.h"

#include <jansson.h>

/** Adds an event as one line: its time, its revision (which `watch --since` takes), its type, and
 *  what happened as a sentence. A type that is not known is told by its members.  @thread any */
void berth_event_add_line(struct berth_text *out, json_t *event);

#endif
