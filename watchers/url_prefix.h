/* SPDX-License-Identifier: MIT */
/* URL prefixes as http.sys knows them: what one says about a TCP port.
 *
 *   scheme://host:port[:address]/path     HTTP://+:5985/WSMAN/
 *
 * The scheme is http or https in any case. The host is "+" or "*" (every host name), a name, an
 * IPv4 address, or an IPv6 address in brackets. A port that is left out is the scheme's own, which
 * http.sys itself does not accept. What is bound to one address only is shown with that address
 * behind the port. The path is not looked at, and may be missing. */
#ifndef BERTH_WATCHERS_URL_PREFIX_H
#define BERTH_WATCHERS_URL_PREFIX_H

#include "allocator/claim.h"
#include "base/error.h"

#include <stddef.h>

struct berth_url_prefix {
    enum berth_protocol protocol; /* BERTH_PROTOCOL_HTTP or BERTH_PROTOCOL_HTTPS */
    uint16_t port;                /* 1 to 65535 */
    struct berth_address address; /* family ALL unless the prefix names an address */
    const char *host;   /* a name within the text, `host_length` bytes, no NUL behind it; */
    size_t host_length; /* NULL and 0: every host name, or an address */
};

/** Reads a URL prefix.
 *  @param[in] text  NUL-terminated; `out->host` points into it
 *  @param     err   may be NULL
 *  @return BERTH_OK; BERTH_MALFORMED: `out` is unchanged, and the error says what would be accepted
 *  @thread any  @blocks no  @source Microsoft, "UrlPrefix Strings" (HTTP Server API) */
enum berth_code berth_url_prefix_parse(struct berth_url_prefix *out, const char *text,
                                       struct berth_error *err);

#endif
