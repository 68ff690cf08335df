/* SPDX-License-Identifier: MIT */
/* Tests of allocator/ledger: snapshots in, ordered changes out; lingering; refused snapshots;
 * single claims; order of walks; allocations that fail. */
#include "cmocka_all.h"

#include "allocator/ledger.h"
#include "base/memory.h"
#include "memory_faults.h"
#include "models/ledger_text.h"

#include <stdlib.h>

#define LINGER_MS 600

struct fixture {
    struct berth_ledger *ledger;
    struct ledger_text log;
    unsigned iis; /* a feed that lingers */
    unsigned tcp; /* one that does not */
};

static struct fixture fixture;
static struct berth_error err;

static enum berth_code add_feed(enum berth_source source, const char *name, uint64_t linger_ms,
                                unsigned *out)
{
    const struct berth_feed_options options = {source, name, linger_ms};

    return berth_ledger_add_feed(fixture.ledger, &options, out, &err);
}

static enum berth_code make_ledger(void)
{
    const struct berth_ledger_observer observer = {ledger_text_change, &fixture.log};
    enum berth_code code;

    memset(&fixture, 0, sizeof fixture);
    code = berth_ledger_create(&fixture.ledger, &observer, 1234, &err);
    if (code == BERTH_OK) {
        code = add_feed(BERTH_SOURCE_TCP, "listeners", 0, &fixture.tcp);
    }
    return code == BERTH_OK ? add_feed(BERTH_SOURCE_IIS, "sites", LINGER_MS, &fixture.iis) : code;
}

static int set_up(void **state)
{
    (void)state;
    return make_ledger() == BERTH_OK ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    berth_ledger_destroy(fixture.ledger);
    return 0;
}

static struct berth_claim binding(uint16_t port, const char *site)
{
    struct berth_claim claim = berth_claim_make(port, BERTH_CLAIM_BINDING);

    claim.protocol = BERTH_PROTOCOL_HTTP;
    claim.holder = site;
    return claim;
}

static struct berth_claim listener(uint16_t port, const char *image)
{
    struct berth_claim claim = berth_claim_make(port, BERTH_CLAIM_LISTENER);

    claim.protocol = BERTH_PROTOCOL_TCP;
    claim.holder = image;
    return claim;
}

static void apply(unsigned feed, const struct berth_claim *claims, size_t count, uint64_t now_ms)
{
    assert_ok(berth_ledger_apply(fixture.ledger, feed, claims, count, now_ms, &err), &err);
}

/* Compares the changes told since the last time, and forgets them. */
static void assert_told(const char *expected)
{
    assert_string_equal(fixture.log.text, expected);
    ledger_text_clear(&fixture.log);
}

static void assert_at(uint16_t port, const char *expected)
{
    static struct ledger_text text;

    ledger_text_clear(&text);
    ledger_text_ports(&text, fixture.ledger, &port, 1);
    assert_string_equal(text.text, expected);
}

/* ---- snapshots ---- */

static void apply__claims_in_any_order__are_told_by_port(void **state)
{
    const struct berth_claim claims[] = {binding(65535, "Z"), binding(80, "B"), binding(1, "A"),
                                         binding(80, "A"), binding(443, "C")};

    (void)state;
    apply(fixture.iis, claims, BERTH_COUNT(claims), 10);
    assert_told("+1 binding A\n+80 binding A\n+80 binding B\n+443 binding C\n+65535 binding Z\n");
    assert_int_equal(berth_ledger_feed_count(fixture.ledger, fixture.iis), 5);
    assert_at(80, "80 binding A #1\n80 binding B #1\n");
    assert_at(2, "");
}

static void apply__the_same_again__tells_nothing(void **state)
{
    const struct berth_claim claims[] = {binding(80, "B"), binding(80, "A"), binding(443, "C")};
    const struct berth_claim turned[] = {binding(443, "C"), binding(80, "A"), binding(80, "B")};

    (void)state;
    apply(fixture.iis, claims, 3, 10);
    ledger_text_clear(&fixture.log);
    apply(fixture.iis, claims, 3, 20);
    apply(fixture.iis, turned, 3, 30);
    assert_told("");
    assert_int_equal(berth_ledger_feed_count(fixture.ledger, fixture.iis), 3);
}

