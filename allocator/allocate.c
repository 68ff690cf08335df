/* SPDX-License-Identifier: MIT */
/* What is asked of the allocator: finding free ports, granting, renewing and ending leases. */
#include "allocator_private.h"
#include "base/memory.h"
#include "base/utf8.h"

#include <stdio.h>
#include <string.h>

#define LEASE_TTL_MIN_MS 1000ULL
#define LEASE_TTL_MAX_MS (365ULL * 24 * 3600 * 1000)

/* ---- finding ports ---- */

/* Says for each source that is waiting why it does. */
static void describe_waiting(const struct berth_sources *sources, char *out, size_t size)
{
    size_t used = 0;

    out[0] = '\0';
    for (unsigned i = 0; i < BERTH_SOURCES_MAX && used < size; i++) {
        const struct berth_source_entry *entry = &sources->at[i];
        if (!entry->in_use || entry->state != BERTH_STATE_WAITING) {
            continue;
        }
        used += (size_t)snprintf(
            out + used, size - used, "%s%s %s%s%s%s", used > 0 ? "; " : "",
            berth_source_name(entry->source), entry->name, entry->reason != NULL ? " (" : "",
            entry->reason != NULL ? entry->reason : "", entry->reason != NULL ? ")" : "");
    }
}

static enum berth_code check_ready(const struct berth_allocator *allocator,
                                   struct berth_refusal *refusal, struct berth_error *err)
{
    const struct berth_source_entry *waiting = berth_sources_waiting(&allocator->sources);
    char sources[400];

    if (waiting == NULL) {
        return BERTH_OK;
    }
    refusal->source = waiting->name;
    describe_waiting(&allocator->sources, sources, sizeof sources);
    return berth_fail(err, BERTH_NOT_READY, 0, "not read yet: %s", sources);
}

/* Tells whether a holder "site:NAME" names this site; IIS compares names in any case. */
static bool holder_is_site(const char *holder, const char *site)
{
    if (holder == NULL || site == NULL || strncmp(holder, "site:", 5) != 0) {
        return false;
    }
    for (holder += 5; *holder != '\0' && *site != '\0'; holder++, site++) {
        char a = *holder >= 'A' && *holder <= 'Z' ? (char)(*holder | 0x20) : *holder;
        char b = *site >= 'A' && *site <= 'Z' ? (char)(*site | 0x20) : *site;
        if (a != b) {
            return false;
        }
    }
    return *holder == '\0' && *site == '\0';
}

/* A claim does not stand in the way of the one whom it protects: a key's own cool-down, a site's
 * own binding that lingers. */
static bool is_open_to(const struct berth_claim *claim, const char *key, const char *holder)
{
    if (claim->kind == BERTH_CLAIM_COOLING) {
        return key != NULL && claim->holder != NULL && strcmp(claim->holder, key) == 0;
    }
    return claim->kind == BERTH_CLAIM_BINDING && (claim->flags & BERTH_CLAIM_LINGERING) != 0 &&
           holder_is_site(holder, claim->holder);
}

static bool may_take(const struct berth_allocator *allocator, uint16_t port, const char *key,
                     const char *holder)
{
    struct berth_claims_at walk = berth_ledger_at(allocator->ledger, port);
    const struct berth_claim *claim;

    while ((claim = berth_claims_next(&walk)) != NULL) {
        if (!is_open_to(claim, key, holder)) {
            return false;
        }
    }
    return true;
}

/* Names the claim that stands in the way of this key and holder. */
static enum berth_code fail_in_use(const struct berth_allocator *allocator, uint16_t port,
                                   const char *key, const char *holder,
                                   struct berth_refusal *refusal, struct berth_error *err)
{
    struct berth_claims_at walk = berth_ledger_at(allocator->ledger, port);
    const struct berth_claim *claim = berth_claims_next(&walk);

    while (is_open_to(claim, key, holder)) {
        claim = berth_claims_next(&walk);
    }
    enum berth_claim_kind kind = (enum berth_claim_kind)claim->kind;
    refusal->port = port;
    return berth_fail(err, BERTH_PORT_IN_USE, 0, "port %u is in use: %s %s%s%s", port,
                      berth_source_name(berth_claim_source(kind)), berth_claim_kind_name(kind),
                      claim->holder != NULL ? " of " : "",
                      claim->holder != NULL ? claim->holder : "");
}

