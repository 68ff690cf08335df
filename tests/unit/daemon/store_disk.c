/* SPDX-License-Identifier: MIT */
#include "store_disk.h"

#include "daemon/store_internal.h"
#include "temp_dir.h"

#include "cmocka_all.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FILES_MAX 8
#define SECTOR 512

enum kind { WRITE, TRUNCATE, REMOVE };

struct operation {
    enum kind kind;
    size_t at; /* the new size with TRUNCATE */
    size_t length;
    unsigned char *bytes;
};

/* A file as it surely is on the disk, and what was done to it since. */
struct followed {
    char name[64];
    bool exists; /* for sure */
    unsigned char *bytes;
    size_t size;
    struct operation *operations;
    size_t count;
};

struct disk_file {
    sqlite3_file base; /* first: SQLite's view */
    sqlite3_file *real;
    struct followed *followed; /* NULL: not watched */
};

static sqlite3_vfs *real_vfs;
static sqlite3_vfs disk_vfs;

static struct {
    unsigned nth;
    unsigned calls;
    int result;
    enum store_disk_way way;
    bool for_ever;
    unsigned counted;
    bool failed;
} fault;

static struct {
    char folder[512];
    void (*before)(void *ctx);
    void *ctx;
    bool busy; /* within `before` */
    struct followed files[FILES_MAX];
    size_t count;
} watch;

/* --- failures --- */

static bool fails(unsigned kind)
{
    if (fault.nth == 0 || (fault.calls & kind) == 0) {
        return false;
    }
    fault.counted++;
    bool due = fault.for_ever ? fault.counted >= fault.nth : fault.counted == fault.nth;
    fault.failed = fault.failed || due;
    return due;
}

void store_disk_fail(unsigned nth, unsigned calls, int result, enum store_disk_way way,
                     bool for_ever)
{
    fault.nth = nth;
    fault.calls = calls;
    fault.result = result;
    fault.way = way;
    fault.for_ever = for_ever;
    fault.counted = 0;
    fault.failed = false;
}

bool store_disk_end(void)
{
    bool failed = fault.failed;

    store_disk_fail(0, 0, 0, STORE_DISK_REFUSES, false);
    return failed;
}

/* --- power failures --- */

static void announce(const struct followed *followed)
{
    if (followed != NULL && !watch.busy) {
        watch.busy = true;
        watch.before(watch.ctx);
        watch.busy = false;
    }
}

static void note(struct followed *followed, enum kind kind, size_t at, const void *bytes,
                 size_t length)
{
    if (followed == NULL) {
        return;
    }
    struct operation *grown =
        realloc(followed->operations, (followed->count + 1) * sizeof *followed->operations);
    if (grown == NULL) {
        abort();
    }
    followed->operations = grown;
    struct operation *operation = &grown[followed->count++];
    *operation = (struct operation){kind, at, length, malloc(length + 1)};
    if (operation->bytes == NULL) {
        abort();
    }
    if (length > 0) {
        memcpy(operation->bytes, bytes, length);
    }
}

static void resize(unsigned char **bytes, size_t *size, size_t to)
{
    unsigned char *grown = realloc(*bytes, to + 1);

    if (grown == NULL) {
        abort();
    }
    if (to > *size) {
        memset(grown + *size, 0, to - *size);
    }
    *bytes = grown;
    *size = to;
}

static void write_part(unsigned char **bytes, size_t *size, const struct operation *operation,
                       size_t from, size_t length, bool rubbish)
{
    if (operation->at + from + length > *size) {
        resize(bytes, size, operation->at + from + length);
    }
    memcpy(*bytes + operation->at + from, operation->bytes + from, length);
    if (rubbish) {
        memset(*bytes + operation->at + from + length / 2, 0xA5, length - length / 2);
    }
}

/* Each sector of a write that the power failure met in the middle. */
static void tear(unsigned char **bytes, size_t *size, const struct operation *operation,
                 struct test_random *random)
{
    for (size_t from = 0; from < operation->length;) {
        size_t length = SECTOR - (operation->at + from) % SECTOR;
        if (length > operation->length - from) {
            length = operation->length - from;
        }
        unsigned fate = test_random_in(random, 0, 4);
        if (fate > 1) {
            write_part(bytes, size, operation, from, length, fate == 4);
        }
        from += length;
    }
}

static void forget_operations(struct followed *followed)
{
    for (size_t i = 0; i < followed->count; i++) {
        free(followed->operations[i].bytes);
    }
    free(followed->operations);
    followed->operations = NULL;
    followed->count = 0;
}

