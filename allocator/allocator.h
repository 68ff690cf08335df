/* SPDX-License-Identifier: MIT */
/* The allocator: ledger, free set, policy and lease book as one thing that is asked for ports.
 *
 * Watchers' reports come in by source; requests are answered from memory. It has no clock and does
 * no I/O: what time it is, and randomness, are passed in. One thread at a time; nothing blocks. */
#ifndef BERTH_ALLOCATOR_ALLOCATOR_H
#define BERTH_ALLOCATOR_ALLOCATOR_H

#include "conflict_watch.h"
#include "free_set.h"
#include "lease_book.h"
#include "ledger.h"
#include "policy.h"
#include "probe_verdict.h"
#include "sources.h"

/** The present, by both clocks. */
struct berth_now {
    uint64_t ms;     /* monotonic, starts above 0 */
    int64_t unix_ms; /* since 1970, UTC */
};

/** What can be told of a lease. */
enum berth_lease_event {
    BERTH_LEASE_EVENT_GRANTED,
    BERTH_LEASE_EVENT_ADOPTED, /* granted on a port that its site had already */
    BERTH_LEASE_EVENT_RENEWED,
    BERTH_LEASE_EVENT_HANDED_OVER, /* its hold was ended */
    BERTH_LEASE_EVENT_ACTIVE,
    BERTH_LEASE_EVENT_LINGERING,
    BERTH_LEASE_EVENT_RELEASED,
    BERTH_LEASE_EVENT_EXPIRED,
    BERTH_LEASE_EVENT_COUNT
};

/** Gives "lease.granted" …  @return a string constant */
const char *berth_lease_event_name(enum berth_lease_event event);

/** A change of a lease that is about to be made. */
struct berth_lease_change {
    const struct berth_lease *lease; /* with the ttl that it will have */
    enum berth_lease_state state;    /* which it will have */
    enum berth_lease_event event;
    const struct berth_lease *replaced; /* the lease in whose place it comes, and which is no more
                                           then: of the same key, or an adopted one of the same
                                           site; NULL: none */
    const char *by; /* the name of who asks for it; NULL: it happens by itself */
    int64_t unix_ms;
};

/** A lease as it was kept, for an allocator that starts. Strings belong to the caller. */
struct berth_lease_kept {
    struct berth_lease_terms terms; /* ports ascending */
    const char *id;                 /* BERTH_LEASE_ID_LENGTH hexadecimal digits */
    enum berth_lease_state state;
    int64_t granted_unix_ms;
    int64_t ended_unix_ms; /* of an ended one */
};

struct berth_allocator_options {
    uint64_t ttl_ms;      /* a lease's, where the request names none */
    uint64_t linger_ms;   /* of vanished iis claims */
    uint64_t cooldown_ms; /* of released and expired ports; 0: none */
    size_t leases_per_user;
    /** Makes a change durable before it is acknowledged; NULL: leases live in memory.
     *  @return BERTH_OK; an error: the change is not made, unless it is one that nobody asked for
     */
    enum berth_code (*keep)(void *ctx, const struct berth_lease_change *change,
                            struct berth_error *err);
    /** Says that an ended lease is not remembered any longer. NULL is accepted. */
    void (*forget)(void *ctx, const struct berth_lease *lease);
    /** Is told what happened to a lease, once it is so. NULL is accepted. */
    void (*told)(void *ctx, const struct berth_lease *lease, enum berth_lease_event event);
    uint64_t started_ms;  /* when the allocator is made, on the monotonic clock */
    uint64_t debounce_ms; /* how long a conflict must last to be told */
    /** Is told when a conflict opens and when it ends. NULL is accepted. */
    void (*conflict)(void *ctx, const struct berth_conflict_entry *entry, bool opened);
    /** Is told that a port stopped being free, and the claim that came; or that it is free again
     *  (`claim` NULL). NULL is accepted. */
    void (*port)(void *ctx, uint16_t port, const struct berth_claim *claim);
    /** Tries whether a port can be bound, before it is given. NULL: none is tried. */
    enum berth_probe_answer (*probe)(void *ctx, uint16_t port, int *os_code);
    uint64_t revision;             /* to begin with */
    uint64_t seed;                 /* random, against chosen hash collisions */
    uint64_t (*random)(void *ctx); /* gives 64 random bits, for lease ids */
    void *ctx;
};

