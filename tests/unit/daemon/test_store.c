/* SPDX-License-Identifier: MIT */
/* The lease store where nothing fails: what is put is there, also after opening it again. */
#include "store_case.h"

#include "daemon/store_internal.h"
#include "temp_dir.h"

#include <stdlib.h>
#include <sys/stat.h>

static struct berth_error err;

struct fixture {
    char *folder;
    struct berth_store *store;
};

static int setup(void **state)
{
    static struct fixture fixture;

    fixture.folder = temp_dir_make();
    assert_ok(case_open(&fixture.store, fixture.folder, BERTH_DURABILITY_COMMIT, &err), &err);
    *state = &fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    berth_store_close(fixture->store);
    temp_dir_remove(fixture->folder);
    return 0;
}

static void reopen(struct fixture *fixture)
{
    berth_store_close(fixture->store);
    fixture->store = NULL;
    assert_ok(case_open(&fixture->store, fixture->folder, BERTH_DURABILITY_COMMIT, &err), &err);
}

static void assert_list(struct fixture *fixture, const struct case_list *expected)
{
    struct case_list list;

    assert_ok(case_load(fixture->store, &list, &err), &err);
    assert_true(case_lists_equal(&list, expected));
}

/* what was loaded, in its order */
struct loaded {
    size_t count;
    char ids[64][40];
    const struct berth_lease_record *expected; /* compared with each */
    size_t equal;
};

static enum berth_code take(void *ctx, const struct berth_lease_record *record,
                            struct berth_error *error)
{
    struct loaded *loaded = ctx;

    (void)error;
    (void)snprintf(loaded->ids[loaded->count++], sizeof loaded->ids[0], "%.39s", record->id);
    if (loaded->expected != NULL && case_records_equal(loaded->expected, record)) {
        loaded->equal++;
    }
    return BERTH_OK;
}

static void assert_round_trip(struct fixture *fixture, const struct berth_lease_record *record)
{
    struct loaded loaded = {.expected = record};

    assert_ok(berth_store_put(fixture->store, record, NULL, &err), &err);
    assert_ok(berth_store_load(fixture->store, take, &loaded, &err), &err);
    assert_int_equal(loaded.count, 1);
    assert_int_equal(loaded.equal, 1);
    reopen(fixture);
    memset(&loaded, 0, sizeof loaded);
    loaded.expected = record;
    assert_ok(berth_store_load(fixture->store, take, &loaded, &err), &err);
    assert_int_equal(loaded.count, 1);
    assert_int_equal(loaded.equal, 1);
}

static struct berth_lease_record plain(const char *id)
{
    return (struct berth_lease_record){.id = id,
                                       .key = "web",
                                       .generation = "",
                                       .holder = "",
                                       .meta = "",
                                       .protocol = "",
                                       .owner_id = "uid:0",
                                       .owner_name = "root",
                                       .owner_group = "",
                                       .state = "pending",
                                       .ports = {49000},
                                       .port_count = 1,
                                       .ttl_ms = 1000};
}

static void put__every_field__comes_back(void **state)
{
    struct case_record memory;

    assert_round_trip(*state, case_record_make(&memory, 7, 3));
}

static void put__extremes__come_back(void **state)
{
    struct fixture *fixture = *state;
    struct berth_lease_record record = plain("1");

    record.port_count = BERTH_STORE_PORTS_MAX;
    for (unsigned i = 0; i < BERTH_STORE_PORTS_MAX; i++) {
        record.ports[i] = (uint16_t)(UINT16_MAX - i);
    }
    record.granted_unix_ms = INT64_MIN;
    record.expires_unix_ms = INT64_MAX;
    record.ttl_ms = INT64_MAX;
    record.hold = true;
    assert_round_trip(fixture, &record);

    record.port_count = 0;
    record.granted_unix_ms = -1;
    record.expires_unix_ms = 0;
    record.ttl_ms = 0;
    assert_round_trip(fixture, &record);

    record.port_count = 3;
    record.ports[0] = 65535;
    record.ports[1] = 0;
    record.ports[2] = 1;
    assert_round_trip(fixture, &record);
}

