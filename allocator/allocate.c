/* SPDX-License-Identifier: MIT */
/* What is asked of the allocator about leases: allocate, find, release, renew, hand over. */
#include "allocator_private.h"
#include "base/utf8.h"
#include "holder.h"

#include <stdio.h>
#include <string.h>

#define LEASE_TTL_MIN_MS 1000ULL
#define LEASE_TTL_MAX_MS (365ULL * 24 * 3600 * 1000)

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

/* A site's port is http.sys's to bind: a socket on it would stand in its way. */
static enum berth_code check_hold(const struct berth_allocate_request *request,
                                  struct berth_error *err)
{
    if (request->hold && (request->holder == NULL || berth_holder_site(request->holder) != NULL)) {
        return berth_fail(err, BERTH_INVALID_PARAMS, 0,
                          "hold goes with the holder process:IMAGE or any, not with %s",
                          request->holder != NULL ? "a site" : "an IIS binding, the default");
    }
    return BERTH_OK;
}

enum berth_code berth__allocator_check_request(const struct berth_allocate_request *request,
                                               struct berth_error *err)
{
    enum berth_code code = check_text("key", request->key, BERTH_LEASE_KEY_MAX, err);

    if (code == BERTH_OK) {
        code = check_text("generation", request->generation, BERTH_LEASE_GENERATION_MAX, err);
    }
    if (code == BERTH_OK) {
        code = berth_holder_check(request->holder, err);
    }
    if (code == BERTH_OK) {
        code = check_text("holder", request->holder, BERTH_LEASE_HOLDER_MAX, err);
    }
    if (code == BERTH_OK) {
        code = check_ttl(request->ttl_ms, err);
    }
    if (code == BERTH_OK) {
        code = check_hold(request, err);
    }
    if (code == BERTH_OK && request->keep != 0 &&
        (request->key == NULL || request->generation == NULL)) {
        code = berth_fail(err, BERTH_INVALID_PARAMS, 0,
                          "keep goes with a key and a generation: it says how many to keep");
    }
    return code == BERTH_OK ? check_meta(request->meta, err) : code;
}

static bool may_end(const struct berth_caller *caller, const struct berth_lease *lease)
{
    const char *group = lease->owner->group;

    return caller->administrator || strcmp(lease->owner->id, caller->identity.id) == 0 ||
           (group[0] != '\0' && caller->in_group != NULL && caller->in_group(caller->ctx, group));
}

static enum berth_code check_owner(const struct berth_lease *lease,
                                   const struct berth_caller *caller, struct berth_refusal *refusal,
                                   struct berth_error *err)
{
    if (may_end(caller, lease)) {
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
    if (wish->contiguous && last - first + 1 != (int)lease->port_count) {
        return berth_fail(err, BERTH_INVALID_PARAMS, 0,
                          "key %s holds ports that are no neighbours and asks for neighbours: %s",
                          lease->key, instead);
    }
    return BERTH_OK;
}

/* Guarantees a lease for ttl from now. A restart guarantees the whole ttl anew: only another ttl is
 * a change that must be made durable. */
static enum berth_code extend(struct berth_allocator *allocator, struct berth_lease *lease,
                              uint64_t ttl_ms, struct berth_now now, struct berth_error *err)
{
    const struct berth_lease_change change = {.lease = lease,
                                              .state = lease->state,
                                              .event = BERTH_LEASE_EVENT_RENEWED,
                                              .by = allocator->asked_by,
                                              .unix_ms = now.unix_ms};
    uint64_t old_ttl_ms = lease->ttl_ms;

    lease->ttl_ms = ttl_ms != 0 ? ttl_ms : allocator->options.ttl_ms;
    if (lease->ttl_ms != old_ttl_ms) {
        enum berth_code code = berth__allocator_keep(allocator, &change, err);
        if (code != BERTH_OK) {
            lease->ttl_ms = old_ttl_ms;
            return code;
        }
    }
    berth_lease_book_renew(&allocator->book, lease, lease->ttl_ms,
                           berth__allocator_lease_clock(allocator, now));
    berth__allocator_tell(allocator, lease, BERTH_LEASE_EVENT_RENEWED);
    return BERTH_OK;
}

/* A live lease is its key's again, for ttl from now. */
static enum berth_code reuse(struct berth_allocator *allocator, struct berth_lease *lease,
                             const struct berth_allocate_request *request, struct berth_now now,
                             struct berth_grant *out, struct berth_error *err)
{
    enum berth_code code = check_same_wish(lease, &request->wish, err);

