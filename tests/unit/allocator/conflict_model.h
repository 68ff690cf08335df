/* SPDX-License-Identifier: MIT */
/* The rules of conflicts as plainly as they can be written, after docs/conflicts.md: each claim is
 * compared with each, addresses by trying addresses, identities as texts. Slow, and independent of
 * allocator/conflict_*.c on purpose. */
#ifndef BERTH_TESTS_CONFLICT_MODEL_H
#define BERTH_TESTS_CONFLICT_MODEL_H

#include "allocator/conflict_rules.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#define MODEL_FOUND_MAX 512

struct model_conflict {
    char identity[320];
    enum berth_conflict_kind kind;
    enum berth_conflict_severity severity;
    const struct berth_claim *claims[2]; /* second: NULL where it is one alone */
};

struct conflict_model {
    const struct berth_conflict_input *in;
    struct model_conflict found[MODEL_FOUND_MAX];
    size_t count;
};

/* ---- words ---- */

static inline int model_lower(int c)
{
    return c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c;
}

static inline void model_fold(char *out, size_t size, const char *text)
{
    size_t i = 0;

    for (; text != NULL && text[i] != '\0' && i + 1 < size; i++) {
        out[i] = (char)model_lower((unsigned char)text[i]);
    }
    out[i] = '\0';
}

static inline bool model_same_word(const char *a, const char *b)
{
    char x[64];
    char y[64];

    model_fold(x, sizeof x, a);
    model_fold(y, sizeof y, b);
    return strcmp(x, y) == 0;
}

static inline bool model_same_image(const char *a, const char *b)
{
    char x[64];
    char y[64];
    size_t n;

    model_fold(x, sizeof x, a);
    model_fold(y, sizeof y, b);
    n = strlen(x);
    if (n > 4 && strcmp(x + n - 4, ".exe") == 0) {
        x[n - 4] = '\0';
    }
    n = strlen(y);
    if (n > 4 && strcmp(y + n - 4, ".exe") == 0) {
        y[n - 4] = '\0';
    }
    return strcmp(x, y) == 0;
}

/* ---- claims ---- */

static inline bool model_is(const struct berth_claim *claim, enum berth_claim_kind kind)
{
    return claim->kind == kind && (claim->flags & BERTH_CLAIM_LINGERING) == 0;
}

static inline bool model_starts(const struct berth_claim *claim)
{
    return (claim->flags & BERTH_CLAIM_STOPPED) == 0;
}

static inline int model_order(const struct berth_claim *a, const struct berth_claim *b)
{
    int order = berth_claim_compare(a, b);

    return order != 0 ? order : (int)a->feed - (int)b->feed;
}

/* Whether a is named before b. */
static inline bool model_before(const struct berth_claim *a, const struct berth_claim *b)
{
    if (a->kind == BERTH_CLAIM_BINDING && model_starts(a) != model_starts(b)) {
        return model_starts(a);
    }
    return model_order(a, b) < 0;
}

/* ---- addresses ---- */

static inline bool model_is_zero(const struct berth_address *address)
{
    static const uint8_t zero[16];

    return memcmp(address->bytes, zero, sizeof zero) == 0;
}

static inline bool model_takes(const struct berth_address *address, bool v6_only,
                               const struct berth_address *one)
{
    if (address->family == BERTH_FAMILY_ALL) {
        return true;
    }
    if (model_is_zero(address)) {
        return one->family == address->family || (address->family == BERTH_FAMILY_IPV6 && !v6_only);
    }
    return one->family == address->family &&
           memcmp(one->bytes, address->bytes, sizeof one->bytes) == 0 &&
           (one->scope == address->scope || one->scope == 0 || address->scope == 0);
}

static inline bool model_overlap(const struct berth_address *a, bool a_v6_only,
                                 const struct berth_address *b, bool b_v6_only)
{
    const struct berth_address some[] = {*a,
                                         *b,
                                         {BERTH_FAMILY_IPV4, {203, 0, 113, 99}, 0},
                                         {BERTH_FAMILY_IPV6, {0x20, 1, 9, 9, 9}, 0}};

    for (unsigned i = 0; i < 4; i++) {
        if (some[i].family != BERTH_FAMILY_ALL && !model_is_zero(&some[i]) &&
            model_takes(a, a_v6_only, &some[i]) && model_takes(b, b_v6_only, &some[i])) {
            return true;
        }
    }
    return false;
}

static inline bool model_v6_only(const struct berth_claim *claim)
{
    return claim->kind == BERTH_CLAIM_BINDING || (claim->flags & BERTH_CLAIM_V6_ONLY) != 0;
}

