/* SPDX-License-Identifier: MIT */
#include "ledger.h"

#include "base/memory.h"
#include "name_table.h"
#include "shelf.h"

#include <stdlib.h>
#include <string.h>

struct feed {
    enum berth_source source;
    char *name;
    uint64_t linger_ms;
    size_t count;
    /* The feed's own clock, on which lingering counts: it stands still while the feed is not ready
     */
    bool ready;
    uint64_t clock_ms;       /* what it showed when it last started or stopped */
    uint64_t ready_since_ms; /* when it last started, on the caller's clock */
    uint64_t earliest_ms;    /* no lingering claim ends before, on the feed's clock */
    struct berth_shelf shelves[BERTH_SHELVES];
};

struct berth_ledger {
    struct berth_ledger_observer observer;
    struct berth_name_table names;
    struct feed *feeds[BERTH_LEDGER_FEEDS_MAX];
    uint8_t order[BERTH_LEDGER_FEEDS_MAX]; /* numbers of the feeds there are, by source */
    unsigned order_count;
};

/* A snapshot on its way in. Its claims are sorted, their strings still the caller's; what the
 * shelves will hold is put together aside, so that nothing can fail once the first of them changes.
 */
struct intake {
    struct berth_claim *claims;
    size_t count;
    struct berth_shelf merged[BERTH_SHELVES]; /* new contents of the shelves that change */
    bool changed[BERTH_SHELVES];
};

/* Marks a claim of a merged shelf whose names were taken for it, other than those of one that stays
 * from before. Not seen outside. */
#define CLAIM_FRESH (1U << 7)

/* ---- names of a claim ---- */

static void drop_names(struct berth_ledger *ledger, const struct berth_claim *claim)
{
    berth_name_drop(&ledger->names, claim->holder);
    berth_name_drop(&ledger->names, claim->host);
    berth_name_drop(&ledger->names, claim->detail);
}

/* Copies a claim, with the ledger's own strings in place of the caller's. */
static bool adopt_claim(struct berth_ledger *ledger, unsigned feed, const struct berth_claim *claim,
                        struct berth_claim *out)
{
    *out = *claim;
    out->feed = (uint8_t)feed;
    out->flags = (uint8_t)(claim->flags & ~(BERTH_CLAIM_LINGERING | CLAIM_FRESH));
    out->holder = NULL;
    out->host = NULL;
    out->detail = NULL;
    if (berth_name_take(&ledger->names, claim->holder, &out->holder) &&
        berth_name_take(&ledger->names, claim->host, &out->host) &&
        berth_name_take(&ledger->names, claim->detail, &out->detail)) {
        return true;
    }
    drop_names(ledger, out);
    return false;
}

static void tell(const struct berth_ledger *ledger, enum berth_change_type type,
                 const struct berth_claim *before, const struct berth_claim *after)
{
    if (ledger->observer.changed != NULL) {
        struct berth_change change = {type, before, after};
        ledger->observer.changed(ledger->observer.ctx, &change);
    }
}

/* ---- the ledger and its feeds ---- */

enum berth_code berth_ledger_create(struct berth_ledger **out,
                                    const struct berth_ledger_observer *observer, uint64_t seed,
                                    struct berth_error *err)
{
    struct berth_ledger *ledger = berth_alloc(1, sizeof *ledger);

    if (ledger == NULL) {
        return berth_fail_memory(err, "the ledger");
    }
    ledger->observer = *observer;
    berth_name_table_init(&ledger->names, seed);
    *out = ledger;
    return BERTH_OK;
}

static void free_feed(struct feed *feed)
{
    for (unsigned s = 0; s < BERTH_SHELVES; s++) {
        berth_free(feed->shelves[s].claims);
    }
    berth_free(feed->name);
    berth_free(feed);
}

void berth_ledger_destroy(struct berth_ledger *ledger)
{
    if (ledger == NULL) {
        return;
    }
    for (unsigned i = 0; i < ledger->order_count; i++) {
        free_feed(ledger->feeds[ledger->order[i]]);
    }
    berth_name_table_fini(&ledger->names);
    berth_free(ledger);
}