static enum berth_code fail_exhausted(const struct berth_wish *wish,
                                      const struct berth_windows *windows,
                                      struct berth_refusal *refusal, struct berth_error *err)
{
    struct berth_port_range first = windows->at[0].range;
    struct berth_port_range last = windows->at[windows->count - 1].range;

    refusal->windows = *windows;
    if (wish->count == 1) {
        return berth_fail(err, BERTH_POOL_EXHAUSTED, 0, "no port is free in %s%s%u-%u",
                          wish->pool != NULL ? wish->pool : "", wish->pool != NULL ? " " : "",
                          first.first, last.last);
    }
    return berth_fail(err, BERTH_POOL_EXHAUSTED, 0, "no %u%s ports are free in %s%s%u-%u",
                      wish->count, wish->contiguous ? " neighbouring" : "",
                      wish->pool != NULL ? wish->pool : "", wish->pool != NULL ? " " : "",
                      first.first, last.last);
}

/* Chooses the ports of a wish for a key and holder, without taking them. */
static enum berth_code choose(const struct berth_allocator *allocator,
                              const struct berth_wish *wish, const char *key, const char *holder,
                              uint16_t *ports, struct berth_refusal *refusal,
                              struct berth_error *err)
{
    struct berth_windows windows;
    enum berth_code code = berth_policy_windows(&allocator->policy, wish, &windows, err);

    if (code != BERTH_OK) {
        return code;
    }
    if (wish->port != 0) {
        if (!berth_policy_allows(&allocator->free_set, &windows, wish->port)) {
            return berth_fail(err, BERTH_OUT_OF_RANGE, 0,
                              "port %u lies in the ephemeral range, which its pool keeps out of",
                              wish->port);
        }
        if (!may_take(allocator, wish->port, key, holder)) {
            return fail_in_use(allocator, wish->port, key, holder, refusal, err);
        }
        ports[0] = wish->port;
        return BERTH_OK;
    }
    if (wish->prefer != 0 && wish->count == 1 &&
        berth_policy_allows(&allocator->free_set, &windows, wish->prefer) &&
        may_take(allocator, wish->prefer, key, holder)) {
        ports[0] = wish->prefer;
        return BERTH_OK;
    }
    if (!berth_policy_choose(&allocator->free_set, &windows, wish->count, wish->contiguous,
                             ports)) {
        return fail_exhausted(wish, &windows, refusal, err);
    }
    return BERTH_OK;
}

enum berth_code berth_allocator_next(const struct berth_allocator *allocator,
                                     const struct berth_wish *wish, uint16_t *ports,
                                     struct berth_refusal *refusal, struct berth_error *err)
{
    enum berth_code code = check_ready(allocator, refusal, err);

    return code == BERTH_OK ? choose(allocator, wish, NULL, NULL, ports, refusal, err) : code;
}

/* ---- leases ---- */

static enum berth_code check_text(const char *what, const char *text, size_t max,
                                  struct berth_error *err)
{
    if (text == NULL) {
        return BERTH_OK;
    }
    size_t length = strlen(text);
    if (length == 0 || length > max || !berth_utf8_is_name(text)) {
        return berth_fail(err, BERTH_INVALID_PARAMS, 0,
                          "%s must be 1 to %zu bytes of UTF-8 without control characters", what,
                          max);
    }
    return BERTH_OK;
}

static enum berth_code check_holder(const char *holder, struct berth_error *err)
{
    if (holder == NULL || strcmp(holder, "any") == 0 ||
        (strncmp(holder, "site:", 5) == 0 && holder[5] != '\0') ||
        (strncmp(holder, "process:", 8) == 0 && holder[8] != '\0')) {
        return check_text("holder", holder, BERTH_LEASE_HOLDER_MAX, err);
    }
    return berth_fail(err, BERTH_INVALID_PARAMS, 0,
                      "holder is \"%s\"; \"site:NAME\", \"process:IMAGE\" or \"any\" is accepted",
                      holder);
}

static enum berth_code check_ttl(uint64_t ttl_ms, struct berth_error *err)
{
    if (ttl_ms != 0 && (ttl_ms < LEASE_TTL_MIN_MS || ttl_ms > LEASE_TTL_MAX_MS)) {
        return berth_fail(err, BERTH_INVALID_PARAMS, 0, "ttl must be 1s to 365d");
    }
    return BERTH_OK;
}