static inline bool model_claims_overlap(const struct berth_claim *a, const struct berth_claim *b)
{
    return model_overlap(&a->address, model_v6_only(a), &b->address, model_v6_only(b));
}

/* ---- what is found ---- */

static inline bool model_better(const struct model_conflict *a, const struct model_conflict *b)
{
    if (a->severity != b->severity) {
        return a->severity == BERTH_CONFLICT_ERROR;
    }
    if ((a->claims[1] == NULL) != (b->claims[1] == NULL)) {
        return a->claims[1] != NULL;
    }
    int order = model_order(a->claims[0], b->claims[0]);
    if (order == 0 && a->claims[1] != NULL) {
        order = model_order(a->claims[1], b->claims[1]);
    }
    return order < 0;
}

BERTH_PRINTF(6, 7)
static inline void model_add(struct conflict_model *model, enum berth_conflict_kind kind,
                             bool error, const struct berth_claim *a, const struct berth_claim *b,
                             const char *identity, ...)
{
    struct model_conflict fresh = {.kind = kind,
                                   .severity =
                                       error ? BERTH_CONFLICT_ERROR : BERTH_CONFLICT_WARNING,
                                   .claims = {a, b}};
    int length = snprintf(fresh.identity, sizeof fresh.identity, "%s %u ",
                          berth_conflict_kind_name(kind), model->in->port);
    va_list args;

    va_start(args, identity);
    (void)vsnprintf(fresh.identity + length, sizeof fresh.identity - (size_t)length, identity,
                    args);
    va_end(args);
    for (size_t i = 0; i < model->count; i++) {
        if (strcmp(model->found[i].identity, fresh.identity) == 0) {
            if (model_better(&fresh, &model->found[i])) {
                model->found[i] = fresh;
            }
            return;
        }
    }
    if (model->count < MODEL_FOUND_MAX) {
        model->found[model->count++] = fresh;
    }
}

static inline const char *model_process(char *out, size_t size, const struct berth_claim *claim)
{
    if (claim->holder != NULL) {
        (void)snprintf(out, size, "image %s", claim->holder);
    } else if (claim->process_id != BERTH_ID_NONE) {
        (void)snprintf(out, size, "pid %" PRIu32, claim->process_id);
    } else {
        (void)snprintf(out, size, "uid %" PRIu32, claim->user_id);
    }
    return out;
}

/* Whether a binding and another of the same kind of endpoint are the same endpoint. */
static inline bool model_same_endpoint(const struct berth_claim *a, const struct berth_claim *b)
{
    return a->protocol == b->protocol && a->protocol != BERTH_PROTOCOL_OTHER &&
           berth_address_compare(&a->address, &b->address) == 0 &&
           model_same_word(a->host, b->host);
}

static inline void model_add_duplicate(struct conflict_model *model, const struct berth_claim *a,
                                       const struct berth_claim *b)
{
    const struct berth_claim *other = b != NULL ? b : a;
    bool same_site = b == NULL || (a->feed == b->feed && model_same_word(a->holder, b->holder));
    char x[64];
    char y[64];
    char host[64];
    char address[BERTH_ADDRESS_TEXT_MAX];

    model_fold(x, sizeof x, a->holder);
    model_fold(y, sizeof y, other->holder);
    model_fold(host, sizeof host, a->host);
    berth_address_format(address, sizeof address, &a->address);
    model_add(model, BERTH_CONFLICT_DUPLICATE_BINDING,
              !same_site && model_starts(a) && model_starts(other), a, b, "%u %s(%u) %s; %s; %s",
              a->protocol, address, a->address.family, host, strcmp(x, y) < 0 ? x : y,
              strcmp(x, y) < 0 ? y : x);
}

/* Gives the first claim that is of a kind and that `fits` a given one. */
typedef bool model_fits(const struct conflict_model *model, const struct berth_claim *claim,
                        const struct berth_claim *given);

static inline const struct berth_claim *model_first(const struct conflict_model *model,
                                                    enum berth_claim_kind kind, model_fits *fits,
                                                    const struct berth_claim *given)
{
    const struct berth_claim *first = NULL;

    for (size_t i = 0; i < model->in->claim_count; i++) {
        const struct berth_claim *claim = model->in->claims[i];
        if (model_is(claim, kind) && claim != given &&
            (fits == NULL || fits(model, claim, given)) &&
            (first == NULL || model_before(claim, first))) {
            first = claim;
        }
    }
    return first;
}

