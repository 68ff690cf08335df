/* SPDX-License-Identifier: MIT */
#include "base/compiler.h"
#include "base/memory.h"
#include "conflict_finder.h"
#include "conflict_id.h"
#include "expected_server.h"

#include <stdlib.h>

/* ---- names ---- */

static const char *const kind_names[BERTH_CONFLICT_KIND_COUNT] = {
    [BERTH_CONFLICT_DUPLICATE_BINDING] = "duplicate_binding",
    [BERTH_CONFLICT_SCHEME_MIX] = "scheme_mix",
    [BERTH_CONFLICT_BINDING_TAKEN] = "binding_taken",
    [BERTH_CONFLICT_LEASE_TAKEN] = "lease_taken",
    [BERTH_CONFLICT_BINDING_EXCLUDED] = "binding_excluded",
    [BERTH_CONFLICT_RESERVED_USED] = "reserved_used",
    [BERTH_CONFLICT_LISTENER_OVERLAP] = "listener_overlap",
};

const char *berth_conflict_kind_name(enum berth_conflict_kind kind)
{
    return kind_names[kind];
}

const char *berth_conflict_severity_name(enum berth_conflict_severity severity)
{
    return severity == BERTH_CONFLICT_ERROR ? "error" : "warning";
}

uint64_t berth__conflict_id_start(const struct berth_finder *finder, enum berth_conflict_kind kind)
{
    return berth__id_number(berth__id_text(BERTH_ID_START, kind_names[kind]), finder->in->port);
}

/* ---- what is found ---- */

static bool is_stopped(const struct berth_claim *claim)
{
    return (claim->flags & BERTH_CLAIM_STOPPED) != 0;
}

enum berth_conflict_severity berth__severity_of_site(const struct berth_claim *claim)
{
    return is_stopped(claim) ? BERTH_CONFLICT_WARNING : BERTH_CONFLICT_ERROR;
}

enum berth_conflict_severity berth__severity_of_sites(const struct berth_claim *a,
                                                      const struct berth_claim *b)
{
    return is_stopped(a) || is_stopped(b) ? BERTH_CONFLICT_WARNING : BERTH_CONFLICT_ERROR;
}

/* Adds a conflict between two claims, or of one (`b` NULL). */
void berth__conflict_add(struct berth_finder *finder, enum berth_conflict_kind kind,
                         enum berth_conflict_severity severity, uint64_t id,
                         const struct berth_claim *a, const struct berth_claim *b)
{
    if (finder->found_count == finder->found_room) {
        size_t room = finder->found_room != 0 ? finder->found_room * 2 : 8;
        void *moved = berth_resize(finder->found, room, sizeof *finder->found);
        if (moved == NULL) {
            finder->out_of_memory = true;
            return;
        }
        finder->found = moved;
        finder->found_room = room;
    }
    finder->found[finder->found_count++] = (struct berth_conflict){
        .id = berth__id_end(id),
        .kind = kind,
        .severity = severity,
        .port = finder->in->port,
        .claim_count = b != NULL ? 2 : 1,
        .claims = {a, b},
    };
}

int berth__compare_numbers(uint64_t a, uint64_t b)
{
    return a < b ? -1 : a > b;
}

/* Orders claims by their content, of several feeds by feed. */
static int compare_claims(const struct berth_claim *a, const struct berth_claim *b)
{
    int order = a == b ? 0 : berth_claim_compare(a, b);

    return order != 0 ? order : berth__compare_numbers(a->feed, b->feed);
}

int berth_conflict_compare(const struct berth_conflict *a, const struct berth_conflict *b)
{
    int order = berth__compare_numbers(a->kind, b->kind);

    return order != 0 ? order : berth__compare_numbers(a->id, b->id);
}

/* Of one id, what is worth telling comes first. */
static int compare_found(const void *a, const void *b)
{
    const struct berth_conflict *x = a;
    const struct berth_conflict *y = b;
    int order = berth_conflict_compare(x, y);

    if (order == 0) {
        order = berth__compare_numbers(x->severity, y->severity);
    }
    if (order == 0) {
        order = berth__compare_numbers(y->claim_count, x->claim_count);
    }
    for (unsigned i = 0; order == 0 && i < x->claim_count; i++) {
        order = compare_claims(x->claims[i], y->claims[i]);
    }
    return order;
}