/* The folder is synced with the first sync of a file that was made (unixSync() in SQLite): what was
 * removed from it is gone. */
static void make_removals_durable(void)
{
    for (size_t i = 0; i < watch.count; i++) {
        struct followed *followed = &watch.files[i];
        if (followed->count > 0 && followed->operations[followed->count - 1].kind == REMOVE) {
            forget_operations(followed);
            resize(&followed->bytes, &followed->size, 0);
            followed->exists = false;
        }
    }
}

/* A sync: what was done is done. */
static void make_durable(struct followed *followed)
{
    if (followed == NULL) {
        return;
    }
    if (!followed->exists) {
        make_removals_durable();
    }
    followed->exists = true;
    for (size_t i = 0; i < followed->count; i++) {
        const struct operation *operation = &followed->operations[i];
        if (operation->kind == WRITE) {
            write_part(&followed->bytes, &followed->size, operation, 0, operation->length, false);
        } else {
            resize(&followed->bytes, &followed->size, operation->at);
        }
    }
    forget_operations(followed);
}

static bool happens(enum store_disk_rest rest, struct test_random *random)
{
    return rest == STORE_DISK_KEEPS || (rest != STORE_DISK_DROPS && test_random_chance(random, 50));
}

static void let_fall(const struct followed *followed, const char *path, enum store_disk_rest rest,
                     struct test_random *random)
{
    bool exists = followed->exists || (rest != STORE_DISK_DROPS && followed->count > 0);
    size_t size = 0;
    unsigned char *bytes = NULL;

    resize(&bytes, &size, followed->size);
    if (size > 0) {
        memcpy(bytes, followed->bytes, size);
    }
    for (size_t i = 0; i < followed->count; i++) {
        const struct operation *operation = &followed->operations[i];
        if (operation->kind == WRITE && rest == STORE_DISK_TEARS) {
            tear(&bytes, &size, operation, random);
        } else if (happens(rest, random)) {
            if (operation->kind == WRITE) {
                write_part(&bytes, &size, operation, 0, operation->length, false);
            } else {
                resize(&bytes, &size, operation->at);
                exists = operation->kind != REMOVE;
            }
        }
    }
    if (exists) {
        write_file(path, bytes, size);
    } else {
        (void)unlink(path);
    }
    free(bytes);
}

void store_disk_fall(const char *to, enum store_disk_rest rest, struct test_random *random)
{
    for (size_t i = 0; i < watch.count; i++) {
        let_fall(&watch.files[i], temp_path(to, watch.files[i].name), rest, random);
    }
}

void store_disk_watch(const char *folder, void (*before)(void *ctx), void *ctx)
{
    for (size_t i = 0; i < watch.count; i++) {
        forget_operations(&watch.files[i]);
        free(watch.files[i].bytes);
    }
    memset(&watch, 0, sizeof watch);
    if (folder != NULL) {
        (void)snprintf(watch.folder, sizeof watch.folder, "%s/", folder);
        watch.before = before;
        watch.ctx = ctx;
    }
}

/* Finds or makes the entry of a file; NULL for one that is not watched. */
static struct followed *follow(const char *path)
{
    size_t length = strlen(watch.folder);

    if (path == NULL || length == 0 || strncmp(path, watch.folder, length) != 0 ||
        strchr(path + length, '/') != NULL) {
        return NULL;
    }
    for (size_t i = 0; i < watch.count; i++) {
        if (strcmp(watch.files[i].name, path + length) == 0) {
            return &watch.files[i];
        }
    }
    assert_true(watch.count < FILES_MAX);
    struct followed *followed = &watch.files[watch.count++];
    (void)snprintf(followed->name, sizeof followed->name, "%s", path + length);
    if (access(path, F_OK) == 0) {
        followed->bytes = (unsigned char *)read_whole_file(path, &followed->size);
        followed->exists = true;
    }
    return followed;
}

/* --- the calls of a file --- */

static sqlite3_file *real_of(sqlite3_file *file)
{
    return ((struct disk_file *)file)->real;
}

static int disk_close(sqlite3_file *file)
{
    return real_of(file)->pMethods->xClose(real_of(file));
}

static int disk_read(sqlite3_file *file, void *out, int length, sqlite3_int64 at)
{
    if (fails(STORE_DISK_READS)) {
        return fault.result;
    }
    return real_of(file)->pMethods->xRead(real_of(file), out, length, at);
}

