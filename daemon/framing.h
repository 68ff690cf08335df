/* SPDX-License-Identifier: MIT */
/* Cuts what a client sends into lines: one JSON-RPC message each. */
#ifndef BERTH_DAEMON_FRAMING_H
#define BERTH_DAEMON_FRAMING_H

#include <stdbool.h>
#include <stddef.h>

#define BERTH_REQUEST_MAX ((size_t)64 * 1024) /* bytes of a request, without its line end */
#define BERTH_REQUEST_DEPTH_MAX 16            /* nested arrays and objects */

/** Finds the next line at the start of `bytes`.
 *  @param[in]  first        true: nothing was read on this connection yet: a UTF-8 byte order mark
 *                           is passed over
 *  @param[out] line,length  the line without its end (LF or CR LF); set only on true
 *  @param[out] used         how many bytes of `bytes` it took, its end included; set only on true
 *  @return false: there is no whole line yet  @thread any  @blocks no */
bool berth_frame_next(const char *bytes, size_t count, bool first, const char **line,
                      size_t *length, size_t *used);

/** Tells whether a text nests arrays and objects no deeper than BERTH_REQUEST_DEPTH_MAX, so that a
 *  recursive parser may be given it. Counts brackets outside of strings; judges nothing else. */
bool berth_frame_depth_ok(const char *text, size_t length);

#endif
