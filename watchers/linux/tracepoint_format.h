/* SPDX-License-Identifier: MIT */
/* Where the kernel's tracepoint sock:inet_sock_set_state puts what it tells: read from its format
 * file, as the layout is the kernel's to change. Pure.
 * Source: Documentation/trace/events.rst; include/trace/events/sock.h. */
#ifndef BERTH_WATCHERS_LINUX_TRACEPOINT_FORMAT_H
#define BERTH_WATCHERS_LINUX_TRACEPOINT_FORMAT_H

#include "base/error.h"

#include <stdint.h>

enum berth_state_field {
    BERTH_STATE_FIELD_FLAGS, /* common_flags: in which context it happened */
    BERTH_STATE_FIELD_OLD,
    BERTH_STATE_FIELD_NEW,
    BERTH_STATE_FIELD_SPORT, /* the local port, host order */
    BERTH_STATE_FIELD_FAMILY,
    BERTH_STATE_FIELD_PROTOCOL,
    BERTH_STATE_FIELD_SADDR,    /* 4 bytes, network order */
    BERTH_STATE_FIELD_SADDR_V6, /* 16 bytes */
    BERTH_STATE_FIELD_COUNT
};

struct berth_state_layout {
    uint32_t id; /* of the tracepoint, for perf_event_open() */
    struct {
        uint16_t offset;
        uint16_t size;
    } fields[BERTH_STATE_FIELD_COUNT];
};

/** No record of the tracepoint is longer than this. */
#define BERTH_STATE_RECORD_MAX 512u

/** Reads a format file.
 *  @param[in]  text  NUL-terminated
 *  @param[out] out   set only on BERTH_OK: then every field lies within BERTH_STATE_RECORD_MAX and
 *                    has a size that berth_state_event_decode() understands
 *  @return BERTH_OK; BERTH_MALFORMED: no id, or a field is missing or of another size, by name
 *  @thread any  @blocks no */
enum berth_code berth_tracepoint_parse(struct berth_state_layout *out, const char *text,
                                       struct berth_error *err);

#endif
