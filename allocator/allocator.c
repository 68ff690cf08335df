/* SPDX-License-Identifier: MIT */
#include "allocator_private.h"
#include "base/memory.h"

#define CONFLICT_PORTS_A_TICK 65536U /* a call is bounded by the claims it looks at */

/* ---- changes ---- */

static bool is_free(const struct berth_allocator *allocator, uint16_t port)
{
    return berth_free_set_state(&allocator->free_set, port) == BERTH_PORT_FREE;
}

static void tell_port(const struct berth_allocator *allocator, uint16_t port,
                      const struct berth_claim *claim)
{
    if (allocator->options.port != NULL) {
        allocator->options.port(allocator->options.ctx, port, claim);
    }
}

/* A claim's kind never changes, so that only its coming and going can change its port's state. */
static void on_change(void *ctx, const struct berth_change *change)
{
    struct berth_allocator *allocator = ctx;

    allocator->revision++;
    berth__allocator_note_change(allocator, change);
    berth_conflict_watch_note(allocator->conflict_watch, change, allocator->now_ms);
    if (change->type == BERTH_CHANGE_APPEARED) {
        bool was_free = is_free(allocator, change->after->port);
        berth_free_set_add(&allocator->free_set, change->after);
        if (was_free) {
            tell_port(allocator, change->after->port, change->after);
        }
    } else if (change->type == BERTH_CHANGE_VANISHED) {
        berth_free_set_update(&allocator->free_set, allocator->ledger, change->before->port);
        if (is_free(allocator, change->before->port)) {
            tell_port(allocator, change->before->port, NULL);
        }
    }
}

static enum berth_code add_own_feeds(struct berth_allocator *allocator, struct berth_error *err)
{
    const struct {
        struct berth_feed_options options;
        unsigned *number;
    } feeds[] = {
        {{.source = BERTH_SOURCE_LEASE, .name = "leases"}, &allocator->lease_feed},
        {{.source = BERTH_SOURCE_RESERVED, .name = "configuration"}, &allocator->reserved_feed},
        {{.source = BERTH_SOURCE_TCP, .name = "bind probe", .linger_ms = BERTH_PROBE_IN_USE_MS},
         &allocator->probe_tcp_feed},
        {{.source = BERTH_SOURCE_EXCLUDED,
          .name = "bind probe",
          .linger_ms = BERTH_PROBE_FORBIDDEN_MS},
         &allocator->probe_excluded_feed},
    };
    enum berth_code code = BERTH_OK;

    for (size_t i = 0; i < BERTH_COUNT(feeds) && code == BERTH_OK; i++) {
        code = berth_ledger_add_feed(allocator->ledger, &feeds[i].options, feeds[i].number, err);
        if (code == BERTH_OK) {
            berth_ledger_set_ready(allocator->ledger, *feeds[i].number, true,
                                   allocator->options.started_ms);
        }
    }
    return code;
}

/* ---- conflicts ---- */

static void on_conflict_opened(void *ctx, const struct berth_conflict_entry *entry)
{
    struct berth_allocator *allocator = ctx;

    allocator->revision++;
    if (allocator->options.conflict != NULL) {
        allocator->options.conflict(allocator->options.ctx, entry, true);
    }
}

static void on_conflict_closed(void *ctx, const struct berth_conflict_entry *entry, int64_t unix_ms)
{
    struct berth_allocator *allocator = ctx;

    (void)unix_ms;
    allocator->revision++;
    if (allocator->options.conflict != NULL) {
        allocator->options.conflict(allocator->options.ctx, entry, false);
    }
}

static bool lease_of_port(void *ctx, uint16_t port, struct berth_conflict_lease *out)
{
    const struct berth_allocator *allocator = ctx;
    const struct berth_lease *lease = berth_lease_book_at(&allocator->book, port);

    if (lease == NULL || !berth_lease_state_is_live(lease->state)) {
        return false;
    }
    *out = (struct berth_conflict_lease){lease->id, lease->holder, lease->protocol};
    return true;
}

static enum berth_code watch_conflicts(struct berth_allocator *allocator, struct berth_error *err)
{
    const struct berth_conflict_observer observer = {on_conflict_opened, on_conflict_closed,
                                                     allocator};
    const struct berth_conflict_watch_options options = {
        .ledger = allocator->ledger,
        .book = &allocator->conflicts,
        .lease = lease_of_port,
        .ctx = allocator,
    };

    berth_conflict_book_init(&allocator->conflicts, allocator->options.debounce_ms, &observer);
    return berth_conflict_watch_create(&allocator->conflict_watch, &options,
                                       allocator->options.started_ms, err);
}

