/* SPDX-License-Identifier: MIT */
/* Says whom to ask about a port that is not free, and what an administrator looks at, for people.
 * Beside berth_explain_port(), which says why. */
#ifndef BERTH_DAEMON_WHOM_TO_ASK_H
#define BERTH_DAEMON_WHOM_TO_ASK_H

#include "service.h"

#define BERTH_ASK_MAX 3             /* sentences; more would be a page */
#define BERTH_ASK_LOOKED_AT_MAX 100 /* claims of a port */

/** Writes the member "ask": an array of sentences, each once, about the first claims on the port:
 *  who can be asked, and by which command an administrator finds or ends it. A command holds
 *  numbers, ids and fixed words only, never a name that others chose, and stands at the end of its
 *  sentence. Empty for a port without claims. What there is no memory for is left out.
 *  @thread loop */
void berth_whom_to_ask_write(struct berth_json *json, const struct berth_service *service,
                             uint16_t port, struct berth_now now);

#endif
