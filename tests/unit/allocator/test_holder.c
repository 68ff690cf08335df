/* SPDX-License-Identifier: MIT */
/* Tests of allocator/holder: its forms, and whose use of a port a claim is. */
#include "cmocka_all.h"

#include "allocator/holder.h"

static struct berth_error err;

static void check__each_form__is_accepted_or_refused(void **state)
{
    static const char *const good[] = {"any", "site:Shop", "site: ", "process:java", "site:site:"};
    static const char *const bad[] = {
        "",     "Any",   "any ",    "site:",  "process:", "Site:",     "Shop",
        "site", "user:", "process", "SITE:x", " any",     "PROCESS:x", ":"};

    (void)state;
    assert_ok(berth_holder_check(NULL, &err), &err);
    for (size_t i = 0; i < BERTH_COUNT(good); i++) {
        assert_ok(berth_holder_check(good[i], &err), &err);
    }
    for (size_t i = 0; i < BERTH_COUNT(bad); i++) {
        assert_code(berth_holder_check(bad[i], &err), BERTH_INVALID_PARAMS);
        assert_non_null(strstr(err.detail, "process:IMAGE"));
    }
}

static void site__of_each_form__is_the_name_or_none(void **state)
{
    (void)state;
    assert_string_equal(berth_holder_site("site:Shop"), "Shop");
    assert_null(berth_holder_site("process:java"));
    assert_null(berth_holder_site("any"));
    assert_null(berth_holder_site("site:"));
    assert_null(berth_holder_site(NULL));
}

static void same_name__case_of_ascii_letters__does_not_count(void **state)
{
    (void)state;
    assert_true(berth_holder_same_name("Shop", "sHOP"));
    assert_true(berth_holder_same_name("AZ", "az"));
    assert_true(berth_holder_same_name("", ""));
    assert_false(berth_holder_same_name("Shop", "Shops"));
    assert_false(berth_holder_same_name("Shops", "Shop"));
    /* the neighbours of the letters differ in the same bit */
    assert_false(berth_holder_same_name("@", "`"));
    assert_false(berth_holder_same_name("[", "{"));
    assert_false(berth_holder_same_name("\xC3\x84", "\xC3\xA4"));
}

enum use { NO_USE, OWN_USE, OTHERS_USE };

/* What a claim of a kind and name is to a holder. */
static const struct row {
    const char *holder;
    enum berth_claim_kind kind;
    const char *name;
    enum use use;
} rows[] = {
    {NULL, BERTH_CLAIM_BINDING, "Shop", OWN_USE},
    {NULL, BERTH_CLAIM_BINDING, NULL, OWN_USE},
    {NULL, BERTH_CLAIM_LISTENER, "java", OTHERS_USE},
    {NULL, BERTH_CLAIM_LISTENER, NULL, OTHERS_USE},
    {"any", BERTH_CLAIM_BINDING, "Shop", OWN_USE},
    {"any", BERTH_CLAIM_LISTENER, "java", OWN_USE},
    {"any", BERTH_CLAIM_LISTENER, NULL, OWN_USE},
    {"site:Shop", BERTH_CLAIM_BINDING, "SHOP", OWN_USE},
    {"site:Shop", BERTH_CLAIM_BINDING, "Blog", OTHERS_USE},
    {"site:Shop", BERTH_CLAIM_BINDING, NULL, OTHERS_USE},
    {"site:Shop", BERTH_CLAIM_LISTENER, "Shop", OTHERS_USE},
    {"process:java", BERTH_CLAIM_LISTENER, "Java", OWN_USE},
    {"process:java", BERTH_CLAIM_LISTENER, "node", OTHERS_USE},
    {"process:java", BERTH_CLAIM_LISTENER, NULL, NO_USE}, /* it may turn out to be java */
    {"process:java", BERTH_CLAIM_BINDING, "java", OTHERS_USE},
};

static void uses__each_row__is_own_or_anothers(void **state)
{
    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(rows); i++) {
        const struct row *row = &rows[i];
        struct berth_claim claim = berth_claim_make(49000, row->kind);
        claim.holder = row->name;
        if (berth_holder_uses(row->holder, &claim) != (row->use == OWN_USE) ||
            berth_holder_is_displaced_by(row->holder, &claim) != (row->use == OTHERS_USE)) {
            fail_msg("row %zu", i);
        }
        claim.flags = BERTH_CLAIM_LINGERING;
        assert_false(berth_holder_uses(row->holder, &claim));
        assert_false(berth_holder_is_displaced_by(row->holder, &claim));
        claim.flags = BERTH_CLAIM_STOPPED; /* a stopped site keeps its binding */
        assert_int_equal(berth_holder_uses(row->holder, &claim), row->use == OWN_USE);
    }
}

static void uses__other_kinds_of_claims__are_nobodys_use(void **state)
{
    static const char *const holders[] = {NULL, "any", "site:java", "process:java"};

    (void)state;
    for (int kind = 0; kind < BERTH_CLAIM_KIND_COUNT; kind++) {
        struct berth_claim claim = berth_claim_make(49000, (enum berth_claim_kind)kind);
        claim.holder = "java";
        for (size_t i = 0; i < BERTH_COUNT(holders); i++) {
            if (kind != BERTH_CLAIM_BINDING && kind != BERTH_CLAIM_LISTENER) {
                assert_false(berth_holder_uses(holders[i], &claim));
                assert_false(berth_holder_is_displaced_by(holders[i], &claim));
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(check__each_form__is_accepted_or_refused),
        cmocka_unit_test(site__of_each_form__is_the_name_or_none),
        cmocka_unit_test(same_name__case_of_ascii_letters__does_not_count),
        cmocka_unit_test(uses__each_row__is_own_or_anothers),
        cmocka_unit_test(uses__other_kinds_of_claims__are_nobodys_use),
    };
    return cmocka_run_group_tests_name("allocator.holder", tests, NULL, NULL);
}