/** Who asks. Strings belong to the caller. */
struct berth_caller {
    struct berth_owner identity;
    bool administrator;
    /** Tells whether the caller is in a group, which is given as an owner's `group` is. NULL: in
     *  none. */
    bool (*in_group)(const void *ctx, const char *group);
    const void *ctx;
};

struct berth_allocate_request {
    struct berth_wish wish;
    const char *key;        /* NULL: the lease's id becomes its key */
    const char *generation; /* NULL: none */
    unsigned keep;          /* release the key's oldest generations beyond so many, as far as they
                               are the caller's; 0: all stay */
    const char *holder;     /* NULL: an IIS binding */
    const char *meta;       /* a JSON object; NULL: none */
    enum berth_protocol protocol;
    uint64_t ttl_ms; /* 0: the default */
    bool hold;       /* kept with the lease: its ports are to be shielded by a socket. Not with a
                        site as holder */
};

/** What an allocation gave. */
struct berth_grant {
    const struct berth_lease *lease; /* the allocator's; valid until the next change */
    bool reused;                     /* the key had it already */
    bool adopted;                    /* it is the port that the holder's site has already */
    uint16_t lost_port;              /* the key held this one, and somebody else uses it; 0: none */
    bool ephemeral;                  /* a port of it lies in the OS's ephemeral range */
};

/** What was asked for in vain, for an answer that says why. */
struct berth_refusal {
    struct berth_windows windows; /* POOL_EXHAUSTED: where was looked */
    uint16_t port;                /* PORT_IN_USE: which one */
    const char *limit;            /* LIMIT_REACHED: its name, and what it is set to */
    size_t limit_value;
    const char *owner;  /* DENIED: whose it is; the allocator's, until the next change */
    const char *source; /* NOT_READY: the name of a source that is waited for */
};

struct berth_allocator {
    struct berth_ledger *ledger;
    struct berth_free_set free_set;
    struct berth_policy policy;
    struct berth_lease_book book;
    struct berth_sources sources;
    struct berth_allocator_options options;
    struct berth_conflict_book conflicts;
    struct berth_conflict_watch *conflict_watch;
    uint64_t now_ms;      /* the latest moment that was passed in */
    const char *asked_by; /* who asks for what is being changed; NULL: it happens by itself */
    unsigned lease_feed;
    unsigned reserved_feed;
    unsigned probe_tcp_feed;       /* what tried ports were found to be, for a while */
    unsigned probe_excluded_feed;  /* likewise */
    struct berth_port_set changed; /* leased ports whose claims changed: to be looked at */
    uint64_t revision;             /* one more with each change of a claim or a lease */
    /* The leases' clock, which stands still while a source that could contradict is not current */
    uint64_t lease_clock_ms;
    uint64_t lease_clock_since_ms;
    bool lease_clock_runs;
    bool all_heard;               /* no source is waiting */
    uint64_t cooling_earliest_ms; /* no port's cool-down ends before, on the leases' clock */
};

/** Makes an allocator without pools and sources. About 500 KiB, of which only what is used is
 * touched.
 *  @return BERTH_OK; BERTH_NO_MEMORY: *out is unchanged */
enum berth_code berth_allocator_create(struct berth_allocator **out,
                                       const struct berth_allocator_options *options,
                                       struct berth_error *err);

/** Gives all memory back. NULL is accepted. */
void berth_allocator_destroy(struct berth_allocator *allocator);

/** Puts a lease into the book as it was kept, oldest grant first, before any source is added. Its
 *  times begin anew, as nobody was there to see them pass; the ports of one that ended less than a
 *  cool-down ago cool down. What it contradicts (its key's or its ports' older lease) is ended.
 *  @return BERTH_OK; BERTH_INVALID_PARAMS: such a lease cannot be; BERTH_LIMIT_REACHED,
 *          BERTH_NO_MEMORY: it is not in the book */
