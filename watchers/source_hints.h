/* SPDX-License-Identifier: MIT */
/* What the operating system tells by itself of sources other than the TCP table: the contract of a
 * platform's hints.
 *
 * windows/source_hints.c listens to ETW and WMI, linux/source_hints.c has nothing to listen to,
 * fake/source_hints.c follows a script (fake/source_hints_script.h). A program links one of them;
 * tests/contract/source_hints_contract.h says in tests what they have in common.
 *
 * A hint says that a source may have changed: look. It may come late, twice or for nothing, and it
 * may not come at all. So hints only make a look sooner: each source polls and watches as it does
 * without them, and a facility that is not there is no source's trouble. */
#ifndef BERTH_WATCHERS_SOURCE_HINTS_H
#define BERTH_WATCHERS_SOURCE_HINTS_H

#include "allocator/claim.h"
#include "base/error.h"

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

/** Where hints come from. Each works or fails by itself, but those of ETW, which share a session.
 */
enum berth_hint_facility {
    BERTH_HINT_HTTP_EVENTS,   /* ETW: URLs are registered with http.sys and taken away */
    BERTH_HINT_IIS_EVENTS,    /* ETW: IIS's configuration is committed */
    BERTH_HINT_WMI_SERVICES,  /* WMI: services that ports depend on start and stop */
    BERTH_HINT_WMI_PROCESSES, /* WMI: processes end */
    BERTH_HINT_WMI_SITES,     /* WMI: IIS's sites are another than before */
    BERTH_HINT_FACILITY_COUNT
};

/** Which facilities are wanted; a sum of bits. */
enum berth_hint_groups { BERTH_HINTS_NONE = 0, BERTH_HINTS_ETW = 1, BERTH_HINTS_WMI = 2 };

/** The bit of a source in a sum of sources. */
#define BERTH_HINT_BIT(source) (1u << (unsigned)(source))

/** Gives "http.sys events", "WMI services" …  @return a string constant  @thread any */
const char *berth_hint_facility_name(enum berth_hint_facility facility);

/** Gives the group that a facility belongs to.  @thread any */
enum berth_hint_groups berth_hint_facility_group(enum berth_hint_facility facility);

/** Where hints are reported to; always on the loop's thread, never from within open or close. A
 *  report may not close the hints. */
struct berth_source_hints_sink {
    /** Asks for a look at all of a source. A burst of hints is one call a turn of the loop, and
     *  calls for the same source keep the distance of hint_pace.h. */
    void (*look)(void *ctx, enum berth_source source);
    /** Says whether a facility works from now on. Comes once after open for each facility of the
     *  wanted groups, and with each change.
     *  @param[in] reason  a sentence; NULL where it works */
    void (*state)(void *ctx, enum berth_hint_facility facility, bool works, const char *reason);
    void *ctx;
};

/** How a facility does. */
struct berth_hint_status {
    bool told; /* something is known of it; else the rest says nothing */
    bool works;
    const char *reason; /* why not; NULL: it works. Valid until the loop goes on */
    uint64_t total;     /* hints that it gave so far */
};

struct berth_source_hints;

/** Makes hints that run. What keeps a facility from telling (rights, something that is not
 *  installed, a service that restarts) is its state, not an error; it tries again by itself.
 *  @param[out] out     set only on BERTH_OK; for berth_source_hints_close()
 *  @param[in]  groups  a sum of enum berth_hint_groups, not NONE
 *  @param[in]  sink    copied
 *  @return BERTH_OK; BERTH_NO_MEMORY; BERTH_NOT_SUPPORTED: never on this system; BERTH_INTERNAL,
 *          BERTH_IO: no thread or handle is to be had
 *  @thread the loop's  @blocks some 100 µs */
enum berth_code berth_source_hints_open(struct berth_source_hints **out, uv_loop_t *loop,
                                        unsigned groups, const struct berth_source_hints_sink *sink,
                                        struct berth_error *err);

/** Tells how a facility does.  @thread the loop's  @blocks no */
void berth_source_hints_status(const struct berth_source_hints *hints,
                               enum berth_hint_facility facility, struct berth_hint_status *out);

/** Ends them. No report comes after this was called; `closed` is called with `ctx` on the loop,
 *  later, once all is given back: within seconds, also where the system does not answer.
 *  @thread the loop's  @blocks no */
void berth_source_hints_close(struct berth_source_hints *hints, void (*closed)(void *ctx),
                              void *ctx);

#endif
