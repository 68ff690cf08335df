/* SPDX-License-Identifier: MIT */
/* Who held which port, when, for which key; and forgetting it in time.
 *
 * An entry is written twice: with the change that it tells of it is appended to `recent`, in the
 * row of the seal, which costs no page of its own; later, when there is nothing else to do, it is
 * sorted into `history` and that table's indexes, many at a time. */
#include "store_internal.h"

#include <inttypes.h>
#include <string.h>

#define FOLD_WINDOW 128  /* rows of `recent` that are moved in a step */
#define PRUNE_WINDOW 256 /* entries that are looked at in a step */
#define DAY_MS ((int64_t)24 * 3600 * 1000)

static const char *text_or_empty(const char *text)
{
    return text != NULL ? text : "";
}

static bool is_short(const char *text)
{
    return text == NULL || strlen(text) <= BERTH_STORE_TEXT_MAX;
}

enum berth_code berth_store_check_entry(const struct berth_history_entry *entry,
                                        struct berth_error *err)
{
    if (is_short(entry->event) && is_short(entry->key) && is_short(entry->generation) &&
        is_short(entry->by)) {
        return BERTH_OK;
    }
    return berth_fail(err, BERTH_TOO_LARGE, 0, "a text of the history is longer than %zu bytes",
                      BERTH_STORE_TEXT_MAX);
}

static int bind_entry(sqlite3_stmt *row, const struct berth_history_entry *entry)
{
    const char *const texts[] = {text_or_empty(entry->key), text_or_empty(entry->generation),
                                 text_or_empty(entry->by)};

    (void)sqlite3_bind_int64(row, 1, entry->time_unix_ms);
    int result = sqlite3_bind_text(row, 2, text_or_empty(entry->event), -1, SQLITE_STATIC);
    (void)sqlite3_bind_int64(row, 3, entry->port);
    (void)sqlite3_bind_int64(row, 4, (int64_t)berth_store_hash_text(texts[0]));
    for (int i = 0; i < 3 && result == SQLITE_OK; i++) {
        result = sqlite3_bind_text(row, 5 + i, texts[i], -1, SQLITE_STATIC);
    }
    return result;
}

int berth_store_append(struct berth_store *store, const struct berth_history_entry *entry,
                       bool sealed)
{
    sqlite3_stmt *row = store->statements[BERTH_SQL_RECENT_ADD];
    const struct berth_store_seal *seal = &store->seal;

    int result = entry != NULL ? bind_entry(row, entry) : SQLITE_OK;
    if (sealed) {
        (void)sqlite3_bind_int64(row, 8, seal->store);
        (void)sqlite3_bind_int64(row, 9, seal->changes);
        (void)sqlite3_bind_int64(row, 10, seal->serial);
        (void)sqlite3_bind_int64(row, 11, seal->leases);
        (void)sqlite3_bind_int64(row, 12, (int64_t)seal->sum);
        (void)sqlite3_bind_int64(row, 13, (int64_t)berth_store_seal_digest(seal));
    }
    if (result == SQLITE_OK) {
        result = berth_store_run(row);
    }
    (void)sqlite3_clear_bindings(row);
    return result;
}

static void read_entry(sqlite3_stmt *row, struct berth_history_entry *out)
{
    out->time_unix_ms = sqlite3_column_int64(row, 0);
    out->event = text_or_empty((const char *)sqlite3_column_text(row, 1));
    out->port = (uint16_t)sqlite3_column_int64(row, 2);
    out->key = text_or_empty((const char *)sqlite3_column_text(row, 3));
    out->generation = text_or_empty((const char *)sqlite3_column_text(row, 4));
    out->by = text_or_empty((const char *)sqlite3_column_text(row, 5));
}

/* What a walk through the history needs. */
struct walk {
    uint16_t port; /* 0: by key */
    const char *key;
    int64_t left;
    berth_store_history_cb each;
    void *ctx;
};

static int start_walk(sqlite3_stmt *query, const struct walk *walk)
{
    int result = SQLITE_OK;

    if (walk->port != 0) {
        (void)sqlite3_bind_int64(query, 1, walk->port);
        (void)sqlite3_bind_int64(query, 2, walk->left);
    } else {
        (void)sqlite3_bind_int64(query, 1, (int64_t)berth_store_hash_text(walk->key));
        result = sqlite3_bind_text(query, 2, walk->key, -1, SQLITE_STATIC);
        (void)sqlite3_bind_int64(query, 3, walk->left);
    }
    return result == SQLITE_OK ? SQLITE_ROW : result;
}

