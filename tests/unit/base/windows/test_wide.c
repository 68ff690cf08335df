/* SPDX-License-Identifier: MIT */
#include "base/memory.h"
#include "base/windows/os_text.h"
#include "base/windows/wide.h"
#include "cmocka_all.h"
#include "memory_faults.h"

#include <windows.h>

#define MIXED "a\xc3\xbc\xe2\x82\xac\xf0\x9f\x9a\xa2" /* one to four bytes a character */
static const wchar_t mixed[] = {L'a', 0xFC, 0x20AC, 0xD83D, 0xDEA2, 0};

static void wide__every_length_of_character__goes_there_and_back(void **state)
{
    (void)state;
    wchar_t *wide = berth_wide(MIXED);
    assert_non_null(wide);
    assert_int_equal(wcscmp(wide, mixed), 0);
    char *narrow = berth_narrow(wide);
    assert_non_null(narrow);
    assert_string_equal(narrow, MIXED);
    berth_free(narrow);
    berth_free(wide);
}

static void wide__not_utf8__is_refused(void **state)
{
    (void)state;
    assert_null(berth_wide("a\xff"));
    assert_int_equal(GetLastError(), ERROR_NO_UNICODE_TRANSLATION);
}

static void narrow__half_a_pair__is_replaced(void **state)
{
    const wchar_t half[] = {L'x', 0xD83D, L'y', 0};

    (void)state;
    char *narrow = berth_narrow(half);
    assert_string_equal(narrow, "x\xef\xbf\xbdy");
    berth_free(narrow);
}

static void narrow_into__no_room__is_cut_between_characters(void **state)
{
    char room[16];

    (void)state;
    assert_string_equal(berth_narrow_into(room, sizeof room, mixed), MIXED);
    assert_string_equal(berth_narrow_into(room, 10, mixed), "a\xc3\xbc\xe2\x82\xac");
    assert_string_equal(berth_narrow_into(room, 3, mixed), "a");
    assert_string_equal(berth_narrow_into(room, 1, mixed), "");
}

static void wide__no_memory__is_null(void **state)
{
    size_t live;

    (void)state;
    memory_faults_begin(1, true);
    assert_null(berth_wide("a"));
    assert_null(berth_narrow(L"a"));
    assert_true(memory_faults_end(&live));
    assert_int_equal(live, 0);
}

static void os_text__known_or_not__names_the_number(void **state)
{
    char text[200];
    char small[32];

    (void)state;
    SetLastError(7);
    berth_os_text(text, sizeof text, ERROR_ACCESS_DENIED);
    assert_int_equal(GetLastError(), 7);
    assert_non_null(strstr(text, " (error 5)"));
    assert_null(strchr(text, '\n'));
    assert_null(strchr(text, '.'));
    assert_string_equal(berth_os_text(text, sizeof text, 0x2FFFFFFF), "error 805306367");
    berth_os_text(small, sizeof small, ERROR_ACCESS_DENIED);
    assert_non_null(strstr(small, " (error 5)"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wide__every_length_of_character__goes_there_and_back),
        cmocka_unit_test(wide__not_utf8__is_refused),
        cmocka_unit_test(narrow__half_a_pair__is_replaced),
        cmocka_unit_test(narrow_into__no_room__is_cut_between_characters),
        cmocka_unit_test(wide__no_memory__is_null),
        cmocka_unit_test(os_text__known_or_not__names_the_number),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