static void put__texts_of_all_kinds__come_back(void **state)
{
    static const char *const texts[] = {
        "'; DROP TABLE lease; --",
        "\x01\x02\t\r\n\x7F",
        "\xC3\xA4\xE2\x82\xAC\xF0\x9F\x9A\xA2", /* 2, 3 and 4 bytes */
        "e\xCC\x81",                            /* a combining mark: not composed */
        "\xEF\xBB\xBFwith a byte order mark",   /* not taken away */
        "\xEF\xBF\xBF \xF4\x8F\xBF\xBF",        /* the last of each plane */
        "\xC3 \xFF not UTF-8 at all",           /* the caller's fault, but kept as it is */
        "{\"a\":[1,2.5e3,null],\"b\\u0000\":\"\"}",
        " 0049000 ",
    };

    for (size_t i = 0; i < BERTH_COUNT(texts); i++) {
        struct berth_lease_record record = plain("1");
        record.key = record.generation = record.holder = record.meta = texts[i];
        record.protocol = record.owner_id = record.owner_name = record.owner_group = texts[i];
        record.state = texts[i];
        assert_round_trip(*state, &record);
    }
}

static void put__largest_texts__come_back(void **state)
{
    struct fixture *fixture = *state;
    struct berth_lease_record record = plain("1");
    char *text = malloc(BERTH_STORE_TEXT_MAX + 2);

    assert_non_null(text);
    memset(text, 'x', BERTH_STORE_TEXT_MAX + 1);
    text[BERTH_STORE_TEXT_MAX] = '\0';
    record.key = record.meta = record.holder = text;
    assert_round_trip(fixture, &record);

    text[BERTH_STORE_TEXT_MAX] = 'x';
    text[BERTH_STORE_TEXT_MAX + 1] = '\0';
    assert_code(berth_store_put(fixture->store, &record, NULL, &err), BERTH_TOO_LARGE);
    free(text);
}

static void put__strings_left_out__come_back_empty(void **state)
{
    struct fixture *fixture = *state;
    struct berth_lease_record record = {.id = "1", .ttl_ms = 1};
    struct berth_lease_record expected = plain("1");
    struct loaded loaded = {.expected = &expected};

    expected.key = expected.owner_id = expected.owner_name = expected.state = "";
    expected.port_count = 0;
    expected.ttl_ms = 1;
    assert_ok(berth_store_put(fixture->store, &record, NULL, &err), &err);
    assert_ok(berth_store_load(fixture->store, take, &loaded, &err), &err);
    assert_int_equal(loaded.equal, 1);
}

static void put__same_id__replaces(void **state)
{
    struct fixture *fixture = *state;
    struct case_list expected = {{0}};

    for (unsigned version = 1; version <= 5; version++) {
        assert_ok(case_put(fixture->store, 3, version, &err), &err);
        expected.version[3] = version;
        assert_list(fixture, &expected);
    }
    reopen(fixture);
    assert_list(fixture, &expected);
}

static void put__not_storable__changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct case_list expected = {{0}};
    struct berth_lease_record record = plain("");

    expected.version[1] = 1;
    assert_ok(case_put(fixture->store, 1, 1, &err), &err);
    assert_code(berth_store_put(fixture->store, &record, NULL, &err), BERTH_INVALID_PARAMS);
    record.id = NULL;
    assert_code(berth_store_put(fixture->store, &record, NULL, &err), BERTH_INVALID_PARAMS);
    record = plain("1");
    record.port_count = BERTH_STORE_PORTS_MAX + 1;
    assert_code(berth_store_put(fixture->store, &record, NULL, &err), BERTH_INVALID_PARAMS);
    record = plain("1");
    record.ttl_ms = (uint64_t)INT64_MAX + 1;
    assert_code(berth_store_put(fixture->store, &record, NULL, &err), BERTH_INVALID_PARAMS);
    assert_list(fixture, &expected);
}