static enum berth_code check_meta(const char *meta, struct berth_error *err)
{
    if (meta != NULL && strlen(meta) > BERTH_LEASE_META_MAX) {
        return berth_fail(err, BERTH_TOO_LARGE, 0, "meta is larger than %d bytes",
                          BERTH_LEASE_META_MAX);
    }
    return BERTH_OK;
}

static enum berth_code check_request(const struct berth_allocate_request *request,
                                     struct berth_error *err)
{
    enum berth_code code = check_text("key", request->key, BERTH_LEASE_KEY_MAX, err);

    if (code == BERTH_OK) {
        code = check_text("generation", request->generation, BERTH_LEASE_GENERATION_MAX, err);
    }
    if (code == BERTH_OK) {
        code = check_holder(request->holder, err);
    }
    if (code == BERTH_OK) {
        code = check_ttl(request->ttl_ms, err);
    }
    return code == BERTH_OK ? check_meta(request->meta, err) : code;
}

static enum berth_code check_owner(const struct berth_lease *lease,
                                   const struct berth_caller *caller, struct berth_refusal *refusal,
                                   struct berth_error *err)
{
    if (caller->administrator || strcmp(lease->owner->id, caller->identity.id) == 0) {
        return BERTH_OK;
    }
    refusal->owner = lease->owner->name;
    return berth_fail(err, BERTH_DENIED, 0, "the lease of %s belongs to %s", lease->key,
                      lease->owner->name);
}

static bool is_ephemeral(const struct berth_allocator *allocator, const struct berth_lease *lease)
{
    for (unsigned i = 0; i < lease->port_count; i++) {
        if (berth_port_set_has(&allocator->free_set.ephemeral, lease->ports[i])) {
            return true;
        }
    }
    return false;
}

/* A key may ask again as often as it likes, but for the same thing. */
static enum berth_code check_same_wish(const struct berth_lease *lease,
                                       const struct berth_wish *wish, struct berth_error *err)
{
    static const char instead[] = "release it first, or use another generation";
    uint16_t first = lease->ports[0];
    uint16_t last = lease->ports[lease->port_count - 1];

    if (wish->port != 0 && (lease->port_count != 1 || first != wish->port)) {
        return berth_fail(err, BERTH_INVALID_PARAMS, 0,
                          "key %s holds port %u already and asks for %u: %s", lease->key, first,
                          wish->port, instead);
    }
    if (wish->range.last != 0 && (first < wish->range.first || last > wish->range.last)) {
        return berth_fail(err, BERTH_INVALID_PARAMS, 0,
                          "key %s holds port %u already, outside the range %u-%u asked for: %s",
                          lease->key, first < wish->range.first ? first : last, wish->range.first,
                          wish->range.last, instead);
    }
    if (wish->count != lease->port_count) {
        return berth_fail(err, BERTH_INVALID_PARAMS, 0,
                          "key %s holds %u port(s) already and asks for %u: %s", lease->key,
                          lease->port_count, wish->count, instead);
    }
    return BERTH_OK;
}

/* A key that has a lease gets it again, unless it now asks for something else. */
static enum berth_code reuse(struct berth_allocator *allocator, struct berth_lease *lease,
                             const struct berth_allocate_request *request,
                             const struct berth_caller *caller, struct berth_now now,
                             struct berth_grant *out, struct berth_refusal *refusal,
                             struct berth_error *err)
{
    const struct berth_wish *wish = &request->wish;
    enum berth_code code = check_owner(lease, caller, refusal, err);

    if (code != BERTH_OK) {
        return code;
    }
    code = check_same_wish(lease, wish, err);
    if (code != BERTH_OK) {
        return code;
    }
    uint64_t ttl_ms = request->ttl_ms != 0 ? request->ttl_ms : allocator->options.ttl_ms;
    berth_lease_book_renew(&allocator->book, lease, ttl_ms,
                           berth__allocator_lease_clock(allocator, now));
    *out = (struct berth_grant){lease, true, is_ephemeral(allocator, lease)};
    return BERTH_OK;
}

static struct berth_claim lease_claim(const struct berth_lease *lease, uint16_t port,
                                      enum berth_claim_kind kind)
{
    struct berth_claim claim = berth_claim_make(port, kind);

    claim.protocol = (uint8_t)(kind == BERTH_CLAIM_LEASE ? lease->protocol : BERTH_PROTOCOL_NONE);
    claim.holder = lease->key;
    claim.detail = kind == BERTH_CLAIM_LEASE ? lease->id : NULL;
    return claim;
}

