/* SPDX-License-Identifier: MIT */
/* Says in a sentence why a port is not free, for people. */
#ifndef BERTH_ALLOCATOR_EXPLAIN_H
#define BERTH_ALLOCATOR_EXPLAIN_H

#include "allocator.h"
#include "base/text.h"

/** Adds what one claim means: "site Shop binds it as https *:443:shop.example (the site
 *  does not start by itself)". No full stop. */
void berth_explain_claim(struct berth_text *out, const struct berth_claim *claim);

/** Adds the sentence that `who` answers with: every claim on the port, or that it is free, or that
 * it lies in no pool. Of many claims the first five are named and the rest counted. */
void berth_explain_port(struct berth_text *out, const struct berth_allocator *allocator,
                        uint16_t port);

/** Gives the state that `who` names: leased, used, excluded, reserved, cooling, free, outside.
 *  @return a string constant */
const char *berth_explain_state(const struct berth_allocator *allocator, uint16_t port);

#endif
