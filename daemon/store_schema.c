/* SPDX-License-Identifier: MIT */
/* The tables, how one version of them becomes the next, and the statements that work on them. */
#include "store_internal.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* The oldest Berth that can use this version of the schema. Said to a Berth that cannot. */
#define NEEDS "0.1.0"

/* A lease is one row of one tree, found by its id. `serial` orders grants of one millisecond.
 * `recent` is what each transaction appends to: history that is not indexed yet, and the seal. */
static const char create_leases[] =
    "CREATE TABLE about (name TEXT PRIMARY KEY NOT NULL, value TEXT NOT NULL)"
    " STRICT, WITHOUT ROWID;"
    "INSERT INTO about VALUES ('needs', '" NEEDS "');"
    "CREATE TABLE recent (number INTEGER PRIMARY KEY, time_unix_ms INTEGER, event TEXT,"
    " port INTEGER, key_hash INTEGER, key TEXT, generation TEXT, by TEXT, store INTEGER,"
    " changes INTEGER, serial INTEGER, leases INTEGER, sum INTEGER, digest INTEGER) STRICT;"
    "CREATE TABLE lease (id TEXT PRIMARY KEY NOT NULL, key TEXT NOT NULL,"
    " generation TEXT NOT NULL, holder TEXT NOT NULL, meta TEXT NOT NULL,"
    " protocol TEXT NOT NULL, owner_id TEXT NOT NULL, owner_name TEXT NOT NULL,"
    " owner_group TEXT NOT NULL, state TEXT NOT NULL, ports TEXT NOT NULL,"
    " granted_unix_ms INTEGER NOT NULL, expires_unix_ms INTEGER NOT NULL,"
    " ttl_ms INTEGER NOT NULL, hold INTEGER NOT NULL, digest INTEGER NOT NULL,"
    " serial INTEGER NOT NULL) STRICT, WITHOUT ROWID;";

/* Keys are long; a hash of them keeps the index small. */
static const char create_history[] =
    "CREATE TABLE history (number INTEGER PRIMARY KEY, time_unix_ms INTEGER NOT NULL,"
    " event TEXT NOT NULL, port INTEGER NOT NULL, key_hash INTEGER NOT NULL, key TEXT NOT NULL,"
    " generation TEXT NOT NULL, by TEXT NOT NULL) STRICT;"
    "CREATE INDEX history_by_port ON history (port);"
    "CREATE INDEX history_by_key ON history (key_hash);";