static void apply__equal_claims__become_one_with_their_counts_added(void **state)
{
    struct berth_claim claims[] = {binding(80, "A"), binding(81, "B"), binding(80, "A"),
                                   binding(80, "A")};

    (void)state;
    claims[2].count = 5;
    apply(fixture.iis, claims, 4, 10);
    assert_told("+80 binding A x7\n+81 binding B\n");
    apply(fixture.iis, claims, 4, 20);
    assert_told("");
    apply(fixture.iis, claims, 2, 30);
    assert_told("~80 binding A\n");
    assert_int_equal(berth_ledger_feed_count(fixture.ledger, fixture.iis), 2);
}

static void apply__other_content__is_told_as_changed(void **state)
{
    struct berth_claim claim = binding(80, "A");

    (void)state;
    claim.detail = "http *:80:";
    apply(fixture.iis, &claim, 1, 10);
    assert_told("+80 binding A [http *:80:]\n");
    claim.flags = BERTH_CLAIM_STOPPED;
    apply(fixture.iis, &claim, 1, 20);
    assert_told("~80 binding A [http *:80:] stopped\n");
    claim.detail = NULL;
    apply(fixture.iis, &claim, 1, 30);
    assert_told("~80 binding A stopped\n");
    assert_at(80, "80 binding A stopped #1\n");
}

static void apply__one_added_one_gone__only_those_are_told(void **state)
{
    const struct berth_claim before[] = {listener(80, "a"), listener(81, "b"), listener(82, "c")};
    const struct berth_claim after[] = {listener(80, "a"), listener(82, "c"), listener(82, "d"),
                                        listener(1, "e")};

    (void)state;
    apply(fixture.tcp, before, 3, 10);
    ledger_text_clear(&fixture.log);
    apply(fixture.tcp, after, 4, 20);
    assert_told("+1 listener e\n-81 listener b\n+82 listener d\n");
    apply(fixture.tcp, NULL, 0, 30);
    assert_told("-1 listener e\n-80 listener a\n-82 listener c\n-82 listener d\n");
    assert_int_equal(berth_ledger_feed_count(fixture.ledger, fixture.tcp), 0);
    apply(fixture.tcp, NULL, 0, 40);
    assert_told("");
}

static void apply__shelf_borders__keep_their_claims_apart(void **state)
{
    const struct berth_claim claims[] = {listener(255, "a"),   listener(256, "b"),
                                         listener(511, "c"),   listener(512, "d"),
                                         listener(65279, "e"), listener(65280, "f")};

    (void)state;
    apply(fixture.tcp, claims, 6, 10);
    ledger_text_clear(&fixture.log);
    assert_at(255, "255 listener a #0\n");
    assert_at(256, "256 listener b #0\n");
    assert_at(65280, "65280 listener f #0\n");
    apply(fixture.tcp, claims + 1, 4, 20);
    assert_told("-255 listener a\n-65280 listener f\n");
}

static void apply__strings_of_the_caller__are_copied(void **state)
{
    char site[] = "Shop";
    char host[] = "shop.example";
    char detail[] = "*:80:shop.example";
    struct berth_claim claim = binding(80, site);

    (void)state;
    claim.host = host;
    claim.detail = detail;
    claim.feed = 30;
    apply(fixture.iis, &claim, 1, 10);
    memset(site, 'x', 4);
    memset(host, 'x', 4);
    memset(detail, 'x', 4);
    assert_at(80, "80 binding Shop/shop.example [*:80:shop.example] #1\n");
}

static void apply__lingering_flag_of_the_caller__is_not_taken(void **state)
{
    struct berth_claim claim = binding(80, "A");

    (void)state;
    claim.flags = BERTH_CLAIM_LINGERING | BERTH_CLAIM_STOPPED;
    apply(fixture.iis, &claim, 1, 10);
    assert_told("+80 binding A stopped\n");
    assert_ok(berth_ledger_put(fixture.ledger, fixture.iis, &claim, &err), &err);
    assert_told("");
}

