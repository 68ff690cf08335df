/* SPDX-License-Identifier: MIT */
/* Leases that were kept come back into the book of an allocator that starts. */
#include "allocator_private.h"

#include <stdlib.h>
#include <string.h>

/* The live lease that has a port; NULL: none. */
static struct berth_lease *live_at(const struct berth_allocator *allocator, uint16_t port)
{
    struct berth_lease *lease = berth_lease_book_at(&allocator->book, port);

    return lease != NULL && berth_lease_state_is_live(lease->state) ? lease : NULL;
}

/* Forgets an older lease of the same key: it was replaced. */
static void forget_replaced(struct berth_allocator *allocator,
                            const struct berth_lease_terms *terms)
{
    struct berth_lease *same =
        berth_lease_book_find(&allocator->book, terms->key, terms->generation);

    if (same == NULL) {
        return;
    }
    if (berth_lease_state_is_live(same->state)) {
        berth__allocator_unclaim(allocator, same, same->port_count);
    }
    berth__allocator_forget(allocator, same);
}

/* Ends older leases of a live one's ports: they had ended when it was granted, and only the word of
 * that was not kept. */
static void end_older(struct berth_allocator *allocator, const struct berth_lease_terms *terms,
                      struct berth_now now)
{
    for (unsigned i = 0; i < terms->port_count; i++) {
        struct berth_lease *older = live_at(allocator, terms->ports[i]);
        if (older != NULL) {
            (void)berth_lease_book_move(&allocator->book, older, BERTH_LEASE_HOLDER_GONE, 0, 0);
            (void)berth__allocator_end(allocator, older, BERTH_LEASE_TIME_UP, false, now, NULL);
        }
    }
}

/* Puts the lease into the book; a port stays with a live lease that has it. */
static enum berth_code add(struct berth_allocator *allocator, const struct berth_lease_kept *kept,
                           uint64_t id, struct berth_now now, struct berth_lease **out,
                           struct berth_error *err)
{
    struct berth_lease *live[BERTH_PORTS_PER_LEASE_MAX];
    const struct berth_lease_terms *terms = &kept->terms;

    for (unsigned i = 0; i < terms->port_count; i++) {
        live[i] = live_at(allocator, terms->ports[i]);
    }
    enum berth_code code = berth_lease_book_add(&allocator->book, terms, id,
                                                berth__allocator_lease_clock(allocator, now),
                                                kept->granted_unix_ms, out, err);
    for (unsigned i = 0; code == BERTH_OK && i < terms->port_count; i++) {
        if (live[i] != NULL) {
            berth_lease_book_put_back(&allocator->book, live[i], terms->ports[i]);
        }
    }
    return code;
}

/* Brings a new pending lease into the state that it was kept in. */
static void bring_into_state(struct berth_allocator *allocator, struct berth_lease *lease,
                             const struct berth_lease_kept *kept, struct berth_now now)
{
    static const enum berth_lease_happening way[BERTH_LEASE_STATE_COUNT][3] = {
        [BERTH_LEASE_PENDING] = {BERTH_LEASE_HAPPENING_COUNT},
        [BERTH_LEASE_ACTIVE] = {BERTH_LEASE_HOLDER_SEEN, BERTH_LEASE_HAPPENING_COUNT},
        [BERTH_LEASE_LINGERING] = {BERTH_LEASE_HOLDER_SEEN, BERTH_LEASE_HOLDER_GONE,
                                   BERTH_LEASE_HAPPENING_COUNT},
        [BERTH_LEASE_EXPIRED] = {BERTH_LEASE_TIME_UP, BERTH_LEASE_HAPPENING_COUNT},
        [BERTH_LEASE_RELEASED] = {BERTH_LEASE_GIVEN_BACK, BERTH_LEASE_HAPPENING_COUNT},
    };
    uint64_t clock_ms = berth__allocator_lease_clock(allocator, now);
    const enum berth_lease_happening *step = way[kept->state];

    if (!berth_lease_state_is_live(kept->state)) {
        lease->guaranteed_ms = clock_ms; /* should it come back, its ttl has passed all the same */
    }

    while (*step != BERTH_LEASE_HAPPENING_COUNT) {
        (void)berth_lease_book_move(&allocator->book, lease, *step++, clock_ms,
                                    allocator->options.linger_ms);
    }
}