static const char *const texts[BERTH_SQL_COUNT] = {
    [BERTH_SQL_BEGIN] = "BEGIN IMMEDIATE",
    [BERTH_SQL_COMMIT] = "COMMIT",
    [BERTH_SQL_ROLLBACK] = "ROLLBACK",
    [BERTH_SQL_SEAL_READ] =
        "SELECT store, changes, serial, leases, sum, digest, number,"
        " (SELECT min(number) FROM recent) FROM recent ORDER BY number DESC LIMIT 1",
    [BERTH_SQL_LEASE_FIND] = "SELECT digest, serial FROM lease WHERE id = ?",
    [BERTH_SQL_LEASE_PUT] =
        "REPLACE INTO lease (id, key, generation, holder, meta, protocol, owner_id, owner_name,"
        " owner_group, state, ports, granted_unix_ms, expires_unix_ms, ttl_ms, hold, digest,"
        " serial) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [BERTH_SQL_LEASE_REMOVE] = "DELETE FROM lease WHERE id = ?",
    [BERTH_SQL_LEASE_ALL] =
        "SELECT id, key, generation, holder, meta, protocol, owner_id, owner_name, owner_group,"
        " state, ports, granted_unix_ms, expires_unix_ms, ttl_ms, hold, digest"
        " FROM lease ORDER BY granted_unix_ms, serial",
    [BERTH_SQL_RECENT_ADD] =
        "INSERT INTO recent (time_unix_ms, event, port, key_hash, key, generation, by, store,"
        " changes, serial, leases, sum, digest) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
    [BERTH_SQL_RECENT_BY_PORT] =
        "SELECT time_unix_ms, event, port, key, generation, by FROM recent"
        " WHERE port = ? AND event IS NOT NULL ORDER BY number DESC LIMIT ?",
    [BERTH_SQL_RECENT_BY_KEY] =
        "SELECT time_unix_ms, event, port, key, generation, by FROM recent"
        " WHERE key_hash = ? AND key = ? AND event IS NOT NULL ORDER BY number DESC LIMIT ?",
    [BERTH_SQL_RECENT_FOLD] =
        "INSERT INTO history (time_unix_ms, event, port, key_hash, key, generation, by)"
        " SELECT time_unix_ms, event, port, key_hash, key, generation, by FROM recent"
        " WHERE number <= ? AND event IS NOT NULL ORDER BY number",
    [BERTH_SQL_RECENT_REMOVE] = "DELETE FROM recent WHERE number <= ?",
    [BERTH_SQL_HISTORY_BY_PORT] = "SELECT time_unix_ms, event, port, key, generation, by"
                                  " FROM history WHERE port = ? ORDER BY number DESC LIMIT ?",
    [BERTH_SQL_HISTORY_BY_KEY] =
        "SELECT time_unix_ms, event, port, key, generation, by FROM history"
        " WHERE key_hash = ? AND key = ? ORDER BY number DESC LIMIT ?",
    [BERTH_SQL_HISTORY_WINDOW] = "SELECT number, time_unix_ms FROM history WHERE number > ?"
                                 " ORDER BY number LIMIT ?",
    [BERTH_SQL_HISTORY_REMOVE] = "DELETE FROM history WHERE number = ?",
    [BERTH_SQL_HISTORY_NEWEST] = "SELECT ifnull(max(number), 0) FROM history",
    [BERTH_SQL_ENTRY_TIME] =
        "SELECT ifnull((SELECT time_unix_ms FROM recent WHERE event IS NOT NULL"
        " ORDER BY number DESC LIMIT 1),"
        " (SELECT time_unix_ms FROM history ORDER BY number DESC LIMIT 1))",
};

enum berth_code berth_store_exec(struct berth_store *store, const char *sql,
                                 struct berth_error *err)
{
    int result = sqlite3_exec(store->db, sql, NULL, NULL, NULL);

    return result == SQLITE_OK ? BERTH_OK : berth_store_fail(store, result, "preparing", err);
}

enum berth_code berth_store_number(struct berth_store *store, const char *sql, int64_t *out,
                                   struct berth_error *err)
{
    sqlite3_stmt *query = NULL;
    int result = sqlite3_prepare_v2(store->db, sql, -1, &query, NULL);

    if (result == SQLITE_OK) {
        result = sqlite3_step(query);
    }
    if (result == SQLITE_ROW) {
        *out = sqlite3_column_int64(query, 0);
    }
    (void)sqlite3_finalize(query);
    return result == SQLITE_ROW ? BERTH_OK : berth_store_fail(store, result, "reading", err);
}

enum berth_code berth_store_prepare(struct berth_store *store, struct berth_error *err)
{
    for (size_t i = 0; i < BERTH_SQL_COUNT; i++) {
        int result = store->statements[i] != NULL
                         ? SQLITE_OK
                         : sqlite3_prepare_v3(store->db, texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                                              &store->statements[i], NULL);
        if (result == SQLITE_ERROR) {
            return berth_store_fail_damaged(store, sqlite3_errmsg(store->db), err);
        }
        if (result != SQLITE_OK) {
            return berth_store_fail(store, result, "preparing", err);
        }
    }
    return BERTH_OK;
}

static enum berth_code write_first_seal(struct berth_store *store, struct berth_error *err)
{
    enum berth_code code = berth_store_prepare(store, err);

