/* SPDX-License-Identifier: MIT */
/* The lease store with each allocation and each call to the disk failing in turn, once and for ever
 * after: an error, the state before or after, and the next call works. */
#include "store_case.h"
#include "store_disk.h"

#include "daemon/store_internal.h"
#include "memory_faults.h"
#include "temp_dir.h"

#include <stdlib.h>
#include <unistd.h>

static struct berth_error err;

#define STEPS_MAX 20000 /* no operation takes as many allocations or calls */

/* One of the things that a store does, and what it holds before and afterwards. */
struct operation {
    const char *name;
    enum berth_code (*run)(struct berth_store *store, struct berth_error *err);
    unsigned before[4]; /* versions of slots 0 to 3 */
    unsigned after[4];
};

static enum berth_code run_put_new(struct berth_store *store, struct berth_error *error)
{
    return case_put(store, 2, 7, error);
}

static enum berth_code run_put_again(struct berth_store *store, struct berth_error *error)
{
    return case_put(store, 1, 8, error);
}

static enum berth_code run_remove(struct berth_store *store, struct berth_error *error)
{
    return case_remove(store, 1, error);
}

static enum berth_code run_batch(struct berth_store *store, struct berth_error *error)
{
    struct case_record memory[3];
    const struct berth_history_entry entries[] = {{1, "a", 1, "k", "", ""},
                                                  {2, "b", 2, "k", "", ""}};
    const struct berth_store_change changes[] = {
        {.put = case_record_make(&memory[0], 2, 3), .history = entries, .history_count = 2},
        {.remove = case_record_make(&memory[1], 0, 1)->id},
        {.put = case_record_make(&memory[2], 1, 4)}};

    return berth_store_apply(store, changes, BERTH_COUNT(changes), error);
}

static enum berth_code run_load(struct berth_store *store, struct berth_error *error)
{
    struct case_list list;

    return case_load(store, &list, error);
}

static bool count_entry(void *ctx, const struct berth_history_entry *entry)
{
    (void)ctx;
    return entry->event[0] != '\0'; /* an entry without its texts would not be one */
}

static enum berth_code run_history(struct berth_store *store, struct berth_error *error)
{
    enum berth_code code = berth_store_history(store, 0, "Octopus/Umgebung-\xC3\xA4/3/1", 100,
                                               count_entry, NULL, error);

    return code == BERTH_OK ? berth_store_history(store, 49301, NULL, 100, count_entry, NULL, error)
                            : code;
}

static uint64_t clock_of_days(void)
{
    return (uint64_t)10 * 86400000;
}

static enum berth_code run_tend(struct berth_store *store, struct berth_error *error)
{
    bool more;

    store->pages_soon = 1;
    store->clock_ms = clock_of_days;
    store->calendar.ahead_ms = 1; /* for so long that it is believed, and history is pruned */
    return berth_store_tend(store, (int64_t)4000000000000, &more, error);
}

static const struct operation operations[] = {
    {"put a new record", run_put_new, {1, 1, 0, 0}, {1, 1, 7, 0}},
    {"put a record again", run_put_again, {1, 1, 0, 0}, {1, 8, 0, 0}},
    {"remove a record", run_remove, {1, 1, 0, 0}, {1, 0, 0, 0}},
    {"change several", run_batch, {1, 1, 0, 0}, {0, 4, 3, 0}},
    {"load", run_load, {1, 1, 0, 0}, {1, 1, 0, 0}},
    {"history", run_history, {1, 1, 0, 0}, {1, 1, 0, 0}},
    {"upkeep", run_tend, {1, 1, 0, 0}, {1, 1, 0, 0}},
};

static bool is_list(const struct case_list *list, const unsigned *versions)
{
    struct case_list expected = {{0}};

    memcpy(expected.version, versions, 4 * sizeof versions[0]);
    return case_lists_equal(list, &expected);
}

/* A folder with a store that holds slots 0 and 1, and enough history to sort in. */
static char *make_folder(void)
{
    char *folder = temp_dir_make();
    struct berth_store *store = NULL;

    assert_ok(case_open(&store, folder, BERTH_DURABILITY_COMMIT, &err), &err);
    for (unsigned i = 0; i < 140; i++) {
        assert_ok(case_put(store, 3, 1, &err), &err);
    }
    assert_ok(case_remove(store, 3, &err), &err);
    assert_ok(case_put(store, 0, 1, &err), &err);
    assert_ok(case_put(store, 1, 1, &err), &err);
    berth_store_close(store);
    return folder;
}

