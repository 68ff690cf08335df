/* SPDX-License-Identifier: MIT */
/* Random claims against a plain recomputation of all their conflicts (conflict_model.h): of single
 * ports, and of a ledger that changes, through the watch and the book. BERTH_TEST_CASES sets how
 * many ports (20,000), BERTH_TEST_OPERATIONS how many changes (20,000), BERTH_TEST_SEED repeats a
 * run. */
#include "cmocka_all.h"

#include "allocator/conflict_watch.h"
#include "conflict_claims.h"
#include "conflict_model.h"
#include "models/ledger_text.h"

#define CASE_CLAIMS_MAX 24
#define FOUND_MAX 256

static struct test_random dice;
static struct conflict_model model;
static struct berth_error err;
static struct ledger_text words;

/* ---- comparing ---- */

static bool same_claim(const struct berth_claim *a, const struct berth_claim *b)
{
    return a == b || (a != NULL && b != NULL && a->feed == b->feed &&
                      berth_claim_compare(a, b) == 0 && berth_claim_same_content(a, b));
}

static bool same_conflict(const struct berth_conflict *real, const struct model_conflict *expected)
{
    return real->kind == expected->kind && real->severity == expected->severity &&
           real->claim_count == (expected->claims[1] != NULL ? 2U : 1U) &&
           same_claim(real->claims[0], expected->claims[0]) &&
           same_claim(real->claims[1], expected->claims[1]);
}

static void say(const struct berth_conflict_input *in)
{
    ledger_text_clear(&words);
    ledger_text_add(&words, "http.sys %d, listen list %zu, lease %s of %s, lately %d\n",
                    in->facts->http_sys, in->facts->listen_count,
                    in->lease != NULL ? in->lease->id : "-",
                    in->lease != NULL && in->lease->holder != NULL ? in->lease->holder : "-",
                    in->listened_lately);
    for (size_t i = 0; i < in->claim_count; i++) {
        char address[BERTH_ADDRESS_TEXT_MAX];
        const struct berth_claim *claim = in->claims[i];
        ledger_text_claim(&words, claim);
        ledger_text_add(&words, " %s %s pid %d uid %d flags %x feed %u\n",
                        berth_protocol_name((enum berth_protocol)claim->protocol),
                        berth_address_format(address, sizeof address, &claim->address),
                        (int)claim->process_id, (int)claim->user_id, claim->flags, claim->feed);
    }
}

/* An id belongs to one identity, and an identity has one id: as far as a few thousand slots
 * remember, over all cases. */
static void assert_id_is_its_own(berth_conflict_id id, const char *identity)
{
    static struct {
        berth_conflict_id id;
        char identity[sizeof model.found[0].identity];
    } by_id[4096], by_identity[4096];
    uint64_t hash = 5381;

    for (const char *c = identity; *c != '\0'; c++) {
        hash = hash * 33 + (unsigned char)*c;
    }
    size_t slot = (size_t)(id % 4096);
    if (by_id[slot].id == id && by_id[slot].identity[0] != '\0') {
        assert_string_equal(by_id[slot].identity, identity);
    }
    by_id[slot].id = id;
    memcpy(by_id[slot].identity, identity, strlen(identity) + 1);
    slot = (size_t)(hash % 4096);
    if (strcmp(by_identity[slot].identity, identity) == 0) {
        assert_true(by_identity[slot].id == id);
    }
    by_identity[slot].id = id;
    memcpy(by_identity[slot].identity, identity, strlen(identity) + 1);
}

static const struct berth_conflict *find_real(const struct berth_conflict *found, size_t count,
                                              const struct model_conflict *expected)
{
    for (size_t i = 0; i < count; i++) {
        if (same_conflict(&found[i], expected)) {
            return &found[i];
        }
    }
    return NULL;
}

static void assert_as_by_model(const struct berth_conflict_input *in,
                               const struct berth_conflict *found, size_t count)
{
    model_find(&model, in);
    assert_true(model.count < MODEL_FOUND_MAX);
    if (count != model.count) {
        say(in);
        fail_msg("%zu conflicts, by the model %zu; of\n%s", count, model.count, words.text);
    }
    for (size_t i = 1; i < count; i++) {
        assert_true(berth_conflict_compare(&found[i - 1], &found[i]) < 0);
    }
    for (size_t i = 0; i < count; i++) {
        const struct berth_conflict *real = find_real(found, count, &model.found[i]);
        if (real == NULL) {
            say(in);
            fail_msg("missing: %s (%s); of\n%s", model.found[i].identity,
                     berth_conflict_severity_name(model.found[i].severity), words.text);
            return;
        }
        assert_id_is_its_own(real->id, model.found[i].identity);
    }
    model.in = NULL; /* the caller's, and gone soon */
}