static int disk_write(sqlite3_file *file, const void *bytes, int length, sqlite3_int64 at)
{
    struct followed *followed = ((struct disk_file *)file)->followed;
    bool fail = fails(STORE_DISK_WRITES);

    announce(followed);
    if (fail && fault.way == STORE_DISK_REFUSES) {
        return fault.result;
    }
    int part = fail && fault.way == STORE_DISK_DOES_HALF ? length / 2 : length;
    note(followed, WRITE, (size_t)at, bytes, (size_t)part);
    int result = real_of(file)->pMethods->xWrite(real_of(file), bytes, part, at);
    return fail ? fault.result : result;
}

static int disk_truncate(sqlite3_file *file, sqlite3_int64 size)
{
    struct followed *followed = ((struct disk_file *)file)->followed;

    announce(followed);
    if (fails(STORE_DISK_WRITES)) {
        return fault.result;
    }
    note(followed, TRUNCATE, (size_t)size, NULL, 0);
    return real_of(file)->pMethods->xTruncate(real_of(file), size);
}

static int disk_sync(sqlite3_file *file, int flags)
{
    struct followed *followed = ((struct disk_file *)file)->followed;

    announce(followed);
    if (fails(STORE_DISK_SYNCS)) {
        return fault.result;
    }
    int result = real_of(file)->pMethods->xSync(real_of(file), flags);
    if (result == SQLITE_OK) {
        make_durable(followed);
        announce(followed);
    }
    return result;
}

static int disk_size(sqlite3_file *file, sqlite3_int64 *out)
{
    return real_of(file)->pMethods->xFileSize(real_of(file), out);
}

static int disk_lock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xLock(real_of(file), level);
}

static int disk_unlock(sqlite3_file *file, int level)
{
    return real_of(file)->pMethods->xUnlock(real_of(file), level);
}

static int disk_check_lock(sqlite3_file *file, int *out)
{
    return real_of(file)->pMethods->xCheckReservedLock(real_of(file), out);
}

static int disk_control(sqlite3_file *file, int what, void *argument)
{
    return real_of(file)->pMethods->xFileControl(real_of(file), what, argument);
}

static int disk_sector(sqlite3_file *file)
{
    return real_of(file)->pMethods->xSectorSize(real_of(file));
}

static int disk_abilities(sqlite3_file *file)
{
    return real_of(file)->pMethods->xDeviceCharacteristics(real_of(file));
}

static const sqlite3_io_methods disk_methods = {
    .iVersion = 1,
    .xClose = disk_close,
    .xRead = disk_read,
    .xWrite = disk_write,
    .xTruncate = disk_truncate,
    .xSync = disk_sync,
    .xFileSize = disk_size,
    .xLock = disk_lock,
    .xUnlock = disk_unlock,
    .xCheckReservedLock = disk_check_lock,
    .xFileControl = disk_control,
    .xSectorSize = disk_sector,
    .xDeviceCharacteristics = disk_abilities,
};

static int disk_open(sqlite3_vfs *vfs, const char *path, sqlite3_file *file, int flags, int *out)
{
    struct disk_file *mine = (struct disk_file *)file;

    (void)vfs;
    mine->real = (sqlite3_file *)(mine + 1);
    mine->followed = follow(path);
    mine->base.pMethods = NULL;
    int result = real_vfs->xOpen(real_vfs, path, mine->real, flags, out);
    if (result == SQLITE_OK) {
        mine->base.pMethods = &disk_methods;
    }
    return result;
}

static int disk_delete(sqlite3_vfs *vfs, const char *path, int sync_folder)
{
    struct followed *followed = follow(path);

    (void)vfs;
    announce(followed);
    if (fails(STORE_DISK_WRITES)) {
        return fault.result;
    }
    int result = real_vfs->xDelete(real_vfs, path, sync_folder);
    if (result == SQLITE_OK) {
        note(followed, REMOVE, 0, NULL, 0);
    }
    return result;
}

void store_disk_install(void)
{
    berth_store_memory_init();
    real_vfs = sqlite3_vfs_find(NULL);
    assert_non_null(real_vfs);
    disk_vfs = *real_vfs;
    disk_vfs.zName = "store_disk";
    disk_vfs.pNext = NULL;
    disk_vfs.szOsFile = (int)sizeof(struct disk_file) + real_vfs->szOsFile;
    disk_vfs.xOpen = disk_open;
    disk_vfs.xDelete = disk_delete;
    assert_int_equal(sqlite3_vfs_register(&disk_vfs, 1), SQLITE_OK);
}