static void apply__port_0_or_too_many__changes_nothing(void **state)
{
    const struct berth_claim good[] = {binding(80, "A"), binding(443, "B")};
    struct berth_claim bad[] = {binding(81, "C"), binding(0, "D"), binding(82, "E")};
    static struct berth_claim one;

    (void)state;
    apply(fixture.iis, good, 2, 10);
    ledger_text_clear(&fixture.log);
    assert_code(berth_ledger_apply(fixture.ledger, fixture.iis, bad, 3, 20, &err),
                BERTH_INVALID_PARAMS);
    /* refused by its count before any claim is looked at */
    assert_code(berth_ledger_apply(fixture.ledger, fixture.iis, &one, BERTH_LEDGER_CLAIMS_MAX + 1,
                                   20, &err),
                BERTH_TOO_LARGE);
    assert_told("");
    assert_at(80, "80 binding A #1\n");
    assert_at(81, "");
    assert_int_equal(berth_ledger_feed_count(fixture.ledger, fixture.iis), 2);
}

/* Each change must find the ledger in the state that it tells of. */
static void check_seen(void *ctx, const struct berth_change *change)
{
    const struct berth_claim *told = change->after != NULL ? change->after : change->before;
    struct berth_claims_at walk = berth_ledger_at(fixture.ledger, told->port);
    const struct berth_claim *claim;
    bool there = false;

    while ((claim = berth_claims_next(&walk)) != NULL) {
        there = there || berth_claim_compare(claim, told) == 0;
    }
    assert_int_equal(there, change->type != BERTH_CHANGE_VANISHED);
    assert_int_equal(change->before == NULL, change->type == BERTH_CHANGE_APPEARED);
    assert_int_equal(change->after == NULL, change->type == BERTH_CHANGE_VANISHED);
    (*(int *)ctx)++;
}

static void observer__reads_the_ledger__finds_the_state_after(void **state)
{
    int seen = 0;
    const struct berth_ledger_observer observer = {check_seen, &seen};
    const struct berth_claim claims[] = {binding(80, "A"), binding(80, "B"), binding(900, "C")};
    unsigned feed;

    (void)state;
    berth_ledger_destroy(fixture.ledger);
    assert_ok(berth_ledger_create(&fixture.ledger, &observer, 1, &err), &err);
    assert_ok(add_feed(BERTH_SOURCE_IIS, "sites", LINGER_MS, &feed), &err);
    apply(feed, claims, 3, 10);
    apply(feed, claims + 1, 1, 20);
    assert_ok(berth_ledger_put(fixture.ledger, feed, &claims[2], &err), &err);
    assert_true(berth_ledger_take(fixture.ledger, feed, &claims[2]));
    berth_ledger_set_ready(fixture.ledger, feed, true, 30);
    (void)berth_ledger_expire(fixture.ledger, 10000);
    berth_ledger_remove_feed(fixture.ledger, feed);
    assert_int_equal(seen, 3 + 2 + 1 + 1 + 1 + 1);
}

static void observer__none__is_accepted(void **state)
{
    const struct berth_ledger_observer nobody = {NULL, NULL};
    struct berth_claim claim = binding(80, "A");
    unsigned feed;

    (void)state;
    berth_ledger_destroy(fixture.ledger);
    assert_ok(berth_ledger_create(&fixture.ledger, &nobody, 1, &err), &err);
    assert_ok(add_feed(BERTH_SOURCE_IIS, "sites", 0, &feed), &err);
    apply(feed, &claim, 1, 1);
    assert_int_equal(berth_ledger_feed_count(fixture.ledger, feed), 1);
    berth_ledger_destroy(NULL);
}

/* ---- lingering ---- */

static void linger__vanished_claim__stays_until_its_time_is_over(void **state)
{
    const struct berth_claim claims[] = {binding(80, "A"), binding(81, "B")};

    (void)state;
    berth_ledger_set_ready(fixture.ledger, fixture.iis, true, 1000);
    apply(fixture.iis, claims, 2, 1000);
    ledger_text_clear(&fixture.log);
    apply(fixture.iis, claims + 1, 1, 1100);
    assert_told("?80 binding A lingers@700\n"); /* on the feed's clock, which began at 1000 */
    assert_int_equal(berth_ledger_feed_count(fixture.ledger, fixture.iis), 2);
    apply(fixture.iis, claims + 1, 1, 1200);
    assert_told("");
    assert_int_equal(berth_ledger_expire(fixture.ledger, 1699), 1700);
    assert_told("");
    assert_int_equal(berth_ledger_expire(fixture.ledger, 1700), BERTH_NEVER);
    assert_told("-80 binding A lingers@700\n");
    assert_at(80, "");
    assert_int_equal(berth_ledger_feed_count(fixture.ledger, fixture.iis), 1);
}