/* Keeps `order` sorted by source, so that a walk over a port's claims needs no sorting. */
static void insert_in_order(struct berth_ledger *ledger, unsigned number)
{
    enum berth_source source = ledger->feeds[number]->source;
    unsigned at = ledger->order_count++;

    while (at > 0 && ledger->feeds[ledger->order[at - 1]]->source > source) {
        ledger->order[at] = ledger->order[at - 1];
        at--;
    }
    ledger->order[at] = (uint8_t)number;
}

enum berth_code berth_ledger_add_feed(struct berth_ledger *ledger,
                                      const struct berth_feed_options *options, unsigned *out,
                                      struct berth_error *err)
{
    unsigned number = 0;

    while (number < BERTH_LEDGER_FEEDS_MAX && ledger->feeds[number] != NULL) {
        number++;
    }
    if (number == BERTH_LEDGER_FEEDS_MAX) {
        return berth_fail(err, BERTH_LIMIT_REACHED, 0, "there are %u feeds already", number);
    }
    struct feed *feed = berth_alloc(1, sizeof *feed);
    char *name = berth_copy(options->name);
    if (feed == NULL || name == NULL) {
        berth_free(feed);
        berth_free(name);
        return berth_fail_memory(err, "a feed");
    }
    feed->source = options->source;
    feed->name = name;
    feed->linger_ms = options->linger_ms;
    feed->earliest_ms = BERTH_NEVER;
    ledger->feeds[number] = feed;
    insert_in_order(ledger, number);
    *out = number;
    return BERTH_OK;
}

void berth_ledger_remove_feed(struct berth_ledger *ledger, unsigned number)
{
    struct feed *feed = ledger->feeds[number];
    unsigned at = 0;

    for (unsigned s = 0; s < BERTH_SHELVES; s++) {
        struct berth_shelf shelf = feed->shelves[s];
        feed->shelves[s] = (struct berth_shelf){0};
        feed->count -= shelf.count;
        for (uint32_t i = 0; i < shelf.count; i++) {
            tell(ledger, BERTH_CHANGE_VANISHED, &shelf.claims[i], NULL);
            drop_names(ledger, &shelf.claims[i]);
        }
        berth_free(shelf.claims);
    }
    while (ledger->order[at] != number) {
        at++;
    }
    ledger->order_count--;
    memmove(ledger->order + at, ledger->order + at + 1, ledger->order_count - at);
    ledger->feeds[number] = NULL;
    free_feed(feed);
}

enum berth_source berth_ledger_feed_source(const struct berth_ledger *ledger, unsigned feed)
{
    return ledger->feeds[feed]->source;
}

const char *berth_ledger_feed_name(const struct berth_ledger *ledger, unsigned feed)
{
    return ledger->feeds[feed]->name;
}

size_t berth_ledger_feed_count(const struct berth_ledger *ledger, unsigned feed)
{
    return ledger->feeds[feed]->count;
}

static uint64_t feed_clock(const struct feed *feed, uint64_t now_ms)
{
    return feed->ready ? feed->clock_ms + (now_ms - feed->ready_since_ms) : feed->clock_ms;
}

void berth_ledger_set_ready(struct berth_ledger *ledger, unsigned number, bool ready,
                            uint64_t now_ms)
{
    struct feed *feed = ledger->feeds[number];

    if (feed->ready != ready) {
        feed->clock_ms = feed_clock(feed, now_ms);
        feed->ready_since_ms = now_ms;
        feed->ready = ready;
    }
}

uint64_t berth_ledger_lingers_for_ms(const struct berth_ledger *ledger,
                                     const struct berth_claim *claim, uint64_t now_ms)
{
    uint64_t clock_ms = feed_clock(ledger->feeds[claim->feed], now_ms);

    return claim->until_ms > clock_ms ? claim->until_ms - clock_ms : 0;
}

void berth_ledger_set_linger(struct berth_ledger *ledger, unsigned feed, uint64_t linger_ms)
{
    ledger->feeds[feed]->linger_ms = linger_ms;
}

/* ---- a snapshot comes in ---- */

