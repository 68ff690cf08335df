/* SPDX-License-Identifier: MIT */
/* Tests of allocator/conflict_rules: each row of docs/conflicts.md, in any order of the claims; the
 * document and the rows here are the same; identities, sentences, many claims, memory. */
#include "conflict_case.h"
#include "conflict_rows.h"

#include "allocator/conflict_text.h"
#include "base/memory.h"
#include "memory_faults.h"

#define DOCUMENT TEST_SOURCE_ROOT "/docs/conflicts.md"

static struct conflict_case one;
static struct conflict_case two;

/* ---- the rows ---- */

static void row__claims_of_it__gives_what_it_says(void **state)
{
    const struct conflict_row *row = *state;
    char outcome[512];

    case_read(&one, row->claims, row->facts);
    case_find(&one);
    assert_string_equal(case_outcome(&one, outcome, sizeof outcome), row->expected);
}

static void reverse_claims(struct conflict_case *turned)
{
    for (size_t i = 0; i < turned->in.claim_count; i++) {
        turned->pointers[i] = &turned->claims[turned->in.claim_count - 1 - i];
    }
}

static void row__claims_in_reverse__gives_the_same(void **state)
{
    const struct conflict_row *row = *state;

    case_read(&one, row->claims, row->facts);
    case_find(&one);
    case_read(&two, row->claims, row->facts);
    reverse_claims(&two);
    case_find(&two);
    assert_int_equal(two.found_count, one.found_count);
    for (size_t i = 0; i < one.found_count; i++) {
        assert_true(one.found[i].id == two.found[i].id);
        assert_int_equal(one.found[i].severity, two.found[i].severity);
        for (unsigned k = 0; k < one.found[i].claim_count; k++) {
            assert_int_equal(one.found[i].claims[k] - one.claims,
                             two.found[i].claims[k] - two.claims);
        }
    }
}

/* ---- the document ---- */

/* Compares a line of the document with a row; gives what is behind the row's id. */
static void assert_line_is_row(const char *line, const struct conflict_row *row)
{
    char expected[512];

    if (row->facts[0] != '\0') {
        (void)snprintf(expected, sizeof expected, "| %s | `%s` | `%s` | %s |\n", row->id,
                       row->claims, row->facts, row->expected);
    } else {
        (void)snprintf(expected, sizeof expected, "| %s | `%s` | – | %s |\n", row->id, row->claims,
                       row->expected);
    }
    assert_string_equal(line, expected);
}

static bool is_row(const char *line)
{
    return line[0] == '|' && line[1] == ' ' && isupper((unsigned char)line[2]) &&
           isdigit((unsigned char)line[3]);
}

static void document__each_row__is_tested_as_it_is_written(void **state)
{
    FILE *file = fopen(DOCUMENT, "rb");
    char line[1024];
    size_t rows = 0;

    (void)state;
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        if (is_row(line)) {
            assert_true(rows < BERTH_COUNT(conflict_rows));
            assert_line_is_row(line, &conflict_rows[rows++]);
        }
    }
    (void)fclose(file);
    assert_int_equal(rows, BERTH_COUNT(conflict_rows));
}

static void document__each_kind__has_a_section(void **state)
{
    FILE *file = fopen(DOCUMENT, "rb");
    char line[1024];
    unsigned sections = 0;

    (void)state;
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        for (unsigned kind = 0; kind < BERTH_CONFLICT_KIND_COUNT; kind++) {
            const char *name = berth_conflict_kind_name((enum berth_conflict_kind)kind);
            if (strncmp(line, "## ", 3) == 0 && strncmp(line + 3, name, strlen(name)) == 0) {
                sections++;
            }
        }
    }
    (void)fclose(file);
    assert_int_equal(sections, BERTH_CONFLICT_KIND_COUNT);
}

/* ---- identities ---- */

static berth_conflict_id id_of(struct conflict_case *found, const char *claims, const char *facts)
{
    case_read(found, claims, facts);
    case_find(found);
    assert_int_equal(found->found_count, 1);
    return found->found[0].id;
}