static void linger__claim_returns__is_told_as_changed_and_stays(void **state)
{
    const struct berth_claim claim = binding(80, "A");

    (void)state;
    berth_ledger_set_ready(fixture.ledger, fixture.iis, true, 1);
    apply(fixture.iis, &claim, 1, 1);
    apply(fixture.iis, NULL, 0, 101);
    ledger_text_clear(&fixture.log);
    apply(fixture.iis, &claim, 1, 201);
    assert_told("~80 binding A\n");
    assert_true(berth_ledger_expire(fixture.ledger, 100000) == BERTH_NEVER);
    assert_told("");
    assert_at(80, "80 binding A #1\n");
    /* when it vanishes again, its time starts anew */
    apply(fixture.iis, NULL, 0, 100001);
    assert_told("?80 binding A lingers@100600\n");
}

static void linger__feed_not_ready__its_time_stands_still(void **state)
{
    const struct berth_claim claim = binding(80, "A");

    (void)state;
    berth_ledger_set_ready(fixture.ledger, fixture.iis, true, 1000);
    apply(fixture.iis, &claim, 1, 1000);
    apply(fixture.iis, NULL, 0, 1000);
    ledger_text_clear(&fixture.log);
    berth_ledger_set_ready(fixture.ledger, fixture.iis, false, 1500);
    berth_ledger_set_ready(fixture.ledger, fixture.iis, false, 1700);
    assert_true(berth_ledger_expire(fixture.ledger, 900000) == BERTH_NEVER);
    assert_told("");
    berth_ledger_set_ready(fixture.ledger, fixture.iis, true, 1000000);
    berth_ledger_set_ready(fixture.ledger, fixture.iis, true, 1000050);
    assert_int_equal(berth_ledger_expire(fixture.ledger, 1000099), 1000100);
    assert_told("");
    (void)berth_ledger_expire(fixture.ledger, 1000100);
    assert_told("-80 binding A lingers@600\n");
}

static void linger__vanished_while_not_ready__waits_for_the_feed(void **state)
{
    const struct berth_claim claim = binding(80, "A");

    (void)state;
    apply(fixture.iis, &claim, 1, 1000);
    apply(fixture.iis, NULL, 0, 5000);
    assert_told("+80 binding A\n?80 binding A lingers@600\n");
    assert_true(berth_ledger_expire(fixture.ledger, 900000) == BERTH_NEVER);
    berth_ledger_set_ready(fixture.ledger, fixture.iis, true, 900000);
    assert_int_equal(berth_ledger_expire(fixture.ledger, 900000), 900600);
}

static void linger__port_gets_another_claim__both_are_there(void **state)
{
    const struct berth_claim a = binding(80, "A");
    const struct berth_claim b = binding(80, "B");

    (void)state;
    berth_ledger_set_ready(fixture.ledger, fixture.iis, true, 0);
    apply(fixture.iis, &a, 1, 0);
    apply(fixture.iis, &b, 1, 100);
    assert_told("+80 binding A\n?80 binding A lingers@700\n+80 binding B\n");
    assert_at(80, "80 binding A lingers@700 #1\n80 binding B #1\n");
    apply(fixture.iis, &a, 1, 200);
    assert_told("~80 binding A\n?80 binding B lingers@800\n");
    (void)berth_ledger_expire(fixture.ledger, 750);
    assert_told("");
    (void)berth_ledger_expire(fixture.ledger, 800);
    assert_told("-80 binding B lingers@800\n");
    assert_at(80, "80 binding A #1\n");
}