static void copy_file(const char *from, const char *to, const char *name)
{
    size_t size;

    if (access(temp_path(from, name), F_OK) == 0) {
        char *bytes = read_whole_file(temp_path(from, name), &size);
        write_file(temp_path(to, name), bytes, size);
        free(bytes);
    } else {
        (void)unlink(temp_path(to, name));
    }
}

/* What a kill -9 at this moment would leave: opened in a folder of its own. */
static void load_as_after_kill(const char *folder, const char *copy, struct case_list *out)
{
    struct berth_store *store = NULL;

    copy_file(folder, copy, BERTH_STORE_FILE);
    copy_file(folder, copy, BERTH_STORE_FILE "-wal");
    copy_file(folder, copy, BERTH_STORE_MARK_FILE);
    assert_ok(case_open(&store, copy, BERTH_DURABILITY_COMMIT, &err), &err);
    assert_ok(case_load(store, out, &err), &err);
    berth_store_close(store);
}

/* a way to fail: begins with step `nth`, ends and tells whether it came to pass */
struct faults {
    void (*begin)(size_t nth, bool for_ever);
    bool (*end)(void);
};

static void begin_memory(size_t nth, bool for_ever)
{
    memory_faults_begin(nth, for_ever);
}

static bool end_memory(void)
{
    size_t live;

    return memory_faults_end(&live);
}

static void begin_refused(size_t nth, bool for_ever)
{
    store_disk_fail((unsigned)nth, STORE_DISK_ALL, SQLITE_IOERR_WRITE, STORE_DISK_REFUSES,
                    for_ever);
}

static void begin_half(size_t nth, bool for_ever)
{
    store_disk_fail((unsigned)nth, STORE_DISK_WRITES, SQLITE_FULL, STORE_DISK_DOES_HALF, for_ever);
}

static void begin_lie(size_t nth, bool for_ever)
{
    store_disk_fail((unsigned)nth, STORE_DISK_WRITES, SQLITE_IOERR_WRITE, STORE_DISK_DOES_AND_LIES,
                    for_ever);
}

static const struct faults memory_fault = {begin_memory, end_memory};
static const struct faults disk_refuses = {begin_refused, store_disk_end};
static const struct faults disk_is_full = {begin_half, store_disk_end};
static const struct faults disk_lies = {begin_lie, store_disk_end};

/* Runs an operation with step `nth` failing, and looks at the store: as it is, as a kill would
 * leave it, and as it is after another change and a reopening.  @return false: there was no such
 * step */
static bool fail_at(const struct operation *operation, const struct faults *faults, size_t nth,
                    bool for_ever, char *folder, const char *copy)
{
    struct berth_store *store = NULL;
    struct case_list list;

    assert_ok(case_open(&store, folder, BERTH_DURABILITY_COMMIT, &err), &err);
    faults->begin(nth, for_ever);
    enum berth_code code = operation->run(store, &err);
    bool failed = faults->end();

    load_as_after_kill(folder, copy, &list);
    if (code == BERTH_OK) {
        assert_true(is_list(&list, operation->after));
    } else {
        assert_true(failed);
        assert_true(code == BERTH_NO_MEMORY || code == BERTH_STORE_FAILED);
        assert_true(strlen(err.detail) > 0);
        /* with the fault still there nothing could be put right: the one exception in store.h */
        assert_true(is_list(&list, operation->before) ||
                    (for_ever && is_list(&list, operation->after)));
        assert_ok(case_load(store, &list, &err), &err);
        assert_true(is_list(&list, operation->before));
    }
    enum berth_code again = operation->run(store, &err);
    assert_ok(again, &err);
    assert_ok(case_load(store, &list, &err), &err);
    assert_true(is_list(&list, operation->after));
    berth_store_close(store);
    assert_ok(case_open(&store, folder, BERTH_DURABILITY_COMMIT, &err), &err);
    assert_ok(case_load(store, &list, &err), &err);
    assert_true(is_list(&list, operation->after));
    berth_store_close(store);
    return failed;
}

static void fail_everywhere(const struct faults *faults, bool for_ever)
{
    char *origin = make_folder();
    char *folder = temp_dir_make();
    char *copy = temp_dir_make();

    for (size_t i = 0; i < BERTH_COUNT(operations); i++) {
        size_t nth = 0;
        bool failed;
        do {
            assert_true(++nth < STEPS_MAX);
            copy_file(origin, folder, BERTH_STORE_FILE);
            copy_file(origin, folder, BERTH_STORE_FILE "-wal");
            copy_file(origin, folder, BERTH_STORE_MARK_FILE);
            failed = fail_at(&operations[i], faults, nth, for_ever, folder, copy);
        } while (failed);
        print_message("%s: %zu steps\n", operations[i].name, nth - 1);
    }
    temp_dir_remove(origin);
    temp_dir_remove(folder);
    temp_dir_remove(copy);
}

