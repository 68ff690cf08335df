/* SPDX-License-Identifier: MIT */
#include "hint_rules.h"

#include "base/compiler.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#define IIS BERTH_HINT_BIT(BERTH_SOURCE_IIS)
#define TCP BERTH_HINT_BIT(BERTH_SOURCE_TCP)
#define HTTP BERTH_HINT_BIT(BERTH_SOURCE_HTTPSYS)
#define EXCLUDED BERTH_HINT_BIT(BERTH_SOURCE_EXCLUDED)

/* http.sys listens on the port of a registered URL, and excludes it from binds of others. */
#define URL (HTTP | TCP | EXCLUDED)

struct event_rule {
    uint16_t id;
    unsigned sources;
};

/* Ascending. The numbers from 112 on are those of builds from 22621 on. */
static const struct event_rule http_rules[] = {
    {18, HTTP},  /* a URL was reserved */
    {31, URL},   /* a URL was registered */
    {32, URL},   /* and taken away */
    {33, URL},   /* all of a group were */
    {112, HTTP}, /* as 18 */
    {113, URL},  /* as 31 */
    {114, URL},  /* as 32 */
    {115, URL},  /* as 33 */
};

static const struct event_rule iis_rules[] = {
    {29, IIS}, /* a setting was changed */
    {50, IIS}, /* changes were committed */
    {55, IIS}, /* a commit has ended */
};

static const uint16_t http_ids[] = {18, 31, 32, 33, 112, 113, 114, 115};
static const uint16_t iis_ids[] = {29, 50, 55};

/* What hangs on a service's coming and going. */
static const struct {
    const char *name;
    unsigned sources;
} services[] = {
    {"W3SVC", IIS | HTTP | TCP},      /* web sites; may just have been installed */
    {"WAS", HTTP | TCP},              /* and their processes */
    {"WMSVC", HTTP | TCP},            /* IIS's remote management: port 8172 */
    {"HTTP", HTTP | TCP | EXCLUDED},  /* http.sys itself */
    {"WinRM", HTTP | TCP | EXCLUDED}, /* registers URLs of its own: 5985, 47001 */
    {"FTPSVC", TCP},                  /* FTP sites have sockets of their own */
    {"NetTcpPortSharing", TCP},       /* so do bindings of net.tcp, by one process */
    {"iphlpsvc", TCP | EXCLUDED},     /* port proxies */
    {"winnat", TCP | EXCLUDED},       /* networks of containers reserve blocks of ports */
    {"hns", TCP | EXCLUDED},
    {"vmms", EXCLUDED}, /* Hyper-V */
};

static const struct event_rule *rules_of(enum berth_hint_facility facility, size_t *count)
{
    switch (facility) {
    case BERTH_HINT_HTTP_EVENTS:
        *count = BERTH_COUNT(http_rules);
        return http_rules;
    case BERTH_HINT_IIS_EVENTS:
        *count = BERTH_COUNT(iis_rules);
        return iis_rules;
    default:
        *count = 0;
        return NULL;
    }
}

const uint16_t *berth_hint_event_ids(enum berth_hint_facility facility, size_t *count)
{
    switch (facility) {
    case BERTH_HINT_HTTP_EVENTS:
        *count = BERTH_COUNT(http_ids);
        return http_ids;
    case BERTH_HINT_IIS_EVENTS:
        *count = BERTH_COUNT(iis_ids);
        return iis_ids;
    default:
        *count = 0;
        return NULL;
    }
}

unsigned berth_hint_of_event(enum berth_hint_facility facility, uint16_t id)
{
    size_t count;
    const struct event_rule *rules = rules_of(facility, &count);

    for (size_t i = 0; i < count; i++) {
        if (rules[i].id == id) {
            return rules[i].sources;
        }
    }
    return 0;
}

/* Names of WMI and of services are compared without regard to case, and are ASCII where they match.
 */
static bool same_name(const char *left, const char *right)
{
    while (*left != '\0' && tolower((unsigned char)*left) == tolower((unsigned char)*right)) {
        left++;
        right++;
    }
    return *left == *right;
}

static unsigned of_service(const char *name)
{
    for (size_t i = 0; i < BERTH_COUNT(services); i++) {
        if (same_name(services[i].name, name)) {
            return services[i].sources;
        }
    }
    return 0;
}

unsigned berth_hint_of_wmi(const struct berth_wmi_event *event)
{
    if (same_name(event->class_name, "Win32_ProcessStopTrace")) {
        return TCP;
    }
    if (same_name(event->target_class, "Win32_Service")) {
        return of_service(event->target_name);
    }
    return same_name(event->target_class, "Site") ? IIS | HTTP | TCP : 0;
}

const char *berth_hint_service(size_t index)
{
    return index < BERTH_COUNT(services) ? services[index].name : NULL;
}
