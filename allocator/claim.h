/* SPDX-License-Identifier: MIT */
/* A claim: one reason why a port is not free. */
#ifndef BERTH_ALLOCATOR_CLAIM_H
#define BERTH_ALLOCATOR_CLAIM_H

#include "address.h"

#include <stdint.h>

/** Who says so. The order is that in which a port's state is named (docs/protocol.md, `who`). */
enum berth_source {
    BERTH_SOURCE_LEASE,
    BERTH_SOURCE_IIS,
    BERTH_SOURCE_TCP,
    BERTH_SOURCE_HTTPSYS,
    BERTH_SOURCE_EXCLUDED,
    BERTH_SOURCE_RESERVED,
    BERTH_SOURCE_COUNT
};

/** What kind of reason it is. Each kind belongs to one source. */
enum berth_claim_kind {
    BERTH_CLAIM_LEASE,       /* lease: promised to a key */
    BERTH_CLAIM_COOLING,     /* lease: just given back, open to its own key only */
    BERTH_CLAIM_BINDING,     /* iis: a site's binding */
    BERTH_CLAIM_FTP_DATA,    /* iis: the FTP data-channel range */
    BERTH_CLAIM_LISTENER,    /* tcp: a listening socket */
    BERTH_CLAIM_BOUND,       /* tcp: bound, not listening */
    BERTH_CLAIM_CONNECTION,  /* tcp: local port of connections, accepted or outgoing */
    BERTH_CLAIM_TIME_WAIT,   /* tcp: local port of connections in TIME_WAIT */
    BERTH_CLAIM_URL,         /* httpsys: a URL reservation or SSL binding */
    BERTH_CLAIM_EXCLUSION,   /* excluded: an excluded port range of Windows */
    BERTH_CLAIM_RESERVATION, /* reserved: Berth's own configuration */
    BERTH_CLAIM_KIND_COUNT
};

enum berth_protocol {
    BERTH_PROTOCOL_NONE,
    BERTH_PROTOCOL_TCP,
    BERTH_PROTOCOL_HTTP,
    BERTH_PROTOCOL_HTTPS,
    BERTH_PROTOCOL_FTP,
    BERTH_PROTOCOL_NET_TCP,
    BERTH_PROTOCOL_OTHER, /* a protocol that Berth does not know, with a port all the same */
    BERTH_PROTOCOL_COUNT
};

enum berth_claim_flag {
    BERTH_CLAIM_STOPPED = 1 << 0, /* the site does not start by itself (serverAutoStart=false) */
    BERTH_CLAIM_LINGERING =
        1 << 1, /* vanished from its source, kept for a while; set by the ledger */
    BERTH_CLAIM_V6_ONLY = 1 << 2, /* an IPv6 socket that takes no IPv4 (IPV6_V6ONLY) */
    BERTH_CLAIM_SNI = 1 << 3      /* an https binding with SNI (sslFlags bit 0) */
};

#define BERTH_ID_NONE UINT32_MAX

/** A claim. As input its strings belong to the caller and are copied; in the ledger they belong to
 *  the ledger. What makes two claims of a feed "the same claim": port, kind, protocol, address,
 *  host, holder, process_id and user_id; the rest may change without the claim being another. */
struct berth_claim {
    uint16_t port;
    uint8_t kind;     /* enum berth_claim_kind */
    uint8_t protocol; /* enum berth_protocol */
    uint8_t flags;    /* enum berth_claim_flag */
    uint8_t feed;     /* which feed of the ledger; set by the ledger */
    struct berth_address address;
    uint32_t count;      /* how many sockets or identical bindings stand behind it; at least 1 */
    uint32_t process_id; /* BERTH_ID_NONE: not known or none */
    uint32_t user_id;    /* a uid; BERTH_ID_NONE: not known or none */
    uint64_t until_ms;   /* lingering, cooling: when it ends, on the ledger's clock; else 0 */
    const char *holder;  /* site name, process image, lease key, reason; NULL: not known */
    const char *host;    /* host name of a binding; NULL: none */
    const char *detail;  /* the binding as it is written, or the like; for people; NULL: none */
};

/** Gives a claim with nothing known but port and kind (family ALL, count 1).  @thread any */
struct berth_claim berth_claim_make(uint16_t port, enum berth_claim_kind kind);

/** Orders claims by what makes them the same claim, port first; 0: the same. Strings are compared
 *  by bytes, NULL before any.  @thread any */
int berth_claim_compare(const struct berth_claim *a, const struct berth_claim *b);

/** Sorts claims by berth_claim_compare() and makes one of those that are the same: their counts add
 *  up, and of their flags those stay that all have (one socket that takes IPv4 too is enough for
 * that).
 *  @return how many there are now, from `claims[0]` on  @thread any */
size_t berth_claims_merge(struct berth_claim *claims, size_t count);

/** Tells whether what may change in a claim (flags, count, until_ms, detail) is equal in both. */
bool berth_claim_same_content(const struct berth_claim *a, const struct berth_claim *b);

/** Gives the source that a kind of claim belongs to.  @thread any */
enum berth_source berth_claim_source(enum berth_claim_kind kind);

/** Names, as the protocol writes them: "iis", "listener", "https" …  @return string constants */
const char *berth_source_name(enum berth_source source);
const char *berth_claim_kind_name(enum berth_claim_kind kind);
const char *berth_protocol_name(enum berth_protocol protocol);

/** Finds a protocol by name, any case.  @return BERTH_PROTOCOL_COUNT: no such name  @thread any */
enum berth_protocol berth_protocol_find(const char *name);

#endif
