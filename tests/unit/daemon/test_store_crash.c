/* SPDX-License-Identifier: MIT */
/* The lease store and sudden ends: the process killed at random moments, and power failing at each
 * boundary between two writes. BERTH_TEST_KILLS (200) says how often the process is killed,
 * BERTH_TEST_CHANGES (40) how long the power failure's story is, BERTH_TEST_SEED repeats a run. */
#define _XOPEN_SOURCE 700
#include "store_case.h"
#include "store_disk.h"

#include "daemon/store_internal.h"
#include "temp_dir.h"

#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static struct berth_error err;

/* --- the story: an endless, repeatable row of changes --- */

struct change {
    unsigned put;    /* slot; CASE_SLOTS: none */
    unsigned remove; /* slot; CASE_SLOTS: none */
};

static struct change change_of(uint64_t story, unsigned number)
{
    struct test_random random = {story + number * UINT64_C(0xD1B54A32D192ED03)};
    unsigned kind = test_random_in(&random, 0, 9);
    struct change change = {test_random_in(&random, 0, CASE_SLOTS - 1), CASE_SLOTS};

    if (kind >= 6) { /* a new generation in the place of an old one */
        change.remove = (change.put + 1 + test_random_in(&random, 0, CASE_SLOTS - 2)) % CASE_SLOTS;
    }
    if (kind == 9) {
        change.put = CASE_SLOTS;
    }
    return change;
}

/* Change `number` (from 1) puts version `number`. */
static void change_list(struct case_list *list, uint64_t story, unsigned number)
{
    struct change change = change_of(story, number);

    if (change.put < CASE_SLOTS) {
        list->version[change.put] = number;
    }
    if (change.remove < CASE_SLOTS) {
        list->version[change.remove] = 0;
    }
}

static enum berth_code change_store(struct berth_store *store, uint64_t story, unsigned number,
                                    struct berth_error *error)
{
    struct change change = change_of(story, number);
    struct case_record memory[2];
    const struct berth_history_entry entry = {(int64_t)number, "lease.granted", 49000, "key", "",
                                              "somebody"};
    struct berth_store_change changes[2] = {{.history = &entry, .history_count = 1}};

    if (change.put < CASE_SLOTS) {
        changes[0].put = case_record_make(&memory[0], change.put, number);
    }
    if (change.remove < CASE_SLOTS) {
        changes[1].remove = case_record_make(&memory[1], change.remove, 1)->id;
    }
    return berth_store_apply(store, changes, 2, error);
}

/* --- kill -9 --- */

struct waiting {
    struct berth_store_flush flush;
    uv_sem_t told;
    bool failed;
};

static void on_done(struct berth_store_flush *flush, const struct berth_error *failure)
{
    struct waiting *waiting = flush->ctx;

    waiting->failed = failure != NULL;
    uv_sem_post(&waiting->told);
}

static bool flush_and_wait(struct berth_store *store, struct waiting *waiting,
                           struct berth_error *error)
{
    waiting->flush.done = on_done;
    waiting->flush.ctx = waiting;
    if (berth_store_flush(store, &waiting->flush, error) != BERTH_OK) {
        return false;
    }
    uv_sem_wait(&waiting->told);
    return !waiting->failed;
}

/* The child: makes changes from `next` on and acknowledges each through the pipe, until it is
 * killed. Whatever goes wrong, it acknowledges nothing any more. */
static void make_changes(const char *folder, bool sync, uint64_t story, unsigned next, int pipe)
{
    struct berth_store *store;
    struct waiting waiting = {0};
    bool more;

    if (case_open(&store, folder, sync ? BERTH_DURABILITY_SYNC : BERTH_DURABILITY_COMMIT, &err) !=
            BERTH_OK ||
        uv_sem_init(&waiting.told, 0) != 0) {
        _exit(1);
    }
    store->pages_soon = 20; /* a checkpoint is a moment to be killed at, too */
    store->pages_must = 60;
    for (;; next++) {
        if (change_store(store, story, next, &err) != BERTH_OK ||
            (sync && !flush_and_wait(store, &waiting, &err)) ||
            write(pipe, &next, sizeof next) != (ssize_t)sizeof next ||
            (next % 16 == 0 && berth_store_tend(store, 0, &more, &err) != BERTH_OK)) {
            _exit(2);
        }
    }
}