struct identity {
    const char *first;
    const char *second;
    bool same;
    const char *facts;
};

static const struct identity identities[] = {
    /* what changes without another conflict being there */
    {"binding A http *; listener java pid=1 0.0.0.0", "binding B http *; listener java pid=2 [::]",
     true, ""},
    {"binding A http *; binding B http *", "binding B http *; binding a http * stopped", true, ""},
    {"binding A http * host=x; binding B http * host=X",
     "binding A http * host=X; binding B http * host=X", true, ""},
    {"binding A http * host=a; binding B https * host=b", "binding C http *; binding D https *",
     true, ""},
    {"lease l; listener java pid=1 0.0.0.0", "lease l; listener java pid=2 [::]", true,
     "lease=default"},
    {"binding A http *; exclusion 1-2", "binding B http *; exclusion", true, ""},
    {"reservation a; binding A http *", "reservation b; binding B ftp *", true, ""},
    {"listener a pid=1 *; listener b pid=2 [::1]", "listener a pid=1 [::1]; listener b pid=2 *",
     true, ""},
    /* what makes another one of it */
    {"binding A http *; listener java pid=1 0.0.0.0",
     "binding A http *; listener node pid=1 0.0.0.0", false, ""},
    {"binding A http *; listener pid=1 0.0.0.0", "binding A http *; listener pid=2 0.0.0.0", false,
     ""},
    {"binding A http *; listener uid=1 0.0.0.0", "binding A http *; listener uid=2 0.0.0.0", false,
     "linux"},
    {"binding A http *; binding B http *", "binding A http *; binding C http *", false, ""},
    {"binding A http *; binding B http *", "binding A https *; binding B https *", false, ""},
    {"binding A http *; binding B http *", "binding A http [::1]; binding B http [::1]", false, ""},
    {"binding A http *; binding B http *", "binding A http * host=x; binding B http * host=x",
     false, ""},
    {"binding A http *; binding B http * ", "binding A http * x2", false, ""},
    {"binding AB http *; binding C http *", "binding A http *; binding BC http *", false, ""},
    {"lease l; bound java 0.0.0.0", "lease l; listener java 0.0.0.0", false, "lease=default"},
    {"lease l; connection", "lease l; bound java 0.0.0.0", false, "lease=default"},
    {"reservation a; lease l", "reservation a; binding l http *", false, ""},
    {"listener a pid=1 *; listener b pid=2 *", "listener a pid=1 *; listener b pid=3 *", false, ""},
};

static void find__participants_change__keeps_the_id_where_it_is_the_same_conflict(void **state)
{
    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(identities); i++) {
        const struct identity *each = &identities[i];
        bool same = id_of(&one, each->first, each->facts) == id_of(&two, each->second, each->facts);
        if (same != each->same) {
            fail_msg("%s / %s: the ids are %s", each->first, each->second,
                     same ? "the same" : "not the same");
        }
    }
}

/* An id is written down by those who are told it: it may not change from version to version. */
static void find__known_conflict__has_its_known_id(void **state)
{
    (void)state;
    assert_true(id_of(&one, "binding Shop http *; binding Blog http *", "") == 0x275A97A7075AEACU);
}

static void find__another_port__gives_another_id(void **state)
{
    berth_conflict_id id = id_of(&one, "binding Shop http *; binding Blog http *", "");

    (void)state;
    one.in.port = CASE_PORT + 1;
    case_find(&one);
    assert_int_equal(one.found_count, 1);
    assert_int_equal(one.found[0].port, CASE_PORT + 1);
    assert_true(one.found[0].id != id);
}

static void find__another_lease__gives_another_id(void **state)
{
    berth_conflict_id id = id_of(&one, "lease l; binding Blog http *", "lease=site:Shop");

    (void)state;
    one.lease.id = "fedcba9876543210";
    case_find(&one);
    assert_true(one.found[0].id != id);
}

/* ---- participants ---- */