static void linger__several_ends__each_at_its_own_time(void **state)
{
    struct berth_claim claims[] = {binding(80, "A"), binding(300, "B"), binding(80, "C")};

    (void)state;
    berth_ledger_set_ready(fixture.ledger, fixture.iis, true, 0);
    apply(fixture.iis, claims, 3, 0);
    apply(fixture.iis, claims, 2, 100); /* C */
    apply(fixture.iis, claims, 1, 200); /* B */
    apply(fixture.iis, claims, 0, 300); /* A */
    ledger_text_clear(&fixture.log);
    assert_int_equal(berth_ledger_expire(fixture.ledger, 650), 700);
    assert_int_equal(berth_ledger_expire(fixture.ledger, 700), 800);
    assert_told("-80 binding C lingers@700\n");
    assert_true(berth_ledger_expire(fixture.ledger, 900) == BERTH_NEVER);
    assert_told("-80 binding A lingers@900\n-300 binding B lingers@800\n");
}

static void linger__time_changed__counts_for_what_vanishes_later(void **state)
{
    const struct berth_claim claims[] = {binding(80, "A"), binding(81, "B"), binding(82, "C")};

    (void)state;
    berth_ledger_set_ready(fixture.ledger, fixture.iis, true, 0);
    apply(fixture.iis, claims, 3, 0);
    apply(fixture.iis, claims + 1, 2, 0);
    berth_ledger_set_linger(fixture.ledger, fixture.iis, 50);
    apply(fixture.iis, claims + 2, 1, 10);
    berth_ledger_set_linger(fixture.ledger, fixture.iis, 0);
    ledger_text_clear(&fixture.log);
    apply(fixture.iis, NULL, 0, 20);
    assert_told("-82 binding C\n");
    assert_at(80, "80 binding A lingers@600 #1\n");
    assert_at(81, "81 binding B lingers@60 #1\n");
}

static void linger__refused_snapshot__ends_nothing(void **state)
{
    const struct berth_claim good = binding(80, "A");
    const struct berth_claim bad = binding(0, "A");

    (void)state;
    apply(fixture.iis, &good, 1, 0);
    apply(fixture.iis, NULL, 0, 10);
    ledger_text_clear(&fixture.log);
    assert_code(berth_ledger_apply(fixture.ledger, fixture.iis, &bad, 1, 20, &err),
                BERTH_INVALID_PARAMS);
    assert_told("");
    assert_at(80, "80 binding A lingers@600 #1\n");
}

/* ---- single claims and feeds ---- */

static void put_and_take__one_claim__is_told(void **state)
{
    struct berth_claim claim = listener(80, "a");
    struct berth_claim other = listener(80, "b");

    (void)state;
    assert_ok(berth_ledger_put(fixture.ledger, fixture.tcp, &other, &err), &err);
    assert_ok(berth_ledger_put(fixture.ledger, fixture.tcp, &claim, &err), &err);
    assert_told("+80 listener b\n+80 listener a\n");
    assert_at(80, "80 listener a #0\n80 listener b #0\n");
    assert_ok(berth_ledger_put(fixture.ledger, fixture.tcp, &claim, &err), &err);
    assert_told("");
    claim.count = 3;
    assert_ok(berth_ledger_put(fixture.ledger, fixture.tcp, &claim, &err), &err);
    assert_told("~80 listener a x3\n");
    claim.count = 1; /* what may change does not matter to take */
    assert_true(berth_ledger_take(fixture.ledger, fixture.tcp, &claim));
    assert_told("-80 listener a x3\n");
    assert_false(berth_ledger_take(fixture.ledger, fixture.tcp, &claim));
    assert_false(berth_ledger_take(fixture.ledger, fixture.iis, &other));
    assert_told("");
    assert_int_equal(berth_ledger_feed_count(fixture.ledger, fixture.tcp), 1);
}

static void put_and_take__lingering_claim__returns_or_goes_at_once(void **state)
{
    struct berth_claim claim = binding(80, "A");

    (void)state;
    apply(fixture.iis, &claim, 1, 0);
    apply(fixture.iis, NULL, 0, 0);
    ledger_text_clear(&fixture.log);
    assert_ok(berth_ledger_put(fixture.ledger, fixture.iis, &claim, &err), &err);
    assert_told("~80 binding A\n");
    apply(fixture.iis, NULL, 0, 0);
    ledger_text_clear(&fixture.log);
    assert_true(berth_ledger_take(fixture.ledger, fixture.iis, &claim));
    assert_told("-80 binding A lingers@600\n");
    apply(fixture.iis, &claim, 1, 0);
    ledger_text_clear(&fixture.log);
    /* a feed that lingers does not do so for take */
    assert_true(berth_ledger_take(fixture.ledger, fixture.iis, &claim));
    assert_told("-80 binding A\n");
}

