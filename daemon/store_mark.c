/* SPDX-License-Identifier: MIT */
/* The mark: a small file beside the database that says how many changes were acknowledged. SQLite
 * cannot tell a write-ahead log whose end was cut off or garbled from one that ends there: it takes
 * what is whole and says nothing of the rest. A database that knows of fewer changes than the mark
 * has forgotten some. */
#include "store_internal.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define MARK_MAGIC 0x314B52414D545242U /* "BRTMARK1" */
#define MARK_NUMBERS 6                 /* magic, store, changes, boot, sync, hash */
#define MARK_SIZE (MARK_NUMBERS * 8)
#define SAME_BOOT_MS 2000 /* the uptime has whole seconds */

/* When the machine was started, by today's clock. Only ever compared within a second or two. */
int64_t berth_store_boot_time(void)
{
    uv_timeval64_t now;
    double uptime;

    if (uv_gettimeofday(&now) != 0 || uv_uptime(&uptime) != 0) {
        return 0;
    }
    return now.tv_sec * 1000 + now.tv_usec / 1000 - (int64_t)(uptime * 1000.0);
}

static void put_number(unsigned char *at, uint64_t number)
{
    for (unsigned i = 0; i < 8; i++) {
        at[i] = (unsigned char)(number >> (8 * i));
    }
}

static uint64_t get_number(const unsigned char *at)
{
    uint64_t number = 0;

    for (unsigned i = 8; i-- > 0;) {
        number = number << 8 | at[i];
    }
    return number;
}

static uint64_t mark_hash(const unsigned char *bytes)
{
    return berth_store_hash(0, bytes, MARK_SIZE - 8);
}

static int read_bytes(const char *path, unsigned char *bytes)
{
    uv_fs_t request;
    uv_buf_t buffer = uv_buf_init((char *)bytes, MARK_SIZE);
    int file = uv_fs_open(NULL, &request, path, UV_FS_O_RDONLY, 0, NULL);

    uv_fs_req_cleanup(&request);
    if (file < 0) {
        return file;
    }
    int got = uv_fs_read(NULL, &request, file, &buffer, 1, 0, NULL);
    uv_fs_req_cleanup(&request);
    (void)uv_fs_close(NULL, &request, file, NULL);
    uv_fs_req_cleanup(&request);
    return got;
}

/* A mark that is torn or garbled says nothing: it is a witness, not the truth. */
bool berth_store_mark_read(const char *path, struct berth_store_mark *out)
{
    unsigned char bytes[MARK_SIZE];

    if (read_bytes(path, bytes) != MARK_SIZE || get_number(bytes) != MARK_MAGIC ||
        get_number(bytes + MARK_SIZE - 8) != mark_hash(bytes)) {
        return false;
    }
    out->store = (int64_t)get_number(bytes + 8);
    out->changes = (int64_t)get_number(bytes + 16);
    out->boot_unix_ms = (int64_t)get_number(bytes + 24);
    out->sync = get_number(bytes + 32) != 0;
    return true;
}

enum berth_code berth_store_mark_open(struct berth_store *store, struct berth_error *err)
{
    uv_fs_t request;
    int file =
        uv_fs_open(NULL, &request, store->mark_path, UV_FS_O_RDWR | UV_FS_O_CREAT, 0600, NULL);

    uv_fs_req_cleanup(&request);
    if (file < 0) {
        return berth_store_fail_file(store->mark_path, file, "opening", err);
    }
    store->mark_file = file;
    return BERTH_OK;
}

void berth_store_mark_close(struct berth_store *store)
{
    uv_fs_t request;

    if (store->mark_file >= 0) {
        (void)uv_fs_close(NULL, &request, store->mark_file, NULL);
        uv_fs_req_cleanup(&request);
        store->mark_file = -1;
    }
}

/* Overwrites in place: nothing to lose that a failure could take, so failures are passed over; the
 * mark then claims less than there is. */
void berth_store_mark_write(struct berth_store *store, int64_t changes)
{
    unsigned char bytes[MARK_SIZE];
    uv_buf_t buffer = uv_buf_init((char *)bytes, MARK_SIZE);
    uv_fs_t request;

    put_number(bytes, MARK_MAGIC);
    put_number(bytes + 8, (uint64_t)store->seal.store);
    put_number(bytes + 16, (uint64_t)changes);
    put_number(bytes + 24, (uint64_t)store->boot_unix_ms);
    put_number(bytes + 32, store->sync ? 1 : 0);
    put_number(bytes + 40, mark_hash(bytes));
    (void)uv_fs_write(NULL, &request, store->mark_file, &buffer, 1, 0, NULL);
    uv_fs_req_cleanup(&request);
}

static bool is_same_boot(const struct berth_store *store, const struct berth_store_mark *mark)
{
    return llabs(store->boot_unix_ms - mark->boot_unix_ms) <= SAME_BOOT_MS;
}

enum berth_code berth_store_mark_compare(struct berth_store *store, struct berth_error *err)
{
    struct berth_store_mark mark;

    if (!berth_store_mark_read(store->mark_path, &mark)) {
        return BERTH_OK;
    }
    if (mark.store == store->seal.store && mark.changes <= store->seal.changes) {
        return BERTH_OK;
    }
    if (mark.store == store->seal.store && !mark.sync && !is_same_boot(store, &mark)) {
        store->lost_changes = (uint64_t)(mark.changes - store->seal.changes);
        return BERTH_OK;
    }
    if (mark.store != store->seal.store) {
        return berth_fail(err, BERTH_STORE_FAILED, 0,
                          "the lease store %.180s is not the one that was here before: put that "
                          "one back, or, if it was replaced on purpose, delete %s beside it; its "
                          "leases are then forgotten",
                          store->path, BERTH_STORE_MARK_FILE);
    }
    return berth_fail(err, BERTH_STORE_FAILED, 0,
                      "the lease store %.180s lacks the last %" PRId64 " of %" PRId64
                      " changes that were acknowledged: it was restored, or its -wal file was "
                      "removed or damaged: put the newest files back, or delete %s to go on "
                      "without them",
                      store->path, mark.changes - store->seal.changes, mark.changes,
                      BERTH_STORE_MARK_FILE);
}