static inline bool model_fits_endpoint(const struct conflict_model *model,
                                       const struct berth_claim *claim,
                                       const struct berth_claim *given)
{
    (void)model;
    return model_same_endpoint(claim, given);
}

static inline bool model_fits_scheme(const struct conflict_model *model,
                                     const struct berth_claim *claim,
                                     const struct berth_claim *given)
{
    (void)model;
    return claim->protocol + given->protocol == BERTH_PROTOCOL_HTTP + BERTH_PROTOCOL_HTTPS &&
           (claim->protocol == BERTH_PROTOCOL_HTTP || claim->protocol == BERTH_PROTOCOL_HTTPS) &&
           model_claims_overlap(claim, given);
}

static inline void model_scheme(struct conflict_model *model, const struct berth_claim *binding)
{
    const struct berth_claim *other =
        model_first(model, BERTH_CLAIM_BINDING, model_fits_scheme, binding);
    char x[BERTH_ADDRESS_TEXT_MAX];
    char y[BERTH_ADDRESS_TEXT_MAX];

    if (other == NULL) {
        return;
    }
    const struct berth_claim *http = binding->protocol == BERTH_PROTOCOL_HTTP ? binding : other;
    const struct berth_claim *https = http == binding ? other : binding;
    bool same = berth_address_compare(&http->address, &https->address) == 0;
    model_add(model, BERTH_CONFLICT_SCHEME_MIX, same && model_starts(http) && model_starts(https),
              http, https, "%s(%u) %s(%u)", berth_address_format(x, sizeof x, &http->address),
              http->address.family, berth_address_format(y, sizeof y, &https->address),
              https->address.family);
}

/* ---- servers ---- */

enum model_answer { MODEL_NO, MODEL_YES, MODEL_PERHAPS };

/* Whether a socket serves a protocol's bindings. */
static inline enum model_answer model_serves(const struct conflict_model *model, unsigned protocol,
                                             const struct berth_claim *socket)
{
    bool web = protocol == BERTH_PROTOCOL_HTTP || protocol == BERTH_PROTOCOL_HTTPS;

    if (!web && protocol != BERTH_PROTOCOL_FTP && protocol != BERTH_PROTOCOL_NET_TCP) {
        return MODEL_PERHAPS;
    }
    if (!model->in->facts->http_sys) {
        return MODEL_NO;
    }
    if (web) {
        if (socket->process_id == 4 ||
            (socket->holder != NULL && (model_same_image(socket->holder, "System") ||
                                        model_same_image(socket->holder, "http.sys")))) {
            return MODEL_YES;
        }
        return socket->holder == NULL && socket->process_id == BERTH_ID_NONE ? MODEL_PERHAPS
                                                                             : MODEL_NO;
    }
    if (socket->holder == NULL) {
        return MODEL_PERHAPS;
    }
    return model_same_image(socket->holder,
                            protocol == BERTH_PROTOCOL_FTP ? "svchost" : "SMSvcHost")
               ? MODEL_YES
               : MODEL_NO;
}

/* Whether a listener (given) is in the way of a binding (claim). */
static inline bool model_fits_taken(const struct conflict_model *model,
                                    const struct berth_claim *claim,
                                    const struct berth_claim *given)
{
    const struct berth_conflict_facts *facts = model->in->facts;
    bool in_the_way = claim->protocol == BERTH_PROTOCOL_NET_TCP;

    if (claim->protocol == BERTH_PROTOCOL_FTP) {
        in_the_way = model_claims_overlap(claim, given);
    } else if (claim->protocol == BERTH_PROTOCOL_HTTP || claim->protocol == BERTH_PROTOCOL_HTTPS) {
        in_the_way = facts->listen_count == 0;
        for (size_t i = 0; i < facts->listen_count; i++) {
            in_the_way = in_the_way || model_overlap(&facts->listen_list[i], true, &given->address,
                                                     model_v6_only(given));
        }
    }
    return in_the_way && model_serves(model, claim->protocol, given) == MODEL_NO;
}

static inline bool model_fits_served(const struct conflict_model *model,
                                     const struct berth_claim *claim,
                                     const struct berth_claim *given)
{
    return model_serves(model, claim->protocol, given) == MODEL_YES;
}

/* ---- leases ---- */

static inline bool model_has_prefix(const char *text, const char *prefix)
{
    for (size_t i = 0; prefix[i] != '\0'; i++) {
        if (model_lower((unsigned char)text[i]) != prefix[i]) {
            return false;
        }
    }
    return true;
}

