/* SPDX-License-Identifier: MIT */
/* The questions of wmi_events.h to the real WMI, by COM. */
#ifndef BERTH_WATCHERS_WINDOWS_WMI_CALLS_H
#define BERTH_WATCHERS_WINDOWS_WMI_CALLS_H

#include "wmi_events.h"

/** Of WMI on this machine. COM's security is set for the whole process the first time; where
 *  something else has set it before, that stays. */
extern const struct berth_wmi_calls berth_wmi_calls;

#endif
