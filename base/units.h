/* SPDX-License-Identifier: MIT */
/* Reads and writes the small notations that people type: ports, port ranges, durations, times. */
#ifndef BERTH_BASE_UNITS_H
#define BERTH_BASE_UNITS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** Ports first to last, both included; 1 ≤ first ≤ last ≤ 65535. {0, 0}: none given. */
struct berth_port_range {
    uint16_t first;
    uint16_t last;
};

/** Reads a port: decimal digits only, 1 to 65535.
 *  @return false: not a port, `out` unchanged  @thread any  @blocks no */
bool berth_parse_port(uint16_t *out, const char *text);

/** Reads "A-B" (A ≤ B) or a single port "A" as a range of one; blanks around '-' are accepted.
 *  @return false: not a range, `out` unchanged  @thread any  @blocks no */
bool berth_parse_port_range(struct berth_port_range *out, const char *text);

/** Reads a duration: a whole number and one of ms, s, m, h, d ("250ms", "15s", "24h"), up to
 *  BERTH_DURATION_MAX_MS.  @return false: none, `out_ms` unchanged  @thread any  @blocks no */
bool berth_parse_duration(uint64_t *out_ms, const char *text);

#define BERTH_DURATION_MAX_MS (3650ULL * 24 * 3600 * 1000) /* ten years */

/** Reads a whole number of decimal digits, `low` to `high`.
 *  @return false: none, `out` unchanged  @thread any  @blocks no */
bool berth_parse_number(uint64_t *out, const char *text, uint64_t low, uint64_t high);

/** Reads a size in bytes: a whole number and one of KiB, MiB, GiB ("10MiB"), below 2^63.
 *  @return false: none, `out_bytes` unchanged  @thread any  @blocks no */
bool berth_parse_size(uint64_t *out_bytes, const char *text);

/** Writes a size as people say it: "64 KiB", "10 MiB"; what is no whole number of KiB: "1000
 * bytes".
 *  @param[out] out  at least 32 bytes  @return `out`  @thread any */
char *berth_format_size(char *out, size_t size, uint64_t bytes);

/** Writes a duration as people say it: "250 ms", "15 s", "4 min 30 s", "2 h", "3 d 4 h".
 *  @param[out] out  at least 32 bytes  @return `out`  @thread any */
char *berth_format_duration(char *out, size_t size, uint64_t ms);

/** Writes a time as RFC 3339 in UTC with milliseconds: "2026-11-23T01:40:35.000Z".
 *  @param[out] out      at least 25 bytes
 *  @param[in]  unix_ms  milliseconds since 1970; before 1970 and after 9999 are written as the
 *                       nearest time within
 *  @return `out`  @thread any  @source RFC 3339; days to civil date as in ISO 8601 */
char *berth_format_time(char *out, size_t size, int64_t unix_ms);

#endif
