/* SPDX-License-Identifier: MIT */
#ifndef BERTH_TESTS_DIE_WITH_PARENT_H
#define BERTH_TESTS_DIE_WITH_PARENT_H

/** In a child process: makes it end with its parent, however that ends.
 *  @param[in] parent  whom it was started by, in case that is gone already */
void die_with_parent(long parent);

#endif
