/* SPDX-License-Identifier: MIT */
/* Tests of base/json_writer: commas, escapes, bytes that are not UTF-8, failures that stick. */
#include "cmocka_all.h"

#include "base/json_writer.h"
#include "base/utf8.h"
#include "memory_faults.h"

#include <limits.h>
#include <stdio.h>

#define REPLACEMENT "\xEF\xBF\xBD"

struct fixture {
    struct berth_text text;
    struct berth_json json;
};

static int set_up(void **state)
{
    static struct fixture fixture;

    berth_text_init(&fixture.text, 65536);
    berth_json_init(&fixture.json, &fixture.text);
    *state = &fixture;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *fixture = *state;

    berth_text_fini(&fixture->text);
    return 0;
}

static void assert_written(struct fixture *fixture, const char *expected)
{
    assert_code(fixture->text.failed, BERTH_OK);
    assert_string_equal(berth_text_string(&fixture->text), expected);
}

static void nesting__objects_and_arrays__have_commas_where_due(void **state)
{
    struct fixture *fixture = *state;
    struct berth_json *json = &fixture->json;

    berth_json_open_object(json);
    berth_json_member_number(json, "a", 1);
    berth_json_key(json, "b");
    berth_json_open_array(json);
    berth_json_open_array(json);
    berth_json_close_array(json);
    berth_json_open_object(json);
    berth_json_close_object(json);
    berth_json_number(json, -2);
    berth_json_null(json);
    berth_json_boolean(json, true);
    berth_json_close_array(json);
    berth_json_member_boolean(json, "c", false);
    berth_json_member_string(json, "d", "x");
    berth_json_member_string(json, "e", NULL);
    berth_json_key(json, "f");
    berth_json_raw(json, "{\"g\":[1]}tail", 9);
    berth_json_key(json, "h");
    berth_json_open_object(json);
    berth_json_member_string(json, "i", "");
    berth_json_close_object(json);
    berth_json_close_object(json);
    assert_written(fixture, "{\"a\":1,\"b\":[[],{},-2,null,true],\"c\":false,\"d\":\"x\","
                            "\"e\":null,\"f\":{\"g\":[1]},\"h\":{\"i\":\"\"}}");
}

static void init__text_has_content__writes_behind_it(void **state)
{
    struct fixture *fixture = *state;

    berth_text_puts(&fixture->text, "[1]\n");
    berth_json_init(&fixture->json, &fixture->text);
    berth_json_number(&fixture->json, 2);
    assert_written(fixture, "[1]\n2");
}

static void number__extremes__are_written(void **state)
{
    struct fixture *fixture = *state;

    berth_json_open_array(&fixture->json);
    berth_json_number(&fixture->json, LLONG_MIN);
    berth_json_number(&fixture->json, LLONG_MAX);
    berth_json_number(&fixture->json, 0);
    berth_json_close_array(&fixture->json);
    assert_written(fixture, "[-9223372036854775808,9223372036854775807,0]");
}

static void string__every_ascii_byte__is_escaped_where_it_must_be(void **state)
{
    struct fixture *fixture = *state;

    for (int c = 1; c < 0x80; c++) {
        char value[] = {(char)c, '\0'};
        char expected[16];
        const char *named = strchr("\bb\tt\nn\ff\rr\"\"\\\\", c);
        berth_text_clear(&fixture->text);
        berth_json_init(&fixture->json, &fixture->text);
        berth_json_string(&fixture->json, value);
        if (named != NULL && (c < 0x20 || c == '"' || c == '\\')) {
            (void)snprintf(expected, sizeof expected, "\"\\%c\"", named[1]);
        } else if (c < 0x20 || c == 0x7F) {
            (void)snprintf(expected, sizeof expected, "\"\\u%04x\"", (unsigned)c);
        } else {
            (void)snprintf(expected, sizeof expected, "\"%c\"", c);
        }
        assert_written(fixture, expected);
    }
}

static void string__utf8__is_written_as_it_is(void **state)
{
    struct fixture *fixture = *state;

    berth_json_string(&fixture->json, "a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x9A\xA2z");
    assert_written(fixture, "\"a\xC3\xA9\xE2\x82\xAC\xF0\x9F\x9A\xA2z\"");
}