/* ---- making ---- */

enum berth_code berth_allocator_create(struct berth_allocator **out,
                                       const struct berth_allocator_options *options,
                                       struct berth_error *err)
{
    struct berth_allocator *allocator = berth_alloc(1, sizeof *allocator);
    enum berth_code code;

    if (allocator == NULL) {
        return berth_fail_memory(err, "the allocator");
    }
    allocator->options = *options;
    allocator->now_ms = options->started_ms;
    allocator->revision = options->revision;
    allocator->cooling_earliest_ms = BERTH_NEVER;
    allocator->lease_clock_runs = true;
    allocator->all_heard = true;
    berth_free_set_init(&allocator->free_set);
    berth_lease_book_init(&allocator->book, options->seed);
    const struct berth_ledger_observer observer = {on_change, allocator};
    code = berth_ledger_create(&allocator->ledger, &observer, options->seed, err);
    if (code == BERTH_OK) {
        code = watch_conflicts(allocator, err);
    }
    if (code == BERTH_OK) {
        code = add_own_feeds(allocator, err);
    }
    if (code != BERTH_OK) {
        berth_allocator_destroy(allocator);
        return code;
    }
    *out = allocator;
    return BERTH_OK;
}

void berth_allocator_destroy(struct berth_allocator *allocator)
{
    if (allocator == NULL) {
        return;
    }
    berth_conflict_watch_destroy(allocator->conflict_watch);
    berth_conflict_book_fini(&allocator->conflicts);
    berth_ledger_destroy(allocator->ledger);
    berth_lease_book_fini(&allocator->book);
    berth_policy_fini(&allocator->policy);
    berth_sources_fini(&allocator->sources);
    berth_free(allocator);
}

/* ---- settings ---- */

void berth_allocator_set_options(struct berth_allocator *allocator,
                                 const struct berth_allocator_options *options)
{
    allocator->options.ttl_ms = options->ttl_ms;
    allocator->options.linger_ms = options->linger_ms;
    allocator->options.cooldown_ms = options->cooldown_ms;
    allocator->options.leases_per_user = options->leases_per_user;
    allocator->options.debounce_ms = options->debounce_ms;
    allocator->options.probe = options->probe;
    berth_conflict_book_set_debounce(&allocator->conflicts, options->debounce_ms);
    for (unsigned i = 0; i < BERTH_SOURCES_MAX; i++) {
        const struct berth_source_entry *entry = &allocator->sources.at[i];
        for (unsigned f = 0; entry->source == BERTH_SOURCE_IIS && f < entry->feed_count; f++) {
            berth_ledger_set_linger(allocator->ledger, entry->feeds[f], options->linger_ms);
        }
    }
}

enum berth_code berth_allocator_set_pools(struct berth_allocator *allocator,
                                          const struct berth_pool *pools, size_t count,
                                          struct berth_error *err)
{
    return berth_policy_set_pools(&allocator->policy, pools, count, err);
}

enum berth_code berth_allocator_set_reserved(struct berth_allocator *allocator,
                                             const struct berth_claim *claims, size_t count,
                                             struct berth_now now, struct berth_error *err)
{
    return berth_ledger_apply(allocator->ledger, allocator->reserved_feed, claims, count, now.ms,
                              err);
}

void berth_allocator_set_ephemeral(struct berth_allocator *allocator,
                                   const struct berth_port_set *ephemeral)
{
    berth_free_set_set_ephemeral(&allocator->free_set, ephemeral);
}

void berth__allocator_enter(struct berth_allocator *allocator, struct berth_now now,
                            const char *asked_by)
{
    allocator->now_ms = now.ms;
    allocator->asked_by = asked_by;
}

/* ---- the leases' clock ---- */

uint64_t berth__allocator_lease_clock(const struct berth_allocator *allocator, struct berth_now now)
{
    return allocator->lease_clock_ms +
           (allocator->lease_clock_runs ? now.ms - allocator->lease_clock_since_ms : 0);
}

/* Stops or starts the clock, by whether every source is current, and looks at the leases when more
 * is known than before. */
static void follow_sources(struct berth_allocator *allocator, struct berth_now now)
{
    bool runs = berth_sources_all_current(&allocator->sources);
    bool heard = berth_sources_waiting(&allocator->sources) == NULL;
    bool better = (runs && !allocator->lease_clock_runs) || (heard && !allocator->all_heard);

    if (runs != allocator->lease_clock_runs) {
        allocator->lease_clock_ms = berth__allocator_lease_clock(allocator, now);
        allocator->lease_clock_since_ms = now.ms;
        allocator->lease_clock_runs = runs;
    }
    allocator->all_heard = heard;
    if (better) {
        berth__allocator_settle_all(allocator, now);
    }
}