/* ---- one port ---- */

struct port_case {
    struct berth_claim claims[CASE_CLAIMS_MAX];
    const struct berth_claim *pointers[CASE_CLAIMS_MAX];
    struct berth_address listen_list[3];
    struct berth_conflict_facts facts;
    struct berth_conflict_lease lease;
    struct berth_conflict_input in;
};

/* A ledger has no two claims of a feed that are the same. */
static bool is_there(const struct port_case *one, const struct berth_claim *claim)
{
    for (size_t i = 0; i < one->in.claim_count; i++) {
        if (one->claims[i].feed == claim->feed &&
            berth_claim_compare(&one->claims[i], claim) == 0) {
            return true;
        }
    }
    return false;
}

static void shuffle(struct port_case *one)
{
    for (size_t i = one->in.claim_count; i > 1; i--) {
        size_t other = test_random_in(&dice, 0, (unsigned)i - 1);
        const struct berth_claim *claim = one->pointers[i - 1];
        one->pointers[i - 1] = one->pointers[other];
        one->pointers[other] = claim;
    }
}

static void make_facts(struct berth_conflict_facts *facts, struct berth_address *listen_list)
{
    facts->http_sys = test_random_chance(&dice, 70);
    facts->listen_list = listen_list;
    facts->listen_count = test_random_chance(&dice, 50) ? test_random_in(&dice, 1, 3) : 0;
    for (size_t i = 0; i < facts->listen_count; i++) {
        listen_list[i] = random_addresses[test_random_in(&dice, 1, 8)];
    }
}

static void make_case(struct port_case *one)
{
    unsigned wanted = test_random_in(&dice, 1, test_random_chance(&dice, 80) ? 6 : CASE_CLAIMS_MAX);

    memset(one, 0, sizeof *one);
    make_facts(&one->facts, one->listen_list);
    one->lease.id = test_random_chance(&dice, 50) ? "0123456789abcdef" : "0000000000000001";
    one->lease.holder = RANDOM_OF(&dice, random_holders);
    one->lease.protocol = (enum berth_protocol)test_random_in(&dice, 0, BERTH_PROTOCOL_COUNT - 1);
    one->in = (struct berth_conflict_input){
        .port = (uint16_t)test_random_in(&dice, 8080, 8081),
        .claims = one->pointers,
        .facts = &one->facts,
        .lease = test_random_chance(&dice, 80) ? &one->lease : NULL,
        .listened_lately = test_random_chance(&dice, 40),
    };
    for (unsigned i = 0; i < wanted; i++) {
        struct berth_claim *claim = &one->claims[one->in.claim_count];
        *claim = random_claim(&dice, one->in.port);
        claim->flags |= test_random_chance(&dice, 10) ? BERTH_CLAIM_LINGERING : 0;
        if (!is_there(one, claim)) {
            one->pointers[one->in.claim_count++] = claim;
        }
    }
    shuffle(one);
}

static void find__random_claims__gives_what_the_model_gives(void **state)
{
    static struct port_case one;
    static struct berth_conflict found[FOUND_MAX];
    uint64_t cases = test_count_from("BERTH_TEST_CASES", 20000);
    uint64_t by_kind[BERTH_CONFLICT_KIND_COUNT][2] = {{0}};
    size_t count = 0;

    (void)state;
    dice = test_random_start("conflict_rules");
    for (uint64_t i = 0; i < cases; i++) {
        make_case(&one);
        assert_ok(berth_conflicts_find(&one.in, found, FOUND_MAX, &count, &err), &err);
        assert_true(count <= 4 * one.in.claim_count);
        assert_as_by_model(&one.in, found, count);
        for (size_t k = 0; k < count; k++) {
            by_kind[found[k].kind][found[k].severity]++;
        }
    }
    for (unsigned kind = 0; kind < BERTH_CONFLICT_KIND_COUNT; kind++) {
        (void)printf("%s: %" PRIu64 " errors, %" PRIu64 " warnings\n",
                     berth_conflict_kind_name((enum berth_conflict_kind)kind), by_kind[kind][0],
                     by_kind[kind][1]);
        assert_true(cases < 1000 || by_kind[kind][BERTH_CONFLICT_WARNING] > 0);
        assert_true(cases < 1000 || kind == BERTH_CONFLICT_RESERVED_USED ||
                    by_kind[kind][BERTH_CONFLICT_ERROR] > 0);
    }
}

/* ---- a ledger that changes ---- */

#define PORT_FIRST 8000
#define PORT_LAST 8007
#define FEEDS 4
#define LINGER_MS 5000

