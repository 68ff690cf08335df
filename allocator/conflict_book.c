/* SPDX-License-Identifier: MIT */
#include "conflict_book.h"

#include "base/memory.h"
#include "conflict_text.h"
#include "ledger.h"

#include <string.h>

/* ---- one entry: a single block of memory, its strings behind it ---- */

static size_t size_of_text(const char *text)
{
    return text != NULL ? strlen(text) + 1 : 0;
}

static const char *put_text(char **place, const char *text)
{
    size_t size = size_of_text(text);
    char *start = *place;

    if (size == 0) {
        return NULL;
    }
    memcpy(start, text, size);
    *place += size;
    return start;
}

static size_t size_of_claims(const struct berth_conflict *conflict)
{
    size_t size = 0;

    for (unsigned i = 0; i < conflict->claim_count; i++) {
        const struct berth_claim *claim = conflict->claims[i];
        size +=
            size_of_text(claim->holder) + size_of_text(claim->host) + size_of_text(claim->detail);
    }
    return size;
}

static struct berth_conflict_entry *pack(const struct berth_conflict *conflict, const char *text)
{
    size_t size = size_of_claims(conflict) + size_of_text(text);
    struct berth_conflict_entry *entry = berth_alloc(1, sizeof *entry + size);

    if (entry == NULL) {
        return NULL;
    }
    char *place = (char *)(entry + 1);
    entry->conflict = *conflict;
    entry->text = put_text(&place, text);
    for (unsigned i = 0; i < conflict->claim_count; i++) {
        struct berth_claim *claim = &entry->claims[i];
        *claim = *conflict->claims[i];
        claim->holder = put_text(&place, claim->holder);
        claim->host = put_text(&place, claim->host);
        claim->detail = put_text(&place, claim->detail);
        entry->conflict.claims[i] = claim;
    }
    return entry;
}

/* Makes an entry that has been pending from now on.  NULL: no memory */
static struct berth_conflict_entry *make_entry(const struct berth_conflict *conflict,
                                               uint64_t now_ms)
{
    struct berth_conflict_entry *entry = NULL;
    struct berth_text text;

    berth_text_init(&text, BERTH_CONFLICT_TEXT_MAX);
    berth_conflict_explain(&text, conflict);
    if (text.failed != BERTH_NO_MEMORY) {
        entry = pack(conflict, berth_text_string(&text));
    }
    berth_text_fini(&text);
    if (entry != NULL) {
        entry->since_ms = now_ms;
    }
    return entry;
}

/* Tells whether the entry says what would be said of the conflict now. */
static bool is_unchanged(const struct berth_conflict_entry *entry,
                         const struct berth_conflict *conflict)
{
    bool same = entry->conflict.severity == conflict->severity &&
                entry->conflict.claim_count == conflict->claim_count;

    for (unsigned i = 0; same && i < conflict->claim_count; i++) {
        const struct berth_claim *a = entry->conflict.claims[i];
        const struct berth_claim *b = conflict->claims[i];
        same =
            a->feed == b->feed && berth_claim_compare(a, b) == 0 && berth_claim_same_content(a, b);
    }
    return same;
}

/* ---- shelves ---- */