static void sort_found(struct berth_finder *finder)
{
    size_t kept = 0;

    if (finder->found_count < 2) {
        return;
    }
    qsort(finder->found, finder->found_count, sizeof *finder->found, compare_found);
    for (size_t i = 0; i < finder->found_count; i++) {
        if (kept == 0 || berth_conflict_compare(&finder->found[kept - 1], &finder->found[i]) != 0) {
            finder->found[kept++] = finder->found[i];
        }
    }
    finder->found_count = kept;
}

/* ---- who plays which part ---- */

static int compare_sites(const void *a, const void *b)
{
    const struct berth_claim *x = ((const struct berth_row *)a)->claim;
    const struct berth_claim *y = ((const struct berth_row *)b)->claim;
    int order = (int)is_stopped(x) - (int)is_stopped(y);

    return order != 0 ? order : compare_claims(x, y);
}

static int compare_sockets(const void *a, const void *b)
{
    return compare_claims(((const struct berth_row *)a)->claim,
                          ((const struct berth_row *)b)->claim);
}

static void rank(struct berth_rows *rows, int (*compare)(const void *, const void *))
{
    if (rows->count > 1) {
        qsort(rows->items, rows->count, sizeof *rows->items, compare);
    }
    for (size_t i = 0; i < rows->count; i++) {
        rows->items[i].rank = (uint32_t)i;
    }
}

static void add_row(struct berth_rows *rows, const struct berth_claim *claim)
{
    rows->items[rows->count++].claim = claim;
}

static void keep_first(const struct berth_claim **first, const struct berth_claim *claim)
{
    if (*first == NULL || compare_claims(claim, *first) < 0) {
        *first = claim;
    }
}

/* http.sys takes a reservation of one port for each registered URL: that is the site itself. The
 * source of the exclusions says so by the holder. */
static bool is_own_exclusion(const struct berth_claim *claim)
{
    return berth_compare_any_case(claim->holder, "http.sys") == 0;
}

static void sort_in(struct berth_finder *finder, const struct berth_claim *claim)
{
    switch ((enum berth_claim_kind)claim->kind) {
    case BERTH_CLAIM_LEASE:
        keep_first(&finder->lease, claim);
        break;
    case BERTH_CLAIM_BINDING:
        add_row(&finder->sites, claim);
        break;
    case BERTH_CLAIM_LISTENER:
        add_row(&finder->sockets, claim);
        break;
    case BERTH_CLAIM_BOUND:
        add_row(&finder->bound, claim);
        break;
    case BERTH_CLAIM_CONNECTION:
        keep_first(&finder->connection, claim);
        break;
    case BERTH_CLAIM_EXCLUSION:
        if (!is_own_exclusion(claim)) {
            keep_first(&finder->exclusion, claim);
        }
        break;
    case BERTH_CLAIM_RESERVATION:
        keep_first(&finder->reservation, claim);
        break;
    case BERTH_CLAIM_COOLING:   /* only a promise to keep it free for a while */
    case BERTH_CLAIM_FTP_DATA:  /* used now and then, by the FTP service's listeners */
    case BERTH_CLAIM_TIME_WAIT: /* a socket that is gone */
    case BERTH_CLAIM_URL:       /* may be used some day; a site's own certificate is one too */
    case BERTH_CLAIM_KIND_COUNT:
        break;
    }
}

static bool sort_claims(struct berth_finder *finder)
{
    size_t count = finder->in->claim_count;
    struct berth_row *rows = berth_alloc(count, 3 * sizeof *rows);

    if (rows == NULL) {
        return false;
    }
    finder->memory = rows;
    finder->sites.items = rows;
    finder->sockets.items = rows + count;
    finder->bound.items = rows + 2 * count;
    for (size_t i = 0; i < count; i++) {
        if ((finder->in->claims[i]->flags & BERTH_CLAIM_LINGERING) == 0) {
            sort_in(finder, finder->in->claims[i]);
        }
    }
    rank(&finder->sites, compare_sites);
    rank(&finder->sockets, compare_sockets);
    rank(&finder->bound, compare_sockets);
    for (size_t i = finder->sites.count; i > 0; i--) {
        const struct berth_row *row = &finder->sites.items[i - 1];
        finder->first_of[row->claim->protocol] = row;
    }
    return true;
}

/* ---- addresses ---- */

/* What a claim listens on, or would. A binding of [::] is one of IPv6 alone. */
struct berth_reach berth__reach_of(const struct berth_claim *claim)
{
    return (struct berth_reach){
        claim->address,
        claim->kind == BERTH_CLAIM_BINDING || (claim->flags & BERTH_CLAIM_V6_ONLY) != 0,
    };
}

static uint32_t owner_of(const struct berth_claim *claim)
{
    return claim->kind == BERTH_CLAIM_LISTENER ? claim->process_id : 0;
}

