/* SPDX-License-Identifier: MIT */
#include "cmocka_all.h"

#include "cli/options.h"
#include "cli/suggest.h"

static const struct berth_option globals[] = {
    {"json", NULL, "", false}, {"help", NULL, "", false}, {NULL, NULL, NULL, false}};
static const struct berth_option own[] = {{"port", "N", "", false},
                                          {"pool", "P", "", false},
                                          {"meta", "K=V", "", true},
                                          {NULL, NULL, NULL, false}};
static const struct berth_option *const tables[] = {globals, own, NULL};

#define WORDS_MAX 12

static struct berth_parsed parsed;
static int next;

static int setup(void **state)
{
    (void)state;
    return (int)berth_parsed_init(&parsed, WORDS_MAX, NULL);
}

static int teardown(void **state)
{
    (void)state;
    berth_parsed_fini(&parsed);
    return 0;
}

/* Reads the words up to the NULL. */
static enum berth_code read_words(const char *const *words, bool stop, struct berth_error *err)
{
    int count = 0;

    while (words[count] != NULL) {
        count++;
    }
    return berth_options_read(&parsed, tables, count, words, 0, stop, &next, err);
}

static void options__before_between_and_after_arguments__are_read(void **state)
{
    const char *const words[] = {"--port", "1", "a", "--json", "b", "--pool=x=y", NULL};
    struct berth_error err;

    (void)state;
    assert_ok(read_words(words, false, &err), &err);
    assert_string_equal(berth_parsed_value(&parsed, "port"), "1");
    assert_string_equal(berth_parsed_value(&parsed, "pool"), "x=y");
    assert_true(berth_parsed_has(&parsed, "json"));
    assert_false(berth_parsed_has(&parsed, "meta"));
    assert_int_equal(parsed.argument_count, 2);
    assert_string_equal(berth_parsed_argument(&parsed, 0), "a");
    assert_string_equal(berth_parsed_argument(&parsed, 1), "b");
    assert_null(berth_parsed_argument(&parsed, 2));
}

static void options__double_dash__ends_them(void **state)
{
    const char *const words[] = {"--", "--json", "-", "--", NULL};
    struct berth_error err;

    (void)state;
    assert_ok(read_words(words, false, &err), &err);
    assert_int_equal(parsed.use_count, 0);
    assert_int_equal(parsed.argument_count, 3);
    assert_string_equal(parsed.arguments[0], "--json");
    assert_string_equal(parsed.arguments[1], "-");
    assert_string_equal(parsed.arguments[2], "--");
}

static void options__value_that_looks_like_an_option__is_a_value(void **state)
{
    const char *const words[] = {"--pool", "--json", "--port=", NULL};
    struct berth_error err;

    (void)state;
    assert_ok(read_words(words, false, &err), &err);
    assert_string_equal(berth_parsed_value(&parsed, "pool"), "--json");
    assert_string_equal(berth_parsed_value(&parsed, "port"), "");
    assert_false(berth_parsed_has(&parsed, "json"));
}

static void options__repeatable__gives_all_values_in_order(void **state)
{
    const char *const words[] = {"--meta", "a=1", "--meta=b=2", NULL};
    struct berth_error err;
    size_t cursor = 0;

    (void)state;
    assert_ok(read_words(words, false, &err), &err);
    assert_string_equal(berth_parsed_next(&parsed, "meta", &cursor), "a=1");
    assert_string_equal(berth_parsed_next(&parsed, "meta", &cursor), "b=2");
    assert_null(berth_parsed_next(&parsed, "meta", &cursor));
}

static void options__stop_at_word__leaves_the_rest(void **state)
{
    const char *const words[] = {"--json", "allocate", "--port", "1", NULL};
    struct berth_error err;

    (void)state;
    assert_ok(read_words(words, true, &err), &err);
    assert_int_equal(next, 2);
    assert_string_equal(parsed.arguments[0], "allocate");
    assert_false(berth_parsed_has(&parsed, "port"));
}

static void options__short_help__is_help(void **state)
{
    const char *const words[] = {"a", "-h", "b", NULL};
    struct berth_error err;

    (void)state;
    assert_ok(read_words(words, false, &err), &err);
    assert_true(berth_parsed_has(&parsed, "help"));
    assert_int_equal(parsed.argument_count, 2);
}

static void options__mistakes__are_named(void **state)
{
    static const struct {
        const char *words[4];
        const char *detail;
    } rows[] = {
        {{"--prot", "1", NULL}, "there is no option --prot; did you mean --port?"},
        {{"--prot=1", NULL}, "there is no option --prot; did you mean --port?"},
        {{"--pol", "1", NULL}, "there is no option --pol; did you mean --pool?"},
        {{"--hel", NULL}, "there is no option --hel; did you mean --help?"},
        {{"--zzzzzz", NULL}, "there is no option --zzzzzz"},
        {{"--=x", NULL}, "there is no option --"},
        {{"-p", "1", NULL}, "there is no option -p; options have two dashes and a whole name"},
        {{"--port", NULL}, "--port needs a value: --port N"},
        {{"--json=1", NULL}, "--json takes no value"},
        {{"--port=1", "--port=2", NULL}, "--port is given twice"},
        {{"--json", "--json", NULL}, "--json is given twice"},
    };

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(rows); i++) {
        struct berth_error err = {0};
        assert_code(read_words(rows[i].words, false, &err), BERTH_INVALID_PARAMS);
        assert_string_equal(err.detail, rows[i].detail);
        berth_parsed_fini(&parsed);
        assert_code(berth_parsed_init(&parsed, WORDS_MAX, NULL), BERTH_OK);
    }
}

static void suggestion__nearest_name__is_found(void **state)
{
    static const char *const names[] = {"allocate", "release", "renew",  "next",  "free",
                                        "who",      "ports",   "leases", "status"};
    static const struct {
        const char *typed;
        const char *meant; /* NULL: nothing is near enough */
    } rows[] = {{"relase", "release"},
                {"alocate", "allocate"},
                {"port", "ports"},
                {"stauts", "status"},
                {"lease", "leases"},
                {"hwo", "who"},
                {"xyz", NULL},
                {"", NULL},
                {"x", NULL},
                {"allo", "allocate"},
                {"a-very-long-word-that-is-longer-than-any-name-of-an-option", NULL}};

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(rows); i++) {
        struct berth_suggestion best;
        berth_suggestion_init(&best, rows[i].typed, strlen(rows[i].typed));
        for (size_t n = 0; n < BERTH_COUNT(names); n++) {
            berth_suggestion_offer(&best, names[n]);
        }
        assert_string_equal(best.name != NULL ? best.name : "-",
                            rows[i].meant != NULL ? rows[i].meant : "-");
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(options__before_between_and_after_arguments__are_read),
        TEST(options__double_dash__ends_them),
        TEST(options__value_that_looks_like_an_option__is_a_value),
        TEST(options__repeatable__gives_all_values_in_order),
        TEST(options__stop_at_word__leaves_the_rest),
        TEST(options__short_help__is_help),
        TEST(options__mistakes__are_named),
        cmocka_unit_test(suggestion__nearest_name__is_found),
    };
#undef TEST
    return cmocka_run_group_tests(tests, NULL, NULL);
}
