/* SPDX-License-Identifier: MIT */
/* The kernel's tracing file system: where a tracepoint's format is read. */
#ifndef BERTH_WATCHERS_LINUX_TRACEFS_H
#define BERTH_WATCHERS_LINUX_TRACEFS_H

#include "base/error.h"

#include <stddef.h>

/** Reads the format of the tracepoint sock:inet_sock_set_state: below the first of `roots` that has
 *  it, else from a tracefs of our own, mounted read-only at no place that anybody else sees (which
 *  takes CAP_SYS_ADMIN and Linux 5.2) and gone when this returns.
 *  @param[in]  roots  ends with NULL; NULL itself: /sys/kernel/tracing, /sys/kernel/debug/tracing
 *  @param[out] out    NUL-terminated
 *  @return BERTH_OK; BERTH_DENIED: it is there and may not be read; BERTH_NOT_FOUND: there is none;
 *          BERTH_IO, BERTH_TOO_LARGE: more than `size` bytes
 *  @thread any  @blocks some 10 µs */
enum berth_code berth_tracefs_read_format(char *out, size_t size, const char *const *roots,
                                          struct berth_error *err);

#endif