static double milliseconds(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

/* Lets a child work for a moment and kills it.  @return the last change that was acknowledged */
static unsigned run_and_kill(const char *folder, bool sync, uint64_t story, unsigned done,
                             unsigned microseconds)
{
    int ends[2];
    unsigned acknowledged = done;
    unsigned got;
    int status;

    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)close(ends[0]);
        make_changes(folder, sync, story, done + 1, ends[1]);
    }
    (void)close(ends[1]);
    const struct timespec moment = {0, (long)microseconds * 1000};
    (void)nanosleep(&moment, NULL); /* not a wait for anything: the moment of death */
    assert_int_equal(kill(child, SIGKILL), 0);
    while (read(ends[0], &got, sizeof got) == (ssize_t)sizeof got) {
        acknowledged = got;
    }
    (void)close(ends[0]);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status)); /* it did not give up by itself */
    return acknowledged;
}

struct kill_figures {
    double longest_ms;
    unsigned unacknowledged; /* times that the change in flight had been made */
};

/* Opens what is left and finds how far it got: to the last acknowledged change, or the one after.
 */
static unsigned check_after_kill(const char *folder, uint64_t story, unsigned acknowledged,
                                 struct case_list *expected, unsigned done,
                                 struct kill_figures *figures)
{
    struct berth_store *store = NULL;
    struct case_list list;

    double start = milliseconds();
    assert_ok(case_open(&store, folder, BERTH_DURABILITY_COMMIT, &err), &err);
    assert_ok(case_load(store, &list, &err), &err);
    double took = milliseconds() - start;
    figures->longest_ms = took > figures->longest_ms ? took : figures->longest_ms;
    assert_int_equal(berth_store_lost_changes(store), 0);
    for (unsigned number = done + 1; number <= acknowledged; number++) {
        change_list(expected, story, number);
    }
    if (!case_lists_equal(&list, expected)) {
        change_list(expected, story, ++acknowledged);
        figures->unacknowledged++;
        assert_true(case_lists_equal(&list, expected));
    }
    berth_store_close(store);
    return acknowledged;
}

static void kill__at_random_moments__nothing_acknowledged_is_lost(void **state)
{
    struct test_random random = test_random_start("kill");
    unsigned kills = (unsigned)test_count_from("BERTH_TEST_KILLS", 200);
    uint64_t story = test_random_next(&random);
    struct case_list expected = {{0}};
    struct kill_figures figures = {0};
    char *folder = temp_dir_make();
    unsigned done = 0;

    (void)state;
    for (unsigned i = 0; i < kills; i++) {
        bool sync = i % 4 == 3;
        unsigned acknowledged =
            run_and_kill(folder, sync, story, done, test_random_in(&random, 500, 20000));
        done = check_after_kill(folder, story, acknowledged, &expected, done, &figures);
    }
    print_message("%u kills, %u changes, %u of them made and not acknowledged; "
                  "opened and loaded within %.1f ms at most\n",
                  kills, done, figures.unacknowledged, figures.longest_ms);
    assert_true(kills == 0 || done > 0);
    temp_dir_remove(folder);
}

/* --- power failures --- */

#define STORY_MAX 2000

static struct power {
    struct test_random random;
    const char *folder;
    const char *wreck; /* where the remains are looked at */
    bool sync;
    struct case_list lists[STORY_MAX + 1]; /* after each change */
    unsigned acknowledged;
    unsigned started; /* changes that were at least begun */
    unsigned boundaries;
    unsigned falls;
    unsigned fell_back; /* the state before the change under way was found */
    char failure[700];
} power;

static void copy_mark(void)
{
    struct berth_store_mark mark;
    const char *from = temp_path(power.folder, BERTH_STORE_MARK_FILE);
    const char *to = temp_path(power.wreck, BERTH_STORE_MARK_FILE);
    size_t size;

    (void)unlink(to);
    /* With `commit` a power failure may take what the mark speaks of; that the machine was started
     * since, which explains it, cannot be had here. With `sync` the mark must be right. */
    if (power.sync && berth_store_mark_read(from, &mark)) {
        char *bytes = read_whole_file(from, &size);
        write_file(to, bytes, size);
        free(bytes);
    }
}

