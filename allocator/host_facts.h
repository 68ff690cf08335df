/* SPDX-License-Identifier: MIT */
/* What the host does with ports by itself. Facts are not claims: they shape the order in which free
 * ports are given, and the warnings. */
#ifndef BERTH_ALLOCATOR_HOST_FACTS_H
#define BERTH_ALLOCATOR_HOST_FACTS_H

#include "address.h"
#include "port_set.h"

#include <stdbool.h>
#include <stddef.h>

#define BERTH_LISTEN_LIST_MAX 32 /* the longest list of http.sys that is accepted */

/** About 17 KiB: keep it in a struct or on the heap rather than on a stack. */
struct berth_host_facts {
    struct berth_port_range ephemeral_range; /* as configured; {0, 0}: none */
    struct berth_port_set ephemeral;         /* the range without the reserved ports: what the
                                                system may give to any socket at any moment */
    struct berth_port_set reserved; /* kept from automatic use; binding them by number succeeds */
    bool http_sys;                  /* the host has http.sys: Windows */
    struct berth_address listen_list[BERTH_LISTEN_LIST_MAX]; /* http.sys's IP listen list */
    size_t listen_count; /* 0: it listens on all addresses, or there is none */
};

/** Gives the facts to go by where the host's cannot be read: 49152-65535 is ephemeral, nothing is
 *  reserved.  @thread any  @blocks no  @source RFC 6335 section 6 */
void berth_host_facts_default(struct berth_host_facts *out);

/** Gives facts of a range and a set of reserved ports, of a host without http.sys.
 *  @param[in] reserved  copied; NULL: none  @thread any  @blocks no */
void berth_host_facts_make(struct berth_host_facts *out, struct berth_port_range ephemeral_range,
                           const struct berth_port_set *reserved);

#endif
