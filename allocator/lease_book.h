/* SPDX-License-Identifier: MIT */
/* The leases: ports promised to keys. The book finds them by key, by id and by expiry; that their
 * ports are not free is the ledger's to know. Pure: times and random ids are passed in. */
#ifndef BERTH_ALLOCATOR_LEASE_BOOK_H
#define BERTH_ALLOCATOR_LEASE_BOOK_H

#include "base/error.h"
#include "claim.h"
#include "hash_index.h"
#include "lease_state.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BERTH_LEASE_ID_LENGTH 16 /* hexadecimal digits */
#define BERTH_LEASE_KEY_MAX 512  /* bytes */
#define BERTH_LEASE_GENERATION_MAX 128
#define BERTH_LEASE_HOLDER_MAX 300
#define BERTH_LEASE_META_MAX 4096
#define BERTH_LEASES_MAX 65535
#define BERTH_LEASES_REMEMBERED_MAX 16384 /* ended ones; the oldest are forgotten beyond */

/** Who may renew and release a lease. */
struct berth_owner {
    const char *id;    /* "uid:1000", a SID: what is compared */
    const char *name;  /* for people */
    const char *group; /* its members may do the same: "gid:1000", a SID; NULL or "": none */
};

/** An owner as the book keeps it, as long as it has leases: one for each id and group. */
struct berth_lease_owner {
    struct berth_hash_node by_id;
    char *id;
    char *name;
    char *group;        /* "" : none */
    size_t lease_count; /* live ones */
    size_t uses;        /* live and ended ones */
};

/** What a new lease is made of. Everything is copied. */
struct berth_lease_terms {
    const char *key;              /* not empty */
    const char *generation;       /* "" : none */
    bool anonymous;               /* the key is made up: nobody will ask for it again */
    const char *holder;           /* "site:NAME", "process:IMAGE", "any"; NULL: an IIS binding */
    const char *meta;             /* a JSON object; NULL: none */
    enum berth_protocol protocol; /* BERTH_PROTOCOL_NONE: not said */
    struct berth_owner owner;
    const uint16_t *ports;
    unsigned port_count;
    uint64_t ttl_ms;
    bool hold; /* a socket shields its ports until its holder is there */
};

/** A lease. Strings belong to it. */
struct berth_lease {
    struct berth_hash_node by_key; /* hash of the key: all its generations */
    struct berth_hash_node by_id;
    struct berth_lease *previous; /* among the live or the ended ones */
    struct berth_lease *next;
    char id[BERTH_LEASE_ID_LENGTH + 1];
    char *key;
    char *generation;
    char *holder;
    char *meta;
    struct berth_lease_owner *owner; /* shared, the book's */
    enum berth_protocol protocol;
    bool anonymous;
    bool hold;
    enum berth_lease_state state;
    uint64_t serial; /* grows with each lease: which of two was granted first */
    int64_t granted_unix_ms;
    uint64_t ttl_ms;
    uint64_t guaranteed_ms; /* until when it holds whatever happens, on the book's clock */
    uint64_t ends_ms;       /* when it ends by itself; BERTH_LEASE_NO_END: it does not */
    unsigned port_count;
    uint16_t ports[]; /* ascending */
};

#define BERTH_LEASE_NO_END UINT64_MAX

struct berth_lease_list {
    struct berth_lease *first; /* oldest first */
    struct berth_lease *last;
    size_t count;
};

struct berth_lease_book {
    struct berth_hash_index by_key;
    struct berth_hash_index by_id;
    struct berth_hash_index owners;
    struct berth_lease **by_port[256]; /* pages of 256 ports; NULL: no lease had one of them */
    struct berth_lease_list live;
    struct berth_lease_list ended;
    uint64_t serial;      /* of the latest lease */
    uint64_t earliest_ms; /* no lease ends before */
};

#define BERTH_LEASE_ANONYMOUS_PREFIX "anon-" /* of a made-up key; the lease's id follows */

/** Tells whether a key is one that was made up for the lease of this id.  @thread any */
bool berth_lease_key_is_anonymous(const char *key, const char *id);

#define BERTH_LEASE_ADOPTED_PREFIX "adopted:" /* of a key that berth_allocator_adopt() made */

/** Tells whether a key is one that only adoption makes.  @thread any */
bool berth_lease_key_is_adopted(const char *key);

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

/** Takes a lease out, live or ended, and frees it. */
void berth_lease_book_remove(struct berth_lease_book *book, struct berth_lease *lease);

/** Finds a lease by key and generation, or by id, live or ended.  @return NULL: none */
struct berth_lease *berth_lease_book_find(const struct berth_lease_book *book, const char *key,
                                          const char *generation);
struct berth_lease *berth_lease_book_find_id(const struct berth_lease_book *book, const char *id);

/** Finds the lease that has a port, or the last one that had it.  @return NULL: none */
struct berth_lease *berth_lease_book_at(const struct berth_lease_book *book, uint16_t port);

/** Says that a lease was the last one to have a port, which another had that is removed by now. */
void berth_lease_book_put_back(struct berth_lease_book *book, struct berth_lease *lease,
                               uint16_t port);

/** Walks over the live leases of a key, of all generations but "", in no order.
 *  @param[in] after  the one before, still live or not; NULL: begin  @return NULL: no more */
struct berth_lease *berth_lease_book_next_generation(const struct berth_lease_book *book,
                                                     const char *key, struct berth_lease *after);

/** Counts the live leases of an owner's id, whatever the group. */
size_t berth_lease_book_count_of(const struct berth_lease_book *book, const char *owner_id);

/** Guarantees a live lease for `ttl_ms` from now; never shortens what was guaranteed. */
void berth_lease_book_renew(struct berth_lease_book *book, struct berth_lease *lease,
                            uint64_t ttl_ms, uint64_t now_ms);

/** Carries out what a happening makes of a lease (lease_state.h): its state, its list, its end.
 *  @param[in] linger_ms  how long a lease whose holder vanished stays at least
 *  @return true: it is in another state now */
bool berth_lease_book_move(struct berth_lease_book *book, struct berth_lease *lease,
                           enum berth_lease_happening happening, uint64_t now_ms,
                           uint64_t linger_ms);

/** Gives the oldest ended lease beyond what is remembered, for the caller to remove; NULL: none. */
struct berth_lease *berth_lease_book_surplus(const struct berth_lease_book *book);

/** Gives each live lease whose time has passed to `end`, oldest first, which may end and remove it
 *  and touch no other. Afterwards `earliest_ms` says when the next one passes. */
void berth_lease_book_end_due(struct berth_lease_book *book, uint64_t now_ms,
                              void (*end)(void *ctx, struct berth_lease *lease), void *ctx);

#endif