    if (code != BERTH_OK) {
        return code;
    }
    memset(&store->seal, 0, sizeof store->seal);
    sqlite3_randomness((int)sizeof store->seal.store, &store->seal.store);
    int result = berth_store_append(store, NULL, true);
    return result == SQLITE_DONE ? BERTH_OK : berth_store_fail(store, result, "preparing", err);
}

static enum berth_code create(struct berth_store *store, struct berth_error *err)
{
    enum berth_code code = berth_store_exec(store, create_leases, err);

    if (code == BERTH_OK) {
        code = berth_store_exec(store, create_history, err);
    }
    if (code == BERTH_OK) {
        code = berth_store_exec(
            store, "PRAGMA application_id = " BERTH_STORE_NUMBER_TEXT(BERTH_STORE_APPLICATION_ID),
            err);
    }
    return code == BERTH_OK ? write_first_seal(store, err) : code;
}

/* Puts the rows of version 1 into the new table; `hold`, the group and the digests are new. */
static int copy_leases_of_1(struct berth_store *store, sqlite3_stmt *old)
{
    struct berth_lease_record record;
    int result = sqlite3_step(old);

    while (result == SQLITE_ROW) {
        /* a broken digest is what is expected here: version 1 had none */
        (void)berth_store_row(old, &record);
        if (sqlite3_errcode(store->db) == SQLITE_NOMEM) {
            return SQLITE_NOMEM;
        }
        result = berth_store_put_record(store, &record);
        if (result == SQLITE_DONE) {
            result = sqlite3_step(old);
        }
    }
    return result;
}

/* Version 1 knew neither groups of owners nor holds, and had no check sums. */
static enum berth_code from_1(struct berth_store *store, struct berth_error *err)
{
    sqlite3_stmt *old = NULL;
    enum berth_code code = berth_store_exec(store, "ALTER TABLE lease RENAME TO lease_1", err);

    if (code == BERTH_OK) {
        code = berth_store_exec(store, create_leases, err);
    }
    if (code == BERTH_OK) {
        code = write_first_seal(store, err);
    }
    if (code != BERTH_OK) {
        return code;
    }
    int result = sqlite3_prepare_v2(
        store->db,
        "SELECT id, key, generation, holder, meta, protocol, owner_id, owner_name, '', state,"
        " ports, granted_unix_ms, expires_unix_ms, ttl_ms, 0, 0 FROM lease_1"
        " ORDER BY granted_unix_ms",
        -1, &old, NULL);
    if (result == SQLITE_OK) {
        result = copy_leases_of_1(store, old);
    }
    (void)sqlite3_finalize(old);
    if (result == SQLITE_DONE) {
        result = berth_store_append(store, NULL, true);
    }
    if (result != SQLITE_DONE) {
        return berth_store_fail(store, result, "bringing version 1 up to date", err);
    }
    return berth_store_exec(store, "DROP TABLE lease_1", err);
}

struct step {
    int64_t from;
    int64_t to;
    enum berth_code (*make)(struct berth_store *store, struct berth_error *err);
};

static const struct step steps[] = {{0, 2, create}, {1, 2, from_1}};

static const struct step *step_from(int64_t version)
{
    for (size_t i = 0; i < BERTH_COUNT(steps); i++) {
        if (steps[i].from == version) {
            return &steps[i];
        }
    }
    return NULL;
}

/* A step is a transaction: it and the new version are there, or neither. */
static enum berth_code take_step(struct berth_store *store, const struct step *step,
                                 struct berth_error *err)
{
    char sql[64];

    (void)snprintf(sql, sizeof sql, "PRAGMA user_version = %" PRId64 "; COMMIT", step->to);
    enum berth_code code = berth_store_exec(store, "BEGIN IMMEDIATE", err);
    if (code == BERTH_OK) {
        code = step->make(store, err);
    }
    if (code == BERTH_OK) {
        code = berth_store_exec(store, sql, err);
    }
    if (code != BERTH_OK && sqlite3_get_autocommit(store->db) == 0) {
        (void)sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    }
    return code;
}

