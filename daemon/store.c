/* SPDX-License-Identifier: MIT */
/* The lease store's life: opening, loading, changing, upkeep, closing.
 *
 * SQLite is used with one connection and one thread (SQLITE_OPEN_NOMUTEX), in exclusive locking
 * mode: no other process gets in, the write-ahead log's index is in memory, and there is no -shm
 * file whose pages could fail under the program. */
#include "store_internal.h"

#include "base/memory.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* How large a database is checked page by page at each start; about 1 ms a MiB. The leases of a
 * larger one are checked all the same, by their digests. */
#define CHECKED_BYTES_MAX ((int64_t)32 << 20)

#define CACHE_KIB "2048"

static const char connection_settings[] =
    "PRAGMA locking_mode = EXCLUSIVE;"
    "PRAGMA page_size = " BERTH_STORE_NUMBER_TEXT(
        BERTH_STORE_PAGE_BYTES) ";"
                                "PRAGMA synchronous = NORMAL;" /* store_sync.c does the rest */
                                "PRAGMA temp_store = MEMORY;"
                                "PRAGMA mmap_size = 0;" /* a failing disk is an error, not a signal
                                                         */
                                "PRAGMA cache_size = -" CACHE_KIB ";"
                                "PRAGMA secure_delete = OFF;"
                                "PRAGMA cell_size_check = ON;"
                                "PRAGMA trusted_schema = OFF;"
                                "PRAGMA journal_size_limit = 8388608;";

static int on_commit(void *ctx, sqlite3 *db, const char *schema, int pages)
{
    struct berth_store *store = ctx;

    (void)db;
    (void)schema;
    store->log_pages = pages;
    return SQLITE_OK;
}

static char *join(const char *folder, const char *name)
{
    size_t length = strlen(folder) + strlen(name) + 2;
    char *path = berth_alloc(length, 1);

    if (path != NULL) {
        (void)snprintf(path, length, "%s/%s", folder, name);
    }
    return path;
}

static enum berth_code name_files(struct berth_store *store,
                                  const struct berth_store_options *options,
                                  struct berth_error *err)
{
    if (options->folder == NULL || options->folder[0] == '\0') {
        return berth_fail(err, BERTH_INVALID_PARAMS, 0, "no state folder is given");
    }
    store->path = join(options->folder, BERTH_STORE_FILE);
    store->mark_path = join(options->folder, BERTH_STORE_MARK_FILE);
    if (store->path == NULL || store->mark_path == NULL) {
        return berth_fail_memory(err, "the lease store's name");
    }
    return BERTH_OK;
}

static enum berth_code open_database(struct berth_store *store, unsigned busy_timeout_ms,
                                     struct berth_error *err)
{
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_PRIVATECACHE |
                SQLITE_OPEN_EXRESCODE;
    int result = sqlite3_open_v2(store->path, &store->db, flags, berth_store_gathering());

    if (result != SQLITE_OK) {
        return berth_store_fail(store, result, "opening", err);
    }
    if (sqlite3_db_readonly(store->db, "main") != 0) {
        return berth_store_fail(store, SQLITE_READONLY, "opening", err);
    }
    (void)sqlite3_busy_timeout(store->db, busy_timeout_ms < 60000 ? (int)busy_timeout_ms : 60000);
    (void)sqlite3_limit(store->db, SQLITE_LIMIT_LENGTH, 1 << 20);
    (void)sqlite3_db_config(store->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    return berth_store_exec(store, connection_settings, err);
}

/* Checks the structure of the whole file, where that is quick. */
static enum berth_code check_structure(struct berth_store *store, struct berth_error *err)
{
    sqlite3_stmt *check = NULL;
    int64_t pages = 0;
    int64_t page_size = 0;

