/* SPDX-License-Identifier: MIT */
/* Tests of base/utf8: every code point, every overlong form, surrogates, truncated sequences. */
#include "cmocka_all.h"

#include "base/utf8.h"

#define CODE_POINT_LAST 0x10FFFFU

/* Encodes in a given number of bytes, also where fewer would do. */
static void encode(char out[5], uint32_t point, size_t length)
{
    static const unsigned char leads[] = {0, 0, 0xC0, 0xE0, 0xF0};

    memset(out, 0, 5);
    for (size_t i = length; i-- > 1;) {
        out[i] = (char)(0x80 | (point & 0x3F));
        point >>= 6;
    }
    out[0] = (char)(unsigned char)(length == 1 ? point : (leads[length] | point));
}

static size_t shortest(uint32_t point)
{
    return point < 0x80 ? 1 : point < 0x800 ? 2 : point < 0x10000 ? 3 : 4;
}

static bool is_surrogate(uint32_t point)
{
    return point >= 0xD800 && point <= 0xDFFF;
}

static void sequence__every_code_point__has_its_length(void **state)
{
    char text[5];

    (void)state;
    for (uint32_t point = 1; point <= CODE_POINT_LAST; point++) {
        size_t expected = is_surrogate(point) ? 0 : shortest(point);
        encode(text, point, shortest(point));
        if (berth_utf8_sequence(text) != expected) {
            fail_msg("U+%04X: %zu instead of %zu", (unsigned)point, berth_utf8_sequence(text),
                     expected);
        }
    }
}

static void sequence__overlong__is_none(void **state)
{
    char text[5];

    (void)state;
    for (uint32_t point = 0; point < 0x10000; point++) {
        for (size_t length = shortest(point) + 1; length <= 4; length++) {
            if (length == 2 && point >= 0x800) {
                continue;
            }
            encode(text, point, length);
            assert_int_equal(berth_utf8_sequence(text), 0);
        }
    }
}

static void sequence__above_the_last_code_point__is_none(void **state)
{
    char text[5];

    (void)state;
    for (uint32_t point = CODE_POINT_LAST + 1; point < 0x200000; point += 61) {
        encode(text, point, 4);
        assert_int_equal(berth_utf8_sequence(text), 0);
    }
}

static void sequence__truncated__is_none(void **state)
{
    char text[5];

    (void)state;
    for (uint32_t point = 0x80; point <= CODE_POINT_LAST; point += 7) {
        size_t length = shortest(point);
        for (size_t cut = 1; cut < length; cut++) {
            encode(text, point, length);
            text[cut] = '\0';
            assert_int_equal(berth_utf8_sequence(text), 0);
            text[cut] = 'a';
            assert_int_equal(berth_utf8_sequence(text), 0);
        }
    }
}

static void sequence__byte_that_starts_none__is_none(void **state)
{
    char text[5] = "";

    (void)state;
    assert_int_equal(berth_utf8_sequence(""), 0);
    for (unsigned byte = 0x80; byte <= 0xFF; byte++) {
        memset(text, 0x80, 4);
        text[0] = (char)(unsigned char)byte;
        bool lead = byte >= 0xC2 && byte <= 0xF4;
        if (!lead) {
            assert_int_equal(berth_utf8_sequence(text), 0);
        }
    }
}

static void is_name__controls__are_refused(void **state)
{
    (void)state;
    for (int c = 1; c < 0x80; c++) {
        char text[] = {'a', (char)c, 'b', '\0'};
        assert_int_equal(berth_utf8_is_name(text), c >= 0x20 && c != 0x7F);
    }
}

static void is_name__texts__as_their_bytes_are(void **state)
{
    (void)state;
    assert_true(berth_utf8_is_name(""));
    assert_true(berth_utf8_is_name("Shop \xE2\x82\xAC \xF0\x9F\x9A\xA2"));
    assert_false(berth_utf8_is_name("Shop \xE2\x82"));
    assert_false(berth_utf8_is_name("\xC3\x28"));
    assert_false(berth_utf8_is_name("\xED\xA0\x80"));
    assert_false(berth_utf8_is_name("ok\xFF"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequence__every_code_point__has_its_length),
        cmocka_unit_test(sequence__overlong__is_none),
        cmocka_unit_test(sequence__above_the_last_code_point__is_none),
        cmocka_unit_test(sequence__truncated__is_none),
        cmocka_unit_test(sequence__byte_that_starts_none__is_none),
        cmocka_unit_test(is_name__controls__are_refused),
        cmocka_unit_test(is_name__texts__as_their_bytes_are),
    };
    return cmocka_run_group_tests_name("base.utf8", tests, NULL, NULL);
}
