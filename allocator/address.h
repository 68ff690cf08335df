/* SPDX-License-Identifier: MIT */
/* IP addresses as claims carry them. */
#ifndef BERTH_ALLOCATOR_ADDRESS_H
#define BERTH_ALLOCATOR_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum berth_family {
    BERTH_FAMILY_ALL = 0, /* every address of both families ("*" of an IIS binding) */
    BERTH_FAMILY_IPV4 = 4,
    BERTH_FAMILY_IPV6 = 6
};

/** An address: `bytes` in network order, IPv4 in the first four, unused ones zero. All zero: the
 *  family's wildcard (0.0.0.0 or ::). `scope` is the zone index of a link-local IPv6 address. */
struct berth_address {
    uint8_t family; /* enum berth_family */
    uint8_t bytes[16];
    uint32_t scope;
};

/** Room for any address in text form, brackets, zone and NUL included. */
#define BERTH_ADDRESS_TEXT_MAX 64

/** Orders addresses: by family, then bytes, then scope.
 *  @return < 0, 0, > 0 as strcmp does  @thread any */
int berth_address_compare(const struct berth_address *a, const struct berth_address *b);

/** Tells whether the address stands for all of its family, or of both.  @thread any */
bool berth_address_is_wildcard(const struct berth_address *address);

/** Reads an IPv4 address in dotted decimal: four numbers of 0 to 255 without leading zeros.
 *  @return false: none, `out` unchanged  @thread any  @source RFC 3986 section 3.2.2, IPv4address
 */
bool berth_address_parse_ipv4(struct berth_address *out, const char *text);

/** Reads an IPv6 address without brackets, with or without "%zone". A zone of digits becomes
 *  `scope`; one that is a name is accepted and gives scope 0.
 *  @return false: none, `out` unchanged  @thread any  @source RFC 4291 section 2.2, RFC 4007 */
bool berth_address_parse_ipv6(struct berth_address *out, const char *text);

/** Writes "*", "10.0.0.1" or "[fe80::1%4]" (the form of RFC 5952, in brackets).
 *  @param[out] out  at least BERTH_ADDRESS_TEXT_MAX bytes  @return `out`  @thread any */
char *berth_address_format(char *out, size_t size, const struct berth_address *address);

#endif