    if (code == BERTH_OK) {
        code = extend(allocator, lease, request->ttl_ms, now, err);
    }
    if (code != BERTH_OK) {
        return code;
    }
    out->lease = lease;
    out->reused = true;
    out->ephemeral = is_ephemeral(allocator, lease);
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

uint64_t berth__allocator_fresh_id(const struct berth_allocator *allocator)
{
    char text[BERTH_LEASE_ID_LENGTH + 1];
    uint64_t id;

    do {
        id = allocator->options.random(allocator->options.ctx);
        (void)snprintf(text, sizeof text, "%016llx", (unsigned long long)id);
    } while (berth_lease_book_find_id(&allocator->book, text) != NULL);
    return id;
}

/* Takes the chosen ports for the key as a new lease, in the place of another (`before`; NULL:
 * none), which its caller then forgets. */
static enum berth_code grant(struct berth_allocator *allocator,
                             const struct berth_allocate_request *request,
                             const struct berth_caller *caller, const uint16_t *ports,
                             const struct berth_lease *before, enum berth_lease_event event,
                             struct berth_now now, struct berth_lease **out,
                             struct berth_error *err)
{
    char anonymous[sizeof BERTH_LEASE_ANONYMOUS_PREFIX + BERTH_LEASE_ID_LENGTH];
    uint64_t id = berth__allocator_fresh_id(allocator);
    struct berth_lease_terms terms = {
        .key = request->key,
        .generation = request->generation != NULL ? request->generation : "",
        .anonymous = request->key == NULL,
        .holder = request->holder,
        .meta = request->meta,
        .protocol = request->protocol,
        .owner = caller->identity,
        .ports = ports,
        .port_count = request->wish.count,
        .ttl_ms = request->ttl_ms != 0 ? request->ttl_ms : allocator->options.ttl_ms,
        .hold = request->hold,
    };
    struct berth_lease *had[BERTH_PORTS_PER_LEASE_MAX];
    struct berth_lease *lease;

    for (unsigned i = 0; i < terms.port_count; i++) {
        had[i] = berth_lease_book_at(&allocator->book, ports[i]);
    }
    if (terms.anonymous) {
        (void)snprintf(anonymous, sizeof anonymous, BERTH_LEASE_ANONYMOUS_PREFIX "%016llx",
                       (unsigned long long)id);
        terms.key = anonymous;
    }
    enum berth_code code = berth_lease_book_add(&allocator->book, &terms, id,
                                                berth__allocator_lease_clock(allocator, now),
                                                now.unix_ms, &lease, err);
    if (code != BERTH_OK) {
        return code;
    }
    code = berth__allocator_claim_ports(allocator, lease, err);
    if (code == BERTH_OK) {
        const struct berth_lease_change change = {.lease = lease,
                                                  .state = lease->state,
                                                  .event = event,
                                                  .replaced = before,
                                                  .by = allocator->asked_by,
                                                  .unix_ms = now.unix_ms};
        code = berth__allocator_keep(allocator, &change, err);
        if (code != BERTH_OK) {
            berth__allocator_unclaim(allocator, lease, lease->port_count);
        }
    }
    if (code != BERTH_OK) {
        berth_lease_book_remove(&allocator->book, lease);
        for (unsigned i = 0; i < terms.port_count; i++) {
            berth_lease_book_put_back(&allocator->book, had[i], ports[i]);
        }
        return code;
    }
    *out = lease;
    return BERTH_OK;
}

/* Finds the oldest generation of a key that is the caller's, and how many newer ones there are,
 * whosever they are. */
static struct berth_lease *oldest_of_caller(const struct berth_allocator *allocator,
                                            const char *key, const struct berth_caller *caller,
                                            size_t *newer)
{
    struct berth_lease *oldest = NULL;
    struct berth_lease *each = NULL;

    while ((each = berth_lease_book_next_generation(&allocator->book, key, each)) != NULL) {
        if ((oldest == NULL || each->serial < oldest->serial) && may_end(caller, each)) {
            oldest = each;
        }
    }
    *newer = 0;
    while (oldest != NULL &&
           (each = berth_lease_book_next_generation(&allocator->book, key, each)) != NULL) {
        *newer += each->serial > oldest->serial;
    }
    return oldest;
}

/* Releases the generations of a key that are not among the newest `keep`, where they are the
 * caller's. One that the store refuses to release stays, and goes with the next new generation. */
static void release_old_generations(struct berth_allocator *allocator, const char *key,
                                    unsigned keep, const struct berth_caller *caller,
                                    struct berth_now now)
{
    enum berth_code code = BERTH_OK;