static void put__many_on_one_shelf__stay_sorted(void **state)
{
    (void)state;
    for (uint16_t i = 0; i < 256; i++) {
        struct berth_claim claim = listener((uint16_t)(512 + (i * 37 & 255)), "x");
        assert_ok(berth_ledger_put(fixture.ledger, fixture.tcp, &claim, &err), &err);
    }
    for (uint16_t port = 512; port < 768; port++) {
        struct berth_claims_at walk = berth_ledger_at(fixture.ledger, port);
        const struct berth_claim *claim = berth_claims_next(&walk);
        assert_non_null(claim);
        assert_int_equal(claim->port, port);
        assert_null(berth_claims_next(&walk));
    }
}

static void remove_feed__with_claims__each_vanishes_and_the_number_is_free(void **state)
{
    const struct berth_claim claims[] = {binding(80, "A"), binding(443, "B")};
    const struct berth_claim socket = listener(80, "w3wp");
    unsigned again;

    (void)state;
    apply(fixture.iis, claims, 2, 0);
    apply(fixture.iis, claims, 1, 0);
    apply(fixture.tcp, &socket, 1, 0);
    ledger_text_clear(&fixture.log);
    berth_ledger_remove_feed(fixture.ledger, fixture.iis);
    assert_told("-80 binding A\n-443 binding B lingers@600\n");
    assert_at(80, "80 listener w3wp #0\n");
    assert_at(443, "");
    assert_ok(add_feed(BERTH_SOURCE_HTTPSYS, "again", 0, &again), &err);
    assert_int_equal(again, fixture.iis);
    assert_int_equal(berth_ledger_feed_count(fixture.ledger, again), 0);
    assert_int_equal(berth_ledger_feed_source(fixture.ledger, again), BERTH_SOURCE_HTTPSYS);
    assert_string_equal(berth_ledger_feed_name(fixture.ledger, again), "again");
}

static void add_feed__too_many__is_refused(void **state)
{
    unsigned number = 99;

    (void)state;
    for (unsigned i = 2; i < BERTH_LEDGER_FEEDS_MAX; i++) {
        assert_ok(add_feed(BERTH_SOURCE_IIS, "one more", 0, &number), &err);
        assert_int_equal(number, i);
    }
    assert_code(add_feed(BERTH_SOURCE_IIS, "too many", 0, &number), BERTH_LIMIT_REACHED);
    assert_int_equal(number, BERTH_LEDGER_FEEDS_MAX - 1);
    berth_ledger_remove_feed(fixture.ledger, 7);
    assert_ok(add_feed(BERTH_SOURCE_IIS, "fits now", 0, &number), &err);
    assert_int_equal(number, 7);
}

static void walk__feeds_added_in_any_order__goes_by_source_then_feed(void **state)
{
    static const enum berth_source sources[] = {BERTH_SOURCE_RESERVED, BERTH_SOURCE_HTTPSYS,
                                                BERTH_SOURCE_LEASE, BERTH_SOURCE_TCP,
                                                BERTH_SOURCE_EXCLUDED};
    static const enum berth_claim_kind kinds[] = {BERTH_CLAIM_RESERVATION, BERTH_CLAIM_URL,
                                                  BERTH_CLAIM_LEASE, BERTH_CLAIM_BOUND,
                                                  BERTH_CLAIM_EXCLUSION};
    const struct berth_claim own[] = {listener(80, "a"), listener(80, "b")};
    const struct berth_claim site = binding(80, "S");
    struct berth_claims_at walk;

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(sources); i++) {
        struct berth_claim claim = berth_claim_make(80, kinds[i]);
        unsigned feed;
        assert_ok(add_feed(sources[i], "feed", 0, &feed), &err);
        apply(feed, &claim, 1, 0);
    }
    apply(fixture.tcp, own, 2, 0);
    apply(fixture.iis, &site, 1, 0);
    assert_at(80, "80 lease #4\n80 binding S #1\n80 listener a #0\n80 listener b #0\n80 bound #5\n"
                  "80 url #3\n80 exclusion #6\n80 reservation #2\n");
    walk = berth_ledger_at(fixture.ledger, 80);
    static const unsigned feeds[] = {4, 1, 0, 5, 3, 6, 2};
    for (size_t i = 0; i < BERTH_COUNT(feeds); i++) {
        const struct berth_claim *claim = berth_claims_next_feed(&walk);
        assert_non_null(claim);
        assert_int_equal(claim->feed, feeds[i]);
    }
    assert_null(berth_claims_next_feed(&walk));
    assert_null(berth_claims_next_feed(&walk));
    assert_null(berth_claims_next(&walk));
}