static const enum berth_source feed_sources[FEEDS] = {BERTH_SOURCE_LEASE, BERTH_SOURCE_IIS,
                                                      BERTH_SOURCE_TCP, BERTH_SOURCE_RESERVED};

static struct changing {
    struct berth_ledger *ledger;
    struct berth_conflict_book book;
    struct berth_conflict_watch *watch;
    unsigned feeds[FEEDS];
    struct berth_conflict_lease leases[PORT_LAST - PORT_FIRST + 1];
    bool has_lease[PORT_LAST - PORT_FIRST + 1];
    uint64_t listened_ms[PORT_LAST - PORT_FIRST + 1]; /* last; by the test's own count */
    struct berth_address listen_list[3];
    struct berth_conflict_facts facts;
    uint64_t started_ms;
    uint64_t now_ms;
    size_t told_open; /* openings told less ends told */
    uint64_t openings;
} all;

static void on_change(void *ctx, const struct berth_change *change)
{
    (void)ctx;
    if (change->before != NULL && change->before->kind == BERTH_CLAIM_LISTENER &&
        (change->before->flags & BERTH_CLAIM_LINGERING) == 0 &&
        (change->after == NULL || (change->after->flags & BERTH_CLAIM_LINGERING) != 0)) {
        all.listened_ms[change->before->port - PORT_FIRST] = all.now_ms;
    }
    berth_conflict_watch_note(all.watch, change, all.now_ms);
}

static void on_opened(void *ctx, const struct berth_conflict_entry *entry)
{
    (void)ctx;
    assert_true(entry->open);
    all.told_open++;
    all.openings++;
}

static void on_closed(void *ctx, const struct berth_conflict_entry *entry, int64_t unix_ms)
{
    (void)ctx;
    (void)unix_ms;
    assert_true(entry->text[0] != '\0');
    assert_true(all.told_open > 0);
    all.told_open--;
}

static bool give_lease(void *ctx, uint16_t port, struct berth_conflict_lease *out)
{
    (void)ctx;
    if (port < PORT_FIRST || port > PORT_LAST || !all.has_lease[port - PORT_FIRST]) {
        return false;
    }
    *out = all.leases[port - PORT_FIRST];
    return true;
}

static void make_all(uint64_t debounce_ms)
{
    const struct berth_ledger_observer observer = {on_change, NULL};
    const struct berth_conflict_observer told = {on_opened, on_closed, NULL};

    memset(&all, 0, sizeof all);
    all.started_ms = all.now_ms = 1000;
    assert_ok(berth_ledger_create(&all.ledger, &observer, 42, &err), &err);
    berth_conflict_book_init(&all.book, debounce_ms, &told);
    const struct berth_conflict_watch_options options = {all.ledger, &all.book, give_lease, NULL};
    assert_ok(berth_conflict_watch_create(&all.watch, &options, all.now_ms, &err), &err);
    for (unsigned i = 0; i < FEEDS; i++) {
        const struct berth_feed_options feed = {
            feed_sources[i], "feed", feed_sources[i] == BERTH_SOURCE_IIS ? LINGER_MS : 0};
        assert_ok(berth_ledger_add_feed(all.ledger, &feed, &all.feeds[i], &err), &err);
        berth_ledger_set_ready(all.ledger, all.feeds[i], true, all.now_ms);
    }
}

static void destroy_all(void)
{
    berth_conflict_watch_destroy(all.watch);
    berth_conflict_book_fini(&all.book);
    berth_ledger_destroy(all.ledger);
}

static unsigned feed_of(const struct berth_claim *claim)
{
    enum berth_source source = berth_claim_source((enum berth_claim_kind)claim->kind);

    for (unsigned i = 0; i < FEEDS; i++) {
        if (feed_sources[i] == source) {
            return all.feeds[i];
        }
    }
    return all.feeds[FEEDS - 1]; /* exclusions and URLs: the ledger does not mind */
}

static uint16_t random_port(void)
{
    return (uint16_t)test_random_in(&dice, PORT_FIRST, PORT_LAST);
}

/* Replaces one feed's claims by some that are its own. */
static void change_snapshot(void)
{
    struct berth_claim claims[40];
    unsigned feed = all.feeds[test_random_in(&dice, 0, FEEDS - 1)];
    size_t count = 0;

    for (unsigned i = 0; i < 40; i++) {
        struct berth_claim claim = random_claim(&dice, random_port());
        if (feed_of(&claim) == feed) {
            claims[count++] = claim;
        }
    }
    assert_ok(berth_ledger_apply(all.ledger, feed, claims, count, all.now_ms, &err), &err);
}

