/* SPDX-License-Identifier: MIT */
/* The watcher of the port ranges that Windows has excluded: source `excluded`, one feed, "ranges".
 *
 * There are two kinds, and neither is any good for a site of IIS: what an administrator excluded a
 * socket may bind, but http.sys not; what Hyper-V, WinNAT and others reserve at run time neither
 * may. http.sys itself reserves, at run time, the one port of each URL that is registered with it:
 * a range of one port on which http.sys listens is filed as `httpsys`, in the same snapshot, so
 * that its port is held at every moment.
 *
 * It asks through a table of calls: windows/excluded.c has the real one. */
#ifndef BERTH_WATCHERS_EXCLUDED_H
#define BERTH_WATCHERS_EXCLUDED_H

#include "allocator/port_set.h"
#include "base/text.h"
#include "claim_list.h"
#include "netsh_text.h"
#include "watcher.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

/** How the system is asked. All run on the pool's thread, one at a time, and may block. */
struct berth_excluded_calls {
    /** Adds what netsh prints of one family's excluded ranges.
     *  @return BERTH_OK; BERTH_NOT_FOUND: this machine has no netsh; else why it failed */
    enum berth_code (*list)(void *context, bool ipv6, struct berth_text *out,
                            struct berth_error *err);

    /** Adds the ports on which the kernel itself (process 4) listens.
     *  @param[out] out  an empty set  @return BERTH_OK, or why it is not known */
    enum berth_code (*kernel_ports)(void *context, struct berth_port_set *out,
                                    struct berth_error *err);

    /** Gives the context back. May be NULL. */
    void (*close)(void *context);
};

/** The most claims: each port once as each kind. */
#define BERTH_EXCLUDED_CLAIMS_MAX (2u * 65535u)

/** Makes claims of ranges, which are put in order: each port once as each kind.
 *
 *  Claims of kind EXCLUSION have the holder "49671-49770" and a detail that names the kind;
 *  those of http.sys are of kind URL with the holder "http.sys".
 *  @param[in] kernel_ports  on which process 4 listens
 *  @return BERTH_OK; BERTH_NO_MEMORY; BERTH_TOO_LARGE: more than the list's limit  @thread any */
enum berth_code berth_excluded_claims(struct berth_claim_list *list,
                                      struct berth_excluded_range *ranges, size_t count,
                                      const struct berth_port_set *kernel_ports,
                                      struct berth_error *err);

/** Gives a watcher that is not started, over these calls. It keeps to watchers/watcher.h, and also
 *  claims ports for `httpsys`, as above. States: `degraded` without claims where the system lists
 *  no ranges (no netsh, or Wine's): a bind probe is then all that finds them; `waiting` and `stale`
 *  as of poll_watcher.h.
 *  @param[in] poll_ms  0: 300,000, as each look takes two processes; a look that is asked for comes
 *                      soon
 *  @return BERTH_OK; BERTH_NO_MEMORY: `context` is still the caller's
 *  @thread the loop's  @blocks no  @source docs/windows.md, "Excluded ranges" */
enum berth_code berth_excluded_watcher_create(struct berth_watcher **out, uv_loop_t *loop,
                                              const struct berth_excluded_calls *calls,
                                              void *context, uint64_t poll_ms,
                                              struct berth_error *err);

#endif
