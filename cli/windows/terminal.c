/* SPDX-License-Identifier: MIT */
#include "cli/terminal.h"

#include "base/units.h"

#include <errno.h>
#include <fcntl.h>
#include <io.h>
#include <stdio.h>
#include <stdlib.h>
#include <windows.h>

static UINT former_code_page;

static bool is_console(DWORD which, HANDLE *out)
{
    DWORD mode;

    *out = GetStdHandle(which);
    return *out != INVALID_HANDLE_VALUE && *out != NULL && GetConsoleMode(*out, &mode);
}

/* The code page is the console's and stays when the program ends: what runs next may want its own.
 */
static void restore_code_page(void)
{
    (void)SetConsoleOutputCP(former_code_page);
}

void berth_terminal_prepare(void)
{
    HANDLE console;

    (void)_setmode(_fileno(stdout), _O_BINARY);
    (void)_setmode(_fileno(stderr), _O_BINARY);
    if (!is_console(STD_OUTPUT_HANDLE, &console) && !is_console(STD_ERROR_HANDLE, &console)) {
        return;
    }
    former_code_page = GetConsoleOutputCP();
    if (former_code_page != 0 && former_code_page != CP_UTF8 && SetConsoleOutputCP(CP_UTF8)) {
        (void)atexit(restore_code_page);
    }
}

/* The C library has EPIPE for one of the codes that a pipe without a reader may give; of the others
 * it makes EINVAL, which writing to a pipe has no other reason for. */
bool berth_terminal_reader_gone(int number)
{
    return number == EPIPE ||
           (number == EINVAL && GetFileType(GetStdHandle(STD_OUTPUT_HANDLE)) == FILE_TYPE_PIPE);
}

unsigned berth_terminal_width(void)
{
    const char *columns = getenv("COLUMNS");
    CONSOLE_SCREEN_BUFFER_INFO info;
    HANDLE console;
    uint64_t number;

    if (!is_console(STD_OUTPUT_HANDLE, &console)) {
        return 0;
    }
    if (columns != NULL && berth_parse_number(&number, columns, 20, 1000)) {
        return (unsigned)number;
    }
    /* the window, not the buffer behind it, which may be wider */
    if (GetConsoleScreenBufferInfo(console, &info) && info.srWindow.Right >= info.srWindow.Left) {
        return (unsigned)(info.srWindow.Right - info.srWindow.Left) + 1;
    }
    return 80;
}
