/* SPDX-License-Identifier: MIT */
/* What the command line program asks of the terminal. */
#ifndef BERTH_CLI_TERMINAL_H
#define BERTH_CLI_TERMINAL_H

#include <stdbool.h>

/** Makes standard output and standard error take UTF-8, and leave line ends as they are: what goes
 *  into a pipe or a file is the same on every system. A console's own setting is put back at exit.
 *  @thread main, before anything is written  @blocks no
 *  @source SetConsoleOutputCP, _setmode */
void berth_terminal_prepare(void);

/** Tells whether writing failed because nobody reads any more, as behind "| head -n 1".
 *  @param[in] number  errno as it was left by the write  @thread main, right after it  @blocks no
 *  @source write(2) EPIPE, WriteFile */
bool berth_terminal_reader_gone(int number);

/** Gives the width of the terminal that standard output goes to: $COLUMNS where it is a number of
 *  20 to 1000, else what the terminal says, else 80.
 *  @return columns; 0: standard output is no terminal  @thread main  @blocks no
 *  @source isatty(3), ioctl_tty(2) TIOCGWINSZ, GetConsoleScreenBufferInfo */
unsigned berth_terminal_width(void);

#endif
