/* SPDX-License-Identifier: MIT */
/* What went wrong, said so that an operator knows what to do. */
#include "store_internal.h"

#include <errno.h>
#include <string.h>

/* A path that would crowd the advice out of the sentence is cut. */
#define PATH_FORMAT "%.180s"

enum berth_code berth_store_fail_damaged(const struct berth_store *store, const char *how,
                                         struct berth_error *err)
{
    return berth_fail(err, BERTH_STORE_FAILED, 0,
                      "the lease store " PATH_FORMAT " is damaged (%.60s): restore it from a "
                      "backup, or stop berthd, move all " BERTH_STORE_FILE
                      "* files out of the folder and start it again; all leases and the history "
                      "are then forgotten (ports in use stay known)",
                      store->path, how);
}

enum berth_code berth_store_fail_file(const char *path, int uv_code, const char *doing,
                                      struct berth_error *err)
{
    if (uv_code == UV_ENOMEM) {
        return berth_fail_memory(err, doing);
    }
    if (uv_code == UV_ENOSPC) {
        return berth_fail(err, BERTH_STORE_FAILED, uv_code,
                          "%s " PATH_FORMAT ": the disk is full: make room on it", doing, path);
    }
    return berth_fail(err, BERTH_STORE_FAILED, uv_code,
                      "%s " PATH_FORMAT ": %s: give berthd's account read and write access to the "
                      "state folder, or name another one",
                      doing, path, uv_strerror(uv_code));
}

static enum berth_code fail_full(const struct berth_store *store, int number,
                                 struct berth_error *err)
{
    return berth_fail(err, BERTH_STORE_FAILED, number,
                      "the disk of the lease store " PATH_FORMAT " is full: make room on it; until "
                      "then nothing new is granted, and nothing is forgotten",
                      store->path);
}

static enum berth_code fail_access(const struct berth_store *store, int number,
                                   struct berth_error *err)
{
    return berth_fail(err, BERTH_STORE_FAILED, number,
                      "the lease store " PATH_FORMAT " cannot be opened for writing: give berthd's "
                      "account read and write access to the file and its folder",
                      store->path);
}

/* SQLite itself takes only ENOSPC for a full disk. */
static bool is_full(int number)
{
#ifdef EDQUOT
    if (number == EDQUOT) {
        return true;
    }
#endif
    return number == ENOSPC || number == EFBIG;
}

/* The error of the operating system behind an I/O error: SQLite's own memory of it may have been
 * overwritten when it took the change back, the file's has not. */
static int system_error(const struct berth_store *store)
{
    sqlite3_file *log = NULL;
    int number = sqlite3_system_errno(store->db);

    if (number == 0 &&
        sqlite3_file_control(store->db, "main", SQLITE_FCNTL_JOURNAL_POINTER, &log) == SQLITE_OK &&
        log != NULL && log->pMethods != NULL) {
        (void)log->pMethods->xFileControl(log, SQLITE_FCNTL_LAST_ERRNO, &number);
    }
    if (number == 0) {
        (void)sqlite3_file_control(store->db, "main", SQLITE_FCNTL_LAST_ERRNO, &number);
    }
    return number;
}

enum berth_code berth_store_fail(const struct berth_store *store, int result, const char *doing,
                                 struct berth_error *err)
{
    int number = store->db != NULL ? system_error(store) : 0;

    switch (result & 0xFF) {
    case SQLITE_NOMEM:
        return berth_fail_memory(err, "the lease store");
    case SQLITE_FULL:
        return fail_full(store, number, err);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return berth_fail(err, BERTH_BUSY, 0,
                          "the lease store " PATH_FORMAT " is in use by another process: only one "
                          "berthd may run on a state folder; end the other one, or name another "
                          "folder",
                          store->path);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_CANTOPEN:
        return fail_access(store, number, err);
    case SQLITE_CORRUPT:
        return berth_store_fail_damaged(store, sqlite3_errstr(result), err);
    case SQLITE_NOTADB:
        return berth_store_fail_damaged(store, "not an SQLite database", err);
    case SQLITE_IOERR:
        if (result == SQLITE_IOERR_NOMEM) {
            return berth_fail_memory(err, "the lease store");
        }
        if (is_full(number)) {
            return fail_full(store, number, err);
        }
        break;
    default:
        break;
    }
    return berth_fail(err, BERTH_STORE_FAILED, number != 0 ? number : result,
                      "the lease store " PATH_FORMAT ": %s failed: %s%s%s: check the disk",
                      store->path, doing, sqlite3_errstr(result), number != 0 ? ": " : "",
                      number != 0 ? strerror(number) : "");
}
