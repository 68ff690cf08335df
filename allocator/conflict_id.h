/* SPDX-License-Identifier: MIT */
/* Makes the ids of conflicts: FNV-1a over what the participants are known by. Unlike the hashes of
 * hash_index.h they have no seed, as a conflict keeps its id over a restart. */
#ifndef BERTH_ALLOCATOR_CONFLICT_ID_H
#define BERTH_ALLOCATOR_CONFLICT_ID_H

#include "claim.h"

#include <stdint.h>

#define BERTH_ID_START 0xCBF29CE484222325U

/** Each adds something to an id and gives the new one. Texts and names are added with their end,
 *  so that "ab", "c" is not "a", "bc"; NULL is as "".  @thread any  @source FNV-1a, 64 bits */
uint64_t berth__id_byte(uint64_t id, unsigned char byte);
uint64_t berth__id_number(uint64_t id, uint64_t number);
uint64_t berth__id_text(uint64_t id, const char *text);
uint64_t berth__id_name(uint64_t id, const char *name); /* in any case (ASCII) */
uint64_t berth__id_address(uint64_t id, const struct berth_address *address);

/** Adds what a process is known by: its image; where that is not known its pid, or its user. */
uint64_t berth__id_process(uint64_t id, const struct berth_claim *claim);

/** Adds two participants, each an id of its own; which is the first makes no difference. */
uint64_t berth__id_pair(uint64_t id, uint64_t a, uint64_t b);

/** Gives the id at last, its bits well spread.  @source the final mix of SplitMix64 */
uint64_t berth__id_end(uint64_t id);

#endif
