/* SPDX-License-Identifier: MIT */
/* The lease store: what has to outlive the process. Plain records in an SQLite database; what they
 * mean is the allocator's to know. docs/decisions/0007-lease-store.md says why it is built so.
 *
 * One thread at a time uses a store (its owner's, the loop's); only a flush's `done` runs on
 * another. One process at a time has a state folder's store open. */
#ifndef BERTH_DAEMON_STORE_H
#define BERTH_DAEMON_STORE_H

#include "base/error.h"
#include "settings.h" /* enum berth_durability */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BERTH_STORE_PORTS_MAX 64                   /* of a lease */
#define BERTH_STORE_TEXT_MAX ((size_t)65536)       /* bytes of each string of a record */
#define BERTH_STORE_HISTORY_MAX ((int64_t)1000000) /* entries kept; the oldest go first */
#define BERTH_STORE_FILE "leases.db"               /* in the state folder; SQLite's -wal beside */
#define BERTH_STORE_MARK_FILE BERTH_STORE_FILE "-mark" /* how many changes were acknowledged */

/** A lease as it is kept. Strings are NUL-terminated UTF-8, kept byte for byte. */
struct berth_lease_record {
    const char *id; /* not empty; one record an id */
    const char *key;
    const char *generation;
    const char *holder;
    const char *meta; /* JSON text */
    const char *protocol;
    const char *owner_id;
    const char *owner_name;
    const char *owner_group; /* id of the group through which the owner was admitted; "": none */
    const char *state;       /* "pending", "active", "lingering", "expired", "released" */
    uint16_t ports[BERTH_STORE_PORTS_MAX]; /* in the order given */
    unsigned port_count;
    int64_t granted_unix_ms;
    int64_t expires_unix_ms; /* for people: the clock that counts is the book's */
    uint64_t ttl_ms;         /* at most INT64_MAX */
    bool hold;
};

/** What happened to a port. Strings as above. */
struct berth_history_entry {
    int64_t time_unix_ms;
    const char *event; /* "lease.granted", … */
    uint16_t port;
    const char *key;
    const char *generation;
    const char *by; /* who, for people */
};

/** One part of an atomic change. Each member may be left out (NULL, 0). */
struct berth_store_change {
    const struct berth_lease_record *put; /* added, or put in the place of the one of its id */
    const char *remove; /* the id of a record; one that is not there is no error */
    const struct berth_history_entry *history;
    size_t history_count;
};

struct berth_store_options {
    const char *folder; /* made, with its parents and for its owner only, where missing */
    enum berth_durability durability;
    uint64_t history_ms;      /* entries older than that are pruned; 0: no history is kept */
    unsigned busy_timeout_ms; /* how long to wait for another process to let go of the store */
};

/** How the store does. */
struct berth_store_health {
    bool sync;                /* changes survive a power failure */
    bool failing;             /* the latest change was refused, or is perhaps not safe */
    struct berth_error error; /* why; kept when it works again */
    int64_t since_unix_ms;    /* since when it fails; 0: it never did */
    uint64_t refused;         /* changes */
};

struct berth_store;

typedef enum berth_code (*berth_store_lease_cb)(void *ctx, const struct berth_lease_record *record,
                                                struct berth_error *err);
typedef bool (*berth_store_history_cb)(void *ctx, const struct berth_history_entry *entry);

/** Opens the state folder's store, makes it where there is none, and brings one of an older version
 *  up to date. From then on until berth_store_close() or the end of the process no other process
 *  can open it.
 *  @param[out] out  set only on BERTH_OK; for berth_store_close()
 *  @return BERTH_OK; BERTH_NO_MEMORY; BERTH_INVALID_PARAMS (no folder given);
 *          BERTH_BUSY: another process has it;
 *          BERTH_NOT_SUPPORTED: a newer Berth wrote it;
 *          BERTH_STORE_FAILED: damaged; not SQLite's or not Berth's; not a file; not readable or
 *          writable; the disk is full; or changes are missing that had been acknowledged.
 *          `err` names the file and says what to do. A refused store is left as it was found (but
 *          for what SQLite itself puts in order after a crash), and is never replaced by an empty
 *          one
 *  @thread the owner  @blocks for the disk, and up to busy_timeout_ms */
enum berth_code berth_store_open(struct berth_store **out,
                                 const struct berth_store_options *options,
                                 struct berth_error *err);

/** Makes everything durable, ends the worker after the flushes that are under way (their `done` is
 *  called) and lets go of the files. NULL is accepted.
 *  @thread the owner  @blocks for the disk */
void berth_store_close(struct berth_store *store);

/** Tells how many acknowledged changes a power failure took from a store of durability `commit`,
 *  as far as can be known (upkeep's own are counted too): worth a warning. 0: none. With `sync`
 * their lack is an error at open.
 *  @thread the owner  @blocks no */
uint64_t berth_store_lost_changes(const struct berth_store *store);

/** Gives all lease records, oldest grant first, and checks that they are all there and as they were
 *  written: each has a check sum, and the store knows their number and the sum of all.
 *  @param[in] each  gets a record that is valid for this call; may not use the store; an error
 *                   that it returns ends the loading and is passed on
 *  @return BERTH_OK; BERTH_NO_MEMORY; BERTH_STORE_FAILED: damaged, or not readable.
 *          On an error forget whatever `each` got: the list may be incomplete
 *  @thread the owner  @blocks for the disk; about 2 µs a record */
