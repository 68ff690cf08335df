/* SPDX-License-Identifier: MIT */
/* A set of ports: 65,536 bits with two summary levels above them and counts per block, so that
 * "the next one in this range" and "how many in this range" do not depend on how full it is. */
#ifndef BERTH_ALLOCATOR_PORT_SET_H
#define BERTH_ALLOCATOR_PORT_SET_H

#include "base/units.h"

#include <stdbool.h>
#include <stdint.h>

#define BERTH_PORT_SET_WORDS 1024
#define BERTH_PORT_SET_BLOCKS 16 /* of 64 words, 4,096 ports each */

/** The set, about 8.4 KiB. All zero is the empty set, so that calloc makes one. */
struct berth_port_set {
    uint64_t words[BERTH_PORT_SET_WORDS];
    uint64_t nonzero[BERTH_PORT_SET_BLOCKS]; /* bit w of block b: words[64 b + w] != 0 */
    uint16_t counts[BERTH_PORT_SET_BLOCKS];  /* ports in the block */
    uint16_t top;                            /* bit b: nonzero[b] != 0 */
};

/** Makes the set empty.  @thread any  @blocks no (as all functions here) */
void berth_port_set_init(struct berth_port_set *set);

/** Puts a port in. @return true: it was not in before */
bool berth_port_set_add(struct berth_port_set *set, uint16_t port);

/** Takes a port out. @return true: it was in before */
bool berth_port_set_remove(struct berth_port_set *set, uint16_t port);

/** Puts all ports of a range in; {0, 0} adds none. */
void berth_port_set_add_range(struct berth_port_set *set, struct berth_port_range range);

/** Tells whether a port is in the set. */
bool berth_port_set_has(const struct berth_port_set *set, uint16_t port);

/** Finds the lowest port of the set within a range, in a number of steps that is bounded by the
 *  summary levels, not by the range.
 *  @param[out] out  set only when one is found
 *  @return false: none in the range (or the range is {0, 0}) */
bool berth_port_set_next(const struct berth_port_set *set, struct berth_port_range range,
                         uint16_t *out);

/** Finds the first run of neighbouring ports of the set within a range.
 *  @param[out] out  the run, cut off at the range's ends; set only when there is one
 *  @return false: none. To go on, call again with range.first = out->last + 1 (unless out->last is
 *          range.last: then that was the last run). */
bool berth_port_set_next_run(const struct berth_port_set *set, struct berth_port_range range,
                             struct berth_port_range *out);

/** Counts the ports of the set within a range. */
uint32_t berth_port_set_count(const struct berth_port_set *set, struct berth_port_range range);

#endif