    enum berth_code code = berth_store_number(store, "PRAGMA page_count", &pages, err);
    if (code == BERTH_OK) {
        code = berth_store_number(store, "PRAGMA page_size", &page_size, err);
    }
    if (code != BERTH_OK || pages * page_size > CHECKED_BYTES_MAX) {
        return code;
    }
    int result = sqlite3_prepare_v2(store->db, "PRAGMA quick_check(1)", -1, &check, NULL);
    if (result == SQLITE_OK) {
        result = sqlite3_step(check);
    }
    const char *finding = result == SQLITE_ROW ? (const char *)sqlite3_column_text(check, 0) : NULL;
    if (result == SQLITE_ROW && finding == NULL) {
        code = berth_fail_memory(err, "checking the lease store");
    } else if (result != SQLITE_ROW) {
        code = berth_store_fail(store, result, "checking", err);
    } else if (strcmp(finding, "ok") != 0) {
        code = berth_store_fail_damaged(store, finding, err);
    }
    (void)sqlite3_finalize(check);
    return code;
}

/* Everything after the files are known to be there. */
static enum berth_code settle(struct berth_store *store, const struct berth_store_options *options,
                              struct berth_error *err)
{
    enum berth_code code = open_database(store, options->busy_timeout_ms, err);

    if (code == BERTH_OK) {
        code = check_structure(store, err);
    }
    if (code == BERTH_OK) {
        code = berth_store_settle_schema(store, err);
    }
    if (code == BERTH_OK) {
        code = berth_store_seal_read(store, err);
    }
    if (code == BERTH_OK) {
        code = berth_store_mark_compare(store, err);
    }
    if (code == BERTH_OK) {
        code = berth_store_mark_open(store, err);
    }
    if (code != BERTH_OK) {
        return code;
    }
    (void)sqlite3_wal_hook(store->db, on_commit, store);
    if (store->sync) {
        code = berth_store_sync_now(store, err);
        if (code == BERTH_OK) {
            code = berth_store_sync_folder(options->folder, err);
        }
        if (code == BERTH_OK) {
            code = berth_store_worker_start(store, err);
        }
    }
    if (code == BERTH_OK) {
        berth_store_mark_write(store, store->seal.changes);
    }
    return code;
}

enum berth_code berth_store_open(struct berth_store **out,
                                 const struct berth_store_options *options, struct berth_error *err)
{
    berth_store_memory_init();
    struct berth_store *store = berth_alloc(1, sizeof *store);
    if (store == NULL) {
        return berth_fail_memory(err, "the lease store");
    }
    store->mark_file = -1;
    store->sync = options->durability == BERTH_DURABILITY_SYNC;
    store->history_ms = options->history_ms;
    store->pages_soon = BERTH_STORE_WAL_PAGES_SOON;
    store->pages_must = BERTH_STORE_WAL_PAGES;
    store->boot_unix_ms = berth_store_boot_time();
    enum berth_code code = name_files(store, options, err);
    if (code == BERTH_OK) {
        code = berth_store_make_folder(options->folder, err);
    }
    if (code == BERTH_OK) {
        code = berth_store_examine(store, err);
    }
    if (code == BERTH_OK) {
        code = settle(store, options, err);
    }
    if (code != BERTH_OK) {
        berth_store_close(store);
        return code;
    }
    *out = store;
    return BERTH_OK;
}

void berth_store_close(struct berth_store *store)
{
    if (store == NULL) {
        return;
    }
    berth_store_worker_stop(store);
    for (size_t i = 0; i < BERTH_SQL_COUNT; i++) {
        (void)sqlite3_finalize(store->statements[i]);
    }
    (void)sqlite3_close(store->db); /* a last checkpoint, after which the log is not needed */
    berth_store_mark_close(store);
    berth_free(store->path);
    berth_free(store->mark_path);
    berth_free(store);
}

uint64_t berth_store_lost_changes(const struct berth_store *store)
{
    return store->lost_changes;
}

/* The list is whole if as many records with the same digests are there as were put. */
static enum berth_code check_seal(const struct berth_store *store, int64_t leases, uint64_t sum,
                                  struct berth_error *err)
{
    if (leases == store->seal.leases && sum == store->seal.sum) {
        return BERTH_OK;
    }
    return berth_store_fail_damaged(
        store, leases != store->seal.leases ? "leases are missing" : "leases were altered", err);
}

enum berth_code berth_store_load(struct berth_store *store, berth_store_lease_cb each, void *ctx,
                                 struct berth_error *err)
{
    sqlite3_stmt *query = store->statements[BERTH_SQL_LEASE_ALL];
    struct berth_lease_record record;
    enum berth_code code = BERTH_OK;
    int64_t leases = 0;
    uint64_t sum = 0;
    int result = SQLITE_ROW;