    while (code == BERTH_OK) {
        size_t newer;
        struct berth_lease *oldest = oldest_of_caller(allocator, key, caller, &newer);
        if (oldest == NULL || newer < keep) {
            return; /* the new one, at the latest, has none that is newer */
        }
        code = berth__allocator_end(allocator, oldest, BERTH_LEASE_GIVEN_BACK, true, now, NULL);
    }
}

/* Finds the lowest port in one state that is the site's to take. */
static bool find_site_port(const struct berth_allocator *allocator,
                           const struct berth_allocate_request *request,
                           const struct berth_windows *windows, enum berth_port_state state,
                           uint16_t *out)
{
    const struct berth_port_set *set = &allocator->free_set.ports[state];
    uint16_t port;

    for (size_t i = 0; i < windows->count; i++) {
        struct berth_port_range range = windows->at[i].range;
        while (berth_port_set_next(set, range, &port)) {
            if (berth__allocator_is_site_of(allocator, port, request->holder, request->protocol)) {
                *out = port;
                return true;
            }
            if (port == range.last) {
                break;
            }
            range.first = (uint16_t)(port + 1);
        }
    }
    return false;
}

/* Finds a binding of the holder's site in the windows that no lease has, or only an adopted one: a
 * site that was there before Berth keeps its port, whether or not it was adopted meanwhile. */
static bool find_adoptable(const struct berth_allocator *allocator,
                           const struct berth_allocate_request *request, uint16_t *port)
{
    struct berth_windows windows;
    const struct berth_wish *wish = &request->wish;
    bool asks = request->key != NULL && request->generation == NULL && wish->count == 1 &&
                wish->port == 0 && wish->prefer == 0 && berth_holder_site(request->holder) != NULL;
    uint16_t leased;

    if (!asks || berth_policy_windows(&allocator->policy, wish, &windows, NULL) != BERTH_OK) {
        return false;
    }
    bool found = find_site_port(allocator, request, &windows, BERTH_PORT_IIS, port);
    if (find_site_port(allocator, request, &windows, BERTH_PORT_LEASED, &leased) &&
        (!found || leased < *port)) {
        *port = leased;
        return true;
    }
    return found;
}

enum berth_code berth__allocator_take(struct berth_allocator *allocator,
                                      const struct berth_allocate_request *request,
                                      const struct berth_caller *caller, const uint16_t *ports,
                                      struct berth_lease *before, enum berth_lease_event event,
                                      struct berth_now now, struct berth_lease **out,
                                      struct berth_error *err)
{
    enum berth_code code = grant(allocator, request, caller, ports, before, event, now, out, err);