static void apply__ten_thousand_sites_on_one_port__are_all_kept(void **state)
{
    enum { SITES = 10000 };
    static struct berth_claim claims[SITES];
    static char names[SITES][16];
    struct berth_claims_at walk;
    size_t count = 0;

    (void)state;
    for (int i = 0; i < SITES; i++) {
        (void)snprintf(names[i], sizeof names[i], "host-%d", i);
        claims[(i * 7919) % SITES] = binding(443, names[i]);
        claims[(i * 7919) % SITES].host = names[i];
    }
    apply(fixture.iis, claims, SITES, 10);
    assert_int_equal(berth_ledger_feed_count(fixture.ledger, fixture.iis), SITES);
    walk = berth_ledger_at(fixture.ledger, 443);
    const struct berth_claim *last = NULL;
    const struct berth_claim *claim;
    while ((claim = berth_claims_next(&walk)) != NULL) {
        assert_true(last == NULL || berth_claim_compare(last, claim) < 0);
        last = claim;
        count++;
    }
    assert_int_equal(count, SITES);
    struct berth_claims_of of = {0};
    count = 0;
    last = NULL;
    while ((claim = berth_claims_of_next(fixture.ledger, fixture.iis, &of)) != NULL) {
        assert_int_equal(claim->feed, fixture.iis);
        assert_true(last == NULL || berth_claim_compare(last, claim) < 0);
        last = claim;
        count++;
    }
    assert_int_equal(count, SITES);
    assert_null(berth_claims_of_next(fixture.ledger, fixture.iis, &of));
    ledger_text_clear(&fixture.log);
    apply(fixture.iis, claims, SITES, 20);
    assert_told("");
    walk = berth_ledger_at(fixture.ledger, 443);
    assert_non_null(berth_claims_next_feed(&walk));
    assert_null(berth_claims_next_feed(&walk));
    apply(fixture.iis, claims, SITES / 2, 30);
    apply(fixture.iis, NULL, 0, 40);
    assert_int_equal(berth_ledger_feed_count(fixture.ledger, fixture.iis), SITES);
    berth_ledger_set_ready(fixture.ledger, fixture.iis, true, 50);
    assert_int_equal(berth_ledger_expire(fixture.ledger, 50 + LINGER_MS), BERTH_NEVER);
    assert_int_equal(berth_ledger_feed_count(fixture.ledger, fixture.iis), 0);
}

/* ---- allocations that fail ---- */

static const uint16_t used_ports[] = {80, 81, 300, 443, 8080, 65535};

static void write_state(struct ledger_text *out)
{
    ledger_text_clear(out);
    ledger_text_ports(out, fixture.ledger, used_ports, BERTH_COUNT(used_ports));
    ledger_text_add(out, "%zu %zu", berth_ledger_feed_count(fixture.ledger, fixture.iis),
                    berth_ledger_feed_count(fixture.ledger, fixture.tcp));
}

/* Runs one step; where it fails, it must be for memory, with nothing told and nothing changed. */
static void run_step(unsigned step)
{
    static struct ledger_text before;
    static struct ledger_text after;
    struct berth_claim first[] = {binding(80, "A"), binding(443, "B"), binding(80, "A"),
                                  binding(300, "C")};
    struct berth_claim second[] = {binding(80, "A"), binding(443, "N"), binding(65535, "M"),
                                   binding(81, "O")};
    struct berth_claim socket = listener(8080, "java");
    struct berth_claim another = listener(8080, "node");
    enum berth_code code = BERTH_OK;

    first[3].host = "c.example";
    second[0].detail = "another detail";
    another.detail = "told with words";
    write_state(&before);
    ledger_text_clear(&fixture.log);
    switch (step) {
    case 0:
        code = berth_ledger_apply(fixture.ledger, fixture.iis, first, 4, 10, &err);
        break;
    case 1:
        code = berth_ledger_put(fixture.ledger, fixture.tcp, &socket, &err);
        break;
    case 2:
        code = berth_ledger_apply(fixture.ledger, fixture.iis, second, 4, 20, &err);
        break;
    case 3:
        code = berth_ledger_put(fixture.ledger, fixture.tcp, &another, &err);
        break;
    default:
        code = berth_ledger_apply(fixture.ledger, fixture.iis, NULL, 0, 30, &err);
        break;
    }
    if (code != BERTH_OK) {
        assert_code(code, BERTH_NO_MEMORY);
        write_state(&after);
        assert_string_equal(after.text, before.text);
        assert_string_equal(fixture.log.text, "");
    }
}