enum berth_code berth_allocator_restore(struct berth_allocator *allocator,
                                        const struct berth_lease_kept *kept, struct berth_now now,
                                        struct berth_error *err);

/** Takes a lease over from elsewhere, as it was there: an administrator's doing. Its time begins
 *  anew; whether its holder is on its port is looked at, and what else uses the port is no
 * hindrance.
 *  @return BERTH_OK: it is kept, or the very same is there already; BERTH_BUSY: its key and
 *          generation, its id, or one of its ports has another live lease, which `err` names;
 *          BERTH_INVALID_PARAMS, BERTH_TOO_LARGE: such a lease cannot be; BERTH_LIMIT_REACHED,
 *          BERTH_NO_MEMORY, or what `keep` says: nothing changed */
enum berth_code berth_allocator_import(struct berth_allocator *allocator,
                                       const struct berth_lease_kept *kept,
                                       const struct berth_caller *caller, struct berth_now now,
                                       bool *already, struct berth_error *err);

/** Changes times, quotas and whether ports are tried, for what comes from now on; the rest stays.
 */
void berth_allocator_set_options(struct berth_allocator *allocator,
                                 const struct berth_allocator_options *options);

/** Replaces the pools: see berth_policy_set_pools(). Leases outside the new pools stay. */
enum berth_code berth_allocator_set_pools(struct berth_allocator *allocator,
                                          const struct berth_pool *pools, size_t count,
                                          struct berth_error *err);

/** Replaces the reserved ports.
 *  @param[in] claims  one of kind RESERVATION for each port, `holder` the reason
 *  @return BERTH_OK; BERTH_NO_MEMORY and the like: the old ones stay */
enum berth_code berth_allocator_set_reserved(struct berth_allocator *allocator,
                                             const struct berth_claim *claims, size_t count,
                                             struct berth_now now, struct berth_error *err);

/** Says which ports the OS may give to outgoing connections. */
void berth_allocator_set_ephemeral(struct berth_allocator *allocator,
                                   const struct berth_port_set *ephemeral);

/* ---- what sources report ---- */

/** Adds a source with its feeds; allocation waits for it from now on.
 *  @param[in]  feeds  names, 1 to BERTH_SOURCE_FEEDS_MAX
 *  @param[out] out    its number
 *  @return BERTH_OK; BERTH_LIMIT_REACHED, BERTH_NO_MEMORY: nothing changed */
enum berth_code berth_allocator_add_source(struct berth_allocator *allocator,
                                           enum berth_source source, const char *name,
                                           const char *const *feeds, unsigned feed_count,
                                           struct berth_now now, unsigned *out,
                                           struct berth_error *err);

/** Takes a source and all that it claimed away. */
void berth_allocator_remove_source(struct berth_allocator *allocator, unsigned source,
                                   struct berth_now now);

/** Takes everything that a feed of a source sees now.
 *  @param[in] feed  0 to feed_count - 1
 *  @return as berth_ledger_apply(): on error what it claimed before stays */
enum berth_code berth_allocator_report(struct berth_allocator *allocator, unsigned source,
                                       unsigned feed, const struct berth_claim *claims,
                                       size_t count, struct berth_now now, struct berth_error *err);

/** Takes word that a port has just become busy: the claim counts as part of the feed's last
 *  snapshot, and the next one confirms it or leaves it out.
 *  @param[in] claim  its port is not 0; copied
 *  @return BERTH_OK; BERTH_NO_MEMORY: nothing changed */
enum berth_code berth_allocator_report_busy(struct berth_allocator *allocator, unsigned source,
                                            unsigned feed, const struct berth_claim *claim,
                                            struct berth_now now, struct berth_error *err);

/** Takes a source's state.  @return true: it is another than before, or its reason is */
bool berth_allocator_report_state(struct berth_allocator *allocator, unsigned source,
                                  enum berth_source_state state, const char *reason,
                                  struct berth_now now);

