/* SPDX-License-Identifier: MIT */
#include "daemon/framing.h"

#include "cmocka_all.h"

#include <stdlib.h>

struct frame_case {
    const char *bytes;
    bool first;
    const char *line; /* NULL: not whole yet */
    size_t used;
};

static void frame_next__each_line_end_and_mark__as_the_table_says(void **state)
{
    static const struct frame_case cases[] = {
        {"", true, NULL, 0},
        {"{", true, NULL, 0},
        {"\r", false, NULL, 0},
        {"\n", true, "", 1},
        {"\r\n", true, "", 2},
        {"{}\n", true, "{}", 3},
        {"{}\r\n", true, "{}", 4},
        {"{}\r\r\n", true, "{}\r", 5},
        {"a\rb\n", true, "a\rb", 4},
        {"{}\n[]\n", true, "{}", 3},
        {"\xEF\xBB\xBF{}\n", true, "{}", 6},
        {"\xEF\xBB\xBF{}\n", false, "\xEF\xBB\xBF{}", 6},
        {"\xEF\xBB\xBF\r\n", true, "", 5},
        {"\xEF\xBB\xBF\xEF\xBB\xBFx\n", true, "\xEF\xBB\xBFx", 8},
        {"\xEF\xBB\n", true, "\xEF\xBB", 3},
        {"\xEF\xBB\xBF", true, NULL, 0},
    };

    (void)state;
    for (size_t i = 0; i < BERTH_COUNT(cases); i++) {
        const struct frame_case *c = &cases[i];
        const char *line = NULL;
        size_t length = 99;
        size_t used = 99;
        size_t count = strlen(c->bytes);
        char *bytes =
            malloc(count + 1); /* of its own size, so that a sanitizer sees a step too far */
        assert_non_null(bytes);
        memcpy(bytes, c->bytes, count);
        bool found = berth_frame_next(bytes, count, c->first, &line, &length, &used);
        assert_int_equal(found, c->line != NULL);
        if (found) {
            assert_int_equal(used, c->used);
            assert_int_equal(length, strlen(c->line));
            assert_memory_equal(line, c->line, length);
        } else {
            assert_int_equal(used, 99);
            assert_int_equal(length, 99);
        }
        free(bytes);
    }
}

static void frame_next__zero_bytes_in_a_line__are_kept(void **state)
{
    const char *line;
    size_t length;
    size_t used;

    (void)state;
    assert_true(berth_frame_next("a\0b\n", 4, true, &line, &length, &used));
    assert_int_equal(length, 3);
    assert_memory_equal(line, "a\0b", 3);
}

static bool depth_ok(const char *text)
{
    return berth_frame_depth_ok(text, strlen(text));
}

static void depth_ok__at_the_limit__and_over(void **state)
{
    (void)state;
    assert_true(depth_ok("[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]"));
    assert_false(depth_ok("[[[[[[[[[[[[[[[[["));
    assert_true(depth_ok("{\"a\":[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]}"));
    assert_false(depth_ok("{\"a\":[[[[[[[[[[[[[[[{"));
    /* breadth is no depth */
    assert_true(depth_ok("[[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[],[]]"));
}

static void depth_ok__brackets_in_strings__do_not_count(void **state)
{
    (void)state;
    assert_true(depth_ok("[\"[[[[[[[[[[[[[[[[[[[[[[\"]"));
    assert_true(depth_ok("[\"\\\"[[[[[[[[[[[[[[[[[[[[\"]"));
    assert_false(depth_ok("[\"\\\\\",[[[[[[[[[[[[[[[["));
    /* whatever follows is the parser's to refuse; it may not be read past its end */
    assert_true(depth_ok("\"\\"));
    assert_true(depth_ok("]]]]"));
    assert_true(depth_ok(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frame_next__each_line_end_and_mark__as_the_table_says),
        cmocka_unit_test(frame_next__zero_bytes_in_a_line__are_kept),
        cmocka_unit_test(depth_ok__at_the_limit__and_over),
        cmocka_unit_test(depth_ok__brackets_in_strings__do_not_count),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
