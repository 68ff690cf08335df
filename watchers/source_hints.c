/* SPDX-License-Identifier: MIT */
#include "source_hints.h"

static const struct {
    const char *name;
    enum berth_hint_groups group;
} facilities[BERTH_HINT_FACILITY_COUNT] = {
    [BERTH_HINT_HTTP_EVENTS] = {"http.sys events", BERTH_HINTS_ETW},
    [BERTH_HINT_IIS_EVENTS] = {"IIS configuration events", BERTH_HINTS_ETW},
    [BERTH_HINT_WMI_SERVICES] = {"WMI services", BERTH_HINTS_WMI},
    [BERTH_HINT_WMI_PROCESSES] = {"WMI process ends", BERTH_HINTS_WMI},
    [BERTH_HINT_WMI_SITES] = {"WMI IIS sites", BERTH_HINTS_WMI},
};

const char *berth_hint_facility_name(enum berth_hint_facility facility)
{
    return facilities[facility].name;
}

enum berth_hint_groups berth_hint_facility_group(enum berth_hint_facility facility)
{
    return facilities[facility].group;
}
