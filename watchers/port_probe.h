/* SPDX-License-Identifier: MIT */
/* Tries whether a port can be bound now: what no table shows is found by no other means. One
 * implementation for each platform.
 *
 * A probe binds the port on all IPv4 and on all IPv6 addresses, each by a socket of its own that
 * never listens (so that no firewall asks anybody), and lets go of it at once. For these
 * microseconds another program's bind of the port fails. The sockets are Berth's own and no claims.
 *
 * Windows: SO_EXCLUSIVEADDRUSE on both sockets, so that any other socket on the port, on whatever
 * address, is in the way. Connections in TIME_WAIT are not; accepted ones still open are, whose
 * listener has gone. A plain bind sees no administered exclusion: the watcher of excluded ranges
 * does.
 *
 * Linux: no SO_REUSEADDR, which would let the probe in beside sockets that have it too. But then
 * connections in TIME_WAIT are in the way as well, which stop no server that sets SO_REUSEADDR, as
 * nearly all do. A refused bind is therefore tried once more with it: when that succeeds, nobody
 * listens, and whoever is on the port lets others in. That is SHARED, and says neither that the
 * port is in use nor that it is TIME_WAIT, as a socket that is bound with SO_REUSEADDR looks the
 * same. */
#ifndef BERTH_WATCHERS_PORT_PROBE_H
#define BERTH_WATCHERS_PORT_PROBE_H

#include "allocator/probe_verdict.h"

#include <stdint.h>

/** Tries a port; a family that the machine lacks is passed over.
 *  @param[in]  port     1 to 65535
 *  @param[out] os_code  errno or the Winsock code of the bind or call that failed; 0 with FREE
 *  @return FREE: bound on each family there is; IN_USE (10048, EADDRINUSE); SHARED (Linux);
 *          FORBIDDEN (Windows: 10013); NOT_TOLD (Linux: EACCES, a port below
 *          net.ipv4.ip_unprivileged_port_start); FAILED: no socket could be had, or another code
 *  @thread any  @blocks no: two to four system calls a family, some 10 µs
 *  @source bind(2), ip(7), socket(7); Microsoft, "Using SO_REUSEADDR and SO_EXCLUSIVEADDRUSE" */
enum berth_probe_answer berth_port_probe(uint16_t port, int *os_code);

/** Tells whether ports are tried where the configuration leaves it to Berth (`probe="auto"`): on
 *  Windows, where tables and exclusions leave gaps.  @thread any */
bool berth_port_probe_by_default(void);

#endif
