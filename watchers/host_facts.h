/* SPDX-License-Identifier: MIT */
/* Reads the host's own rules about ports: the contract; one implementation for each platform. */
#ifndef BERTH_WATCHERS_HOST_FACTS_H
#define BERTH_WATCHERS_HOST_FACTS_H

#include "allocator/host_facts.h"
#include "base/error.h"

/** Reads the ephemeral range and the ports that are kept from it, and http.sys's listen list.
 *  @param[out] out  always set: what could not be read is as berth_host_facts_default() says
 *  @return BERTH_OK; BERTH_NO_MEMORY; BERTH_IO: not to be read; BERTH_MALFORMED: read, and not
 *          understood; BERTH_TOO_LARGE
 *  @thread any  @blocks some 10 µs; on Windows the first call for as long as two processes take
 *  @source Linux: ip_local_port_range and ip_local_reserved_ports in
 *          Documentation/networking/ip-sysctl.rst, of the network namespace that we run in.
 *          Windows: netsh, which the watcher of excluded ranges asks again from time to time, and
 *          HttpQueryServiceConfiguration */
enum berth_code berth_host_facts_read(struct berth_host_facts *out, struct berth_error *err);

#endif