/* Equal claims are folded into the first of them, so that one must not depend on the sort. */
static int compare_for_sort(const void *a, const void *b)
{
    const struct berth_claim *left = a;
    const struct berth_claim *right = b;
    int order = berth_claim_compare(left, right);

    if (order == 0) {
        order = (int)left->flags - (int)right->flags;
    }
    if (order == 0 && left->detail != right->detail) {
        order = left->detail == NULL    ? -1
                : right->detail == NULL ? 1
                                        : strcmp(left->detail, right->detail);
    }
    return order;
}

static bool is_sorted(const struct berth_claim *claims, size_t count)
{
    for (size_t i = 1; i < count; i++) {
        if (compare_for_sort(&claims[i - 1], &claims[i]) > 0) {
            return false;
        }
    }
    return true;
}

/* Copies the snapshot, sorts it, and makes one claim of equal neighbours. */
static enum berth_code take_in(struct intake *intake, const struct berth_claim *claims,
                               size_t count, struct berth_error *err)
{
    if (count > BERTH_LEDGER_CLAIMS_MAX) {
        return berth_fail(err, BERTH_TOO_LARGE, 0, "%zu claims in one snapshot; at most %d", count,
                          BERTH_LEDGER_CLAIMS_MAX);
    }
    struct berth_claim *copy = berth_resize(NULL, count, sizeof *copy);
    if (copy == NULL) {
        return berth_fail_memory(err, "a snapshot");
    }
    intake->claims = copy;
    for (size_t i = 0; i < count; i++) {
        if (claims[i].port == 0) {
            return berth_fail(err, BERTH_INVALID_PARAMS, 0, "a claim on port 0");
        }
        copy[i] = claims[i];
        copy[i].flags = (uint8_t)(claims[i].flags & ~(BERTH_CLAIM_LINGERING | CLAIM_FRESH));
    }
    if (!is_sorted(copy, count)) {
        qsort(copy, count, sizeof *copy, compare_for_sort);
    }
    for (size_t i = 0; i < count; i++) {
        if (intake->count > 0 && berth_claim_compare(&copy[intake->count - 1], &copy[i]) == 0) {
            copy[intake->count - 1].count += copy[i].count;
        } else {
            copy[intake->count++] = copy[i];
        }
    }
    return BERTH_OK;
}

/* Tells whether a shelf would be the same after the snapshot. What lingers already does not count.
 */
static bool shelf_unchanged(const struct berth_shelf *shelf, const struct berth_claim *fresh,
                            size_t count)
{
    size_t f = 0;

    for (uint32_t i = 0; i < shelf->count; i++) {
        const struct berth_claim *old = &shelf->claims[i];
        bool same = f < count && berth_claim_compare(old, &fresh[f]) == 0;
        if (same && berth_claim_same_content(old, &fresh[f])) {
            f++;
        } else if (same || (old->flags & BERTH_CLAIM_LINGERING) == 0) {
            return false;
        }
    }
    return f == count;
}

/* The part of the snapshot that belongs to shelf `s`, from *at on; moves *at behind it. */
static const struct berth_claim *part_of(const struct intake *intake, unsigned s, size_t *at,
                                         size_t *count)
{
    size_t first = *at;

    while (*at < intake->count && intake->claims[*at].port >> 8 == s) {
        (*at)++;
    }
    *count = *at - first;
    return intake->claims + first;
}

/* Adds a claim of the snapshot, with names of the ledger's own. */
static bool merge_fresh(struct berth_ledger *ledger, unsigned number, struct berth_shelf *merged,
                        const struct berth_claim *fresh)
{
    struct berth_claim *place = &merged->claims[merged->count];

    if (!adopt_claim(ledger, number, fresh, place)) {
        return false;
    }
    place->flags = (uint8_t)(place->flags | CLAIM_FRESH);
    merged->count++;
    return true;
}

/* Adds a claim that the snapshot no longer shows, if it stays for a while. */
static void merge_vanished(const struct feed *feed, struct berth_shelf *merged,
                           const struct berth_claim *old, uint64_t now_ms)
{
    struct berth_claim kept = *old;

    if ((old->flags & BERTH_CLAIM_LINGERING) == 0) {
        if (feed->linger_ms == 0) {
            return;
        }
        kept.flags |= BERTH_CLAIM_LINGERING;
        kept.until_ms = feed_clock(feed, now_ms) + feed->linger_ms;
    }
    merged->claims[merged->count++] = kept;
}

