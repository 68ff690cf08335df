/* SPDX-License-Identifier: MIT */
/* Makes allocations fail on demand, and counts what was not given back. */
#ifndef BERTH_TESTS_MEMORY_FAULTS_H
#define BERTH_TESTS_MEMORY_FAULTS_H

#include <stdbool.h>
#include <stddef.h>

/** Counts allocations from now on and lets number `fail_at` (from 1) fail; with `for_ever` all
 *  after it too. 0: none fails. */
void memory_faults_begin(size_t fail_at, bool for_ever);

/** Puts the C library's allocator back.
 *  @param[out] live  blocks given out since _begin and not given back
 *  @return true: the failure asked for took place */
bool memory_faults_end(size_t *live);

#endif