/* ---- sources ---- */

static enum berth_code add_feeds(struct berth_allocator *allocator, unsigned number,
                                 const char *const *feeds, unsigned feed_count,
                                 struct berth_error *err)
{
    struct berth_source_entry *entry = &allocator->sources.at[number];

    for (unsigned i = 0; i < feed_count; i++) {
        const struct berth_feed_options options = {
            .source = entry->source,
            .name = feeds[i],
            .linger_ms = entry->source == BERTH_SOURCE_IIS ? allocator->options.linger_ms : 0,
        };
        unsigned feed;
        enum berth_code code = berth_ledger_add_feed(allocator->ledger, &options, &feed, err);
        if (code != BERTH_OK) {
            return code;
        }
        entry->feeds[entry->feed_count++] = (uint8_t)feed;
    }
    return BERTH_OK;
}

enum berth_code berth_allocator_add_source(struct berth_allocator *allocator,
                                           enum berth_source source, const char *name,
                                           const char *const *feeds, unsigned feed_count,
                                           struct berth_now now, unsigned *out,
                                           struct berth_error *err)
{
    unsigned number;
    enum berth_code code =
        berth_sources_add(&allocator->sources, source, name, now.unix_ms, &number, err);

    if (code != BERTH_OK) {
        return code;
    }
    code = add_feeds(allocator, number, feeds, feed_count, err);
    if (code != BERTH_OK) {
        berth_allocator_remove_source(allocator, number, now);
        return code;
    }
    follow_sources(allocator, now);
    *out = number;
    return BERTH_OK;
}

void berth_allocator_remove_source(struct berth_allocator *allocator, unsigned source,
                                   struct berth_now now)
{
    struct berth_source_entry *entry = &allocator->sources.at[source];

    berth__allocator_enter(allocator, now, NULL);
    for (unsigned i = 0; i < entry->feed_count; i++) {
        berth_ledger_remove_feed(allocator->ledger, entry->feeds[i]);
    }
    berth_sources_remove(&allocator->sources, source);
    follow_sources(allocator, now);
    berth__allocator_settle(allocator, now);
}

enum berth_code berth_allocator_report(struct berth_allocator *allocator, unsigned source,
                                       unsigned feed, const struct berth_claim *claims,
                                       size_t count, struct berth_now now, struct berth_error *err)
{
    struct berth_source_entry *entry = &allocator->sources.at[source];

    berth__allocator_enter(allocator, now, NULL);
    enum berth_code code =
        berth_ledger_apply(allocator->ledger, entry->feeds[feed], claims, count, now.ms, err);

    if (code == BERTH_OK) {
        entry->snapshot_ms = now.ms;
        berth__allocator_settle(allocator, now);
    }
    return code;
}

enum berth_code berth_allocator_report_busy(struct berth_allocator *allocator, unsigned source,
                                            unsigned feed, const struct berth_claim *claim,
                                            struct berth_now now, struct berth_error *err)
{
    allocator->now_ms = now.ms;
    enum berth_code code =
        berth_ledger_put(allocator->ledger, allocator->sources.at[source].feeds[feed], claim, err);

    if (code == BERTH_OK) {
        berth__allocator_settle(allocator, now);
    }
    return code;
}

bool berth_allocator_report_state(struct berth_allocator *allocator, unsigned source,
                                  enum berth_source_state state, const char *reason,
                                  struct berth_now now)
{
    const struct berth_source_entry *entry = &allocator->sources.at[source];

    berth__allocator_enter(allocator, now, NULL);
    for (unsigned i = 0; i < entry->feed_count; i++) {
        berth_ledger_set_ready(allocator->ledger, entry->feeds[i],
                               berth_source_state_is_current(state), now.ms);
    }
    bool changed = berth_sources_set_state(&allocator->sources, source, state, reason, now.unix_ms);
    follow_sources(allocator, now);
    return changed;
}

int64_t berth_allocator_expires_unix_ms(const struct berth_allocator *allocator,
                                        const struct berth_lease *lease, struct berth_now now)
{
    uint64_t clock_ms = berth__allocator_lease_clock(allocator, now);

    if (lease->ends_ms == BERTH_LEASE_NO_END) {
        return -1;
    }
    return now.unix_ms + (int64_t)(lease->ends_ms > clock_ms ? lease->ends_ms - clock_ms : 0);
}

