/* SPDX-License-Identifier: MIT */
/* What the files of the store share. Nobody else includes it, but for tests of its inside. */
#ifndef BERTH_DAEMON_STORE_INTERNAL_H
#define BERTH_DAEMON_STORE_INTERNAL_H

#include "store.h"

#include <sqlite3.h>
#include <uv.h>

#define BERTH_STORE_APPLICATION_ID 0x42525448 /* "BRTH", in the database's header */
#define BERTH_STORE_PAGE_BYTES 2048 /* of a new database: a lease fits in a page's quarter */
#define BERTH_STORE_VERSION 2       /* of the schema, in the database's user_version */

#define BERTH_STORE_TEXT_OF(number) #number
#define BERTH_STORE_NUMBER_TEXT(number) BERTH_STORE_TEXT_OF(number)

/* The prepared statements. store_schema.c has their text. */
enum berth_store_sql {
    BERTH_SQL_BEGIN,
    BERTH_SQL_COMMIT,
    BERTH_SQL_ROLLBACK,
    BERTH_SQL_SEAL_READ,
    BERTH_SQL_LEASE_FIND,
    BERTH_SQL_LEASE_PUT,
    BERTH_SQL_LEASE_REMOVE,
    BERTH_SQL_LEASE_ALL,
    BERTH_SQL_RECENT_ADD,
    BERTH_SQL_RECENT_BY_PORT,
    BERTH_SQL_RECENT_BY_KEY,
    BERTH_SQL_RECENT_FOLD,
    BERTH_SQL_RECENT_REMOVE,
    BERTH_SQL_HISTORY_BY_PORT,
    BERTH_SQL_HISTORY_BY_KEY,
    BERTH_SQL_HISTORY_WINDOW,
    BERTH_SQL_HISTORY_REMOVE,
    BERTH_SQL_HISTORY_NEWEST,
    BERTH_SQL_ENTRY_TIME,
    BERTH_SQL_COUNT
};

/* What must be true of all lease records together. Each transaction appends it to the table
 * `recent` (in the same row as its history entry: a page less to write), so that a record that is
 * missing, altered or doubled is found. */
struct berth_store_seal {
    int64_t store;   /* random, given when the store was made */
    int64_t changes; /* transactions since */
    int64_t serial;  /* of the last record that was added */
    int64_t leases;  /* records */
    uint64_t sum;    /* of the records' digests */
};

/* What the mark file says: a second witness, outside the database. */
struct berth_store_mark {
    int64_t store;
    int64_t changes; /* at least these were acknowledged */
    int64_t boot_unix_ms;
    bool sync; /* they were on the disk for sure */
};

struct berth_store_worker {
    uv_thread_t thread;
    uv_mutex_t lock;
    uv_cond_t wake;
    bool running;
    /* under `lock` */
    bool stop;
    bool failed; /* a sync failed: until it is put right no flush is granted */
    struct berth_error failure;
    struct berth_store_flush *first;
    struct berth_store_flush *last;
    sqlite3_file *log; /* the write-ahead log */
    uint64_t syncs;    /* for tests */
};

/* What the calendar said when pruning last believed it. */
struct berth_store_calendar {
    int64_t unix_ms;
    uint64_t at_ms;    /* by the clock that does not jump; 0: there was no entry yet to tell */
    uint64_t ahead_ms; /* since when it says more than is believed; 0: it does not */
};

struct berth_store {
    sqlite3 *db;
    sqlite3_stmt *statements[BERTH_SQL_COUNT];
    char *path;
    char *mark_path;
    bool sync;
    uint64_t history_ms;
    struct berth_store_seal seal;
    struct berth_store_seal seal_before; /* the transaction */
    uint64_t lost_changes;
    bool leftover;  /* a commit failed and may stand in the log, where recovery would find it */
    int log_pages;  /* in the write-ahead log */
    int pages_soon; /* BERTH_STORE_WAL_PAGES_SOON; less in tests */
    int pages_must; /* BERTH_STORE_WAL_PAGES */
    int64_t recent_first; /* the rows of the table `recent`; the last one holds the seal */
    int64_t recent_last;
    int64_t history_cursor; /* how far pruning has looked */
    struct berth_store_calendar calendar;
    uint64_t (*clock_ms)(void); /* a test's own; NULL: uv_hrtime() */
    uv_file mark_file;
    int64_t boot_unix_ms;
    struct berth_store_worker worker;
};

