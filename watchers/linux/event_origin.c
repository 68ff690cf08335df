/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "event_origin.h"

#include <ifaddrs.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>

static bool find_namespace(const char *proc, const char *process, struct stat *out)
{
    char path[512];
    int length = snprintf(path, sizeof path, "%s/%s/ns/net", proc, process);

    return length > 0 && (size_t)length < sizeof path && stat(path, out) == 0;
}

void berth_event_origin_init(struct berth_event_origin *origin, const char *proc)
{
    struct stat own;

    memset(origin, 0, sizeof *origin);
    origin->proc = proc != NULL ? proc : "/proc";
    if (find_namespace(origin->proc, "self", &own)) {
        origin->has_own = true;
        origin->device = own.st_dev;
        origin->inode = own.st_ino;
    }
}

bool berth_event_origin_is_foreign_process(struct berth_event_origin *origin, uint32_t process_id,
                                           uint64_t now_ns)
{
    size_t place = process_id & (BERTH_ORIGIN_PROCESSES - 1);
    struct stat its;
    char name[16];

    if (!origin->has_own || process_id == 0) {
        return false;
    }
    if (origin->processes[place].process_id != process_id ||
        now_ns >= origin->processes[place].until_ns) {
        (void)snprintf(name, sizeof name, "%" PRIu32, process_id);
        bool foreign = find_namespace(origin->proc, name, &its) &&
                       (its.st_ino != origin->inode || its.st_dev != origin->device);
        origin->processes[place].process_id = process_id;
        origin->processes[place].foreign = foreign;
        origin->processes[place].until_ns = now_ns + BERTH_ORIGIN_PROCESS_NS;
    }
    return origin->processes[place].foreign;
}

static bool read_address(const struct sockaddr *from, struct berth_address *out)
{
    memset(out, 0, sizeof *out);
    if (from != NULL && from->sa_family == AF_INET) {
        const struct sockaddr_in *four = (const struct sockaddr_in *)(const void *)from;
        out->family = BERTH_FAMILY_IPV4;
        memcpy(out->bytes, &four->sin_addr, 4);
        return true;
    }
    if (from != NULL && from->sa_family == AF_INET6) {
        const struct sockaddr_in6 *six = (const struct sockaddr_in6 *)(const void *)from;
        out->family = BERTH_FAMILY_IPV6;
        memcpy(out->bytes, &six->sin6_addr, 16);
        return true;
    }
    return false;
}

static void list_addresses(struct berth_event_origin *origin, uint64_t now_ns)
{
    struct ifaddrs *list = NULL;

    origin->address_count = 0;
    origin->addresses_ns = now_ns;
    origin->addresses_whole = getifaddrs(&list) == 0;
    for (struct ifaddrs *at = list; at != NULL; at = at->ifa_next) {
        struct berth_address address;
        if (!read_address(at->ifa_addr, &address)) {
            continue;
        }
        if (origin->address_count == BERTH_ORIGIN_ADDRESSES) {
            origin->addresses_whole = false;
            break;
        }
        origin->addresses[origin->address_count++] = address;
    }
    if (list != NULL) {
        freeifaddrs(list);
    }
}

static bool is_listed(const struct berth_event_origin *origin, const struct berth_address *address)
{
    for (size_t i = 0; i < origin->address_count; i++) {
        /* without the zone, which the tracepoint does not tell */
        if (origin->addresses[i].family == address->family &&
            memcmp(origin->addresses[i].bytes, address->bytes, sizeof address->bytes) == 0) {
            return true;
        }
    }
    return false;
}

bool berth_event_origin_is_foreign_address(struct berth_event_origin *origin,
                                           const struct berth_address *address, uint64_t now_ns)
{
    bool loopback = address->family == BERTH_FAMILY_IPV4 && address->bytes[0] == 127;

    if (loopback || berth_address_is_wildcard(address)) {
        return false;
    }
    if (!is_listed(origin, address) &&
        (origin->addresses_ns == 0 || now_ns - origin->addresses_ns >= BERTH_ORIGIN_ADDRESS_NS)) {
        list_addresses(origin, now_ns);
    }
    return origin->addresses_whole && !is_listed(origin, address);
}