/* Tells whether an ended lease's ports may still have been cooling when everything stopped. */
static bool may_still_cool(const struct berth_allocator *allocator,
                           const struct berth_lease_kept *kept, struct berth_now now)
{
    int64_t since_ms = now.unix_ms - kept->ended_unix_ms;

    /* a clock that was set back says nothing: to be on the safe side, they were */
    return since_ms < 0 || (uint64_t)since_ms < allocator->options.cooldown_ms;
}

static enum berth_code check_kept(const struct berth_lease_kept *kept, uint64_t *id,
                                  struct berth_error *err)
{
    const struct berth_lease_terms *terms = &kept->terms;
    char *end;
    bool ascending = true;

    *id = strtoull(kept->id, &end, 16);
    for (unsigned i = 0; i < terms->port_count; i++) {
        ascending = ascending && terms->ports[i] > (i == 0 ? 0 : terms->ports[i - 1]);
    }
    if (*end != '\0' || end - kept->id != BERTH_LEASE_ID_LENGTH || terms->key[0] == '\0' ||
        terms->port_count == 0 || terms->port_count > BERTH_PORTS_PER_LEASE_MAX || !ascending ||
        kept->state >= BERTH_LEASE_STATE_COUNT) {
        return berth_fail(err, BERTH_INVALID_PARAMS, 0,
                          "lease %s of key %.80s is none that Berth could have granted", kept->id,
                          terms->key);
    }
    return BERTH_OK;
}

enum berth_code berth_allocator_restore(struct berth_allocator *allocator,
                                        const struct berth_lease_kept *kept, struct berth_now now,
                                        struct berth_error *err)
{
    struct berth_lease *lease;
    uint64_t id;
    enum berth_code code = check_kept(kept, &id, err);

    berth__allocator_enter(allocator, now, NULL);
    if (code != BERTH_OK) {
        return code;
    }
    bool live = berth_lease_state_is_live(kept->state);
    forget_replaced(allocator, &kept->terms);
    if (live) {
        end_older(allocator, &kept->terms, now);
    }
    code = add(allocator, kept, id, now, &lease, err);
    if (code != BERTH_OK) {
        return code;
    }
    bring_into_state(allocator, lease, kept, now);
    if (live) {
        code = berth__allocator_claim_ports(allocator, lease, err);
        if (code != BERTH_OK) {
            berth_lease_book_remove(&allocator->book, lease);
        }
    } else if (may_still_cool(allocator, kept, now)) {
        berth__allocator_cool_down(allocator, lease, now);
    }
    return code;
}

/* ---- from elsewhere ---- */

static enum berth_code check_import(const struct berth_lease_kept *kept, struct berth_error *err)
{
    const struct berth_lease_terms *terms = &kept->terms;
    const struct berth_allocate_request request = {
        .key = terms->key,
        .generation = terms->generation[0] != '\0' ? terms->generation : NULL,
        .holder = terms->holder,
        .meta = terms->meta,
        .ttl_ms = terms->ttl_ms,
        .hold = terms->hold,
    };

    return terms->ttl_ms != 0 ? berth__allocator_check_request(&request, err)
                              : berth_fail(err, BERTH_INVALID_PARAMS, 0, "ttl must be 1s to 365d");
}

static bool same_ports(const struct berth_lease *lease, const struct berth_lease_terms *terms)
{
    return lease->port_count == terms->port_count &&
           memcmp(lease->ports, terms->ports, terms->port_count * sizeof *terms->ports) == 0;
}

/* Looks for what stands in the way.
 * @param[out] before  the ended lease of the key, which the imported one replaces; NULL: none */
