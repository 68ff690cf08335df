/* SPDX-License-Identifier: MIT */
#include "line_reader.h"

#include <string.h>

/* Most answers fit into the first; long ones are read in larger steps. */
#define READ_FIRST_BYTES ((size_t)4096)
#define READ_MORE_BYTES ((size_t)64 * 1024)

void berth_line_reader_init(struct berth_line_reader *reader)
{
    *reader = (struct berth_line_reader){0};
    berth_text_init(&reader->bytes, BERTH_CLIENT_LINE_MAX + READ_MORE_BYTES);
}

void berth_line_reader_fini(struct berth_line_reader *reader)
{
    berth_text_fini(&reader->bytes);
}

static bool take_line(struct berth_line_reader *reader, const char **line, size_t *length)
{
    struct berth_text *bytes = &reader->bytes;
    const char *end = NULL;

    if (bytes->length > reader->searched) {
        end = memchr(bytes->data + reader->searched, '\n', bytes->length - reader->searched);
    }
    if (end == NULL) {
        reader->searched = bytes->length;
        return false;
    }
    *line = bytes->data + reader->used;
    *length = (size_t)(end - *line);
    reader->used += *length + 1;
    reader->searched = reader->used;
    if (*length > 0 && end[-1] == '\r') {
        (*length)--;
    }
    return true;
}

/* Moves what is left to the start, so that the text holds no more than one line and one read. */
static void drop_used(struct berth_line_reader *reader)
{
    struct berth_text *bytes = &reader->bytes;

    if (reader->used == 0) {
        return;
    }
    bytes->length -= reader->used;
    memmove(bytes->data, bytes->data + reader->used, bytes->length);
    reader->searched -= reader->used;
    reader->used = 0;
}

static enum berth_code receive_more(struct berth_line_reader *reader,
                                    struct berth_transport *transport, uint64_t deadline_ms,
                                    struct berth_error *err)
{
    struct berth_text *bytes = &reader->bytes;
    size_t step = bytes->length < READ_FIRST_BYTES ? READ_FIRST_BYTES : READ_MORE_BYTES;
    size_t received = 0;

    if (bytes->length > BERTH_CLIENT_LINE_MAX) {
        return berth_fail(err, BERTH_TOO_LARGE, 0, "the daemon sent a line of more than %zu MiB",
                          BERTH_CLIENT_LINE_MAX >> 20);
    }
    if (!berth_text_reserve(bytes, step)) {
        return berth_fail_memory(err, "the daemon's answer");
    }
    enum berth_code code = berth_transport_receive(transport, bytes->data + bytes->length, step,
                                                   &received, deadline_ms, err);
    if (code != BERTH_OK) {
        return code;
    }
    if (received == 0) {
        return berth_fail(err, BERTH_IO, 0,
                          bytes->length == 0
                              ? "the daemon closed the connection without an answer"
                              : "the daemon closed the connection in the middle of an answer");
    }
    bytes->length += received;
    return BERTH_OK;
}

enum berth_code berth_line_reader_next(struct berth_line_reader *reader,
                                       struct berth_transport *transport, uint64_t deadline_ms,
                                       const char **line, size_t *length, struct berth_error *err)
{
    while (!take_line(reader, line, length)) {
        drop_used(reader);
        enum berth_code code = receive_more(reader, transport, deadline_ms, err);
        if (code != BERTH_OK) {
            return code;
        }
    }
    return BERTH_OK;
}