static void look_at_wreck(const char *rest)
{
    struct berth_store *store = NULL;
    struct berth_error error;
    struct case_list list;
    unsigned first = power.sync ? power.acknowledged : 0;
    unsigned at = first;

    if (case_open(&store, power.wreck, BERTH_DURABILITY_COMMIT, &error) != BERTH_OK ||
        case_load(store, &list, &error) != BERTH_OK) {
        (void)snprintf(power.failure, sizeof power.failure, "boundary %u, %s: %s", power.boundaries,
                       rest, error.detail);
        berth_store_close(store);
        return;
    }
    while (at <= power.started && !case_lists_equal(&list, &power.lists[at])) {
        at++;
    }
    if (at > power.started) {
        (void)snprintf(power.failure, sizeof power.failure,
                       "boundary %u, %s: none of the states %u to %u", power.boundaries, rest,
                       first, power.started);
    }
    power.fell_back += at < power.started ? 1 : 0;
    berth_store_close(store);
}

static void remove_wreck(void)
{
    static const char *const files[] = {BERTH_STORE_FILE, BERTH_STORE_FILE "-wal",
                                        BERTH_STORE_FILE "-journal"};

    for (size_t i = 0; i < BERTH_COUNT(files); i++) {
        (void)unlink(temp_path(power.wreck, files[i]));
    }
}

/* Runs on whatever thread writes: it notes what is wrong, and the test fails afterwards. */
static void power_may_fail_here(void *ctx)
{
    static const char *const rests[] = {"all dropped", "all kept", "some", "torn"};

    (void)ctx;
    power.boundaries++;
    for (unsigned rest = STORE_DISK_DROPS; rest <= STORE_DISK_TEARS; rest++) {
        if (power.failure[0] == '\0') {
            remove_wreck();
            store_disk_fall(power.wreck, (enum store_disk_rest)rest, &power.random);
            copy_mark();
            power.falls++;
            look_at_wreck(rests[rest]);
        }
    }
}

static void tell_story(struct berth_store *store, uint64_t story, unsigned length)
{
    struct waiting waiting = {0};
    bool more;

    assert_int_equal(uv_sem_init(&waiting.told, 0), 0);
    for (unsigned number = 1; number <= length && power.failure[0] == '\0'; number++) {
        power.lists[number] = power.lists[number - 1];
        change_list(&power.lists[number], story, number);
        power.started = number;
        assert_ok(change_store(store, story, number, &err), &err);
        if (power.sync && number % 3 != 0) { /* else the next flush is for both */
            assert_true(flush_and_wait(store, &waiting, &err));
            power.acknowledged = number;
        }
        if (number % 5 == 0) {
            assert_ok(berth_store_tend(store, 0, &more, &err), &err);
        }
    }
    uv_sem_destroy(&waiting.told);
}

static void power_fails_everywhere(bool sync)
{
    struct berth_store *store = NULL;
    char *folder = temp_dir_make();
    char *wreck = temp_dir_make();
    unsigned length = (unsigned)test_count_from("BERTH_TEST_CHANGES", 40);

    memset(&power, 0, sizeof power);
    power.random = test_random_start(sync ? "power, sync" : "power, commit");
    power.folder = folder;
    power.wreck = wreck;
    power.sync = sync;
    uint64_t story = test_random_next(&power.random);
    store_disk_watch(folder, power_may_fail_here, NULL);
    assert_ok(
        case_open(&store, folder, sync ? BERTH_DURABILITY_SYNC : BERTH_DURABILITY_COMMIT, &err),
        &err);
    store->pages_soon = 12;
    store->pages_must = 40;
    tell_story(store, story, length < STORY_MAX ? length : STORY_MAX);
    berth_store_close(store);
    store_disk_watch(NULL, NULL, NULL);
    print_message("%u boundaries, %u power failures, in %u the state was one before\n",
                  power.boundaries, power.falls, power.fell_back);
    assert_string_equal(power.failure, "");
    assert_true(power.fell_back > 0); /* the disk does lose what was not synced */
    temp_dir_remove(folder);
    temp_dir_remove(wreck);
}

static void power_failure__durability_sync__acknowledged_is_kept_and_nothing_mixed(void **state)
{
    (void)state;
    power_fails_everywhere(true);
}

static void power_failure__durability_commit__nothing_is_mixed(void **state)
{
    (void)state;
    power_fails_everywhere(false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(kill__at_random_moments__nothing_acknowledged_is_lost),
        cmocka_unit_test(power_failure__durability_sync__acknowledged_is_kept_and_nothing_mixed),
        cmocka_unit_test(power_failure__durability_commit__nothing_is_mixed),
    };

    store_disk_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
