/* SPDX-License-Identifier: MIT */
#define _GNU_SOURCE
#include "cli/terminal.h"

#include "base/units.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

void berth_terminal_prepare(void)
{
}

bool berth_terminal_reader_gone(int number)
{
    return number == EPIPE;
}

unsigned berth_terminal_width(void)
{
    const char *columns = getenv("COLUMNS");
    struct winsize size = {0};
    uint64_t number;

    if (isatty(STDOUT_FILENO) == 0) {
        return 0;
    }
    if (columns != NULL && berth_parse_number(&number, columns, 20, 1000)) {
        return (unsigned)number;
    }
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col != 0) {
        return size.ws_col;
    }
    return 80;
}