static void remove__there_or_not__is_gone(void **state)
{
    struct fixture *fixture = *state;
    struct case_list expected = {{0}};

    assert_ok(case_put(fixture->store, 1, 1, &err), &err);
    assert_ok(case_put(fixture->store, 2, 1, &err), &err);
    assert_ok(case_remove(fixture->store, 1, &err), &err);
    assert_ok(case_remove(fixture->store, 1, &err), &err);
    assert_ok(case_remove(fixture->store, 9, &err), &err);
    expected.version[2] = 1;
    assert_list(fixture, &expected);
    reopen(fixture);
    assert_list(fixture, &expected);
    assert_ok(case_remove(fixture->store, 2, &err), &err);
    expected.version[2] = 0;
    assert_list(fixture, &expected);
}

static void load__several__oldest_grant_first(void **state)
{
    struct fixture *fixture = *state;
    static const struct {
        const char *id;
        int64_t granted;
    } rows[] = {{"c", 300}, {"z", 100}, {"a", 300}, {"m", 200}, {"b", 300}};
    static const char *const expected[] = {"z", "m", "c", "a", "b"};
    struct loaded loaded = {0};

    for (size_t round = 0; round < 2; round++) { /* an update does not make a lease younger */
        for (size_t i = 0; i < BERTH_COUNT(rows); i++) {
            struct berth_lease_record record = plain(rows[i].id);
            record.granted_unix_ms = rows[i].granted;
            record.state = round == 0 ? "pending" : "active";
            if (round == 0 || i == 0) {
                assert_ok(berth_store_put(fixture->store, &record, NULL, &err), &err);
            }
        }
    }
    assert_ok(berth_store_load(fixture->store, take, &loaded, &err), &err);
    assert_int_equal(loaded.count, BERTH_COUNT(expected));
    for (size_t i = 0; i < BERTH_COUNT(expected); i++) {
        assert_string_equal(loaded.ids[i], expected[i]);
    }
}

static enum berth_code refuse(void *ctx, const struct berth_lease_record *record,
                              struct berth_error *error)
{
    unsigned *calls = ctx;

    (void)record;
    ++*calls;
    return berth_fail(error, BERTH_LIMIT_REACHED, 0, "enough");
}

static void load__receiver_refuses__ends_with_its_error(void **state)
{
    struct fixture *fixture = *state;
    struct case_list expected = {{0}};
    unsigned calls = 0;

    assert_ok(case_put(fixture->store, 1, 1, &err), &err);
    assert_ok(case_put(fixture->store, 2, 1, &err), &err);
    assert_code(berth_store_load(fixture->store, refuse, &calls, &err), BERTH_LIMIT_REACHED);
    assert_string_equal(err.detail, "enough");
    assert_int_equal(calls, 1);
    expected.version[1] = expected.version[2] = 1;
    assert_list(fixture, &expected);
    assert_ok(case_put(fixture->store, 3, 1, &err), &err); /* no read is left under way */
}

static void apply__new_one_and_old_ones__at_once(void **state)
{
    struct fixture *fixture = *state;
    struct case_record memory[3];
    struct case_list expected = {{0}};

    assert_ok(case_put(fixture->store, 1, 1, &err), &err);
    assert_ok(case_put(fixture->store, 2, 1, &err), &err);
    const struct berth_store_change changes[] = {
        {.put = case_record_make(&memory[0], 3, 1)},
        {.remove = case_record_make(&memory[1], 1, 1)->id},
        {.remove = case_record_make(&memory[2], 2, 1)->id},
    };
    assert_ok(berth_store_apply(fixture->store, changes, BERTH_COUNT(changes), &err), &err);
    expected.version[3] = 1;
    assert_list(fixture, &expected);
    assert_ok(berth_store_apply(fixture->store, NULL, 0, &err), &err);
    assert_list(fixture, &expected);
}