static void change_claim(void)
{
    struct berth_claim claim = random_claim(&dice, random_port());

    if (test_random_chance(&dice, 60)) {
        assert_ok(berth_ledger_put(all.ledger, feed_of(&claim), &claim, &err), &err);
        return;
    }
    struct berth_claims_at walk = berth_ledger_at(all.ledger, claim.port);
    const struct berth_claim *there = berth_claims_next(&walk);
    for (unsigned skip = test_random_in(&dice, 0, 5); skip > 0 && there != NULL; skip--) {
        there = berth_claims_next(&walk);
    }
    if (there != NULL) {
        claim = *there;
        (void)berth_ledger_take(all.ledger, there->feed, &claim);
    }
}

static void change_lease(void)
{
    uint16_t port = random_port();

    all.has_lease[port - PORT_FIRST] = test_random_chance(&dice, 70);
    all.leases[port - PORT_FIRST] = (struct berth_conflict_lease){
        test_random_chance(&dice, 50) ? "0123456789abcdef" : "0000000000000001",
        RANDOM_OF(&dice, random_holders),
        (enum berth_protocol)test_random_in(&dice, 0, BERTH_PROTOCOL_COUNT - 1),
    };
    berth_conflict_watch_mark(all.watch, port);
}

static void change_something(void)
{
    unsigned what = test_random_in(&dice, 1, 100);

    if (what <= 55) {
        change_claim();
    } else if (what <= 65) {
        change_snapshot();
    } else if (what <= 75) {
        change_lease();
    } else if (what <= 77) {
        make_facts(&all.facts, all.listen_list);
        assert_ok(berth_conflict_watch_set_facts(all.watch, &all.facts, &err), &err);
    } else if (what <= 80) {
        all.now_ms += test_random_in(&dice, 0, 400000);
    } else {
        all.now_ms += test_random_in(&dice, 0, 3000);
    }
    (void)berth_ledger_expire(all.ledger, all.now_ms);
}

/* Works until nothing is due. */
static void work_off(void)
{
    while (berth_conflict_watch_due_ms(all.watch, all.now_ms) <= all.now_ms) {
        assert_ok(berth_conflict_watch_work(all.watch, test_random_in(&dice, 1, 20000), all.now_ms,
                                            0, &err),
                  &err);
    }
}

static bool listened_lately(uint16_t port)
{
    uint64_t last_ms = all.listened_ms[port - PORT_FIRST];

    /* the watch counts in seconds from its start, upwards */
    uint64_t rounded_ms =
        last_ms == 0 ? 0 : (last_ms - all.started_ms) / 1000 * 1000 + 1000 + all.started_ms;
    return all.now_ms < all.started_ms + BERTH_LISTENED_LATELY_MS ||
           (last_ms != 0 && all.now_ms < rounded_ms + BERTH_LISTENED_LATELY_MS);
}

static void assert_port_as_by_model(uint16_t port)
{
    const struct berth_claim *claims[256];
    static struct berth_conflict found[FOUND_MAX];
    struct berth_conflict_input in = {.port = port, .claims = claims, .facts = &all.facts};
    struct berth_claims_at walk = berth_ledger_at(all.ledger, port);
    struct berth_conflict_walk open = berth_conflict_book_at(&all.book, port);
    const struct berth_conflict_entry *entry;
    size_t count = 0;

    while (in.claim_count < BERTH_COUNT(claims) &&
           (claims[in.claim_count] = berth_claims_next(&walk)) != NULL) {
        in.claim_count++;
    }
    assert_true(in.claim_count < BERTH_COUNT(claims));
    in.lease = all.has_lease[port - PORT_FIRST] ? &all.leases[port - PORT_FIRST] : NULL;
    in.listened_lately = listened_lately(port);
    while (count < FOUND_MAX && (entry = berth_conflict_next(&open)) != NULL) {
        found[count++] = entry->conflict;
    }
    assert_as_by_model(&in, found, count);
}

static void watch__random_changes__keeps_the_book_as_the_model_says(void **state)
{
    uint64_t operations = test_count_from("BERTH_TEST_OPERATIONS", 20000);

    (void)state;
    dice = test_random_start("conflict_watch");
    make_all(0);
    for (uint64_t i = 0; i < operations; i++) {
        change_something();
        if (test_random_chance(&dice, 70)) {
            work_off();
            for (uint16_t port = PORT_FIRST; port <= PORT_LAST; port++) {
                assert_port_as_by_model(port);
            }
            assert_int_equal(all.told_open, all.book.open_count);
            assert_int_equal(all.book.count, all.book.open_count);
        }
    }
    (void)printf("%" PRIu64 " openings\n", all.openings);
    assert_true(all.openings > 0);
    destroy_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(find__random_claims__gives_what_the_model_gives),
        cmocka_unit_test(watch__random_changes__keeps_the_book_as_the_model_says),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
