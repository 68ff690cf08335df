/* SPDX-License-Identifier: MIT */
/* What the rules of conflicts share, for conflict_*.c alone: one port's claims by the part that
 * they play, and the conflicts found so far. */
#ifndef BERTH_ALLOCATOR_CONFLICT_FINDER_H
#define BERTH_ALLOCATOR_CONFLICT_FINDER_H

#include "address_overlap.h"
#include "conflict_id.h"
#include "conflict_rules.h"

/* A claim and its place in an order; what comes first is named first. */
struct berth_row {
    const struct berth_claim *claim;
    uint32_t rank;
};

struct berth_rows {
    struct berth_row *items;
    size_t count;
};

/* The claims of the port by the part that they play, and the conflicts found so far. */
struct berth_finder {
    const struct berth_conflict_input *in;
    void *memory;              /* of the rows below */
    struct berth_rows sites;   /* bindings: those of sites that start by themselves first */
    struct berth_rows sockets; /* listeners */
    struct berth_rows bound;
    const struct berth_claim *lease; /* the first of its kind; NULL: none. So are those below */
    const struct berth_claim *exclusion;
    const struct berth_claim *reservation;
    const struct berth_claim *connection;
    const struct berth_row *first_of[BERTH_PROTOCOL_COUNT]; /* the first binding of each protocol */
    struct berth_overlap_index ftp;                         /* the addresses of ftp bindings */
    struct berth_conflict *found;
    size_t found_count;
    size_t found_room;
    bool out_of_memory;
};

/** Adds a conflict between two claims, or of one (`b` NULL). `id` has not been ended yet. */
void berth__conflict_add(struct berth_finder *finder, enum berth_conflict_kind kind,
                         enum berth_conflict_severity severity, uint64_t id,
                         const struct berth_claim *a, const struct berth_claim *b);

/** Starts an id with kind and port. */
uint64_t berth__conflict_id_start(const struct berth_finder *finder, enum berth_conflict_kind kind);

/** Says how severe it is when bindings cannot work: a warning where one does not start by itself.
 */
enum berth_conflict_severity berth__severity_of_site(const struct berth_claim *claim);
enum berth_conflict_severity berth__severity_of_sites(const struct berth_claim *a,
                                                      const struct berth_claim *b);

/** Orders numbers, for comparing functions.  @return -1, 0, 1 */
int berth__compare_numbers(uint64_t a, uint64_t b);

/** Gives what a claim listens on, or would. A binding of [::] is one of IPv6 alone. */
struct berth_reach berth__reach_of(const struct berth_claim *claim);

/** An owner that no binding has: asks an index of bindings for any of them. */
#define BERTH_OWNER_ANYBODY UINT32_MAX

/** Makes an index over the rows for which `wanted` holds; ranks are those of the rows, owners the
 *  processes of listeners.
 *  @return the index's memory, for berth_free(); NULL: none was to be had, which is noted */
struct berth_overlap_entry *
berth__conflict_index(struct berth_finder *finder, const struct berth_rows *rows,
                      bool (*wanted)(const struct berth_claim *claim, unsigned protocol),
                      unsigned protocol, struct berth_overlap_index *out);

/** Tells whether a socket is the server of a binding of this port: then what is to be said of it
 *  is said of the binding. */
bool berth__serves_binding(const struct berth_finder *finder, const struct berth_claim *socket);

/** The rules, by the kinds of conflict that they find. */
void berth__find_duplicates(struct berth_finder *finder);
void berth__find_scheme_mix(struct berth_finder *finder);
void berth__find_taken(struct berth_finder *finder);
void berth__find_lease_taken(struct berth_finder *finder);
void berth__find_excluded(struct berth_finder *finder);
void berth__find_reserved_used(struct berth_finder *finder);

#endif