static void apply__one_of_them_bad__none_is_made(void **state)
{
    struct fixture *fixture = *state;
    struct case_record memory;
    struct case_list expected = {{0}};
    const struct berth_lease_record bad = {.id = "", .ttl_ms = 1};

    assert_ok(case_put(fixture->store, 1, 1, &err), &err);
    const struct berth_store_change changes[] = {
        {.put = case_record_make(&memory, 3, 1)}, {.remove = "0000000000000001"}, {.put = &bad}};
    assert_code(berth_store_apply(fixture->store, changes, BERTH_COUNT(changes), &err),
                BERTH_INVALID_PARAMS);
    expected.version[1] = 1;
    assert_list(fixture, &expected);
}

static void apply__same_record_twice_in_a_change__last_counts(void **state)
{
    struct fixture *fixture = *state;
    struct case_record memory[3];
    struct case_list expected = {{0}};
    const struct berth_store_change changes[] = {
        {.put = case_record_make(&memory[0], 4, 1)},
        {.put = case_record_make(&memory[1], 4, 2)},
        {.put = case_record_make(&memory[2], 5, 1), .remove = "0000000000000005"}};

    assert_ok(berth_store_apply(fixture->store, changes, BERTH_COUNT(changes), &err), &err);
    expected.version[4] = 2;
    assert_list(fixture, &expected);
    reopen(fixture);
    assert_list(fixture, &expected);
}

/* entries as "time event port key generation by;" */
struct told {
    char text[4000];
    size_t count;
    size_t stop_after; /* 0: never */
};

static bool tell(void *ctx, const struct berth_history_entry *entry)
{
    struct told *told = ctx;
    size_t length = strlen(told->text);

    (void)snprintf(told->text + length, sizeof told->text - length, "%d %s %u %s %s %s;",
                   (int)entry->time_unix_ms, entry->event, (unsigned)entry->port, entry->key,
                   entry->generation, entry->by);
    told->count++;
    return told->count != told->stop_after;
}

static void add_history(struct fixture *fixture, int64_t time, const char *event, uint16_t port,
                        const char *key)
{
    const struct berth_history_entry entry = {time, event, port, key, "g1", "alice"};
    const struct berth_store_change change = {.history = &entry, .history_count = 1};

    assert_ok(berth_store_apply(fixture->store, &change, 1, &err), &err);
}

static void tend(struct fixture *fixture, int64_t now)
{
    bool more = true;

    for (int i = 0; more; i++) {
        assert_true(i < 10000);
        assert_ok(berth_store_tend(fixture->store, now, &more, &err), &err);
    }
}

static void assert_history(struct fixture *fixture, uint16_t port, const char *key, size_t limit,
                           const char *expected)
{
    struct told told = {{0}, 0, 0};

    assert_ok(berth_store_history(fixture->store, port, key, limit, tell, &told, &err), &err);
    assert_string_equal(told.text, expected);
}

static void history__by_port_and_key__newest_first(void **state)
{
    struct fixture *fixture = *state;

    add_history(fixture, 1, "lease.granted", 49000, "web");
    add_history(fixture, 2, "lease.granted", 49001, "api");
    for (int i = 0; i < 300; i++) { /* so many that the first ones are sorted in */
        add_history(fixture, 3, "x", 1, "other");
    }
    tend(fixture, 0);
    add_history(fixture, 4, "lease.released", 49000, "web");
    add_history(fixture, 5, "lease.granted", 49000, "api");
    for (int round = 0; round < 2; round++) {
        assert_history(fixture, 49000, NULL, 10,
                       "5 lease.granted 49000 api g1 alice;4 lease.released 49000 web g1 alice;"
                       "1 lease.granted 49000 web g1 alice;");
        assert_history(fixture, 0, "web", 10,
                       "4 lease.released 49000 web g1 alice;1 lease.granted 49000 web g1 alice;");
        assert_history(fixture, 0, "api", 10,
                       "5 lease.granted 49000 api g1 alice;2 lease.granted 49001 api g1 alice;");
        assert_history(fixture, 0, "api", 1, "5 lease.granted 49000 api g1 alice;");
        assert_history(fixture, 0, "api", 0, "");
        assert_history(fixture, 49002, NULL, 10, "");
        assert_history(fixture, 0, "we", 10, "");
        assert_history(fixture, 0, NULL, 10, "");
        reopen(fixture);
    }
}