/* store_memory.c: makes SQLite use base/memory.h; before SQLite does anything else. */
void berth_store_memory_init(void);

/* store_failure.c: fills `err` for a result code of SQLite's, with what to do about it. */
enum berth_code berth_store_fail(const struct berth_store *store, int result, const char *doing,
                                 struct berth_error *err);
/* The sentence for a store that is damaged; `how` says what was found. */
enum berth_code berth_store_fail_damaged(const struct berth_store *store, const char *how,
                                         struct berth_error *err);
/* For a libuv code. */
enum berth_code berth_store_fail_file(const char *path, int uv_code, const char *doing,
                                      struct berth_error *err);

/* store_files.c: folder, database file and their state before SQLite opens them. */
enum berth_code berth_store_make_folder(const char *folder, struct berth_error *err);
enum berth_code berth_store_examine(const struct berth_store *store, struct berth_error *err);
enum berth_code berth_store_sync_folder(const char *folder, struct berth_error *err);

/* store_schema.c */
enum berth_code berth_store_settle_schema(struct berth_store *store, struct berth_error *err);
enum berth_code berth_store_prepare(struct berth_store *store, struct berth_error *err);
enum berth_code berth_store_exec(struct berth_store *store, const char *sql,
                                 struct berth_error *err);
enum berth_code berth_store_number(struct berth_store *store, const char *sql, int64_t *out,
                                   struct berth_error *err);

/* store_record.c: a record and a row. All give SQLite's result codes; statements are left reset. */
uint64_t berth_store_hash(uint64_t hash, const void *bytes, size_t length);
uint64_t berth_store_hash_text(const char *text);
uint64_t berth_store_digest(const struct berth_lease_record *record);
enum berth_code berth_store_check_record(const struct berth_lease_record *record,
                                         struct berth_error *err);
int berth_store_put_record(struct berth_store *store, const struct berth_lease_record *record);
int berth_store_remove_record(struct berth_store *store, const char *id);
bool berth_store_row(sqlite3_stmt *row, struct berth_lease_record *out);
uint64_t berth_store_seal_digest(const struct berth_store_seal *seal);
enum berth_code berth_store_seal_read(struct berth_store *store, struct berth_error *err);
int berth_store_run(sqlite3_stmt *statement); /* to its end, which is SQLITE_DONE, then resets it */

/* store_history.c */
enum berth_code berth_store_check_entry(const struct berth_history_entry *entry,
                                        struct berth_error *err);
/* Appends to `recent`: an entry (NULL: none) and, in a transaction's last row, the seal. */
int berth_store_append(struct berth_store *store, const struct berth_history_entry *entry,
                       bool sealed);
/* Moves older rows of `recent` into the history proper, when there are many. */
enum berth_code berth_store_fold(struct berth_store *store, bool *more, struct berth_error *err);
enum berth_code berth_store_prune(struct berth_store *store, int64_t now_unix_ms, bool *more,
                                  struct berth_error *err);

/* store.c: a transaction of the store's own. */
enum berth_code berth_store_begin(struct berth_store *store, struct berth_error *err);
enum berth_code berth_store_commit(struct berth_store *store,
                                   const struct berth_history_entry *entry,
                                   struct berth_error *err);
void berth_store_rollback(struct berth_store *store);

/* store_gather.c: makes a commit one write. Gives the name of the VFS to open a database with, over
 * the one that is usual then; NULL, for the usual one: without memory. @thread one at a time */
const char *berth_store_gathering(void);
/* The file below a log, for a thread of its own: it has all that was committed. */
sqlite3_file *berth_store_log_file(sqlite3_file *log);

/* store_sync.c */
enum berth_code berth_store_worker_start(struct berth_store *store, struct berth_error *err);
void berth_store_worker_stop(struct berth_store *store);
enum berth_code berth_store_recover(struct berth_store *store, struct berth_error *err);
enum berth_code berth_store_sync_now(struct berth_store *store, struct berth_error *err);

/* store_mark.c */
int64_t berth_store_boot_time(void);
bool berth_store_mark_read(const char *path, struct berth_store_mark *out);
enum berth_code berth_store_mark_open(struct berth_store *store, struct berth_error *err);
enum berth_code berth_store_mark_compare(struct berth_store *store, struct berth_error *err);
void berth_store_mark_write(struct berth_store *store, int64_t changes);
void berth_store_mark_close(struct berth_store *store);

#endif