static void assert_participants(const char *claims, const char *facts, size_t first, size_t second)
{
    (void)id_of(&one, claims, facts);
    assert_int_equal(one.found[0].claim_count, 2);
    assert_ptr_equal(one.found[0].claims[0], &one.claims[first]);
    assert_ptr_equal(one.found[0].claims[1], &one.claims[second]);
}

static void find__sites__names_those_first_that_start_by_themselves(void **state)
{
    (void)state;
    assert_participants("binding A http * stopped; binding B http *", "", 1, 0);
    assert_participants("binding A http * host=a stopped; binding Z http * host=z; "
                        "listener java pid=1 *",
                        "", 1, 2);
    assert_participants("binding A http * stopped host=a; binding Z ftp *; exclusion", "", 1, 2);
}

static void find__roles__are_in_their_places(void **state)
{
    (void)state;
    assert_participants("binding A https *; binding B http *", "", 1, 0);
    assert_participants("binding A http *; lease l", "lease=process:java", 1, 0);
    assert_participants("binding A http *; reservation r", "", 1, 0);
    assert_participants("listener z pid=1 *; listener a pid=2 *", "", 1, 0);
}

static void find__one_claim_alone__is_the_only_participant(void **state)
{
    (void)state;
    (void)id_of(&one, "binding A http * x2", "");
    assert_int_equal(one.found[0].claim_count, 1);
    assert_ptr_equal(one.found[0].claims[0], &one.claims[0]);
    assert_null(one.found[0].claims[1]);
}

static void find__no_claims__gives_none(void **state)
{
    (void)state;
    case_read(&one, "", "");
    one.in.claims = NULL;
    case_find(&one);
    assert_int_equal(one.found_count, 0);
}

static void find__lease_without_its_claim__is_not_looked_at(void **state)
{
    (void)state;
    case_read(&one, "binding Blog http *", "lease=site:Shop");
    case_find(&one);
    assert_int_equal(one.found_count, 0);
}

static void find__too_little_room__writes_the_first_and_counts_all(void **state)
{
    struct berth_conflict first[2];
    struct berth_error err;
    size_t count = 0;

    (void)state;
    case_read(&one, "binding A http *; binding B http *; binding C http *; listener j pid=1 *", "");
    case_find(&one);
    assert_int_equal(one.found_count, 3);
    memset(first, 0, sizeof first);
    assert_ok(berth_conflicts_find(&one.in, first, 1, &count, &err), &err);
    assert_int_equal(count, 3);
    assert_true(first[0].id == one.found[0].id);
    assert_int_equal(first[1].port, 0);
    assert_ok(berth_conflicts_find(&one.in, NULL, 0, &count, &err), &err);
    assert_int_equal(count, 3);
}

/* ---- sentences ---- */

struct sentence {
    const char *claims;
    const char *facts;
    const char *detail; /* of the first claim; NULL: none */
    const char *text;
};

static const struct sentence sentences[] = {
    {"binding Shop http *; binding Tea http *", "",
     "http *:8080:", "Sites Shop and Tea both bind http *:8080: (IIS starts only one of them)."},
    {"binding Shop http *; binding Tea http * stopped", "", "http *:8080:",
     "Sites Shop and Tea both bind http *:8080: (IIS starts only one of them; Tea does not start "
     "by itself)."},
    {"binding Shop http * x2", "", "http *:8080:", "Site Shop binds http *:8080: more than once."},
    {"binding Shop http * host=a; binding Shop http * host=A", "", NULL,
     "Site Shop binds http more than once."},
    {"binding Shop http *; binding Tea https *", "", "http *:8080:",
     "Site Shop binds http *:8080: and site Tea binds https: http and https cannot share an "
     "address and port."},
    {"binding Shop http *; listener java pid=12 0.0.0.0", "", "http *:8080:",
     "Site Shop binds http *:8080:, but java (pid 12) listens on 0.0.0.0, port 8080."},
    {"binding Shop http * stopped; listener uid=5 0.0.0.0", "linux", "http *:8080:",
     "Site Shop binds http *:8080:, but a process of uid 5 listens on 0.0.0.0, port 8080 (the site "
     "does not start by itself)."},
    {"lease shop; binding Blog http *", "lease=site:Shop", "id",
     "Port 8080 is leased to the key shop, but site Blog binds it as ?."},
    {"lease shop; connection x3", "lease=site:Shop", "id",
     "Port 8080 is leased to the key shop, but it is the local port of 3 open connections."},
    {"binding Shop http *; exclusion 8000-8100", "", "http *:8080:",
     "Site Shop binds http *:8080:, but port 8080 lies in an excluded port range of Windows "
     "(8000-8100)."},
    {"reservation agents; listener agent pid=1 0.0.0.0", "", NULL,
     "Port 8080 is reserved in Berth's configuration (agents), but agent (pid 1) listens on "
     "0.0.0.0."},
    {"listener a pid=1 0.0.0.0; listener b pid=2 127.0.0.1", "", NULL,
     "Two processes listen on port 8080: a (pid 1) listens on 0.0.0.0, b (pid 2) listens on "
     "127.0.0.1."},
    {"listener a pid=1 uid=7 0.0.0.0; listener a pid=2 uid=7 0.0.0.0", "", NULL,
     "Two processes listen on port 8080: a (pid 1) listens on 0.0.0.0, a (pid 2) listens on "
     "0.0.0.0 (they seem to share it on purpose)."},
};