enum berth_code berth_store_load(struct berth_store *store, berth_store_lease_cb each, void *ctx,
                                 struct berth_error *err);

/** Makes all of `changes`, in their order, or none of them. After BERTH_OK they survive the
 *  process' death at any moment; a power failure only once a berth_store_flush() that was asked for
 *  afterwards is done. Nothing of what is passed in is kept.
 *  @return BERTH_OK; on an error nothing is changed, now and after a later open (one exception,
 *          see the decision record: out of memory or a failing disk at the very end of a commit,
 *          followed by a death before the next call that succeeds), and a later call may succeed:
 *          BERTH_NO_MEMORY; BERTH_TOO_LARGE: a string over BERTH_STORE_TEXT_MAX;
 *          BERTH_INVALID_PARAMS: no id, too many ports, a number out of range;
 *          BERTH_STORE_FAILED: the disk is full or failed, or an earlier flush failed and the disk
 *          still does
 *  @thread the owner  @blocks no fsync, except every BERTH_STORE_WAL_PAGES pages written when
 *  berth_store_tend() was not called meanwhile */
enum berth_code berth_store_apply(struct berth_store *store,
                                  const struct berth_store_change *changes, size_t count,
                                  struct berth_error *err);

/** The same for a single record to put.  @param[in] history  NULL: no entry */
enum berth_code berth_store_put(struct berth_store *store, const struct berth_lease_record *record,
                                const struct berth_history_entry *history, struct berth_error *err);

/** The same for a single record to remove; none of that id is no error. */
enum berth_code berth_store_remove(struct berth_store *store, const char *id,
                                   const struct berth_history_entry *history,
                                   struct berth_error *err);

/** A flush under way. The caller's memory: embedded in what waits for it, valid until `done`. */
struct berth_store_flush {
    /* Called once, on the store's worker thread (inside berth_store_close() at the latest), which
     * must not use the store: hand over to the loop. The request is the caller's again.
     * failure: NULL: everything applied before the flush survives a power failure. Else the
     * changes stand, but whether they would survive one is not known: do not acknowledge them, and
     * do not forget them either. The next apply or flush tries to put it right. */
    void (*done)(struct berth_store_flush *flush, const struct berth_error *failure);
    void *ctx;                      /* the caller's */
    struct berth_store_flush *next; /* the store's */
    int64_t changes;                /* the store's */
};

/** Makes everything that was applied until now survive a power failure, on the worker thread. The
 *  flushes that are asked for while one is under way share the next one.
 *  @param[in,out] flush  `done` and `ctx` filled in
 *  @return BERTH_OK: `done` will be called;
 *          BERTH_NOT_SUPPORTED: the store's durability is `commit`; `done` is not called
 *  @thread the owner  @blocks no; after a failed flush for the disk
 *  @source https://sqlite.org/c3ref/c_fcntl_begin_atomic_write.html (SQLITE_FCNTL_JOURNAL_POINTER)
 */
enum berth_code berth_store_flush(struct berth_store *store, struct berth_store_flush *flush,
                                  struct berth_error *err);

/** Gives the history of a port, or of a key, newest first.
 *  @param[in] port   the port; 0: look by key
 *  @param[in] key    used when port is 0
 *  @param[in] limit  the most entries
 *  @param[in] each   gets an entry that is valid for this call; false ends it; may not use the
 * store
 *  @return BERTH_OK; BERTH_NO_MEMORY; BERTH_STORE_FAILED: as many entries as could be read were
 *          given  @thread the owner  @blocks for the disk */
enum berth_code berth_store_history(struct berth_store *store, uint16_t port, const char *key,
                                    size_t limit, berth_store_history_cb each, void *ctx,
                                    struct berth_error *err);

/** Does a bounded step of upkeep: sorts new history in (128 entries), removes history that is too
 * old (looks at 256 entries), and moves what the write-ahead log has gathered into the database. To
 * be called when there is nothing else to do: every second or so, and soon again after *more.
 *  @param[out] more  there is more to do now; set on errors too (to false)
 *  @return BERTH_OK; BERTH_NO_MEMORY, BERTH_STORE_FAILED: no lease is affected; try again later
 *  @thread the owner  @blocks for the disk, three fsyncs at most */
enum berth_code berth_store_tend(struct berth_store *store, int64_t now_unix_ms, bool *more,
                                 struct berth_error *err);

/** Pages of 2 KiB in the write-ahead log, after which berth_store_tend() and, at the latest,
 *  berth_store_apply() move them into the database. */
#define BERTH_STORE_WAL_PAGES_SOON 512
#define BERTH_STORE_WAL_PAGES 4096

/** History entries that may wait to be sorted in, after which upkeep should not wait any longer. */
#define BERTH_STORE_UNSORTED_MAX 262144

/** Tells whether so much has gathered that berth_store_tend() is to be called even while changes
 *  come in.  @thread the owner  @blocks no */
bool berth_store_is_behind(const struct berth_store *store);

#endif