/* Takes the lease's claims on its first `count` ports away. */
static void unclaim(struct berth_allocator *allocator, const struct berth_lease *lease,
                    unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct berth_claim claim = lease_claim(lease, lease->ports[i], BERTH_CLAIM_LEASE);
        (void)berth_ledger_take(allocator->ledger, allocator->lease_feed, &claim);
    }
}

static enum berth_code claim_ports(struct berth_allocator *allocator,
                                   const struct berth_lease *lease, struct berth_error *err)
{
    for (unsigned i = 0; i < lease->port_count; i++) {
        struct berth_claim claim = lease_claim(lease, lease->ports[i], BERTH_CLAIM_LEASE);
        enum berth_code code =
            berth_ledger_put(allocator->ledger, allocator->lease_feed, &claim, err);
        if (code != BERTH_OK) {
            unclaim(allocator, lease, i);
            return code;
        }
    }
    return BERTH_OK;
}

static enum berth_code check_quota(const struct berth_allocator *allocator,
                                   const struct berth_caller *caller, struct berth_refusal *refusal,
                                   struct berth_error *err)
{
    size_t limit = allocator->options.leases_per_user;

    if (caller->administrator ||
        berth_lease_book_count_of(&allocator->book, caller->identity.id) < limit) {
        return BERTH_OK;
    }
    refusal->limit = "leasesPerUser";
    refusal->limit_value = limit;
    return berth_fail(err, BERTH_LIMIT_REACHED, 0,
                      "%s has %zu leases already; the limit is "
                      "leasesPerUser in the configuration",
                      caller->identity.name, limit);
}

static uint64_t fresh_id(const struct berth_allocator *allocator)
{
    char text[BERTH_LEASE_ID_LENGTH + 1];
    uint64_t id;

    do {
        id = allocator->options.random(allocator->options.ctx);
        (void)snprintf(text, sizeof text, "%016llx", (unsigned long long)id);
    } while (berth_lease_book_find_id(&allocator->book, text) != NULL);
    return id;
}

/* Takes the chosen ports for the key as a new lease. */
static enum berth_code grant(struct berth_allocator *allocator,
                             const struct berth_allocate_request *request,
                             const struct berth_caller *caller, const uint16_t *ports,
                             struct berth_now now, struct berth_grant *out, struct berth_error *err)
{
    char anonymous[BERTH_LEASE_ID_LENGTH + 8];
    uint64_t id = fresh_id(allocator);
    struct berth_lease_terms terms = {
        .key = request->key,
        .generation = request->generation != NULL ? request->generation : "",
        .holder = request->holder,
        .meta = request->meta,
        .protocol = request->protocol,
        .owner = caller->identity,
        .ports = ports,
        .port_count = request->wish.count,
        .ttl_ms = request->ttl_ms != 0 ? request->ttl_ms : allocator->options.ttl_ms,
    };
    struct berth_lease *lease;

    if (terms.key == NULL) {
        (void)snprintf(anonymous, sizeof anonymous, "anon-%016llx", (unsigned long long)id);
        terms.key = anonymous;
    }
    enum berth_code code = berth_lease_book_add(&allocator->book, &terms, id,
                                                berth__allocator_lease_clock(allocator, now),
                                                now.unix_ms, &lease, err);
    if (code != BERTH_OK) {
        return code;
    }
    code = claim_ports(allocator, lease, err);
    if (code != BERTH_OK) {
        berth_lease_book_remove(&allocator->book, lease);
        return code;
    }
    *out = (struct berth_grant){lease, false, is_ephemeral(allocator, lease)};
    return BERTH_OK;
}

enum berth_code berth_allocator_allocate(struct berth_allocator *allocator,
                                         const struct berth_allocate_request *request,
                                         const struct berth_caller *caller, struct berth_now now,
                                         struct berth_grant *out, struct berth_refusal *refusal,
                                         struct berth_error *err)
{
    uint16_t ports[BERTH_PORTS_PER_LEASE_MAX];
    enum berth_code code = check_request(request, err);

