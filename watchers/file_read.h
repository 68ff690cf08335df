/* SPDX-License-Identifier: MIT */
/* Reads a whole small file, and only when it held still meanwhile. */
#ifndef BERTH_WATCHERS_FILE_READ_H
#define BERTH_WATCHERS_FILE_READ_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** What tells one state of a file from another without reading it. */
struct berth_file_stamp {
    uint64_t size;
    int64_t modified_ns; /* since 1970, as far as the file system knows; not a clock to reckon by */
    bool fresh; /* modified within the last two seconds: as the file system's clock ticks in steps,
                   a further change may leave size and time as they are */
};

/** A file's content. */
struct berth_file {
    char *bytes; /* `stamp.size` bytes and a NUL; for berth_file_fini() */
    struct berth_file_stamp stamp;
    uint64_t hash; /* of the content; for telling equal from changed, not against an adversary */
};

/** Gives a file's size and time.
 *  @param[in] path  UTF-8; links are followed
 *  @return BERTH_OK; NOT_FOUND: no such file or folder; IO: it cannot be asked about, or it is no
 *          regular file; errors have the errno in os_code and say what they are about. On error
 *          `out` is unchanged
 *  @thread any  @blocks on the disk  @source stat(2) */
enum berth_code berth_file_stat(struct berth_file_stamp *out, const char *path,
                                struct berth_error *err);

/** Reads a file that has the same size and time before and after.
 *
 *  @param[in] path         UTF-8; links are followed. A FIFO, device or folder is refused without
 *                          waiting for it
 *  @param[in] limit_bytes  the largest file accepted
 *  @return BERTH_OK; MALFORMED: it is empty; TOO_LARGE; UNSTABLE: it changed while it was read;
 *          NOT_FOUND; NO_MEMORY; IO with the errno in os_code. On error `out` is unchanged, and the
 *          detail is a sentence without the file's name
 *  @thread any  @blocks on the disk  @source open(2), fstat(2), read(2) */
enum berth_code berth_file_read(struct berth_file *out, const char *path, size_t limit_bytes,
                                struct berth_error *err);

/** Gives the content's memory back. An all-zero file is accepted. */
void berth_file_fini(struct berth_file *file);

/** Gives the hash that berth_file_read() gives for these bytes.  @thread any  @blocks no */
uint64_t berth_file_hash(const void *bytes, size_t size);

#endif