/* Puts together what a shelf will hold: what is new, what stays, what lingers. false: no memory. */
static bool merge(struct berth_ledger *ledger, unsigned number, const struct berth_claim *fresh,
                  size_t count, const struct berth_shelf *old, struct berth_shelf *merged,
                  uint64_t now_ms)
{
    size_t f = 0;

    for (uint32_t i = 0; i < old->count; i++) {
        const struct berth_claim *claim = &old->claims[i];
        for (; f < count && berth_claim_compare(&fresh[f], claim) < 0; f++) {
            if (!merge_fresh(ledger, number, merged, &fresh[f])) {
                return false;
            }
        }
        if (f == count || berth_claim_compare(&fresh[f], claim) != 0) {
            merge_vanished(ledger->feeds[number], merged, claim, now_ms);
        } else if (berth_claim_same_content(claim, &fresh[f])) {
            merged->claims[merged->count++] = *claim;
            f++;
        } else if (!merge_fresh(ledger, number, merged, &fresh[f++])) {
            return false;
        }
    }
    for (; f < count; f++) {
        if (!merge_fresh(ledger, number, merged, &fresh[f])) {
            return false;
        }
    }
    return true;
}

/* Puts the new contents of all shelves together, without changing anything. */
static enum berth_code prepare(struct berth_ledger *ledger, unsigned number, struct intake *intake,
                               uint64_t now_ms, struct berth_error *err)
{
    size_t at = 0;

    for (unsigned s = 0; s < BERTH_SHELVES; s++) {
        const struct berth_shelf *shelf = &ledger->feeds[number]->shelves[s];
        size_t count;
        const struct berth_claim *part = part_of(intake, s, &at, &count);
        if (shelf_unchanged(shelf, part, count)) {
            continue;
        }
        intake->changed[s] = true;
        if (!berth_shelf_reserve(&intake->merged[s], shelf->count + (uint32_t)count) ||
            !merge(ledger, number, part, count, shelf, &intake->merged[s], now_ms)) {
            return berth_fail_memory(err, "a snapshot's claims");
        }
    }
    return BERTH_OK;
}

/* Gives back what prepare() took. */
static void undo(struct berth_ledger *ledger, struct intake *intake)
{
    for (unsigned s = 0; s < BERTH_SHELVES; s++) {
        for (uint32_t i = 0; i < intake->merged[s].count; i++) {
            if ((intake->merged[s].claims[i].flags & CLAIM_FRESH) != 0) {
                drop_names(ledger, &intake->merged[s].claims[i]);
            }
        }
        berth_free(intake->merged[s].claims);
    }
}

/* Tells what became of a claim that stands in both. */
static void tell_kept(const struct berth_ledger *ledger, const struct berth_claim *old,
                      const struct berth_claim *now)
{
    bool lingers = (now->flags & BERTH_CLAIM_LINGERING) != 0;

    if (lingers && (old->flags & BERTH_CLAIM_LINGERING) == 0) {
        tell(ledger, BERTH_CHANGE_LINGERS, old, now);
    } else if (!berth_claim_same_content(old, now)) {
        tell(ledger, BERTH_CHANGE_CHANGED, old, now);
    }
}

/* Takes the mark off a claim; tells whether it was there. */
static bool unmark(struct berth_claim *claim)
{
    bool fresh = (claim->flags & CLAIM_FRESH) != 0;

    claim->flags = (uint8_t)(claim->flags & ~CLAIM_FRESH);
    return fresh;
}

/* Moves the marks from the new contents, which others read from now on, to the old claims whose
 * place a fresh one takes: their names are no longer used. */
static void move_marks(struct berth_shelf *old, struct berth_shelf *now)
{
    uint32_t o = 0;

    for (uint32_t n = 0; n < now->count; n++) {
        if (!unmark(&now->claims[n])) {
            continue;
        }
        while (o < old->count && berth_claim_compare(&old->claims[o], &now->claims[n]) < 0) {
            o++;
        }
        if (o < old->count && berth_claim_compare(&old->claims[o], &now->claims[n]) == 0) {
            old->claims[o].flags = (uint8_t)(old->claims[o].flags | CLAIM_FRESH);
        }
    }
}