/* Finds the place of a port's shelf, or where it would be. */
static size_t place_of(const struct berth_conflict_book *book, uint16_t port)
{
    size_t low = 0;
    size_t high = book->shelf_count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (book->shelves[middle].port < port) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static bool has_shelf(const struct berth_conflict_book *book, size_t place, uint16_t port)
{
    return place < book->shelf_count && book->shelves[place].port == port;
}

static bool reserve_shelf(struct berth_conflict_book *book)
{
    if (book->shelf_count < book->shelf_room) {
        return true;
    }
    size_t room = book->shelf_room != 0 ? book->shelf_room * 2 : 16;
    void *moved = berth_resize(book->shelves, room, sizeof *book->shelves);
    if (moved == NULL) {
        return false;
    }
    book->shelves = moved;
    book->shelf_room = room;
    return true;
}

/* Makes the port's shelf what `shelf` says; one without entries is taken away. Room is there. */
static void set_shelf(struct berth_conflict_book *book, size_t place,
                      const struct berth_conflict_shelf *shelf)
{
    struct berth_conflict_shelf *at = book->shelves + place;
    size_t behind = book->shelf_count - place;

    if (has_shelf(book, place, shelf->port)) {
        if (shelf->count != 0) {
            *at = *shelf;
            return;
        }
        memmove(at, at + 1, (behind - 1) * sizeof *at);
        book->shelf_count--;
    } else if (shelf->count != 0) {
        memmove(at + 1, at, behind * sizeof *at);
        *at = *shelf;
        book->shelf_count++;
    }
}

/* ---- making ---- */

void berth_conflict_book_init(struct berth_conflict_book *book, uint64_t debounce_ms,
                              const struct berth_conflict_observer *observer)
{
    memset(book, 0, sizeof *book);
    book->debounce_ms = debounce_ms;
    book->earliest_ms = BERTH_NEVER;
    book->observer = *observer;
}

void berth_conflict_book_fini(struct berth_conflict_book *book)
{
    const struct berth_conflict_observer observer = book->observer;

    for (size_t i = 0; i < book->shelf_count; i++) {
        for (size_t k = 0; k < book->shelves[i].count; k++) {
            berth_free(book->shelves[i].entries[k]);
        }
        berth_free(book->shelves[i].entries);
    }
    berth_free(book->shelves);
    berth_conflict_book_init(book, book->debounce_ms, &observer);
}

void berth_conflict_book_set_debounce(struct berth_conflict_book *book, uint64_t debounce_ms)
{
    if (debounce_ms != book->debounce_ms) {
        book->debounce_ms = debounce_ms;
        book->earliest_ms = book->count > book->open_count ? 0 : BERTH_NEVER;
    }
}

/* ---- opening and closing ---- */

static uint64_t opens_ms(const struct berth_conflict_book *book,
                         const struct berth_conflict_entry *entry)
{
    return entry->since_ms > BERTH_NEVER - book->debounce_ms ? BERTH_NEVER
                                                             : entry->since_ms + book->debounce_ms;
}

/* Opens an entry if it is time, else notes when it will be. */
static void open_or_note(struct berth_conflict_book *book, struct berth_conflict_entry *entry,
                         uint64_t now_ms, int64_t unix_ms)
{
    uint64_t due_ms = opens_ms(book, entry);

    if (entry->open) {
        return;
    }
    if (due_ms > now_ms) {
        book->earliest_ms = due_ms < book->earliest_ms ? due_ms : book->earliest_ms;
        return;
    }
    entry->open = true;
    entry->opened_unix_ms = unix_ms;
    book->open_count++;
    if (book->observer.opened != NULL) {
        book->observer.opened(book->observer.ctx, entry);
    }
}

uint64_t berth_conflict_book_tick(struct berth_conflict_book *book, uint64_t now_ms,
                                  int64_t unix_ms)
{
    if (now_ms < book->earliest_ms) {
        return book->earliest_ms;
    }
    book->earliest_ms = BERTH_NEVER;
    for (size_t i = 0; i < book->shelf_count; i++) {
        for (size_t k = 0; k < book->shelves[i].count; k++) {
            open_or_note(book, book->shelves[i].entries[k], now_ms, unix_ms);
        }
    }
    return book->earliest_ms;
}

static void end_entry(struct berth_conflict_book *book, struct berth_conflict_entry *entry,
                      int64_t unix_ms)
{
    if (entry->open && book->observer.closed != NULL) {
        book->observer.closed(book->observer.ctx, entry, unix_ms);
    }
    berth_free(entry);
}

/* ---- updates ---- */

/* How many new conflicts may be kept, by severity. */
struct allowance {
    size_t left[2];
    bool exceeded;
};

/* A port's conflicts before and after, side by side. */
struct merge {
    const struct berth_conflict_shelf *old; /* count 0: none */
    struct berth_conflict_shelf fresh;
    bool *keeps;      /* for each old entry: it is in `fresh` as it is */
    size_t *replaces; /* for each fresh entry: the old one whose place it takes, or NOT_OLD */
    struct allowance allowed;
};

#define NOT_OLD SIZE_MAX

/* Walks over old and found ones in their common order. Gives for a found one its old entry. */
static size_t match(const struct berth_conflict_shelf *old, size_t *at,
                    const struct berth_conflict *found)
{
    while (*at < old->count && berth_conflict_compare(&old->entries[*at]->conflict, found) < 0) {
        (*at)++;
    }
    if (*at < old->count && berth_conflict_compare(&old->entries[*at]->conflict, found) == 0) {
        return *at;
    }
    return NOT_OLD;
}

static struct allowance count_allowance(const struct berth_conflict_book *book,
                                        const struct berth_conflict_shelf *old,
                                        const struct berth_conflict *found, size_t count)
{
    struct allowance allowed = {{0, 0}, false};
    size_t fresh[2] = {0, 0};
    size_t kept = 0;
    size_t at = 0;

    for (size_t i = 0; i < count; i++) {
        if (match(old, &at, &found[i]) != NOT_OLD) {
            kept++;
        } else {
            fresh[found[i].severity]++;
        }
    }
    size_t room = BERTH_CONFLICTS_MAX - (book->count - old->count) - kept;
    allowed.left[BERTH_CONFLICT_ERROR] =
        fresh[BERTH_CONFLICT_ERROR] < room ? fresh[BERTH_CONFLICT_ERROR] : room;
    room -= allowed.left[BERTH_CONFLICT_ERROR];
    allowed.left[BERTH_CONFLICT_WARNING] =
        fresh[BERTH_CONFLICT_WARNING] < room ? fresh[BERTH_CONFLICT_WARNING] : room;
    allowed.exceeded = allowed.left[0] + allowed.left[1] < fresh[0] + fresh[1];
    return allowed;
}

/* Adds a found conflict to the fresh shelf, as it was or as it is now.  false: no memory */
static bool merge_one(struct merge *merge, const struct berth_conflict *found, size_t old_place,
                      uint64_t now_ms)
{
    struct berth_conflict_entry *entry;

    if (old_place < merge->old->count && is_unchanged(merge->old->entries[old_place], found)) {
        entry = merge->old->entries[old_place];
        merge->keeps[old_place] = true;
    } else {
        entry = make_entry(found, now_ms);
        if (entry == NULL) {
            return false;
        }
    }
    merge->replaces[merge->fresh.count] = old_place;
    merge->fresh.entries[merge->fresh.count++] = entry;
    return true;
}

static bool merge_all(struct merge *merge, const struct berth_conflict *found, size_t count,
                      uint64_t now_ms)
{
    size_t at = 0;

    for (size_t i = 0; i < count; i++) {
        size_t old_place = match(merge->old, &at, &found[i]);
        if (old_place == NOT_OLD) {
            if (merge->allowed.left[found[i].severity] == 0) {
                continue;
            }
            merge->allowed.left[found[i].severity]--;
        }
        if (!merge_one(merge, &found[i], old_place, now_ms)) {
            return false;
        }
    }
    return true;
}

static bool begin_merge(struct merge *merge, size_t count)
{
    merge->fresh.entries = berth_alloc(count, sizeof(struct berth_conflict_entry *));
    merge->keeps = berth_alloc(merge->old->count, sizeof *merge->keeps);
    merge->replaces = berth_alloc(count, sizeof *merge->replaces);
    return merge->fresh.entries != NULL && merge->keeps != NULL && merge->replaces != NULL;
}

/* Gives back what was made for a merge that failed. */
static void undo_merge(struct merge *merge)
{
    for (size_t i = 0; i < merge->fresh.count; i++) {
        size_t old_place = merge->replaces[i];
        if (old_place == NOT_OLD || !merge->keeps[old_place]) {
            berth_free(merge->fresh.entries[i]);
        }
    }
    berth_free(merge->fresh.entries);
}

/* Passes on what a changed conflict was before: since when it is there, and whether it was told. */
static void pass_on(struct merge *merge)
{
    for (size_t i = 0; i < merge->fresh.count; i++) {
        size_t old_place = merge->replaces[i];
        if (old_place < merge->old->count && !merge->keeps[old_place]) {
            struct berth_conflict_entry *old = merge->old->entries[old_place];
            struct berth_conflict_entry *entry = merge->fresh.entries[i];
            entry->since_ms = old->since_ms;
            entry->opened_unix_ms = old->opened_unix_ms;
            entry->open = old->open;
            old->open = false; /* its end is not to be told */
        }
    }
}

/* Puts the fresh shelf in the old one's place, then tells. Cannot fail. */
static void commit(struct berth_conflict_book *book, size_t place, struct merge *merge,
                   uint64_t now_ms, int64_t unix_ms)
{
    struct berth_conflict_shelf old = *merge->old;

    pass_on(merge);
    for (size_t i = 0; i < old.count; i++) {
        book->open_count -= old.entries[i]->open && !merge->keeps[i] ? 1 : 0;
    }
    book->count = book->count - old.count + merge->fresh.count;
    if (merge->allowed.exceeded) {
        (void)berth_port_set_add(&book->crowded, merge->fresh.port);
    } else {
        (void)berth_port_set_remove(&book->crowded, merge->fresh.port);
    }
    set_shelf(book, place, &merge->fresh);
    for (size_t i = 0; i < old.count; i++) {
        if (!merge->keeps[i]) {
            end_entry(book, old.entries[i], unix_ms);
        }
    }
    for (size_t i = 0; i < merge->fresh.count; i++) {
        open_or_note(book, merge->fresh.entries[i], now_ms, unix_ms);
    }
    berth_free(old.entries);
    if (merge->fresh.count == 0) {
        berth_free(merge->fresh.entries);
    }
}

enum berth_code berth_conflict_book_update(struct berth_conflict_book *book, uint16_t port,
                                           const struct berth_conflict *found, size_t count,
                                           uint64_t now_ms, int64_t unix_ms,
                                           struct berth_error *err)
{
    const struct berth_conflict_shelf none = {.port = port};
    size_t place = place_of(book, port);
    bool shelved = has_shelf(book, place, port);
    struct merge merge = {.fresh = {.port = port}};
    enum berth_code code = BERTH_OK;

    if (count == 0 && !shelved) { /* nearly always */
        (void)berth_port_set_remove(&book->crowded, port);
        return BERTH_OK;
    }
    if (!reserve_shelf(book)) {
        return berth_fail_memory(err, "the conflicts of a port");
    }
    merge.old = shelved ? &book->shelves[place] : &none;
    merge.allowed = count_allowance(book, merge.old, found, count);
    if (begin_merge(&merge, count) && merge_all(&merge, found, count, now_ms)) {
        commit(book, place, &merge, now_ms, unix_ms);
    } else {
        undo_merge(&merge);
        code = berth_fail_memory(err, "the conflicts of a port");
    }
    berth_free(merge.keeps);
    berth_free(merge.replaces);
    return code;
}

/* ---- looking ---- */

const struct berth_conflict_entry *berth_conflict_book_find(const struct berth_conflict_book *book,
                                                            uint16_t port, berth_conflict_id id)
{
    struct berth_conflict_walk walk = berth_conflict_book_at(book, port);
    const struct berth_conflict_entry *entry = berth_conflict_next(&walk);

    while (entry != NULL && entry->conflict.id != id) {
        entry = berth_conflict_next(&walk);
    }
    return entry;
}

struct berth_conflict_walk berth_conflict_book_all(const struct berth_conflict_book *book)
{
    return (struct berth_conflict_walk){book, 0, book->shelf_count, 0};
}

struct berth_conflict_walk berth_conflict_book_at(const struct berth_conflict_book *book,
                                                  uint16_t port)
{
    size_t place = place_of(book, port);

    return (struct berth_conflict_walk){book, place, place + (has_shelf(book, place, port) ? 1 : 0),
                                        0};
}

const struct berth_conflict_entry *berth_conflict_next(struct berth_conflict_walk *walk)
{
    while (walk->shelf < walk->shelf_end) {
        const struct berth_conflict_shelf *shelf = &walk->book->shelves[walk->shelf];
        if (walk->entry == shelf->count) {
            walk->shelf++;
            walk->entry = 0;
        } else if (shelf->entries[walk->entry]->open) {
            return shelf->entries[walk->entry++];
        } else {
            walk->entry++;
        }
    }
    return NULL;
}
