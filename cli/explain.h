/* SPDX-License-Identifier: MIT */
/* Says in one sentence why the daemon refused, and what to do next. */
#ifndef BERTH_CLI_EXPLAIN_H
#define BERTH_CLI_EXPLAIN_H

#include "base/text.h"
#include "client/berth_client.h"

/** Adds the sentence, without "berth: " before it and a full stop behind. What the refusal's data
 *  tell (counts, claims, owner) is told; where they are missing the daemon's message stands.
 *  @param[in] command  for "see 'berth help …'"
 *  @param[in] port_asked  one certain port was asked for, and could be left out  @thread any */
void berth_explain_refusal(struct berth_text *out, const struct berth_remote_error *remote,
                           const char *command, bool port_asked);

#endif
