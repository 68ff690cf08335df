/* SPDX-License-Identifier: MIT */
/* Puts a whole new content in a file's place. */
#ifndef BERTH_DAEMON_FILE_REPLACE_H
#define BERTH_DAEMON_FILE_REPLACE_H

#include "base/error.h"

#include <stddef.h>

/** Writes "PATH.new" and renames it to PATH: who reads the file sees the old content or the new,
 *  whole. On error the old one stays, and "PATH.new" is removed.
 *  @param[in] path  UTF-8  @param[in] bytes  not changed: libuv wants them so
 *  @return BERTH_OK; BERTH_NO_MEMORY; BERTH_IO with libuv's code  @thread any  @blocks on the disk
 */
enum berth_code berth_file_replace(const char *path, char *bytes, size_t length,
                                   struct berth_error *err);

#endif