static void change__an_allocation_fails_once__nothing_is_changed(void **state)
{
    (void)state;
    fail_everywhere(&memory_fault, false);
}

static void change__allocations_fail_for_ever__nothing_is_changed(void **state)
{
    (void)state;
    fail_everywhere(&memory_fault, true);
}

static void change__a_disk_call_fails_once__nothing_is_changed(void **state)
{
    (void)state;
    fail_everywhere(&disk_refuses, false);
}

static void change__disk_calls_fail_for_ever__nothing_is_changed(void **state)
{
    (void)state;
    fail_everywhere(&disk_refuses, true);
}

static void change__disk_is_full_once__nothing_is_changed(void **state)
{
    (void)state;
    fail_everywhere(&disk_is_full, false);
}

static void change__disk_is_full_for_ever__nothing_is_changed(void **state)
{
    (void)state;
    fail_everywhere(&disk_is_full, true);
}

static void change__disk_writes_and_reports_a_failure__is_not_found_later(void **state)
{
    (void)state;
    fail_everywhere(&disk_lies, false);
}

/* Opening is done with everything failing in turn, memory counted: nothing may leak. */
static void open_with_faults(const struct faults *faults, bool for_ever, bool new_store,
                             enum berth_durability durability)
{
    char *origin = make_folder();
    struct case_list list;
    size_t nth = 0;
    bool failed;

    do {
        char *folder = temp_dir_make();
        struct berth_store *store = NULL;
        if (!new_store) {
            copy_file(origin, folder, BERTH_STORE_FILE);
            copy_file(origin, folder, BERTH_STORE_MARK_FILE);
        }
        assert_true(++nth < STEPS_MAX);
        faults->begin(nth, for_ever);
        enum berth_code code = case_open(&store, folder, durability, &err);
        failed = faults->end();
        if (code != BERTH_OK) {
            assert_true(failed);
            assert_null(store);
            assert_true(code == BERTH_NO_MEMORY || code == BERTH_STORE_FAILED);
            assert_ok(case_open(&store, folder, durability, &err), &err);
        }
        assert_ok(case_load(store, &list, &err), &err);
        assert_true(is_list(&list, (const unsigned[4]){!new_store, !new_store, 0, 0}));
        assert_ok(case_put(store, 2, 1, &err), &err);
        berth_store_close(store);
        temp_dir_remove(folder);
    } while (failed);
    print_message("%s store: %zu steps\n", new_store ? "new" : "old", nth - 1);
    temp_dir_remove(origin);
}

static void open__an_allocation_fails__can_be_opened_afterwards(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        open_with_faults(&memory_fault, i % 2 != 0, i / 2 != 0, BERTH_DURABILITY_COMMIT);
    }
}

static void open__a_disk_call_fails__can_be_opened_afterwards(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 8; i++) {
        open_with_faults(&disk_refuses, i % 2 != 0, i / 2 % 2 != 0,
                         i / 4 != 0 ? BERTH_DURABILITY_SYNC : BERTH_DURABILITY_COMMIT);
    }
}

/* Nothing of SQLite's or the store's memory is left behind, whatever failed. */
static void open_to_close__an_allocation_fails__no_leak(void **state)
{
    char *folder = make_folder();
    struct case_list list;
    size_t nth = 0;
    size_t live;
    bool failed;

    (void)state;
    do {
        struct berth_store *store = NULL;
        bool more;
        (void)sqlite3_shutdown(); /* so that its memory for all connections is counted, too */
        store_disk_install();
        (void)sqlite3_shutdown();
        assert_true(++nth < STEPS_MAX);
        memory_faults_begin(nth, false);
        if (case_open(&store, folder, BERTH_DURABILITY_COMMIT, &err) == BERTH_OK) {
            (void)case_put(store, 2, (unsigned)nth, &err);
            (void)case_load(store, &list, &err);
            (void)run_history(store, &err);
            (void)berth_store_tend(store, 0, &more, &err);
            berth_store_close(store);
        }
        (void)sqlite3_shutdown();
        failed = memory_faults_end(&live);
        assert_int_equal(live, 0);
    } while (failed);
    store_disk_install();
    temp_dir_remove(folder);
}

/* --- durability sync: the worker's sync fails --- */

