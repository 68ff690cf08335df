/* SPDX-License-Identifier: MIT */
/* A lease's life after it was granted: its holder comes and goes, its time passes, it ends. */
#include "allocator_private.h"
#include "holder.h"

#include <string.h>

static const char *const event_names[BERTH_LEASE_EVENT_COUNT] = {
    [BERTH_LEASE_EVENT_GRANTED] = "lease.granted",
    [BERTH_LEASE_EVENT_ADOPTED] = "lease.adopted",
    [BERTH_LEASE_EVENT_RENEWED] = "lease.renewed",
    [BERTH_LEASE_EVENT_HANDED_OVER] = "lease.handed_over",
    [BERTH_LEASE_EVENT_ACTIVE] = "lease.active",
    [BERTH_LEASE_EVENT_LINGERING] = "lease.lingering",
    [BERTH_LEASE_EVENT_RELEASED] = "lease.released",
    [BERTH_LEASE_EVENT_EXPIRED] = "lease.expired",
};

const char *berth_lease_event_name(enum berth_lease_event event)
{
    return event_names[event];
}

/* ---- telling and keeping ---- */

void berth__allocator_tell(struct berth_allocator *allocator, const struct berth_lease *lease,
                           enum berth_lease_event event)
{
    allocator->revision++;
    if (allocator->options.told != NULL) {
        allocator->options.told(allocator->options.ctx, lease, event);
    }
}

enum berth_code berth__allocator_keep(struct berth_allocator *allocator,
                                      const struct berth_lease_change *change,
                                      struct berth_error *err)
{
    if (allocator->options.keep == NULL) {
        return BERTH_OK;
    }
    return allocator->options.keep(allocator->options.ctx, change, err);
}

void berth__allocator_forget(struct berth_allocator *allocator, struct berth_lease *lease)
{
    if (allocator->options.forget != NULL) {
        allocator->options.forget(allocator->options.ctx, lease);
    }
    berth_lease_book_remove(&allocator->book, lease);
}

/* ---- claims of a lease ---- */

static struct berth_claim lease_claim(const struct berth_lease *lease, uint16_t port,
                                      enum berth_claim_kind kind)
{
    struct berth_claim claim = berth_claim_make(port, kind);

    claim.protocol = (uint8_t)(kind == BERTH_CLAIM_LEASE ? lease->protocol : BERTH_PROTOCOL_NONE);
    claim.holder = lease->key;
    claim.detail = kind == BERTH_CLAIM_LEASE ? lease->id : NULL;
    return claim;
}

void berth__allocator_unclaim(struct berth_allocator *allocator, const struct berth_lease *lease,
                              unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct berth_claim claim = lease_claim(lease, lease->ports[i], BERTH_CLAIM_LEASE);
        (void)berth_ledger_take(allocator->ledger, allocator->lease_feed, &claim);
    }
}

enum berth_code berth__allocator_claim_ports(struct berth_allocator *allocator,
                                             const struct berth_lease *lease,
                                             struct berth_error *err)
{
    for (unsigned i = 0; i < lease->port_count; i++) {
        struct berth_claim claim = lease_claim(lease, lease->ports[i], BERTH_CLAIM_LEASE);
        enum berth_code code =
            berth_ledger_put(allocator->ledger, allocator->lease_feed, &claim, err);
        if (code != BERTH_OK) {
            berth__allocator_unclaim(allocator, lease, i);
            return code;
        }
    }
    return BERTH_OK;
}

/* ---- its holder ---- */

/* Looks at the uses of a lease's ports. */
static void look_at_uses(const struct berth_allocator *allocator, const struct berth_lease *lease,
                         bool *used, uint16_t *lost_port)
{
    *used = false;
    *lost_port = 0;
    for (unsigned i = 0; i < lease->port_count; i++) {
        struct berth_claims_at walk = berth_ledger_at(allocator->ledger, lease->ports[i]);
        const struct berth_claim *claim;
        while ((claim = berth_claims_next(&walk)) != NULL) {
            *used = *used || berth_holder_uses(lease->holder, claim);
            if (*lost_port == 0 && berth_holder_is_displaced_by(lease->holder, claim)) {
                *lost_port = lease->ports[i];
            }
        }
    }
}

bool berth__allocator_is_lost(const struct berth_allocator *allocator,
                              const struct berth_lease *lease, uint16_t *port)
{
    bool used;

    look_at_uses(allocator, lease, &used, port);
    return !used && *port != 0;
}

/* Tells whether a claim is that of a lease which was adopted for this site. */
static bool is_adopted_for(const struct berth_allocator *allocator, const struct berth_claim *claim,
                           const char *site)
{
    if (!berth_lease_key_is_adopted(claim->holder)) {
        return false;
    }
    const struct berth_lease *lease = berth_lease_book_at(&allocator->book, claim->port);
    const char *its = lease != NULL ? berth_holder_site(lease->holder) : NULL;
    return its != NULL && site != NULL && berth_holder_same_name(its, site);
}

bool berth__allocator_is_site_of(const struct berth_allocator *allocator, uint16_t port,
                                 const char *holder, enum berth_protocol protocol)
{
    struct berth_claims_at walk = berth_ledger_at(allocator->ledger, port);
    const struct berth_claim *claim;
    bool found = false;

    while ((claim = berth_claims_next(&walk)) != NULL) {
        if (claim->kind == BERTH_CLAIM_LEASE &&
            !is_adopted_for(allocator, claim, berth_holder_site(holder))) {
            return false;
        }
        found = found || (berth_holder_uses(holder, claim) &&
                          (protocol == BERTH_PROTOCOL_NONE || claim->protocol == protocol));
    }
    return found;
}

