/* SPDX-License-Identifier: MIT */
/* The rules of conflicts: which claims on one port cannot work together.
 *
 * Pure: one port's claims and some facts in, conflicts out. docs/conflicts.md has the rules as
 * tables, row by row as they are tested. What comes out depends on the set of claims only, not on
 * their order, and takes O(n log n) of them: a conflict is told between a claim and the *first* one
 * that it cannot work with, not between each and each, so that n claims make O(n) conflicts. */
#ifndef BERTH_ALLOCATOR_CONFLICT_RULES_H
#define BERTH_ALLOCATOR_CONFLICT_RULES_H

#include "base/error.h"
#include "claim.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum berth_conflict_kind {
    BERTH_CONFLICT_DUPLICATE_BINDING, /* two bindings of the same protocol, address, host name */
    BERTH_CONFLICT_SCHEME_MIX,        /* http and https on one address */
    BERTH_CONFLICT_BINDING_TAKEN,     /* a site's port is listened on by another than its server */
    BERTH_CONFLICT_LEASE_TAKEN,       /* a leased port is used by another than the lease's holder */
    BERTH_CONFLICT_BINDING_EXCLUDED,  /* a site's port lies in an excluded range of Windows */
    BERTH_CONFLICT_RESERVED_USED,     /* a port reserved in Berth's configuration is used */
    BERTH_CONFLICT_LISTENER_OVERLAP,  /* two processes listen on overlapping addresses */
    BERTH_CONFLICT_KIND_COUNT
};

enum berth_conflict_severity {
    BERTH_CONFLICT_ERROR,  /* something does not work, or will not when it starts by itself */
    BERTH_CONFLICT_WARNING /* it works for now, or nothing starts that would not */
};

/** Names, as the protocol writes them: "duplicate_binding" …; "error", "warning".
 *  @return string constants  @thread any */
const char *berth_conflict_kind_name(enum berth_conflict_kind kind);
const char *berth_conflict_severity_name(enum berth_conflict_severity severity);

/** What a conflict is about: one that comes up again, after a restart too, has the same id. Made
 *  of kind, port and what the participants are known by (docs/conflicts.md); 64 bits of a hash.
 *  A participant whose details change (a process of another pid, in most kinds) stays the same. */
typedef uint64_t berth_conflict_id;

/** Two claims that cannot work together, or one that cannot work. */
struct berth_conflict {
    berth_conflict_id id;
    enum berth_conflict_kind kind;
    enum berth_conflict_severity severity;
    uint16_t port;
    unsigned claim_count;                /* 1 or 2 */
    const struct berth_claim *claims[2]; /* of the input, valid as long as that; second: NULL where
                                            claim_count is 1 */
};

/** The lease that holds the port, while it is pending, active or lingering. */
struct berth_conflict_lease {
    const char *id;
    const char *holder;           /* "site:NAME" (any case), "process:IMAGE", "any"; NULL: an IIS
                                     binding. Another word: as NULL */
    enum berth_protocol protocol; /* what the lease was asked for; BERTH_PROTOCOL_NONE: not said */
};

/** What holds for all ports of the machine. */
struct berth_conflict_facts {
    bool http_sys; /* there is http.sys, and IIS serves the sites. false (Linux): the configuration
                      is another machine's, whoever listens on a site's port takes it */
    const struct berth_address *listen_list; /* http.sys's IP listen list */
    size_t listen_count;                     /* 0: http.sys listens on all addresses */
};

struct berth_conflict_input {
    uint16_t port;
    const struct berth_claim *const *claims; /* all of this port, any order, no NULL */
    size_t claim_count;                      /* up to BERTH_LEDGER_CLAIMS_MAX */
    const struct berth_conflict_facts *facts;
    const struct berth_conflict_lease *lease; /* NULL: none, or it has ended. Looked at where the
                                                 claims have one of kind LEASE */
    bool listened_lately; /* something listened here within the last 5 minutes: then a socket that
                             is connected or bound takes no lease */
};

/** Finds the conflicts of one port.
 *  Claims that linger take part in none, nor excuse any.
 *  @param[out] out    ordered by kind, then id; no two of the same id. Not changed on error
 *  @param[in]  room   elements of `out`; may be 0, `out` NULL then
 *  @param[out] count  how many there are: where that is more than `room`, the first `room` were
 *                     written and a second call with more room gives all. At most
 *                     4 × claim_count. Not changed on error
 *  @return BERTH_OK; BERTH_NO_MEMORY
 *  @thread any  @blocks no (about 5 ms for 10,000 bindings) */
enum berth_code berth_conflicts_find(const struct berth_conflict_input *in,
                                     struct berth_conflict *out, size_t room, size_t *count,
                                     struct berth_error *err);

/** Orders conflicts as berth_conflicts_find() does; 0: the same conflict, perhaps changed. */
int berth_conflict_compare(const struct berth_conflict *a, const struct berth_conflict *b);

#endif
