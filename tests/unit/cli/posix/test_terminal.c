/* SPDX-License-Identifier: MIT */
/* The width of a real terminal: a pseudo terminal in place of standard output. */
#define _GNU_SOURCE
#include "cmocka_all.h"

#include "cli/terminal.h"
#include "temp_dir.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

/* Gives the width that is found while standard output is `fd`. */
static unsigned width_at(int fd)
{
    int saved = dup(STDOUT_FILENO);

    assert_true(saved >= 0);
    assert_true(dup2(fd, STDOUT_FILENO) >= 0);
    unsigned width = berth_terminal_width();
    assert_true(dup2(saved, STDOUT_FILENO) >= 0);
    (void)close(saved);
    return width;
}

static void terminal_width__no_terminal__is_0_whatever_COLUMNS_says(void **state)
{
    int fd = open("/dev/null", O_WRONLY);

    (void)state;
    assert_true(fd >= 0);
    set_environment("COLUMNS", "100");
    assert_int_equal(width_at(fd), 0);
    set_environment("COLUMNS", NULL);
    (void)close(fd);
}

static void terminal_width__terminal__is_its_own_or_that_of_COLUMNS(void **state)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY);
    struct winsize size = {.ws_row = 24, .ws_col = 132};

    (void)state;
    if (master < 0 || grantpt(master) != 0 || unlockpt(master) != 0) {
        skip();
    }
    int terminal = open(ptsname(master), O_RDWR | O_NOCTTY);
    assert_true(terminal >= 0);
    assert_int_equal(width_at(terminal), 80); /* a new one does not know its size */
    assert_int_equal(ioctl(terminal, TIOCSWINSZ, &size), 0);
    assert_int_equal(width_at(terminal), 132);
    set_environment("COLUMNS", "60");
    assert_int_equal(width_at(terminal), 60);
    set_environment("COLUMNS", "wide");
    assert_int_equal(width_at(terminal), 132);
    set_environment("COLUMNS", NULL);
    (void)close(terminal);
    (void)close(master);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(terminal_width__no_terminal__is_0_whatever_COLUMNS_says),
        cmocka_unit_test(terminal_width__terminal__is_its_own_or_that_of_COLUMNS),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