static void string__bytes_that_are_not_utf8__become_the_replacement_character(void **state)
{
    static const struct {
        const char *value;
        const char *expected;
    } rows[] = {
        {"\xFF", "\"" REPLACEMENT "\""},
        {"a\x80z", "\"a" REPLACEMENT "z\""},
        {"\xC3", "\"" REPLACEMENT "\""},
        {"\xC3\"", "\"" REPLACEMENT "\\\"\""},
        {"\xC0\xAF", "\"" REPLACEMENT REPLACEMENT "\""},
        {"\xED\xA0\x80", "\"" REPLACEMENT REPLACEMENT REPLACEMENT "\""},
        {"\xF0\x9F\x9A", "\"" REPLACEMENT REPLACEMENT REPLACEMENT "\""},
        {"\xE2\x82\n", "\"" REPLACEMENT REPLACEMENT "\\n\""},
    };
    struct fixture *fixture = *state;

    for (size_t i = 0; i < BERTH_COUNT(rows); i++) {
        berth_text_clear(&fixture->text);
        berth_json_init(&fixture->json, &fixture->text);
        berth_json_string(&fixture->json, rows[i].value);
        assert_written(fixture, rows[i].expected);
    }
}

/* Whatever two bytes come, what is written is UTF-8 without control characters, in quotes. */
static void string__any_two_bytes__give_a_clean_string(void **state)
{
    struct fixture *fixture = *state;

    for (unsigned pair = 0x0101; pair <= 0xFFFF; pair++) {
        char value[] = {(char)(unsigned char)(pair >> 8), (char)(unsigned char)pair, '\0'};
        berth_text_clear(&fixture->text);
        berth_json_init(&fixture->json, &fixture->text);
        berth_json_string(&fixture->json, value);
        const char *text = berth_text_string(&fixture->text);
        size_t length = fixture->text.length;
        if (!berth_utf8_is_name(text) || text[0] != '"' || text[length - 1] != '"') {
            fail_msg("bytes %04x give %s", pair, text);
        }
    }
}

static void write_sample(struct berth_json *json)
{
    berth_json_open_object(json);
    for (int i = 0; i < 20; i++) {
        berth_json_member_string(json, "text", "line\n\x01 \xE2\x82\xAC \xFF end");
        berth_json_member_number(json, "number", 123456789012LL);
        berth_json_key(json, "list");
        berth_json_open_array(json);
        berth_json_null(json);
        berth_json_boolean(json, true);
        berth_json_close_array(json);
    }
    berth_json_close_object(json);
}

static void limit__anywhere__fails_once_and_stays_a_prefix(void **state)
{
    struct fixture *fixture = *state;
    struct berth_text text;
    struct berth_json json;

    write_sample(&fixture->json);
    for (size_t limit = 0; limit <= fixture->text.length; limit++) {
        berth_text_init(&text, limit);
        berth_json_init(&json, &text);
        write_sample(&json);
        bool whole = limit == fixture->text.length;
        assert_code(text.failed, whole ? BERTH_OK : BERTH_TOO_LARGE);
        assert_true(text.length <= limit);
        assert_memory_equal(berth_text_string(&text), berth_text_string(&fixture->text),
                            text.length);
        berth_text_fini(&text);
    }
}

static void memory__each_allocation_fails__sticks(void **state)
{
    bool failed = true;

    (void)state;
    for (size_t fail_at = 1; failed; fail_at++) {
        struct berth_text text;
        struct berth_json json;
        size_t live;
        berth_text_init(&text, 65536);
        berth_json_init(&json, &text);
        memory_faults_begin(fail_at, false);
        write_sample(&json);
        enum berth_code code = text.failed;
        berth_text_fini(&text);
        failed = memory_faults_end(&live);
        assert_int_equal(live, 0);
        assert_code(code, failed ? BERTH_NO_MEMORY : BERTH_OK);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nesting__objects_and_arrays__have_commas_where_due),
        TEST(init__text_has_content__writes_behind_it),
        TEST(number__extremes__are_written),
        TEST(string__every_ascii_byte__is_escaped_where_it_must_be),
        TEST(string__utf8__is_written_as_it_is),
        TEST(string__bytes_that_are_not_utf8__become_the_replacement_character),
        TEST(string__any_two_bytes__give_a_clean_string),
        TEST(limit__anywhere__fails_once_and_stays_a_prefix),
        TEST(memory__each_allocation_fails__sticks),
    };
    return cmocka_run_group_tests_name("base.json_writer", tests, NULL, NULL);
}
