/* SPDX-License-Identifier: MIT */
/* The leases: ports promised to keys. The book finds them by key, by id and by expiry; that their
 * ports are not free is the ledger's to know. Pure: times and random ids are passed in. */
#ifndef BERTH_ALLOCATOR_LEASE_BOOK_H
#define BERTH_ALLOCATOR_LEASE_BOOK_H

#include "base/error.h"
#include "claim.h"
#include "hash_index.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BERTH_LEASE_ID_LENGTH 16 /* hexadecimal digits */
#define BERTH_LEASE_KEY_MAX 512  /* bytes */
#define BERTH_LEASE_GENERATION_MAX 128
#define BERTH_LEASE_HOLDER_MAX 300
#define BERTH_LEASE_META_MAX 4096
#define BERTH_LEASES_MAX 65535

enum berth_lease_state {
    BERTH_LEASE_PENDING, /* promised, its holder not seen yet */
    BERTH_LEASE_EXPIRED, /* its time passed */
    BERTH_LEASE_RELEASED,
    BERTH_LEASE_STATE_COUNT
};

/** Gives "pending", "expired", "released".  @return a string constant */
const char *berth_lease_state_name(enum berth_lease_state state);

/** Who may renew and release a lease. In the book: one for all leases of an identity. */
struct berth_owner {
    const char *id;   /* "uid:1000", a SID: what is compared */
    const char *name; /* for people */
};

/** An owner as the book keeps it, as long as it has leases. */
struct berth_lease_owner {
    struct berth_hash_node by_id;
    char *id;
    char *name;
    size_t lease_count;
};

/** What a new lease is made of. Everything is copied. */
struct berth_lease_terms {
    const char *key;              /* not empty */
    const char *generation;       /* "" : none */
    const char *holder;           /* "site:NAME", "process:IMAGE", "any"; NULL: an IIS binding */
    const char *meta;             /* a JSON object; NULL: none */
    enum berth_protocol protocol; /* BERTH_PROTOCOL_NONE: not said */
    struct berth_owner owner;
    const uint16_t *ports;
    unsigned port_count;
    uint64_t ttl_ms;
};

/** A lease. Strings belong to it. */
struct berth_lease {
    struct berth_hash_node by_key; /* hash of key and generation */
    struct berth_hash_node by_id;
    struct berth_lease *previous;
    struct berth_lease *next;
    char id[BERTH_LEASE_ID_LENGTH + 1];
    char *key;
    char *generation;
    char *holder;
    char *meta;
    struct berth_lease_owner *owner; /* shared, the book's */
    enum berth_protocol protocol;
    enum berth_lease_state state;
    int64_t granted_unix_ms;
    uint64_t ttl_ms;
    uint64_t expires_ms; /* on the book's clock: see berth_lease_book_end_due() */
    unsigned port_count;
    uint16_t ports[]; /* ascending */
};

struct berth_lease_book {
    struct berth_hash_index by_key;
    struct berth_hash_index by_id;
    struct berth_hash_index owners;
    struct berth_lease *first; /* oldest first */
    struct berth_lease *last;
    size_t count;
    uint64_t earliest_ms; /* no lease expires before */
};

/** Makes an empty book.  @param[in] seed  random */
void berth_lease_book_init(struct berth_lease_book *book, uint64_t seed);

/** Frees all leases. */
void berth_lease_book_fini(struct berth_lease_book *book);

/** Adds a pending lease.
 *  @param[in] id       64 random bits, which become the public id
 *  @param[in] now_ms   on the book's clock  @param[in] unix_ms  when, for people
 *  @param[out] out     belongs to the book; set only on success
 *  @return BERTH_OK; BERTH_LIMIT_REACHED (BERTH_LEASES_MAX), BERTH_BUSY (the id is taken: call
 * again with another), BERTH_NO_MEMORY: nothing changed */
enum berth_code berth_lease_book_add(struct berth_lease_book *book,
                                     const struct berth_lease_terms *terms, uint64_t id,
                                     uint64_t now_ms, int64_t unix_ms, struct berth_lease **out,
                                     struct berth_error *err);

/** Takes a lease out and frees it. */
void berth_lease_book_remove(struct berth_lease_book *book, struct berth_lease *lease);

/** Finds a lease by key and generation, or by id.  @return NULL: none */
struct berth_lease *berth_lease_book_find(const struct berth_lease_book *book, const char *key,
                                          const char *generation);
struct berth_lease *berth_lease_book_find_id(const struct berth_lease_book *book, const char *id);

/** Counts the leases of an owner. */
size_t berth_lease_book_count_of(const struct berth_lease_book *book, const char *owner_id);

/** Guarantees a lease for `ttl_ms` from now; never shortens what was guaranteed. */
void berth_lease_book_renew(struct berth_lease_book *book, struct berth_lease *lease,
                            uint64_t ttl_ms, uint64_t now_ms);

/** Ends the leases whose time has passed, oldest first: gives each to `end`, which removes it from
 * the book and may not touch another. Afterwards `earliest_ms` says when the next one passes. */
void berth_lease_book_end_due(struct berth_lease_book *book, uint64_t now_ms,
                              void (*end)(void *ctx, struct berth_lease *lease), void *ctx);

#endif
