/* SPDX-License-Identifier: MIT */
/* Claims of the protocol as people read them. */
#ifndef BERTH_CLI_CLAIM_TEXT_H
#define BERTH_CLI_CLAIM_TEXT_H

#include "base/text.h"
#include "command.h"

#include <jansson.h>

/** Adds who stands behind a claim: the site, "nginx (pid 12)", "uid 1000", the lease's key; "-"
 *  where nobody is known. */
void berth_claim_add_holder(struct berth_text *out, const json_t *claim);

/** Adds what a claim is: "https *:443:shop.example (stopped)", "listening on 0.0.0.0" … */
void berth_claim_add_detail(struct berth_text *out, const json_t *claim);

/** Adds a claim as a phrase that may follow "port 80 is not free: ", one form for each kind:
 *  "leased to the key shop (lease 9451…)", "IIS site Shop (https *:443:shop.example, stopped)",
 *  "nginx (pid 12), listening on 0.0.0.0". */
void berth_claim_add_phrase(struct berth_text *out, const json_t *claim);

struct berth_table;

/** Adds the cells SOURCE, HOLDER and DETAIL of a claim. */
void berth_claim_add_cells(struct berth_table *table, const json_t *claim);

#endif