/* Tells the differences between a shelf's old and new contents, and ends the use of names that are
 * gone. */
static void tell_difference(struct berth_ledger *ledger, struct berth_shelf *old,
                            const struct berth_shelf *now)
{
    uint32_t o = 0;
    uint32_t n = 0;

    while (o < old->count || n < now->count) {
        int order = o == old->count   ? 1
                    : n == now->count ? -1
                                      : berth_claim_compare(&old->claims[o], &now->claims[n]);
        if (order > 0) {
            tell(ledger, BERTH_CHANGE_APPEARED, NULL, &now->claims[n++]);
            continue;
        }
        bool replaced = unmark(&old->claims[o]);
        if (order == 0) {
            tell_kept(ledger, &old->claims[o], &now->claims[n++]);
        } else {
            tell(ledger, BERTH_CHANGE_VANISHED, &old->claims[o], NULL);
        }
        if (order < 0 || replaced) {
            drop_names(ledger, &old->claims[o]);
        }
        o++;
    }
}

/* Notes when the first of a shelf's lingering claims ends. */
static void note_earliest(struct feed *feed, const struct berth_shelf *shelf)
{
    for (uint32_t i = 0; i < shelf->count; i++) {
        const struct berth_claim *claim = &shelf->claims[i];
        if ((claim->flags & BERTH_CLAIM_LINGERING) != 0 && claim->until_ms < feed->earliest_ms) {
            feed->earliest_ms = claim->until_ms;
        }
    }
}

static void commit(struct berth_ledger *ledger, struct feed *feed, struct intake *intake)
{
    for (unsigned s = 0; s < BERTH_SHELVES; s++) {
        struct berth_shelf old = feed->shelves[s];
        struct berth_shelf *shelf = &feed->shelves[s];
        if (!intake->changed[s]) {
            continue;
        }
        move_marks(&old, &intake->merged[s]);
        *shelf = intake->merged[s];
        intake->merged[s] = (struct berth_shelf){0};
        feed->count = feed->count - old.count + shelf->count;
        note_earliest(feed, shelf);
        tell_difference(ledger, &old, shelf);
        berth_free(old.claims);
    }
}

enum berth_code berth_ledger_apply(struct berth_ledger *ledger, unsigned feed,
                                   const struct berth_claim *claims, size_t count, uint64_t now_ms,
                                   struct berth_error *err)
{
    struct intake *intake = berth_alloc(1, sizeof *intake);

    if (intake == NULL) {
        return berth_fail_memory(err, "a snapshot");
    }
    enum berth_code code = take_in(intake, claims, count, err);
    if (code == BERTH_OK) {
        code = prepare(ledger, feed, intake, now_ms, err);
    }
    if (code == BERTH_OK) {
        commit(ledger, ledger->feeds[feed], intake);
    } else {
        undo(ledger, intake);
    }
    berth_free(intake->claims);
    berth_free(intake);
    return code;
}

/* ---- single claims ---- */

enum berth_code berth_ledger_put(struct berth_ledger *ledger, unsigned number,
                                 const struct berth_claim *claim, struct berth_error *err)
{
    struct feed *feed = ledger->feeds[number];
    struct berth_shelf *shelf = &feed->shelves[claim->port >> 8];
    struct berth_claim fresh;
    bool found;

    if (!adopt_claim(ledger, number, claim, &fresh)) {
        return berth_fail_memory(err, "a claim's names");
    }
    uint32_t at = berth_shelf_find(shelf, &fresh, &found);
    if (found) {
        struct berth_claim old = shelf->claims[at];
        shelf->claims[at] = fresh;
        tell_kept(ledger, &old, &shelf->claims[at]);
        drop_names(ledger, &old);
        return BERTH_OK;
    }
    if (!berth_shelf_reserve(shelf, shelf->count + 1)) {
        drop_names(ledger, &fresh);
        return berth_fail_memory(err, "a claim");
    }
    berth_shelf_insert(shelf, at, &fresh);
    feed->count++;
    tell(ledger, BERTH_CHANGE_APPEARED, NULL, &fresh);
    return BERTH_OK;
}

