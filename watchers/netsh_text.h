/* SPDX-License-Identifier: MIT */
/* Reads what Windows' netsh.exe prints about ports and URLs. Its words are translated on each
 * Windows, so that only numbers, "*", URLs and the layout are gone by. Lines end with LF or CRLF.
 *
 * What is not understood is an error, never a shorter list. A netsh that prints nothing at all is
 * none of Windows' own (Wine's is such a one): BERTH_NOT_SUPPORTED. */
#ifndef BERTH_WATCHERS_NETSH_TEXT_H
#define BERTH_WATCHERS_NETSH_TEXT_H

#include "base/error.h"
#include "base/units.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/** The most bytes of an output that are read. */
#define BERTH_NETSH_OUTPUT_MAX ((size_t)8 << 20)

/** A range of ports that Windows gives to no socket by itself. */
struct berth_excluded_range {
    struct berth_port_range ports;
    bool administered; /* marked "*": made by an administrator. Else a reservation at run time */
};

/** Ranges beyond that are an error: no two can be the same. */
#define BERTH_EXCLUDED_RANGES_MAX 65536u

/** Reads the table of `netsh interface ipv4 show excludedportrange tcp`.
 *  @param[out] out    as in the table; for berth_free(); NULL when there are none
 *  @param[out] count  elements. Both are set only on BERTH_OK
 *  @return BERTH_OK; BERTH_NOT_SUPPORTED: nothing was printed; BERTH_MALFORMED; BERTH_TOO_LARGE;
 *          BERTH_NO_MEMORY  @thread any  @blocks no
 *  @source observed outputs: a head, a line of dashes, two numbers a line, "*" behind some */
enum berth_code berth_netsh_parse_excluded(const char *text, struct berth_excluded_range **out,
                                           size_t *count, struct berth_error *err);

/** Reads `netsh interface ipv4 show dynamicport tcp`: the first of two numbers is the first port,
 *  the second one how many there are.
 *  @return BERTH_OK; BERTH_NOT_SUPPORTED, BERTH_MALFORMED as above  @thread any  @blocks no */
enum berth_code berth_netsh_parse_dynamic(const char *text, struct berth_port_range *out,
                                          struct berth_error *err);

/** A URL that is registered with http.sys, and by whom. */
struct berth_registered_url {
    const char *url; /* `url_length` bytes, no NUL behind it, as the next one */
    size_t url_length;
    unsigned process_count; /* of its request queue; 0: nobody has it open */
    uint32_t process_id;    /* the first of them; 0: none */
    const char *image;      /* its file's path; NULL: not told */
    size_t image_length;
};

/** Reads `netsh http show servicestate view=requestq`.
 *  @param[in] take  called for each URL, in the order of the text; what it returns other than
 *                   BERTH_OK ends the reading. The struct points into the text
 *  @return BERTH_OK; BERTH_NOT_SUPPORTED: nothing was printed; what `take` returned
 *  @thread any  @blocks no
 *  @source observed outputs of Server 2008 R2 ("Process IDs:", a number a line) to 2022
 *          ("Processes:", "ID: 2688, image: C:\…") */
enum berth_code berth_netsh_parse_service_state(
    const char *text,
    enum berth_code (*take)(void *context, const struct berth_registered_url *url,
                            struct berth_error *err),
    void *context, struct berth_error *err);

#endif