static void explain__each_kind__is_a_sentence(void **state)
{
    struct berth_text text;

    (void)state;
    berth_text_init(&text, 4096);
    for (size_t i = 0; i < BERTH_COUNT(sentences); i++) {
        case_read(&one, sentences[i].claims, sentences[i].facts);
        one.claims[0].detail = sentences[i].detail;
        case_find(&one);
        assert_int_equal(one.found_count, 1);
        berth_text_clear(&text);
        berth_conflict_explain(&text, &one.found[0]);
        assert_string_equal(berth_text_string(&text), sentences[i].text);
    }
    berth_text_fini(&text);
}

/* ---- many ---- */

#define MANY 10000

static struct berth_claim many[MANY];
static const struct berth_claim *many_pointers[MANY];
static char many_names[MANY][16];

/* Makes MANY claims, each with a name of its own. */
static struct berth_conflict_input make_many(enum berth_claim_kind kind,
                                             const struct berth_conflict_facts *facts)
{
    for (size_t i = 0; i < MANY; i++) {
        (void)snprintf(many_names[i], sizeof many_names[i], "%05zu", i * 7919 % MANY);
        many[i] = berth_claim_make(443, kind);
        many[i].protocol = BERTH_PROTOCOL_HTTPS;
        many[i].holder = many_names[i];
        many_pointers[i] = &many[i];
    }
    return (struct berth_conflict_input){
        .port = 443, .claims = many_pointers, .claim_count = MANY, .facts = facts};
}

static size_t count_conflicts(const struct berth_conflict_input *in)
{
    struct berth_error err;
    size_t count = 0;

    assert_ok(berth_conflicts_find(in, NULL, 0, &count, &err), &err);
    return count;
}

static void find__many_bindings_with_hosts__gives_none(void **state)
{
    const struct berth_conflict_facts facts = {.http_sys = true};
    struct berth_conflict_input in = make_many(BERTH_CLAIM_BINDING, &facts);

    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        many[i].host = many_names[i];
    }
    assert_int_equal(count_conflicts(&in), 0);
}

static void find__many_duplicates__pairs_each_with_the_first(void **state)
{
    const struct berth_conflict_facts facts = {.http_sys = true};
    struct berth_conflict_input in = make_many(BERTH_CLAIM_BINDING, &facts);

    (void)state;
    assert_int_equal(count_conflicts(&in), MANY - 1);
}

static void find__many_listeners_everywhere__pairs_each_with_the_first(void **state)
{
    const struct berth_conflict_facts facts = {.http_sys = true};
    struct berth_conflict_input in = make_many(BERTH_CLAIM_LISTENER, &facts);

    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        many[i].process_id = 100 + (uint32_t)i;
    }
    assert_int_equal(count_conflicts(&in), MANY - 1);
}

