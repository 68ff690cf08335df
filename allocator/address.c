/* SPDX-License-Identifier: MIT */
#include "address.h"

#include "base/units.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

int berth_address_compare(const struct berth_address *a, const struct berth_address *b)
{
    if (a->family != b->family) {
        return a->family < b->family ? -1 : 1;
    }
    int bytes = memcmp(a->bytes, b->bytes, sizeof a->bytes);
    if (bytes != 0) {
        return bytes;
    }
    return a->scope < b->scope ? -1 : a->scope > b->scope;
}

bool berth_address_is_wildcard(const struct berth_address *address)
{
    static const uint8_t zero[16];

    return address->family == BERTH_FAMILY_ALL || memcmp(address->bytes, zero, sizeof zero) == 0;
}

/* Reads one number of 0 to 255 without leading zeros; moves *at behind it. */
static bool take_octet(uint8_t *out, const char **at)
{
    const char *start = *at;
    unsigned number = 0;

    while (**at >= '0' && **at <= '9' && *at - start < 3) {
        number = number * 10 + (unsigned)(**at - '0');
        (*at)++;
    }
    if (*at == start || number > 255 || (*start == '0' && *at - start > 1)) {
        return false;
    }
    *out = (uint8_t)number;
    return true;
}

static bool parse_ipv4_bytes(uint8_t bytes[4], const char *text)
{
    for (int i = 0; i < 4; i++) {
        if (i > 0 && *text++ != '.') {
            return false;
        }
        if (!take_octet(&bytes[i], &text)) {
            return false;
        }
    }
    return *text == '\0';
}

bool berth_address_parse_ipv4(struct berth_address *out, const char *text)
{
    struct berth_address parsed = {.family = BERTH_FAMILY_IPV4};

    if (!parse_ipv4_bytes(parsed.bytes, text)) {
        return false;
    }
    *out = parsed;
    return true;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9') {
        return c - '0';
    }
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* Reads one group of 1 to 4 hexadecimal digits; moves *at behind it. */
static bool take_group(uint16_t *out, const char **at)
{
    unsigned number = 0;
    int digits = 0;

    while (digits < 4 && hex_value(**at) >= 0) {
        number = number * 16 + (unsigned)hex_value(**at);
        (*at)++;
        digits++;
    }
    *out = (uint16_t)number;
    return digits > 0;
}

/* What an IPv6 address is being put together from. */
struct ipv6_parts {
    uint8_t bytes[16];
    int filled; /* bytes so far */
    int gap;    /* where "::" stood, in bytes; -1: not yet */
};

/* Moves what came after "::" to the end; false: the parts are no whole address. */
static bool close_gap(struct ipv6_parts *parts)
{
    if (parts->gap < 0) {
        return parts->filled == 16;
    }
    if (parts->filled > 14) {
        return false;
    }
    int tail = parts->filled - parts->gap;
    memmove(parts->bytes + 16 - tail, parts->bytes + parts->gap, (size_t)tail);
    memset(parts->bytes + parts->gap, 0, (size_t)(16 - parts->filled));
    return true;
}

static bool add_group(struct ipv6_parts *parts, uint16_t group)
{
    if (parts->filled > 14) {
        return false;
    }
    parts->bytes[parts->filled++] = (uint8_t)(group >> 8);
    parts->bytes[parts->filled++] = (uint8_t)group;
    return true;
}

/* Takes the "::" or ":" between groups. */
static bool take_separator(struct ipv6_parts *parts, const char **at)
{
    if ((*at)[0] == ':' && (*at)[1] == ':') {
        if (parts->gap >= 0) {
            return false;
        }
        parts->gap = parts->filled;
        *at += 2;
        return true;
    }
    if (parts->filled == 0 || **at != ':' || (*at)[1] == '\0') {
        return parts->filled == 0 && **at != ':';
    }
    (*at)++;
    return true;
}