static void history__receiver_has_enough__ends(void **state)
{
    struct fixture *fixture = *state;
    struct told told = {{0}, 0, 2};

    for (int i = 0; i < 300; i++) {
        add_history(fixture, i, "e", 80, "k");
    }
    tend(fixture, 0);
    add_history(fixture, 300, "e", 80, "k");
    assert_ok(berth_store_history(fixture->store, 80, NULL, 100, tell, &told, &err), &err);
    assert_int_equal(told.count, 2);
}

static void history__several_of_one_change__all_there(void **state)
{
    struct fixture *fixture = *state;
    const struct berth_history_entry entries[] = {
        {1, "a", 1, "k", "", ""}, {2, "b", 2, "k", "", ""}, {3, "c", 3, "k", "", NULL}};
    struct case_record memory;
    struct case_list expected = {{0}};
    const struct berth_store_change changes[] = {
        {.put = case_record_make(&memory, 1, 1), .history = entries, .history_count = 2},
        {.remove = "nobody", .history = entries + 2, .history_count = 1}};

    assert_ok(berth_store_apply(fixture->store, changes, 2, &err), &err);
    assert_history(fixture, 0, "k", 10, "3 c 3 k  ;2 b 2 k  ;1 a 1 k  ;");
    expected.version[1] = 1;
    assert_list(fixture, &expected);
    reopen(fixture);
    assert_list(fixture, &expected);
    assert_history(fixture, 0, "k", 10, "3 c 3 k  ;2 b 2 k  ;1 a 1 k  ;");
}

static void history__older_than_kept__is_pruned(void **state)
{
    struct fixture *fixture = *state;
    int64_t kept_ms = (int64_t)90 * 86400000;

    for (int i = 0; i < 1000; i++) {
        add_history(fixture, i, "old", 80, "k");
    }
    add_history(fixture, 5000, "new", 80, "k");
    add_history(fixture, 500, "old but late", 80, "k"); /* the clock was set back */
    for (int i = 0; i < 300; i++) {
        add_history(fixture, 5000, "filler", 81, "f");
    }
    fixture->store->calendar = (struct berth_store_calendar){.unix_ms = kept_ms, .at_ms = 1};
    tend(fixture, kept_ms + 1000);
    tend(fixture, kept_ms + 1000); /* begins anew at the first entry */
    assert_history(fixture, 80, NULL, 2000, "5000 new 80 k g1 alice;");
    tend(fixture, kept_ms + 6000);
    assert_history(fixture, 80, NULL, 2000, "");
}

static void history__not_wanted__is_not_kept(void **state)
{
    struct fixture *fixture = *state;
    const struct berth_store_options options = {.folder = fixture->folder};
    struct case_list expected = {{0}};

    berth_store_close(fixture->store);
    assert_ok(berth_store_open(&fixture->store, &options, &err), &err);
    assert_ok(case_put(fixture->store, 1, 1, &err), &err);
    assert_history(fixture, 0, "Octopus/Umgebung-\xC3\xA4/1/1", 10, "");
    expected.version[1] = 1;
    assert_list(fixture, &expected);
}