static inline bool model_leased_binding(const struct conflict_model *model,
                                        const struct berth_claim *binding)
{
    const char *holder = model->in->lease->holder;

    if (holder != NULL && model_has_prefix(holder, "site:")) {
        return model_same_word(holder + 5, binding->holder);
    }
    return holder == NULL || !model_has_prefix(holder, "process:");
}

/* Whether a socket surely is not the lessee's. */
static inline bool model_intrudes(const struct conflict_model *model,
                                  const struct berth_claim *socket)
{
    const struct berth_conflict_lease *lease = model->in->lease;
    bool any_protocol = false;

    if (model_first(model, BERTH_CLAIM_BINDING, model_fits_served, socket) != NULL) {
        return false;
    }
    if (lease->holder != NULL && model_has_prefix(lease->holder, "process:")) {
        return socket->holder != NULL && !model_same_image(lease->holder + 8, socket->holder);
    }
    for (size_t i = 0; i < model->in->claim_count; i++) {
        const struct berth_claim *claim = model->in->claims[i];
        if (model_is(claim, BERTH_CLAIM_BINDING) && model_leased_binding(model, claim)) {
            any_protocol = true;
            if (model_serves(model, claim->protocol, socket) != MODEL_NO) {
                return false;
            }
        }
    }
    if (lease->protocol >= BERTH_PROTOCOL_HTTP && lease->protocol <= BERTH_PROTOCOL_NET_TCP) {
        return model_serves(model, lease->protocol, socket) == MODEL_NO;
    }
    return any_protocol || model_serves(model, BERTH_PROTOCOL_HTTP, socket) == MODEL_NO;
}

static inline void model_lease_of(struct conflict_model *model, const struct berth_claim *lease,
                                  const struct berth_claim *claim)
{
    const char *id = model->in->lease->id;
    bool idle =
        model_first(model, BERTH_CLAIM_LISTENER, NULL, NULL) == NULL && !model->in->listened_lately;
    char name[96];

    if (model_is(claim, BERTH_CLAIM_BINDING) && !model_leased_binding(model, claim)) {
        model_fold(name, sizeof name, claim->holder);
        model_add(model, BERTH_CONFLICT_LEASE_TAKEN, model_starts(claim), lease, claim,
                  "%s site %s", id, name);
    }
    if (model_is(claim, BERTH_CLAIM_LISTENER) && model_intrudes(model, claim)) {
        model_add(model, BERTH_CONFLICT_LEASE_TAKEN, true, lease, claim, "%s listener %s", id,
                  model_process(name, sizeof name, claim));
    }
    if (model_is(claim, BERTH_CLAIM_BOUND) && idle && model_intrudes(model, claim)) {
        model_add(model, BERTH_CONFLICT_LEASE_TAKEN, false, lease, claim, "%s bound %s", id,
                  model_process(name, sizeof name, claim));
    }
    if (model_is(claim, BERTH_CLAIM_CONNECTION) && idle) {
        model_add(model, BERTH_CONFLICT_LEASE_TAKEN, false, lease, claim, "%s connection", id);
    }
}

/* ---- listeners ---- */

static inline bool model_fits_overlap(const struct conflict_model *model,
                                      const struct berth_claim *claim,
                                      const struct berth_claim *given)
{
    (void)model;
    return claim->process_id != BERTH_ID_NONE && given->process_id != BERTH_ID_NONE &&
           claim->process_id != given->process_id && model_claims_overlap(claim, given);
}

static inline void model_overlap_of(struct conflict_model *model,
                                    const struct berth_claim *listener)
{
    const struct berth_claim *other =
        model_first(model, BERTH_CLAIM_LISTENER, model_fits_overlap, listener);
    char x[96];
    char y[96];

    if (other == NULL) {
        return;
    }
    const struct berth_claim *a = model_before(other, listener) ? other : listener;
    const struct berth_claim *b = a == other ? listener : other;
    bool shared = a->user_id == b->user_id && a->user_id != BERTH_ID_NONE && a->holder != NULL &&
                  b->holder != NULL && model_same_image(a->holder, b->holder) &&
                  berth_address_compare(&a->address, &b->address) == 0;
    (void)snprintf(x, sizeof x, "%s#%" PRIu32, a->holder != NULL ? a->holder : "", a->process_id);
    (void)snprintf(y, sizeof y, "%s#%" PRIu32, b->holder != NULL ? b->holder : "", b->process_id);
    model_add(model, BERTH_CONFLICT_LISTENER_OVERLAP, !shared, a, b, "%s; %s",
              strcmp(x, y) < 0 ? x : y, strcmp(x, y) < 0 ? y : x);
}

