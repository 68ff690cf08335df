/* SPDX-License-Identifier: MIT */
#ifndef BERTH_TESTS_FILE_LIMIT_H
#define BERTH_TESTS_FILE_LIMIT_H

#include <stdbool.h>
#include <stddef.h>

/** Sets how large a process may make files: what lies behind fails as on a full disk.
 *  @return false: that could not be had */
bool limit_files(long process, size_t bytes);

#endif
