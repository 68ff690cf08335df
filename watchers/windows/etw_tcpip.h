/* SPDX-License-Identifier: MIT */
/* What Microsoft-Windows-TCPIP tells, as events of the TCP table (watchers/tcp_events.h). Pure.
 *
 * | id | layout, versions | tells | becomes |
 * |---|---|---|---|
 * | 1006, 1121, 1122 | endpoint 0 1; listener 0 1 | a bind failed | OTHER: look who has the port |
 * | 1008 | endpoint 0 1 | a socket was bound | CONNECT |
 * | 1009 | endpoint 0 1 | a socket was closed | GONE; nothing if it had no port |
 * | 1054, 1519 | reservation 0 1; 0 | ports were reserved for the machine | OTHER |
 * | 1123 | listener 0 1 | a socket listens | LISTEN, with its process |
 * | 1124 | listener 0 1 | it does so no longer | RELEASE |
 * | 1191, 1194 | port 0 | a socket or connection took a port | CONNECT |
 * | 1193 | port 0 | it gave it back | DISCONNECT |
 *
 * Layouts are packed: `endpoint` is an address' length, the address (a SOCKADDR), a status, with a
 * pointer before them from version 1 on; `listener` is a pointer, length and address, status,
 * process, compartment, family, from version 1 on a number more; `port` is a pointer, the port,
 * a flag, a pointer. 1009 and 1191 to 1194 are the only ones that say nothing of success.
 *
 * Why CONNECT for 1191, 1194 and 1008. All three are about a port that is in use from now on, by a
 * socket that may come to listen or be the local end of an outgoing connection: they do not tell
 * which. CONNECT is believed until connections are read, costs no reading itself, and says nothing
 * of a listener, which 1123 does a moment later if there is one. As OTHER, each outgoing connection
 * of the machine would have listeners read twice, and nobody could be kept from giving out a port
 * that was bound a moment ago. The mark ends with a reading, which 1193 asks for unless the port is
 * held otherwise.
 *
 * Why GONE for 1009. It comes for every socket, for those of connections too. GONE has something
 * read only if the port was seen to be bound or listened on, so that a connection's end costs
 * nothing; as RELEASE, each would have everything read.
 *
 * A bind that failed is no use of a port: it only makes the watcher look who has it. What has an
 * unknown version, another length than its layout, or no sense in it is OTHER with port 0:
 * something changed, look. Nothing is guessed.
 *
 * @source the manifests of builds 10240 to 26100 (jdu2600/Windows10EtwEvents,
 * nasbench/EVTX-ETW-Resources). Only ever tried on events that were built from these */
#ifndef BERTH_WATCHERS_WINDOWS_ETW_TCPIP_H
#define BERTH_WATCHERS_WINDOWS_ETW_TCPIP_H

#include "watchers/tcp_events.h"
#include "watchers/windows/etw_calls.h"

#include <stdbool.h>

/** How 1191, 1193 and 1194 carry their port. No document says it: etw_calibration.h finds out. */
enum berth_etw_port_order {
    BERTH_ETW_ORDER_UNKNOWN, /* they become OTHER with port 0 */
    BERTH_ETW_ORDER_HOST,    /* low byte first, like every other number in there */
    BERTH_ETW_ORDER_NETWORK  /* high byte first */
};

/** Says what an event of BERTH_ETW_TCPIP tells.
 *  @param[out] out  time as the event's; the process is that of LISTEN and RELEASE, else NONE; the
 *                   address where there is one. Unchanged on false
 *  @return false: nothing that concerns ports, or an id that is none of the above
 *  @thread any  @blocks no */
bool berth_etw_tcpip_decode(const struct berth_etw_event *event, enum berth_etw_port_order order,
                            struct berth_tcp_event *out);

/** Gives what to ask for: all of the above, or without 1009 and 1191 to 1194, which come with each
 *  connection.  @return a constant */
const struct berth_etw_request *berth_etw_tcpip_request(bool low_volume);

#endif
