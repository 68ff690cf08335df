/* SPDX-License-Identifier: MIT */
/* Cuts the bytes that come over a connection into lines. */
#ifndef BERTH_CLIENT_LINE_READER_H
#define BERTH_CLIENT_LINE_READER_H

#include "base/text.h"
#include "client/transport.h"

/** The longest line that is accepted from the daemon, its end not counted. */
#define BERTH_CLIENT_LINE_MAX ((size_t)16 * 1024 * 1024)

struct berth_line_reader {
    struct berth_text bytes; /* received and not yet given out, after `used` bytes that were */
    size_t used;
    size_t searched; /* bytes of `bytes` known to hold no line end behind `used` */
};

/** Makes an empty reader; takes no memory yet.  @thread any */
void berth_line_reader_init(struct berth_line_reader *reader);

/** Gives the memory back. */
void berth_line_reader_fini(struct berth_line_reader *reader);

/** Gives the next line without its end ("\n" or "\r\n").
 *  @param[out] line    inside the reader, not NUL-terminated; valid until the next call
 *  @param[out] length  bytes
 *  @return BERTH_OK · BERTH_BUSY: the deadline passed, what came of the line stays for the next
 *          call · BERTH_TOO_LARGE: longer than BERTH_CLIENT_LINE_MAX · BERTH_IO: the connection
 *          ended (inside a line or before it) · BERTH_NO_MEMORY
 *  @thread any, one at a time  @blocks until the deadline at most */
enum berth_code berth_line_reader_next(struct berth_line_reader *reader,
                                       struct berth_transport *transport, uint64_t deadline_ms,
                                       const char **line, size_t *length, struct berth_error *err);

#endif
