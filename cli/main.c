/* SPDX-License-Identifier: MIT */
/* The program `berth`. */
#include "command.h"
#include "terminal.h"

int main(int argc, char **argv)
{
    berth_terminal_prepare();
    return berth_cli_main(argc, (const char *const *)argv, stdout, stderr, berth_terminal_width());
}
