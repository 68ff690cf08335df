/* SPDX-License-Identifier: MIT */
/* What the command line program asks of the terminal. */
#ifndef BERTH_CLI_TERMINAL_H
#define BERTH_CLI_TERMINAL_H

/** Gives the width of the terminal that standard output goes to: $COLUMNS where it is a number of
 *  20 to 1000, else what the terminal says, else 80.
 *  @return columns; 0: standard output is no terminal  @thread main  @blocks no
 *  @source isatty(3), ioctl_tty(2) TIOCGWINSZ */
unsigned berth_terminal_width(void);

#endif
