/* SPDX-License-Identifier: MIT */
/* Tests of base/error: the map of codes, and how errors are filled and passed on. */
#include "cmocka_all.h"

#include "base/utf8.h"

#include <errno.h>
#include <stdio.h>

/* the tokens that scripts test (docs/protocol.md) */
static const char *const stable_tokens[] = {
    "ok",        "pool_exhausted", "port_in_use",   "out_of_range",   "not_ready",
    "not_found", "denied",         "limit_reached", "invalid_params", "too_large",
    "busy",      "not_supported",  "store_failed",  "internal",
};

static bool is_stable(const char *token)
{
    for (size_t i = 0; i < BERTH_COUNT(stable_tokens); i++) {
        if (strcmp(stable_tokens[i], token) == 0) {
            return true;
        }
    }
    return false;
}

static void token__every_code__is_one_of_the_stable_tokens(void **state)
{
    (void)state;
    for (int c = 0; c < BERTH_CODE_COUNT; c++) {
        assert_true(is_stable(berth_code_token((enum berth_code)c)));
        assert_true(strlen(berth_code_text((enum berth_code)c)) > 0);
    }
}

static void token__every_stable_token__has_a_code(void **state)
{
    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(stable_tokens); i++) {
        int found = 0;
        for (int c = 0; c < BERTH_CODE_COUNT; c++) {
            found += strcmp(stable_tokens[i], berth_code_token((enum berth_code)c)) == 0;
        }
        assert_true(found > 0);
    }
}

/* Only these three tokens stand for several codes. */
static void token__other_than_the_three_shared_ones__is_unique(void **state)
{
    (void)state;
    for (int a = 0; a < BERTH_CODE_COUNT; a++) {
        for (int b = a + 1; b < BERTH_CODE_COUNT; b++) {
            const char *token = berth_code_token((enum berth_code)a);
            if (strcmp(token, berth_code_token((enum berth_code)b)) == 0) {
                assert_true(strcmp(token, "internal") == 0 ||
                            strcmp(token, "invalid_params") == 0 ||
                            strcmp(token, "not_supported") == 0);
            }
        }
    }
}

static void number__same_for_two_codes__token_is_the_same_too(void **state)
{
    (void)state;
    for (int a = 0; a < BERTH_CODE_COUNT; a++) {
        for (int b = a + 1; b < BERTH_CODE_COUNT; b++) {
            if (berth_code_number((enum berth_code)a) == berth_code_number((enum berth_code)b)) {
                assert_string_equal(berth_code_token((enum berth_code)a),
                                    berth_code_token((enum berth_code)b));
            }
        }
    }
}

static void number__own_codes__lie_in_the_range_that_json_rpc_leaves(void **state)
{
    (void)state;
    assert_int_equal(berth_code_number(BERTH_OK), 0);
    assert_int_equal(berth_code_number(BERTH_INVALID_PARAMS), -32602);
    assert_int_equal(berth_code_number(BERTH_INVALID_REQUEST), -32600);
    assert_int_equal(berth_code_number(BERTH_PARSE_ERROR), -32700);
    assert_int_equal(berth_code_number(BERTH_UNKNOWN_METHOD), -32601);
    assert_int_equal(berth_code_number(BERTH_INTERNAL), -32603);
    for (int c = BERTH_POOL_EXHAUSTED; c <= BERTH_STORE_FAILED; c++) {
        int number = berth_code_number((enum berth_code)c);
        assert_true(number <= -32000 && number >= -32099);
    }
}

static void code__not_in_the_map__is_internal(void **state)
{
    (void)state;
    assert_string_equal(berth_code_token(BERTH_CODE_COUNT), "internal");
    assert_string_equal(berth_code_token((enum berth_code) - 1), "internal");
    assert_int_equal(berth_code_number((enum berth_code)1000), -32603);
    assert_string_equal(berth_code_text((enum berth_code)1000), berth_code_text(BERTH_INTERNAL));
}

static void fail__error_given__is_filled_and_errno_kept(void **state)
{
    struct berth_error err;

    (void)state;
    errno = ERANGE;
    assert_code(berth_fail(&err, BERTH_IO, EACCES, "cannot read %s: %d", "file", 7), BERTH_IO);
    assert_int_equal(errno, ERANGE);
    assert_code(err.code, BERTH_IO);
    assert_int_equal(err.os_code, EACCES);
    assert_string_equal(err.detail, "cannot read file: 7");
}

