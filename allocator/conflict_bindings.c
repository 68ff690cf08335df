/* SPDX-License-Identifier: MIT */
/* Conflicts between bindings, and of bindings with listeners. */
#include "base/compiler.h"
#include "base/memory.h"
#include "conflict_finder.h"
#include "expected_server.h"

#include <stdlib.h>

/* ---- duplicate_binding ---- */

static int compare_endpoints(const struct berth_claim *a, const struct berth_claim *b)
{
    int order = berth__compare_numbers(a->protocol, b->protocol);

    if (order == 0) {
        order = berth_address_compare(&a->address, &b->address);
    }
    return order != 0 ? order : berth_compare_any_case(a->host, b->host);
}

static int compare_rows_by_endpoint(const void *a, const void *b)
{
    const struct berth_row *x = a;
    const struct berth_row *y = b;
    int order = compare_endpoints(x->claim, y->claim);

    return order != 0 ? order : berth__compare_numbers(x->rank, y->rank);
}

static bool is_same_site(const struct berth_claim *a, const struct berth_claim *b)
{
    return a->feed == b->feed && berth_compare_any_case(a->holder, b->holder) == 0;
}

static void add_duplicate(struct berth_finder *finder, const struct berth_claim *first,
                          const struct berth_claim *second)
{
    uint64_t id = berth__conflict_id_start(finder, BERTH_CONFLICT_DUPLICATE_BINDING);
    uint64_t first_id = berth__id_name(BERTH_ID_START, first->holder);
    uint64_t second_id = second != NULL ? berth__id_name(BERTH_ID_START, second->holder) : first_id;
    /* a site that is in its own way keeps no other from starting */
    bool same = second == NULL || is_same_site(first, second);

    id = berth__id_name(berth__id_address(berth__id_number(id, first->protocol), &first->address),
                        first->host);
    berth__conflict_add(finder, BERTH_CONFLICT_DUPLICATE_BINDING,
                        same ? BERTH_CONFLICT_WARNING : berth__severity_of_sites(first, second),
                        berth__id_pair(id, first_id, second_id), first, second);
}

void berth__find_duplicates(struct berth_finder *finder)
{
    size_t count = finder->sites.count;
    struct berth_row *rows = berth_alloc(count, sizeof *rows);
    const struct berth_row *first = NULL;

    if (rows == NULL) {
        finder->out_of_memory = true;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        rows[i] = finder->sites.items[i];
    }
    qsort(rows, count, sizeof *rows, compare_rows_by_endpoint);
    for (size_t i = 0; i < count; i++) {
        const struct berth_claim *claim = rows[i].claim;
        if (claim->protocol == BERTH_PROTOCOL_OTHER) {
            continue; /* protocols without a name here: perhaps two different ones */
        }
        if (claim->count > 1) {
            add_duplicate(finder, claim, NULL);
        }
        if (first != NULL && compare_endpoints(first->claim, claim) == 0) {
            add_duplicate(finder, first->claim, claim);
        } else {
            first = &rows[i];
        }
    }
    berth_free(rows);
}

/* ---- scheme_mix ---- */

static bool is_of_protocol(const struct berth_claim *claim, unsigned protocol)
{
    return claim->protocol == protocol;
}

static void add_scheme_mix(struct berth_finder *finder, const struct berth_claim *http,
                           const struct berth_claim *https)
{
    uint64_t id = berth__conflict_id_start(finder, BERTH_CONFLICT_SCHEME_MIX);
    bool same = berth_address_compare(&http->address, &https->address) == 0;

    berth__conflict_add(finder, BERTH_CONFLICT_SCHEME_MIX,
                        same ? berth__severity_of_sites(http, https) : BERTH_CONFLICT_WARNING,
                        berth__id_address(berth__id_address(id, &http->address), &https->address),
                        http, https);
}

/* Names for each binding of one scheme the first one of the other scheme that is in its way. */
static void find_scheme(struct berth_finder *finder, enum berth_protocol scheme,
                        enum berth_protocol other)
{
    struct berth_overlap_index index;
    struct berth_overlap_entry *entries =
        berth__conflict_index(finder, &finder->sites, is_of_protocol, other, &index);

