/* SPDX-License-Identifier: MIT */
/* A shelf: the claims of one feed on 256 neighbouring ports, sorted. Private to the ledger. */
#ifndef BERTH_ALLOCATOR_SHELF_H
#define BERTH_ALLOCATOR_SHELF_H

#include "claim.h"

#include <stdbool.h>
#include <stdint.h>

#define BERTH_SHELVES 256

struct berth_shelf {
    struct berth_claim *claims; /* sorted by berth_claim_compare, no two the same */
    uint32_t count;
    uint32_t capacity;
};

/** Makes room for `capacity` claims in all.  @return false: no memory, nothing changed */
bool berth_shelf_reserve(struct berth_shelf *shelf, uint32_t capacity);

/** Gives the position of the first claim of a port, or where it would stand. */
uint32_t berth_shelf_first_of(const struct berth_shelf *shelf, uint16_t port);

/** Gives the position of a claim, or where it would stand.  @param[out] found  whether it is there
 */
uint32_t berth_shelf_find(const struct berth_shelf *shelf, const struct berth_claim *claim,
                          bool *found);

/** Puts a claim at a position that berth_shelf_find() gave; there must be room for it. */
void berth_shelf_insert(struct berth_shelf *shelf, uint32_t at, const struct berth_claim *claim);

/** Takes the claim at a position out. */
void berth_shelf_remove(struct berth_shelf *shelf, uint32_t at);

#endif