static bool parse_ipv6_bytes(struct ipv6_parts *parts, const char *text)
{
    while (*text != '\0') {
        uint16_t group;
        if (!take_separator(parts, &text)) {
            return false;
        }
        if (*text == '\0') {
            break;
        }
        if (parts->filled <= 12 && parse_ipv4_bytes(parts->bytes + parts->filled, text)) {
            parts->filled += 4;
            break;
        }
        if (!take_group(&group, &text) || !add_group(parts, group)) {
            return false;
        }
    }
    return close_gap(parts);
}

bool berth_address_parse_ipv6(struct berth_address *out, const char *text)
{
    struct ipv6_parts parts = {.gap = -1};
    struct berth_address parsed = {.family = BERTH_FAMILY_IPV6};
    char without_zone[BERTH_ADDRESS_TEXT_MAX];
    const char *zone = strchr(text, '%');
    size_t length = zone != NULL ? (size_t)(zone - text) : strlen(text);
    uint64_t scope = 0;

    if (length >= sizeof without_zone || (zone != NULL && zone[1] == '\0')) {
        return false;
    }
    memcpy(without_zone, text, length);
    without_zone[length] = '\0';
    if (!parse_ipv6_bytes(&parts, without_zone)) {
        return false;
    }
    if (zone != NULL && berth_parse_number(&scope, zone + 1, 0, UINT32_MAX)) {
        parsed.scope = (uint32_t)scope;
    }
    memcpy(parsed.bytes, parts.bytes, sizeof parsed.bytes);
    *out = parsed;
    return true;
}

/* Finds the longest run of at least two zero groups, the first of equal ones (RFC 5952, 4.2). */
static void longest_zero_run(const uint16_t groups[8], int *start, int *length)
{
    *start = -1;
    *length = 1;
    for (int i = 0; i < 8; i++) {
        int end = i;
        while (end < 8 && groups[end] == 0) {
            end++;
        }
        if (end - i > *length) {
            *start = i;
            *length = end - i;
        }
        i = end > i ? end : i;
    }
}

/* An IPv4-mapped address shows the IPv4 address (RFC 5952, section 5). */
static bool is_ipv4_mapped(const struct berth_address *address)
{
    static const uint8_t prefix[12] = {[10] = 0xFF, [11] = 0xFF};

    return memcmp(address->bytes, prefix, sizeof prefix) == 0;
}

static void format_ipv6(char *out, size_t size, const struct berth_address *address)
{
    uint16_t groups[8];
    char text[48] = "";
    size_t used = 0;
    int zero_start;
    int zero_length;

    for (size_t i = 0; i < 8; i++) {
        groups[i] = (uint16_t)(address->bytes[2 * i] << 8 | address->bytes[2 * i + 1]);
    }
    if (is_ipv4_mapped(address)) {
        const uint8_t *b = address->bytes + 12;
        (void)snprintf(out, size, "[::ffff:%u.%u.%u.%u]", (unsigned)b[0], (unsigned)b[1],
                       (unsigned)b[2], (unsigned)b[3]);
        return;
    }
    longest_zero_run(groups, &zero_start, &zero_length);
    for (int i = 0; i < 8; i++) {
        bool gap = i == zero_start;
        const char *colon = i > 0 && i != zero_start + zero_length ? ":" : "";
        if (gap) {
            used += (size_t)snprintf(text + used, sizeof text - used, "::");
            i += zero_length - 1;
        } else {
            used += (size_t)snprintf(text + used, sizeof text - used, "%s%x",
                                     zero_start >= 0 && i == zero_start + zero_length ? "" : colon,
                                     (unsigned)groups[i]);
        }
    }
    if (address->scope != 0) {
        (void)snprintf(out, size, "[%s%%%" PRIu32 "]", text, address->scope);
    } else {
        (void)snprintf(out, size, "[%s]", text);
    }
}

char *berth_address_format(char *out, size_t size, const struct berth_address *address)
{
    const uint8_t *b = address->bytes;

    if (address->family == BERTH_FAMILY_IPV6) {
        format_ipv6(out, size, address);
    } else if (address->family == BERTH_FAMILY_IPV4) {
        (void)snprintf(out, size, "%u.%u.%u.%u", (unsigned)b[0], (unsigned)b[1], (unsigned)b[2],
                       (unsigned)b[3]);
    } else {
        (void)snprintf(out, size, "*");
    }
    return out;
}