/* ---- what is asked ---- */

/** Promises ports to a key, or gives what the key has and guarantees it for ttl from now.
 *  @param[out] refusal  what to tell besides the error; set only on the errors it names
 *  @return BERTH_OK; BERTH_NOT_READY, BERTH_POOL_EXHAUSTED, BERTH_PORT_IN_USE, BERTH_OUT_OF_RANGE,
 *          BERTH_NOT_FOUND (pool), BERTH_DENIED (another's key), BERTH_LIMIT_REACHED,
 *          BERTH_INVALID_PARAMS, BERTH_NO_MEMORY: nothing changed */
enum berth_code berth_allocator_allocate(struct berth_allocator *allocator,
                                         const struct berth_allocate_request *request,
                                         const struct berth_caller *caller, struct berth_now now,
                                         struct berth_grant *out, struct berth_refusal *refusal,
                                         struct berth_error *err);

/** Says which ports an allocation would give now; takes nothing.
 *  @param[out] ports  room for wish->count
 *  @return as berth_allocator_allocate() */
enum berth_code berth_allocator_next(const struct berth_allocator *allocator,
                                     const struct berth_wish *wish, uint16_t *ports,
                                     struct berth_refusal *refusal, struct berth_error *err);

/** Finds a lease by id, by key (generation NULL: none), or by a port that it holds; give one of
 *  them, the others NULL or 0.  @return BERTH_OK; BERTH_NOT_FOUND */
enum berth_code berth_allocator_find(const struct berth_allocator *allocator, const char *id,
                                     const char *key, const char *generation, uint16_t port,
                                     struct berth_lease **out, struct berth_error *err);

/** Ends a lease; its ports cool down. It is remembered for its key; an anonymous one is gone.
 *  @return BERTH_OK; BERTH_DENIED: not its owner and no administrator, nothing changed */
enum berth_code berth_allocator_release(struct berth_allocator *allocator,
                                        struct berth_lease *lease,
                                        const struct berth_caller *caller, struct berth_now now,
                                        struct berth_refusal *refusal, struct berth_error *err);

/** Guarantees a lease for ttl_ms (0: the default) from now.
 *  @return BERTH_OK; BERTH_DENIED, BERTH_INVALID_PARAMS: nothing changed */
enum berth_code berth_allocator_renew(struct berth_allocator *allocator, struct berth_lease *lease,
                                      const struct berth_caller *caller, uint64_t ttl_ms,
                                      struct berth_now now, struct berth_refusal *refusal,
                                      struct berth_error *err);

/** Ends a lease's hold for good and keeps the lease. One without a hold stays as it is.
 *  @return BERTH_OK; BERTH_DENIED, what the keeper says: nothing changed */
enum berth_code berth_allocator_hand_over(struct berth_allocator *allocator,
                                          struct berth_lease *lease,
                                          const struct berth_caller *caller, struct berth_now now,
                                          struct berth_refusal *refusal, struct berth_error *err);

/** Gives when a lease ends, for people: it moves while a source is not current.
 *  @return -1: it does not end by itself */
int64_t berth_allocator_expires_unix_ms(const struct berth_allocator *allocator,
                                        const struct berth_lease *lease, struct berth_now now);

/** Gives when a claim that lingers or cools down ends (`until_ms` not 0), for people. */
int64_t berth_allocator_claim_ends_unix_ms(const struct berth_allocator *allocator,
                                           const struct berth_claim *claim, struct berth_now now);

/** Counts the ports in a state within some windows. */
uint32_t berth_allocator_count(const struct berth_allocator *allocator,
                               const struct berth_windows *windows, enum berth_port_state state);

/** Ends what is due: lingering claims, leases, cool-downs; looks for conflicts on ports that
 * changed.
 *  @return when a timer ends next on the monotonic clock, or BERTH_NEVER. Conflicts are looked for
 * at each call, so it is worth calling about twice a second */
uint64_t berth_allocator_tick(struct berth_allocator *allocator, struct berth_now now);

#endif
