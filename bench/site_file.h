/* SPDX-License-Identifier: MIT */
/* An applicationHost.config of the benchmark's own making. */
#ifndef BERTH_BENCH_SITE_FILE_H
#define BERTH_BENCH_SITE_FILE_H

#include "bench.h"

/** Writes a file with `sites` sites of two bindings each, http and https, of which most have a port
 *  of their own from 1024 up and the others share 80 and 443 by host name; each with an application
 *  pool, an application, a virtual directory and a log folder, as IIS writes them.
 *  @param[in] extra_port  a further site with this port, the last one; 0: none */
void bench_write_sites(const char *path, size_t sites, uint16_t extra_port);

#endif