/* Makes an index over the rows for which `wanted` holds, in memory for the caller to free.
 * NULL: there is none, or no memory, which is noted. */
struct berth_overlap_entry *
berth__conflict_index(struct berth_finder *finder, const struct berth_rows *rows,
                      bool (*wanted)(const struct berth_claim *, unsigned), unsigned protocol,
                      struct berth_overlap_index *out)
{
    struct berth_overlap_entry *entries = berth_alloc(rows->count, sizeof *entries);
    size_t count = 0;

    if (entries == NULL) {
        finder->out_of_memory = true;
        return NULL;
    }
    for (size_t i = 0; i < rows->count; i++) {
        const struct berth_claim *claim = rows->items[i].claim;
        if (wanted(claim, protocol)) {
            entries[count++] = (struct berth_overlap_entry){
                .reach = berth__reach_of(claim),
                .owner = owner_of(claim),
                .rank = rows->items[i].rank,
            };
        }
    }
    berth_overlap_index_make(out, entries, count);
    return entries;
}

/* ---- listener_overlap ---- */

static bool is_known_process(const struct berth_claim *claim, unsigned unused)
{
    (void)unused;
    return claim->process_id != BERTH_ID_NONE;
}

/* Two processes of one program and user on one and the same address share it on purpose
 * (SO_REUSEPORT). */
static bool is_shared(const struct berth_claim *a, const struct berth_claim *b)
{
    return a->user_id != BERTH_ID_NONE && a->user_id == b->user_id && a->holder != NULL &&
           b->holder != NULL && berth_image_equal(a->holder, b->holder) &&
           berth_address_compare(&a->address, &b->address) == 0;
}

static void add_overlap(struct berth_finder *finder, const struct berth_claim *a,
                        const struct berth_claim *b)
{
    uint64_t id = berth__conflict_id_start(finder, BERTH_CONFLICT_LISTENER_OVERLAP);
    uint64_t id_of_a = berth__id_number(berth__id_text(BERTH_ID_START, a->holder), a->process_id);
    uint64_t id_of_b = berth__id_number(berth__id_text(BERTH_ID_START, b->holder), b->process_id);

    berth__conflict_add(finder, BERTH_CONFLICT_LISTENER_OVERLAP,
                        is_shared(a, b) ? BERTH_CONFLICT_WARNING : BERTH_CONFLICT_ERROR,
                        berth__id_pair(id, id_of_a, id_of_b), a, b);
}

static void find_overlaps(struct berth_finder *finder)
{
    struct berth_overlap_index index;
    struct berth_overlap_entry *entries;

    if (finder->sockets.count < 2) {
        return;
    }
    entries = berth__conflict_index(finder, &finder->sockets, is_known_process, 0, &index);
    for (size_t i = 0; entries != NULL && i < finder->sockets.count; i++) {
        const struct berth_claim *claim = finder->sockets.items[i].claim;
        if (!is_known_process(claim, 0)) {
            continue;
        }
        const struct berth_reach reach = berth__reach_of(claim);
        uint32_t found = berth_overlap_index_find(&index, &reach, claim->process_id);
        if (found != BERTH_RANK_NONE) {
            const struct berth_claim *partner = finder->sockets.items[found].claim;
            add_overlap(finder, found < i ? partner : claim, found < i ? claim : partner);
        }
    }
    berth_free(entries);
}

/* ---- the whole ---- */

enum berth_code berth_conflicts_find(const struct berth_conflict_input *in,
                                     struct berth_conflict *out, size_t room, size_t *count,
                                     struct berth_error *err)
{
    struct berth_finder finder = {.in = in};
    enum berth_code code = BERTH_OK;

    if (in->claim_count == 0) {
        *count = 0;
        return BERTH_OK;
    }
    if (sort_claims(&finder)) {
        if (finder.sites.count != 0) {
            berth__find_duplicates(&finder);
            berth__find_scheme_mix(&finder);
            berth__find_taken(&finder);
        }
        berth__find_lease_taken(&finder);
        berth__find_excluded(&finder);
        berth__find_reserved_used(&finder);
        find_overlaps(&finder);
    } else {
        finder.out_of_memory = true;
    }
    if (finder.out_of_memory) {
        code = berth_fail_memory(err, "the conflicts of a port");
    } else {
        sort_found(&finder);
        for (size_t i = 0; i < finder.found_count && i < room; i++) {
            out[i] = finder.found[i];
        }
        *count = finder.found_count;
    }
    berth_free(finder.found);
    berth_free(finder.memory);
    return code;
}