    if (code != BERTH_OK) {
        return code;
    }
    berth__allocator_tell(allocator, *out, event);
    if (before == NULL) {
        return BERTH_OK;
    }
    if (berth_lease_state_is_live(before->state)) {
        berth__allocator_unclaim(allocator, before, before->port_count);
        (void)berth_lease_book_move(&allocator->book, before, BERTH_LEASE_GIVEN_BACK,
                                    berth__allocator_lease_clock(allocator, now), 0);
        berth__allocator_tell(allocator, before, BERTH_LEASE_EVENT_RELEASED);
    }
    berth_lease_book_remove(&allocator->book, before); /* the store has heard of it */
    return BERTH_OK;
}

/* Chooses ports for a key that has no live lease, or a lost one: the port that its site has
 * already, the ports that it had before, or new ones. A live lease in whose place the new one comes
 * is put into `before`. */
static enum berth_code choose(struct berth_allocator *allocator,
                              const struct berth_allocate_request *request,
                              const struct berth_caller *caller, struct berth_lease **before,
                              struct berth_now now, struct berth_grant *out, uint16_t *ports,
                              struct berth_refusal *refusal, struct berth_error *err)
{
    bool in_place = out->lost_port != 0; /* what takes the place of a lease is not one more */
    enum berth_code code = BERTH_OK;
    struct berth_lease *at = NULL;

    out->adopted = *before == NULL && find_adoptable(allocator, request, ports);
    if (out->adopted) {
        at = berth_lease_book_at(&allocator->book, ports[0]);
        at = at != NULL && berth_lease_state_is_live(at->state) ? at : NULL;
        in_place = at != NULL && strcmp(at->owner->id, caller->identity.id) == 0;
    }
    if (!in_place) {
        code = check_quota(allocator, caller, refusal, err);
    }
    if (code == BERTH_OK && !out->adopted) {
        code = berth__allocator_choose_tried(
            allocator, request, out->lost_port == 0 ? *before : NULL, now, ports, refusal, err);
    }
    *before = at != NULL ? at : *before;
    return code;
}

/* Gives a key that has no live lease, or a lost one, a new one. */
static enum berth_code give(struct berth_allocator *allocator, struct berth_lease *before,
                            const struct berth_allocate_request *request,
                            const struct berth_caller *caller, struct berth_now now,
                            struct berth_grant *out, struct berth_refusal *refusal,
                            struct berth_error *err)
{
    uint16_t ports[BERTH_PORTS_PER_LEASE_MAX];
    struct berth_lease *lease;
    enum berth_code code =
        choose(allocator, request, caller, &before, now, out, ports, refusal, err);

    if (code == BERTH_OK) {
        code = berth__allocator_take(
            allocator, request, caller, ports, before,
            out->adopted ? BERTH_LEASE_EVENT_ADOPTED : BERTH_LEASE_EVENT_GRANTED, now, &lease, err);
    }
    if (code != BERTH_OK) {
        return code;
    }
    if (request->keep != 0) {
        release_old_generations(allocator, request->key, request->keep, caller, now);
    }
    berth__allocator_look_at(allocator, lease, now);
    out->lease = lease;
    out->ephemeral = is_ephemeral(allocator, lease);
    return BERTH_OK;
}

/* Only adoption and import make leases of such keys: they give way to their site. */
static enum berth_code check_not_adopted(const char *key, struct berth_error *err)
{
    if (key != NULL && berth_lease_key_is_adopted(key)) {
        return berth_fail(err, BERTH_INVALID_PARAMS, 0,
                          "key is \"%.80s\": keys that begin with \"" BERTH_LEASE_ADOPTED_PREFIX
                          "\" are those of adopted leases; any other is accepted",
                          key);
    }
    return BERTH_OK;
}

enum berth_code berth_allocator_allocate(struct berth_allocator *allocator,
                                         const struct berth_allocate_request *request,
                                         const struct berth_caller *caller, struct berth_now now,
                                         struct berth_grant *out, struct berth_refusal *refusal,
                                         struct berth_error *err)
{
    struct berth_lease *lease = NULL;
    enum berth_code code = berth__allocator_check_request(request, err);

