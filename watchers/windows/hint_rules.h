/* SPDX-License-Identifier: MIT */
/* Which source an event of Windows is about: pure, and tested everywhere.
 *
 * Of an ETW event only provider and number are looked at, never what it carries: events 14 and 16
 * of IIS's configuration carry passwords. Both are outside of the filter that the session is given,
 * and mean nothing here should they come all the same. */
#ifndef BERTH_WATCHERS_WINDOWS_HINT_RULES_H
#define BERTH_WATCHERS_WINDOWS_HINT_RULES_H

#include "watchers/source_hints.h"

#include <stddef.h>
#include <stdint.h>

/** The numbers that the session asks for, which are the ones that the rules know.
 *  @param[in]  facility  HTTP_EVENTS or IIS_EVENTS  @param[out] count  how many; at most 64
 *  @return static, ascending  @thread any
 *  @source reference: manifests of Microsoft-Windows-HttpService,
 * Microsoft-Windows-IIS-Configuration
 */
const uint16_t *berth_hint_event_ids(enum berth_hint_facility facility, size_t *count);

/** Gives what an ETW event is about.
 *  @param[in] facility  HTTP_EVENTS or IIS_EVENTS, whose provider it comes from
 *  @return a sum of BERTH_HINT_BIT(); 0: nothing  @thread any */
unsigned berth_hint_of_event(enum berth_hint_facility facility, uint16_t id);

/** What is kept of an event of WMI; UTF-8, empty where it has no such thing. */
struct berth_wmi_event {
    char class_name[64];   /* "__InstanceModificationEvent", "Win32_ProcessStopTrace" */
    char target_class[64]; /* of the instance that it is about: "Win32_Service", "Site" */
    char target_name[256]; /* and its name */
};

/** Gives what an event of WMI is about.  @return a sum of BERTH_HINT_BIT(); 0: nothing  @thread any
 */
unsigned berth_hint_of_wmi(const struct berth_wmi_event *event);

/** Gives the names of the services that count, for a query.
 *  @return one more name with each index from 0; NULL: there are no more  @thread any */
const char *berth_hint_service(size_t index);

#endif
