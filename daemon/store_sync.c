/* SPDX-License-Identifier: MIT */
/* Durability `sync`: a commit writes into the write-ahead log, and a worker thread makes the log
 * durable afterwards, once for all flushes that came in while it was busy.
 *
 * The worker touches nothing of SQLite's but the log's file, through its own xSync: the database
 * connection stays with one thread. The log's file is open as long as the connection is. What a
 * checkpoint does meanwhile is safe: with synchronous=NORMAL it makes the log durable before it
 * writes to the database, and the database before the log is used again from its start. */
#include "store_internal.h"

static int sync_log(sqlite3_file *log)
{
    return log->pMethods->xSync(log, SQLITE_SYNC_NORMAL);
}

static sqlite3_file *log_of(struct berth_store *store)
{
    sqlite3_file *log = NULL;

    if (sqlite3_file_control(store->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) != SQLITE_OK ||
        log == NULL || log->pMethods == NULL) {
        return NULL;
    }
    return berth_store_log_file(log);
}

enum berth_code berth_store_sync_now(struct berth_store *store, struct berth_error *err)
{
    sqlite3_file *log = log_of(store);
    int result = log != NULL ? sync_log(log) : SQLITE_IOERR_FSYNC;

    return result == SQLITE_OK ? BERTH_OK : berth_store_fail(store, result, "a sync", err);
}

static void answer(struct berth_store_flush *flush, const struct berth_error *failure)
{
    while (flush != NULL) {
        struct berth_store_flush *next = flush->next; /* it is the caller's again once told */
        flush->done(flush, failure);
        flush = next;
    }
}

/* Takes what is waiting; NULL: the end.  @param[out] failed  an earlier sync did */
static struct berth_store_flush *take(struct berth_store_worker *worker, sqlite3_file **log,
                                      bool *failed, struct berth_error *failure)
{
    uv_mutex_lock(&worker->lock);
    while (worker->first == NULL && !worker->stop) {
        uv_cond_wait(&worker->wake, &worker->lock);
    }
    struct berth_store_flush *flush = worker->first;
    worker->first = NULL;
    worker->last = NULL;
    *log = worker->log;
    *failed = worker->failed;
    *failure = worker->failure;
    uv_mutex_unlock(&worker->lock);
    return flush;
}

/* `failure` NULL: a sync went well. */
static void note_outcome(struct berth_store_worker *worker, const struct berth_error *failure)
{
    uv_mutex_lock(&worker->lock);
    if (failure != NULL) {
        worker->failed = true;
        worker->failure = *failure;
    } else {
        worker->syncs++;
    }
    uv_mutex_unlock(&worker->lock);
}

static int64_t newest_of(const struct berth_store_flush *flush)
{
    int64_t newest = flush->changes;

    for (; flush != NULL; flush = flush->next) {
        newest = flush->changes > newest ? flush->changes : newest;
    }
    return newest;
}

/* After a failed fsync the system may take the pages for written: asking again would be answered
 * "done". Only writing them elsewhere helps: berth_store_recover(). */
static bool sync_group(struct berth_store *store, sqlite3_file *log, int64_t newest,
                       struct berth_error *failure)
{
    if (sync_log(log) != SQLITE_OK) {
        (void)berth_fail(failure, BERTH_STORE_FAILED, 0,
                         "the disk of the lease store %.180s did not confirm a write: check it; "
                         "nothing is forgotten, but nothing is acknowledged until it does",
                         store->path);
        note_outcome(&store->worker, failure);
        return false;
    }
    berth_store_mark_write(store, newest);
    note_outcome(&store->worker, NULL);
    return true;
}

static void work(void *ctx)
{
    struct berth_store *store = ctx;
    struct berth_store_flush *flush;
    struct berth_error failure = {0};
    sqlite3_file *log;
    bool failed;

    while ((flush = take(&store->worker, &log, &failed, &failure)) != NULL) {
        if (!failed) {
            failed = !sync_group(store, log, newest_of(flush), &failure);
        }
        answer(flush, failed ? &failure : NULL);
    }
}

enum berth_code berth_store_worker_start(struct berth_store *store, struct berth_error *err)
{
    struct berth_store_worker *worker = &store->worker;

    worker->log = log_of(store);
    if (worker->log == NULL) {
        return berth_store_fail(store, SQLITE_IOERR, "finding the log", err);
    }
    if (uv_mutex_init(&worker->lock) != 0) {
        return berth_fail_memory(err, "the lease store's worker");
    }
    if (uv_cond_init(&worker->wake) != 0) {
        goto no_condition;
    }
    if (uv_thread_create(&worker->thread, work, store) != 0) {
        goto no_thread;
    }
    worker->running = true;
    return BERTH_OK;

no_thread:
    uv_cond_destroy(&worker->wake);
no_condition:
    uv_mutex_destroy(&worker->lock);
    return berth_fail_memory(err, "the lease store's worker");
}

void berth_store_worker_stop(struct berth_store *store)
{
    struct berth_store_worker *worker = &store->worker;

    if (!worker->running) {
        return;
    }
    uv_mutex_lock(&worker->lock);
    worker->stop = true;
    uv_cond_signal(&worker->wake);
    uv_mutex_unlock(&worker->lock);
    (void)uv_thread_join(&worker->thread);
    uv_cond_destroy(&worker->wake);
    uv_mutex_destroy(&worker->lock);
    worker->running = false;
}

static bool has_failed(struct berth_store_worker *worker)
{
    uv_mutex_lock(&worker->lock);
    bool failed = worker->failed;
    uv_mutex_unlock(&worker->lock);
    return failed;
}

/* After a failed sync: everything is written into the database itself, and that made durable. Only
 * then does the log start anew and a flush count again. */
enum berth_code berth_store_recover(struct berth_store *store, struct berth_error *err)
{
    struct berth_store_worker *worker = &store->worker;

    if (!worker->running || !has_failed(worker)) {
        return BERTH_OK;
    }
    int result =
        sqlite3_wal_checkpoint_v2(store->db, "main", SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    if (result != SQLITE_OK) {
        return berth_store_fail(store, result, "a sync", err);
    }
    store->log_pages = 0;
    uv_mutex_lock(&worker->lock);
    worker->failed = false;
    uv_mutex_unlock(&worker->lock);
    return BERTH_OK;
}

enum berth_code berth_store_flush(struct berth_store *store, struct berth_store_flush *flush,
                                  struct berth_error *err)
{
    struct berth_store_worker *worker = &store->worker;
    struct berth_error ignored;

    if (!worker->running) {
        return berth_fail(err, BERTH_NOT_SUPPORTED, 0,
                          "a store of durability `commit` has no flush");
    }
    /* where it fails the worker still knows of the failure, and says so */
    (void)berth_store_recover(store, &ignored);
    flush->next = NULL;
    flush->changes = store->seal.changes;
    uv_mutex_lock(&worker->lock);
    if (worker->last != NULL) {
        worker->last->next = flush;
    } else {
        worker->first = flush;
    }
    worker->last = flush;
    uv_cond_signal(&worker->wake);
    uv_mutex_unlock(&worker->lock);
    return BERTH_OK;
}