    while (code == BERTH_OK && (result = sqlite3_step(query)) == SQLITE_ROW) {
        bool whole = berth_store_row(query, &record);
        if (!whole && sqlite3_errcode(store->db) == SQLITE_NOMEM) {
            code = berth_fail_memory(err, "the leases");
        } else if (!whole) {
            code = berth_store_fail_damaged(store, "a lease was altered", err);
        } else {
            leases++;
            sum += berth_store_digest(&record);
            code = each(ctx, &record, err);
        }
    }
    (void)sqlite3_reset(query);
    if (code == BERTH_OK && result != SQLITE_DONE) {
        code = berth_store_fail(store, result, "reading", err);
    }
    return code == BERTH_OK ? check_seal(store, leases, sum, err) : code;
}

enum berth_code berth_store_begin(struct berth_store *store, struct berth_error *err)
{
    int result = berth_store_run(store->statements[BERTH_SQL_BEGIN]);

    store->seal_before = store->seal;
    if (result != SQLITE_DONE) {
        return berth_store_fail(store, result, "beginning a change", err);
    }
    store->seal.changes++;
    return BERTH_OK;
}

void berth_store_rollback(struct berth_store *store)
{
    if (sqlite3_get_autocommit(store->db) == 0) {
        (void)berth_store_run(store->statements[BERTH_SQL_ROLLBACK]);
    }
    store->seal = store->seal_before;
}

enum berth_code berth_store_commit(struct berth_store *store,
                                   const struct berth_history_entry *entry, struct berth_error *err)
{
    int result = berth_store_append(store, entry, true);
    int64_t last = sqlite3_last_insert_rowid(store->db);

    if (result == SQLITE_DONE) {
        result = berth_store_run(store->statements[BERTH_SQL_COMMIT]);
        store->leftover = store->leftover || result != SQLITE_DONE;
    }
    if (result != SQLITE_DONE) {
        enum berth_code code = berth_store_fail(store, result, "a change", err);
        berth_store_rollback(store);
        return code;
    }
    store->leftover = false;
    store->recent_last = last;
    if (!store->sync) {
        berth_store_mark_write(store, store->seal.changes);
    }
    return BERTH_OK;
}

/* A commit that failed at its very end may stand in the log complete. SQLite does not look at it
 * again, but the recovery after a death would. A commit of nothing, in its place, ends that. */
static enum berth_code bury(struct berth_store *store, struct berth_error *err)
{
    if (!store->leftover) {
        return BERTH_OK;
    }
    enum berth_code code = berth_store_begin(store, err);
    return code == BERTH_OK ? berth_store_commit(store, NULL, err) : code;
}

static enum berth_code check_changes(const struct berth_store_change *changes, size_t count,
                                     struct berth_error *err)
{
    enum berth_code code = BERTH_OK;

    for (size_t i = 0; i < count && code == BERTH_OK; i++) {
        const struct berth_store_change *change = &changes[i];
        if (change->put != NULL) {
            code = berth_store_check_record(change->put, err);
        }
        for (size_t j = 0; j < change->history_count && code == BERTH_OK; j++) {
            code = berth_store_check_entry(&change->history[j], err);
        }
    }
    return code;
}

static int make_change(struct berth_store *store, const struct berth_store_change *change)
{
    int result = SQLITE_DONE;

    if (change->put != NULL) {
        result = berth_store_put_record(store, change->put);
    }
    if (result == SQLITE_DONE && change->remove != NULL) {
        result = berth_store_remove_record(store, change->remove);
    }
    return result;
}

/* Writes all entries but the last, which goes into the row of the seal. */
static int add_entries(struct berth_store *store, const struct berth_store_change *changes,
                       size_t count, const struct berth_history_entry **last)
{
    int result = SQLITE_DONE;

    *last = NULL;
    if (store->history_ms == 0) {
        return result;
    }
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < changes[i].history_count && result == SQLITE_DONE; j++) {
            if (*last != NULL) {
                result = berth_store_append(store, *last, false);
            }
            *last = &changes[i].history[j];
        }
    }
    return result;
}