static void fail__no_error_given__gives_the_code_only(void **state)
{
    (void)state;
    assert_code(berth_fail(NULL, BERTH_BUSY, 0, "%d", 1), BERTH_BUSY);
    assert_code(berth_fail_memory(NULL, "it"), BERTH_NO_MEMORY);
}

static void fail__empty_detail__takes_the_text_of_the_code(void **state)
{
    struct berth_error err;

    (void)state;
    (void)berth_fail(&err, BERTH_DENIED, 0, "%s", "");
    assert_string_equal(err.detail, berth_code_text(BERTH_DENIED));
}

static void fail_memory__names_what_it_was_for(void **state)
{
    struct berth_error err;

    (void)state;
    assert_code(berth_fail_memory(&err, "a lease"), BERTH_NO_MEMORY);
    assert_non_null(strstr(err.detail, "a lease"));
    assert_int_equal(err.os_code, 0);
}

static void fail__detail_that_just_fits__is_whole(void **state)
{
    struct berth_error err;
    char text[sizeof err.detail];

    (void)state;
    memset(text, 'x', sizeof text);
    memcpy(text + sizeof text - 3, "\xC3\xA9", 3);
    (void)berth_fail(&err, BERTH_IO, 0, "%s", text);
    assert_string_equal(err.detail, text);
}

/* Sequences of two to four bytes, shifted through every position of the cut. */
static void fail__detail_too_long__is_cut_between_sequences(void **state)
{
    static const char *const sequences[] = {"x", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x9A\xA2"};
    struct berth_error err;
    char text[1000];

    (void)state;
    for (size_t s = 0; s < BERTH_COUNT(sequences); s++) {
        for (size_t shift = 0; shift < 8; shift++) {
            size_t length = shift;
            memset(text, '.', shift);
            while (length < 900) {
                length += (size_t)snprintf(text + length, sizeof text - length, "%s", sequences[s]);
            }
            (void)berth_fail(&err, BERTH_IO, 0, "%s", text);
            assert_true(berth_utf8_is_name(err.detail));
            assert_true(strlen(err.detail) >= sizeof err.detail - 1 - 4);
            assert_memory_equal(err.detail, text, strlen(err.detail));
        }
    }
}

static void prefix__detail_there__puts_context_before_it(void **state)
{
    struct berth_error err;

    (void)state;
    (void)berth_fail(&err, BERTH_MALFORMED, 5, "line 3 is odd");
    berth_error_prefix(&err, "%s", "sites.xml");
    assert_string_equal(err.detail, "sites.xml: line 3 is odd");
    assert_code(err.code, BERTH_MALFORMED);
    assert_int_equal(err.os_code, 5);
    berth_error_prefix(NULL, "%s", "nothing");
}

static void prefix__too_long__is_cut_between_sequences(void **state)
{
    struct berth_error err;
    char text[700];

    (void)state;
    for (size_t i = 0; i + 1 < sizeof text - 2; i += 2) {
        memcpy(text + i, "\xC3\xA9", 3);
    }
    (void)berth_fail(&err, BERTH_IO, 0, "end");
    berth_error_prefix(&err, "x%s", text);
    assert_true(berth_utf8_is_name(err.detail));
    assert_true(strlen(err.detail) > 470);
    (void)berth_fail(&err, BERTH_IO, 0, "%s", text);
    berth_error_prefix(&err, "%s", "context");
    assert_true(berth_utf8_is_name(err.detail));
    assert_memory_equal(err.detail, "context: \xC3\xA9", 11);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(token__every_code__is_one_of_the_stable_tokens),
        cmocka_unit_test(token__every_stable_token__has_a_code),
        cmocka_unit_test(token__other_than_the_three_shared_ones__is_unique),
        cmocka_unit_test(number__same_for_two_codes__token_is_the_same_too),
        cmocka_unit_test(number__own_codes__lie_in_the_range_that_json_rpc_leaves),
        cmocka_unit_test(code__not_in_the_map__is_internal),
        cmocka_unit_test(fail__error_given__is_filled_and_errno_kept),
        cmocka_unit_test(fail__no_error_given__gives_the_code_only),
        cmocka_unit_test(fail__empty_detail__takes_the_text_of_the_code),
        cmocka_unit_test(fail_memory__names_what_it_was_for),
        cmocka_unit_test(fail__detail_that_just_fits__is_whole),
        cmocka_unit_test(fail__detail_too_long__is_cut_between_sequences),
        cmocka_unit_test(prefix__detail_there__puts_context_before_it),
        cmocka_unit_test(prefix__too_long__is_cut_between_sequences),
    };
    return cmocka_run_group_tests_name("base.error", tests, NULL, NULL);
}