static void memory__each_allocation_fails__ledger_is_as_it_was_and_nothing_leaks(void **state)
{
    (void)state;
    for (int for_ever = 0; for_ever < 2; for_ever++) {
        bool failed = true;
        size_t fail_at = 1;
        for (; failed; fail_at++) {
            size_t live;
            memory_faults_begin(fail_at, for_ever != 0);
            if (make_ledger() == BERTH_OK) {
                for (unsigned step = 0; step < 5; step++) {
                    run_step(step);
                }
            }
            berth_ledger_destroy(fixture.ledger);
            failed = memory_faults_end(&live);
            assert_int_equal(live, 0);
        }
        assert_true(fail_at > 20);
    }
}

static void take_and_expire__without_any_memory__work(void **state)
{
    const struct berth_claim claims[] = {binding(80, "A"), binding(81, "B"), binding(82, "C")};
    size_t live;

    (void)state;
    berth_ledger_set_ready(fixture.ledger, fixture.iis, true, 0);
    apply(fixture.iis, claims, 3, 0);
    apply(fixture.iis, claims, 2, 0);
    ledger_text_clear(&fixture.log);
    memory_faults_begin(1, true);
    bool taken = berth_ledger_take(fixture.ledger, fixture.iis, &claims[0]);
    (void)berth_ledger_expire(fixture.ledger, LINGER_MS);
    bool failed = memory_faults_end(&live);
    assert_true(taken);
    assert_false(failed);
    assert_told("-80 binding A\n-82 binding C lingers@600\n");
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(apply__claims_in_any_order__are_told_by_port),
        TEST(apply__the_same_again__tells_nothing),
        TEST(apply__equal_claims__become_one_with_their_counts_added),
        TEST(apply__other_content__is_told_as_changed),
        TEST(apply__one_added_one_gone__only_those_are_told),
        TEST(apply__shelf_borders__keep_their_claims_apart),
        TEST(apply__strings_of_the_caller__are_copied),
        TEST(apply__lingering_flag_of_the_caller__is_not_taken),
        TEST(apply__port_0_or_too_many__changes_nothing),
        TEST(observer__reads_the_ledger__finds_the_state_after),
        TEST(observer__none__is_accepted),
        TEST(linger__vanished_claim__stays_until_its_time_is_over),
        TEST(linger__claim_returns__is_told_as_changed_and_stays),
        TEST(linger__feed_not_ready__its_time_stands_still),
        TEST(linger__vanished_while_not_ready__waits_for_the_feed),
        TEST(linger__port_gets_another_claim__both_are_there),
        TEST(linger__several_ends__each_at_its_own_time),
        TEST(linger__time_changed__counts_for_what_vanishes_later),
        TEST(linger__refused_snapshot__ends_nothing),
        TEST(put_and_take__one_claim__is_told),
        TEST(put_and_take__lingering_claim__returns_or_goes_at_once),
        TEST(put__many_on_one_shelf__stay_sorted),
        TEST(remove_feed__with_claims__each_vanishes_and_the_number_is_free),
        TEST(add_feed__too_many__is_refused),
        TEST(walk__feeds_added_in_any_order__goes_by_source_then_feed),
        TEST(apply__ten_thousand_sites_on_one_port__are_all_kept),
        cmocka_unit_test(memory__each_allocation_fails__ledger_is_as_it_was_and_nothing_leaks),
        TEST(take_and_expire__without_any_memory__work),
    };
    return cmocka_run_group_tests_name("allocator.ledger", tests, NULL, NULL);
}
