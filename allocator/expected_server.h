/* SPDX-License-Identifier: MIT */
/* Who is expected to listen for a site's binding, by its protocol. */
#ifndef BERTH_ALLOCATOR_EXPECTED_SERVER_H
#define BERTH_ALLOCATOR_EXPECTED_SERVER_H

#include "claim.h"

/** Whether a listener serves a protocol's bindings. */
enum berth_verdict {
    BERTH_IS_SERVER,
    BERTH_IS_OTHER,  /* it is somebody else */
    BERTH_IS_UNKNOWN /* too little is known of it, or of the protocol: no judgement yet */
};

/** Judges a socket by its process: http and https are served by http.sys (process id 4, or holder
 *  "http.sys" or "System"), ftp by "svchost", net.tcp by "SMSvcHost" (each with or without ".exe",
 *  any case). Of other protocols nobody knows the server.
 *  @param[in] http_sys  false: a machine without IIS, where everybody is somebody else
 *  @thread any  @source docs/conflicts.md, "Who serves a binding" */
enum berth_verdict berth_server_judge(enum berth_protocol protocol,
                                      const struct berth_claim *socket, bool http_sys);

/** Tells whether two names of an image are the same: any case (ASCII), ".exe" or not.  @thread any
 */
bool berth_image_equal(const char *a, const char *b);

/** Compares ASCII letters in any case, other bytes as they are, NULL as "".
 *  @return < 0, 0, > 0 as strcmp does  @thread any */
int berth_compare_any_case(const char *a, const char *b);

/** Tells whether `text` starts with `prefix` in any case; `*rest` is what follows then. */
bool berth_starts_any_case(const char *text, const char *prefix, const char **rest);

#endif