/* Gives a table's entries; `left` is 0 once nobody wants more.  @return SQLITE_DONE or an error */
static int walk_table(struct berth_store *store, enum berth_store_sql which, struct walk *walk)
{
    sqlite3_stmt *query = store->statements[which];
    struct berth_history_entry entry;
    int result = start_walk(query, walk);

    while (walk->left > 0 && result == SQLITE_ROW) {
        result = sqlite3_step(query);
        if (result == SQLITE_ROW) {
            read_entry(query, &entry);
            if (sqlite3_errcode(store->db) == SQLITE_NOMEM) {
                result = SQLITE_NOMEM;
            } else {
                walk->left = walk->each(walk->ctx, &entry) ? walk->left - 1 : 0;
            }
        }
    }
    (void)sqlite3_reset(query);
    (void)sqlite3_clear_bindings(query);
    return result == SQLITE_ROW ? SQLITE_DONE : result;
}

enum berth_code berth_store_history(struct berth_store *store, uint16_t port, const char *key,
                                    size_t limit, berth_store_history_cb each, void *ctx,
                                    struct berth_error *err)
{
    bool by_port = port != 0;
    struct walk walk = {port, text_or_empty(key), BERTH_STORE_HISTORY_MAX, each, ctx};

    if (limit < (size_t)BERTH_STORE_HISTORY_MAX) {
        walk.left = (int64_t)limit;
    }
    int result =
        walk_table(store, by_port ? BERTH_SQL_RECENT_BY_PORT : BERTH_SQL_RECENT_BY_KEY, &walk);
    if (result == SQLITE_DONE) {
        result = walk_table(store, by_port ? BERTH_SQL_HISTORY_BY_PORT : BERTH_SQL_HISTORY_BY_KEY,
                            &walk);
    }
    return result == SQLITE_DONE ? BERTH_OK : berth_store_fail(store, result, "reading", err);
}

static int run_up_to(sqlite3_stmt *statement, int64_t last)
{
    (void)sqlite3_bind_int64(statement, 1, last);
    return berth_store_run(statement);
}

enum berth_code berth_store_fold(struct berth_store *store, bool *more, struct berth_error *err)
{
    int64_t last = store->recent_first + FOLD_WINDOW - 1;

    *more = false;
    if (last >= store->recent_last) { /* never the last row: the numbers go on from it */
        return BERTH_OK;
    }
    enum berth_code code = berth_store_begin(store, err);
    if (code != BERTH_OK) {
        return code;
    }
    int result = run_up_to(store->statements[BERTH_SQL_RECENT_FOLD], last);
    if (result == SQLITE_DONE) {
        result = run_up_to(store->statements[BERTH_SQL_RECENT_REMOVE], last);
    }
    if (result != SQLITE_DONE) {
        code = berth_store_fail(store, result, "sorting the history", err);
        berth_store_rollback(store);
        return code;
    }
    code = berth_store_commit(store, NULL, err);
    if (code == BERTH_OK) {
        store->recent_first = last + 1;
        *more = store->recent_last - last > FOLD_WINDOW;
    }
    return code;
}

static uint64_t clock_ms(const struct berth_store *store)
{
    return store->clock_ms != NULL ? store->clock_ms() : uv_hrtime() / 1000000;
}

/* Begins with the time of the newest entry.  @return SQLITE_DONE or an error */
static int begin_calendar(struct berth_store *store)
{
    sqlite3_stmt *query = store->statements[BERTH_SQL_ENTRY_TIME];
    int result = sqlite3_step(query);

    if (result == SQLITE_ROW) {
        if (sqlite3_column_type(query, 0) != SQLITE_NULL) {
            int64_t newest_ms = sqlite3_column_int64(query, 0);
            store->calendar.unix_ms = newest_ms < INT64_MAX / 2 ? newest_ms : INT64_MAX / 2;
            store->calendar.at_ms = clock_ms(store);
        }
        result = SQLITE_DONE;
    }
    (void)sqlite3_reset(query);
    return result;
}