/* Tells whether an expired lease may come back: none of its ports was leased to another since. */
static bool may_come_back(const struct berth_allocator *allocator, const struct berth_lease *lease)
{
    for (unsigned i = 0; i < lease->port_count; i++) {
        if (berth_lease_book_at(&allocator->book, lease->ports[i]) != lease) {
            return false;
        }
    }
    return true;
}

/* Carries out a happening that nobody asked for. The store is told, but does not decide: what it
 * misses, the next look at the world says again. */
static void happen(struct berth_allocator *allocator, struct berth_lease *lease,
                   enum berth_lease_happening happening, enum berth_lease_event event,
                   struct berth_now now)
{
    if (berth_lease_book_move(&allocator->book, lease, happening,
                              berth__allocator_lease_clock(allocator, now),
                              allocator->options.linger_ms)) {
        const struct berth_lease_change change = {.lease = lease,
                                                  .state = lease->state,
                                                  .event = event,
                                                  .by = allocator->asked_by,
                                                  .unix_ms = now.unix_ms};
        (void)berth__allocator_keep(allocator, &change, NULL);
        berth__allocator_tell(allocator, lease, event);
    }
}

void berth__allocator_look_at(struct berth_allocator *allocator, struct berth_lease *lease,
                              struct berth_now now)
{
    bool used;
    uint16_t lost_port;

    look_at_uses(allocator, lease, &used, &lost_port);
    if (!used) {
        /* who has not been heard yet may still tell of it: after a start most leases are active */
        if (berth_sources_waiting(&allocator->sources) == NULL) {
            happen(allocator, lease, BERTH_LEASE_HOLDER_GONE, BERTH_LEASE_EVENT_LINGERING, now);
        }
        return;
    }
    if (lease->state == BERTH_LEASE_EXPIRED &&
        (!may_come_back(allocator, lease) ||
         berth__allocator_claim_ports(allocator, lease, NULL) != BERTH_OK)) {
        return;
    }
    happen(allocator, lease, BERTH_LEASE_HOLDER_SEEN, BERTH_LEASE_EVENT_ACTIVE, now);
}

void berth__allocator_note_change(struct berth_allocator *allocator,
                                  const struct berth_change *change)
{
    const struct berth_claim *claim = change->after != NULL ? change->after : change->before;

    if (berth_claim_source((enum berth_claim_kind)claim->kind) != BERTH_SOURCE_LEASE &&
        berth_lease_book_at(&allocator->book, claim->port) != NULL) {
        (void)berth_port_set_add(&allocator->changed, claim->port);
    }
}

void berth__allocator_settle(struct berth_allocator *allocator, struct berth_now now)
{
    struct berth_port_range rest = {1, 65535};
    uint16_t port;

    while (berth_port_set_next(&allocator->changed, rest, &port)) {
        struct berth_lease *lease = berth_lease_book_at(&allocator->book, port);
        (void)berth_port_set_remove(&allocator->changed, port);
        if (lease != NULL) {
            berth__allocator_look_at(allocator, lease, now);
        }
    }
}

void berth__allocator_settle_all(struct berth_allocator *allocator, struct berth_now now)
{
    struct berth_lease *next;

    for (struct berth_lease *lease = allocator->book.live.first; lease != NULL; lease = next) {
        next = lease->next;
        berth__allocator_look_at(allocator, lease, now);
    }
}

/* ---- its end ---- */

void berth__allocator_cool_down(struct berth_allocator *allocator, const struct berth_lease *lease,
                                struct berth_now now)
{
    uint64_t until_ms =
        berth__allocator_lease_clock(allocator, now) + allocator->options.cooldown_ms;

    if (allocator->options.cooldown_ms == 0) {
        return;
    }
    for (unsigned i = 0; i < lease->port_count; i++) {
        struct berth_claim claim = lease_claim(lease, lease->ports[i], BERTH_CLAIM_COOLING);
        claim.until_ms = until_ms;
        (void)berth_ledger_put(allocator->ledger, allocator->lease_feed, &claim, NULL);
    }
    if (until_ms < allocator->cooling_earliest_ms) {
        allocator->cooling_earliest_ms = until_ms;
    }
}

enum berth_code berth__allocator_end(struct berth_allocator *allocator, struct berth_lease *lease,
                                     enum berth_lease_happening happening, bool cools,
                                     struct berth_now now, struct berth_error *err)
{
    bool given_back = happening == BERTH_LEASE_GIVEN_BACK;
    const struct berth_lease_change change = {
        .lease = lease,
        .state = given_back ? BERTH_LEASE_RELEASED : BERTH_LEASE_EXPIRED,
        .event = given_back ? BERTH_LEASE_EVENT_RELEASED : BERTH_LEASE_EVENT_EXPIRED,
        .by = allocator->asked_by,
        .unix_ms = now.unix_ms,
    };
    enum berth_code code = berth__allocator_keep(allocator, &change, err);

    /* what is given back must not come back; what has expired may, for another ttl */
    if (code != BERTH_OK && given_back) {
        return code;
    }
    if (cools) {
        berth__allocator_cool_down(allocator, lease, now);
    }
    berth__allocator_unclaim(allocator, lease, lease->port_count);
    (void)berth_lease_book_move(&allocator->book, lease, happening,
                                berth__allocator_lease_clock(allocator, now),
                                allocator->options.linger_ms);
    berth__allocator_tell(allocator, lease, change.event);
    struct berth_lease *surplus =
        lease->anonymous ? lease : berth_lease_book_surplus(&allocator->book);
    if (surplus != NULL) {
        berth__allocator_forget(allocator, surplus);
    }
    return BERTH_OK;
}