    for (size_t i = 0; entries != NULL && i < finder->sites.count; i++) {
        const struct berth_claim *claim = finder->sites.items[i].claim;
        if (claim->protocol != scheme) {
            continue;
        }
        const struct berth_reach reach = berth__reach_of(claim);
        uint32_t found = berth_overlap_index_find(&index, &reach, BERTH_OWNER_ANYBODY);
        if (found == BERTH_RANK_NONE) {
            continue;
        }
        const struct berth_claim *partner = finder->sites.items[found].claim;
        add_scheme_mix(finder, scheme == BERTH_PROTOCOL_HTTP ? claim : partner,
                       scheme == BERTH_PROTOCOL_HTTP ? partner : claim);
    }
    berth_free(entries);
}

void berth__find_scheme_mix(struct berth_finder *finder)
{
    if (finder->first_of[BERTH_PROTOCOL_HTTP] != NULL &&
        finder->first_of[BERTH_PROTOCOL_HTTPS] != NULL) {
        find_scheme(finder, BERTH_PROTOCOL_HTTP, BERTH_PROTOCOL_HTTPS);
        find_scheme(finder, BERTH_PROTOCOL_HTTPS, BERTH_PROTOCOL_HTTP);
    }
}

/* ---- binding_taken ---- */

/* Tells whether a listener is where http.sys wants to be: everywhere, or on its IP listen list. */
static bool is_in_http_sys_way(const struct berth_finder *finder, const struct berth_reach *reach)
{
    const struct berth_conflict_facts *facts = finder->in->facts;

    if (facts->listen_count == 0) {
        return true;
    }
    for (size_t i = 0; i < facts->listen_count; i++) {
        const struct berth_reach listened = {facts->listen_list[i], true};
        if (berth_reach_overlaps(reach, &listened)) {
            return true;
        }
    }
    return false;
}

/* Gives the rank of the first binding of a protocol that a listener of somebody else is in the way
 * of; BERTH_RANK_NONE: of none. */
static uint32_t first_taken(const struct berth_finder *finder, enum berth_protocol protocol,
                            const struct berth_claim *listener)
{
    const struct berth_row *first = finder->first_of[protocol];
    const struct berth_reach reach = berth__reach_of(listener);

    if (first == NULL ||
        berth_server_judge(protocol, listener, finder->in->facts->http_sys) != BERTH_IS_OTHER) {
        return BERTH_RANK_NONE;
    }
    switch (protocol) {
    case BERTH_PROTOCOL_HTTP:
    case BERTH_PROTOCOL_HTTPS:
        return is_in_http_sys_way(finder, &reach) ? first->rank : BERTH_RANK_NONE;
    case BERTH_PROTOCOL_FTP:
        return berth_overlap_index_find(&finder->ftp, &reach, BERTH_OWNER_ANYBODY);
    default: /* net.tcp: SMSvcHost listens on all addresses */
        return first->rank;
    }
}

static void add_taken(struct berth_finder *finder, const struct berth_claim *listener)
{
    uint64_t id = berth__conflict_id_start(finder, BERTH_CONFLICT_BINDING_TAKEN);
    uint32_t found = BERTH_RANK_NONE;

    for (unsigned protocol = 0; protocol < BERTH_PROTOCOL_COUNT; protocol++) {
        uint32_t taken = first_taken(finder, (enum berth_protocol)protocol, listener);
        found = taken < found ? taken : found;
    }
    if (found != BERTH_RANK_NONE) {
        const struct berth_claim *site = finder->sites.items[found].claim;
        berth__conflict_add(finder, BERTH_CONFLICT_BINDING_TAKEN, berth__severity_of_site(site),
                            berth__id_process(id, listener), site, listener);
    }
}

void berth__find_taken(struct berth_finder *finder)
{
    struct berth_overlap_entry *entries = NULL;

    if (finder->first_of[BERTH_PROTOCOL_FTP] != NULL) {
        entries = berth__conflict_index(finder, &finder->sites, is_of_protocol, BERTH_PROTOCOL_FTP,
                                        &finder->ftp);
        if (entries == NULL) {
            return;
        }
    }
    for (size_t i = 0; i < finder->sockets.count; i++) {
        add_taken(finder, finder->sockets.items[i].claim);
    }
    berth_free(entries);
}

/* Tells whether a socket is the server of a binding of this port: then what is to be said of it is
 * said of the binding. */
bool berth__serves_binding(const struct berth_finder *finder, const struct berth_claim *socket)
{
    for (unsigned protocol = 0; protocol < BERTH_PROTOCOL_COUNT; protocol++) {
        if (finder->first_of[protocol] != NULL &&
            berth_server_judge((enum berth_protocol)protocol, socket,
                               finder->in->facts->http_sys) == BERTH_IS_SERVER) {
            return true;
        }
    }
    return false;
}