/* Gives the time to prune by. A calendar may jump, and what is pruned does not come back when it is
 * put right: it is believed as far as time has gone by since it was last believed, and a day more.
 * One that is ahead of that for a day is right, as after a long time out of service. */
static int64_t believed_time(struct berth_store *store, int64_t now_unix_ms)
{
    struct berth_store_calendar *calendar = &store->calendar;
    uint64_t now_ms = clock_ms(store);
    int64_t most = calendar->unix_ms + (int64_t)(now_ms - calendar->at_ms) + DAY_MS;

    if (now_unix_ms > most) {
        calendar->ahead_ms = calendar->ahead_ms != 0 ? calendar->ahead_ms : now_ms;
        if (now_ms - calendar->ahead_ms < (uint64_t)DAY_MS) {
            return most;
        }
    }
    *calendar = (struct berth_store_calendar){.unix_ms = now_unix_ms, .at_ms = now_ms};
    return now_unix_ms;
}

/* Collects the entries of the next window that are to go: the ones before `cutoff`, and the oldest
 * ones beyond the most that are kept. */
static int look(struct berth_store *store, int64_t cutoff, int64_t newest, int64_t *numbers,
                size_t *count)
{
    sqlite3_stmt *query = store->statements[BERTH_SQL_HISTORY_WINDOW];
    int64_t cursor = store->history_cursor;
    size_t seen = 0;
    int result;

    *count = 0;
    (void)sqlite3_bind_int64(query, 1, cursor);
    (void)sqlite3_bind_int64(query, 2, PRUNE_WINDOW);
    while ((result = sqlite3_step(query)) == SQLITE_ROW) {
        cursor = sqlite3_column_int64(query, 0);
        seen++;
        if (sqlite3_column_int64(query, 1) < cutoff || cursor <= newest - BERTH_STORE_HISTORY_MAX) {
            numbers[(*count)++] = cursor;
        }
    }
    (void)sqlite3_reset(query);
    if (result == SQLITE_DONE) {
        /* at the end it begins anew: clocks jump, so the order of times is not to be relied on */
        store->history_cursor = seen == PRUNE_WINDOW ? cursor : 0;
    }
    return result;
}

static enum berth_code remove_entries(struct berth_store *store, const int64_t *numbers,
                                      size_t count, struct berth_error *err)
{
    sqlite3_stmt *removal = store->statements[BERTH_SQL_HISTORY_REMOVE];

    enum berth_code code = berth_store_begin(store, err);
    for (size_t i = 0; i < count && code == BERTH_OK; i++) {
        int result = run_up_to(removal, numbers[i]);
        if (result != SQLITE_DONE) {
            code = berth_store_fail(store, result, "pruning", err);
            berth_store_rollback(store);
        }
    }
    return code == BERTH_OK ? berth_store_commit(store, NULL, err) : code;
}

enum berth_code berth_store_prune(struct berth_store *store, int64_t now_unix_ms, bool *more,
                                  struct berth_error *err)
{
    int64_t numbers[PRUNE_WINDOW];
    size_t count = 0;
    int64_t cutoff = INT64_MIN;
    sqlite3_stmt *newest = store->statements[BERTH_SQL_HISTORY_NEWEST];

    *more = false;
    int result = store->calendar.at_ms == 0 ? begin_calendar(store) : SQLITE_DONE;
    if (result != SQLITE_DONE) {
        return berth_store_fail(store, result, "pruning", err);
    }
    if (store->calendar.at_ms != 0 && store->history_ms <= INT64_MAX / 2 &&
        now_unix_ms > INT64_MIN / 2) {
        cutoff = believed_time(store, now_unix_ms) - (int64_t)store->history_ms;
    }
    result = sqlite3_step(newest);
    int64_t last = result == SQLITE_ROW ? sqlite3_column_int64(newest, 0) : 0;
    (void)sqlite3_reset(newest);
    if (result == SQLITE_ROW) {
        result = look(store, cutoff, last, numbers, &count);
    }
    if (result != SQLITE_DONE) {
        return berth_store_fail(store, result, "pruning", err);
    }
    if (count == 0) {
        return BERTH_OK;
    }
    enum berth_code code = remove_entries(store, numbers, count, err);
    *more = code == BERTH_OK;
    return code;
}
