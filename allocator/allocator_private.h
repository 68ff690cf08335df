/* SPDX-License-Identifier: MIT */
/* What the allocator's own files share. */
#ifndef BERTH_ALLOCATOR_ALLOCATOR_PRIVATE_H
#define BERTH_ALLOCATOR_ALLOCATOR_PRIVATE_H

#include "allocator.h"

/** Gives the time on the leases' clock, which stands still while a source is not current. */
uint64_t berth__allocator_lease_clock(const struct berth_allocator *allocator,
                                      struct berth_now now);

/** Ends a lease and lets its ports cool down; a cool-down that there is no memory for is left out.
 *  `lease` is gone afterwards. */
void berth__allocator_end_lease(struct berth_allocator *allocator, struct berth_lease *lease,
                                struct berth_now now);

#endif
