/* SPDX-License-Identifier: MIT */
/* Each way in which a lease store cannot be used, provoked for real: what is refused, with which
 * advice; and damage at many places of its files: found, or harmless, never a shorter list. */
#define _GNU_SOURCE
#include "store_case.h"

#include "daemon/store_internal.h"
#include "models/test_random.h"
#include "temp_dir.h"

#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define NOBODY 65534

static struct berth_error err;

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

static void copy_store(const char *from, const char *to)
{
    copy_file(from, to, BERTH_STORE_FILE);
    copy_file(from, to, BERTH_STORE_FILE "-wal");
    copy_file(from, to, BERTH_STORE_MARK_FILE);
}

/* Makes a store of `slots` leases in `folder`; what a death would leave of it goes to `dead`, with
 * the first half of the leases in the database and the rest in the log. */
static void make_store(const char *folder, const char *dead, unsigned slots,
                       struct case_list *expected)
{
    struct berth_store *store = NULL;
    bool more;

    memset(expected, 0, sizeof *expected);
    assert_ok(case_open(&store, folder, BERTH_DURABILITY_COMMIT, &err), &err);
    store->pages_soon = 1;
    for (unsigned slot = 0; slot < slots; slot++) {
        assert_ok(case_put(store, slot, 1, &err), &err);
        expected->version[slot] = 1;
        if (slot == slots / 2) {
            assert_ok(berth_store_tend(store, 0, &more, &err), &err);
        }
    }
    if (dead != NULL) {
        copy_store(folder, dead);
    }
    berth_store_close(store);
}

static void assert_refused(const char *folder, enum berth_code expected, const char *advice)
{
    struct berth_store *store = NULL;
    enum berth_code code = case_open(&store, folder, BERTH_DURABILITY_COMMIT, &err);

    assert_null(store);
    assert_code(code, expected);
    if (strstr(err.detail, advice) == NULL) {
        fail_msg("\"%s\" has no \"%s\"", err.detail, advice);
    }
    assert_true(strlen(err.detail) < sizeof err.detail - 1); /* not cut short */
}

static void assert_opens(const char *folder, const struct case_list *expected)
{
    struct berth_store *store = NULL;
    struct case_list list;

    assert_ok(case_open(&store, folder, BERTH_DURABILITY_COMMIT, &err), &err);
    assert_ok(case_load(store, &list, &err), &err);
    assert_true(case_lists_equal(&list, expected));
    berth_store_close(store);
}

/* --- somebody else's --- */