/* ---- the whole ---- */

static inline bool model_fits_exclusion(const struct conflict_model *model,
                                        const struct berth_claim *claim,
                                        const struct berth_claim *given)
{
    (void)model;
    (void)given;
    return claim->holder == NULL || !model_same_word(claim->holder, "http.sys");
}

static inline void model_binding(struct conflict_model *model, const struct berth_claim *binding)
{
    const struct berth_claim *first =
        model_first(model, BERTH_CLAIM_BINDING, model_fits_endpoint, binding);

    if (binding->count > 1 && binding->protocol != BERTH_PROTOCOL_OTHER) {
        model_add_duplicate(model, binding, NULL);
    }
    if (first != NULL && model_before(first, binding)) {
        model_add_duplicate(model, first, binding);
    }
    model_scheme(model, binding);
}

static inline void model_listener(struct conflict_model *model, const struct berth_claim *listener)
{
    const struct berth_claim *site =
        model_first(model, BERTH_CLAIM_BINDING, model_fits_taken, listener);
    char name[96];

    if (site != NULL) {
        model_add(model, BERTH_CONFLICT_BINDING_TAKEN, model_starts(site), site, listener, "%s",
                  model_process(name, sizeof name, listener));
    }
    model_overlap_of(model, listener);
}

static inline void model_reserved(struct conflict_model *model,
                                  const struct berth_claim *reservation)
{
    const struct berth_claim *site = model_first(model, BERTH_CLAIM_BINDING, NULL, NULL);
    const struct berth_claim *lease = model_first(model, BERTH_CLAIM_LEASE, NULL, NULL);
    char name[96];

    if (site != NULL) {
        model_add(model, BERTH_CONFLICT_RESERVED_USED, false, reservation, site, "site");
    }
    if (lease != NULL) {
        model_add(model, BERTH_CONFLICT_RESERVED_USED, false, reservation, lease, "lease");
    }
    for (size_t i = 0; i < model->in->claim_count; i++) {
        const struct berth_claim *claim = model->in->claims[i];
        if (model_is(claim, BERTH_CLAIM_LISTENER) &&
            model_first(model, BERTH_CLAIM_BINDING, model_fits_served, claim) == NULL) {
            model_add(model, BERTH_CONFLICT_RESERVED_USED, false, reservation, claim, "listener %s",
                      model_process(name, sizeof name, claim));
        }
    }
}

static inline int model_compare(const void *a, const void *b)
{
    const struct model_conflict *x = a;
    const struct model_conflict *y = b;
    int order = (int)x->kind - (int)y->kind;

    return order != 0 ? order : strcmp(x->identity, y->identity);
}

/** Works out the conflicts of one port. */
static inline void model_find(struct conflict_model *model, const struct berth_conflict_input *in)
{
    model->in = in;
    model->count = 0;
    const struct berth_claim *lease = model_first(model, BERTH_CLAIM_LEASE, NULL, NULL);
    const struct berth_claim *reservation = model_first(model, BERTH_CLAIM_RESERVATION, NULL, NULL);
    const struct berth_claim *exclusion =
        model_first(model, BERTH_CLAIM_EXCLUSION, model_fits_exclusion, NULL);
    const struct berth_claim *site = model_first(model, BERTH_CLAIM_BINDING, NULL, NULL);
    bool taken = in->lease != NULL && lease != NULL &&
                 (in->lease->holder == NULL || !model_same_word(in->lease->holder, "any"));

    for (size_t i = 0; i < in->claim_count; i++) {
        const struct berth_claim *claim = in->claims[i];
        if (model_is(claim, BERTH_CLAIM_BINDING)) {
            model_binding(model, claim);
        }
        if (model_is(claim, BERTH_CLAIM_LISTENER)) {
            model_listener(model, claim);
        }
        /* of several connection claims (there is one a feed) the first is told */
        if (taken && (claim->kind != BERTH_CLAIM_CONNECTION ||
                      claim == model_first(model, BERTH_CLAIM_CONNECTION, NULL, NULL))) {
            model_lease_of(model, lease, claim);
        }
    }
    if (exclusion != NULL && site != NULL) {
        model_add(model, BERTH_CONFLICT_BINDING_EXCLUDED, model_starts(site), site, exclusion, "%s",
                  "");
    }
    if (reservation != NULL) {
        model_reserved(model, reservation);
    }
}

#endif
