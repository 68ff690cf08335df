/* SPDX-License-Identifier: MIT */
#include "conflict_watch.h"

#include "base/memory.h"

#include <string.h>

#define PORTS 65536
#define SECOND_MS 1000

struct berth_conflict_watch {
    struct berth_conflict_watch_options options;
    struct berth_conflict_facts facts;
    struct berth_address *listen_list; /* what facts.listen_list points to */
    struct berth_port_set waiting;     /* to be looked at */
    struct berth_port_set ending;      /* ports where something listened until lately */
    uint64_t ending_earliest_ms;       /* none of them ends before; BERTH_NEVER: there is none */
    uint64_t started_ms;
    bool starting;   /* within the first 5 minutes */
    uint16_t cursor; /* where the next call goes on */
    const struct berth_claim **claims;
    size_t claim_room;
    struct berth_conflict *found;
    size_t found_room;
    /* when the last listener of a port vanished, in seconds since the start; looked at for ports
     * in `ending` only */
    uint32_t ended_s[PORTS];
};

enum berth_code berth_conflict_watch_create(struct berth_conflict_watch **out,
                                            const struct berth_conflict_watch_options *options,
                                            uint64_t now_ms, struct berth_error *err)
{
    struct berth_conflict_watch *watch = berth_alloc(1, sizeof *watch);

    if (watch == NULL) {
        return berth_fail_memory(err, "the watch over conflicts");
    }
    watch->options = *options;
    watch->started_ms = now_ms;
    watch->starting = true;
    watch->ending_earliest_ms = BERTH_NEVER;
    watch->cursor = 1;
    berth_port_set_add_range(&watch->waiting, (struct berth_port_range){1, UINT16_MAX});
    *out = watch;
    return BERTH_OK;
}

void berth_conflict_watch_destroy(struct berth_conflict_watch *watch)
{
    if (watch == NULL) {
        return;
    }
    berth_free(watch->listen_list);
    berth_free((void *)watch->claims);
    berth_free(watch->found);
    berth_free(watch);
}

/* ---- what is noted ---- */

void berth_conflict_watch_mark(struct berth_conflict_watch *watch, uint16_t port)
{
    (void)berth_port_set_add(&watch->waiting, port);
}

static bool is_listener(const struct berth_claim *claim)
{
    return claim != NULL && claim->kind == BERTH_CLAIM_LISTENER &&
           (claim->flags & BERTH_CLAIM_LINGERING) == 0;
}

/* Rounded up to a second, so that nothing ends early. */
static uint64_t ends_ms(const struct berth_conflict_watch *watch, uint16_t port)
{
    return watch->started_ms + (uint64_t)watch->ended_s[port] * SECOND_MS + SECOND_MS +
           BERTH_LISTENED_LATELY_MS;
}

static void note_end(struct berth_conflict_watch *watch, uint16_t port, uint64_t now_ms)
{
    uint64_t second = (now_ms - watch->started_ms) / SECOND_MS;

    watch->ended_s[port] = second < UINT32_MAX ? (uint32_t)second : UINT32_MAX;
    (void)berth_port_set_add(&watch->ending, port);
    uint64_t at_ms = ends_ms(watch, port);
    watch->ending_earliest_ms =
        at_ms < watch->ending_earliest_ms ? at_ms : watch->ending_earliest_ms;
}

void berth_conflict_watch_note(struct berth_conflict_watch *watch,
                               const struct berth_change *change, uint64_t now_ms)
{
    const struct berth_claim *claim = change->after != NULL ? change->after : change->before;

    if (is_listener(change->before) && !is_listener(change->after)) {
        note_end(watch, claim->port, now_ms);
    }
    berth_conflict_watch_mark(watch, claim->port);
}

static bool same_facts(const struct berth_conflict_facts *a, const struct berth_conflict_facts *b)
{
    bool same = a->http_sys == b->http_sys && a->listen_count == b->listen_count;

    for (size_t i = 0; same && i < a->listen_count; i++) {
        same = berth_address_compare(&a->listen_list[i], &b->listen_list[i]) == 0;
    }
    return same;
}

static void mark_all(struct berth_conflict_watch *watch)
{
    berth_port_set_add_range(&watch->waiting, (struct berth_port_range){1, UINT16_MAX});
}

enum berth_code berth_conflict_watch_set_facts(struct berth_conflict_watch *watch,
                                               const struct berth_conflict_facts *facts,
                                               struct berth_error *err)
{
    struct berth_address *list;

    if (same_facts(&watch->facts, facts)) {
        return BERTH_OK;
    }
    list = berth_alloc(facts->listen_count, sizeof *list);
    if (list == NULL) {
        return berth_fail_memory(err, "the IP listen list");
    }
    for (size_t i = 0; i < facts->listen_count; i++) {
        list[i] = facts->listen_list[i];
    }
    berth_free(watch->listen_list);
    watch->listen_list = list;
    watch->facts = *facts;
    watch->facts.listen_list = list;
    mark_all(watch);
    return BERTH_OK;
}

/* ---- time ---- */

/* Has ports looked at again for which the 5 minutes are over. */
static void end_lately(struct berth_conflict_watch *watch, uint64_t now_ms)
{
    struct berth_port_range rest = {1, UINT16_MAX};
    uint16_t port;

    if (watch->starting && now_ms - watch->started_ms >= BERTH_LISTENED_LATELY_MS) {
        watch->starting = false;
        mark_all(watch);
    }
    if (now_ms < watch->ending_earliest_ms) {
        return;
    }
    watch->ending_earliest_ms = BERTH_NEVER;
    while (berth_port_set_next(&watch->ending, rest, &port)) {
        uint64_t at_ms = ends_ms(watch, port);
        if (at_ms <= now_ms) {
            (void)berth_port_set_remove(&watch->ending, port);
            berth_conflict_watch_mark(watch, port);
        } else if (at_ms < watch->ending_earliest_ms) {
            watch->ending_earliest_ms = at_ms;
        }
        if (port == UINT16_MAX) {
            break;
        }
        rest.first = (uint16_t)(port + 1);
    }
}

