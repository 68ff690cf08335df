/* SPDX-License-Identifier: MIT */
/* The write-ahead log's file, with a commit's frames gathered into one write.
 *
 * SQLite writes each frame by itself, its header and its page: four writes for the two pages of a
 * lease, and each is a call of the system. Between SQLite and its own file stands this one, which
 * keeps what follows on from what it has, and writes all of it with the page of the frame that
 * commits: that frame's header says so. When SQLite is told that a commit is written, it is. Until
 * then nobody but this connection knows of the frames, and what it reads of them is written first.
 *
 * @source https://sqlite.org/fileformat2.html#walformat */
#include "store_internal.h"

#include <string.h>

#define ROOM ((size_t)65536)
#define FRAME_HEADER 24    /* a frame's header, which no page and not the log's header (32) is */
#define FRAME_COMMITS_AT 4 /* in it: pages of the database after the commit, 0 in other frames */

struct gathered_file {
    sqlite3_file base;  /* first: SQLite's view */
    sqlite3_file *real; /* behind this struct */
    unsigned char *bytes;
    size_t used;
    sqlite3_int64 at;
    bool commits; /* the frame that has begun */
};

static sqlite3_vfs *below;
static sqlite3_vfs gathering;

static struct gathered_file *gathered_of(sqlite3_file *file)
{
    return (struct gathered_file *)file;
}

static sqlite3_file *real_of(sqlite3_file *file)
{
    return gathered_of(file)->real;
}

/* Writes what has gathered. What cannot be written is dropped: SQLite hears of it and forgets the
 * frames; the next ones come to the same place. */
static int flush(struct gathered_file *file)
{
    int length = (int)file->used;

    file->used = 0;
    return length > 0 ? file->real->pMethods->xWrite(file->real, file->bytes, length, file->at)
                      : SQLITE_OK;
}

static bool is_commit_header(const unsigned char *bytes)
{
    static const unsigned char none[4];

    return memcmp(bytes + FRAME_COMMITS_AT, none, sizeof none) != 0;
}

static int gathered_write(sqlite3_file *base, const void *bytes, int length, sqlite3_int64 at)
{
    struct gathered_file *file = gathered_of(base);
    size_t size = (size_t)length;
    bool ends = length != FRAME_HEADER && file->commits;
    int result = SQLITE_OK;

    file->commits = length == FRAME_HEADER && is_commit_header(bytes);
    if (file->used > 0 &&
        (at != file->at + (sqlite3_int64)file->used || size > ROOM - file->used)) {
        result = flush(file);
    }
    if (result != SQLITE_OK || size > ROOM) {
        return result != SQLITE_OK ? result
                                   : file->real->pMethods->xWrite(file->real, bytes, length, at);
    }
    if (file->used == 0) {
        file->at = at;
    }
    memcpy(file->bytes + file->used, bytes, size);
    file->used += size;
    return ends ? flush(file) : SQLITE_OK;
}

static int gathered_read(sqlite3_file *file, void *out, int length, sqlite3_int64 at)
{
    int result = flush(gathered_of(file));

    return result == SQLITE_OK ? real_of(file)->pMethods->xRead(real_of(file), out, length, at)
                               : result;
}

static int gathered_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    int result = flush(gathered_of(file));

    return result == SQLITE_OK ? real_of(file)->pMethods->xTruncate(real_of(file), size) : result;
}

static int gathered_sync(sqlite3_file *file, int flags)
{
    int result = flush(gathered_of(file));

    return result == SQLITE_OK ? real_of(file)->pMethods->xSync(real_of(file), flags) : result;
}

static int gathered_size(sqlite3_file *file, sqlite3_int64 *out)
{
    int result = flush(gathered_of(file));

    return result == SQLITE_OK ? real_of(file)->pMethods->xFileSize(real_of(file), out) : result;
}

static int gathered_close(sqlite3_file *base)
{
    struct gathered_file *file = gathered_of(base);
    int flushed = flush(file);
    int result = file->real->pMethods->xClose(file->real);

    sqlite3_free(file->bytes);
    file->bytes = NULL;
    return flushed != SQLITE_OK ? flushed : result;
}

static int gathered_lock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int gathered_unlock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int gathered_check_lock(sqlite3_file *file, int *out)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), out);
}

static int gathered_control(sqlite3_file *file, int what, void *argument)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), what, argument);
}

static int gathered_sector(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int gathered_abilities(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static const sqlite3_io_methods gathered_methods = {
    .iVersion = 1, /* shared memory and mapping are not for a log */
    .xClose = gathered_close,
    .xRead = gathered_read,
    .xWrite = gathered_write,
    .xTruncate = gathered_truncate,
    .xSync = gathered_sync,
    .xFileSize = gathered_size,
    .xLock = gathered_lock,
    .xUnlock = gathered_unlock,
    .xCheckReservedLock = gathered_check_lock,
    .xFileControl = gathered_control,
    .xSectorSize = gathered_sector,
    .xDeviceCharacteristics = gathered_abilities,
};

static int open_log(const char *path, struct gathered_file *file, int flags, int *out)
{
    *file = (struct gathered_file){.real = (sqlite3_file *)(file + 1)};
    file->bytes = sqlite3_malloc64(ROOM);
    if (file->bytes == NULL) {
        return SQLITE_NOMEM;
    }
    file->real->pMethods = NULL;
    int result = below->xOpen(below, path, file->real, flags, out);
    if (result == SQLITE_OK) {
        file->base.pMethods = &gathered_methods;
        return SQLITE_OK;
    }
    if (file->real->pMethods != NULL) {
        (void)file->real->pMethods->xClose(file->real);
    }
    sqlite3_free(file->bytes);
    file->bytes = NULL;
    return result;
}

/* Other files are the system's own, in the same place. */
static int open_file(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *out)
{
    (void)vfs;
    if ((flags & SQLITE_OPEN_WAL) == 0) {
        return below->xOpen(below, path, file, flags, out);
    }
    return open_log(path, gathered_of(file), flags, out);
}

const char *berth_store_gathering(void)
{
    sqlite3_vfs *usual = sqlite3_vfs_find(NULL);

    if (usual == NULL) {
        return NULL; /* sqlite3_open_v2() says why */
    }
    if (below != usual) {
        (void)sqlite3_vfs_unregister(&gathering);
        below = usual;
        gathering = *usual;
        gathering.pNext = NULL;
        gathering.zName = "berth-gathering";
        gathering.szOsFile = (int)sizeof(struct gathered_file) + usual->szOsFile;
        gathering.xOpen = open_file;
    }
    return sqlite3_vfs_register(&gathering, 0) == SQLITE_OK ? gathering.zName : NULL;
}

sqlite3_file *berth_store_log_file(sqlite3_file *log)
{
    return log->pMethods == &gathered_methods ? real_of(log) : log;
}