    if (code == BERTH_OK) {
        code = check_ready(allocator, refusal, err);
    }
    if (code != BERTH_OK) {
        return code;
    }
    if (request->key != NULL) {
        const char *generation = request->generation != NULL ? request->generation : "";
        struct berth_lease *lease =
            berth_lease_book_find(&allocator->book, request->key, generation);
        if (lease != NULL) {
            return reuse(allocator, lease, request, caller, now, out, refusal, err);
        }
    }
    code = check_quota(allocator, caller, refusal, err);
    if (code == BERTH_OK) {
        code =
            choose(allocator, &request->wish, request->key, request->holder, ports, refusal, err);
    }
    return code == BERTH_OK ? grant(allocator, request, caller, ports, now, out, err) : code;
}

/* Finds the lease that holds a port by the lease claim on it. */
static struct berth_lease *lease_at(const struct berth_allocator *allocator, uint16_t port)
{
    struct berth_claims_at walk = berth_ledger_at(allocator->ledger, port);
    const struct berth_claim *claim = berth_claims_next(&walk);

    if (claim == NULL || claim->kind != BERTH_CLAIM_LEASE) {
        return NULL;
    }
    return berth_lease_book_find_id(&allocator->book, claim->detail);
}

enum berth_code berth_allocator_find(const struct berth_allocator *allocator, const char *id,
                                     const char *key, const char *generation, uint16_t port,
                                     struct berth_lease **out, struct berth_error *err)
{
    struct berth_lease *lease;

    if (id != NULL) {
        lease = berth_lease_book_find_id(&allocator->book, id);
    } else if (key != NULL) {
        lease = berth_lease_book_find(&allocator->book, key, generation != NULL ? generation : "");
    } else {
        lease = lease_at(allocator, port);
    }
    if (lease != NULL) {
        *out = lease;
        return BERTH_OK;
    }
    if (id != NULL) {
        return berth_fail(err, BERTH_NOT_FOUND, 0, "there is no lease %s", id);
    }
    if (key != NULL) {
        return berth_fail(err, BERTH_NOT_FOUND, 0, "key %s has no lease%s%s", key,
                          generation != NULL ? " of generation " : "",
                          generation != NULL ? generation : "");
    }
    return berth_fail(err, BERTH_NOT_FOUND, 0, "port %u is not leased", port);
}

void berth__allocator_end_lease(struct berth_allocator *allocator, struct berth_lease *lease,
                                struct berth_now now)
{
    uint64_t until_ms =
        berth__allocator_lease_clock(allocator, now) + allocator->options.cooldown_ms;

    for (unsigned i = 0; allocator->options.cooldown_ms != 0 && i < lease->port_count; i++) {
        struct berth_claim claim = lease_claim(lease, lease->ports[i], BERTH_CLAIM_COOLING);
        claim.until_ms = until_ms;
        (void)berth_ledger_put(allocator->ledger, allocator->lease_feed, &claim, NULL);
    }
    if (allocator->options.cooldown_ms != 0 && until_ms < allocator->cooling_earliest_ms) {
        allocator->cooling_earliest_ms = until_ms;
    }
    unclaim(allocator, lease, lease->port_count);
    berth_lease_book_remove(&allocator->book, lease);
}

enum berth_code berth_allocator_release(struct berth_allocator *allocator,
                                        struct berth_lease *lease,
                                        const struct berth_caller *caller, struct berth_now now,
                                        struct berth_refusal *refusal, struct berth_error *err)
{
    enum berth_code code = check_owner(lease, caller, refusal, err);

    if (code == BERTH_OK) {
        berth__allocator_end_lease(allocator, lease, now);
    }
    return code;
}

enum berth_code berth_allocator_renew(struct berth_allocator *allocator, struct berth_lease *lease,
                                      const struct berth_caller *caller, uint64_t ttl_ms,
                                      struct berth_now now, struct berth_refusal *refusal,
                                      struct berth_error *err)
{
    enum berth_code code = check_owner(lease, caller, refusal, err);

    if (code == BERTH_OK) {
        code = check_ttl(ttl_ms, err);
    }
    if (code == BERTH_OK) {
        berth_lease_book_renew(&allocator->book, lease,
                               ttl_ms != 0 ? ttl_ms : allocator->options.ttl_ms,
                               berth__allocator_lease_clock(allocator, now));
    }
    return code;
}

int64_t berth_allocator_expires_unix_ms(const struct berth_allocator *allocator,
                                        const struct berth_lease *lease, struct berth_now now)
{
    uint64_t clock_ms = berth__allocator_lease_clock(allocator, now);
    uint64_t left_ms = lease->expires_ms > clock_ms ? lease->expires_ms - clock_ms : 0;

    return now.unix_ms + (int64_t)left_ms;
}