/* ---- work ---- */

/* Collects the claims of a port.  false: no memory */
static bool collect(struct berth_conflict_watch *watch, uint16_t port, size_t *count)
{
    struct berth_claims_at walk = berth_ledger_at(watch->options.ledger, port);
    const struct berth_claim *claim;

    *count = 0;
    while ((claim = berth_claims_next(&walk)) != NULL) {
        if (*count == watch->claim_room) {
            size_t room = watch->claim_room != 0 ? watch->claim_room * 2 : 64;
            void *moved =
                berth_resize((void *)watch->claims, room, sizeof(const struct berth_claim *));
            if (moved == NULL) {
                return false;
            }
            watch->claims = moved;
            watch->claim_room = room;
        }
        watch->claims[(*count)++] = claim;
    }
    return true;
}

/* Finds a port's conflicts, in watch->found. */
static enum berth_code find(struct berth_conflict_watch *watch,
                            const struct berth_conflict_input *in, size_t *count,
                            struct berth_error *err)
{
    enum berth_code code = berth_conflicts_find(in, watch->found, watch->found_room, count, err);

    if (code == BERTH_OK && *count > watch->found_room) {
        void *moved = berth_resize(watch->found, *count, sizeof *watch->found);
        if (moved == NULL) {
            return berth_fail_memory(err, "the conflicts of a port");
        }
        watch->found = moved;
        watch->found_room = *count;
        code = berth_conflicts_find(in, watch->found, watch->found_room, count, err);
    }
    return code;
}

static enum berth_code look_at(struct berth_conflict_watch *watch, uint16_t port,
                               size_t *claim_count, uint64_t now_ms, int64_t unix_ms,
                               struct berth_error *err)
{
    struct berth_conflict_lease lease;
    struct berth_conflict_input in = {.port = port, .facts = &watch->facts};
    size_t count = 0;
    enum berth_code code = BERTH_OK;

    if (!collect(watch, port, claim_count)) {
        return berth_fail_memory(err, "the claims of a port");
    }
    if (*claim_count != 0) {
        in.claims = watch->claims;
        in.claim_count = *claim_count;
        in.listened_lately = watch->starting || berth_port_set_has(&watch->ending, port);
        if (watch->options.lease != NULL &&
            watch->options.lease(watch->options.ctx, port, &lease)) {
            in.lease = &lease;
        }
        code = find(watch, &in, &count, err);
    }
    if (code == BERTH_OK) {
        code = berth_conflict_book_update(watch->options.book, port, watch->found, count, now_ms,
                                          unix_ms, err);
    }
    return code;
}

/* Finds the next port that waits, from the cursor on and around. */
static bool next_waiting(const struct berth_conflict_watch *watch, uint16_t *port)
{
    const struct berth_port_range after = {watch->cursor, UINT16_MAX};
    const struct berth_port_range all = {1, UINT16_MAX};

    return berth_port_set_next(&watch->waiting, after, port) ||
           berth_port_set_next(&watch->waiting, all, port);
}

/* Where conflicts did not fit and now there is room, has the ports looked at again. */
static void refill(struct berth_conflict_watch *watch)
{
    const struct berth_port_set *crowded = &watch->options.book->crowded;
    struct berth_port_range rest = {1, UINT16_MAX};
    uint16_t port;

    if (watch->options.book->count >= BERTH_CONFLICTS_MAX) {
        return;
    }
    while (berth_port_set_next(crowded, rest, &port)) {
        berth_conflict_watch_mark(watch, port);
        if (port == UINT16_MAX) {
            break;
        }
        rest.first = (uint16_t)(port + 1);
    }
}

enum berth_code berth_conflict_watch_work(struct berth_conflict_watch *watch, unsigned ports,
                                          uint64_t now_ms, int64_t unix_ms, struct berth_error *err)
{
    enum berth_code code = BERTH_OK;
    size_t claims = 0;
    uint16_t port;

    end_lately(watch, now_ms);
    while (code == BERTH_OK && ports > 0 && claims < BERTH_CONFLICT_WORK_CLAIMS &&
           next_waiting(watch, &port)) {
        size_t claim_count = 0;
        code = look_at(watch, port, &claim_count, now_ms, unix_ms, err);
        if (code == BERTH_OK) {
            (void)berth_port_set_remove(&watch->waiting, port);
        }
        /* past it also when it failed, or one port could keep all others waiting */
        watch->cursor = port < UINT16_MAX ? (uint16_t)(port + 1) : 1;
        claims += claim_count;
        ports--;
    }
    refill(watch);
    (void)berth_conflict_book_tick(watch->options.book, now_ms, unix_ms);
    return code;
}

static uint64_t lower_of(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

uint64_t berth_conflict_watch_due_ms(const struct berth_conflict_watch *watch, uint64_t now_ms)
{
    uint64_t due_ms = lower_of(watch->options.book->earliest_ms, watch->ending_earliest_ms);
    uint16_t port;

    if (next_waiting(watch, &port)) {
        return now_ms;
    }
    if (watch->starting) {
        due_ms = lower_of(due_ms, watch->started_ms + BERTH_LISTENED_LATELY_MS);
    }
    return due_ms > now_ms ? due_ms : now_ms;
}

bool berth_conflict_watch_is_waiting(const struct berth_conflict_watch *watch, uint16_t port)
{
    return berth_port_set_has(&watch->waiting, port);
}