struct waiting {
    struct berth_store_flush flush;
    uv_sem_t told;
    bool failed;
    char detail[480];
};

static void on_done(struct berth_store_flush *flush, const struct berth_error *failure)
{
    struct waiting *waiting = flush->ctx;

    waiting->failed = failure != NULL;
    (void)snprintf(waiting->detail, sizeof waiting->detail, "%s",
                   failure != NULL ? failure->detail : "");
    uv_sem_post(&waiting->told);
}

static bool flush(struct berth_store *store, struct waiting *waiting)
{
    waiting->flush.done = on_done;
    waiting->flush.ctx = waiting;
    assert_ok(berth_store_flush(store, &waiting->flush, &err), &err);
    uv_sem_wait(&waiting->told);
    return !waiting->failed;
}

static void flush__sync_fails__is_told_and_put_right(void **state)
{
    char *folder = temp_dir_make();
    struct berth_store *store = NULL;
    struct waiting waiting;
    struct case_list list;

    (void)state;
    assert_int_equal(uv_sem_init(&waiting.told, 0), 0);
    assert_ok(case_open(&store, folder, BERTH_DURABILITY_SYNC, &err), &err);
    assert_ok(case_put(store, 0, 1, &err), &err);
    assert_true(flush(store, &waiting));

    assert_ok(case_put(store, 1, 1, &err), &err);
    store_disk_fail(1, STORE_DISK_SYNCS, SQLITE_IOERR_FSYNC, STORE_DISK_REFUSES, true);
    assert_false(flush(store, &waiting));
    assert_non_null(strstr(waiting.detail, "did not confirm"));
    assert_false(flush(store, &waiting)); /* the disk still fails */
    assert_code(case_put(store, 2, 1, &err), BERTH_STORE_FAILED);
    assert_true(store_disk_end());

    assert_true(flush(store, &waiting)); /* it works again */
    assert_ok(case_put(store, 2, 2, &err), &err);
    assert_true(flush(store, &waiting));
    assert_ok(case_load(store, &list, &err), &err);
    assert_true(is_list(&list, (const unsigned[4]){1, 1, 2, 0}));
    berth_store_close(store);
    uv_sem_destroy(&waiting.told);
    temp_dir_remove(folder);
}

/* A disk that says once "failed", and then "done" without having done it: the flush that follows
 * must not believe it, but write everything elsewhere first. */
static void flush__disk_forgets_after_a_failed_sync__log_is_not_trusted(void **state)
{
    char *folder = temp_dir_make();
    struct berth_store *store = NULL;
    struct waiting waiting;

    (void)state;
    assert_int_equal(uv_sem_init(&waiting.told, 0), 0);
    assert_ok(case_open(&store, folder, BERTH_DURABILITY_SYNC, &err), &err);
    assert_ok(case_put(store, 1, 1, &err), &err);
    store_disk_fail(1, STORE_DISK_SYNCS, SQLITE_IOERR_FSYNC, STORE_DISK_REFUSES, false);
    assert_false(flush(store, &waiting));
    assert_true(store_disk_end());
    size_t before;
    size_t after;
    free(read_whole_file(temp_path(folder, BERTH_STORE_FILE), &before));
    assert_true(flush(store, &waiting));
    free(read_whole_file(temp_path(folder, BERTH_STORE_FILE), &after));
    assert_true(after > before); /* the tables are in the database now */
    berth_store_close(store);
    uv_sem_destroy(&waiting.told);
    temp_dir_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(change__an_allocation_fails_once__nothing_is_changed),
        cmocka_unit_test(change__allocations_fail_for_ever__nothing_is_changed),
        cmocka_unit_test(change__a_disk_call_fails_once__nothing_is_changed),
        cmocka_unit_test(change__disk_calls_fail_for_ever__nothing_is_changed),
        cmocka_unit_test(change__disk_is_full_once__nothing_is_changed),
        cmocka_unit_test(change__disk_is_full_for_ever__nothing_is_changed),
        cmocka_unit_test(change__disk_writes_and_reports_a_failure__is_not_found_later),
        cmocka_unit_test(open__an_allocation_fails__can_be_opened_afterwards),
        cmocka_unit_test(open__a_disk_call_fails__can_be_opened_afterwards),
        cmocka_unit_test(open_to_close__an_allocation_fails__no_leak),
        cmocka_unit_test(flush__sync_fails__is_told_and_put_right),
        cmocka_unit_test(flush__disk_forgets_after_a_failed_sync__log_is_not_trusted),
    };

    store_disk_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
