/* SPDX-License-Identifier: MIT */
/* A change is one write to the log, however many pages it has, and still all of it or nothing. */
#include "store_case.h"
#include "store_disk.h"

#include "daemon/store_internal.h"
#include "temp_dir.h"

#define LARGE CASE_SLOTS /* changes of one call, which together are more than gathers at once */
#define ENTRIES 40       /* of each of them */
#define TEXT_LENGTH 200  /* of an entry */

static struct berth_error err;
static struct berth_store *store;
static char *folder;

static int set_up(void **state)
{
    (void)state;
    folder = temp_dir_make();
    return case_open(&store, folder, BERTH_DURABILITY_COMMIT, &err) == BERTH_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    berth_store_close(store);
    temp_dir_remove(folder);
    return 0;
}

static void reopen(void)
{
    berth_store_close(store);
    assert_ok(case_open(&store, folder, BERTH_DURABILITY_COMMIT, &err), &err);
}

/* Puts every slot in a version, with some 250 KiB of history. */
static enum berth_code put_all(unsigned version, struct berth_error *error)
{
    static struct case_record memory[LARGE];
    static struct berth_history_entry entries[ENTRIES];
    struct berth_store_change changes[LARGE];
    char text[TEXT_LENGTH + 1];

    memset(text, 'k', TEXT_LENGTH);
    text[TEXT_LENGTH] = '\0';
    for (unsigned i = 0; i < ENTRIES; i++) {
        entries[i] = (struct berth_history_entry){version, "lease.granted", 49000, text, "", ""};
    }
    for (unsigned i = 0; i < LARGE; i++) {
        changes[i] = (struct berth_store_change){case_record_make(&memory[i], i, version), NULL,
                                                 entries, ENTRIES};
    }
    return berth_store_apply(store, changes, LARGE, error);
}

static void assert_all(unsigned version)
{
    struct case_list list;

    assert_ok(case_load(store, &list, &err), &err);
    for (unsigned i = 0; i < CASE_SLOTS; i++) {
        assert_int_equal(list.version[i], version);
    }
}

static void put__of_one_lease__is_one_write(void **state)
{
    (void)state;
    assert_ok(case_put(store, 1, 1, &err), &err); /* the log is begun */
    store_disk_fail(2, STORE_DISK_WRITES, SQLITE_IOERR_WRITE, STORE_DISK_REFUSES, true);
    enum berth_code code = case_put(store, 2, 1, &err);
    assert_false(store_disk_end());
    assert_ok(code, &err);
}

static void apply__more_than_gathers_at_once__is_whole(void **state)
{
    (void)state;
    assert_ok(put_all(1, &err), &err);
    assert_all(1); /* from the log */
    assert_ok(put_all(2, &err), &err);
    reopen();
    assert_all(2);
}

static void apply__any_write_of_it_fails__nothing_is_changed(void **state)
{
    unsigned nth = 1;
    bool failed = true;

    (void)state;
    assert_ok(put_all(1, &err), &err);
    for (; failed; nth++) {
        struct berth_error error;
        store_disk_fail(nth, STORE_DISK_WRITES, SQLITE_FULL, STORE_DISK_DOES_HALF, false);
        enum berth_code code = put_all(2, &error);
        failed = store_disk_end();
        assert_int_equal(code == BERTH_OK, !failed);
        reopen();
        assert_all(failed ? 1 : 2);
    }
    assert_true(nth > 4); /* of 64 KiB each */
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(put__of_one_lease__is_one_write),
        CASE(apply__more_than_gathers_at_once__is_whole),
        CASE(apply__any_write_of_it_fails__nothing_is_changed),
    };

    store_disk_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
