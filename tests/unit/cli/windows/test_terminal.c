/* SPDX-License-Identifier: MIT */
/* Width and code page of a real console in place of standard output. */
#include "cli/terminal.h"
#include "cmocka_all.h"
#include "temp_dir.h"
#include "windows/test_console.h"

#include <windows.h>

/* Gives the width that is found while standard output is `handle`. */
static unsigned width_at(HANDLE handle)
{
    HANDLE saved = GetStdHandle(STD_OUTPUT_HANDLE);

    assert_true(SetStdHandle(STD_OUTPUT_HANDLE, handle));
    unsigned width = berth_terminal_width();
    assert_true(SetStdHandle(STD_OUTPUT_HANDLE, saved));
    return width;
}

static void terminal_width__no_console__is_0_whatever_COLUMNS_says(void **state)
{
    HANDLE nothing = CreateFileW(L"NUL", GENERIC_WRITE, 0, NULL, OPEN_EXISTING, 0, NULL);

    (void)state;
    assert_true(nothing != INVALID_HANDLE_VALUE);
    set_environment("COLUMNS", "100");
    assert_int_equal(width_at(nothing), 0);
    assert_int_equal(width_at(INVALID_HANDLE_VALUE), 0);
    set_environment("COLUMNS", NULL);
    (void)CloseHandle(nothing);
}

static void terminal_width__console__is_its_window_s_or_that_of_COLUMNS(void **state)
{
    CONSOLE_SCREEN_BUFFER_INFO info;

    (void)state;
    assert_true(test_console_join());
    HANDLE console = CreateFileW(L"CONOUT$", GENERIC_READ | GENERIC_WRITE, FILE_SHARE_WRITE, NULL,
                                 OPEN_EXISTING, 0, NULL);
    assert_true(console != INVALID_HANDLE_VALUE && GetConsoleScreenBufferInfo(console, &info));
    assert_int_equal(width_at(console), info.srWindow.Right - info.srWindow.Left + 1);
    set_environment("COLUMNS", "60");
    assert_int_equal(width_at(console), 60);
    set_environment("COLUMNS", "wide");
    assert_int_equal(width_at(console), info.srWindow.Right - info.srWindow.Left + 1);
    set_environment("COLUMNS", NULL);
    (void)CloseHandle(console);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(terminal_width__no_console__is_0_whatever_COLUMNS_says),
        cmocka_unit_test(terminal_width__console__is_its_window_s_or_that_of_COLUMNS),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
