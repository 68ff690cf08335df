/* SPDX-License-Identifier: MIT */
/* What Windows takes apart again is what was put together. */
#include "daemon/windows/command_line.h"

#include "base/memory.h"
#include "base/windows/wide.h"
#include "cmocka_all.h"

#include <windows.h>

#include <shellapi.h>

static void add__any_argument__comes_back_whole(void **state)
{
    static const char *const arguments[] = {
        "C:\\Program Files\\Berth\\berthd.exe", /* the program: quoted, so never C:\Program.exe */
        "plain",
        "",
        "two words",
        "trailing backslash\\",
        "two of them\\\\",
        "a \"quoted\" word",
        "\\\"",
        "C:\\a b\\\"c\\",
        "D\xC3\xA9ploy\xE2\x82\xAC",
        "%PATH% ^& | <>",
    };
    struct berth_text line;
    int count;

    (void)state;
    berth_text_init(&line, 10000);
    for (size_t i = 0; i < BERTH_COUNT(arguments); i++) {
        berth_command_line_add(&line, arguments[i]);
    }
    assert_memory_equal(line.data, "\"C:\\Program Files\\", 18);
    wchar_t *wide = berth_wide(berth_text_string(&line));
    assert_non_null(wide);
    LPWSTR *found = CommandLineToArgvW(wide, &count);
    assert_non_null(found);
    assert_int_equal(count, BERTH_COUNT(arguments));
    for (int i = 0; i < count; i++) {
        char *narrow = berth_narrow(found[i]);
        assert_string_equal(narrow, arguments[i]);
        berth_free(narrow);
    }
    (void)LocalFree(found);
    berth_free(wide);
    berth_text_fini(&line);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(add__any_argument__comes_back_whole),
    };
    return cmocka_run_group_tests_name("daemon.command_line", tests, NULL, NULL);
}
