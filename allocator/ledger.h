/* SPDX-License-Identifier: MIT */
/* The ledger: all claims, by port and by feed. Complete snapshots come in, ordered changes go out.
 *
 * A feed is one stream of snapshots (one applicationHost.config, the listeners of the TCP table,
 * the leases …). A snapshot replaces what its feed claimed before; the ledger works out what
 * changed and tells its observer. A claim that a lingering feed no longer shows stays, marked
 * LINGERING, for a while; that time runs only while the feed is ready, as only then "not shown"
 * means "not there".
 *
 * Pure: no I/O, no clock; `now_ms` is monotonic and passed in. One thread at a time; nothing
 * blocks. Memory is proportional to the claims (and 4 KiB a feed). */
#ifndef BERTH_ALLOCATOR_LEDGER_H
#define BERTH_ALLOCATOR_LEDGER_H

#include "base/error.h"
#include "claim.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BERTH_LEDGER_FEEDS_MAX 64
#define BERTH_LEDGER_CLAIMS_MAX 1000000 /* in a snapshot; a larger one is refused */
#define BERTH_NEVER UINT64_MAX          /* a deadline that does not come */

enum berth_change_type {
    BERTH_CHANGE_APPEARED, /* a claim that was not there */
    BERTH_CHANGE_CHANGED,  /* the same claim with other content; also one that lingered and is back
                            */
    BERTH_CHANGE_LINGERS,  /* its source shows it no longer; it stays for a while */
    BERTH_CHANGE_VANISHED  /* it is gone */
};

/** One change. The ledger holds the state after the change already; the claims' strings are valid
 *  during the call only. */
struct berth_change {
    enum berth_change_type type;
    const struct berth_claim *before; /* NULL for APPEARED */
    const struct berth_claim *after;  /* NULL for VANISHED */
};

/** Is told each change, ports ascending within a snapshot. It may read the ledger, not write it. */
struct berth_ledger_observer {
    void (*changed)(void *ctx, const struct berth_change *change);
    void *ctx;
};

struct berth_feed_options {
    enum berth_source source;
    const char *name;   /* for people; copied */
    uint64_t linger_ms; /* how long a vanished claim stays; 0: not at all */
};

struct berth_ledger;

/** Makes an empty ledger.
 *  @param[in] observer  copied; `changed` may be NULL
 *  @param[in] seed      random, against chosen hash collisions
 *  @return BERTH_OK; BERTH_NO_MEMORY: *out is unchanged */
enum berth_code berth_ledger_create(struct berth_ledger **out,
                                    const struct berth_ledger_observer *observer, uint64_t seed,
                                    struct berth_error *err);

/** Gives all memory back. NULL is accepted. No change is told. */
void berth_ledger_destroy(struct berth_ledger *ledger);

/** Adds a feed, not ready, without claims.
 *  @param[out] out  its number, below BERTH_LEDGER_FEEDS_MAX
 *  @return BERTH_OK; BERTH_LIMIT_REACHED: too many feeds; BERTH_NO_MEMORY; nothing changed then */
enum berth_code berth_ledger_add_feed(struct berth_ledger *ledger,
                                      const struct berth_feed_options *options, unsigned *out,
                                      struct berth_error *err);

/** Takes a feed away with all its claims, each told as VANISHED. Its number may be used again. */
void berth_ledger_remove_feed(struct berth_ledger *ledger, unsigned number);

/** Gives a feed's source, and its name (valid as long as the feed). */
enum berth_source berth_ledger_feed_source(const struct berth_ledger *ledger, unsigned feed);
const char *berth_ledger_feed_name(const struct berth_ledger *ledger, unsigned feed);

/** Gives how many claims a feed has, lingering ones included. */
size_t berth_ledger_feed_count(const struct berth_ledger *ledger, unsigned feed);

/** Says whether the feed delivers now: its lingering claims' time runs only while it does. */
void berth_ledger_set_ready(struct berth_ledger *ledger, unsigned number, bool ready,
                            uint64_t now_ms);

/** Gives how long a lingering claim of the feed still stays; 0: it ends at once. */
uint64_t berth_ledger_lingers_for_ms(const struct berth_ledger *ledger,
                                     const struct berth_claim *claim, uint64_t now_ms);

/** Sets how long claims that vanish from now on linger. */
void berth_ledger_set_linger(struct berth_ledger *ledger, unsigned feed, uint64_t linger_ms);

/** Replaces all that a feed claims by `claims` and tells the changes.
 *  @param[in] claims  `count` of them in any order; equal ones (berth_claim_compare) become one
 * with their counts added; port 0 is refused; copied
 *  @return BERTH_OK; BERTH_INVALID_PARAMS (port 0), BERTH_TOO_LARGE (BERTH_LEDGER_CLAIMS_MAX),
 *          BERTH_NO_MEMORY: the ledger is as it was and nothing is told */
enum berth_code berth_ledger_apply(struct berth_ledger *ledger, unsigned feed,
                                   const struct berth_claim *claims, size_t count, uint64_t now_ms,
                                   struct berth_error *err);

/** Adds one claim to a feed, or gives the same claim other content; tells the change if any.
 *  @param[in] claim  its port is not 0; copied
 *  @return BERTH_OK; BERTH_NO_MEMORY: the ledger is as it was */
enum berth_code berth_ledger_put(struct berth_ledger *ledger, unsigned number,
                                 const struct berth_claim *claim, struct berth_error *err);

/** Takes one claim out of a feed, without lingering, and tells it.
 *  @return false: there is no such claim */
bool berth_ledger_take(struct berth_ledger *ledger, unsigned number,
                       const struct berth_claim *claim);

/** Ends what lingered long enough.
 *  @return when to call again on the same clock, or BERTH_NEVER */
uint64_t berth_ledger_expire(struct berth_ledger *ledger, uint64_t now_ms);

/** Walks over the claims of one port: by source, then by feed, then in their order.
 *  Valid until the ledger changes. */
struct berth_claims_at {
    const struct berth_ledger *ledger;
    uint16_t port;
    uint8_t position; /* in the ledger's order of feeds */
    uint32_t next;    /* index within the feed's shelf; UINT32_MAX: to be looked up */
};

/** Starts a walk over the claims of `port`. */
struct berth_claims_at berth_ledger_at(const struct berth_ledger *ledger, uint16_t port);

/** Gives the next claim; NULL: no more. */
const struct berth_claim *berth_claims_next(struct berth_claims_at *walk);

/** Skips to the next feed's claims and gives the first of them; NULL: no more. What decides on a
 *  port's state needs only each feed's first claim, however many there are. */
const struct berth_claim *berth_claims_next_feed(struct berth_claims_at *walk);

/** How far a walk over one feed's claims is. All zero: at its start. */
struct berth_claims_of {
    uint32_t shelf;
    uint32_t next;
};

/** Gives the next claim of a feed that there is, by port; NULL: no more. Where the feed changes
 * between two calls, some may be passed over or come twice. */
const struct berth_claim *berth_claims_of_next(const struct berth_ledger *ledger, unsigned feed,
                                               struct berth_claims_of *walk);

#endif