static void open__another_process_has_it__is_busy(void **state)
{
    char *folder = temp_dir_make();
    struct case_list expected;
    int ready[2];
    int end[2];
    char byte = 0;

    (void)state;
    make_store(folder, NULL, 3, &expected);
    assert_int_equal(pipe(ready), 0);
    assert_int_equal(pipe(end), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct berth_store *store;
        (void)close(end[1]);
        byte = case_open(&store, folder, BERTH_DURABILITY_COMMIT, &err) == BERTH_OK ? 'y' : 'n';
        _exit(write(ready[1], &byte, 1) == 1 && read(end[0], &byte, 1) == 0 ? 0 : 1);
    }
    (void)close(end[0]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(byte, 'y');
    assert_refused(folder, BERTH_BUSY, "only one berthd may run on a state folder");
    (void)close(end[1]); /* the child ends, without closing its store */
    assert_int_equal(waitpid(child, NULL, 0), child);
    (void)close(ready[0]);
    (void)close(ready[1]);
    assert_opens(folder, &expected);
    temp_dir_remove(folder);
}

static void open__twice_in_a_process__is_busy(void **state)
{
    char *folder = temp_dir_make();
    struct berth_store *store = NULL;
    struct case_list expected = {{0}};

    (void)state;
    assert_ok(case_open(&store, folder, BERTH_DURABILITY_COMMIT, &err), &err);
    assert_refused(folder, BERTH_BUSY, "in use by another process");
    assert_ok(case_put(store, 1, 1, &err), &err);
    expected.version[1] = 1;
    berth_store_close(store);
    assert_opens(folder, &expected);
    temp_dir_remove(folder);
}

static void run_sql(const char *folder, const char *sql)
{
    sqlite3 *db;

    assert_int_equal(sqlite3_open(temp_path(folder, BERTH_STORE_FILE), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
}

static void open__newer_version__names_what_it_needs(void **state)
{
    char *folder = temp_dir_make();
    struct case_list expected;

    (void)state;
    make_store(folder, NULL, 3, &expected);
    run_sql(folder, "PRAGMA user_version = 7; UPDATE about SET value = '4.2.0'");
    assert_refused(folder, BERTH_NOT_SUPPORTED, "install Berth 4.2.0 or later");
    run_sql(folder, "PRAGMA user_version = 2");
    assert_opens(folder, &expected); /* it was left as it was */
    run_sql(folder, "PRAGMA user_version = 0");
    assert_refused(folder, BERTH_STORE_FAILED, "no version");
    run_sql(folder, "PRAGMA user_version = 1"); /* a step that does not fit is taken back */
    assert_refused(folder, BERTH_STORE_FAILED, "");
    run_sql(folder, "PRAGMA user_version = 2");
    assert_opens(folder, &expected);
    temp_dir_remove(folder);
}

static void open__another_programs_database__is_not_touched(void **state)
{
    char *folder = temp_dir_make();
    size_t size_before;
    size_t size_after;

    (void)state;
    run_sql(folder, "CREATE TABLE bookmarks (url TEXT)");
    char *before = read_whole_file(temp_path(folder, BERTH_STORE_FILE), &size_before);
    assert_refused(folder, BERTH_STORE_FAILED, "another program");
    char *after = read_whole_file(temp_path(folder, BERTH_STORE_FILE), &size_after);
    assert_int_equal(size_before, size_after);
    assert_memory_equal(before, after, size_before);
    free(before);
    free(after);
    temp_dir_remove(folder);
}

static void open__not_sqlite__is_refused(void **state)
{
    char *folder = temp_dir_make();
    static const char *const contents[] = {"<berth/>", "SQLite format 3", "xy"};
    char big[8192];

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(contents); i++) {
        write_file(temp_path(folder, BERTH_STORE_FILE), contents[i], strlen(contents[i]));
        assert_refused(folder, BERTH_STORE_FAILED, "move all leases.db* files");
    }
    memset(big, 0, sizeof big);
    write_file(temp_path(folder, BERTH_STORE_FILE), big, sizeof big);
    assert_refused(folder, BERTH_STORE_FAILED, "move all leases.db* files");
    memset(big, 'x', sizeof big);
    write_file(temp_path(folder, BERTH_STORE_FILE), big, sizeof big);
    assert_refused(folder, BERTH_STORE_FAILED, "move all leases.db* files");
    temp_dir_remove(folder);
}

static void open__no_file_in_its_place__is_refused(void **state)
{
    char *folder = temp_dir_make();

    (void)state;
    assert_int_equal(mkdir(temp_path(folder, BERTH_STORE_FILE), 0700), 0);
    assert_refused(folder, BERTH_STORE_FAILED, "is a folder, not a file");
    assert_int_equal(rmdir(temp_path(folder, BERTH_STORE_FILE)), 0);
    assert_int_equal(mkfifo(temp_path(folder, BERTH_STORE_FILE), 0600), 0);
    assert_refused(folder, BERTH_STORE_FAILED, "is something special, not a file");
    assert_int_equal(unlink(temp_path(folder, BERTH_STORE_FILE)), 0);
    assert_int_equal(mkdir(temp_path(folder, BERTH_STORE_MARK_FILE), 0700), 0);
    assert_refused(folder, BERTH_STORE_FAILED, "read and write access");
    assert_refused("/dev/null", BERTH_STORE_FAILED, "not a directory");
    assert_refused("/proc/nothing/here", BERTH_STORE_FAILED, "making the state folder");
    temp_dir_remove(folder);
}

/* --- lost or replaced files --- */

static void open__database_gone_or_emptied__is_not_made_anew(void **state)
{
    char *folder = temp_dir_make();
    char *dead = temp_dir_make();
    struct case_list expected;
    const struct case_list nothing = {{0}};

    (void)state;
    make_store(folder, dead, 6, &expected);
    assert_int_equal(unlink(temp_path(folder, BERTH_STORE_FILE)), 0);
    assert_refused(folder, BERTH_STORE_FAILED, "the file is gone");
    assert_int_equal(access(temp_path(folder, BERTH_STORE_FILE), F_OK), -1);
    write_file(temp_path(folder, BERTH_STORE_FILE), "", 0);
    assert_refused(folder, BERTH_STORE_FAILED, "the file is empty");
    assert_int_equal(unlink(temp_path(dead, BERTH_STORE_MARK_FILE)), 0);
    write_file(temp_path(dead, BERTH_STORE_FILE), "", 0);
    assert_refused(dead, BERTH_STORE_FAILED, "the file is empty"); /* its log is there */
    assert_int_not_equal(access(temp_path(dead, BERTH_STORE_FILE "-wal"), F_OK), -1);
    /* the advice works: with all leases.db* files out of the way it begins anew */
    assert_int_equal(unlink(temp_path(folder, BERTH_STORE_FILE)), 0);
    assert_int_equal(unlink(temp_path(folder, BERTH_STORE_MARK_FILE)), 0);
    assert_opens(folder, &nothing);
    temp_dir_remove(folder);
    temp_dir_remove(dead);
}

static void open__log_gone__says_how_much_is_missing(void **state)
{
    char *folder = temp_dir_make();
    char *dead = temp_dir_make();
    struct case_list expected;
    struct case_list shorter = {{0}};

    (void)state;
    make_store(folder, dead, 6, &expected);
    assert_int_equal(unlink(temp_path(dead, BERTH_STORE_FILE "-wal")), 0);
    assert_refused(dead, BERTH_STORE_FAILED, "lacks the last 3 of 7 changes");
    assert_int_equal(unlink(temp_path(dead, BERTH_STORE_MARK_FILE)), 0); /* as advised */
    shorter = expected;
    shorter.version[4] = shorter.version[5] = 0;
    assert_opens(dead, &shorter);
    temp_dir_remove(folder);
    temp_dir_remove(dead);
}

static void open__older_copy_or_another_store__is_refused(void **state)
{
    char *folder = temp_dir_make();
    char *other = temp_dir_make();
    struct case_list expected;

    (void)state;
    make_store(folder, NULL, 2, &expected);
    make_store(other, NULL, 8, &expected);
    copy_file(folder, other, BERTH_STORE_FILE);
    assert_refused(other, BERTH_STORE_FAILED, "not the one that was here before");
    copy_file(folder, other, BERTH_STORE_MARK_FILE);
    struct berth_store *store = NULL;
    assert_ok(case_open(&store, folder, BERTH_DURABILITY_COMMIT, &err), &err);
    assert_ok(case_put(store, 9, 9, &err), &err);
    berth_store_close(store);
    copy_file(folder, other, BERTH_STORE_MARK_FILE); /* a database of yesterday, a mark of today */
    assert_refused(other, BERTH_STORE_FAILED, "lacks the last 1 of 4 changes");
    temp_dir_remove(folder);
    temp_dir_remove(other);
}

/* Rewrites a folder's mark as if the machine had been started before, or after. */
static void set_mark(const char *folder, int64_t changes, int64_t boot_shift_ms, bool sync)
{
    struct berth_store store = {.sync = sync,
                                .boot_unix_ms = berth_store_boot_time() + boot_shift_ms};
    struct berth_store_mark mark;
    char path[600];

    (void)snprintf(path, sizeof path, "%s", temp_path(folder, BERTH_STORE_MARK_FILE));
    assert_true(berth_store_mark_read(path, &mark));
    store.seal.store = mark.store;
    store.mark_path = path;
    assert_ok(berth_store_mark_open(&store, &err), &err);
    berth_store_mark_write(&store, mark.changes + changes);
    berth_store_mark_close(&store);
}

static void open__changes_lost_since_the_machine_was_started__is_told(void **state)
{
    char *folder = temp_dir_make();
    struct berth_store *store = NULL;
    struct case_list expected;

    (void)state;
    make_store(folder, NULL, 3, &expected);
    set_mark(folder, 5, -3600000, false);
    assert_ok(case_open(&store, folder, BERTH_DURABILITY_COMMIT, &err), &err);
    assert_int_equal(berth_store_lost_changes(store), 5);
    berth_store_close(store);
    assert_ok(case_open(&store, folder, BERTH_DURABILITY_COMMIT, &err), &err);
    assert_int_equal(berth_store_lost_changes(store), 0); /* once is enough */
    berth_store_close(store);
    set_mark(folder, 5, -3600000, true); /* with `sync` a power failure explains nothing */
    assert_refused(folder, BERTH_STORE_FAILED, "lacks the last 5");
    set_mark(folder, -2, 0, true); /* a mark that lags behind is fine */
    set_mark(folder, -4, 0, true);
    assert_opens(folder, &expected);
    temp_dir_remove(folder);
}

/* --- rights --- */

/* Runs `check` as somebody without rights.  @return its result; 77 where that cannot be had */
static int as_nobody(int (*check)(const char *folder), const char *folder)
{
    int status = 0;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        if (geteuid() == 0 && (setgid(NOBODY) != 0 || setuid(NOBODY) != 0)) {
            _exit(77);
        }
        _exit(check(folder));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static int is_refused_for_rights(const char *folder)
{
    struct berth_store *store;
    enum berth_code code = case_open(&store, folder, BERTH_DURABILITY_COMMIT, &err);

    return code == BERTH_STORE_FAILED && strstr(err.detail, "read and write access") != NULL ? 0
                                                                                             : 1;
}

static void open__no_right_to_write__is_refused(void **state)
{
    char *folder = temp_dir_make();
    struct case_list expected;

    (void)state;
    if (geteuid() != 0) {
        temp_dir_remove(folder);
        skip();
    }
    assert_int_equal(chmod(folder, 0755), 0); /* nobody may look, and not make anything */
    assert_int_equal(as_nobody(is_refused_for_rights, folder), 0);
    make_store(folder, NULL, 3, &expected);
    assert_int_equal(as_nobody(is_refused_for_rights, folder), 0); /* not even read */
    assert_int_equal(chmod(temp_path(folder, BERTH_STORE_FILE), 0644), 0);
    assert_int_equal(as_nobody(is_refused_for_rights, folder), 0); /* read only */
    assert_int_equal(chmod(temp_path(folder, BERTH_STORE_FILE), 0666), 0);
    assert_int_equal(as_nobody(is_refused_for_rights, folder), 0); /* no log can be made */
    assert_int_equal(chmod(folder, 0700), 0);
    assert_int_equal(as_nobody(is_refused_for_rights, folder), 0); /* the folder is closed */
    assert_opens(folder, &expected);
    temp_dir_remove(folder);
}

/* --- a full disk --- */

/* Puts leases until the disk is full, makes room and goes on.  @return 0, or which check failed */
static int fill(struct berth_store *store, void (*make_room)(void *ctx), void *ctx)
{
    struct case_list expected = {{0}};
    struct case_list list;
    enum berth_code code = BERTH_OK;
    unsigned i = 0;

    for (; i < 100000; i++) {
        unsigned slot = i % CASE_SLOTS;
        code = case_put(store, slot, i + 1, &err);
        if (code != BERTH_OK) {
            break;
        }
        expected.version[slot] = i + 1;
    }
    if (code != BERTH_STORE_FAILED || strstr(err.detail, "is full: make room") == NULL) {
        (void)fprintf(stderr, "after %u: %s\n", i, err.detail);
        return 11;
    }
    for (unsigned again = 1; again <= 5; again++) { /* one that is smaller may still have room */
        code = case_put(store, 1, 500000 + again, &err);
        if (code == BERTH_OK) {
            expected.version[1] = 500000 + again;
        } else if (code != BERTH_STORE_FAILED) {
            return 12;
        }
    }
    if (case_load(store, &list, &err) != BERTH_OK || !case_lists_equal(&list, &expected)) {
        return 13;
    }
    make_room(ctx);
    if (case_put(store, 1, 600000, &err) != BERTH_OK) {
        return 14;
    }
    expected.version[1] = 600000;
    if (case_load(store, &list, &err) != BERTH_OK || !case_lists_equal(&list, &expected)) {
        return 15;
    }
    return 0;
}

static void lift_limit(void *ctx)
{
    struct rlimit limit;

    (void)ctx;
    (void)getrlimit(RLIMIT_FSIZE, &limit);
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(RLIMIT_FSIZE, &limit);
}

/* With a limit on the size of files, in place of a small disk. */
static int fill_to_limit(const char *folder)
{
    struct berth_store *store = NULL;
    struct rlimit limit;

    (void)signal(SIGXFSZ, SIG_IGN);
    if (case_open(&store, folder, BERTH_DURABILITY_COMMIT, &err) != BERTH_OK ||
        getrlimit(RLIMIT_FSIZE, &limit) != 0) {
        return 1;
    }
    limit.rlim_cur = 200000;
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0) {
        return 2;
    }
    return fill(store, lift_limit, NULL); /* and ends without closing it */
}

/* The ballast on a small disk of its own. */
static void remove_ballast(void *ctx)
{
    (void)unlink(temp_path(ctx, "ballast"));
}

static int fill_disk(const char *folder)
{
    static char ballast[300000];
    struct berth_store *store = NULL;
    char mounted[600];

    (void)snprintf(mounted, sizeof mounted, "%s/disk", folder);
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mkdir(mounted, 0700) != 0 || mount("tmpfs", mounted, "tmpfs", 0, "size=900k") != 0) {
        return 77;
    }
    write_file(temp_path(mounted, "ballast"), ballast, sizeof ballast);
    if (case_open(&store, mounted, BERTH_DURABILITY_COMMIT, &err) != BERTH_OK) {
        return 1;
    }
    int result = fill(store, remove_ballast, mounted);
    berth_store_close(store);
    return result;
}

static int in_child(int (*run)(const char *folder), const char *folder)
{
    int status = 0;
    pid_t child = fork();

    assert_true(child >= 0);
    if (child == 0) {
        _exit(run(folder));
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void put__no_room_in_the_file__changes_nothing_and_works_later(void **state)
{
    char *folder = temp_dir_make();
    struct berth_store *store = NULL;
    struct case_list list;

    (void)state;
    assert_int_equal(in_child(fill_to_limit, folder), 0);
    assert_ok(case_open(&store, folder, BERTH_DURABILITY_COMMIT, &err), &err);
    assert_ok(case_load(store, &list, &err), &err);
    assert_int_equal(list.version[1], 600000);
    berth_store_close(store);
    temp_dir_remove(folder);
}

static void put__disk_full__changes_nothing_and_works_later(void **state)
{
    char *folder = temp_dir_make();
    int result = in_child(fill_disk, folder);

    (void)state;
    temp_dir_remove(folder);
    if (result == 77) {
        skip(); /* no right to mount */
    }
    assert_int_equal(result, 0);
}

static int open_on_full_disk(const char *folder)
{
    static char ballast[65536];
    struct berth_store *store = NULL;
    char mounted[600];

    (void)snprintf(mounted, sizeof mounted, "%s/disk", folder);
    if (unshare(CLONE_NEWNS) != 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) != 0 ||
        mkdir(mounted, 0700) != 0 || mount("tmpfs", mounted, "tmpfs", 0, "size=64k") != 0) {
        return 77;
    }
    write_file(temp_path(mounted, "ballast"), ballast, sizeof ballast);
    enum berth_code code = case_open(&store, mounted, BERTH_DURABILITY_COMMIT, &err);
    if (code != BERTH_STORE_FAILED || strstr(err.detail, "is full") == NULL) {
        (void)fprintf(stderr, "%s\n", err.detail);
        return 1;
    }
    return 0;
}

static void open__disk_full__is_refused(void **state)
{
    char *folder = temp_dir_make();
    int result = in_child(open_on_full_disk, folder);

    (void)state;
    temp_dir_remove(folder);
    if (result == 77) {
        skip();
    }
    assert_int_equal(result, 0);
}

/* --- damage --- */

struct damage_figures {
    unsigned harmless;
    unsigned refused;
};

/* Either the store is refused, at open or load, with the words for damage; or all of it is there. A
 * file that was damaged in the log's last changes may also be refused by the mark. */
static void look_at_damage(const char *folder, const struct case_list *expected, const char *what,
                           size_t at, struct damage_figures *figures)
{
    struct berth_store *store = NULL;
    struct case_list list;
    enum berth_code code = case_open(&store, folder, BERTH_DURABILITY_COMMIT, &err);

    if (code == BERTH_OK) {
        code = case_load(store, &list, &err);
    }
    if (code == BERTH_OK && !case_lists_equal(&list, expected)) {
        fail_msg("%s at %zu: another list, and nobody noticed", what, at);
    }
    if (code != BERTH_OK && code != BERTH_STORE_FAILED && code != BERTH_NOT_SUPPORTED) {
        fail_msg("%s at %zu: %s: %s", what, at, berth_code_token(code), err.detail);
    }
    *(code == BERTH_OK ? &figures->harmless : &figures->refused) += 1;
    berth_store_close(store);
}

static void damage_file(const char *name, bool truncate_it, unsigned rounds)
{
    char *folder = temp_dir_make();
    char *dead = temp_dir_make();
    char *wreck = temp_dir_make();
    struct test_random random = test_random_start(name);
    struct damage_figures figures = {0, 0};
    struct case_list expected;
    size_t size;

    make_store(folder, dead, CASE_SLOTS, &expected);
    /* a database without a log has nobody who knows better */
    const char *origin = strcmp(name, BERTH_STORE_FILE) == 0 ? folder : dead;
    char *bytes = read_whole_file(temp_path(origin, name), &size);
    char *copy = malloc(size);
    assert_non_null(copy);
    for (unsigned i = 0; i < rounds; i++) {
        size_t at = truncate_it ? size * i / rounds : test_random_next(&random) % size;
        size_t length = (size_t)1 << test_random_in(&random, 0, 12);
        unsigned way = test_random_in(&random, 0, 2);
        copy_store(origin, wreck);
        memcpy(copy, bytes, size);
        for (size_t j = at; j < at + length && j < size && !truncate_it; j++) {
            copy[j] = (char)(way == 0   ? 0
                             : way == 1 ? copy[j] ^ 1
                                        : (int)test_random_next(&random));
        }
        write_file(temp_path(wreck, name), copy, truncate_it ? at : size);
        look_at_damage(wreck, &expected, name, at, &figures);
    }
    print_message("%s: %u refused, %u harmless\n", name, figures.refused, figures.harmless);
    assert_true(figures.refused > 0);
    free(bytes);
    free(copy);
    temp_dir_remove(folder);
    temp_dir_remove(dead);
    temp_dir_remove(wreck);
}

static void database__garbled_anywhere__is_noticed(void **state)
{
    (void)state;
    damage_file(BERTH_STORE_FILE, false, 600);
}

static void database__cut_anywhere__is_noticed(void **state)
{
    (void)state;
    damage_file(BERTH_STORE_FILE, true, 200);
}

static void log__garbled_anywhere__is_noticed(void **state)
{
    (void)state;
    damage_file(BERTH_STORE_FILE "-wal", false, 600);
}

static void log__cut_anywhere__is_noticed(void **state)
{
    (void)state;
    damage_file(BERTH_STORE_FILE "-wal", true, 200);
}

/* The check of the whole file: what holds no lease is not covered by the leases' digests. */
static void history__its_index_garbled__is_noticed(void **state)
{
    char *folder = temp_dir_make();
    struct berth_store *store = NULL;
    static const char rubbish[BERTH_STORE_PAGE_BYTES] = "rubbish";
    sqlite3 *db;
    sqlite3_stmt *query;
    size_t size;
    bool more = true;

    (void)state;
    assert_ok(case_open(&store, folder, BERTH_DURABILITY_COMMIT, &err), &err);
    for (unsigned i = 1; i <= 300; i++) {
        assert_ok(case_put(store, 1, i, &err), &err);
    }
    while (more) {
        assert_ok(berth_store_tend(store, 0, &more, &err), &err);
    }
    berth_store_close(store);
    assert_int_equal(sqlite3_open(temp_path(folder, BERTH_STORE_FILE), &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(db, "SELECT rootpage FROM sqlite_schema WHERE name = 'history_by_key'",
                           -1, &query, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_step(query), SQLITE_ROW);
    size_t page = (size_t)sqlite3_column_int64(query, 0);
    assert_int_equal(sqlite3_finalize(query), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);
    char *bytes = read_whole_file(temp_path(folder, BERTH_STORE_FILE), &size);
    memcpy(bytes + (page - 1) * sizeof rubbish, rubbish, sizeof rubbish);
    write_file(temp_path(folder, BERTH_STORE_FILE), bytes, size);
    free(bytes);
    assert_refused(folder, BERTH_STORE_FAILED, "is damaged");
    temp_dir_remove(folder);
}

static void record__altered_by_hand__is_noticed(void **state)
{
    static const char *const alterations[] = {
        "UPDATE lease SET ports = '49001' WHERE id = '0000000000000001'",
        "UPDATE lease SET owner_id = 'S-1-5-18' WHERE id = '0000000000000001'",
        "UPDATE lease SET hold = 1 - hold WHERE id = '0000000000000002'",
        "UPDATE lease SET ports = ports || ' ' WHERE id = '0000000000000002'",
        "UPDATE lease SET ports = 'x' WHERE id = '0000000000000002'",
        "UPDATE lease SET ports = '70000' WHERE id = '0000000000000002'",
        "UPDATE lease SET key = key || char(0) || 'b' WHERE id = '0000000000000002'",
        "DELETE FROM lease WHERE id = '0000000000000002'",
        "DELETE FROM lease",
        "DELETE FROM recent",
        "UPDATE recent SET leases = 1",
        "INSERT INTO lease SELECT 'copy', key, generation, holder, meta, protocol, owner_id,"
        " owner_name, owner_group, state, ports, granted_unix_ms, expires_unix_ms, ttl_ms, hold,"
        " digest, serial FROM lease LIMIT 1",
        "DROP TABLE history",
        "DROP TABLE lease",
    };
    char *folder = temp_dir_make();
    char *wreck = temp_dir_make();
    struct case_list expected;

    (void)state;
    make_store(folder, NULL, 4, &expected);
    for (size_t i = 0; i < BERTH_COUNT(alterations); i++) {
        struct damage_figures figures = {0, 0};
        copy_store(folder, wreck);
        run_sql(wreck, alterations[i]);
        look_at_damage(wreck, &expected, alterations[i], 0, &figures);
        if (strstr(alterations[i], "char(0)") == NULL) {
            assert_int_equal(figures.refused, 1); /* the text before the NUL is what it was */
        }
    }
    temp_dir_remove(folder);
    temp_dir_remove(wreck);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(open__another_process_has_it__is_busy),
        cmocka_unit_test(open__twice_in_a_process__is_busy),
        cmocka_unit_test(open__newer_version__names_what_it_needs),
        cmocka_unit_test(open__another_programs_database__is_not_touched),
        cmocka_unit_test(open__not_sqlite__is_refused),
        cmocka_unit_test(open__no_file_in_its_place__is_refused),
        cmocka_unit_test(open__database_gone_or_emptied__is_not_made_anew),
        cmocka_unit_test(open__log_gone__says_how_much_is_missing),
        cmocka_unit_test(open__older_copy_or_another_store__is_refused),
        cmocka_unit_test(open__changes_lost_since_the_machine_was_started__is_told),
        cmocka_unit_test(open__no_right_to_write__is_refused),
        cmocka_unit_test(put__no_room_in_the_file__changes_nothing_and_works_later),
        cmocka_unit_test(put__disk_full__changes_nothing_and_works_later),
        cmocka_unit_test(open__disk_full__is_refused),
        cmocka_unit_test(database__garbled_anywhere__is_noticed),
        cmocka_unit_test(database__cut_anywhere__is_noticed),
        cmocka_unit_test(log__garbled_anywhere__is_noticed),
        cmocka_unit_test(log__cut_anywhere__is_noticed),
        cmocka_unit_test(history__its_index_garbled__is_noticed),
        cmocka_unit_test(record__altered_by_hand__is_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