static enum berth_code check_place(const struct berth_allocator *allocator,
                                   const struct berth_lease_kept *kept, struct berth_lease **before,
                                   bool *already, struct berth_error *err)
{
    const struct berth_lease_terms *terms = &kept->terms;
    struct berth_lease *same =
        berth_lease_book_find(&allocator->book, terms->key, terms->generation);
    const struct berth_lease *with_id = berth_lease_book_find_id(&allocator->book, kept->id);

    *before = same;
    if (same != NULL && same_ports(same, terms) &&
        (berth_lease_state_is_live(same->state) || !berth_lease_state_is_live(kept->state))) {
        *already = true;
        return BERTH_OK;
    }
    if (same != NULL && berth_lease_state_is_live(same->state)) {
        return berth_fail(err, BERTH_BUSY, 0, "key %s holds port %u here", same->key,
                          same->ports[0]);
    }
    if (with_id != NULL && with_id != same) {
        return berth_fail(err, BERTH_BUSY, 0, "the lease %s is that of key %s here", kept->id,
                          with_id->key);
    }
    for (unsigned i = 0; i < terms->port_count; i++) {
        const struct berth_lease *other = live_at(allocator, terms->ports[i]);
        if (other != NULL && berth_lease_state_is_live(kept->state)) {
            return berth_fail(err, BERTH_BUSY, 0, "port %u is leased to key %s here",
                              terms->ports[i], other->key);
        }
    }
    return BERTH_OK;
}

/* Has an imported lease, which is in the book already, kept and told. */
static enum berth_code settle_import(struct berth_allocator *allocator, struct berth_lease *lease,
                                     const struct berth_lease *before, struct berth_now now,
                                     struct berth_error *err)
{
    const struct berth_lease_change change = {.lease = lease,
                                              .state = lease->state,
                                              .event = BERTH_LEASE_EVENT_GRANTED,
                                              .replaced = before,
                                              .by = allocator->asked_by,
                                              .unix_ms = now.unix_ms};
    bool live = berth_lease_state_is_live(lease->state);
    enum berth_code code = live ? berth__allocator_claim_ports(allocator, lease, err) : BERTH_OK;

    if (code != BERTH_OK) {
        return code;
    }
    code = berth__allocator_keep(allocator, &change, err);
    if (code != BERTH_OK) {
        berth__allocator_unclaim(allocator, lease, live ? lease->port_count : 0);
        return code;
    }
    if (live) {
        berth__allocator_tell(allocator, lease, BERTH_LEASE_EVENT_GRANTED);
        berth__allocator_look_at(allocator, lease, now);
    }
    return BERTH_OK;
}

enum berth_code berth_allocator_import(struct berth_allocator *allocator,
                                       const struct berth_lease_kept *kept,
                                       const struct berth_caller *caller, struct berth_now now,
                                       bool *already, struct berth_error *err)
{
    struct berth_lease *had[BERTH_PORTS_PER_LEASE_MAX];
    struct berth_lease *before = NULL;
    struct berth_lease *lease;
    uint64_t id;
    enum berth_code code = check_kept(kept, &id, err);

    berth__allocator_enter(allocator, now, caller->identity.name);
    *already = false;
    if (code == BERTH_OK) {
        code = check_import(kept, err);
    }
    if (code == BERTH_OK) {
        code = check_place(allocator, kept, &before, already, err);
    }
    if (code != BERTH_OK || *already) {
        return code;
    }
    if (before != NULL && strcmp(before->id, kept->id) == 0) {
        id = berth__allocator_fresh_id(allocator); /* it ended here: this is another one */
    }
    for (unsigned i = 0; i < kept->terms.port_count; i++) {
        had[i] = berth_lease_book_at(&allocator->book, kept->terms.ports[i]);
    }
    code = add(allocator, kept, id, now, &lease, err);
    if (code != BERTH_OK) {
        return code;
    }
    bring_into_state(allocator, lease, kept, now);
    code = settle_import(allocator, lease, before, now, err);
    if (code != BERTH_OK) {
        berth_lease_book_remove(&allocator->book, lease);
        for (unsigned i = 0; i < kept->terms.port_count; i++) {
            berth_lease_book_put_back(&allocator->book, had[i], kept->terms.ports[i]);
        }
    } else if (before != NULL) {
        berth_lease_book_remove(&allocator->book, before); /* the store has heard of it */
    }
    return code;
}
