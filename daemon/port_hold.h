/* SPDX-License-Identifier: MIT */
/* Holding a port: what the operating system is asked for. linux/port_hold.c does it with sockets
 * that are bound and do not listen; where it cannot be done the same file says so.
 *
 * A held port is given to no outgoing connection and to no bind that asks for any port. It is not
 * kept from a program that binds it by number with SO_REUSEADDR, as most servers do: that one can
 * bind and listen while it is held, as long as nobody else listens. A program that binds without
 * SO_REUSEADDR is refused (EADDRINUSE) until the hold ends. */
#ifndef BERTH_DAEMON_PORT_HOLD_H
#define BERTH_DAEMON_PORT_HOLD_H

#include "base/error.h"

#include <stdint.h>

#define BERTH_PORT_HOLD_SOCKETS 2 /* IPv4 and IPv6 */

/** A held port: descriptors, -1 where there is none. */
struct berth_port_hold {
    int sockets[BERTH_PORT_HOLD_SOCKETS];
};

/** How ports are held. */
struct berth_port_hold_system {
    /** Holds a port on all addresses of both families, or of IPv4 alone where there is no IPv6.
     *  @param[out] out  for close(); set only on success
     *  @return BERTH_OK; BERTH_PORT_IN_USE: a socket has the port that stands in the way;
     *          BERTH_LIMIT_REACHED: no descriptors are left; BERTH_NOT_SUPPORTED: the daemon may
     *          not bind this port; BERTH_IO: the system refuses otherwise
     *  @thread any  @blocks no  @source ip(7), socket(7), ipv6(7), bind(2) */
    enum berth_code (*open)(uint16_t port, struct berth_port_hold *out, struct berth_error *err);
    /** Lets it go. */
    void (*close)(struct berth_port_hold *hold);
};

/** Gives how this system holds ports.  @return NULL: it cannot  @thread any */
const struct berth_port_hold_system *berth_port_hold_system(void);

#endif
