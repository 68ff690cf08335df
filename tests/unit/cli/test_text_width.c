/* SPDX-License-Identifier: MIT */
#include "cmocka_all.h"

#include "cli/text_width.h"

static void text_width__each_kind__is_counted(void **state)
{
    static const struct {
        const char *text;
        unsigned width;
    } rows[] = {
        {"", 0},
        {"shop", 4},
        {"Gr\xC3\xB6\xC3\x9F"
         "e",
         5},
        {"e\xCC\x81", 1},                /* e and a combining acute */
        {"\xE6\x97\xA5\xE6\x9C\xAC", 4}, /* two ideographs */
        {"\xF0\x9F\x9A\xA2", 2},         /* a ship */
        {"\xEF\xBC\xA1", 2},             /* fullwidth A */
        {"\xEA\xB0\x80", 2},             /* a Hangul syllable */
        {"a\xFF"
         "b",
         3},                 /* a byte that is not UTF-8 */
        {"\xE2\x80\x8B", 0}, /* zero width space */
    };

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(rows); i++) {
        assert_int_equal(berth_text_width(rows[i].text), rows[i].width);
    }
}

static void text_fit__wide_character_at_the_edge__is_left_out(void **state)
{
    unsigned used;

    (void)state;
    assert_int_equal(berth_text_fit("a\xE6\x97\xA5", 2, &used), 1);
    assert_int_equal(used, 1);
    assert_int_equal(berth_text_fit("a\xE6\x97\xA5", 3, &used), 4);
    assert_int_equal(used, 3);
    assert_int_equal(berth_text_fit("abc", 0, &used), 0);
}

static void text_add_shown__what_steers_a_terminal__becomes_a_question_mark(void **state)
{
    static const struct {
        const char *text;
        const char *shown;
    } rows[] = {
        {"shop \xC3\xA4", "shop \xC3\xA4"},
        {"a\x1b[31mb\r\nc\td\x7F", "a?[31mb??c?d?"},
        {"a\xC2\x9B"
         "31m",
         "a?31m"},
        {"a\xE2\x80\xAE"
         "b",
         "a?b"},
        {"a\xFF\xC3", "a??"},
    };

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(rows); i++) {
        struct berth_text out;
        berth_text_init(&out, 100);
        berth_text_add_shown(&out, rows[i].text);
        assert_string_equal(berth_text_string(&out), rows[i].shown);
        berth_text_fini(&out);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_width__each_kind__is_counted),
        cmocka_unit_test(text_fit__wide_character_at_the_edge__is_left_out),
        cmocka_unit_test(text_add_shown__what_steers_a_terminal__becomes_a_question_mark),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