static void history__text_too_long__changes_nothing(void **state)
{
    struct fixture *fixture = *state;
    struct case_record memory;
    struct case_list expected = {{0}};
    char *text = malloc(BERTH_STORE_TEXT_MAX + 2);

    assert_non_null(text);
    memset(text, 'x', BERTH_STORE_TEXT_MAX + 1);
    text[BERTH_STORE_TEXT_MAX + 1] = '\0';
    const struct berth_history_entry entry = {1, "e", 1, "k", "", text};
    assert_code(berth_store_put(fixture->store, case_record_make(&memory, 1, 1), &entry, &err),
                BERTH_TOO_LARGE);
    free(text);
    assert_list(fixture, &expected);
}

static long long size_of(const char *folder, const char *name)
{
    struct stat info;

    return stat(temp_path(folder, name), &info) == 0 ? (long long)info.st_size : -1;
}

static void apply__many_without_upkeep__log_stays_bounded(void **state)
{
    struct fixture *fixture = *state;
    long long most = 0;

    for (unsigned i = 0; i < 4000; i++) {
        assert_ok(case_put(fixture->store, i % CASE_SLOTS, i / CASE_SLOTS + 1, &err), &err);
        long long size = size_of(fixture->folder, BERTH_STORE_FILE "-wal");
        most = size > most ? size : most;
    }
    /* a few pages beyond what a checkpoint is made at, each with its header of 24 bytes */
    assert_in_range(most, 1, (BERTH_STORE_WAL_PAGES + 64) * (BERTH_STORE_PAGE_BYTES + 24) + 32);
}

static void tend__log_has_grown__is_moved_into_the_database(void **state)
{
    struct fixture *fixture = *state;

    for (unsigned i = 0; fixture->store->log_pages < BERTH_STORE_WAL_PAGES_SOON; i++) {
        assert_true(i < 10000);
        assert_ok(case_put(fixture->store, i % CASE_SLOTS, i / CASE_SLOTS + 1, &err), &err);
    }
    tend(fixture, 0);
    assert_ok(case_put(fixture->store, 1, 99999, &err), &err);
    assert_in_range(fixture->store->log_pages, 1, 8); /* begun anew */
}

