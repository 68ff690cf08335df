/* SPDX-License-Identifier: MIT */
/* The notations in which /proc/sys/net/ipv4 writes ports. */
#ifndef BERTH_WATCHERS_LINUX_PROC_PORTS_H
#define BERTH_WATCHERS_LINUX_PROC_PORTS_H

#include "allocator/port_set.h"

#include <stdbool.h>

/** Reads "32768\t60999\n": two ports, the lower first.
 *  @return false: not that, `out` unchanged  @thread any  @blocks no */
bool berth_proc_ports_parse_range(struct berth_port_range *out, const char *text);

/** Reads "8080,9000-9100\n": ports and ranges between commas; nothing, or blanks, is an empty set.
 *  Port 0, which the kernel accepts there, is passed over.
 *  @return false: not that, and `out` is undefined  @thread any  @blocks no */
bool berth_proc_ports_parse_list(struct berth_port_set *out, const char *text);

#endif