static void find__many_https_sites_and_one_http__is_one_scheme_mix(void **state)
{
    const struct berth_conflict_facts facts = {.http_sys = true};
    struct berth_conflict_input in = make_many(BERTH_CLAIM_BINDING, &facts);

    (void)state;
    for (size_t i = 0; i < MANY; i++) {
        many[i].host = many_names[i];
    }
    many[4711].protocol = BERTH_PROTOCOL_HTTP;
    assert_int_equal(count_conflicts(&in), 1);
}

/* ---- memory ---- */

static void find__no_memory__is_an_error_and_changes_nothing(void **state)
{
    struct berth_conflict found[CASE_FOUND_MAX];
    size_t count = 99;
    size_t live;
    size_t failures = 0;
    struct berth_error err;

    (void)state;
    case_read(&one,
              "binding A http *; binding B http *; binding C https *; binding D https *; "
              "binding E ftp *; listener a pid=1 *; listener b pid=2 *; lease l; exclusion; "
              "reservation r; listener c pid=3 *; listener d pid=5 *",
              "lease=process:x");
    for (bool failed = true; failed; failures++) {
        memory_faults_begin(failures + 1, false);
        enum berth_code code = berth_conflicts_find(&one.in, found, CASE_FOUND_MAX, &count, &err);
        failed = memory_faults_end(&live);
        assert_int_equal(live, 0);
        assert_code(code, failed ? BERTH_NO_MEMORY : BERTH_OK);
        assert_true(failed ? count == 99 : count > 10);
    }
    assert_true(failures > 8);
}

/* ---- all ---- */

static const struct CMUnitTest plain_tests[] = {
    cmocka_unit_test(document__each_row__is_tested_as_it_is_written),
    cmocka_unit_test(document__each_kind__has_a_section),
    cmocka_unit_test(find__participants_change__keeps_the_id_where_it_is_the_same_conflict),
    cmocka_unit_test(find__known_conflict__has_its_known_id),
    cmocka_unit_test(find__another_port__gives_another_id),
    cmocka_unit_test(find__another_lease__gives_another_id),
    cmocka_unit_test(find__sites__names_those_first_that_start_by_themselves),
    cmocka_unit_test(find__roles__are_in_their_places),
    cmocka_unit_test(find__one_claim_alone__is_the_only_participant),
    cmocka_unit_test(find__no_claims__gives_none),
    cmocka_unit_test(find__lease_without_its_claim__is_not_looked_at),
    cmocka_unit_test(find__too_little_room__writes_the_first_and_counts_all),
    cmocka_unit_test(explain__each_kind__is_a_sentence),
    cmocka_unit_test(find__many_bindings_with_hosts__gives_none),
    cmocka_unit_test(find__many_duplicates__pairs_each_with_the_first),
    cmocka_unit_test(find__many_listeners_everywhere__pairs_each_with_the_first),
    cmocka_unit_test(find__many_https_sites_and_one_http__is_one_scheme_mix),
    cmocka_unit_test(find__no_memory__is_an_error_and_changes_nothing),
};

#define ROWS BERTH_COUNT(conflict_rows)
#define PLAIN BERTH_COUNT(plain_tests)

/* Each row is a test of its own, named by its id. */
int main(void)
{
    static struct CMUnitTest tests[PLAIN + 2 * ROWS];
    static char names[2 * ROWS][16];

    for (size_t i = 0; i < PLAIN; i++) {
        tests[i] = plain_tests[i];
    }
    for (size_t i = 0; i < 2 * ROWS; i++) {
        const struct conflict_row *row = &conflict_rows[i / 2];
        (void)snprintf(names[i], sizeof names[i], "row %s%s", row->id, i % 2 != 0 ? " back" : "");
        tests[PLAIN + i] = (struct CMUnitTest){
            .name = names[i],
            .test_func = i % 2 != 0 ? row__claims_in_reverse__gives_the_same
                                    : row__claims_of_it__gives_what_it_says,
            .initial_state = (void *)(uintptr_t)row,
        };
    }
    return _cmocka_run_group_tests("conflict_rules", tests, BERTH_COUNT(tests), NULL, NULL);
}