static enum berth_code make_changes(struct berth_store *store,
                                    const struct berth_store_change *changes, size_t count,
                                    struct berth_error *err)
{
    const struct berth_history_entry *last = NULL;
    int result = SQLITE_DONE;
    enum berth_code code = berth_store_begin(store, err);

    if (code != BERTH_OK) {
        return code;
    }
    for (size_t i = 0; i < count && result == SQLITE_DONE; i++) {
        result = make_change(store, &changes[i]);
    }
    if (result == SQLITE_DONE) {
        result = add_entries(store, changes, count, &last);
    }
    if (result != SQLITE_DONE) {
        code = berth_store_fail(store, result, "a change", err);
        berth_store_rollback(store);
        return code;
    }
    return berth_store_commit(store, last, err);
}

/* Moves the log's pages into the database. Its failure loses nothing: they stay in the log. */
static int checkpoint(struct berth_store *store)
{
    int in_log = 0;
    int moved = 0;
    int result =
        sqlite3_wal_checkpoint_v2(store->db, "main", SQLITE_CHECKPOINT_PASSIVE, &in_log, &moved);

    if (result == SQLITE_OK) {
        store->log_pages = in_log - moved;
    }
    return result;
}

/* A checkpoint, and then a commit of nothing: the first one to use the log from its start again
 * waits for the disk, which so is not somebody's lease. */
static enum berth_code empty_log(struct berth_store *store, struct berth_error *err)
{
    int result = checkpoint(store);

    if (result != SQLITE_OK) {
        return berth_store_fail(store, result, "a checkpoint", err);
    }
    enum berth_code code = berth_store_begin(store, err);
    return code == BERTH_OK ? berth_store_commit(store, NULL, err) : code;
}

enum berth_code berth_store_apply(struct berth_store *store,
                                  const struct berth_store_change *changes, size_t count,
                                  struct berth_error *err)
{
    struct berth_error ignored;

    enum berth_code code = check_changes(changes, count, err);
    if (code == BERTH_OK) {
        code = berth_store_recover(store, err);
    }
    if (code == BERTH_OK) {
        code = bury(store, err);
    }
    if (code == BERTH_OK) {
        code = make_changes(store, changes, count, err);
        (void)bury(store, &ignored); /* now, if it can be had */
    }
    if (code == BERTH_OK && store->log_pages >= store->pages_must) {
        (void)checkpoint(store);
    }
    return code;
}

enum berth_code berth_store_put(struct berth_store *store, const struct berth_lease_record *record,
                                const struct berth_history_entry *history, struct berth_error *err)
{
    struct berth_store_change change = {record, NULL, history, history != NULL ? 1 : 0};

    return berth_store_apply(store, &change, 1, err);
}

enum berth_code berth_store_remove(struct berth_store *store, const char *id,
                                   const struct berth_history_entry *history,
                                   struct berth_error *err)
{
    struct berth_store_change change = {NULL, id, history, history != NULL ? 1 : 0};

    return berth_store_apply(store, &change, 1, err);
}

bool berth_store_is_behind(const struct berth_store *store)
{
    return store->recent_last - store->recent_first > BERTH_STORE_UNSORTED_MAX;
}

enum berth_code berth_store_tend(struct berth_store *store, int64_t now_unix_ms, bool *more,
                                 struct berth_error *err)
{
    bool more_to_fold = false;

    *more = false;
    enum berth_code code = berth_store_recover(store, err);
    if (code == BERTH_OK) {
        code = bury(store, err);
    }
    if (code == BERTH_OK) {
        code = berth_store_fold(store, &more_to_fold, err);
    }
    if (code == BERTH_OK) {
        code = berth_store_prune(store, now_unix_ms, more, err);
        *more = *more || (code == BERTH_OK && more_to_fold);
    }
    if (code == BERTH_OK && store->log_pages >= store->pages_soon) {
        code = empty_log(store, err);
        *more = *more && code == BERTH_OK;
    }
    return code;
}
