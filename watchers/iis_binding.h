/* SPDX-License-Identifier: MIT */
/* One binding of an IIS site: what `protocol` and `bindingInformation` say about a TCP port.
 *
 *   protocol                             bindingInformation   port when it is left empty
 *   http https ftp                       ip:port:host         80, 443, 21
 *   net.tcp                              port:host            808
 *   net.pipe net.msmq msmq.formatname    host                 (claims no port)
 *   any other                            either of the first two, else it claims no port
 *
 * `ip` is empty or "*" (every address), an IPv4 address, or an IPv6 address in brackets, with or
 * without a zone. The protocol is compared in any case. */
#ifndef BERTH_WATCHERS_IIS_BINDING_H
#define BERTH_WATCHERS_IIS_BINDING_H

#include "allocator/claim.h"
#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>

/** What a binding claims. Without a port only `protocol` says something. */
struct berth_iis_binding {
    bool has_port;
    enum berth_protocol protocol; /* BERTH_PROTOCOL_NONE where the protocol knows no ports */
    uint16_t port;                /* 1 to 65535 */
    struct berth_address address;
    const char *host;   /* points into the information, `host_length` bytes, no NUL behind it; */
    size_t host_length; /* NULL and 0: every host name (empty or "*") */
};

/** Gives what a binding claims.
 *
 *  Blanks (space, tab, line ends) around the whole and around each part are passed over: IIS would
 *  write none, and a port that somebody typed with a blank is better taken than overlooked. A host
 *  is not checked; "*.example.com" and the "+" of net.tcp are given as they are.
 *
 *  @param[in] protocol     NUL-terminated; an empty one is an unknown one
 *  @param[in] information  NUL-terminated; `out->host` points into it
 *  @param     err          may be NULL
 *  @return BERTH_OK, or BERTH_MALFORMED: `out` is unchanged and the error says what would be
 *          accepted (port 0 or over 65535, a wrong number of parts, an address that is none)
 *  @thread any  @blocks no
 *  @source Microsoft, <binding>: iis/configuration/system.applicationHost/sites/site/bindings;
 *          BaseUriWithWildcard.cs of the .NET Framework reference source */
enum berth_code berth_iis_binding_parse(struct berth_iis_binding *out, const char *protocol,
                                        const char *information, struct berth_error *err);

#endif