static void open__new_folder__nobody_else_may_look(void **state)
{
    struct fixture *fixture = *state;
    struct stat info;
    char *deep = strdup(temp_path(fixture->folder, "a/b"));
    struct berth_store *store = NULL;

    assert_ok(case_open(&store, deep, BERTH_DURABILITY_COMMIT, &err), &err);
    assert_ok(case_put(store, 1, 1, &err), &err);
    assert_int_equal(stat(temp_path(fixture->folder, "a"), &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    assert_int_equal(stat(deep, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0700);
    static const char *const files[] = {BERTH_STORE_FILE, BERTH_STORE_FILE "-wal",
                                        BERTH_STORE_MARK_FILE};
    for (size_t i = 0; i < BERTH_COUNT(files); i++) {
        assert_int_equal(stat(temp_path(deep, files[i]), &info), 0);
        assert_int_equal(info.st_mode & 0777, 0600);
    }
    berth_store_close(store);
    assert_int_equal(size_of(deep, BERTH_STORE_FILE "-wal"), -1);
    assert_int_equal(size_of(deep, BERTH_STORE_FILE "-shm"), -1);
    free(deep);
}

static void open__no_folder__is_refused(void **state)
{
    const struct berth_store_options none = {0};
    struct berth_store *store = NULL;

    (void)state;
    assert_code(berth_store_open(&store, &none, &err), BERTH_INVALID_PARAMS);
    assert_null(store);
    berth_store_close(NULL);
}

static const char version_1[] =
    "CREATE TABLE lease (id TEXT PRIMARY KEY NOT NULL, key TEXT, generation TEXT, holder TEXT,"
    " meta TEXT, protocol TEXT, owner_id TEXT, owner_name TEXT, state TEXT, ports TEXT,"
    " granted_unix_ms INTEGER, expires_unix_ms INTEGER, ttl_ms INTEGER) WITHOUT ROWID;"
    "CREATE TABLE history (number INTEGER PRIMARY KEY, time_unix_ms INTEGER NOT NULL,"
    " event TEXT NOT NULL, port INTEGER NOT NULL, key_hash INTEGER NOT NULL, key TEXT NOT NULL,"
    " generation TEXT NOT NULL, by TEXT NOT NULL) STRICT;"
    "CREATE INDEX history_by_port ON history (port);"
    "CREATE INDEX history_by_key ON history (key_hash);"
    "INSERT INTO lease VALUES ('bb','web','1','site:Shop','{}','http','uid:7','eve','active',"
    "'49000 49001',200,300,1000);"
    "INSERT INTO lease VALUES ('aa','api','','','','','uid:8','bob','pending','49002',100,300,5);"
    "INSERT INTO history VALUES (1, 7, 'lease.granted', 49000, 0, 'web', '1', 'eve');"
    "PRAGMA application_id = 0x42525448; PRAGMA user_version = 1;";

static void open__version_1__is_brought_up_to_date(void **state)
{
    struct fixture *fixture = *state;
    char *folder = strdup(temp_path(fixture->folder, "old"));
    struct loaded loaded = {0};
    sqlite3 *db;

    assert_int_equal(mkdir(folder, 0700), 0);
    assert_int_equal(sqlite3_open(temp_path(folder, BERTH_STORE_FILE), &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, version_1, NULL, NULL, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_close(db), SQLITE_OK);

    berth_store_close(fixture->store);
    assert_ok(case_open(&fixture->store, folder, BERTH_DURABILITY_COMMIT, &err), &err);
    struct berth_lease_record expected = plain("bb");
    expected.generation = "1";
    expected.holder = "site:Shop";
    expected.meta = "{}";
    expected.protocol = "http";
    expected.owner_id = "uid:7";
    expected.owner_name = "eve";
    expected.state = "active";
    expected.ports[1] = 49001;
    expected.port_count = 2;
    expected.granted_unix_ms = 200;
    expected.expires_unix_ms = 300;
    for (int round = 0; round < 2; round++) {
        memset(&loaded, 0, sizeof loaded);
        loaded.expected = &expected;
        assert_ok(berth_store_load(fixture->store, take, &loaded, &err), &err);
        assert_int_equal(loaded.count, 2);
        assert_string_equal(loaded.ids[0], "aa");
        assert_int_equal(loaded.equal, 1);
        assert_history(fixture, 49000, NULL, 9, "7 lease.granted 49000 web 1 eve;");
        berth_store_close(fixture->store);
        assert_ok(case_open(&fixture->store, folder, BERTH_DURABILITY_COMMIT, &err), &err);
    }
    free(folder);
}

/* a flush, and the wait for it */
struct waiting {
    struct berth_store_flush flush;
    uv_sem_t *told;
    bool failed;
};

static void on_done(struct berth_store_flush *flush, const struct berth_error *failure)
{
    struct waiting *waiting = BERTH_CONTAINER_OF(flush, struct waiting, flush);

    waiting->failed = failure != NULL;
    uv_sem_post(waiting->told);
}

static void flush__durability_commit__is_not_supported(void **state)
{
    struct fixture *fixture = *state;
    uv_sem_t told;
    struct waiting waiting = {.flush = {.done = on_done}, .told = &told};

    assert_int_equal(uv_sem_init(&told, 0), 0);
    assert_code(berth_store_flush(fixture->store, &waiting.flush, &err), BERTH_NOT_SUPPORTED);
    assert_int_not_equal(uv_sem_trywait(&told), 0);
    uv_sem_destroy(&told);
}

static void flush__many_at_once__share_syncs(void **state)
{
    enum { MANY = 500 };
    struct fixture *fixture = *state;
    static struct waiting waiting[MANY];
    uv_sem_t told;

    berth_store_close(fixture->store);
    assert_ok(case_open(&fixture->store, fixture->folder, BERTH_DURABILITY_SYNC, &err), &err);
    assert_int_equal(uv_sem_init(&told, 0), 0);
    for (unsigned i = 0; i < MANY; i++) {
        waiting[i] = (struct waiting){.flush = {.done = on_done}, .told = &told, .failed = true};
        assert_ok(case_put(fixture->store, i % CASE_SLOTS, i / CASE_SLOTS + 1, &err), &err);
        assert_ok(berth_store_flush(fixture->store, &waiting[i].flush, &err), &err);
    }
    for (unsigned i = 0; i < MANY; i++) {
        uv_sem_wait(&told);
    }
    for (unsigned i = 0; i < MANY; i++) {
        assert_false(waiting[i].failed);
    }
    uv_mutex_lock(&fixture->store->worker.lock);
    uint64_t syncs = fixture->store->worker.syncs;
    uv_mutex_unlock(&fixture->store->worker.lock);
    assert_in_range(syncs, 1, MANY);
    uv_sem_destroy(&told);
}

static void close__flushes_under_way__are_answered(void **state)
{
    struct fixture *fixture = *state;
    struct waiting waiting[20];
    struct case_list expected = {{0}};
    uv_sem_t told;

    berth_store_close(fixture->store);
    assert_ok(case_open(&fixture->store, fixture->folder, BERTH_DURABILITY_SYNC, &err), &err);
    assert_int_equal(uv_sem_init(&told, 0), 0);
    for (unsigned i = 0; i < BERTH_COUNT(waiting); i++) {
        waiting[i] = (struct waiting){.flush = {.done = on_done}, .told = &told, .failed = true};
        assert_ok(case_put(fixture->store, i, 1, &err), &err);
        assert_ok(berth_store_flush(fixture->store, &waiting[i].flush, &err), &err);
        expected.version[i] = 1;
    }
    berth_store_close(fixture->store);
    for (unsigned i = 0; i < BERTH_COUNT(waiting); i++) {
        assert_int_equal(uv_sem_trywait(&told), 0);
        assert_false(waiting[i].failed);
    }
    uv_sem_destroy(&told);
    assert_ok(case_open(&fixture->store, fixture->folder, BERTH_DURABILITY_SYNC, &err), &err);
    assert_list(fixture, &expected);
}

#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(put__every_field__comes_back),
        STORE_TEST(put__extremes__come_back),
        STORE_TEST(put__texts_of_all_kinds__come_back),
        STORE_TEST(put__largest_texts__come_back),
        STORE_TEST(put__strings_left_out__come_back_empty),
        STORE_TEST(put__same_id__replaces),
        STORE_TEST(put__not_storable__changes_nothing),
        STORE_TEST(remove__there_or_not__is_gone),
        STORE_TEST(load__several__oldest_grant_first),
        STORE_TEST(load__receiver_refuses__ends_with_its_error),
        STORE_TEST(apply__new_one_and_old_ones__at_once),
        STORE_TEST(apply__one_of_them_bad__none_is_made),
        STORE_TEST(apply__same_record_twice_in_a_change__last_counts),
        STORE_TEST(history__by_port_and_key__newest_first),
        STORE_TEST(history__receiver_has_enough__ends),
        STORE_TEST(history__several_of_one_change__all_there),
        STORE_TEST(history__older_than_kept__is_pruned),
        STORE_TEST(history__not_wanted__is_not_kept),
        STORE_TEST(history__text_too_long__changes_nothing),
        STORE_TEST(apply__many_without_upkeep__log_stays_bounded),
        STORE_TEST(tend__log_has_grown__is_moved_into_the_database),
        STORE_TEST(open__new_folder__nobody_else_may_look),
        STORE_TEST(open__no_folder__is_refused),
        STORE_TEST(open__version_1__is_brought_up_to_date),
        STORE_TEST(flush__durability_commit__is_not_supported),
        STORE_TEST(flush__many_at_once__share_syncs),
        STORE_TEST(close__flushes_under_way__are_answered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