int64_t berth_allocator_claim_ends_unix_ms(const struct berth_allocator *allocator,
                                           const struct berth_claim *claim, struct berth_now now)
{
    uint64_t clock_ms = berth__allocator_lease_clock(allocator, now);
    uint64_t left_ms = claim->until_ms > clock_ms ? claim->until_ms - clock_ms : 0;

    if (claim->kind != BERTH_CLAIM_COOLING) {
        left_ms = berth_ledger_lingers_for_ms(allocator->ledger, claim, now.ms);
    }
    return now.unix_ms + (int64_t)left_ms;
}

uint32_t berth_allocator_count(const struct berth_allocator *allocator,
                               const struct berth_windows *windows, enum berth_port_state state)
{
    uint32_t count = 0;

    for (size_t i = 0; i < windows->count; i++) {
        count += berth_port_set_count(&allocator->free_set.ports[state], windows->at[i].range);
    }
    return count;
}

/* ---- time ---- */

/* Ends the cool-downs of a port that are over: it can have several, of a key and of one that took
 * the port over from its site meanwhile. */
static void end_cooling(struct berth_allocator *allocator, uint16_t port, uint64_t clock_ms)
{
    struct berth_claims_at walk = berth_ledger_at(allocator->ledger, port);
    const struct berth_claim *claim;

    while ((claim = berth_claims_next(&walk)) != NULL) {
        if (claim->kind != BERTH_CLAIM_COOLING) {
            continue;
        }
        if (claim->until_ms <= clock_ms) {
            struct berth_claim over = *claim;
            (void)berth_ledger_take(allocator->ledger, allocator->lease_feed, &over);
            walk = berth_ledger_at(allocator->ledger, port); /* the ledger changed */
        } else if (claim->until_ms < allocator->cooling_earliest_ms) {
            allocator->cooling_earliest_ms = claim->until_ms;
        }
    }
}

static void expire_cooling(struct berth_allocator *allocator, uint64_t clock_ms)
{
    if (allocator->cooling_earliest_ms > clock_ms) {
        return;
    }
    allocator->cooling_earliest_ms = BERTH_NEVER;
    for (uint32_t port = 1; port <= 65535; port++) {
        if (berth_free_set_state(&allocator->free_set, (uint16_t)port) != BERTH_PORT_FREE) {
            end_cooling(allocator, (uint16_t)port, clock_ms);
        }
    }
}

struct expiry {
    struct berth_allocator *allocator;
    struct berth_now now;
};

static void expire_lease(void *ctx, struct berth_lease *lease)
{
    const struct expiry *expiry = ctx;

    (void)berth__allocator_end(expiry->allocator, lease, BERTH_LEASE_TIME_UP, true, expiry->now,
                               NULL);
}

/* When a deadline of the leases' clock comes on the monotonic one. */
static uint64_t due_of(const struct berth_allocator *allocator, uint64_t deadline_ms,
                       uint64_t clock_ms, struct berth_now now)
{
    if (deadline_ms == BERTH_NEVER || !allocator->lease_clock_runs) {
        return BERTH_NEVER;
    }
    return now.ms + (deadline_ms > clock_ms ? deadline_ms - clock_ms : 0);
}

uint64_t berth_allocator_tick(struct berth_allocator *allocator, struct berth_now now)
{
    uint64_t clock_ms = berth__allocator_lease_clock(allocator, now);

    berth__allocator_enter(allocator, now, NULL);
    uint64_t next_ms = berth_ledger_expire(allocator->ledger, now.ms);
    struct expiry expiry = {allocator, now};

    /* what came due just before a source went stale waits with the rest */
    if (allocator->lease_clock_runs) {
        berth_lease_book_end_due(&allocator->book, clock_ms, expire_lease, &expiry);
        expire_cooling(allocator, clock_ms);
    }
    /* what memory is lacking for is looked at again the next time */
    (void)berth_conflict_watch_work(allocator->conflict_watch, CONFLICT_PORTS_A_TICK, now.ms,
                                    now.unix_ms, NULL);
    uint64_t leases_ms = due_of(allocator, allocator->book.earliest_ms, clock_ms, now);
    uint64_t cooling_ms = due_of(allocator, allocator->cooling_earliest_ms, clock_ms, now);
    next_ms = leases_ms < next_ms ? leases_ms : next_ms;
    return cooling_ms < next_ms ? cooling_ms : next_ms;
}