/* Takes the claim at a position out and tells it. */
static void remove_at(struct berth_ledger *ledger, struct feed *feed, struct berth_shelf *shelf,
                      uint32_t at)
{
    struct berth_claim old = shelf->claims[at];

    berth_shelf_remove(shelf, at);
    feed->count--;
    tell(ledger, BERTH_CHANGE_VANISHED, &old, NULL);
    drop_names(ledger, &old);
}

bool berth_ledger_take(struct berth_ledger *ledger, unsigned number,
                       const struct berth_claim *claim)
{
    struct feed *feed = ledger->feeds[number];
    struct berth_shelf *shelf = &feed->shelves[claim->port >> 8];
    bool found;
    uint32_t at = berth_shelf_find(shelf, claim, &found);

    if (found) {
        remove_at(ledger, feed, shelf, at);
    }
    return found;
}

/* Ends what lingered until `clock_ms` or before, and finds when the next one ends. */
static void expire_feed(struct berth_ledger *ledger, struct feed *feed, uint64_t clock_ms)
{
    feed->earliest_ms = BERTH_NEVER;
    for (unsigned s = 0; s < BERTH_SHELVES; s++) {
        struct berth_shelf *shelf = &feed->shelves[s];
        for (uint32_t i = 0; i < shelf->count;) {
            const struct berth_claim *claim = &shelf->claims[i];
            bool lingers = (claim->flags & BERTH_CLAIM_LINGERING) != 0;
            if (lingers && claim->until_ms <= clock_ms) {
                remove_at(ledger, feed, shelf, i);
                continue;
            }
            if (lingers && claim->until_ms < feed->earliest_ms) {
                feed->earliest_ms = claim->until_ms;
            }
            i++;
        }
    }
}

uint64_t berth_ledger_expire(struct berth_ledger *ledger, uint64_t now_ms)
{
    uint64_t next_ms = BERTH_NEVER;

    for (unsigned i = 0; i < ledger->order_count; i++) {
        struct feed *feed = ledger->feeds[ledger->order[i]];
        uint64_t clock_ms = feed_clock(feed, now_ms);
        if (feed->ready && feed->earliest_ms <= clock_ms) {
            expire_feed(ledger, feed, clock_ms);
        }
        if (feed->ready && feed->earliest_ms != BERTH_NEVER) {
            uint64_t due_ms = now_ms + (feed->earliest_ms - clock_ms);
            next_ms = due_ms < next_ms ? due_ms : next_ms;
        }
    }
    return next_ms;
}

/* ---- reading ---- */

struct berth_claims_at berth_ledger_at(const struct berth_ledger *ledger, uint16_t port)
{
    return (struct berth_claims_at){ledger, port, 0, UINT32_MAX};
}

const struct berth_claim *berth_claims_next(struct berth_claims_at *walk)
{
    while (walk->position < walk->ledger->order_count) {
        const struct feed *feed = walk->ledger->feeds[walk->ledger->order[walk->position]];
        const struct berth_shelf *shelf = &feed->shelves[walk->port >> 8];
        if (walk->next == UINT32_MAX) {
            walk->next = berth_shelf_first_of(shelf, walk->port);
        }
        if (walk->next < shelf->count && shelf->claims[walk->next].port == walk->port) {
            return &shelf->claims[walk->next++];
        }
        walk->position++;
        walk->next = UINT32_MAX;
    }
    return NULL;
}

const struct berth_claim *berth_claims_next_feed(struct berth_claims_at *walk)
{
    if (walk->next != UINT32_MAX) {
        walk->position++;
        walk->next = UINT32_MAX;
    }
    return berth_claims_next(walk);
}

const struct berth_claim *berth_claims_of_next(const struct berth_ledger *ledger, unsigned feed,
                                               struct berth_claims_of *walk)
{
    for (; walk->shelf < BERTH_SHELVES; walk->shelf++, walk->next = 0) {
        const struct berth_shelf *shelf = &ledger->feeds[feed]->shelves[walk->shelf];
        if (walk->next < shelf->count) {
            return &shelf->claims[walk->next++];
        }
    }
    return NULL;
}
