/* SPDX-License-Identifier: MIT */
#include "watchers/windows/etw_event.h"

#include <string.h>

static const struct {
    const char *name;
    struct berth_etw_guid guid;
} providers[BERTH_ETW_PROVIDER_COUNT] = {
    [BERTH_ETW_LOSS] =
        {"RT_LostEvent",
         {0x6A399AE0, 0x4BC6, 0x4DE9, {0x87, 0x0B, 0x36, 0x57, 0xF8, 0x94, 0x7E, 0x7E}}},
    [BERTH_ETW_TCPIP] =
        {"Microsoft-Windows-TCPIP",
         {0x2F07E2EE, 0x15DB, 0x40F1, {0x90, 0xEF, 0x9D, 0x7B, 0xA2, 0x82, 0x18, 0x8A}}},
    [BERTH_ETW_HTTP_SERVICE] =
        {"Microsoft-Windows-HttpService",
         {0xDD5EF90A, 0x6398, 0x47A4, {0xAD, 0x34, 0x4D, 0xCE, 0xCD, 0xEF, 0x79, 0x5F}}},
    [BERTH_ETW_IIS_CONFIGURATION] =
        {"Microsoft-Windows-IIS-Configuration",
         {0xDC0B8E51, 0x4863, 0x407A, {0xBC, 0x3C, 0x1B, 0x47, 0x9B, 0x29, 0x78, 0xAC}}},
};

const struct berth_etw_guid *berth_etw_provider_guid(enum berth_etw_provider provider)
{
    return &providers[provider].guid;
}

const char *berth_etw_provider_name(enum berth_etw_provider provider)
{
    return providers[provider].name;
}

static int is_same(const struct berth_etw_guid *left, const struct berth_etw_guid *right)
{
    return left->a == right->a && left->b == right->b && left->c == right->c &&
           memcmp(left->d, right->d, sizeof left->d) == 0;
}

enum berth_etw_provider berth_etw_provider_of(const struct berth_etw_guid *guid)
{
    unsigned provider = 0;

    while (provider < BERTH_ETW_PROVIDER_COUNT && !is_same(&providers[provider].guid, guid)) {
        provider++;
    }
    return (enum berth_etw_provider)provider;
}