static enum berth_code fail_newer(struct berth_store *store, int64_t version,
                                  struct berth_error *err)
{
    char needs[32] = "a newer one";
    sqlite3_stmt *query = NULL;

    if (sqlite3_prepare_v2(store->db, "SELECT value FROM about WHERE name = 'needs'", -1, &query,
                           NULL) == SQLITE_OK &&
        sqlite3_step(query) == SQLITE_ROW && sqlite3_column_text(query, 0) != NULL) {
        (void)snprintf(needs, sizeof needs, "%s or later",
                       (const char *)sqlite3_column_text(query, 0));
    }
    (void)sqlite3_finalize(query);
    return berth_fail(err, BERTH_NOT_SUPPORTED, 0,
                      "the lease store %.180s has version %" PRId64
                      " and this Berth knows up to %d: install Berth %s, or restore the store of "
                      "before the upgrade",
                      store->path, version, BERTH_STORE_VERSION, needs);
}

static enum berth_code check_kind(struct berth_store *store, int64_t version, bool *is_new,
                                  struct berth_error *err)
{
    int64_t application = 0;
    int64_t tables = 0;

    enum berth_code code = berth_store_number(store, "PRAGMA application_id", &application, err);
    if (code == BERTH_OK) {
        code = berth_store_number(store, "SELECT count(*) FROM sqlite_schema", &tables, err);
    }
    if (code != BERTH_OK) {
        return code;
    }
    *is_new = application == 0 && version == 0 && tables == 0;
    if (!*is_new && application != BERTH_STORE_APPLICATION_ID) {
        return berth_fail(err, BERTH_STORE_FAILED, 0,
                          "%.180s is not a lease store but a database of another program: move it "
                          "out of the folder, or name another state folder",
                          store->path);
    }
    if (version > BERTH_STORE_VERSION) {
        return fail_newer(store, version, err);
    }
    return !*is_new && version < 1 ? berth_store_fail_damaged(store, "it has no version", err)
                                   : BERTH_OK;
}

/* Asked for again with each open: an answer other than "wal" means that the file system lacks
 * what it needs. */
static enum berth_code use_log(struct berth_store *store, struct berth_error *err)
{
    sqlite3_stmt *query = NULL;
    bool done = false;
    int result = sqlite3_prepare_v2(store->db, "PRAGMA journal_mode = WAL", -1, &query, NULL);

    if (result == SQLITE_OK) {
        result = sqlite3_step(query);
        const char *mode = result == SQLITE_ROW ? (const char *)sqlite3_column_text(query, 0) : "";
        done = mode != NULL && strcmp(mode, "wal") == 0;
    }
    (void)sqlite3_finalize(query);
    if (result != SQLITE_ROW) {
        return berth_store_fail(store, result, "preparing", err);
    }
    return done ? BERTH_OK
                : berth_fail(err, BERTH_STORE_FAILED, 0,
                             "the lease store %.180s lies on a file system that cannot keep it "
                             "safe: name a state folder on a local disk",
                             store->path);
}

enum berth_code berth_store_settle_schema(struct berth_store *store, struct berth_error *err)
{
    int64_t version = 0;
    bool is_new = false;

    enum berth_code code = berth_store_number(store, "PRAGMA user_version", &version, err);
    if (code == BERTH_OK) {
        code = check_kind(store, version, &is_new, err);
    }
    if (code == BERTH_OK) {
        code = use_log(store, err);
    }
    while (code == BERTH_OK && version != BERTH_STORE_VERSION) {
        const struct step *step = step_from(version);
        if (step == NULL) {
            return berth_store_fail_damaged(store, "its version was never one", err);
        }
        code = take_step(store, step, err);
        version = step->to;
    }
    return code == BERTH_OK ? berth_store_prepare(store, err) : code;
}
