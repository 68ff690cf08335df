/* SPDX-License-Identifier: MIT */
/* Which bindings a site has in effect, once siteDefaults, <clear/> and <remove> have had their say.
 * They are worked out when the whole document is known: siteDefaults stands behind the sites. */
#ifndef BERTH_WATCHERS_IIS_EFFECTIVE_H
#define BERTH_WATCHERS_IIS_EFFECTIVE_H

#include "iis_sites.h"

/** A list of bindings, for use again and again. All zero: empty. */
struct berth_iis_effective {
    const struct berth_iis_operation **bindings; /* they point into the model */
    size_t count;
    size_t room;
    uint64_t comparisons; /* of <remove>, since the list was all zero */
};

/** Makes `out` the bindings that a site has in effect: those of siteDefaults, then its own, as
 *  `clear` and `remove` leave them, in order.
 *  @param[in,out] out  made empty first; its memory is kept for the next site
 *  @return BERTH_OK; NO_MEMORY; TOO_LARGE when `remove` needed over 50 million comparisons since
 *          the list was all zero. On error the list is empty
 *  @thread any  @blocks no */
BERTH_MUST_USE
enum berth_code berth_iis_effective_of(struct berth_iis_effective *out,
                                       const struct berth_iis_sites *sites, size_t site,
                                       struct berth_error *err);

/** Gives the list's memory back. */
void berth_iis_effective_fini(struct berth_iis_effective *list);

#endif