    berth__allocator_enter(allocator, now, caller->identity.name);
    *out = (struct berth_grant){.lease = NULL};
    if (code == BERTH_OK) {
        code = check_not_adopted(request->key, err);
    }
    if (code == BERTH_OK) {
        code = berth__allocator_check_ready(allocator, refusal, err);
    }
    if (code != BERTH_OK) {
        return code;
    }
    if (request->key != NULL) {
        lease = berth_lease_book_find(&allocator->book, request->key,
                                      request->generation != NULL ? request->generation : "");
    }
    if (lease != NULL && berth_lease_state_is_live(lease->state)) {
        code = check_owner(lease, caller, refusal, err);
        if (code != BERTH_OK) {
            return code;
        }
        /* a pending one whose port somebody else uses by now is lost: its key gets another */
        if (lease->state != BERTH_LEASE_PENDING ||
            !berth__allocator_is_lost(allocator, lease, &out->lost_port)) {
            out->lost_port = 0;
            return reuse(allocator, lease, request, now, out, err);
        }
    }
    return give(allocator, lease, request, caller, now, out, refusal, err);
}

static enum berth_code fail_no_lease_of(const struct berth_allocator *allocator, const char *key,
                                        const char *generation, struct berth_error *err)
{
    struct berth_lease *each = NULL;
    size_t others = 0;

    while ((each = berth_lease_book_next_generation(&allocator->book, key, each)) != NULL) {
        others++;
    }
    if (generation != NULL) {
        return berth_fail(err, BERTH_NOT_FOUND, 0, "key %s has no lease of generation %s", key,
                          generation);
    }
    if (others > 0) {
        return berth_fail(err, BERTH_NOT_FOUND, 0,
                          "key %s has no lease without a generation; it has %zu with one: name the "
                          "generation",
                          key, others);
    }
    return berth_fail(err, BERTH_NOT_FOUND, 0, "key %s has no lease", key);
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
        lease = berth_lease_book_at(&allocator->book, port);
    }
    if (lease != NULL && berth_lease_state_is_live(lease->state)) {
        *out = lease;
        return BERTH_OK;
    }
    if (id != NULL) {
        return berth_fail(err, BERTH_NOT_FOUND, 0, "there is no lease %s", id);
    }
    return key != NULL ? fail_no_lease_of(allocator, key, generation, err)
                       : berth_fail(err, BERTH_NOT_FOUND, 0, "port %u is not leased", port);
}

enum berth_code berth_allocator_release(struct berth_allocator *allocator,
                                        struct berth_lease *lease,
                                        const struct berth_caller *caller, struct berth_now now,
                                        struct berth_refusal *refusal, struct berth_error *err)
{
    enum berth_code code = check_owner(lease, caller, refusal, err);

    berth__allocator_enter(allocator, now, caller->identity.name);
    return code == BERTH_OK
               ? berth__allocator_end(allocator, lease, BERTH_LEASE_GIVEN_BACK, true, now, err)
               : code;
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
    berth__allocator_enter(allocator, now, caller->identity.name);
    return code == BERTH_OK ? extend(allocator, lease, ttl_ms, now, err) : code;
}

enum berth_code berth_allocator_hand_over(struct berth_allocator *allocator,
                                          struct berth_lease *lease,
                                          const struct berth_caller *caller, struct berth_now now,
                                          struct berth_refusal *refusal, struct berth_error *err)
{
    const struct berth_lease_change change = {.lease = lease,
                                              .state = lease->state,
                                              .event = BERTH_LEASE_EVENT_HANDED_OVER,
                                              .by = caller->identity.name,
                                              .unix_ms = now.unix_ms};
    enum berth_code code = check_owner(lease, caller, refusal, err);

    berth__allocator_enter(allocator, now, caller->identity.name);
    if (code != BERTH_OK || !lease->hold) {
        return code;
    }
    lease->hold = false;
    code = berth__allocator_keep(allocator, &change, err);
    if (code != BERTH_OK) {
        lease->hold = true;
        return code;
    }
    berth__allocator_tell(allocator, lease, BERTH_LEASE_EVENT_HANDED_OVER);
    return BERTH_OK;
}
